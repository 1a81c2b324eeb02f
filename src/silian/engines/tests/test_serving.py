"""Facts of how well each need is served."""

import random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.engines import allocate
from silian.engines.tests.small_tables import capacity_of, demand_of, pairs_of
from silian.errors import TableError

PAIRS = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.4), ("n2", "e1", 0.8), ("n2", "e3", 0.2), ("n3", "e2", 0.7)])
DEMAND = demand_of(n1=2, n2=1, n3=1, n4=1, n5=0)
CAPACITY = capacity_of(e1=1, e2=2, e3=0)


def drawn(seed):
    """Pairs, demand and capacity drawn at random."""
    dice = random.Random(seed)
    needs, experts = [f"n{i}" for i in range(5)], [f"e{i}" for i in range(4)]
    pairs = [(n, e, round(dice.uniform(-0.1, 1), 3)) for n in needs for e in experts if dice.random() < 0.6]
    demand = demand_of(**{n: dice.randint(0, 3) for n in needs})
    return pairs_of(pairs), demand, capacity_of(**{e: dice.randint(0, 2) for e in experts})


def test_served_compares_what_a_need_got_with_what_it_would_get_alone():
    assigned = pairs_of([("n2", "e1", 0.8), ("n1", "e2", 0.4)])

    table = allocate.served(assigned, PAIRS, DEMAND, CAPACITY)

    # e3 has no place; nobody matched n4; n5 wants nobody
    assert table.rows() == [
        ("n1", 2, 1, 0.4, pytest.approx(1.3), pytest.approx(0.4 / 1.3)),
        ("n2", 1, 1, 0.8, 0.8, 1.0),
        ("n3", 1, 0, 0.0, 0.7, 0.0),
        ("n4", 1, 0, 0.0, 0.0, None),
    ]


def test_served_does_not_count_barred_pairs_as_reachable():
    conflicts = pl.DataFrame({"need_id": ["n1"], "expert_id": ["e1"], "kind": ["family"]})
    vetoes = pl.DataFrame({"need_id": ["n3"], "expert_id": ["e2"]})

    table = allocate.served(PAIRS.head(0), PAIRS, DEMAND, CAPACITY, barred=[conflicts, vetoes])

    assert table["reachable"].to_list() == [0.4, 0.8, 0.0, 0.0]


def test_served_cuts_the_share_at_one_where_a_pin_lies_outside_of_what_matched():
    pinned = pairs_of([("n3", "e3", 0.9)])

    assert allocate.served(pinned, PAIRS, DEMAND, CAPACITY).filter(need_id="n3")["reached_share"].item() == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_served_reaches_what_the_need_gets_when_it_asks_alone(seed):
    pairs, demand, capacity = drawn(seed)
    given = allocate.assign(pairs, demand, capacity).assigned

    table = allocate.served(given, pairs, demand, capacity)

    for row in table.to_dicts():
        alone = demand.with_columns(wanted=pl.when(need_id=row["need_id"]).then("wanted").otherwise(0))
        assert row["reachable"] == pytest.approx(allocate.assign(pairs, alone, capacity).proof["total"].item())
        assert row["score"] <= row["reachable"] + 1e-12
    assert table["score"].sum() == pytest.approx(given["score"].sum())


@pytest.mark.parametrize("seed", range(5))
def test_served_does_not_depend_on_the_order_of_rows(seed):
    pairs, demand, capacity = drawn(seed)
    given = allocate.assign(pairs, demand, capacity).assigned

    turned = allocate.served(given.reverse(), pairs.reverse(), demand.reverse(), capacity.reverse())

    assert_frame_equal(turned, allocate.served(given, pairs, demand, capacity))


def test_served_names_the_unknown_need():
    ghost = pairs_of([("ghost", "e1", 0.8)])

    with pytest.raises(TableError, match=r"table\.unknown.*assigned\.need_id.*ghost"):
        allocate.served(ghost, PAIRS, DEMAND, CAPACITY)
