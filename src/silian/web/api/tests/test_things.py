"""Interests, histories, matches, runs, files through the API: as on their pages."""

from __future__ import annotations

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from silian.web.api.tests.conftest import Caller
from silian.web.base import consents
from silian.web.base.models import Place
from silian.web.catalog.models import MODELS, Change, Import, Interest, Need
from silian.web.catalog.rules import is_own, may
from silian.web.catalog.tasks import export_task, import_task
from silian.web.conftest import ROLES
from silian.web.runs.dashboards.freezing import freeze, renew
from silian.web.runs.dashboards.months import month_of
from silian.web.runs.dashboards.reading import figures_of
from silian.web.runs.dashboards.rules import READERS as PAGE_READERS
from silian.web.runs.models import Run
from silian.web.runs.results import matching
from silian.web.runs.results.rules import READERS
from silian.web.runs.results.tests.made import adopted


@pytest.fixture
def run(registry, settings, tmp_path):
    """The run in force: of the whole region."""
    settings.RUNS_FOLDER = tmp_path / "runs"
    settings.DISTRICTS_FILE = tmp_path / "none.geojson"
    return adopted()


# ── interests, histories ──


def test_interest_opens_what_is_mutual_and_closes_again(callers, people):
    ask, firm = callers["researcher"], callers["enterprise"]
    assert "budget_cny" in ask.get("needs/N01").json()["hidden"]

    made = ask.post("needs/N01/interests", {})
    number = made.json()["number"]
    received = [i["number"] for i in firm.get("interests").json()["items"]]
    agreed = firm.post(f"interests/{number}/answer", {"agrees": True})

    assert (made.status_code, agreed.status_code) == (201, 200)
    assert number in received
    assert made.json()["is_sender"]
    assert "budget_cny" in ask.get("needs/N01").json()["values"]
    assert "budget_cny" in {i["id"]: i for i in ask.get("needs?limit=200").json()["items"]}["N01"]["values"]
    again = firm.post(f"interests/{number}/answer", {"agrees": False})
    assert (again.status_code, again.json()["code"]) == (409, "api.state")
    assert ask.post(f"interests/{number}/withdraw").json()["state"] == "withdrawn"
    assert "budget_cny" in ask.get("needs/N01").json()["hidden"]


def test_an_address_of_letters_is_told_with_consent_and_scope_alone(people):
    actor, user = people["researcher"].actor, people["researcher"].user
    asks = Caller("researcher", actor)
    number = asks.post("needs/N01/interests", {}).json()["number"]
    firm = Caller("enterprise", people["enterprise"].actor)
    narrow = Caller("enterprise", people["enterprise"].actor, ("read:interests",))
    firm.post(f"interests/{number}/answer", {"agrees": True})

    def email(caller):
        return next(i["email"] for i in caller.get("interests").json()["items"] if i["number"] == number)

    before = email(firm)
    consents.give(actor, user, "contact")

    assert (before, email(firm), email(narrow)) == (None, user.email, None)


@pytest.mark.parametrize("role", ROLES)
def test_another_ones_interest_is_not_there(callers, people, role):
    interest = Interest.objects.create(
        noun="needs", record_id="N01", owner_id="O04", by=people["manager"].user, pseudonym="x", state="asked"
    )
    need = Need.objects.select_related("place").get(pk="N01")
    speaks = may(people[role].actor, "edit", need)

    answer = callers[role].post(f"interests/{interest.pk}/answer", {"agrees": True})

    assert answer.status_code == (401 if role == "visitor" else 200 if speaks else 404)


@pytest.mark.parametrize("role", ROLES)
def test_histories_are_for_who_may_read_them(callers, people, role):
    callers["broker"].patch("needs/N01", {"version": 1, "values": {"title": "新名", "budget_cny": 12}})
    need = Need.objects.select_related("place").get(pk="N01")

    answer = callers[role].get("needs/N01/history")

    if role == "visitor":
        assert answer.status_code == 401
    elif may(people[role].actor, "history", need):
        labels = {line["label"]: line for line in answer.json()["items"][0]["lines"]}
        assert labels["需求名称"]["after"] == "新名"
        assert ("预算" in labels) == (role != "auditor")
    else:
        assert answer.status_code == 403


