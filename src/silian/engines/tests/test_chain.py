"""Facts of the industrial chain: what is a break, what is a blank, how pressing it is, who could fill it."""

from __future__ import annotations

from math import log2, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.chain import GapWeights, NearWeights, fillers, gaps
from silian.engines.tests.small_chains import (
    IDS,
    INPUTS,
    NO_NEEDS,
    NO_PAIRS,
    kinds,
    links_of,
    makes_of,
    missing,
    needs_of,
    products_of,
    regions,
)
from silian.errors import ArgumentError, TableError
from silian.tables import synth
from silian.tables.schema import codes, results

# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


def test_gaps_is_a_break_where_both_sides_are_here():
    links = links_of("ore>steel", "steel>gear", "gear>robot")

    found = gaps(makes_of(o1="ore", o2="gear"), links, NO_NEEDS, products=products_of("ore", "steel", "gear", "robot"))

    assert kinds(found) == {"steel": "break"}  # robot has nothing below it, ore is here


def test_gaps_is_a_blank_where_nothing_of_the_segment_is_here():
    products = products_of("lone", gear="machines/parts", shaft="machines/parts", robot="machines/whole")

    found = gaps(makes_of(o1="robot"), links_of(), NO_NEEDS, products=products)

    assert kinds(found) == {"gear": "blank", "shaft": "blank"}  # lone has no segment


def test_gaps_calls_a_break_what_is_both():
    products = products_of("ore", "gear", steel="metal/raw")

    found = gaps(makes_of(o1="ore gear"), links_of("ore>steel", "steel>gear"), NO_NEEDS, products=products)

    assert kinds(found) == {"steel": "break"}


def test_gaps_takes_a_product_as_here_if_a_kind_of_it_is():
    links = links_of("ore>steel", "steel>gear", ("alloy>steel", "kind_of"), ("tool>alloy", "kind_of"))
    products = products_of("ore", "steel", "gear", "alloy", "tool")

    found = gaps(makes_of(o1="ore gear", o2="tool"), links, NO_NEEDS, products=products)

    assert missing(found) == {}
    without = gaps(makes_of(o1="ore gear"), links, NO_NEEDS, products=products)
    assert missing(without) == {"steel": "break"}


def test_gaps_does_not_take_a_kind_as_here_because_the_whole_is():
    links = links_of("ore>alloy", "alloy>gear", ("alloy>steel", "kind_of"))

    found = gaps(makes_of(o1="ore gear steel"), links, NO_NEEDS, products=products_of("ore", "steel", "gear", "alloy"))

    assert kinds(found) == {"alloy": "break"}


def test_gaps_does_not_count_kinds_as_inputs():
    links = links_of(("a>b", "kind_of"), ("b>c", "kind_of"))

    assert gaps(makes_of(o1="a"), links, NO_NEEDS, products=products_of("a", "b", "c")).gaps.is_empty()


def test_gaps_survives_loops_cycles_and_reciprocal_links():
    products = products_of("a", "b", "c")
    loop, pair = links_of("b>b", "a>b"), links_of("a>b", "b>a")
    ring, kind_ring = links_of("a>b", "b>c", "c>a"), links_of(("b>c", "kind_of"), ("c>b", "kind_of"))

    assert kinds(gaps(makes_of(o1="a"), loop, NO_NEEDS, products=products)) == {}
    # a alone is above and below b: that is one neighbour, not two sides
    assert kinds(gaps(makes_of(o1="a"), pair, NO_NEEDS, products=products)) == {}
    assert kinds(gaps(makes_of(o1="a c"), ring, NO_NEEDS, products=products)) == {"b": "break"}
    assert gaps(makes_of(o1="c"), kind_ring, NO_NEEDS, products=products).gaps.is_empty()


def test_gaps_score_is_the_sum_of_its_parts():
    links = links_of(("ore>steel", "material", 0.6), ("coal>steel", "material", 0.2), "steel>gear", "steel>rail")
    makes = makes_of(o1="ore gear", o2="gear", o3="gear")
    needs = needs_of(n1="steel", n2="steel", n3="steel", n4="gear", n5=None)

    found = gaps(makes, links, needs, products=products_of("ore", "coal", "steel", "gear", "rail"))

    row = found.gaps.row(0, named=True)
    assert (row["upstream_here"], row["upstream_all"], row["downstream_here"], row["downstream_all"]) == (1, 2, 1, 2)
    assert (row["buyers"], row["needs"]) == (3, 3)
    parts = dict(found.parts.filter(product_id="steel").select("part", "value").rows())
    assert parts == pytest.approx(
        {
            "upstream": 0.2 * 0.75,
            "downstream": 0.2 * 0.5,
            "buyers": 0.2 * 0.5,
            "needs": 0.2 * 0.75,
            "flow": 0.2 * 1.25 / 2.25,  # half of 2.5 organisations' worth of gear
        }
    )
    assert row["flow"] == pytest.approx(1.25)
    assert row["score"] == pytest.approx(sum(parts.values()))


