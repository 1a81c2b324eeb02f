"""What the industrial chains of a region lack: breaks, blanks, outflows and single points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from silian.engines.chain import given
from silian.engines.chain.flow import flows
from silian.tables.schema import results

# Counts become shares by count / (count + half): the first buyers say most, no count says all.
HALF_BUYERS: Final = 3  # so many buyers count for one half
HALF_NEEDS: Final = 1
HALF_FLOW: Final = 1  # organisations' worth
AT_RISK: Final = 0.5  # of the score of what is still made here: it is a risk, not a lack
MOSTLY: Final = 0.5  # more than this share of the demand met elsewhere is an outflow
KINDS: Final = ("break", "blank", "outflow", "single")  # what could be several is the first of these


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing or at risk, what that rests on, and how the scores are made up."""

    gaps: pl.DataFrame  # as the schema's results/gaps; sorted by rank
    evidence: pl.DataFrame  # product_id, side, other_id, weight, makers; sorted by product_id, side, other_id
    parts: pl.DataFrame  # product_id, part (upstream, downstream, buyers, needs, flow), value; they add up to the score


@dataclass(frozen=True, slots=True)
class GapWeights:
    """How much each part of a gap's score may give; they add up to 1."""

    upstream: float = 0.2
    downstream: float = 0.2
    buyers: float = 0.2
    needs: float = 0.2
    flow: float = 0.2


@dataclass(frozen=True, slots=True)
class _Tables:
    """The checked inputs, and who makes what here or a kind of it."""

    catalogue: pl.DataFrame
    links: pl.DataFrame
    makes: pl.DataFrame
    makers: pl.DataFrame
    asked: pl.DataFrame
    far: pl.DataFrame | None
    supplies: pl.DataFrame


