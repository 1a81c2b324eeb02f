"""Who may do what: one record and many agree, and the table of rights is as it is meant.

`rights.csv` is that table, to be read and corrected by people who know the trade. Whose a record is: own: kept by the
organisation for which the role acts; self: it tells of that person; colleague: of somebody of the same organisation;
other: of another organisation of the same county; elsewhere: of another organisation in another county.
"""

import csv
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import (
    HIDDEN,
    TIERS,
    Action,
    always_public,
    default_tiers,
    may,
    may_bring,
    shown,
    tiers_of,
    visible,
)  # fmt: skip
from silian.web.conftest import ROLES

pytestmark = pytest.mark.once

RIGHTS = list(csv.DictReader((Path(__file__).parent / "rights.csv").read_text(encoding="utf-8").splitlines()))


def county_of(people) -> Place:
    """The county that the officer looks after."""
    return Place.objects.get(path=people["officer"].actor.paths(["officer"])[0])


def record_for(people, role, noun, whose, state) -> Record:
    """A record, not in the database, that stands to a role as the table of rights says."""
    here = county_of(people)
    there = Place.objects.filter(level=Place.Level.COUNTY).exclude(pk=here.pk).order_by("pk")[0]
    actor = people[role].actor
    mine = next(iter(actor.orgs), "an organisation")
    owner = mine if whose in ("own", "self", "colleague") else "another organisation"
    record = MODELS[noun](owner_id=owner, place=there if whose == "elsewhere" else here, state=state)
    if noun in ("experts", "works"):
        record.expert_id = actor.expert_id if whose == "self" and actor.expert_id else "somebody else"
    return record


@pytest.mark.parametrize("row", RIGHTS, ids=lambda row: f"{row['noun']}-{row['whose']}-{row['action']}-{row['state']}")
def test_may_says_what_the_table_of_rights_says(people, row):
    for role, action, state in product(ROLES, row["action"].split(), row["state"].split()):
        record = record_for(people, role, row["noun"], row["whose"], state)

        assert may(people[role].actor, action, record) == (row[role] == "yes"), (role, action, state)


def test_table_of_rights_names_every_action_state_and_role_once():
    for noun, whose in {(row["noun"], row["whose"]) for row in RIGHTS}:
        rows = [row for row in RIGHTS if (row["noun"], row["whose"]) == (noun, whose)]
        told = [pair for row in rows for pair in product(row["action"].split(), row["state"].split())]

        assert sorted(told) == sorted(product(get_args(Action), Record.State.values)), (noun, whose)
    assert all(set(row) == {"noun", "whose", "state", "action", *ROLES} for row in RIGHTS)
    assert {row["noun"] for row in RIGHTS} >= {"needs", "organisations", "experts", "works", *HIDDEN}


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


def test_may_bring_refuses_what_would_stand_in_anothers_name_or_place(people):
    enterprise, officer = people["enterprise"].actor, people["officer"].actor
    mine = next(iter(enterprise.orgs))
    other = MODELS["organisations"].objects.exclude(pk=mine).order_by("pk")[0]
    here = county_of(people).pk
    there = MODELS["districts"].objects.exclude(pk=here).order_by("pk")[0].pk

    assert may_bring(enterprise, "needs", [{"org_id": mine}, {"org_id": other.pk}, {"org_id": None}]) == [
        True, False, False,
    ]  # fmt: skip
    assert may_bring(officer, "needs", [{"district_id": here}, {"district_id": there}, {"district_id": "ghost"}]) == [
        True, False, False,
    ]  # fmt: skip


def test_may_bring_lets_an_expert_keep_their_own_record_and_works_alone(people):
    researcher = people["researcher"].actor
    rows = [{"expert_id": researcher.expert_id, "org_id": None}, {"expert_id": "E-other", "org_id": None}]

    assert may_bring(researcher, "experts", rows) == [True, False]
    assert may_bring(researcher, "works", [{**row, "work_id": "W1"} for row in rows]) == [True, False]


def test_shown_opens_tier_by_tier(people):
    need = MODELS["needs"].objects.select_related("place").order_by("pk")[0]
    visitor, owner, broker = (people[role].actor for role in ("visitor", "enterprise", "broker"))
    need.tiers = {"text": "broker"}

    assert {"budget_cny", "text"} & shown(visitor, need) == set()
    assert {"budget_cny", "text"} & shown(visitor, need, is_mutual=True) == {"budget_cny"}
    assert {"budget_cny", "text"} <= shown(broker, need)
    need.owner_id = next(iter(owner.orgs))
    assert {"budget_cny", "text"} <= shown(owner, need)


def test_shown_hides_fees_of_experts_from_colleagues(people):
    researcher, manager = people["researcher"].actor, people["manager"].actor
    expert = MODELS["experts"].objects.select_related("place").get(pk=researcher.expert_id)

    assert "fee_cny" in shown(researcher, expert)
    expert.expert_id = "a colleague"
    assert "fee_cny" not in shown(researcher, expert)
    expert.owner_id = next(iter(manager.led))
    assert "fee_cny" in shown(manager, expert)


@pytest.mark.parametrize("noun", FACES)
@pytest.mark.parametrize("tier", ["mutual", "broker", "no such tier"])
def test_tiers_of_keeps_keys_headings_and_facets_public_whatever_the_owner_says(registry, noun, tier):
    record, face = MODELS[noun](), FACES[noun]
    record.tiers = dict.fromkeys((c.name for c in record.table.columns), tier)

    tiers = tiers_of(record)

    fixed = {*record.table.key, face.heading, *face.facets}
    assert fixed <= always_public(noun)
    assert {tiers[name] for name in always_public(noun) & set(tiers)} == {"public"}
    assert {t for name, t in tiers.items() if name not in always_public(noun)} <= {tier if tier in TIERS else "broker"}


def test_disclosure_names_columns_of_the_schema_and_closes_none_that_is_always_public():
    for noun, table in schema.tables().items():
        given = default_tiers(noun)

        assert set(given) <= {c.name for c in table.columns}, noun
        assert set(given.values()) <= set(TIERS), noun
        assert not {name for name, tier in given.items() if tier != "public"} & always_public(noun), noun


def test_tiers_of_lets_the_owner_open_a_column_that_its_noun_closes(registry):
    need = MODELS["needs"](tiers={"budget_cny": "public"})

    assert tiers_of(need)["budget_cny"] == "public"