def test_histories_go_on_page_by_page(callers):
    for number in range(1, 24):
        callers["broker"].patch("needs/N01", {"version": number, "values": {"title": f"第 {number} 次"}})

    first = callers["broker"].get("needs/N01/history").json()
    second = callers["broker"].get(first["next"]).json()

    numbers = [i["number"] for i in first["items"] + second["items"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 23
    assert callers["broker"].get(f"needs/N02/history?cursor={first['next_cursor']}").json()["code"] == "api.cursor"
    anonymous = Caller("broker", callers["broker"].actor, ("read:registry",)).get("needs/N01/history").json()
    assert anonymous["items"][0]["who"] == callers["broker"].actor.pseudonym


# ── matches, runs ──


@pytest.mark.parametrize("role", ROLES)
def test_matches_are_those_of_the_box_for_its_owner_and_all_for_stewards(callers, people, run, role):
    actor = people[role].actor
    need = Need.objects.select_related("place").get(pk="N01")
    is_reader = any(actor.holds(r, over=need.place.path) for r in READERS)

    answer = callers[role].get("needs/N01/matches")

    if role == "visitor":
        assert answer.status_code == 401
    elif is_reader or need.owner_id in actor.orgs:
        told = answer.json()
        assert told["run"]["number"] == run.pk
        assert [m["rank"] for m in told["experts"]] == list(range(1, len(told["experts"]) + 1))
        assert is_reader or len(told["experts"]) <= matching.BOX
        assert len(told["achievements"]) > 0
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("noun", matching.NOUNS)
def test_needs_that_something_fits_are_those_of_its_box(callers, people, run, role, noun):
    actor, kind = people[role].actor, noun.removesuffix("s")
    pairs = pl.read_parquet(run.folder / "out" / f"{kind}_pairs.parquet")
    own = actor.expert_id if noun == "experts" and actor.expert_id else pairs["target_id"].sort()[0]
    record = MODELS[noun].objects.select_related("place").get(pk=own)
    is_reader = any(actor.holds(r, over=record.place.path) for r in READERS)

    answer = callers[role].get(f"{noun}/{own}/matches")

    if role == "visitor":
        assert answer.status_code == 401
    elif is_reader or is_own(actor, record):
        told, theirs = answer.json(), pairs.filter(target_id=own).sort(["score", "need_id"], descending=[True, False])
        assert (told["run"]["number"], told["count"]) == (run.pk, theirs.height)
        assert [n["id"] for n in told["needs"]] == theirs["need_id"].head(matching.BOX).to_list()
        box = people[role].client.get(f"/{noun}/{own}/").content.decode()
        assert all(f'href="/needs/{n["id"]}/"' in box for n in told["needs"])
    else:
        assert answer.status_code == 403


def test_without_a_run_there_are_no_matches(callers):
    assert callers["broker"].get("experts/E01/matches").json() == {"run": None, "needs": [], "count": 0}
    assert callers["broker"].get("needs/N01/matches").json() == {"run": None, "achievements": [], "experts": []}


def test_runs_are_for_who_looks_after_their_place(callers, people, run):
    listed = {role: callers[role].get("runs") for role in ROLES}

    for role in ("broker", "officer", "administrator"):
        assert [r["number"] for r in listed[role].json()["items"]] == [run.pk]
        assert callers[role].get(f"runs/{run.pk}").status_code == 200
    for role in ("enterprise", "researcher", "judge", "auditor"):
        assert listed[role].status_code == 403
    assert callers["broker"].get("runs?state=failed").json()["items"] == []
    assert callers["broker"].get("runs/99999999999999999999").status_code == 404
    run.adopted_at = None
    run.save()
    assert callers["officer"].get(f"runs/{run.pk}").status_code == 404  # a trial of those above


def test_runs_are_started_once_and_ended_by_who_looks_after_their_place(callers, people, registry, run):
    asked = {"place_id": Place.root().pk, "steps": ["experts"], "plan": "[match]\ntop_k = 3"}
    made = {role: callers[role].post("runs", asked) for role in ROLES}

    assert {r: a.status_code for r, a in made.items() if r in ("enterprise", "researcher", "judge", "auditor")} == {
        "enterprise": 403, "researcher": 403, "judge": 403, "auditor": 403,
    }  # fmt: skip
    assert made["visitor"].status_code == 401
    started = made["administrator"].json()
    assert (started["state"], started["steps"], started["place_id"]) == ("waiting", ["experts"], Place.root().pk)
    assert callers["administrator"].get(started["self"]).json()["number"] == started["number"]
    again = callers["administrator"].post("runs", asked)
    assert (again.status_code, again.json()["number"]) == (200, started["number"])
    assert callers["officer"].post(f"{started['self']}/cancel").status_code == 404  # of those above, and not adopted
    assert callers["officer"].post(f"runs/{run.pk}/cancel").status_code == 403
    assert callers["administrator"].post(f"{started['self']}/cancel").json()["state"] == "cancelled"
    over = callers["administrator"].post(f"{started['self']}/cancel")
    assert (over.status_code, over.json()["code"]) == (409, "api.state")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"place_id": "nowhere"}, 422, "api.values"),
        ({"steps": ["teleport"]}, 422, "api.values"),
        ({"plan": "[match]\ntop_k = 0"}, 422, "plan.value"),
        ({"plan": "[match]\nencoder = 'folder:/etc'"}, 422, "web.run_path"),
        ({"plan": "#" * 10_001}, 422, "api.values"),
    ],
)
def test_a_run_that_cannot_be_is_refused(callers, registry, given, status, code):
    answer = callers["administrator"].post("runs", {"place_id": Place.root().pk} | given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Run.objects.exists()


def test_who_may_start_a_run_and_not_adopt_it_cannot_have_it_hold(callers, people, registry):
    place = people["broker"].user.posts.first().place
    refused = callers["broker"].post("runs", {"place_id": place.pk, "adopts": True})

    assert refused.status_code == 403
    assert callers["broker"].post("runs", {"place_id": place.pk}).status_code == 202


def test_figures_are_those_of_the_page_for_who_reads_it(callers, people, run, settings, tmp_path):
    settings.SNAPSHOTS_FOLDER = tmp_path / "snapshots"
    assert callers["administrator"].get("figures").json()["figures"] == []
    renew()
    snapshot = freeze(month_of(timezone.localdate()), Place.root())
    asked = {role: callers[role].get("figures") for role in ROLES}

    assert {role for role, answer in asked.items() if answer.status_code == 200} == set(PAGE_READERS)
    told = asked["administrator"].json()
    found = {f["code"]: f["value"] for f in told["figures"]}
    assert (told["kind"], told["place_id"], told["run"]) == ("live", Place.root().pk, run.pk)
    assert found == {code: f.value for code, f in figures_of(snapshot, Place.root().pk).items()}
    assert found["needs"] > 0
    frozen = callers["administrator"].get(f"figures?month={snapshot.month}").json()
    assert (frozen["kind"], frozen["snapshot"], frozen["digest"]) == ("month", snapshot.pk, snapshot.digest)
    assert callers["administrator"].get("figures?month=1999-01").status_code == 404
    assert callers["officer"].get(f"figures?place={Place.root().pk}").status_code == 404


# ── files ──


def bring(ask, text, name="needs.csv", **given):
    file = SimpleUploadedFile(name, text.encode())
    return Client().post("/api/v1/imports", {"file": file} | given, headers=ask.headers)


def test_a_file_is_brought_looked_at_applied_and_undone(callers, people):
    ask = callers["broker"]
    brought = bring(ask, "need_id,title,kind\nN01,接口改名,technology\nN-api,接口新增,technology\n,缺编号,technology\n")
    address = brought["Location"]
    assert (brought.status_code, brought.json()["state"]) == (202, "reading")
    import_task.call(brought.json()["number"])

    ready = ask.get(address).json()
    rows = ask.get(f"{address}/rows").json()["items"]
    problems = ask.get(f"{address}/problems").json()["items"]
    assert ready["state"] == "ready"
    assert ready["rows"] == {"change": {"taken": 1}, "add": {"taken": 1}}
    assert {(r["what"], r["record_id"]) for r in rows} == {("change", "N01"), ("add", "N-api")}
    assert problems[0]["code"].startswith("check.")
    assert callers["officer"].get(address).status_code == 404
    assert ask.post(f"{address}/undo").json()["code"] == "api.state"

    assert ask.post(f"{address}/apply", {}).status_code == 202
    import_task.call(ready["number"])
    assert ask.get("needs/N01").json()["values"]["title"] == "接口改名"
    assert ask.post(f"{address}/apply", {}).status_code == 409
    assert ask.post(f"{address}/undo").status_code == 202
    import_task.call(ready["number"])
    assert ask.get(address).json()["state"] == "undone"
    assert ask.get("needs/N-api").status_code == 404


def test_what_a_file_would_delete_must_be_said(callers, registry):
    ask = callers["administrator"]
    keep = registry["terms"].row(0, named=True)["term_id"]
    brought = bring(ask, f"term_id,zh\n{keep},词\n", name="terms.csv", noun="terms", deletes="true")
    import_task.call(brought.json()["number"])
    going = ask.get(brought["Location"]).json()["rows"]["delete"]["taken"]

    refused = ask.post(f"{brought['Location']}/apply", {"deletions": going + 1})

    assert (refused.status_code, refused.json()["code"]) == (409, "api.deletions")
    assert ask.post(f"{brought['Location']}/apply", {"deletions": going}).status_code == 202


def test_a_file_that_cannot_be_one_is_refused_and_strangers_bring_none(callers):
    assert bring(callers["broker"], "x", name="needs.exe").json()["errors"][0]["pointer"] == "/file"
    assert bring(callers["broker"], "a\n1\n", name="x.csv").json()["errors"][0]["pointer"] == "/noun"
    assert bring(callers["judge"], "x").status_code == 403
    assert bring(callers["visitor"], "x").status_code == 401
    own = bring(callers["enterprise"], "need_id,title,kind\nN-e,x,technology\n")
    assert callers["enterprise"].post(f"{own['Location']}/cancel").json()["state"] == "cancelled"
    assert Import.objects.get(pk=own.json()["number"]).state == "cancelled"


def test_a_file_to_take_away_is_what_the_list_shows(callers):
    ask, before = callers["researcher"], Change.objects.count()
    asked = ask.post("exports", {"noun": "needs", "form": "csv", "filters": {"kind": "technology"}})
    number = asked.json()["number"]
    assert (asked.status_code, asked.json()["file"]) == (202, None)
    export_task.call(number)

    taken = ask.get(asked["Location"]).json()
    file = ask.get(taken["file"])

    listed = ask.get("needs?kind=technology&limit=200").json()["items"]
    assert (taken["state"], taken["rows"]) == ("ready", len(listed))
    assert b"".join(file.streaming_content).decode("utf-8-sig").count("\n") >= len(listed)
    assert callers["broker"].get(asked["Location"]).status_code == 404
    assert callers["broker"].get(taken["file"]).status_code == 404
    assert ask.post("exports", {"noun": "needs", "filters": {"budget_cny": "1"}}).json()["code"] == "api.values"
    assert ask.post("exports", {"noun": None}).status_code == 403
    assert callers["broker"].post("exports", {}).status_code == 202
    assert Change.objects.count() == before


def test_nobody_has_too_many_files_in_preparation(callers, monkeypatch):
    from silian.web.catalog import tasks

    monkeypatch.setattr(tasks, "MOST_WAITING", 1)
    asked = [callers["broker"].post("exports", {"noun": "needs"}) for _ in range(2)]

    assert [a.status_code for a in asked] == [202, 429]
    assert asked[1].json()["code"] == "api.waiting"
