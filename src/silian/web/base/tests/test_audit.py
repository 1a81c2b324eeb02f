"""The log is a chain: what is changed, dropped, slipped in or cut is named; the auditor reads it, nobody else."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.errors import WebError
from silian.web.base import audit, audit_tasks
from silian.web.base.actors import VISITOR, Actor
from silian.web.base.audit_queries import PAGE, Place
from silian.web.base.log import log
from silian.web.base.models import ChainCheck, ChainHead, LogEntry, Post, User
from silian.web.base.models import Place as Region
from silian.web.base.requests import NUMBER
from silian.web.conftest import ROLES

ANA = Actor(user_id=1, pseudonym="aaaaaaaaaaaaaaaa")


@pytest.fixture
def chain(db):
    """Ten sealed entries."""
    for i in range(10):
        log(ANA, "needs.edit", noun="needs", record_id=f"N{i}", detail={"records": i, "note": "四链 🧪 <b>"})
    audit.seal()
    return LogEntry.objects.order_by("number")


def test_log_keeps_the_pseudonym_and_the_request(db):
    token = NUMBER.set("r1")
    log(ANA, "needs.edit", noun="needs", record_id="N1")
    NUMBER.reset(token)

    entry = LogEntry.objects.get()
    assert (entry.who, entry.request_id, entry.number, entry.digest) == ("aaaaaaaaaaaaaaaa", "r1", None, "")


def test_seal_numbers_entries_without_gaps_where_ids_have_them(db):
    log(ANA, "a")
    with transaction.atomic():
        log(ANA, "rolled back")
        transaction.set_rollback(True)
    log(ANA, "b")
    LogEntry.objects.create(pk=LogEntry.objects.latest("pk").pk + 100, action="c")

    assert audit.seal() == 3
    assert list(LogEntry.objects.order_by("number").values_list("number", "action")) == [(1, "a"), (2, "b"), (3, "c")]
    assert audit.verify() == audit.Verdict(3, LogEntry.objects.get(number=3).digest)


def test_seal_takes_an_entry_that_was_committed_late_behind_the_sealed_ones(chain):
    first = chain[0].pk
    LogEntry.objects.create(pk=first - 1, action="slow")

    audit.seal()

    assert LogEntry.objects.get(action="slow").number == 11
    assert audit.verify().finding == ""


def test_seal_seals_nothing_twice(chain):
    before = list(chain.values_list("number", "digest"))

    assert audit.seal() == 0
    assert list(LogEntry.objects.order_by("number").values_list("number", "digest")) == before


@pytest.mark.parametrize(
    "change",
    [
        {"who": "bbbbbbbbbbbbbbbb"}, {"action": "needs.read"}, {"record_id": "N7"}, {"detail": {}}, {"noun": ""},
        {"request_id": "r2"}, {"digest": "0" * 64}, {"at": timezone.now() - timedelta(days=1)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_verify_names_the_first_entry_that_was_changed(chain, change):
    LogEntry.objects.filter(number=4).update(**change)
    LogEntry.objects.filter(number=8).update(action="x")

    assert audit.verify()[2:] == ("changed", 4)


def test_verify_names_a_missing_entry(chain):
    LogEntry.objects.filter(number=4).delete()

    assert audit.verify()[2:] == ("missing", 4)


def test_verify_names_an_entry_that_was_slipped_in_with_a_digest_that_fits(chain):
    for entry in reversed(LogEntry.objects.filter(number__gte=4).order_by("number")):
        LogEntry.objects.filter(pk=entry.pk).update(number=(entry.number or 0) + 1)
    ChainHead.objects.update(number=11)
    entry = LogEntry.objects.create(action="slipped", number=4)
    LogEntry.objects.filter(pk=entry.pk).update(digest=audit.digest_of(LogEntry.objects.get(number=3).digest, entry))

    assert audit.verify()[2:] == ("inserted", 4)


def test_verify_names_an_entry_behind_the_end(chain):
    entry = LogEntry.objects.create(action="appended", number=11)
    LogEntry.objects.filter(pk=entry.pk).update(digest=audit.digest_of(LogEntry.objects.get(number=10).digest, entry))

    assert audit.verify()[2:] == ("inserted", 11)


def test_verify_notices_an_end_that_was_cut_off(chain):
    LogEntry.objects.filter(number__gt=7).delete()

    assert audit.verify()[2:] == ("cut", 8)


def made_anew(chain, number):
    """The chain as somebody makes it who writes to the database, and has not the key."""
    LogEntry.objects.filter(number=number).update(action="forged")
    before = audit.FIRST
    for entry in LogEntry.objects.order_by("number"):
        before = audit.digest_of(before, entry)
        LogEntry.objects.filter(pk=entry.pk).update(digest=before)
    ChainHead.objects.update(digest=before)


def test_verify_notices_a_chain_that_was_made_anew_without_the_key(chain):
    made_anew(chain, 4)

    assert audit.verify()[2:] == ("head", 10)


def test_verify_holds_earlier_walks_and_noted_entries_against_the_chain(chain):
    noted = audit.Anchor(6, LogEntry.objects.get(number=6).digest)
    assert audit.verify(noted=[noted]).finding == ""
    audit.check()
    made_anew(chain, 4)

    assert audit.verify(noted=[noted])[2:] == ("rewritten", 6)
    assert audit.verify()[2:] == ("rewritten", 10)
    LogEntry.objects.filter(number__gt=5).delete()
    assert audit.verify()[2:] == ("cut", 6)


def test_check_keeps_what_it_found(chain):
    log(ANA, "one more")

    assert (audit.check().number, audit.check().finding) == (11, "")
    LogEntry.objects.filter(number=2).update(who="")
    assert ChainCheck.objects.get(pk=audit.check().pk).broken == 2


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60), st.lists(st.integers(-(2**53), 2**53) | st.booleans() | st.text(max_size=8), max_size=4))
def test_content_of_an_entry_tells_all_it_says_and_nothing_else(action, values):
    entry = LogEntry(pk=7, at=timezone.now(), action=action, detail={"values": values})

    told = json.loads(audit.content_of(entry))

    assert (told["action"], told["detail"]["values"], told["id"]) == (action, values, 7)
    assert audit.digest_of("a", entry) != audit.digest_of("b", entry)


# ── in the background, from the command line ──


def test_seal_task_asks_for_the_next_sealing_once_and_for_a_check_a_day(chain):
    log(ANA, "one more")

    audit_tasks.seal_task.call()
    audit_tasks.seal_task.call()

    asked = DBTaskResult.objects.filter(status=TaskResultStatus.READY).values_list("task_path", flat=True)
    assert list(asked).count(audit_tasks.seal_task.module_path) == 1
    assert audit_tasks.check_task.module_path in asked
    assert not LogEntry.objects.filter(number=None).exists()


def test_command_verify_tells_the_end_of_the_chain(chain, capsys):
    call_command("audit", "verify")

    assert capsys.readouterr().out.strip() == f"10:{LogEntry.objects.get(number=10).digest}"


def test_command_verify_names_the_broken_entry(chain):
    LogEntry.objects.filter(number=3).update(action="x")

    with pytest.raises(WebError, match=r"web\.chain.*changed.*3"):
        call_command("audit", "verify")


def test_command_verify_refuses_what_is_no_anchor(chain):
    with pytest.raises(CommandError, match="NUMBER:DIGEST"):
        call_command("audit", "verify", noted=["12"])


def test_command_export_writes_lines_from_which_anybody_can_make_the_chain_again(chain, tmp_path):
    import hashlib

    call_command("audit", "export", to=str(tmp_path / "log.jsonl"))

    digest = audit.FIRST
    for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        digest = hashlib.sha256(f"{digest}\n{entry['content']}".encode()).hexdigest()
        assert entry["digest"] == digest
    assert digest == ChainHead.objects.get().digest


# ── the page ──


@pytest.mark.parametrize("role", ROLES)
def test_audit_pages_are_for_auditors_of_the_whole_region_alone(people, role):
    client = people[role].client
    wanted = 200 if role == "auditor" else 302 if role == "visitor" else 403

    assert client.get(reverse("audit")).status_code == wanted
    assert client.get(reverse("audit_export", args=["csv"])).status_code == wanted
    wanted = 302 if role == "auditor" else wanted
    assert client.post(reverse("audit_check")).status_code == wanted
    assert client.post(reverse("audit_person"), {"email": "a@b.invalid"}).status_code == wanted
    assert client.get(reverse("audit_check")).status_code == (302 if role == "visitor" else 405)


def test_audit_page_is_closed_to_the_auditor_of_a_county(people):
    county = Region.objects.filter(level="county").order_by("pk")[0]
    Post.objects.filter(role="auditor").update(place=county)

    assert people["auditor"].client.get(reverse("audit")).status_code == 403


def test_audit_page_finds_by_person_action_record_and_day(people):
    client = people["auditor"].client
    log(ANA, "needs.edit", noun="needs", record_id="N-42")
    log(VISITOR, "experts.read", noun="experts", record_id="E-43")
    today = timezone.localdate()

    for query, is_found in [
        ({"who": ANA.pseudonym}, True), ({"action": "needs.edit", "noun": "needs"}, True),
        ({"record_id": "N-42"}, True),
        ({"since": today, "until": today}, True), ({"since": today + timedelta(days=1)}, False),
        ({"until": today - timedelta(days=1)}, False), ({"who": "somebody else"}, False), ({"noun": "experts"}, False),
    ]:  # fmt: skip
        answer = client.get(reverse("audit"), query)
        assert ("N-42" in answer.content.decode().split("<tbody>")[-1]) == is_found, query


def test_audit_page_shows_every_entry_once_page_by_page(people):
    at = timezone.now()
    LogEntry.objects.bulk_create(
        LogEntry(action="t.e", record_id=f"R{i:03}", at=at - timedelta(seconds=i // 7)) for i in range(2 * PAGE + 7)
    )
    seen, address = [], "?action=t.e"
    while address:
        answer = people["auditor"].client.get(reverse("audit") + address)
        seen += [row["entry"].record_id for row in answer.context["rows"]]
        address = answer.context["following"] and "?" + answer.context["following"]

    assert len(seen) == len(set(seen)) == 2 * PAGE + 7


@pytest.mark.parametrize(
    "query",
    [
        {"behind": "x"}, {"behind": "2026-01-01T00:00:00_5"},
        {"behind": "2026-01-01T00:00:00+00:00_99999999999999999999"},
        {"since": "yesterday"}, {"who": "x" * 99}, {"noun": "ghosts"}, {"record_id": "<script>\u202e🧪"}, {"who": "\0"},
    ],
)  # fmt: skip
def test_audit_page_bears_whatever_is_asked(people, query):
    answer = people["auditor"].client.get(reverse("audit"), query)

    assert answer.status_code in (200, 400)
    assert b"<script>\xe2\x80\xae" not in answer.content


def test_audit_page_costs_the_same_with_many_entries(people, django_assert_max_num_queries):
    LogEntry.objects.bulk_create(LogEntry(action="t.e") for _ in range(500))
    people["auditor"].client.get(reverse("audit"))

    with django_assert_max_num_queries(15):
        people["auditor"].client.get(reverse("audit"))


def test_audit_page_tells_how_far_the_chain_is_sealed_and_what_a_check_found(people):
    client = people["auditor"].client
    assert "尚未封存" in client.get(reverse("audit")).content.decode()
    log(ANA, "a.b")
    audit.check()
    assert "完整无误" in client.get(reverse("audit")).content.decode()
    LogEntry.objects.filter(number=1).update(who="")
    audit.check()

    assert "第 1 条，内容被改动" in client.get(reverse("audit")).content.decode()


def test_audit_check_runs_in_the_background(people):
    people["auditor"].client.post(reverse("audit_check"))

    assert DBTaskResult.objects.filter(task_path=audit_tasks.check_task.module_path).count() == 1
    assert not ChainCheck.objects.exists()


def test_audit_person_finds_a_pseudonym_and_logs_the_look_up_without_the_address(people):
    answer = people["auditor"].client.post(reverse("audit_person"), {"email": "Broker@demo.invalid"})

    found = User.objects.get(email="broker@demo.invalid").pseudonym
    assert answer.url.endswith(f"?who={found}")
    entry = LogEntry.objects.get(action="audit.person")
    assert entry.record_id == found
    assert "broker" not in audit.content_of(entry)


def test_audit_export_holds_every_entry_that_is_asked_for_and_no_formula(people):
    log(ANA, "t.e", record_id="=cmd|'/c calc'!A1", detail={"note": "x"})
    log(ANA, "t.other")

    answer = people["auditor"].client.get(reverse("audit_export", args=["csv"]), {"action": "t.e"})

    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [(row["action"], row["record_id"]) for row in rows] == [("t.e", "'=cmd|'/c calc'!A1")]
    assert LogEntry.objects.filter(action="audit.export", who=people["auditor"].user.pseudonym).exists()


def test_place_of_a_page_reads_what_it_writes():
    place = Place(timezone.now(), 12)

    assert Place.read(str(place)) == place