def gaps(
    makes: pl.DataFrame,
    product_links: pl.DataFrame,
    needs: pl.DataFrame,
    *,
    products: pl.DataFrame,
    elsewhere: pl.DataFrame | None = None,
    supplies: pl.DataFrame | None = None,
    weights: GapWeights | None = None,
) -> Gaps:
    """Find the products that a region's chains lack, or hold by one thread.

    A product is here if an organisation makes it, or makes a kind of it (kind_of, over any number of steps). It is
    break : not here, though an input of it is here and another product that is made of it is here;
    blank : not here, and nothing of its segment is here, where it has a chain and a segment;
    outflow : somebody here buys it or a need names it, and more than half of that demand is met elsewhere;
    single : one organisation alone makes it here, and others here buy it.
    What could be several is the first of these.

    Parameters
    ----------
    makes : org_id, product_id[, share]; who makes what in the region, one row per organisation and product
        share of the organisation's revenue in [0, 1], null where unknown
    product_links : upstream_id, downstream_id, kind[, weight]; what is made of what
        kind material, component or equipment: upstream is an input of downstream; kind_of: upstream is a kind of
        downstream. Links of other kinds and from a product to itself do not count. weight is a share in [0, 1] of the
        downstream product's inputs, null where unknown; `cleaned` makes such a table of a dirty one.
    needs : need_id[, product_id]; product_id is the product that the need names
    products : product_id[, chain, segment]
    elsewhere : org_id, product_id[, share]; who makes what outside the region; products that `products` lacks are
        passed over. Without it and without supplies no product is an outflow.
    supplies : org_id, product_id, supplier_id[, value_cny]; what organisations here buy from whom; a supplier that
        makes nothing here is elsewhere
    weights : of the parts of the score

    Returns
    -------
    Gaps : gaps (product_id, kind, chain, segment, rank, score, and the counts: upstream_here and upstream_all,
        downstream_here and downstream_all of products, buyers of organisations that make something of it and do not
        make it, needs that name it, makers of organisations here, elsewhere of organisations outside (null without
        that table), outflow_share of the demand that is met elsewhere (null where nothing tells), flow:
        organisations' worth of what is made here that hangs on it; sorted by rank);
        evidence (product_id, side, other_id, weight, makers: every neighbour that is here with the organisations that
        make it, every need that names it, every buyer, and the one maker of a single point; weight and makers are null
        for what is no product);
        parts (product_id, part, value; five rows a gap).

    Raises
    ------
    TableError : table.columns, table.type, table.value (null ids; a weight or share below 0, above 1 or not a number;
        a value below 0), table.duplicate (a product, need, pair of makes, link or supply given twice), table.unknown
        (a product that `products` lacks)
    ArgumentError : argument.value if the weights are negative or do not add up to 1

    Notes
    -----
    score = s · (w_u · U + w_d · D + w_b · b / (b + 3) + w_n · n / (n + 1) + w_f · f / (f + 1)), in [0, 1]. U is the
    share of its inputs that is here, by weight; D the share of what is made of it; b counts buyers, n needs; f is the
    flow, see `flow.flows`; s is 1/2 for what is made here, else 1. An unknown weight counts as the mean of the known
    ones on that side of the product, or 1 where none is known or all are 0. Rank by score, then by kind, then
    product_id. Parallel links count once, with the largest weight. Of two products that are inputs of each other
    neither can make the other a break alone. Cycles need no care. outflow_share is, where supplies are known, the
    share from outside, by value where every value of the product is known, else by count; else 1 for what is made
    elsewhere and not here. Deterministic. Cost: 110,000 links and 45,000 makes 0.3 s (bench_chain). Splits: no,
    neighbours are anywhere. Source: docs/methods/chain.md.

    Examples
    --------
    >>> products = pl.DataFrame({"product_id": ["ore", "steel", "gear"]})
    >>> links = pl.DataFrame({"upstream_id": ["ore", "steel"], "downstream_id": ["steel", "gear"],
    ...                       "kind": ["material", "material"], "weight": [None, 0.4]})
    >>> makes = pl.DataFrame({"org_id": ["o1", "o2"], "product_id": ["ore", "gear"]})
    >>> needs = pl.DataFrame({"need_id": ["n1"], "product_id": ["steel"]})
    >>> found = gaps(makes, links, needs, products=products)
    >>> found.gaps.select("product_id", "kind", "flow").rows()  # half of the worth of o2
    [('steel', 'break', 0.5)]
    >>> round(found.gaps["score"][0], 4)  # (1 + 1 + 1/4 + 1/2 + 1/3) / 5
    0.6167
    >>> found.evidence.select("side", "other_id", "makers").rows()
    [('buyer', 'o2', None), ('downstream', 'gear', 1), ('need', 'n1', None), ('upstream', 'ore', 1)]
    """
    weights = weights or GapWeights()
    given.check_weights("weights", weights)
    tables = _checked(makes, product_links, needs, products, elsewhere, supplies)
    sides = _sides(tables)
    buyers = _buyers(sides, tables.makers)
    found = _classed(_measured(tables, sides, buyers), tables)
    ranked, parts = _scored(found, weights)
    return Gaps(ranked, _evidence(ranked, sides, buyers, tables), parts)


def _checked(
    makes: pl.DataFrame, product_links: pl.DataFrame, needs: pl.DataFrame, products: pl.DataFrame,
    elsewhere: pl.DataFrame | None, supplies: pl.DataFrame | None,
) -> _Tables:  # fmt: skip
    catalogue = given.checked_products(products)
    links = given.checked_links(product_links, catalogue)
    checked = given.checked_makes(makes, catalogue)
    far = None
    if elsewhere is not None:
        known = given.checked_makes(elsewhere, None, "elsewhere").join(catalogue, on="product_id", how="semi")
        far = given.makers(known, links)
    return _Tables(
        catalogue=catalogue,
        links=links,
        makes=checked,
        makers=given.makers(checked, links),
        asked=given.checked_needs(needs, catalogue),
        far=far,
        supplies=given.checked_supplies(supplies, catalogue),
    )


def _counted(makers: pl.DataFrame, name: str) -> pl.DataFrame:
    return makers.group_by("product_id").agg(pl.len().cast(pl.Int64).alias(name))


