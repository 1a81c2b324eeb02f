"""Who may do what with people: the table role × action × object."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silian.web.base.actors import Actor
from silian.web.base.models import Post
from silian.web.base.rules import Standing, grantable, may_govern, may_grant, may_lead, may_plant, may_shut

HERE, ABOVE, BELOW, ASIDE = "/52/5226/", "/52/", "/52/5226/D01/", "/52/5227/"
ALL = ("broker", "officer", "leader", "judge", "auditor", "administrator")


def holder(role: str, path: str = HERE) -> Actor:
    return Actor(user_id=1, posts=frozenset({(role, path)}))


LEADER = Actor(user_id=1, orgs=frozenset({"O1"}), led=frozenset({"O1"}))
MEMBER = Actor(user_id=1, orgs=frozenset({"O1"}))
VISITOR = Actor()


@pytest.mark.parametrize(
    ("actor", "path", "roles"),
    [
        (holder("administrator"), HERE, ALL),
        (holder("administrator"), BELOW, ALL),
        (holder("administrator"), ABOVE, ()),
        (holder("administrator"), ASIDE, ()),
        (holder("officer"), HERE, ("broker", "officer", "leader", "judge")),
        (holder("officer"), BELOW, ("broker", "officer", "leader", "judge")),
        (holder("officer"), ABOVE, ()),
        (holder("broker"), HERE, ()),
        (holder("judge"), HERE, ()),
        (holder("auditor"), HERE, ()),
        (LEADER, HERE, ()),
        (MEMBER, HERE, ()),
        (VISITOR, HERE, ()),
    ],
)
def test_grantable_is_what_the_table_says(actor, path, roles):
    assert grantable(actor, path) == roles


@pytest.mark.parametrize(
    ("actor", "org", "path", "allowed"),
    [
        (LEADER, "O1", ASIDE, True),
        (LEADER, "O2", HERE, False),
        (MEMBER, "O1", HERE, False),
        (holder("officer"), "O1", BELOW, True),
        (holder("officer"), "O1", ASIDE, False),
        (holder("administrator"), "O1", HERE, True),
        (holder("broker"), "O1", HERE, False),
        (holder("auditor"), "O1", HERE, False),
        (VISITOR, "O1", HERE, False),
    ],
)
def test_members_are_managed_by_their_administrator_and_by_who_looks_after_the_place(actor, org, path, allowed):
    assert may_lead(actor, org, path) is allowed


@pytest.mark.parametrize(
    ("actor", "standing", "allowed"),
    [
        (holder("officer"), Standing(2, posts=frozenset({("broker", BELOW)})), True),
        (holder("officer"), Standing(2, posts=frozenset({("broker", ABOVE)})), False),
        (holder("officer"), Standing(2, posts=frozenset({("administrator", HERE)})), False),
        (holder("officer"), Standing(2, posts=frozenset({("auditor", HERE)})), False),
        (holder("officer"), Standing(2, posts=frozenset({("broker", BELOW), ("judge", ASIDE)})), False),
        (holder("officer"), Standing(2, orgs=frozenset({("O1", BELOW)})), True),
        (holder("officer"), Standing(2, orgs=frozenset({("O1", BELOW), ("O2", ASIDE)})), False),
        (holder("officer"), Standing(2), False),
        (holder("administrator"), Standing(2), True),
        (holder("administrator"), Standing(1), False),
        (LEADER, Standing(2, orgs=frozenset({("O1", HERE)})), False),
    ],
)
def test_an_account_is_shut_only_by_who_could_take_everything_from_it(actor, standing, allowed):
    assert may_shut(actor, standing) is allowed


@pytest.mark.parametrize(
    ("actor", "level", "path", "allowed"),
    [
        (holder("administrator"), "county", BELOW, True),
        (holder("administrator"), "city", HERE, True),
        (holder("administrator"), "province", HERE, False),
        (holder("administrator"), "park", BELOW, False),
        (holder("administrator"), "county", ASIDE, False),
        (holder("officer"), "county", BELOW, False),
    ],
)
def test_parks_are_added_by_administrators_below_cities_and_counties(actor, level, path, allowed):
    assert may_plant(actor, level, path) is allowed


@given(st.sampled_from(Post.Role.values), st.sampled_from([HERE, ABOVE, BELOW, ASIDE]), st.sampled_from(ALL))
def test_nobody_gives_what_lies_above_the_own_place(own, path, role):
    if may_grant(holder(own), role, path):
        assert path.startswith(HERE)
        assert may_govern(holder(own), path)
