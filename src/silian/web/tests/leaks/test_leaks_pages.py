"""Nothing leaks: every address of the site is asked as every role, in a registry full of what could leak.

Who may see a secret follows from the rules, which `rights.csv` and `test_rules.py` hold to what is meant. An address
that is not judged fails the test: add it to READ, WRITTEN or SILENT.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from django.urls import get_resolver, reverse

from silian.web.base.models import Membership, Post, User
from silian.web.catalog.models import (
    Attachment,
    Booking,
    Change,
    Claim,
    DuplicatePair,
    DuplicateReport,
    Import,
    ImportRow,
    Interest,
)  # fmt: skip
from silian.web.conftest import ROLES
from silian.web.tests.leaks.addresses import HISTORIES, OF_ALLAUTH, OF_API, READ, SILENT, WRITTEN
from silian.web.tests.leaks.planted import body, number, told

pytestmark = [pytest.mark.once, pytest.mark.long]


def names() -> set[str]:
    def walk(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns)
            elif pattern.name:
                yield pattern.name

    return set(walk(get_resolver().url_patterns))


def test_every_address_is_judged():
    judged = {*READ, *WRITTEN, *SILENT}
    wanted = {name for name in names() if not name.startswith((*OF_ALLAUTH, OF_API)) or name in judged}

    assert wanted - judged == set(), "add new addresses to READ, WRITTEN or SILENT"
    assert judged - wanted == set(), "take old addresses out"


@pytest.mark.parametrize("role", ROLES)
def test_no_page_tells_a_secret_to_whom_it_is_one(people, planted, role):
    client, actor, leaks = people[role].client, people[role].actor, []
    hidden = [secret for secret in planted.secrets if not secret.seen_by(actor)]
    from_histories = [secret for secret in hidden if not secret.history_by(actor)]
    for view, addresses in READ.items():
        for address in addresses(planted):
            answer = client.get(address)
            page = body(answer) if answer.status_code == 200 else ""
            assert answer.status_code in (200, 302, 400, 403, 404, 405), address
            for secret in from_histories if view in HISTORIES else hidden:
                leaks += [(address, text) for text in told(page, secret) if text not in unquote(address)]
                leaks += [(address, "a link")] if secret.address and f'"{secret.address}"' in page else []

    assert leaks == []


def test_secrets_stand_where_they_may_be_seen(people, planted):
    owner, broker = people["enterprise"].client, people["broker"].client
    draft = body(owner.get(reverse("detail", args=["needs", planted.draft.pk])))
    closed = body(broker.get(reverse("detail", args=["needs", planted.closed.pk])))
    history = body(broker.get(reverse("history", args=["needs", planted.closed.pk])))

    assert "机密草稿甲" in draft
    assert "暗标正文丁" in closed
    assert any(text in closed for text in number(98765433)), re.findall(".{9}98.765.{9}", closed)
    assert any(text in history for text in number(98765431))
    assert "机密导入丑" in body(broker.get(reverse("imports")))
    assert "机密人物辰" in body(people["administrator"].client.get(reverse("members", args=[planted.draft.owner_id])))


@pytest.mark.parametrize("role", ROLES)
def test_no_write_changes_or_tells_anything_to_whom_it_is_not_allowed(people, planted, role):
    person, wrong, before = people[role], [], state()
    for write in (write for writes in WRITTEN.values() for write in writes):
        if write.done_by(planted, person.actor):
            continue
        address = write.address(planted)
        answer = person.client.post(address, write.given)
        assert answer.status_code in (200, 302, 403, 404, 405, 409, 422), address
        hidden = [secret for secret in planted.secrets if not secret.seen_by(person.actor)]
        page = body(answer)
        wrong += [(address, text) for secret in hidden for text in told(page, secret)]
        wrong += [(address, "changed")] if state() != before else []

    assert wrong == []


def state() -> list[Any]:
    """What a write could have changed."""
    return [
        Change.objects.count(), list(Interest.objects.order_by("pk").values_list("pk", "state")),
        list(Attachment.objects.order_by("pk").values_list("pk", "gone_at")),
        list(DuplicatePair.objects.order_by("pk").values_list("pk", "decision")), DuplicateReport.objects.count(),
        list(Claim.objects.values_list("state")),
        list(Booking.objects.values_list("state", "note")), list(ImportRow.objects.values_list("pk", "state")),
        list(Import.objects.order_by("pk").values_list("pk", "state")),
        list(Membership.objects.order_by("pk").values_list("pk", "role")), Post.objects.count(),
        list(User.objects.order_by("pk").values_list("pk", "is_active")),
    ]  # fmt: skip