def test_gaps_takes_an_unknown_weight_for_the_mean_of_the_known():
    links = links_of(("a>x", "material", 0.4), ("b>x", "material", 0.2), "c>x", "x>d")

    found = gaps(makes_of(o1="a c d"), links, NO_NEEDS, products=products_of("a", "b", "c", "d", "x"))

    share = found.parts.filter(product_id="x", part="upstream")["value"][0] / 0.2
    assert share == pytest.approx((0.4 + 0.3) / (0.4 + 0.2 + 0.3))


def test_gaps_counts_weights_of_0_as_equal():
    links = links_of(("a>x", "material", 0.0), ("b>x", "material", 0.0), "x>d")

    found = gaps(makes_of(o1="a d"), links, NO_NEEDS, products=products_of("a", "b", "d", "x"))

    assert found.parts.filter(product_id="x", part="upstream")["value"][0] == pytest.approx(0.2 / 2)


def test_gaps_counts_parallel_links_once():
    links = links_of(("a>x", "material", 0.1), ("a>x", "component", 0.3), "x>d")

    found = gaps(makes_of(o1="a d"), links, NO_NEEDS, products=products_of("a", "d", "x"))

    assert found.evidence.filter(side="upstream").rows() == [("x", "upstream", "a", 0.3, 1)]
    assert found.gaps["upstream_all"][0] == 1


def test_gaps_evidence_lists_neighbours_here_and_needs():
    links = links_of(("ore>steel", "material", 0.5), "coal>steel", "steel>gear", ("cog>gear", "kind_of"))

    found = gaps(
        makes_of(o1="ore", o2="cog", o3="gear cog"),
        links,
        needs_of(n1="steel"),
        products=products_of("ore", "coal", "steel", "gear", "cog"),
    )

    steel = found.evidence.filter(product_id="steel")
    assert steel.rows() == [
        ("steel", "buyer", "o2", None, None),
        ("steel", "buyer", "o3", None, None),
        ("steel", "downstream", "gear", None, 2),
        ("steel", "need", "n1", None, None),
        ("steel", "upstream", "ore", 0.5, 1),
    ]
    assert found.gaps.filter(product_id="steel")["buyers"].to_list() == [2]


def test_gaps_are_ranked_by_score_then_breaks_then_id():
    links = links_of("a>y", "y>b", "a>x", "x>b")

    found = gaps(makes_of(o1="a b"), links, NO_NEEDS, products=products_of("a", "b", "y", "x", z="c/s", w="c/s"))

    assert found.gaps.select("product_id", "kind", "rank").rows() == [
        ("x", "break", 1),
        ("y", "break", 2),
        ("w", "blank", 3),
        ("z", "blank", 4),
    ]
    assert found.gaps["score"].to_list()[2:] == [0.0, 0.0]


def test_gaps_weights_can_be_chosen():
    links = links_of("a>x", "x>b", "c>x")
    products = products_of("a", "b", "c", "x")

    found = gaps(makes_of(o1="a b"), links, NO_NEEDS, products=products, weights=GapWeights(1.0, 0.0, 0.0, 0.0, 0.0))

    assert found.gaps.select("product_id", "score").rows() == [("x", 0.5)]


def test_gaps_of_empty_tables_is_an_answer():
    found = gaps(makes_of(), links_of(), NO_NEEDS, products=products_of())

    assert found.gaps.schema == results()["gaps"].polars
    assert found.evidence.schema == results()["gap_evidence"].polars
    assert (found.gaps.height, found.evidence.height, found.parts.height) == (0, 0, 0)
    nothing_here = gaps(makes_of(), links_of("a>b"), NO_NEEDS, products=products_of(a="c/s", b="c/t"))
    assert kinds(nothing_here) == {"a": "blank", "b": "blank"}


# ── against slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


def slow_makers(makes, rows, products):
    """product → organisations that make it or a kind of it."""
    makers = {p: {o for o, q in makes.rows() if q == p} for p in products["product_id"]}
    for _ in IDS:
        for up, down, kind, _w in rows:
            if kind == "kind_of":
                makers[down] = makers[down] | makers[up]
    return makers


