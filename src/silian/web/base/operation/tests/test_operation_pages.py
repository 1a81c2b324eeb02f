"""Pages of operation: for who runs the whole, and true."""

import csv
import io
import re
import uuid

import pytest
from django.conf import settings as site
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max
from docx import Document

from silian.web.base.models import LogEntry, Place, Post, User
from silian.web.base.operation import checklist, health
from silian.web.base.operation.kept import Kept, remember

ADDRESSES = ("/operation/", "/operation/checklist/", "/operation/checklist/csv/", "/operation/checklist/docx/")


@pytest.fixture(autouse=True)
def _anew(settings, tmp_path, monkeypatch):
    settings.HOME_FOLDER = tmp_path
    monkeypatch.setattr(health._last, "at", float("-inf"))


def failed(name="a.import_task"):
    return DBTaskResult.objects.create(
        task_path=name, run_after=get_date_max(), args_kwargs={"args": [], "kwargs": {}}, backend_name="default",
        status="FAILED", finished_at=timezone.now(), worker_ids=["w", "w", "w"],
        exception_class_path="builtins.ValueError", traceback="王伟 13800001111",
    )  # fmt: skip


def look(code):
    return next(check for check in checklist.CHECKS if check.code == code).look()


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_are_for_administrators_of_the_whole_and_the_checklist_for_auditors_too(people, address):
    allowed = {"administrator", "auditor"} if "checklist" in address else {"administrator"}
    for role, person in people.items():
        wanted = 200 if role in allowed else 302 if role == "visitor" else 403
        assert person.client.get(address).status_code == wanted, role


def test_an_administrator_of_a_county_does_not_see_how_the_site_runs(people):
    Post.objects.filter(user=people["administrator"].user).update(place=Place.objects.exclude(pk="region").first())

    assert people["administrator"].client.get("/operation/").status_code == 403
    assert 'href="/operation/"' not in people["administrator"].client.get("/").content.decode()


def test_the_page_shows_parts_backups_and_what_failed_but_no_traceback(people):
    remember(Kept(timezone.now().isoformat(), "/srv/backups/a.zip", 5_000_000, 1.0, 5, 2))
    failed()
    page = people["administrator"].client.get("/operation/").content.decode()

    for text in ("数据库可用。", "import_task", "ValueError", "/srv/backups/a.zip", "4.8 MiB", "已移走"):
        assert text in page
    assert "王伟" not in page


def test_a_failed_task_is_put_back_once(people):
    task = failed()
    client = people["administrator"].client
    address = reverse("operation_retry", args=[task.pk])
    for _ in range(2):  # a double click
        client.post(address)

    task.refresh_from_db()
    assert (task.status, task.worker_ids, task.traceback) == ("READY", [], "")
    entry = LogEntry.objects.get(action="operation.retry")
    assert entry.detail == {"task": "import_task"}


@pytest.mark.parametrize("role", ["auditor", "officer", "enterprise"])
def test_nobody_else_retries(people, role):
    task = failed()

    assert people[role].client.post(reverse("operation_retry", args=[task.pk])).status_code == 403
    task.refresh_from_db()
    assert task.status == "FAILED"


def test_retry_of_nothing_changes_nothing_and_a_get_is_refused(people):
    client = people["administrator"].client

    assert client.post(reverse("operation_retry", args=[uuid.uuid4()])).status_code == 302
    assert client.get(reverse("operation_retry", args=[uuid.uuid4()])).status_code == 405


def test_pages_ask_few_questions(people, django_assert_max_num_queries):
    for _ in range(60):
        failed()
    with django_assert_max_num_queries(30):
        people["administrator"].client.get("/operation/")
    with django_assert_max_num_queries(45):
        people["administrator"].client.get("/operation/checklist/")


def test_checks_have_codes_and_clauses_of_their_own_and_words_in_both_languages():
    codes = [check.code for check in checklist.CHECKS]

    assert len(set(codes)) == len(codes) >= 25
    assert {check.group for check in checklist.CHECKS} == set(checklist.GROUPS)
    for check in checklist.CHECKS:
        assert re.fullmatch(r"[78]\.1\.\d\.\d+( [a-e]\)(–[a-e]\))?)?", check.clause), check.clause
        assert all(check.wanted)
        assert not re.search("[\u4e00-\u9fff]", check.wanted.en)