def _sides(tables: _Tables) -> pl.DataFrame:
    """The neighbours of every product, with who many organisations here make each: 0 and more."""
    counted = _counted(tables.makers, "makers").rename({"product_id": "other_id"})
    sides = given.sides(tables.links).join(counted, on="other_id", how="left")
    return sides.with_columns(pl.col("makers").fill_null(0))


def _buyers(sides: pl.DataFrame, makers: pl.DataFrame) -> pl.DataFrame:
    """product_id, org_id: organisations that make something of a product and do not make it."""
    downstream = sides.filter(pl.col("makers") > 0, side="downstream").select("product_id", "other_id")
    bought = downstream.join(makers.select("org_id", other_id="product_id"), on="other_id")
    return bought.select("product_id", "org_id").unique().join(makers, on=["product_id", "org_id"], how="anti")


def _measured(tables: _Tables, sides: pl.DataFrame, buyers: pl.DataFrame) -> pl.DataFrame:
    """Everything that is known of every product of the catalogue that could be a gap."""
    named = _counted(tables.asked, "needs")
    measured = (
        tables.catalogue.join(_counted(tables.makers, "makers"), on="product_id", how="left")
        .join(_counted(buyers, "buyers"), on="product_id", how="left")
        .join(named, on="product_id", how="left")
        .with_columns(pl.col("makers", "buyers", "needs").fill_null(0))
    )
    measured = _met_elsewhere(measured, tables)
    # most products of a large graph have nothing to do with the region: left out before anything is summed
    touched = sides.filter(pl.col("makers") > 0)["product_id"].unique().implode()
    is_near = pl.col("product_id").is_in(touched) | pl.col("segment").is_not_null()
    could_be = (pl.col("makers") <= 1) & is_near | (pl.col("outflow_share") > MOSTLY)
    measured = measured.filter(could_be.fill_null(value=False))
    shares = _shares(sides.join(measured.select("product_id"), on="product_id", how="semi"))
    return (
        measured.join(shares, on="product_id", how="left")
        .join(flows(tables.makes, tables.links), on="product_id", how="left")
        .with_columns(pl.exclude("product_id", "chain", "segment", "elsewhere", "outflow_share").fill_null(0))
    )


def _met_elsewhere(measured: pl.DataFrame, tables: _Tables) -> pl.DataFrame:
    """With elsewhere (count of makers outside, null if unknown) and outflow_share (null where nothing tells)."""
    if tables.far is None:
        measured = measured.with_columns(elsewhere=pl.lit(None, pl.Int64))
    else:
        measured = measured.join(_counted(tables.far, "elsewhere"), on="product_id", how="left")
        measured = measured.with_columns(pl.col("elsewhere").fill_null(0))
    local = tables.makes.select(supplier_id="org_id").unique().with_columns(here=True)
    bought = tables.supplies.join(local, on="supplier_id", how="left").sort("product_id", "org_id", "supplier_id")
    is_valued = pl.col("value_cny").is_not_null().all().over("product_id")
    value = pl.when(is_valued & (pl.col("value_cny").sum().over("product_id") > 0)).then("value_cny").otherwise(1.0)
    outside = bought.with_columns(value=value).group_by("product_id", maintain_order=True).agg(
        bought=pl.col("value").filter(pl.col("here").is_null()).sum() / pl.col("value").sum()
    )  # fmt: skip
    is_only_there = (pl.col("makers") == 0) & (pl.col("elsewhere") > 0)
    share = pl.coalesce("bought", pl.when(is_only_there).then(1.0))
    return measured.join(outside, on="product_id", how="left").with_columns(outflow_share=share).drop("bought")


def _shares(sides: pl.DataFrame) -> pl.DataFrame:
    """One row per product: <side>_share (by weight), <side>_here, <side>_all, neighbours_here (without repeats)."""
    group = ("product_id", "side")
    is_here = pl.col("makers") > 0
    sides = given.with_share(sides.sort("product_id", "side", "other_id"), *group)
    by_side = sides.group_by(group, maintain_order=True).agg(
        share=pl.col("share").filter(is_here).sum(),
        here=is_here.sum().cast(pl.Int64),
        all=pl.len().cast(pl.Int64),
    )
    table = sides.group_by("product_id").agg(neighbours_here=pl.col("other_id").filter(is_here).n_unique())
    for side in ("upstream", "downstream"):
        part = by_side.filter(side=side).select(
            "product_id", *(pl.col(c).alias(f"{side}_{c}") for c in ("share", "here", "all"))
        )
        table = table.join(part, on="product_id", how="left")
    return table