def filled(others):
    """Weights with the unknown ones as the mean of the known, all 1 where all are 0."""
    known = [w for w in others.values() if w is not None]
    guess = sum(known) / len(known) if known else 1.0
    weights = {o: guess if w is None else w for o, w in others.items()}
    return weights if sum(weights.values()) else dict.fromkeys(weights, 1.0)


def slow_share(others, makers):
    """Share by weight of the neighbours that are here. others: neighbour → weight."""
    weights = filled(others)
    return sum(w for o, w in weights.items() if makers[o]) / sum(weights.values()) if weights else 0.0


def slow_flow(makes, near, links):
    """product → what arrives at it from every organisation's worth, by the dense inverse."""
    inputs = {p: dict(sides[0]) for p, sides in near.items()}
    general = {p: {d for u, d, k, _ in links.rows() if k == "kind_of" and u == p != d} for p in IDS}
    sources = {p: {p} for p in IDS if inputs[p]}
    while True:
        new = {p: set().union(*(sources.get(g, set()) for g in general[p])) for p in IDS if p not in sources}
        new = {p: found for p, found in new.items() if found}
        if not new:
            break
        sources |= new
    step = np.zeros((len(IDS), len(IDS)))
    for p, several in sources.items():
        for source in several:
            weights = filled(inputs[source])
            for i, w in weights.items():
                step[IDS.index(i), IDS.index(p)] += 0.5 * w / sum(weights.values()) / len(several)
    worth = np.zeros(len(IDS))
    for org, product in makes.rows():
        worth[IDS.index(product)] += 1 / sum(o == org for o, _ in makes.rows())
    return dict(zip(IDS, np.linalg.inv(np.eye(len(IDS)) - step) @ worth - worth, strict=True))


def slow_gaps(makes, links, needs, products, elsewhere):
    """product → everything of its row but the place, by plain loops."""
    rows = [r for r in links.rows() if r[0] != r[1]]
    makers, far = slow_makers(makes, rows, products), slow_makers(elsewhere, rows, products)
    near = {p: ({}, {}) for p in makers}
    for up, down, kind, weight in rows:
        if kind in INPUTS:
            for product, side, other in ((down, 0, up), (up, 1, down)):
                known = near[product][side].get(other)
                near[product][side][other] = max((w for w in (known, weight) if w is not None), default=None)
    place = {p: (c, s) for p, c, s in products.rows()}
    taken = {place[p] for p, orgs in makers.items() if orgs}
    flow = slow_flow(makes, near, links)
    found = {}
    for p, orgs in makers.items():
        above, below = ({o for o in side if makers[o]} for side in near[p])
        buyers = len(set().union(*(makers[o] for o in near[p][1])) - orgs)
        asked = sum(q == p for q in needs["product_id"])
        if not orgs and above and below and len(above | below) > 1:
            kind = "break"
        elif not orgs and None not in place[p] and place[p] not in taken:
            kind = "blank"
        elif not orgs and far[p] and (buyers or asked):
            kind = "outflow"
        elif len(orgs) == 1 and buyers:
            kind = "single"
        else:
            continue
        parts = [*(slow_share(side, makers) for side in near[p]), buyers / (buyers + 3), asked / (asked + 1)]
        score = (0.5 if orgs else 1.0) * (sum(parts) + flow[p] / (flow[p] + 1)) / 5
        counts = (len(above), len(near[p][0]), len(below), len(near[p][1]))
        out = 1.0 if far[p] and not orgs else None
        made = (len(orgs), len(far[p]), out, pytest.approx(flow[p], abs=1e-12))
        found[p] = (kind, pytest.approx(score), *counts, buyers, asked, *made)
    return found


@settings(max_examples=120, deadline=None)
@given(regions(), st.lists(st.tuples(st.sampled_from(["x1", "x2"]), st.sampled_from(IDS)), unique=True, max_size=4))
def test_gaps_equals_plain_loops(region, outside):
    makes, links, needs, products = region
    elsewhere = pl.DataFrame(outside, schema=makes.schema, orient="row")

    found = gaps(makes, links, needs, products=products, elsewhere=elsewhere)

    columns = ["upstream_here", "upstream_all", "downstream_here", "downstream_all", "buyers", "needs"]
    columns += ["makers", "elsewhere", "outflow_share", "flow"]
    rows = {r[0]: r[1:] for r in found.gaps.select("product_id", "kind", "score", *columns).rows()}
    assert rows == slow_gaps(makes, links, needs, products, elsewhere)
    assert found.gaps["rank"].to_list() == list(range(1, found.gaps.height + 1))
    summed = found.parts.group_by("product_id").agg(pl.col("value").sum())
    joined = found.gaps.join(summed, on="product_id")
    assert joined.height == found.gaps.height
    assert ((joined["score"] - joined["value"]).abs() < 1e-12).all()


