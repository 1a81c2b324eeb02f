"""What filling a gap, or losing a firm, would do to the chains of a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.engines import _inputs
from silian.engines.chain import given
from silian.engines.chain.gaps import KINDS, GapWeights, gaps
from silian.errors import ArgumentError
from silian.tables.schema import chain as chain_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.engines.chain.gaps import Gaps

Measure = Callable[[pl.DataFrame], float]
SAME: Final = 1e-12  # scores nearer than this are one


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a change would do: every gap that it touches, and the figures before and after."""

    gaps: (
        pl.DataFrame
    )  # product_id, change, kind_before, kind_after, score_before, score_after; the largest shift first
    figures: pl.DataFrame  # figure, before, after
    before: Gaps
    after: Gaps


def what_if(
    makes: pl.DataFrame,
    product_links: pl.DataFrame,
    needs: pl.DataFrame,
    *,
    products: pl.DataFrame,
    fill: pl.DataFrame | None = None,
    lose: Sequence[str] = (),
    elsewhere: pl.DataFrame | None = None,
    supplies: pl.DataFrame | None = None,
    weights: GapWeights | None = None,
    complexity: pl.DataFrame | Measure | None = None,
) -> WhatIf:
    """Compare the gaps of a region with those after firms begin to make something, or leave.

    Parameters
    ----------
    makes, product_links, needs, products, elsewhere, supplies, weights : as in `gaps`
    fill : org_id, product_id[, share]; what is made here from now on besides; who makes it may be new
    lose : organisations that make nothing here any more; nothing is bought from them or by them
    complexity : product_id, pci: the figure is the mean of what is made here and known; or a function from makes to a
        number. Without it the figure is empty.

    Returns
    -------
    WhatIf : gaps (product_id, change: opened, closed, turned (another kind) or moved (another score), kind_before,
        kind_after, score_before, score_after; by the shift of the score, the largest first, then product_id);
        figures (figure, before, after: organisations that make something, products made here or a kind of them, gaps of
        each kind, the sum of their scores, complexity); before and after as `gaps` gives them.

    Raises
    ------
    TableError : as `gaps`; table.unknown if fill names a product that `products` lacks
    ArgumentError : argument.value if nothing is filled or lost, or an organisation to lose makes nothing here

    Notes
    -----
    Filling closes the gap and may open others: what was out of reach can become a break between the new product and
    the next, and the new product is a single point if others buy it. Losing a firm may open every kind and close some.
    Filling never opens a blank, losing never closes one but into a break. Cost: twice that of `gaps`.
    Source: docs/methods/chain.md.

    Examples
    --------
    >>> products = pl.DataFrame({"product_id": ["ore", "steel", "gear"]})
    >>> links = pl.DataFrame({"upstream_id": ["ore", "steel"], "downstream_id": ["steel", "gear"],
    ...                       "kind": ["material", "material"]})
    >>> makes = pl.DataFrame({"org_id": ["o1", "o2"], "product_id": ["ore", "gear"]})
    >>> needs = pl.DataFrame(schema={"need_id": pl.String})
    >>> new = pl.DataFrame({"org_id": ["o3"], "product_id": ["steel"]})
    >>> done = what_if(makes, links, needs, products=products, fill=new)
    >>> done.gaps.select("product_id", "change", "kind_before", "kind_after").rows()
    [('steel', 'turned', 'break', 'single'), ('ore', 'opened', None, 'single')]
    """
    checked = given.checked_makes(makes, None)
    changed = _changed(checked, fill, lose)
    bought = supplies
    if supplies is not None and lose:
        bought = supplies.filter(~pl.col("org_id").is_in(list(lose)), ~pl.col("supplier_id").is_in(list(lose)))
    common = {"products": products, "elsewhere": elsewhere, "weights": weights}
    before = gaps(checked, product_links, needs, supplies=supplies, **common)  # type: ignore[arg-type]
    after = gaps(changed, product_links, needs, supplies=bought, **common)  # type: ignore[arg-type]
    links = given.checked_links(product_links, None)
    figures = [_figures(made, found, links, complexity) for made, found in ((checked, before), (changed, after))]
    schema = chain_tables()["what_if_figures"].polars
    rows = [(name, value, figures[1][name]) for name, value in figures[0].items()]
    return WhatIf(_shifted(before.gaps, after.gaps), pl.DataFrame(rows, schema=schema, orient="row"), before, after)


def _changed(makes: pl.DataFrame, fill: pl.DataFrame | None, lose: Sequence[str]) -> pl.DataFrame:
    """Who makes what after the change."""
    unknown = sorted(set(lose) - set(makes["org_id"]))
    if unknown:
        raise ArgumentError("argument.value", name="lose", found=unknown, wanted="organisations that make something")
    left = makes.filter(~pl.col("org_id").is_in(list(lose)))
    if fill is None or fill.is_empty():
        if not lose:
            raise ArgumentError("argument.value", name="fill", found="nothing", wanted="a product, or a firm to lose")
        return left
    new = given.checked_makes(fill, None, "fill")
    return pl.concat([left, new.join(left, on=["org_id", "product_id"], how="anti")])


def _figures(
    makes: pl.DataFrame, found: Gaps, links: pl.DataFrame, complexity: pl.DataFrame | Measure | None
) -> dict[str, float | None]:
    here = given.makers(makes, links)
    counts = dict(found.gaps.group_by("kind").len().rows())
    return {
        "organisations": float(makes["org_id"].n_unique()),
        "products": float(here["product_id"].n_unique()),
        **{kind: float(counts.get(kind, 0)) for kind in KINDS},
        "score": float(found.gaps["score"].sum()),
        "complexity": _complexity(makes, here, complexity),
    }


def _complexity(makes: pl.DataFrame, here: pl.DataFrame, complexity: pl.DataFrame | Measure | None) -> float | None:
    if complexity is None:
        return None
    if not isinstance(complexity, pl.DataFrame):
        return float(complexity(makes))
    known = _inputs.columns(complexity, "complexity", {"product_id": "id", "pci": "number"})
    _inputs.refuse_duplicates(known, "complexity", ["product_id"])
    mean = known.join(here, on="product_id", how="semi").sort("product_id")["pci"].mean()
    return None if mean is None else float(mean)  # type: ignore[arg-type]


def _shifted(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Every gap that is not what it was."""
    was, now = (table.select("product_id", "kind", "score") for table in (before, after))
    both = was.join(now, on="product_id", how="full", coalesce=True, suffix="_after")
    both = both.rename({"kind": "kind_before", "score": "score_before"})
    shift = pl.col("score_after").fill_null(0.0) - pl.col("score_before").fill_null(0.0)
    change = (
        pl.when(pl.col("kind_before").is_null())
        .then(pl.lit("opened"))
        .when(pl.col("kind_after").is_null())
        .then(pl.lit("closed"))
        .when(pl.col("kind_before") != pl.col("kind_after"))
        .then(pl.lit("turned"))
        .when(shift.abs() > SAME)
        .then(pl.lit("moved"))
    )
    touched = both.with_columns(change=change, shift=shift.abs().round(12)).drop_nulls("change")
    order = touched.sort(["shift", "product_id"], descending=[True, False])
    return order.select(pl.col(c).cast(t) for c, t in chain_tables()["what_if_gaps"].polars.items())
