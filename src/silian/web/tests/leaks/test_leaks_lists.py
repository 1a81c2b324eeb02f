"""What a page tells without saying it: by its order, its filters, its counts, its answer to what may not be seen."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.urls import reverse

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import (
    MODELS,
    Need,
)  # fmt: skip
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import default_tiers, is_own, may
from silian.web.conftest import ROLES
from silian.web.tests.leaks.planted import body

pytestmark = pytest.mark.once

OF_RECORD = ("detail", "edit", "history", "attachments", "merge_partners")


@pytest.mark.parametrize("role", ROLES)
def test_what_may_not_be_seen_answers_as_what_is_not_there(people, planted, role):
    person = people[role]
    if may(person.actor, "see", planted.draft):
        return

    for view in OF_RECORD:
        hidden = person.client.get(reverse(view, args=["needs", planted.draft.pk]))
        missing = person.client.get(reverse(view, args=["needs", "N-absent"]))

        assert hidden.status_code == missing.status_code, view
        assert plain(hidden, planted.draft.pk) == plain(missing, "N-absent"), view


def plain(answer: Any, pk: str) -> str:
    """A page without what differs from request to request."""
    page = f"{answer.get('Location', '')}\n{body(answer)}".replace(pk, "PK").replace(quote(pk), "PK")
    page = page.replace(answer.get("X-Request-Id", "-"), "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": ?"\w+"', "", page)


def found(page: str) -> list[str]:
    """The records that a list shows, in its order."""
    return re.findall(r'<a href="(/needs/[^"?/]+/)', page)


CLOSED_OF_NEEDS = sorted(name for name, tier in default_tiers("needs").items() if tier != "public")


@pytest.mark.parametrize("role", ["visitor", "researcher", "judge", "auditor"])
@pytest.mark.parametrize("column", [*CLOSED_OF_NEEDS, "text"])
def test_list_neither_filters_nor_sorts_by_what_is_not_public(people, planted, column, role):
    client, address = people[role].client, reverse("list", args=["needs"])
    value = {"budget_cny": "98765433", "not_wanted": "暗标改为庚", "text": "暗标正文丁"}[column]
    own, there = reverse("detail", args=["needs", planted.closed.pk]), Need.objects.filter(pk=planted.closed.pk)

    hit = client.get(address, {column: value})
    miss = client.get(address, {column: "12345"})
    for name in (f"{column}__gte", f"{column}__contains", f"{column}_min", f"min_{column}", f"{column}-from"):
        assert found(body(client.get(address, {name: value}))) == found(body(client.get(address, {name: "9" * 12})))
    for name in ("sort", "order", "ordering", "o", "by"):
        rows = found(body(client.get(address, {name: column})))
        there.update(budget_cny=1, text="啊", not_wanted=["啊"])
        changed = found(body(client.get(address, {name: column})))
        there.update(budget_cny=98765433, text="暗标正文丁", not_wanted=["暗标改为庚"])
        assert rows == changed, name

    assert found(body(hit)) == found(body(miss))
    assert own not in found(body(client.get(address, {"q": value})))


@pytest.mark.parametrize("role", ["visitor", "researcher", "judge", "auditor"])
def test_hidden_records_change_no_count_of_any_list(people, role):
    client, broker = people[role].client, people["broker"].actor
    # the first page of an auditor counts the log, which grows with every change
    first = [] if role == "auditor" else [reverse("home")]
    addresses = [*first, *(reverse("list", args=[noun]) for noun in FACES)]
    before = [plain(client.get(address), "-") for address in addresses]

    for noun, face in FACES.items():
        those = MODELS[noun].objects.filter(state="published").select_related("place").order_by("pk")
        record = next(r for r in those if not is_own(people[role].actor, r))
        values = {c.name: getattr(record, c.name) for c in record.table.columns if c.name not in record.table.key}
        new = {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in values.items()}
        key = dict.fromkeys(record.table.key, "K-hidden") | {
            name: getattr(record, name) for name in record.table.key if name == "expert_id" and noun == "works"
        }
        pk = "~".join(key.values())
        change(broker, noun, [Edit(pk, new | key | {face.heading: "机密午", "state": "draft"})])

    assert [plain(client.get(address), "-") for address in addresses] == before


def test_lists_show_no_column_that_its_owner_closed(people, planted):
    Need.objects.filter(pk=planted.closed.pk).update(
        trl_wanted=7, tiers={"trl_wanted": "broker", "deadline_on": "broker"}
    )
    Need.objects.exclude(pk=planted.closed.pk).update(trl_wanted=1)
    address = reverse("list", args=["needs"])

    row = re.search(r"公开题目丙.*?</tr>", body(people["visitor"].client.get(address)), re.DOTALL)

    assert row is not None
    assert ">7<" not in row.group()