@settings(max_examples=30, deadline=None)
@given(regions(), st.randoms(use_true_random=False))
def test_gaps_and_fillers_do_not_depend_on_the_order_of_rows(region, random):
    makes, links, needs, products = region
    mixed = [t[random.sample(range(t.height), t.height)] for t in region]

    first, second = gaps(makes, links, needs, products=products), gaps(*mixed[:3], products=mixed[3])

    for name in ("gaps", "evidence", "parts"):
        assert_frame_equal(getattr(first, name), getattr(second, name))
    rest = {"achievement_pairs": NO_PAIRS, "expert_pairs": NO_PAIRS}
    one = fillers(first.gaps, makes, links, needs=needs, products=products, **rest)
    two = fillers(first.gaps, mixed[0], mixed[1], needs=mixed[2], products=mixed[3], **rest)
    assert_frame_equal(one, two)


def slow_nearness(a, b, links, products, weights):
    """Nearness of two products by plain loops."""
    rows = [r for r in links.rows() if r[0] != r[1]]
    features = {p: set() for p in IDS}
    for up, down, kind, _ in rows:
        if kind in INPUTS:
            features[down].add(("up", up))
            features[up].add(("down", down))
        elif kind == "kind_of":
            features[up].add(("kind", down))
    worth = {f: 1 / log2(1 + sum(f in fs for fs in features.values())) for fs in features.values() for f in fs}
    length = {p: sqrt(sum(worth[f] for f in fs)) for p, fs in features.items()}
    common = sum(worth[f] for f in features[a] & features[b])
    cosine = common / (length[a] * length[b]) if common else 0.0
    linked = any({up, down} == {a, b} for up, down, kind, _ in rows if kind in (*INPUTS, "kind_of"))
    place = {p: (c, s) for p, c, s in products.rows()}
    together = place[a] == place[b] and None not in place[a]
    return weights.shared * cosine + weights.linked * linked + weights.segment * together


@settings(max_examples=60, deadline=None)
@given(regions())
def test_fillers_nearness_equals_plain_loops(region):
    makes, links, needs, products = region
    wanted = pl.DataFrame({"product_id": IDS[:3]})

    found = fillers(
        wanted,
        makes,
        links,
        needs=needs,
        products=products,
        achievement_pairs=NO_PAIRS,
        expert_pairs=NO_PAIRS,
        top_k=99,
    )

    expected = {}
    makers = slow_makers(makes, links.rows(), products)
    for gap in IDS[:3]:
        for org, made in makes.rows():
            if org in makers[gap]:
                continue
            near = slow_nearness(gap, made, links, products, NearWeights()) if made != gap else 0.0
            if near > 0:
                expected[gap, org] = max(near, expected.get((gap, org), 0.0))
    rows = {(g, o): s for g, o, s in found.select("product_id", "filler_id", "score").rows()}
    assert rows == pytest.approx(expected)


# ── fillers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def fill(gap_ids, makes, links, **rest):
    rest = {"needs": NO_NEEDS, "achievement_pairs": NO_PAIRS, "expert_pairs": NO_PAIRS, **rest}
    found = fillers(pl.DataFrame({"product_id": gap_ids}, schema={"product_id": pl.String}), makes, links, **rest)
    assert found.schema == results()["gap_fillers"].polars
    assert set(found["noun"]) <= set(codes()["filler_noun"])
    assert set(found["reason"]) <= set(codes()["filler_reason"])
    return found


def test_fillers_prefers_firms_whose_products_share_rare_neighbours():
    links = links_of("steel>gear", "steel>shaft", "steel>pot", "steel>pan", "mill>gear", "mill>shaft")

    found = fill(["gear"], makes_of(cook="pot pan", turner="shaft"), links)

    assert found.select("filler_id", "rank", "reason").rows() == [
        ("turner", 1, "makes_related"),
        ("cook", 2, "makes_related"),
    ]
    assert found["evidence"].to_list() == ["shaft: mill; steel", "pan: steel"]
    assert found["score"][0] == pytest.approx(0.6)


