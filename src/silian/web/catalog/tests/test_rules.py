"""Who may do what: one record and many agree, and the table of rights is as it is meant."""

from typing import get_args

import pytest

from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.rules import HIDDEN, Action, may, shown, visible
from silian.web.conftest import ROLES


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("noun", MODELS)
def test_visible_gives_the_records_that_may_lets_see(people, noun, role):
    actor, model = people[role].actor, MODELS[noun]
    records = list(model.objects.select_related("place").order_by("pk")[:200])
    for record, state in zip(records, Record.State.values * 100, strict=False):
        model.objects.filter(pk=record.pk).update(state=state)
        record.state = state

    seen = set(visible(actor, model.objects.filter(pk__in=[r.pk for r in records])).values_list("pk", flat=True))

    assert seen == {r.pk for r in records if may(actor, "see", r)}


@pytest.mark.parametrize("noun", HIDDEN)
def test_hidden_nouns_are_for_stewards_alone(people, noun):
    need = MODELS["needs"].objects.select_related("place").order_by("pk")[0]
    record = MODELS[noun](place=need.place, owner_id=next(iter(people["enterprise"].actor.orgs)))

    allowed = {role for role in ROLES if may(people[role].actor, "see", record)}

    assert allowed <= {"broker", "officer", "administrator"}


@pytest.mark.parametrize("action", get_args(Action))
def test_a_visitor_may_only_see_and_export_what_is_published(people, action):
    need = MODELS["needs"].objects.select_related("place").filter(state="published").first()

    assert may(people["visitor"].actor, action, need) == (action in ("see", "export"))


def test_shown_opens_tier_by_tier(people):
    need = MODELS["needs"].objects.select_related("place").order_by("pk")[0]
    visitor, owner, broker = (people[role].actor for role in ("visitor", "enterprise", "broker"))

    assert "budget_cny" not in shown(visitor, need)
    assert "budget_cny" in shown(visitor, need, is_mutual=True)
    assert "budget_cny" in shown(broker, need)
    need.owner_id = next(iter(owner.orgs))
    assert "budget_cny" in shown(owner, need)
