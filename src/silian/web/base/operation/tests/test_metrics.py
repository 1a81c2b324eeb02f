"""Figures for Prometheus: few labels, right counts, and rules that name figures which exist."""

import os
import re
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max
from prometheus_client.parser import text_string_to_metric_families

from silian.web.base.operation import health, metrics
from silian.web.base.operation.kept import Kept, remember

NEAR = {"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"}
RULES = Path(__file__).parents[6] / "deploy" / "prometheus" / "silian.rules.yml"


@pytest.fixture(autouse=True)
def _anew(settings, tmp_path, monkeypatch):
    settings.HOME_FOLDER = tmp_path
    monkeypatch.setattr(health._last, "at", float("-inf"))


def figures():
    text = Client().get("/metrics", **NEAR).content.decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(name, **labels):
    return sum(s.value for s in figures() if s.name == name and labels.items() <= s.labels.items())


def test_requests_are_counted_by_the_name_of_their_address(registry, client):
    before = value("silian_requests_total", route="list", method="GET", status="200")
    client.get("/needs/")
    client.get("/experts/")

    assert value("silian_requests_total", route="list", method="GET", status="200") == before + 2
    assert value("silian_request_seconds_count", route="list") >= 2
    assert value("silian_database_queries_total", route="list") > 0
    assert value("silian_database_seconds_total", route="list") > 0


def test_labels_come_from_short_lists_whatever_is_asked(registry, client):
    def kinds():
        return {tuple(sorted(s.labels.items())) for s in figures() if s.name == "silian_requests_total"}

    client.get("/none/such/")
    client.generic("BREW", "/none/such/")
    before = kinds()
    for number in range(20):
        client.get(f"/needs/{number}-{uuid.uuid4()}/")
        client.get(f"/{uuid.uuid4()}/{number}/x/y/")
        client.generic(f"BREW{number}", "/none/such/")
        client.get(f"/invitation/{uuid.uuid4()}/")

    assert len(kinds() - before) <= 3
    asked = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|BREW\d")
    assert not any(asked.search(value) for kind in kinds() for _name, value in kind)


def test_waiting_tasks_are_as_old_as_their_time(db):
    now = timezone.now()
    made = {"args_kwargs": {"args": [], "kwargs": {}}, "backend_name": "default"}
    made |= {"exception_class_path": "", "traceback": ""}
    asked = DBTaskResult.objects.create(task_path="a.one", run_after=get_date_max(), **made)
    DBTaskResult.objects.filter(pk=asked.pk).update(enqueued_at=now - timedelta(hours=1))
    timed = DBTaskResult.objects.create(task_path="a.two", run_after=now - timedelta(minutes=2), **made)
    DBTaskResult.objects.filter(pk=timed.pk).update(enqueued_at=now - timedelta(days=1))
    DBTaskResult.objects.create(task_path="a.three", run_after=now + timedelta(days=1), **made)

    assert value("silian_tasks_oldest_seconds", kind="one") == pytest.approx(3600, abs=60)
    assert value("silian_tasks_oldest_seconds", kind="two") == pytest.approx(120, abs=60)
    assert not [s for s in figures() if s.labels.get("kind") == "three" and s.name == "silian_tasks_oldest_seconds"]
    assert value("silian_tasks", kind="three", state="ready") == 1


def test_figures_are_read_with_few_queries_whatever_there_is(registry, django_assert_max_num_queries):
    metrics.text()
    with django_assert_max_num_queries(25):
        metrics.text()


def test_figures_of_a_part_that_fails_are_left_out(db, monkeypatch):
    def fails():
        raise OSError
        yield

    monkeypatch.setitem(metrics.FIGURES, "catalog", metrics.FIGURES["catalog"]._replace(read=fails))

    names = {s.name for s in figures()}
    assert "silian_build_info" in names
    assert "silian_index_waiting" not in names


def test_processes_of_one_server_add_up(tmp_path):
    script = (
        "import django; django.setup(); from django.test import RequestFactory as F; "
        "from silian.web.base.operation import metrics as m; m.count(F().get('/'), 200, .1, m.Spent()); "
        "print(m.MultiProcessCollector and '')"
    )
    given = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "SILIAN_HOME": str(tmp_path)}
    given["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], env=given, check=True, capture_output=True)
    asked = metrics.CollectorRegistry()
    metrics.MultiProcessCollector(asked, path=str(tmp_path))

    assert asked.get_sample_value("silian_requests_total", {"route": "none", "method": "GET", "status": "200"}) == 2


def test_rules_name_figures_that_exist(registry, client):
    remember(Kept(timezone.now().isoformat(), "a.zip", 10, 1.0, 5, 2))
    from silian.web.base.models import ChainCheck

    ChainCheck.objects.create(number=0, digest="", signature="")
    client.get("/")
    known = {s.name for s in figures()} | {"silian_tasks_oldest_seconds", "silian_beat_age_seconds"}
    named = set(re.findall(r"\bsilian_[a-z_]+", "\n".join(expressions())))

    assert named
    assert named - known == set()


def expressions():
    return [line.partition("expr:")[2] for line in RULES.read_text(encoding="utf-8").splitlines() if "expr:" in line]


def test_every_rule_says_what_to_do():
    text = RULES.read_text(encoding="utf-8")

    assert text.count("- alert:") == text.count("expr:") == text.count("summary:") == text.count("description:")
