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
    matches: pl.DataFrame | None = None,
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
    matches : product_id, noun (achievement or expert), target_id, score in [0, 1]; what matches the gap itself
    top_k : so many of each list a gap, >= 1
    weights : of the parts of the nearness of two products

    Returns
    -------
    product_id, noun, filler_id, rank, score, reason, evidence, likeness, like_id; sorted by product_id, noun, reason,
    rank
        makes_related: score is the nearness of the nearest product that the organisation makes, evidence that product
        and the neighbours that both share (the five rarest); makes_elsewhere: score 1, those most like a firm here
        first, then the largest share, evidence the product or the kind of it that the organisation makes, likeness in
        [0, 1] to the firm like_id here (empty where nothing is alike); answers_need: score of the best pair with a
        need that names the gap, evidence those needs; matches_gap: score of the match, where no need that names the
        gap brought the same one. rank counts within one gap, noun and reason; ties by filler_id.
        An organisation that makes the gap elsewhere is not listed again as one that makes a related product, nor is
        one that makes the gap here already.

    Raises
    ------
    TableError : table.columns, table.type, table.value, table.duplicate as in `gaps`
    ArgumentError : argument.value if top_k is below 1, or the weights are negative or do not add up to 1

    Notes
    -----
    Nearness of two products = w_s · cosine + w_l · [linked] + w_g · [one segment]. The cosine is that of their
    neighbours: inputs, products made of them, and what they are kinds of; each neighbour weighs 1 / log2(1 + n), n
    being the number of products that have it on that side (Adamic–Adar), so steel says less than a rare alloy.
    Likeness of two firms = cosine of what they make, and of what that is a kind of, weighted in the same way.
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
    far = _elsewhere(wanted, made, links, elsewhere)
    own = given.makers(made, links).select("product_id", filler_id="org_id")
    near = _related(wanted, made, links, catalogue, weights)
    for others in (far, own):
        near = near.join(others, on=["product_id", "filler_id"], how="anti")
    lists = [near, far]
    for noun, name, pairs in (
        ("achievement", "achievement_pairs", achievement_pairs),
        ("expert", "expert_pairs", expert_pairs),
    ):
        answers = _answering(asked, pairs, name, noun)
        lists += [answers, _matching(wanted, matches, noun).join(answers, on=["product_id", "filler_id"], how="anti")]
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("product_id", "noun", "reason")
    ranked = (
        pl.concat(lists)
        .sort(
            *("product_id", "noun", "reason", "order", "then", "filler_id"),
            descending=[False, False, False, True, True, False],
        )
        .with_columns(rank=place)
        .filter(pl.col("rank") <= top_k)
    )
    told = _shared_neighbours(ranked, links)
    return told.select(list(results()["gap_fillers"].polars))


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


_FILLER: Final = (
    *("product_id", "noun", "filler_id", "score", "reason", "evidence"),
    *("likeness", "like_id", "order", "then"),  # the last two rank the rows of one list
)
_UNLIKE: Final = {"likeness": pl.lit(None, pl.Float64), "like_id": pl.lit(None, pl.String), "then": pl.lit(0.0)}


def _elsewhere(
    wanted: pl.DataFrame, made: pl.DataFrame, links: pl.DataFrame, elsewhere: pl.DataFrame | None
) -> pl.DataFrame:
    """Makers of a gap, or of a kind of it, outside the region."""
    if elsewhere is None:
        elsewhere = pl.DataFrame(schema={"org_id": pl.String, "product_id": pl.String})
    far = given.checked_makes(elsewhere, None, "elsewhere")
    down = links.filter(kind="kind_of").select(product_id="downstream_id", to="upstream_id")
    kinds = given.closure(wanted.select(who="product_id", product_id="product_id"), down)
    found = kinds.join(far, on="product_id").sort("who", "org_id", "share", "product_id", nulls_last=True)
    best = found.group_by("who", "org_id", maintain_order=True).agg(
        pl.col("share").max().fill_null(0.0), pl.col("product_id").first()
    )
    alike = _likeness(far.join(best, on="org_id", how="semi"), made, links)
    listed = best.join(alike, on="org_id", how="left", maintain_order="left").select(
        "likeness",
        "like_id",
        product_id="who",
        noun=pl.lit("organisation"),
        filler_id="org_id",
        score=pl.lit(1.0),
        reason=pl.lit("makes_elsewhere"),
        evidence="product_id",
        order=pl.col("likeness").fill_null(0.0),
        then="share",
    )
    return listed.select(_FILLER)


def _likeness(far: pl.DataFrame, made: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """org_id, likeness, like_id: the firm here that makes most nearly the same as each firm elsewhere."""
    both = [given.makers(table, links).select("org_id", "product_id") for table in (far, made)]
    worth = pl.concat(both).group_by("product_id").agg(worth=1 / (1 + pl.len()).log(2))
    vectors = []
    for table in both:
        weighed = table.join(worth, on="product_id").sort("org_id", "product_id")
        length = pl.col("worth").sum().over("org_id").sqrt()
        vectors.append(weighed.select("org_id", "product_id", part=pl.col("worth").sqrt() / length))
    shared = vectors[0].join(vectors[1].rename({"org_id": "like_id"}), on="product_id").sort("product_id")
    alike = shared.group_by("org_id", "like_id", maintain_order=True).agg(
        likeness=(pl.col("part") * pl.col("part_right")).sum().clip(0.0, 1.0).round(12)
    )
    best = alike.sort(["org_id", "likeness", "like_id"], descending=[False, True, False])
    return best.unique("org_id", keep="first", maintain_order=True).select("org_id", "likeness", "like_id")


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
        **_UNLIKE,
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
        **_UNLIKE,
    )
    return listed.select(_FILLER)


def _matching(wanted: pl.DataFrame, matches: pl.DataFrame | None, noun: str) -> pl.DataFrame:
    """Achievements or experts that match the gap itself."""
    key: dict[str, _inputs.Kind] = {"product_id": "id", "noun": "id", "target_id": "id"}
    if matches is None:
        matches = pl.DataFrame(schema=dict.fromkeys(key, pl.String) | {"score": pl.Float64})
    pairs = _inputs.columns(matches, "matches", {**key, "score": "number"})
    _inputs.refuse_duplicates(pairs, "matches", list(key))
    listed = (
        pairs.filter(noun=noun)
        .join(wanted, on="product_id", how="semi")
        .select(
            *("product_id", "score", "noun"),
            filler_id="target_id",
            reason=pl.lit("matches_gap"),
            evidence="product_id",
            order="score",
            **_UNLIKE,
        )
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
