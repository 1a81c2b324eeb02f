"""What holds for every address: errors, limits, cursors, keys, tags, methods."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silian.web.api import cursors, limits, parsing
from silian.web.api.cursors import Order
from silian.web.api.models import Answered, Tally
from silian.web.api.reading import order_of
from silian.web.base.models import Place
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Need

DRAFT = {"values": {"title": "键", "kind": "technology"}}


def code(answer):
    assert answer["Content-Type"] == "application/problem+json", answer.content
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["request_id"] == answer["X-Request-Id"]
    return answer.status_code, told["code"]


# ── bodies ──


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"{", (400, "api.json")), (b"\xff", (400, "api.json")), (b'{"values": NaN}', (400, "api.json")),
        (b'{"values": {}, "values": {}}', (400, "api.json")), (b"[" * 100_000, (400, "api.json")),
        (b'{"values": {"title": ' + b"[" * 20 + b"]" * 20 + b"}}", (400, "api.json")),
        (b'{"values": {"title": "\\u0000"}}', (400, "api.text")),
        (b'{"values": {"title": "\\ud83d"}}', (400, "api.text")),
        (b'{"values": {"experts_wanted": 1' + b"0" * 5000 + b"}}", (400, "api.json")),
        (b"null", (422, "api.values")), (b"[]", (422, "api.values")), (b"", (415, "api.media")),
        (b'{"values": {"title": 5}}', (422, "api.values")), (b'{"values": {"experts_wanted": true}}', None),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_taken_is_refused_with_a_code(callers, body, wanted):
    headers = callers["broker"].headers
    answer = Client().post("/api/v1/needs", body, content_type="application/json", headers=headers)

    assert answer.status_code < 500
    if wanted:
        assert code(answer) == wanted


def test_a_body_of_another_kind_or_too_large_is_refused(callers):
    headers = callers["broker"].headers
    kind = "application/x-www-form-urlencoded"
    text = Client().post("/api/v1/needs", "title=x", content_type=kind, headers=headers)
    large = Client().post("/api/v1/needs", b" " * 1_100_000, content_type="application/json", headers=headers)

    assert code(text) == (415, "api.media")
    assert code(large) == (413, "api.too_large")


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
)


@given(st.lists(st.dictionaries(st.text("abc"), PLAIN | st.lists(PLAIN))))
def test_what_json_can_say_is_read(found):
    assert parsing.read(json.dumps(found).encode()) == found


# ── errors, methods, tags ──


def test_errors_speak_the_language_that_is_asked_for(registry):
    chinese = Client().get("/api/v1/needs/none")
    english = Client().get("/api/v1/needs/none", headers={"Accept-Language": "en-GB,en;q=0.9"})

    assert code(chinese) == code(english) == (404, "api.missing")
    assert "没有" in chinese.json()["detail"]
    assert "nothing" in english.json()["detail"]


@pytest.mark.parametrize(
    "address", ["nothing", "needs/N01/none", "needs/", "needs/N01/edit/", "needs/%00", "relations"]
)
def test_what_is_not_there_is_a_problem_and_no_page(registry, address):
    assert code(Client().get(f"/api/v1/{address}")) == (404, "api.missing")


def test_what_breaks_is_told_with_the_number_of_the_request(registry, monkeypatch):
    from silian.web.api import reading

    monkeypatch.setattr(reading, "found_by", lambda *_: 1 / 0)
    client = Client(raise_request_exception=False)

    assert code(client.get("/api/v1/needs")) == (500, "api.broken")


def test_methods_are_told_and_head_is_get_without_its_body(registry):
    client = Client()
    got, head = client.get("/api/v1/needs/N01"), client.head("/api/v1/needs/N01")
    options, wrong = client.options("/api/v1/needs/N01"), client.put("/api/v1/needs/N01")

    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == got["ETag"]
    assert options.status_code == 204
    assert options["Allow"] == wrong["Allow"] == "GET, HEAD, OPTIONS, PATCH"
    assert code(wrong) == (405, "api.method")


def test_what_has_not_changed_is_not_sent_again(callers):
    ask = callers["enterprise"]
    for address in ("needs", "needs/N01", "me", ""):
        got = ask.get(f"/api/v1/{address}")
        same = ask.get(f"/api/v1/{address}", If_None_Match=f'"x", W/{got["ETag"]}')
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", got["ETag"]), address
    before = ask.get("needs/N01")
    change(ask.actor, "needs", [Edit("N01", {"title": "新"})])
    assert ask.get("needs/N01", If_None_Match=before["ETag"]).status_code == 200
    assert callers["visitor"].get("needs/N01")["ETag"] != ask.get("needs/N01")["ETag"]


def test_a_packed_answer_is_the_same(registry):
    plain, packed = Client().get("/api/v1/needs"), Client().get("/api/v1/needs", headers={"Accept-Encoding": "gzip"})

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content


# ── limits ──


def test_more_than_the_limit_is_refused_until_the_next_minute(callers, monkeypatch):
    monkeypatch.setattr(limits, "OF_VISITOR", 3)
    monkeypatch.setattr(limits.time, "time", lambda: 6000.0)
    visitor = Client(REMOTE_ADDR="192.0.2.1")

    answers = [visitor.get("/api/v1/") for _ in range(5)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert [a["RateLimit"] for a in answers[:3]] == [f'"visitor";r={n};t=60' for n in (2, 1, 0)]
    assert answers[0]["RateLimit-Policy"] == '"visitor";q=3;w=60'
    assert code(answers[3]) == (429, "api.limit")
    assert answers[3]["Retry-After"] == "60"
    assert Client(REMOTE_ADDR="192.0.2.2").get("/api/v1/").status_code == 200
    assert callers["broker"].get("me")["RateLimit"] == '"token";r=599;t=60'
    monkeypatch.setattr(limits.time, "time", lambda: 6060.0)
    assert visitor.get("/api/v1/").status_code == 200
    assert not Tally.objects.filter(key__contains="192").exists()


def test_who_tries_tokens_is_counted_by_address(registry, monkeypatch):
    monkeypatch.setattr(limits, "OF_VISITOR", 2)
    client = Client(REMOTE_ADDR="192.0.2.3")

    answers = [client.get("/api/v1/", headers={"Authorization": f"Bearer silian_{n}"}) for n in range(4)]

    assert [a.status_code for a in answers] == [401, 401, 429, 429]


# ── idempotency ──


def test_a_post_under_one_key_is_done_once(callers, people):
    ask, org = callers["enterprise"], sorted(people["enterprise"].actor.orgs)[0]
    sent = {"values": DRAFT["values"] | {"org_id": org}}
    count = Need.objects.count()

    first, second = (ask.post("needs", sent, Idempotency_Key="k-1") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.content, second["Location"], second["ETag"]) == (first.content, first["Location"], first["ETag"])
    assert second["Idempotency-Replayed"] == "true"
    assert Need.objects.count() == count + 1
    other = ask.post("needs", {"values": sent["values"] | {"title": "别的"}}, Idempotency_Key="k-1")
    assert code(other) == (422, "api.replay")
    assert callers["broker"].post("needs", sent, Idempotency_Key="k-1").json()["id"] != first.json()["id"]
    assert code(ask.post("needs", sent, Idempotency_Key="非")) == (400, "api.key")


def test_what_went_wrong_may_be_sent_again_under_its_key(callers, people):
    ask, org = callers["enterprise"], sorted(people["enterprise"].actor.orgs)[0]

    wrong = ask.post("needs", {"values": {"title": "x", "org_id": "O-none"}}, Idempotency_Key="k-2")
    right = ask.post("needs", {"values": DRAFT["values"] | {"org_id": org}}, Idempotency_Key="k-2")

    assert (wrong.status_code, right.status_code) == (422, 201)
    assert Answered.objects.filter(key="k-2").count() == 1


# ── cursors ──


def walk(ask, query, limit):
    found, address = [], f"/api/v1/needs?limit={limit}{query}"
    while address:
        answer = ask.get(address)
        found.append([item["id"] for item in answer.json()["items"]])
        address = answer.json()["next"]
        assert (address is None) == (not answer.has_header("Link"))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 13), sort=st.sampled_from(
    ["id", "-id", "created_at", "-updated_at", "trl_wanted", "-trl_wanted", "deadline_on", "-deadline_on"]
))  # fmt: skip
def test_pages_hold_every_record_once_in_the_order_asked_for(callers, monkeypatch, limit, sort):
    monkeypatch.setattr(limits, "OF_TOKEN", 10**9)
    Need.objects.filter(pk__in=["N01", "N05"]).update(trl_wanted=None)
    Need.objects.filter(pk__in=["N03", "N04"]).update(tiers={"trl_wanted": "broker"})

    found = [pk for page in walk(callers["broker"], f"&sort={sort}", limit) for pk in page]

    assert sorted(found) == sorted(Need.objects.values_list("pk", flat=True))
    rows = {need.pk: need for need in Need.objects.all()}
    name, is_down = sort.removeprefix("-"), sort.startswith("-")
    if name == "id":
        assert found == sorted(found, reverse=is_down)
        return
    values = [None if rows[pk].tiers.get(name, "public") != "public" else getattr(rows[pk], name) for pk in found]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=is_down) + [None] * (len(values) - len(known))
    assert all(a < b for (a, va), (b, vb) in pairwise(zip(found, values, strict=True)) if va == vb)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 3))
def test_what_comes_and_goes_meanwhile_neither_hides_nor_repeats_the_rest(callers, monkeypatch, limit, comes, goes):
    monkeypatch.setattr(limits, "OF_TOKEN", 10**9)
    ask = callers["broker"]
    base = {"title": "来去", "kind": "technology", "place_id": Place.root().pk}
    Need.objects.filter(pk__regex="^[MZ]").delete()
    left = [f"Z{number}" for number in range(goes)]
    Need.objects.bulk_create(Need(pk=pk, **base) for pk in left)
    before = set(Need.objects.values_list("pk", flat=True))
    first = ask.get(f"needs?limit={limit}").json()
    Need.objects.filter(pk__in=left).delete()
    Need.objects.bulk_create(Need(pk=f"M{number}", **base) for number in range(comes))

    found, address = [i["id"] for i in first["items"]], first["next"]
    while address:
        answer = ask.get(address).json()
        found, address = found + [i["id"] for i in answer["items"]], answer["next"]

    assert len(found) == len(set(found))
    assert set(found) == before - set(left)


@pytest.mark.parametrize("cursor", ["x", "", "a:b", "é", "W10:x", "=" * 1999])
def test_a_broken_cursor_is_an_error(registry, cursor):
    from urllib.parse import quote

    answer = Client().get(f"/api/v1/needs?cursor={quote(cursor)}")

    assert (answer.status_code == 200) if cursor == "" else (code(answer) == (400, "api.cursor"))


def test_a_cursor_belongs_to_one_list(registry):
    own = Client().get("/api/v1/needs?limit=1").json()["next_cursor"]

    assert Client().get("/api/v1/needs", {"cursor": own, "limit": "5"}).status_code == 200
    for other in ("needs?sort=-id", "needs?state=published", "experts?sort=id"):
        path, _, query = other.partition("?")
        answer = Client().get(f"/api/v1/{path}?{query}&cursor={own}")
        assert code(answer) == (400, "api.cursor")


def test_an_order_does_not_tell_what_its_owner_closed(callers):
    """The closed value decides nothing, whatever it is."""
    change(callers["broker"].actor, "needs", [Edit("N01", {"tiers": {"trl_wanted": "broker"}})])
    visitor, found = callers["visitor"], []
    for level in (1, 9):
        Need.objects.filter(pk="N01").update(trl_wanted=level)
        found.append([i["id"] for i in visitor.get("needs?sort=trl_wanted").json()["items"]])

    assert found[0] == found[1]
    assert isinstance(order_of("needs", "trl_wanted"), Order)


def test_a_text_that_no_database_keeps_is_refused_in_addresses(registry):
    assert code(Client().get("/api/v1/needs?q=a%00b")) == (400, "api.text")
    assert code(Client().get("/api/v1/%00needs")) == (404, "api.missing")
    assert cursors.Part([], None).cursor is None


def test_the_request_that_cannot_be_read_is_told(registry):
    from django.http import UnreadablePostError

    from silian.web.api.site import api

    answer = api.on_exception(None, UnreadablePostError())
    assert answer.json()["code"] == "api.request" if hasattr(answer, "json") else b"api.request" in answer.content