def _classed(measured: pl.DataFrame, tables: _Tables) -> pl.DataFrame:
    """The products that are a gap, with their kind."""
    is_here, is_placed = pl.col("makers") > 0, pl.col("chain").is_not_null() & pl.col("segment").is_not_null()
    between = (pl.col("upstream_here") > 0) & (pl.col("downstream_here") > 0) & (pl.col("neighbours_here") > 1)
    here = tables.catalogue.join(tables.makers, on="product_id", how="semi")
    filled = here.select("chain", "segment").drop_nulls().unique().with_columns(filled=True)
    measured = measured.join(filled, on=["chain", "segment"], how="left")
    wanted = (pl.col("buyers") > 0) | (pl.col("needs") > 0)
    tests = {
        "break": ~is_here & between,
        "blank": ~is_here & is_placed & pl.col("filled").is_null(),
        "outflow": wanted & (pl.col("outflow_share") > MOSTLY).fill_null(value=False),
        "single": (pl.col("makers") == 1) & (pl.col("buyers") > 0),
    }
    kind = pl.coalesce(pl.when(tests[k]).then(pl.lit(k)) for k in KINDS)
    return measured.with_columns(kind=kind).drop_nulls("kind")


def _scored(found: pl.DataFrame, weights: GapWeights) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The ranked gaps and the parts of their scores."""
    parts = {
        "upstream": weights.upstream * pl.col("upstream_share"),
        "downstream": weights.downstream * pl.col("downstream_share"),
        "buyers": weights.buyers * pl.col("buyers") / (pl.col("buyers") + HALF_BUYERS),
        "needs": weights.needs * pl.col("needs") / (pl.col("needs") + HALF_NEEDS),
        "flow": weights.flow * pl.col("flow") / (pl.col("flow") + HALF_FLOW),
    }
    counts_for = pl.when(pl.col("makers") > 0).then(AT_RISK).otherwise(1.0)
    scored = found.with_columns((counts_for * part).alias(f"part_{name}") for name, part in parts.items())
    total = sum((pl.col(f"part_{name}") for name in parts), start=pl.lit(0.0))
    order = pl.col("kind").replace_strict(list(KINDS), list(range(len(KINDS))))
    scored = scored.with_columns(score=total.clip(0.0, 1.0)).sort(
        pl.col("score"), order, pl.col("product_id"), descending=[True, False, False]
    )
    scored = scored.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    listed = pl.concat_list(pl.struct(part=pl.lit(name), value=f"part_{name}") for name in parts)
    table = scored.select("product_id", made_up=listed).explode("made_up").unnest("made_up")
    return scored.select(pl.col(c).cast(t) for c, t in results()["gaps"].polars.items()), table


def _evidence(ranked: pl.DataFrame, sides: pl.DataFrame, buyers: pl.DataFrame, tables: _Tables) -> pl.DataFrame:
    """What each gap rests on: its neighbours that are here, its buyers, the needs that name it, its one maker."""
    schema = results()["gap_evidence"].polars
    near = sides.filter(pl.col("makers") > 0).select(list(schema))
    alone = tables.makers.join(ranked.filter(makers=1), on="product_id", how="semi")
    others = [("need", tables.asked, "need_id"), ("buyer", buyers, "org_id"), ("maker", alone, "org_id")]
    rows = [near]
    for side, table, column in others:
        rows.append(
            table.select(
                "product_id",
                side=pl.lit(side),
                other_id=column,
                weight=pl.lit(None, pl.Float64),
                makers=pl.lit(None, pl.Int64),
            )
        )
    found = pl.concat(rows).join(ranked.select("product_id"), on="product_id", how="semi")
    return found.sort("product_id", "side", "other_id")