def test_fillers_counts_links_and_segments():
    links = links_of("steel>gear")
    products = products_of(gear="c/s", cog="c/s", steel="c/t")

    found = fill(["gear"], makes_of(o1="steel", o2="cog"), links, products=products)

    assert found.select("filler_id", "score", "evidence").rows() == [("o1", 0.2, "steel"), ("o2", 0.2, "cog")]


def test_fillers_lists_makers_elsewhere_by_share_and_only_once():
    links = links_of("steel>gear", "steel>shaft", ("spur>gear", "kind_of"))
    elsewhere = pl.DataFrame(
        {
            "org_id": ["x1", "x2", "x3", "o1"],
            "product_id": ["gear", "spur", "shaft", "gear"],
            "share": [0.2, 0.9, 1.0, None],
        }
    )

    found = fill(["gear"], makes_of(o1="shaft", o2="shaft"), links, elsewhere=elsewhere)

    assert found.select("filler_id", "rank", "score", "reason", "evidence").rows() == [
        ("x2", 1, 1.0, "makes_elsewhere", "spur"),
        ("x1", 2, 1.0, "makes_elsewhere", "gear"),
        ("o1", 3, 1.0, "makes_elsewhere", "gear"),
        ("o2", 1, pytest.approx(0.6), "makes_related", "shaft: steel"),
    ]


def test_fillers_lists_makers_elsewhere_most_like_our_own_first():
    links = links_of("steel>gear")
    elsewhere = makes_of(x1="gear", x2="gear lathe", x3="gear lathe mill")

    found = fill(["gear"], makes_of(o1="lathe mill", o2="pot"), links, elsewhere=elsewhere)

    assert found.select("filler_id", "rank", "like_id").rows() == [("x3", 1, "o1"), ("x2", 2, "o1"), ("x1", 3, None)]
    # lathe has 3 makers, gear 3, mill 2: 1/2, 1/2, 1/log2(3)
    mill = 1 / log2(3)
    assert found["likeness"].to_list() == [
        pytest.approx((0.5 + mill) / sqrt((1 + mill) * (0.5 + mill))), pytest.approx(0.5 / sqrt(0.5 + mill)), None
    ]  # fmt: skip


def test_fillers_leaves_out_who_makes_the_gap_here_already():
    links = links_of("steel>gear", "steel>shaft", ("spur>gear", "kind_of"))

    assert fill(["gear"], makes_of(o1="gear shaft", o2="spur shaft"), links).is_empty()


def test_fillers_lists_what_matches_the_gap_itself_once():
    pairs = pl.DataFrame({"need_id": ["n1"], "target_id": ["t1"], "score": [0.4]})
    matches = pl.DataFrame(
        {"product_id": ["gear"] * 3, "noun": ["achievement", "achievement", "expert"], "target_id": ["t1", "t2", "e1"],
         "score": [0.9, 0.3, 0.2]}
    )  # fmt: skip

    found = fill(["gear"], makes_of(), links_of(), needs=needs_of(n1="gear"), achievement_pairs=pairs, matches=matches)

    assert found.select("noun", "filler_id", "score", "reason").rows() == [
        ("achievement", "t1", 0.4, "answers_need"),
        ("achievement", "t2", 0.3, "matches_gap"),
        ("expert", "e1", 0.2, "matches_gap"),
    ]


def test_fillers_lists_what_matches_the_needs_that_name_the_gap():
    needs = needs_of(n1="gear", n2="gear", n3="pot")
    pairs = pl.DataFrame(
        {"need_id": ["n1", "n2", "n2", "n3"], "target_id": ["t1", "t1", "t2", "t3"], "score": [0.4, 0.6, 0.5, 0.9]}
    )

    found = fill(["gear"], makes_of(), links_of(), needs=needs, achievement_pairs=pairs, expert_pairs=pairs[:1])

    assert found.select("noun", "filler_id", "rank", "score", "reason", "evidence").rows() == [
        ("achievement", "t1", 1, 0.6, "answers_need", "n1; n2"),
        ("achievement", "t2", 2, 0.5, "answers_need", "n2"),
        ("expert", "t1", 1, 0.4, "answers_need", "n1"),
    ]


def test_fillers_gives_top_k_of_each_list():
    makes = makes_of(**{f"o{i:02}": "shaft" for i in range(12)})
    links = links_of("steel>gear", "steel>shaft")

    assert fill(["gear"], makes, links)["filler_id"].to_list() == [f"o{i:02}" for i in range(10)]
    assert fill(["gear"], makes, links, top_k=2)["filler_id"].to_list() == ["o00", "o01"]


