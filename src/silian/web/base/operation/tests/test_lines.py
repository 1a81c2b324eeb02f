"""Lines of the log: JSON from every process, with the request that something was done for, and of nobody."""

import io
import json
import logging
import logging.config

import pytest
from django.test import Client
from django.urls import reverse
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from silian.web.base.audit_tasks import seal_task
from silian.web.base.console import Line, plain_lines
from silian.web.base.log import log
from silian.web.base.models import LogEntry
from silian.web.base.requests import NUMBER
from silian.web.environment import Environment


@pytest.fixture
def lines():
    """Whatever the site writes, at its most talkative."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Line())
    own = logging.getLogger()
    before, level = list(own.handlers), own.level
    own.addHandler(handler)
    silian = logging.getLogger("silian")
    silian_level = silian.level
    own.setLevel(logging.INFO)
    silian.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    own.handlers, own.level = before, level
    silian.setLevel(silian_level)


def work():
    """What a worker does with one task, in the transaction of the test."""
    worker = Worker.__new__(Worker)
    worker._run_tasks = 0
    worker.run_task(DBTaskResult.objects.filter(task_path=seal_task.module_path, status="READY").first())


def test_a_task_carries_the_number_of_the_request_that_asked_for_it(db, lines):
    DBTaskResult.objects.all().delete()
    token = NUMBER.set("0123456789abcdef")
    seal_task.enqueue()
    NUMBER.reset(token)
    work()

    told = [line for line in lines() if line["name"] == "silian.task"]
    assert [(line["task"], line["state"], line["request"]) for line in told][:1] == [
        ("seal_task", "successful", "0123456789abcdef")
    ]
    assert NUMBER.get() == ""


def test_what_a_task_logs_names_the_request(db, monkeypatch):
    seen = []
    monkeypatch.setattr("silian.web.base.audit.seal", lambda: seen.append(NUMBER.get()))
    DBTaskResult.objects.all().delete()
    token = NUMBER.set("feedfacefeedface")
    seal_task.enqueue()
    NUMBER.reset(token)
    work()

    assert seen[0] == "feedfacefeedface"


def test_a_task_that_nobody_asked_for_carries_no_number(db):
    DBTaskResult.objects.all().delete()
    seal_task.enqueue()

    assert "request" not in DBTaskResult.objects.get().args_kwargs


def test_lines_of_a_day_name_nobody(people, lines):
    user = people["enterprise"].user
    client = people["enterprise"].client
    for address in ("/", "/needs/?q=王伟13800001111", f"/needs/N01/?{user.email}", "/interests/", "/none/"):
        client.get(address)
    Client().post(reverse("account_login"), {"login": user.email, "password": "wrong-password-13800001111"})
    Client().post(reverse("account_reset_password"), {"email": user.email})
    token = NUMBER.set("x")
    log(people["enterprise"].actor, "test.line")
    NUMBER.reset(token)

    text = json.dumps(lines(), ensure_ascii=False)
    assert len(lines()) >= 6
    for secret in (user.email, user.name, "13800001111", "王伟", "wrong-password"):
        assert secret not in text
    assert LogEntry.objects.filter(request_id="x").exists()


def test_lines_of_the_server_are_json_as_well():
    before = logging.getLogger("gunicorn.error").handlers, logging.getLogger().handlers, logging.getLogger().level
    logging.config.dictConfig(plain_lines())
    try:
        handler = logging.getLogger("gunicorn.error").handlers[0]
        handler.setStream(io.StringIO())
        logging.getLogger("gunicorn.error").warning("Worker with pid %s was terminated", 7)
        line = json.loads(handler.stream.getvalue())
    finally:
        logging.getLogger("gunicorn.error").handlers = before[0]
        logging.getLogger().handlers, logging.getLogger().level = before[1:]

    assert line["message"] == "Worker with pid 7 was terminated"
    assert line["name"] == "gunicorn.error"


@pytest.mark.parametrize(
    ("name", "value"),
    [("SILIAN_LOG", "chatty"), ("SILIAN_METRICS_TOKEN", "short"), ("SILIAN_METRICS_TOKEN", "a" * 40)],
)
def test_log_and_token_say_what_they_may_be(tmp_path, name, value):
    with pytest.raises(Exception, match=rf"web\.setting.*{name}"):
        Environment.read({"SILIAN_HOME": str(tmp_path), name: value})


@pytest.mark.parametrize(
    ("given", "level"), [({}, "WARNING"), ({"SILIAN_LOG": "debug"}, "DEBUG"), ({"SILIAN_LOG": "ERROR"}, "ERROR")]
)
def test_log_is_as_quiet_as_it_is_set(tmp_path, given, level):
    assert Environment.read({"SILIAN_HOME": str(tmp_path), **given}).log_level == level
