"""Probes: a word for everybody, all for who is near, nothing that a browser keeps."""

import json
import os
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from silian.web.base.models import ChainCheck, LogEntry
from silian.web.base.operation import beats, health, parts
from silian.web.base.operation.kept import Kept, kept, remember
from silian.web.base.operation.signs import PARTS, Found, Part

TOKEN = "q7-mZx1LpRt5WnYb8Ec2Hd6Gf4As0UiO"
NEAR = {"HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _anew(settings, tmp_path, monkeypatch):
    """A folder of its own, and no answer of before."""
    settings.HOME_FOLDER = tmp_path
    monkeypatch.setattr(health._last, "at", float("-inf"))


def part(code):
    return PARTS[code].look()


def test_live_answers_without_the_database():
    answer = Client().get("/health/live")  # no mark for the database: a query would fail the test

    assert answer.json() == {"state": "live"}


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/metrics"])
def test_probes_keep_nothing_in_the_browser_and_ask_for_no_host_and_no_tls(registry, settings, address):
    settings.SECURE_SSL_REDIRECT = True

    answer = Client().get(address, headers={"host": "10.1.2.3"})

    assert answer.status_code in (200, 404, 503)
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/metrics"])
def test_probes_only_answer_to_reading(db, address):
    assert Client(enforce_csrf_checks=True).post(address, **NEAR).status_code == 405


def test_ready_tells_each_part_to_who_sits_at_the_machine(registry):
    told = Client().get("/health/ready", **NEAR).json()

    assert told["state"] == "degraded"  # no worker beats, nothing is kept
    assert {code for code, found in told["parts"].items() if found["needed"]} == {
        "database", "migrations", "cache", "disk", "index",
    }  # fmt: skip
    assert told["parts"]["migrations"] == {"state": "ok", "needed": True, "missing": 0, "ahead": 0}
    assert told["parts"]["index"]["waiting"] == 0


@pytest.mark.parametrize(
    "more",
    [
        {"REMOTE_ADDR": "10.0.0.9"},
        {"HTTP_X_FORWARDED_FOR": "10.0.0.9"},  # through a web server on this machine
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_HOST": "silian.example.org"},
        {"HTTP_HOST": "localhost.example.org"},
        {"HTTP_AUTHORIZATION": "Bearer wrong"},
    ],
)
def test_details_and_figures_are_not_for_others(registry, settings, more):
    settings.METRICS_TOKEN = TOKEN
    given = NEAR | {"REMOTE_ADDR": "10.0.0.9"} | more if "HTTP_AUTHORIZATION" in more else NEAR | more

    assert Client().get("/health/ready", **given).json() == {"state": "degraded"}
    assert Client().get("/metrics", **given).status_code == 404


def test_details_and_figures_are_for_who_brings_the_token(registry, settings):
    settings.METRICS_TOKEN = TOKEN
    given = {"REMOTE_ADDR": "10.0.0.9", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}

    assert "parts" in Client().get("/health/ready", **given).json()
    assert b"silian_build_info" in Client().get("/metrics", **given).content


def test_an_empty_token_opens_nothing(registry, settings):
    settings.METRICS_TOKEN = ""

    assert Client().get("/metrics", REMOTE_ADDR="10.0.0.9", HTTP_AUTHORIZATION="Bearer ").status_code == 404


def test_not_ready_is_503_and_names_no_cause_to_strangers(db, monkeypatch):
    def fails():
        raise DatabaseError("password of silian is wrong")

    monkeypatch.setitem(PARTS, "database", Part("database", "数据库", fails, is_needed=True))

    near, far = Client().get("/health/ready", **NEAR), Client().get("/health/ready", REMOTE_ADDR="10.0.0.9")

    assert (near.status_code, far.status_code) == (503, 503)
    assert near.json()["parts"]["database"] == {"state": "bad", "needed": True, "error": "DatabaseError"}
    assert far.json() == {"state": "not ready"}
    assert b"password" not in near.content + far.content


def test_what_is_not_needed_does_not_take_the_site_away(db, monkeypatch):
    for code in PARTS:
        monkeypatch.setitem(PARTS, code, Part(code, code, lambda: Found("ok", ""), is_needed=True))
    monkeypatch.setitem(PARTS, "backup", Part("backup", "备份", lambda: Found("bad", ""), is_needed=False))

    assert health.look().is_ready
    assert health.look().word == "degraded"


def test_a_migration_that_is_missing_is_not_ready(db, monkeypatch):
    monkeypatch.setattr(parts, "known_migrations", lambda: frozenset({("base", "0001_initial"), ("base", "0002_more")}))

    assert part("migrations").state == "bad"
    assert part("migrations").told["missing"] == 1


def test_a_database_of_a_newer_version_still_answers(db, monkeypatch):
    monkeypatch.setattr(parts, "known_migrations", lambda: frozenset({("base", "0000_before")}))
    monkeypatch.setattr(parts, "_is_replaced", lambda *_: True)

    assert part("migrations").state == "late"


def test_processes_are_alive_while_they_beat_and_dead_when_they_stop(tmp_path):
    with beats.beating("worker-here"), beats.beating("keeper-here"):
        assert part("processes").told == {"alive": 2, "dead": 0, "missing": ["runs"]}
    with beats.beating("worker-here"), beats.beating("runs-here"), beats.beating("keeper-here"):
        assert part("processes").state == "ok"
        assert beats.running() == ["keeper-here", "runs-here", "worker-here"]
        old = time.time() - 2 * beats.DEAD
        os.utime(tmp_path / "beats" / "worker-here", (old, old))

        assert part("processes").told == {"alive": 2, "dead": 1, "missing": ["worker"]}

    assert beats.beats() == []


def test_a_process_that_is_gone_for_a_day_is_forgotten(tmp_path):
    (tmp_path / "beats").mkdir()
    gone = tmp_path / "beats" / "worker-other"
    gone.touch()
    os.utime(gone, (0, 0))

    assert beats.beats() == []
    assert not gone.exists()


def test_a_backup_is_late_after_a_night_without_one(db):
    assert part("backup").state == "late"
    remember(Kept(timezone.now().isoformat(), "a.zip", 10, 1.0, 5, 2))
    assert part("backup").state == "ok"
    remember(Kept((timezone.now() - timedelta(hours=27)).isoformat(), "b.zip", 10, 1.0, 5, 2))
    assert part("backup").state == "late"
    assert [each.file for each in kept()] == ["b.zip", "a.zip"]


def test_a_spoilt_list_of_backups_is_an_empty_one(tmp_path):
    (tmp_path / "backups.json").write_text("[{")

    assert kept() == []


def test_a_log_that_was_changed_or_is_not_sealed_shows(db):
    LogEntry.objects.all().delete()
    assert part("log").state == "late"  # never verified
    ChainCheck.objects.create(number=0, digest="", signature="")
    assert part("log").state == "ok"
    LogEntry.objects.create(action="x", at=timezone.now() - timedelta(hours=1))
    assert part("log").told["unsealed_seconds"] >= 3600
    ChainCheck.objects.create(number=1, digest="", signature="", finding="changed", broken=1)
    assert part("log").state == "bad"


def test_a_full_disk_is_bad(monkeypatch):
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: parts.shutil._ntuple_diskusage(10**12, 10**12 - 5, 5))

    assert part("disk").state == "bad"


def test_asking_often_looks_once(db, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 60.0)
    Client().get("/health/ready", **NEAR)

    with django_assert_max_num_queries(0):
        for _ in range(5):
            Client().get("/health/ready", **NEAR)


def test_words_of_the_parts_hold_no_personal_data(people):
    told = json.dumps(health.look().as_plain(), ensure_ascii=False)

    assert not any(person.user.email in told or person.user.name in told for person in people.values() if person.user)