def test_fillers_of_empty_tables_is_empty():
    assert fill([], makes_of(o1="a"), links_of("a>b")).is_empty()
    assert fill(["a"], makes_of(), links_of()).is_empty()


# ── on the synthetic region ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("size", "seed"), [("tiny", 7), ("county", 7), ("county", 8)])
def test_gaps_finds_what_was_left_out_and_nothing_else(size, seed):
    made = synth.make(size, seed=seed)
    region = made.region

    found = gaps(region["makes"], region["product_links"], region["needs"], products=region["products"])

    assert missing(found) == dict(made.truth["missing_products"].rows())


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

MAKES, LINKS, PRODUCTS = makes_of(o1="a"), links_of("a>b"), products_of("a", "b")


def test_gaps_names_the_missing_column():
    with pytest.raises(TableError, match=r"table\.columns.*product_links.*kind"):
        gaps(MAKES, LINKS.drop("kind"), NO_NEEDS, products=PRODUCTS)


def test_gaps_names_unknown_products():
    with pytest.raises(TableError, match=r"table\.unknown.*makes\.product_id.*products.*ghost"):
        gaps(makes_of(o1="ghost"), LINKS, NO_NEEDS, products=PRODUCTS)
    with pytest.raises(TableError, match=r"table\.unknown.*product_links\.downstream_id.*ghost"):
        gaps(MAKES, links_of("a>ghost"), NO_NEEDS, products=PRODUCTS)
    with pytest.raises(TableError, match=r"table\.unknown.*needs\.product_id.*ghost"):
        gaps(MAKES, LINKS, needs_of(n1="ghost"), products=PRODUCTS)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_gaps_refuses_a_weight_that_is_no_share(weight):
    with pytest.raises(TableError, match=r"table\.value.*product_links\.weight.*outside 0 to 1"):
        gaps(MAKES, links_of(("a>b", "material", weight)), NO_NEEDS, products=PRODUCTS)


def test_gaps_refuses_keys_that_stand_twice():
    twice = {
        "makes": (pl.concat([MAKES, MAKES]), LINKS, NO_NEEDS, PRODUCTS),
        "product_links": (MAKES, pl.concat([LINKS, LINKS]), NO_NEEDS, PRODUCTS),
        "needs": (MAKES, LINKS, pl.concat([needs_of(n1="a"), needs_of(n1="b")]), PRODUCTS),
        "products": (MAKES, LINKS, NO_NEEDS, pl.concat([PRODUCTS, PRODUCTS])),
    }
    for name, (makes, links, needs, products) in twice.items():
        with pytest.raises(TableError, match=rf"table\.duplicate.*{name}"):
            gaps(makes, links, needs, products=products)


def test_gaps_refuses_nulls_and_wrong_types():
    with pytest.raises(TableError, match=r"table\.value.*makes\.product_id.*empty"):
        gaps(MAKES.with_columns(product_id=pl.lit(None, pl.String)), LINKS, NO_NEEDS, products=PRODUCTS)
    with pytest.raises(TableError, match=r"table\.type.*product_links\.weight.*String"):
        gaps(MAKES, LINKS.with_columns(weight=pl.lit("half")), NO_NEEDS, products=PRODUCTS)


def test_gaps_and_fillers_refuse_weights_that_do_not_add_up():
    with pytest.raises(ArgumentError, match=r"argument\.value.*weights.*add up to 1"):
        gaps(MAKES, LINKS, NO_NEEDS, products=PRODUCTS, weights=GapWeights(0.5, 0.5, 0.5, 0.5, 0.0))
    with pytest.raises(ArgumentError, match=r"argument\.value.*weights.*add up to 1"):
        fill(["b"], MAKES, LINKS, weights=NearWeights(1.5, -0.5, 0.0))


def test_fillers_refuses_a_top_k_below_1():
    with pytest.raises(ArgumentError, match=r"argument\.value.*top_k is 0"):
        fill(["b"], MAKES, LINKS, top_k=0)


def test_fillers_refuses_a_pair_given_twice():
    pairs = pl.DataFrame({"need_id": ["n1", "n1"], "target_id": ["t1", "t1"], "score": [0.4, 0.6]})
    with pytest.raises(TableError, match=r"table\.duplicate.*expert_pairs"):
        fill(["b"], MAKES, LINKS, expert_pairs=pairs)
