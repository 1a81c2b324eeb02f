"""Breaks and blanks of the industrial chains, and who could fill them.

See docs/methods/chain.md for the formulas.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.errors import ArgumentError
from silian.tables.schema import results

if TYPE_CHECKING:
    from scipy.sparse import csr_array

INPUT_KINDS: Final = ("material", "component", "equipment")  # kind_of is no input: see _made_by
# Counts become shares by count / (count + half): the first buyers say most, no count says all.
HALF_BUYERS: Final = 3  # so many buyers count for one half
HALF_NEEDS: Final = 1


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing, what that rests on, and how the scores are made up."""

    gaps: pl.DataFrame  # as the schema's results/gaps; sorted by rank
    evidence: pl.DataFrame  # product_id, side, other_id, weight, makers; sorted by product_id, side, other_id
    parts: pl.DataFrame  # product_id, part (upstream, downstream, buyers, needs), value; the values add up to the score


@dataclass(frozen=True, slots=True)
class GapWeights:
    """How much each part of a gap's score may give; they add up to 1."""

    upstream: float = 0.25
    downstream: float = 0.25
    buyers: float = 0.25
    needs: float = 0.25


@dataclass(frozen=True, slots=True)
class NearWeights:
    """How much each part of the nearness of two products may give; they add up to 1."""

    shared: float = 0.6  # cosine of their neighbours
    linked: float = 0.2  # one is an input, or a kind, of the other
    segment: float = 0.2  # of one segment of one chain


def gaps(
    makes: pl.DataFrame,
    product_links: pl.DataFrame,
    needs: pl.DataFrame,
    *,
    products: pl.DataFrame,
    weights: GapWeights | None = None,
) -> Gaps:
    """Find the products that a region's chains lack.

    A product is here if an organisation makes it, or makes a kind of it (kind_of, over any number of steps). A product
    that is not here is a break if an input of it is here and another product that is made of it is here; else it is a
    blank if it has a chain and a segment and no product of that segment is here.

    Parameters
    ----------
    makes : org_id, product_id; who makes what in the region, one row per organisation and product
    product_links : upstream_id, downstream_id, kind[, weight]; what is made of what
        kind material, component or equipment: upstream is an input of downstream; kind_of: upstream is a kind of
        downstream. Links of other kinds and from a product to itself do not count. weight is a share in [0, 1] of the
        downstream product's inputs, null where unknown.
    needs : need_id[, product_id]; product_id is the product that the need names
    products : product_id[, chain, segment]
    weights : of the parts of the score

    Returns
    -------
    Gaps : gaps (product_id, kind, chain, segment, rank, score, and the counts: upstream_here and upstream_all,
        downstream_here and downstream_all of products, buyers of organisations that make something of it, needs that
        name it; sorted by rank);
        evidence (product_id, side, other_id, weight, makers: every neighbour that is here with the organisations that
        make it, and every need that names it; weight and makers are null for needs);
        parts (product_id, part, value; four rows a gap).

    Raises
    ------
    TableError : table.columns, table.type, table.value (null ids; a weight below 0, above 1 or not a number),
        table.duplicate (a product, need, pair of makes or link given twice), table.unknown (a product that `products`
        lacks)
    ArgumentError : argument.value if the weights are negative or do not add up to 1

    Notes
    -----
    score = w_u · U + w_d · D + w_b · b / (b + 3) + w_n · n / (n + 1), in [0, 1]. U is the share of its inputs that is
    here, by weight; D the share of what is made of it; b counts buyers, n needs. An unknown weight counts as the mean
    of the known ones on that side of the product, or 1 where none is known or all are 0. Rank by score, then breaks,
    then product_id. Parallel links count once, with the largest weight. Of two products that are inputs of each other
    neither can make the other a break alone. Cycles need no care: only neighbours count.
    Deterministic. Cost: 110,000 links and 45,000 makes 0.14 s (bench_chain). Splits: no, neighbours are anywhere.
    Source: docs/methods/chain.md.

    Examples
    --------
    >>> products = pl.DataFrame({"product_id": ["ore", "steel", "gear"]})
    >>> links = pl.DataFrame({"upstream_id": ["ore", "steel"], "downstream_id": ["steel", "gear"],
    ...                       "kind": ["material", "material"], "weight": [None, 0.4]})
    >>> makes = pl.DataFrame({"org_id": ["o1", "o2"], "product_id": ["ore", "gear"]})
    >>> needs = pl.DataFrame({"need_id": ["n1"], "product_id": ["steel"]})
    >>> found = gaps(makes, links, needs, products=products)
    >>> found.gaps.select("product_id", "kind", "score").rows()  # (1 + 1 + 1/4 + 1/2) / 4
    [('steel', 'break', 0.6875)]
    >>> found.evidence.rows()  # doctest: +NORMALIZE_WHITESPACE
    [('steel', 'downstream', 'gear', 0.4, 1), ('steel', 'need', 'n1', None, None),
     ('steel', 'upstream', 'ore', None, 1)]
    """
    weights = weights or GapWeights()
    _check_weights("weights", weights)
    catalogue = _checked_products(products)
    links = _checked_links(product_links, catalogue)
    makes = _checked_makes(makes, catalogue)
    asked = _checked_needs(needs, catalogue)
    makers = _makers(makes, links)
    here = makers.select("product_id").unique()
    absent = catalogue.join(here, on="product_id", how="anti")
    sides = _known_sides(absent, _sides(links), makers)
    shares = _shares(sides).join(_buyers(sides, makers), on="product_id", how="left")
    named = asked.group_by("product_id").agg(needs=pl.len().cast(pl.Int64))
    measured = (
        absent.join(shares, on="product_id", how="left")
        .join(named, on="product_id", how="left")
        .with_columns(pl.exclude("product_id", "chain", "segment").fill_null(0))
    )
    found = _classed(measured, catalogue.join(here, on="product_id", how="semi"))
    ranked, parts = _scored(found, weights)
    return Gaps(ranked, _evidence(ranked, sides, asked), parts)


