"""The tables behind the pictures: result tables joined and counted for display, with no formula of their own.

Each function gives one small table in a stated order; `charts` draws it and the page shows it beside the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORE_BIN: Final = 0.05  # width of a bar in the distribution of scores
GRADE: Final = ("level", "p1", "p2", "p3", "p4")  # what a grade says of a match
STATES: Final = (  # of a product: made here by several or by one, missing in three ways, neither
    *("made", "single", "break", "blank", "outflow", "other"),
)
MISSING: Final = ("break", "blank", "outflow")


def needs_by_field(needs: pl.DataFrame, achievement_pairs: pl.DataFrame) -> pl.DataFrame:
    """Needs of each field, and how many of them have an achievement.

    Parameters
    ----------
    needs : need_id, field
    achievement_pairs : need_id; one row per pair

    Returns
    -------
    field (code; empty where not stated), needs, matched, unmatched (counts of needs); the largest field first.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n1", "n2"], "field": ["laser", "laser"]})
    >>> needs_by_field(needs, pl.DataFrame({"need_id": ["n2", "n2"]})).rows()
    [('laser', 2, 1, 1)]
    """
    matched = achievement_pairs.select("need_id").unique().with_columns(has=pl.lit(1))
    return (
        needs.select("need_id", pl.col("field").fill_null(""))
        .join(matched, on="need_id", how="left")
        .group_by("field")
        .agg(needs=pl.len().cast(pl.Int64), matched=pl.col("has").count().cast(pl.Int64))
        .with_columns(unmatched=pl.col("needs") - pl.col("matched"))
        .sort(["needs", "field"], descending=[True, False])
    )


def best_scores(achievement_pairs: pl.DataFrame, expert_pairs: pl.DataFrame) -> pl.DataFrame:
    """How the scores of the best match of each need are spread.

    Parameters
    ----------
    achievement_pairs, expert_pairs : need_id, rank, score

    Returns
    -------
    noun (achievement or expert), bin_from, bin_to (score), needs (count); every bin from 0 to 1, in order.

    Examples
    --------
    >>> best = pl.DataFrame({"need_id": ["n1"], "rank": [1], "score": [0.62]})
    >>> best_scores(best, best.clear()).filter(needs=1).rows()
    [('achievement', 0.6, 0.65, 1)]
    """
    bins = round(1 / SCORE_BIN)
    rows: list[tuple[str, float, float, int]] = []
    for noun, pairs in (("achievement", achievement_pairs), ("expert", expert_pairs)):
        # 1e-9: a score of exactly 0.15 belongs to the bar that begins there, though 0.15 / 0.05 < 3 in floating point
        place = (pairs.filter(pl.col("rank") == 1)["score"] / SCORE_BIN + 1e-9).floor().clip(0, bins - 1).cast(pl.Int64)
        counts = dict(place.value_counts().rows())
        rows += [(noun, b / bins, (b + 1) / bins, counts.get(b, 0)) for b in range(bins)]
    return pl.DataFrame(rows, schema=["noun", "bin_from", "bin_to", "needs"], orient="row")


def with_grades(achievement_pairs: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
    """The matches with their expected level and its chances beside the score; as given where nothing was graded.

    Parameters
    ----------
    achievement_pairs : need_id, target_id, score
    grades : need_id, target_id, p1, p2, p3, p4 (chances), level; at most one row per pair

    Returns
    -------
    The columns and rows of achievement_pairs, and behind score: level, p1, p2, p3, p4; empty for a pair without grade.

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1"], "target_id": ["a1"], "score": [0.4], "why": [""]})
    >>> chances = {"p1": [0.0], "p2": [0.1], "p3": [0.7], "p4": [0.2]}
    >>> grades = pl.DataFrame({"need_id": ["n1"], "target_id": ["a1"], **chances, "level": [3]})
    >>> with_grades(pairs, grades).row(0)
    ('n1', 'a1', 0.4, 3, 0.0, 0.1, 0.7, 0.2, '')
    """
    if grades.is_empty():
        return achievement_pairs
    keys = ["need_id", "target_id"]
    graded = achievement_pairs.join(grades.select(*keys, *GRADE), on=keys, how="left", maintain_order="left")
    at = achievement_pairs.columns.index("score") + 1
    return graded.select(*achievement_pairs.columns[:at], *GRADE, *achievement_pairs.columns[at:])


def served_between(needs: pl.DataFrame, experts: pl.DataFrame, assigned: pl.DataFrame) -> pl.DataFrame:
    """How many assignments run from the district of an expert to the district of a need.

    Parameters
    ----------
    needs : need_id, district_id
    experts : expert_id, district_id
    assigned : need_id, expert_id

    Returns
    -------
    need_district_id, expert_district_id (empty where not stated), assigned (count); sorted by the two ids.
    """
    of_need = needs.select("need_id", need_district_id=pl.col("district_id").fill_null(""))
    of_expert = experts.select("expert_id", expert_district_id=pl.col("district_id").fill_null(""))
    return (
        assigned.select("need_id", "expert_id")
        .join(of_need, on="need_id", how="left")
        .join(of_expert, on="expert_id", how="left")
        .with_columns(pl.col("need_district_id", "expert_district_id").fill_null(""))
        .group_by("need_district_id", "expert_district_id")
        .agg(assigned=pl.len().cast(pl.Int64))
        .sort("need_district_id", "expert_district_id")
    )


def load_spread(loads: pl.DataFrame) -> pl.DataFrame:
    """How many experts serve no need, one need, two needs and so on.

    Returns
    -------
    assigned (needs), state (full or room), experts (count); sorted.

    Examples
    --------
    >>> held = {"expert_id": ["e1", "e2"], "assigned": [1, 1], "free": [1, 3], "elsewhere": [0, 1]}
    >>> load_spread(pl.DataFrame(held)).rows()
    [(1, 'full', 1), (1, 'room', 1)]
    """
    is_full = pl.col("assigned") + pl.col("elsewhere") >= pl.col("free")
    return (
        loads.select("assigned", state=pl.when(is_full).then(pl.lit("full")).otherwise(pl.lit("room")))
        .group_by("assigned", "state")
        .agg(experts=pl.len().cast(pl.Int64))
        .sort("assigned", "state")
    )


def busiest_experts(loads: pl.DataFrame, *, most: int = 20) -> pl.DataFrame:
    """The experts who serve most: expert_id, assigned, free (needs); most assigned first, then least free, then id."""
    kept = loads.filter(pl.col("assigned") > 0).select("expert_id", "assigned", "free")
    return kept.sort(["assigned", "free", "expert_id"], descending=[True, False, False]).head(most)


def worst_served(served: pl.DataFrame, *, most: int = 10) -> pl.DataFrame:
    """The needs that got the smallest share of what they would get alone.

    Parameters
    ----------
    served : need_id, wanted, assigned, score, reachable, reached_share
    most : rows at most

    Returns
    -------
    rank and the columns of `served`; the smallest share first, then the largest loss of score, then by id. Needs that
    got all that they could, and those that nobody matched, are left out.

    Examples
    --------
    >>> columns = ["need_id", "wanted", "assigned", "score", "reachable", "reached_share"]
    >>> rows = [("n1", 1, 1, 0.5, 0.5, 1.0), ("n2", 2, 1, 0.3, 0.6, 0.5), ("n3", 1, 0, 0.0, 0.0, None)]
    >>> worst_served(pl.DataFrame(rows, schema=columns, orient="row")).select("rank", "need_id").rows()
    [(1, 'n2')]
    """
    # 1e-9: a sum of scores in another order differs in its last digits
    lacking = served.filter(pl.col("reached_share") < 1 - 1e-9).with_columns(loss=pl.col("reachable") - pl.col("score"))
    worst = lacking.sort(["reached_share", "loss", "need_id"], descending=[False, True, False]).head(most)
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank")
    return worst.select(rank, "need_id", "wanted", "assigned", "score", "reachable", "reached_share")


def fairness_curve(curve: pl.DataFrame, proof: pl.DataFrame) -> pl.DataFrame:
    """The price of fairness with the place of the run marked.

    Parameters
    ----------
    curve : floor, smallest_score, total, bound, price, price_share
    proof : floor, of the run; empty where none was sought

    Returns
    -------
    worst (score that every need that can be served with the others has at least), total, bound, price, price_share,
    is_run (the run stands here: without a floor at the first row, fair at the last); in the order of `curve`.

    Examples
    --------
    >>> columns = ["floor", "smallest_score", "total", "bound", "price", "price_share"]
    >>> rows = [(0.0, 0.1, 5.0, 5.0, 0.0, 0.0), (0.3, 0.0, 4.5, 4.5, 0.5, 0.1)]
    >>> curve = pl.DataFrame(rows, schema=columns, orient="row")
    >>> fairness_curve(curve, pl.DataFrame({"floor": [None]})).select("worst", "is_run").rows()
    [(0.1, True), (0.3, False)]
    """
    is_fair = proof.height > 0 and proof["floor"][0] is not None
    place = pl.int_range(pl.len())
    return curve.sort("floor").select(
        pl.max_horizontal("floor", pl.col("smallest_score").fill_null(0.0)).alias("worst"),
        "total", "bound", "price", "price_share", is_run=place == (curve.height - 1 if is_fair else 0),
    )  # fmt: skip


def unmet_by_field(needs: pl.DataFrame, unmet: pl.DataFrame) -> pl.DataFrame:
    """Unmet needs of each field and reason.

    Returns
    -------
    field (code; empty where not stated), reason (code), needs (count), missing (experts); the worst field first.
    """
    counted = (
        unmet.join(needs.select("need_id", "field"), on="need_id", how="left")
        .with_columns(pl.col("field").fill_null(""))
        .group_by("field", "reason")
        .agg(needs=pl.len().cast(pl.Int64), missing=pl.col("missing").sum())
    )
    total = counted.group_by("field").agg(total=pl.col("needs").sum())
    order = counted.join(total, on="field").sort(["total", "field", "reason"], descending=[True, False, False])
    return order.drop("total")


def inputs(product_links: pl.DataFrame) -> pl.DataFrame:
    """What is made of what: upstream_id, downstream_id; kinds of a product are no inputs of it and left out."""
    flows = product_links.filter(pl.col("kind").ne_missing("kind_of"), pl.col("upstream_id") != pl.col("downstream_id"))
    return flows.select("upstream_id", "downstream_id").unique().sort("upstream_id", "downstream_id")


def makers(makes: pl.DataFrame, product_links: pl.DataFrame) -> pl.DataFrame:
    """How many organisations make each product or a kind of it.

    Parameters
    ----------
    makes : org_id, product_id
    product_links : upstream_id, downstream_id, kind; kind_of: upstream is a kind of downstream, over any steps

    Returns
    -------
    product_id, makers (count of organisations); products that nobody makes are absent; sorted by product_id.

    Examples
    --------
    >>> makes = pl.DataFrame({"org_id": ["o1"], "product_id": ["spur gear"]})
    >>> links = pl.DataFrame({"upstream_id": ["spur gear"], "downstream_id": ["gear"], "kind": ["kind_of"]})
    >>> makers(makes, links).rows()
    [('gear', 1), ('spur gear', 1)]
    """
    known = _all_makers(makes, product_links)
    return known.group_by("product_id").agg(makers=pl.len().cast(pl.Int64)).sort("product_id")


def makers_of(makes: pl.DataFrame, product_links: pl.DataFrame, *, most: int) -> pl.DataFrame:
    """product_id, org_id: up to `most` organisations that make a product or a kind of it, by id; as `makers`."""
    known = _all_makers(makes, product_links).sort("product_id", "org_id")
    return known.filter(pl.int_range(pl.len()).over("product_id") < most).select("product_id", "org_id")


def _all_makers(makes: pl.DataFrame, product_links: pl.DataFrame) -> pl.DataFrame:
    kinds = product_links.filter(kind="kind_of").select(product_id="upstream_id", to="downstream_id")
    known = makes.select("org_id", "product_id").unique()
    new = known
    while new.height:
        new = new.join(kinds, on="product_id").select("org_id", product_id="to").unique()
        new = new.join(known, on=["org_id", "product_id"], how="anti")
        known = pl.concat([known, new])
    return known


def product_states(
    products: pl.DataFrame, makes: pl.DataFrame, product_links: pl.DataFrame, gaps: pl.DataFrame
) -> pl.DataFrame:
    """What is known of each product: made here, a gap of one kind, or neither.

    Parameters
    ----------
    products : product_id, name, chain, segment
    makes, product_links : as `makers` takes them; a product is made here if a kind of it is
    gaps : product_id, kind, rank

    Returns
    -------
    product_id, chain, segment (empty where not stated), state (one of STATES), makers (count of organisations),
    rank (of the gap; empty where it is none); in the order of `products`.
    """
    is_made = pl.when(pl.col("makers") > 0).then(pl.lit("made")).otherwise(pl.lit("other"))
    return (
        products.select("product_id", pl.col("chain", "segment").fill_null(""))
        .join(gaps.select("product_id", "kind", "rank"), on="product_id", how="left", maintain_order="left")
        .join(makers(makes, product_links), on="product_id", how="left", maintain_order="left")
        .with_columns(pl.col("makers").fill_null(0))
        .select("product_id", "chain", "segment", pl.coalesce(pl.col("kind"), is_made).alias("state"), "makers", "rank")
    )


def segments(states: pl.DataFrame, layers: Mapping[str, int]) -> pl.DataFrame:
    """The segments of each chain from upstream to downstream, with their products by state.

    Parameters
    ----------
    states : what `product_states` gives
    layers : product_id → how many steps it lies from the raw materials; what `chain_layout.layers` gives for the
        products that have links: the others do not place a segment

    Returns
    -------
    chain, segment, place (1 is the most upstream of its chain), products, and a count for each of STATES; the chain
    with most products that are missing first.
    """
    counts = [(pl.col("state") == s).sum().cast(pl.Int64).alias(s) for s in STATES]
    depth = pl.col("product_id").replace_strict(dict(layers), default=None, return_dtype=pl.Int64)
    found = (
        states.with_columns(layer=depth)
        .group_by("chain", "segment")
        .agg(
            pl.len().cast(pl.Int64).alias("products"),
            *counts,
            pl.col("layer").max(),
            pl.col("layer").mean().alias("mean_layer"),
        )
    )
    by_chain = found.group_by("chain").agg(
        gaps=pl.sum_horizontal(MISSING).sum(), made_here=(pl.col("made") + pl.col("single")).sum()
    )
    # a segment stands where its furthest product does: some systems are also parts and lie far upstream
    worst_first = ["gaps", "made_here", "chain", "layer", "mean_layer", "segment"]
    ordered = found.join(by_chain, on="chain").sort(
        worst_first, descending=[True, True, False, False, False, False], nulls_last=True
    )
    place = pl.int_range(1, pl.len() + 1).over("chain").cast(pl.Int64).alias("place")
    return ordered.select("chain", "segment", place, "products", *STATES)


def gap_ranking(gaps: pl.DataFrame, *, most: int = 20) -> pl.DataFrame:
    """The most pressing gaps: product_id, kind, chain, segment, rank, score; by rank, then id."""
    return gaps.sort("rank", "product_id").head(most).select("product_id", "kind", "chain", "segment", "rank", "score")


def balance(district_balance: pl.DataFrame) -> pl.DataFrame:
    """What each district wanted and got, the worst served first; districts that want nothing stand last."""
    return district_balance.sort("served_share", "district_id", nulls_last=True)


def problems_by_code(problems: pl.DataFrame) -> pl.DataFrame:
    """How often each problem occurs.

    Returns
    -------
    code, grave, rows (count), tables (names, comma-separated), remedy, remedy_zh (of the first such row); grave
    ones first, then the most frequent.
    """
    return (
        problems.group_by("code", "grave", maintain_order=True)
        .agg(
            rows=pl.len().cast(pl.Int64),
            tables=pl.col("table").unique().sort().str.join(", "),
            remedy=pl.col("remedy").first(),
            remedy_zh=pl.col("remedy_zh").first(),
        )
        .sort(["grave", "rows", "code"], descending=[True, True, False])
    )
