"""The product space as nodes and links with places on paper, and the matrix of places and activities in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from silian.engines.chain import _placing
from silian.engines.chain.complexity import Complexity, complexity, proximity
from silian.errors import ArgumentError
from silian.tables.schema import chain as schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.chain._placing import Links

Order = Literal["complexity", "nested"]
MOST: Final = 120  # activities that are drawn one by one
GROUPS: Final = 60  # nodes of a larger space
ROWS: Final = 60  # rows of a matrix; more places are put together
COLUMNS: Final = 120  # columns of a matrix; more activities are put together
STRONG: Final = 0.55  # proximity from which a link is drawn beside the tree (Hidalgo and others 2007)


@dataclass(frozen=True, slots=True)
class Space:
    """The tables `space_activities`, `space_nodes`, `space_links`, `space_cells` and `space_places`."""

    activities: pl.DataFrame
    nodes: pl.DataFrame
    links: pl.DataFrame
    places: pl.DataFrame
    cells: pl.DataFrame


def space(
    presence_or_value: pl.DataFrame,
    *,
    year: int | None = None,
    place: str | None = None,
    order: Order = "complexity",
    most: int = MOST,
    strong: float = STRONG,
    least_advantage: float = 1.0,
) -> Space:
    """The product space and the matrix place × activity of one year, small enough to be read.

    Parameters
    ----------
    presence_or_value : as `complexity` takes it
    year : the year that is drawn; the last one where None
    place : whose activities are counted as here; none where None
    order : of the matrix: complexity (places by falling ECI, activities by rising PCI) or nested (places by falling
        diversity, activities by falling ubiquity)
    most : activities drawn one by one, >= 1; more are put together into at most 60 groups
    strong : proximity in [0, 1] from which a link is kept beside the tree
    least_advantage : as in `complexity`

    Returns
    -------
    Space : activities (the node of each), nodes (with places on paper in [0, 1], y downwards), links (the tree, and
        the strongest others, up to two a node in all), places (in the order of the matrix), cells (pairs that are
        there; at most 60 × 120, larger matrices in equal bins)

    Raises
    ------
    TableError, ArgumentError : as `complexity`; argument.value also for a year or a place that the table lacks

    Notes
    -----
    An activity that no place has is left out of the space, not of the matrix. Ties go by id, so the same table gives
    the same picture. Cost: 3,000 activities in 200 places about 10 s on a shared core; O(a²) in pairs that go together.
    Source: docs/methods/complexity.md.

    Examples
    --------
    >>> rows = [("a", "rice"), ("a", "steel"), ("a", "chips"), ("b", "rice"), ("b", "steel"), ("c", "rice")]
    >>> drawn = space(pl.DataFrame(rows, schema=["place", "activity"], orient="row"), place="b")
    >>> drawn.links.select("activity", "other", pl.col("proximity").round(2), "is_tree").rows()
    [('rice', 'steel', 0.67, True), ('chips', 'steel', 0.5, True)]
    >>> drawn.nodes.filter(pl.col("here") > 0)["activity"].to_list()
    ['rice', 'steel']
    """
    if most < 1 or not 0 <= strong <= 1 or order not in ("complexity", "nested"):
        name, value = ("most", most) if most < 1 else ("order", order) if 0 <= strong <= 1 else ("strong", strong)
        raise ArgumentError("argument.value", name=name, found=value, wanted="1 or more; complexity, nested; a share")
    rows = _of_year(presence_or_value, year)
    found = complexity(rows, least_advantage=least_advantage)
    if place is not None and place not in found.places["place"]:
        raise ArgumentError("argument.value", name="place", found=repr(place), wanted="a place of the table")
    listed = _activities(rows, found, place)
    near = _pairs(listed["activity"], proximity(rows, least_advantage=least_advantage))
    if listed.height > most:
        node = _placing.groups(listed.height, near, GROUPS)
        near, strong = _placing.between(node, near), 0.0
    else:
        node = np.arange(listed.height)
    links, is_tree = _placing.kept(int(node.max(initial=-1)) + 1, near, strong)
    listed = listed.with_columns(node=pl.Series(node + 1, dtype=pl.Int64))
    nodes = _nodes(listed, _placing.placed(int(node.max(initial=-1)) + 1, links, is_tree))
    places, cells = _matrix(found, order)
    return Space(*(_shaped(n, t) for n, t in (
        ("activities", listed), ("nodes", nodes), ("links", _links(nodes, links, is_tree)), ("places", places),
        ("cells", cells),
    )))  # fmt: skip


def _of_year(rows: pl.DataFrame, year: int | None) -> pl.DataFrame:
    """The rows of one year; a table without years is one year."""
    if "year" not in rows.columns:
        if year is not None:
            raise ArgumentError("argument.value", name="year", found=year, wanted="none: the table has no years")
        return rows
    if rows.is_empty() or not rows.schema["year"].is_integer():
        return rows  # `complexity` says what is wrong
    known = rows["year"].drop_nulls()
    if year is not None and year not in known:
        raise ArgumentError(
            "argument.value", name="year", found=year, wanted=f"one of {known.unique().sort().to_list()}"
        )
    return rows.filter(pl.col("year") == (known.max() if year is None else year))


def _activities(rows: pl.DataFrame, found: Complexity, place: str | None) -> pl.DataFrame:
    """activity, ubiquity, pci, amount, is_here: of those that some place has, by id."""
    amount = pl.col("value").sum().cast(pl.Float64) if "value" in rows.columns else pl.lit(None, pl.Float64)
    amounts = rows.group_by(pl.col("activity").cast(pl.String)).agg(amount=amount.first())
    here = found.pairs.filter(pl.col("is_present"), pl.col("place") == (place or "")).select(
        "activity", is_here=pl.lit(value=place is not None)
    )
    of = found.activities.filter(pl.col("ubiquity") > 0).select("activity", "ubiquity", "pci")
    joined = of.join(amounts, on="activity", how="left").join(here, on="activity", how="left").sort("activity")
    return joined.with_columns(is_here=pl.col("is_here").fill_null(value=False) if place else pl.lit(None, pl.Boolean))


def _pairs(ids: pl.Series, near: pl.DataFrame) -> Links:
    """The proximities by number of the activity."""
    at = pl.Enum(ids)
    first, other = (near[c].cast(at).to_physical().cast(pl.Int64).to_numpy() for c in ("activity", "other"))
    return first, other, near["proximity"].to_numpy()


def _nodes(listed: pl.DataFrame, at: NDArray[np.float64]) -> pl.DataFrame:
    """One row a node, named after its most widespread activity."""
    by = listed.sort("ubiquity", "activity", descending=[True, False]).group_by("node").agg(
        pl.col("activity").first(),
        activities=pl.len(),
        here=pl.col("is_here").sum() if listed["is_here"].count() else pl.lit(None, pl.Int64),
        ubiquity=pl.col("ubiquity").mean(),
        pci=pl.col("pci").mean(),
        amount=pl.col("amount").sum() if listed["amount"].count() else pl.lit(None, pl.Float64),
    )  # fmt: skip
    return by.sort("node").with_columns(x=pl.Series(at[:, 0]), y=pl.Series(at[:, 1]))


def _links(nodes: pl.DataFrame, links: Links, is_tree: NDArray[np.bool_]) -> pl.DataFrame:
    first, other, near = links
    names = nodes["activity"]
    return pl.DataFrame(
        {
            "node": first + 1,
            "other_node": other + 1,
            "activity": names.gather(first.tolist()),
            "other": names.gather(other.tolist()),
            "proximity": near,
            "is_tree": is_tree,
        }
    )


def _matrix(found: Complexity, order: Order) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The places in order with their row, and the cells: pairs there and pairs in all."""
    by_place, by_activity = ("eci", "pci") if order == "complexity" else ("diversity", "ubiquity")
    places = found.places.sort(by_place, "diversity", "place", descending=[True, True, False], nulls_last=True)
    falls = order == "nested"
    activities = found.activities.sort(
        by_activity, "ubiquity", "activity", descending=[falls, True, False], nulls_last=True
    )
    places = places.select("place", "diversity", "eci").with_columns(row=_bins(places.height, ROWS))
    columns = activities.select("activity").with_columns(column=_bins(activities.height, COLUMNS))
    pairs = found.pairs.filter(pl.col("is_present")).join(places, on="place").join(columns, on="activity")
    there = pairs.group_by("row", "column").agg(present=pl.len())
    rows = places.group_by("row").agg(
        first_place=pl.col("place").first(), last_place=pl.col("place").last(), places=pl.len()
    )
    tops = columns.group_by("column").agg(
        first_activity=pl.col("activity").first(), last_activity=pl.col("activity").last(), activities=pl.len()
    )
    cells = rows.join(tops, how="cross").join(there, on=["row", "column"], how="left")
    return places, cells.with_columns(pl.col("present").fill_null(0)).sort("row", "column")


def _bins(count: int, most: int) -> pl.Series:
    """Numbers from 1: one each, or equal shares of the order."""
    wide = min(count, most)
    return pl.Series(np.arange(count) * wide // max(count, 1) + 1, dtype=pl.Int64)


def _shaped(name: str, table: pl.DataFrame) -> pl.DataFrame:
    return table.select(pl.col(c).cast(t) for c, t in schema()[f"space_{name}"].polars.items())