def fillers(
    gaps: pl.DataFrame,
    makes: pl.DataFrame,
    product_links: pl.DataFrame,
    *,
    needs: pl.DataFrame,
    achievement_pairs: pl.DataFrame,
    expert_pairs: pl.DataFrame,
    products: pl.DataFrame | None = None,
    elsewhere: pl.DataFrame | None = None,
    top_k: int = 10,
    weights: NearWeights | None = None,
) -> pl.DataFrame:
    """Who could fill each gap: local firms with near products, makers elsewhere, achievements and experts.

    Parameters
    ----------
    gaps : product_id; the gaps that fillers are wanted for
    makes : org_id, product_id; who makes what in the region
    product_links : upstream_id, downstream_id, kind; as in `gaps`
    needs : need_id[, product_id]
    achievement_pairs, expert_pairs : need_id, target_id, score in [0, 1]
    products : product_id[, chain, segment]; without it no two products are known to be of one segment
    elsewhere : org_id, product_id[, share]; who makes what outside the region, share of its revenue in [0, 1]
    top_k : so many of each list a gap, >= 1
    weights : of the parts of the nearness of two products

    Returns
    -------
    product_id, noun, filler_id, rank, score, reason, evidence; sorted by product_id, noun, reason, rank
        makes_related: score is the nearness of the nearest product that the organisation makes, evidence that product
        and the neighbours that both share (the five rarest); makes_elsewhere: score 1, largest share first, evidence
        the product or the kind of it that the organisation makes; answers_need: score of the best pair with a need
        that names the gap, evidence those needs. rank counts within one gap, noun and reason; ties by filler_id.
        An organisation that makes the gap elsewhere is not listed again as one that makes a related product.

    Raises
    ------
    TableError : table.columns, table.type, table.value, table.duplicate as in `gaps`
    ArgumentError : argument.value if top_k is below 1, or the weights are negative or do not add up to 1

    Notes
    -----
    Nearness of two products = w_s · cosine + w_l · [linked] + w_g · [one segment]. The cosine is that of their
    neighbours: inputs, products made of them, and what they are kinds of; each neighbour weighs 1 / log2(1 + n), n
    being the number of products that have it on that side (Adamic–Adar), so steel says less than a rare alloy.
    Only direct makers count, at nearness > 0. Deterministic. Splits: over gaps. Cost: see bench_chain.
    Source: docs/methods/chain.md.

    Examples
    --------
    >>> links = pl.DataFrame({"upstream_id": ["steel", "steel"], "downstream_id": ["gear", "shaft"],
    ...                       "kind": ["material", "material"]})
    >>> none = pl.DataFrame(schema={"need_id": pl.String, "target_id": pl.String, "score": pl.Float64})
    >>> found = fillers(pl.DataFrame({"product_id": ["gear"]}),
    ...                 pl.DataFrame({"org_id": ["o1"], "product_id": ["shaft"]}), links,
    ...                 needs=pl.DataFrame({"need_id": []}), achievement_pairs=none, expert_pairs=none)
    >>> found.select("filler_id", "score", "reason", "evidence").rows()
    [('o1', 0.6, 'makes_related', 'shaft: steel')]
    """
    weights = weights or NearWeights()
    _check_weights("weights", weights)
    if top_k < 1:
        raise ArgumentError("argument.value", name="top_k", found=top_k, wanted="1 or more")
    wanted = _inputs.columns(gaps, "gaps", {"product_id": "id"}).unique().sort("product_id")
    links = _checked_links(product_links, None)
    made = _checked_makes(makes, None)
    asked = _checked_needs(needs, None).join(wanted, on="product_id", how="semi")
    catalogue = wanted.head(0) if products is None else products
    catalogue = _checked_products(catalogue)
    far = _elsewhere(wanted, links, elsewhere)
    near = _related(wanted, made, links, catalogue, weights).join(far, on=["product_id", "filler_id"], how="anti")
    lists = [near, far]
    for noun, name, pairs in (
        ("achievement", "achievement_pairs", achievement_pairs),
        ("expert", "expert_pairs", expert_pairs),
    ):
        lists.append(_answering(asked, pairs, name, noun))
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("product_id", "noun", "reason")
    ranked = (
        pl.concat(lists)
        .sort("product_id", "noun", "reason", "order", "filler_id", descending=[False, False, False, True, False])
        .with_columns(rank=place)
        .filter(pl.col("rank") <= top_k)
    )
    told = _shared_neighbours(ranked, links)
    return told.select(list(results()["gap_fillers"].polars))


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_weights(name: str, weights: GapWeights | NearWeights) -> None:
    values = astuple(weights)
    if min(values) < 0 or abs(sum(values) - 1) > 1e-9:
        raise ArgumentError("argument.value", name=name, found=weights, wanted="parts >= 0 that add up to 1")


