"""Who could fill a gap of a chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.chain import given
from silian.errors import ArgumentError
from silian.tables.schema import results

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class NearWeights:
    """How much each part of the nearness of two products may give; they add up to 1."""

    shared: float = 0.6  # cosine of their neighbours
    linked: float = 0.2  # one is an input, or a kind, of the other
    segment: float = 0.2  # of one segment of one chain


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
    given.check_weights("weights", weights)
    if top_k < 1:
        raise ArgumentError("argument.value", name="top_k", found=top_k, wanted="1 or more")
    wanted = _inputs.columns(gaps, "gaps", {"product_id": "id"}).unique().sort("product_id")
    links = given.checked_links(product_links, None)
    made = given.checked_makes(makes, None)
    asked = given.checked_needs(needs, None).join(wanted, on="product_id", how="semi")
    catalogue = wanted.head(0) if products is None else products
    catalogue = given.checked_products(catalogue)
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


_FILLER: Final = ("product_id", "noun", "filler_id", "score", "reason", "evidence", "order")


def _elsewhere(wanted: pl.DataFrame, links: pl.DataFrame, elsewhere: pl.DataFrame | None) -> pl.DataFrame:
    """Makers of a gap, or of a kind of it, outside the region."""
    if elsewhere is None:
        elsewhere = pl.DataFrame(schema={"org_id": pl.String, "product_id": pl.String})
    far = _inputs.columns(elsewhere, "elsewhere", {"org_id": "id", "product_id": "id"}, optional={"share": "number"})
    _inputs.refuse_duplicates(far, "elsewhere", ["org_id", "product_id"])
    down = links.filter(kind="kind_of").select(product_id="downstream_id", to="upstream_id")
    kinds = given.closure(wanted.select(who="product_id", product_id="product_id"), down)
    found = kinds.join(far, on="product_id").sort("who", "org_id", "share", "product_id", nulls_last=True)
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
    known = pl.concat([given.sides(links).select("product_id", "side", "other_id"), kinds])
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