def test_every_answer_that_is_not_met_says_what_to_do(registry):
    for line in checklist.lines():
        assert all(line.answer.found)
        if line.answer.mark != "met":
            assert all(line.answer.todo), line.code


@pytest.mark.parametrize(
    ("code", "settings_of", "met"),
    [
        ("tls", {"SECURE_SSL_REDIRECT": True, "SESSION_COOKIE_SECURE": True, "SECURE_HSTS_SECONDS": 31_536_000}, True),
        ("tls", {"SECURE_SSL_REDIRECT": True, "SESSION_COOKIE_SECURE": True, "SECURE_HSTS_SECONDS": 60}, False),
        ("tls", {"SECURE_SSL_REDIRECT": False, "SECURE_HSTS_SECONDS": 31_536_000}, False),
        ("factor", {"SECOND_FACTOR_REQUIRED": True}, True),
        ("factor", {"SECOND_FACTOR_REQUIRED": False}, False),
        ("passwords", {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"]}, True),
        ("passwords", {"AUTH_PASSWORD_VALIDATORS": []}, False),
        ("lock", {}, True),
        ("lock", {"ACCOUNT_RATE_LIMITS": {}}, False),
        ("lock", {"SESSION_COOKIE_AGE": 86_400}, False),
        ("scanner", {"SILIAN_SCAN": "clamdscan --no-summary"}, True),
        ("scanner", {"SILIAN_SCAN": ""}, False),
        ("hosts", {"ALLOWED_HOSTS": ["silian.example.org"]}, True),
        ("hosts", {"ALLOWED_HOSTS": ["*"]}, False),
        ("hosts", {"DEBUG": True}, False),
    ],
)
def test_answers_follow_the_settings_of_the_site(registry, settings, code, settings_of, met):
    for name, value in settings_of.items():
        setattr(settings, name, value)

    assert look(code).mark == ("met" if met else "not met")


def test_answers_follow_what_the_site_is(people):
    assert look("local").mark == "not met"
    remember(Kept(timezone.now().isoformat(), "a.zip", 10, 1.0, 5, 2))
    assert look("local").mark == "met"
    assert look("separate").mark == "met"
    Post.objects.create(user=people["administrator"].user, role="auditor", place=Place.root())
    assert look("separate").mark == "not met"
    assert look("defaults").mark == "not met"  # of the demo
    assert look("database").mark == "met"
    User.objects.create_user("idle@example.org", name="闲", joined_at=timezone.now() - 2 * checklist.HALF_A_YEAR)
    assert look("unused").mark == "not met"


def test_exports_hold_every_line_and_say_that_they_are_no_assessment(people):
    client = people["auditor"].client
    rows = list(csv.reader(io.StringIO(client.get("/operation/checklist/csv/").content.decode("utf-8-sig"))))
    document = Document(io.BytesIO(client.get("/operation/checklist/docx/").content))

    assert len(rows) == len(checklist.CHECKS) + 2
    assert "不代替等级保护测评" in rows[-1][0]
    assert len(document.tables[0].rows) == len(checklist.CHECKS) + 1
    assert "不代替等级保护测评" in document.paragraphs[1].text
    assert client.get("/operation/checklist/pdf/").status_code == 404
    assert LogEntry.objects.filter(action="operation.checklist").count() == 2


def test_the_page_is_there_in_english(people):
    client = people["auditor"].client
    client.cookies["language"] = "en"
    page = client.get("/operation/checklist/").content.decode()

    assert "takes the place of no assessment" in page
    assert "One identity each; strong passwords" in page


def test_no_answer_tells_a_secret(registry, settings):
    settings.SILIAN_SCAN = "scan --token geheim-1234"
    told = " ".join(" ".join(line.answer.found) for line in checklist.lines())

    assert "geheim" not in told
    assert site.SECRET_KEY not in told