def _checked_products(products: pl.DataFrame) -> pl.DataFrame:
    catalogue = _inputs.columns(products, "products", {"product_id": "id"}, optional={"chain": "id", "segment": "id"})
    _inputs.refuse_duplicates(catalogue, "products", ["product_id"])
    return catalogue.sort("product_id")


def _checked_links(product_links: pl.DataFrame, catalogue: pl.DataFrame | None) -> pl.DataFrame:
    """Links of known kinds, without loops: upstream_id, downstream_id, kind, weight."""
    key: dict[str, _inputs.Kind] = {"upstream_id": "id", "downstream_id": "id", "kind": "id"}
    links = _inputs.columns(product_links, "product_links", key, optional={"weight": "number"})
    outside = ~pl.col("weight").is_between(0, 1)  # null stays null, NaN is outside
    _inputs.refuse(links, "product_links", "weight", outside, found="outside 0 to 1", wanted="a share, or empty")
    _inputs.refuse_duplicates(links, "product_links", list(key))
    if catalogue is not None:
        for side in ("upstream_id", "downstream_id"):
            _inputs.refuse_unknown(links, "product_links", side, catalogue["product_id"], "products")
    return links.filter(
        pl.col("upstream_id") != pl.col("downstream_id"), pl.col("kind").is_in([*INPUT_KINDS, "kind_of"])
    )


def _checked_makes(makes: pl.DataFrame, catalogue: pl.DataFrame | None) -> pl.DataFrame:
    pairs = _inputs.columns(makes, "makes", {"org_id": "id", "product_id": "id"})
    _inputs.refuse_duplicates(pairs, "makes", ["org_id", "product_id"])
    if catalogue is not None:
        _inputs.refuse_unknown(pairs, "makes", "product_id", catalogue["product_id"], "products")
    return pairs


def _checked_needs(needs: pl.DataFrame, catalogue: pl.DataFrame | None) -> pl.DataFrame:
    """Needs that name a product: need_id, product_id."""
    asked = _inputs.columns(needs, "needs", {"need_id": "id"}, optional={"product_id": "id"})
    _inputs.refuse_duplicates(asked, "needs", ["need_id"])
    if catalogue is not None:
        _inputs.refuse_unknown(asked, "needs", "product_id", catalogue["product_id"], "products")
    return asked.drop_nulls("product_id")


# ── gaps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _closure(pairs: pl.DataFrame, kinds: pl.DataFrame) -> pl.DataFrame:
    """Pairs (who, product_id) and all that follow by steps (product_id → to); cycles end where nothing is new."""
    known = new = pairs.unique()
    while new.height:
        stepped = new.join(kinds, on="product_id").select("who", product_id="to").unique()
        new = stepped.join(known, on=["who", "product_id"], how="anti")
        known = pl.concat([known, new])
    return known


def _makers(makes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """org_id, product_id: who makes a product or a kind of it."""
    kinds = links.filter(kind="kind_of").select(product_id="upstream_id", to="downstream_id")
    return _closure(makes.rename({"org_id": "who"}), kinds).rename({"who": "org_id"})


def _counted(makers: pl.DataFrame) -> pl.DataFrame:
    return makers.group_by(other_id="product_id").agg(makers=pl.len().cast(pl.Int64))


def _sides(links: pl.DataFrame) -> pl.DataFrame:
    """Every product with each neighbour: product_id, side, other_id, weight; parallel links are one."""
    inputs = links.filter(pl.col("kind").is_in(INPUT_KINDS))
    inputs = inputs.group_by("upstream_id", "downstream_id").agg(pl.col("weight").max())
    upstream = inputs.select("weight", product_id="downstream_id", side=pl.lit("upstream"), other_id="upstream_id")
    downstream = inputs.select("weight", product_id="upstream_id", side=pl.lit("downstream"), other_id="downstream_id")
    return pl.concat([upstream, downstream])


def _known_sides(absent: pl.DataFrame, sides: pl.DataFrame, makers: pl.DataFrame) -> pl.DataFrame:
    """The sides, with the neighbour's makers, of the absent products that can be a break or a blank."""
    counted = sides.join(absent.select("product_id"), on="product_id", how="semi").join(
        _counted(makers), on="other_id", how="left"
    )
    counted = counted.with_columns(pl.col("makers").fill_null(0))
    can_be_blank = absent.drop_nulls(["chain", "segment"]).select("product_id")
    near = pl.concat([counted.filter(pl.col("makers") > 0).select("product_id"), can_be_blank])
    return counted.join(near, on="product_id", how="semi").sort("product_id", "side", "other_id")


def _shares(sides: pl.DataFrame) -> pl.DataFrame:
    """One row per product: <side>_share (by weight), <side>_here, <side>_all, neighbours_here (without repeats)."""
    group = ("product_id", "side")
    weight = pl.col("weight").fill_null(pl.col("weight").mean().over(group)).fill_null(1.0)
    sides = sides.with_columns(weight=weight, here=pl.col("makers") > 0)
    sides = sides.with_columns(weight=pl.when(pl.col("weight").sum().over(group) > 0).then("weight").otherwise(1.0))
    one = pl.len().cast(pl.Int64)
    by_side = sides.group_by(group, maintain_order=True).agg(
        share=pl.col("weight").filter("here").sum() / pl.col("weight").sum(),
        here=pl.col("here").sum().cast(pl.Int64),
        all=one,
    )
    table = sides.group_by("product_id").agg(neighbours_here=pl.col("other_id").filter("here").n_unique())
    for side in ("upstream", "downstream"):
        part = by_side.filter(side=side).select(
            "product_id", *(pl.col(c).alias(f"{side}_{c}") for c in ("share", "here", "all"))
        )
        table = table.join(part, on="product_id", how="left")
    return table


def _buyers(sides: pl.DataFrame, makers: pl.DataFrame) -> pl.DataFrame:
    """product_id, buyers: organisations that make something of it."""
    downstream = sides.filter(side="downstream").select("product_id", "other_id")
    bought = downstream.join(makers.select("org_id", other_id="product_id"), on="other_id")
    return bought.group_by("product_id").agg(buyers=pl.col("org_id").n_unique().cast(pl.Int64))


def _classed(measured: pl.DataFrame, here: pl.DataFrame) -> pl.DataFrame:
    """The products that are a break or a blank, with their kind."""
    between = (pl.col("upstream_here") > 0) & (pl.col("downstream_here") > 0) & (pl.col("neighbours_here") > 1)
    filled = here.select("chain", "segment").drop_nulls().unique().with_columns(filled=True)
    measured = measured.join(filled, on=["chain", "segment"], how="left")
    empty = pl.col("chain").is_not_null() & pl.col("segment").is_not_null() & pl.col("filled").is_null()
    kind = pl.when(between).then(pl.lit("break")).when(empty).then(pl.lit("blank"))
    return measured.with_columns(kind=kind).drop_nulls("kind")


def _scored(found: pl.DataFrame, weights: GapWeights) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ranked gaps and the parts of their scores."""
    parts = {
        "upstream": weights.upstream * pl.col("upstream_share"),
        "downstream": weights.downstream * pl.col("downstream_share"),
        "buyers": weights.buyers * pl.col("buyers") / (pl.col("buyers") + HALF_BUYERS),
        "needs": weights.needs * pl.col("needs") / (pl.col("needs") + HALF_NEEDS),
    }
    scored = found.with_columns(part.alias(f"part_{name}") for name, part in parts.items())
    total = sum((pl.col(f"part_{name}") for name in parts), start=pl.lit(0.0))
    scored = scored.with_columns(score=total.clip(0.0, 1.0)).sort(
        pl.col("score"), pl.col("kind") == "break", pl.col("product_id"), descending=[True, True, False]
    )
    scored = scored.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    listed = pl.concat_list(pl.struct(part=pl.lit(name), value=f"part_{name}") for name in parts)
    table = scored.select("product_id", made_up=listed).explode("made_up").unnest("made_up")
    return scored.select(pl.col(c).cast(t) for c, t in results()["gaps"].polars.items()), table


def _evidence(ranked: pl.DataFrame, sides: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """What each gap rests on: its neighbours that are here, and the needs that name it."""
    schema = results()["gap_evidence"].polars
    near = sides.filter(pl.col("makers") > 0).select(list(schema))
    named = asked.select(
        "product_id",
        side=pl.lit("need"),
        other_id="need_id",
        weight=pl.lit(None, pl.Float64),
        makers=pl.lit(None, pl.Int64),
    )
    rows = pl.concat([near, named]).join(ranked.select("product_id"), on="product_id", how="semi")
    return rows.sort("product_id", "side", "other_id")


# ── fillers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_FILLER: Final = ("product_id", "noun", "filler_id", "score", "reason", "evidence", "order")


def _elsewhere(wanted: pl.DataFrame, links: pl.DataFrame, elsewhere: pl.DataFrame | None) -> pl.DataFrame:
    """Makers of a gap, or of a kind of it, outside the region."""
    if elsewhere is None:
        elsewhere = pl.DataFrame(schema={"org_id": pl.String, "product_id": pl.String})
    given = _inputs.columns(elsewhere, "elsewhere", {"org_id": "id", "product_id": "id"}, optional={"share": "number"})
    _inputs.refuse_duplicates(given, "elsewhere", ["org_id", "product_id"])
    down = links.filter(kind="kind_of").select(product_id="downstream_id", to="upstream_id")
    kinds = _closure(wanted.select(who="product_id", product_id="product_id"), down)
    found = kinds.join(given, on="product_id").sort("who", "org_id", "share", "product_id", nulls_last=True)
    best = found.group_by("who", "org_id", maintain_order=True).agg(
        pl.col("share").max().fill_null(0.0), pl.col("product_id").first()
    )
    listed = best.select(
        product_id="who",
        noun=pl.lit("organisation"),
        filler_id="org_id",
        score=pl.lit(1.0),
        reason=pl.lit("makes_elsewhere"),
        evidence="product_id",
        order="share",
    )
    return listed.select(_FILLER)


def _related(
    wanted: pl.DataFrame, makes: pl.DataFrame, links: pl.DataFrame, catalogue: pl.DataFrame, weights: NearWeights
) -> pl.DataFrame:
    """Local organisations by the nearest product that they make."""
    made = makes.select("product_id").unique().sort("product_id")
    near = _nearness(wanted["product_id"], made["product_id"], links, catalogue, weights)
    firms = near.join(makes.select("org_id", made="product_id"), on="made").sort(
        "product_id", "org_id", "near", "made", descending=[False, False, True, False]
    )
    best = firms.unique(["product_id", "org_id"], keep="first", maintain_order=True)
    listed = best.select(
        "product_id",
        noun=pl.lit("organisation"),
        filler_id="org_id",
        score=pl.col("near").clip(0.0, 1.0),
        reason=pl.lit("makes_related"),
        evidence="made",
        order="near",
    )
    return listed.select(_FILLER)


def _answering(asked: pl.DataFrame, pairs: pl.DataFrame, name: str, noun: str) -> pl.DataFrame:
    """Achievements or experts that match a need which names the gap."""
    pairs = _inputs.columns(pairs, name, {"need_id": "id", "target_id": "id", "score": "number"})
    _inputs.refuse_duplicates(pairs, name, ["need_id", "target_id"])
    found = asked.join(pairs, on="need_id").sort("product_id", "target_id", "need_id")
    best = found.group_by("product_id", "target_id", maintain_order=True).agg(
        pl.col("score").max(), pl.col("need_id").str.join("; ")
    )
    listed = best.select(
        "product_id",
        "score",
        noun=pl.lit(noun),
        filler_id="target_id",
        reason=pl.lit("answers_need"),
        evidence="need_id",
        order="score",
    )
    return listed.select(_FILLER)


def _features(links: pl.DataFrame) -> pl.DataFrame:
    """product_id, side, other_id, worth: what a product is known by, rare neighbours more than common ones."""
    kinds = links.filter(kind="kind_of").select(product_id="upstream_id", side=pl.lit("kind"), other_id="downstream_id")
    known = pl.concat([_sides(links).select("product_id", "side", "other_id"), kinds])
    return known.with_columns(worth=1 / (1 + pl.len().over("side", "other_id")).log(2))


def _nearness(
    wanted: pl.Series, made: pl.Series, links: pl.DataFrame, catalogue: pl.DataFrame, weights: NearWeights
) -> pl.DataFrame:
    """product_id, made, near > 0: how near each wanted product is to each that is made."""
    features = _features(links)
    above, below = _vectors(wanted, features), _vectors(made, features)
    cosine = (above @ below.T).tocoo()
    shared = pl.DataFrame(
        {
            "product_id": wanted.gather(cosine.coords[0].astype(np.int64)),
            "made": made.gather(cosine.coords[1].astype(np.int64)),
            "near": weights.shared * cosine.data,
        }
    )
    ends = links.select("upstream_id", "downstream_id").unique()
    linked = pl.concat(
        [
            ends.select(product_id="upstream_id", made="downstream_id"),
            ends.select(product_id="downstream_id", made="upstream_id"),
        ]
    ).unique()
    placed = catalogue.drop_nulls(["chain", "segment"])
    together = placed.filter(pl.col("product_id").is_in(wanted.implode())).join(
        placed.filter(pl.col("product_id").is_in(made.implode())).rename({"product_id": "made"}),
        on=["chain", "segment"],
    )
    parts = [shared]
    for pairs, weight in ((linked, weights.linked), (together, weights.segment)):
        known = pairs.filter(pl.col("product_id").is_in(wanted.implode()) & pl.col("made").is_in(made.implode()))
        parts.append(known.select("product_id", "made", near=pl.lit(weight)))
    near = pl.concat(parts).group_by("product_id", "made", maintain_order=True).agg(pl.col("near").sum())
    return near.filter(pl.col("near") > 0, pl.col("product_id") != pl.col("made"))


def _vectors(ids: pl.Series, features: pl.DataFrame) -> csr_array:
    """Unit rows of the products over all neighbours."""
    from scipy.sparse import csr_array

    neighbours = features.select("side", "other_id").unique().sort("side", "other_id").with_row_index("column")
    rows = pl.DataFrame({"product_id": ids}).with_row_index("row")
    placed = features.join(neighbours, on=["side", "other_id"]).join(rows, on="product_id").sort("row", "column")
    worth = placed["worth"].sqrt().to_numpy()
    at = placed["row"].to_numpy().astype(np.int64)
    length = np.sqrt(np.bincount(at, weights=worth**2, minlength=ids.len()))
    values: Any = worth / length[at]
    column = placed["column"].to_numpy().astype(np.int64)
    return csr_array((values, (at, column)), shape=(ids.len(), max(neighbours.height, 1)))


def _shared_neighbours(ranked: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """The list with the evidence of related products completed: the product made, and what it shares with the gap."""
    features = _features(links)
    related = ranked.filter(reason="makes_related").select("product_id", made="evidence").unique()
    common = (
        related.join(features, on="product_id")
        .join(features.select("side", "other_id", made="product_id"), on=["made", "side", "other_id"])
        .sort("product_id", "made", "worth", "other_id", descending=[False, False, True, False])
        .unique(["product_id", "made", "other_id"], keep="first", maintain_order=True)
        .group_by("product_id", "made", maintain_order=True)
        .agg(pl.col("other_id").head(5).str.join("; "))
        .select("product_id", evidence="made", reason=pl.lit("makes_related"), shared="other_id")
    )
    told = ranked.join(common, on=["product_id", "evidence", "reason"], how="left", maintain_order="left")
    text = pl.when(pl.col("shared").is_null()).then("evidence").otherwise(pl.format("{}: {}", "evidence", "shared"))
    return told.with_columns(evidence=text)
