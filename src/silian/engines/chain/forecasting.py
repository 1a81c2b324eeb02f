"""Which blanks will fill: the chance of every place to get every activity that it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from silian.engines import _inputs
from silian.engines.chain._hazard import History, Relation, learnt, terms
from silian.errors import ArgumentError, TableError
from silian.tables.schema import chain as schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The tables of a forecast, checked."""

    presence: pl.DataFrame  # place, activity, year
    links: pl.DataFrame  # activity, other, kind, weight
    catalogue: pl.Series  # activities that are known beforehand


def forecast(
    presence: pl.DataFrame,
    *,
    until: int,
    horizon: int = 5,
    links: pl.DataFrame | None = None,
    activities: pl.Series | None = None,
    parts: bool = False,
) -> pl.DataFrame:
    """Estimate for every blank the chance that it fills within some years.

    Parameters
    ----------
    presence : place, activity, year; one row for each arrival, such as a firm and the year it was founded or listed
        The same place, activity and year may stand several times: several firms. What has arrived stays. An empty place
        means that it is not known: the row tells of its activity only. A year without rows is one without arrivals.
        Rows after `until` are left out before anything else, so they change nothing.
    until : the last year that is known
    horizon : years after `until` that the chance is for, >= 1
    links : activity, other[, kind][, weight]; what hangs together
        A kind that begins with "group" says that the activity belongs to the group `other` (a class, a chain); each
        such kind is a level of its own. Any other kind links two activities, such as an input with what is made of it,
        and counts in both directions apart. weight > 0, 1 where empty; not used for groups.
    activities : ids that are known though nobody may have them yet; without it, what nobody has by `until` has no row
    parts : also give what the chance is made of

    Returns
    -------
    forecast : place, activity, probability; one row for each place known by `until` and each activity that it lacks,
        sorted by place, activity. With `parts`, by_place, by_activity and by_relatedness too: what each adds to the
        logarithm of the yearly rate, beside the mean blank.

    Raises
    ------
    TableError : table.columns, table.type, table.value (an empty activity or year; a weight not above 0),
        table.duplicate (a link twice), chain.empty (no place by `until`), chain.history (no blank was open before)
    ArgumentError : argument.value

    Notes
    -----
    A blank fills at the yearly rate level · exp(Σ w_k (x_k - mean x_k)); the chance is 1 - exp(-horizon · rate). The
    x_k are logarithms: recent arrivals in the place and its size, recent arrivals of the activity anywhere and all of
    them, how much more of what is related is here than the place's size tells (proximity, each kind of group, each
    direction of each kind of link). The w_k are a Poisson regression on what happened year by year up to `until`, with
    a prior near a law of gravity and a short memory. Deterministic. Splits: no.
    Cost: 31 places × 290 activities 0.06 s; 250 × 5,000, a million blanks, 13 s and 0.8 GiB (bench_forecast).
    Source: docs/methods/chain-forecast.md.

    Examples
    --------
    >>> presence = pl.DataFrame({"place": ["a", "a", "a", "b", "b", "c"],
    ...                          "activity": ["rice", "steel", "chips", "rice", "steel", "rice"],
    ...                          "year": [2001, 2002, 2004, 2002, 2004, 2003]})
    >>> forecast(presence, until=2004, horizon=3).with_columns(pl.col("probability").round(2)).rows()
    [('b', 'chips', 0.9), ('c', 'chips', 0.66), ('c', 'steel', 0.74)]
    """
    if horizon < 1:
        raise ArgumentError("argument.value", name="horizon", found=horizon, wanted="1 or more years")
    history, places, ids = history_of(checked(presence, links, activities), until)
    rates = learnt(history, until)
    blanks = history.blanks(until)
    rows = terms(history, until).of(blanks)
    place, activity = np.nonzero(blanks)
    found = pl.DataFrame(
        {
            "place": places.gather(place),
            "activity": ids.gather(activity),
            "probability": rates.chance(rows, horizon),
        }
    )
    if parts:
        found = found.with_columns(**_parts(rates.names, rates.parts(rows)))
    wanted = schema()["forecast"].polars
    return found.select(pl.col(c).cast(wanted[c]) for c in found.columns)


def code_groups(activities: pl.Series, digits: Sequence[int] = (2, 4)) -> pl.DataFrame:
    """Links of activities to the groups that their codes begin with, for classes whose codes nest.

    Parameters
    ----------
    activities : ids such as GB/T 4754 codes
    digits : characters of the code that make a group, each a level

    Returns
    -------
    links : activity, other, kind ("group of 2", …), one row for each activity and level; codes as short as the level
        have none

    Examples
    --------
    >>> code_groups(pl.Series(["C2611", "C2710"]), digits=(1, 3)).rows()  # doctest: +NORMALIZE_WHITESPACE
    [('C2611', 'C', 'group of 1'), ('C2710', 'C', 'group of 1'), ('C2611', 'C26', 'group of 3'),
     ('C2710', 'C27', 'group of 3')]
    """
    ids = pl.DataFrame({"activity": activities.cast(pl.String).unique().sort()})
    levels = [
        ids.filter(pl.col("activity").str.len_chars() > n).with_columns(
            other=pl.col("activity").str.slice(0, n), kind=pl.lit(f"group of {n}")
        )
        for n in digits
    ]
    return pl.concat(levels) if levels else ids.with_columns(other=pl.lit(""), kind=pl.lit("")).clear()


# ── tables as they come in ──────────────────────────────────────────────────────────────────────────────────────────


def checked(presence: pl.DataFrame, links: pl.DataFrame | None, activities: pl.Series | None) -> Arrivals:
    """The tables with their columns, types and values; raises what `forecast` raises of them."""
    rows = _inputs.columns(presence, "presence", {"activity": "id", "year": "count"}, nullable={"place": "id"})
    catalogue = pl.Series([], dtype=pl.String) if activities is None else activities.cast(pl.String).drop_nulls()
    if links is None:
        none = {"activity": pl.String, "other": pl.String, "kind": pl.String, "weight": pl.Float64}
        return Arrivals(rows, pl.DataFrame(schema=none), catalogue)
    key: dict[str, _inputs.Kind] = {"activity": "id", "other": "id"}
    linked = _inputs.columns(links, "links", key, optional={"kind": "id", "weight": "number"})
    linked = linked.with_columns(pl.col("kind").fill_null("link"), pl.col("weight").fill_null(1.0))
    bad = ~pl.col("weight").is_finite() | (pl.col("weight") <= 0)
    _inputs.refuse(linked, "links", "weight", bad, found="not above 0", wanted="a weight above 0, or empty")
    _inputs.refuse_duplicates(linked, "links", ["activity", "other", "kind"])
    return Arrivals(rows, linked, catalogue)


def history_of(given: Arrivals, until: int) -> tuple[History, pl.Series, pl.Series]:
    """What was known by that year, with the ids of its places and activities."""
    rows = given.presence.filter(pl.col("year") <= until)
    if rows["place"].null_count() == rows.height:
        raise TableError("chain.empty", table=f"presence, up to {until}," if given.presence.height else "presence")
    places = rows["place"].drop_nulls().unique().sort()
    activities = pl.concat([rows["activity"], given.catalogue.rename("activity")]).unique().sort()
    history = History(
        place=_codes(rows["place"], places),
        activity=_codes(rows["activity"], activities),
        year=rows["year"].to_numpy().astype(np.int64),
        shape=(places.len(), activities.len()),
        always=activities.is_in(given.catalogue.implode()).to_numpy(),
        relations=tuple(_relations(given.links, activities)),
    )
    return history, places, activities


def _codes(values: pl.Series, known: pl.Series) -> NDArray[np.int64]:
    """Places of the values among the known, -1 where there is none."""
    return values.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()


def _relations(links: pl.DataFrame, activities: pl.Series) -> list[Relation]:
    """The kinds of links by name; what is not among the activities says nothing."""
    found, size = [], activities.len()
    for (kind,), rows in links.sort("kind", "activity", "other").partition_by("kind", as_dict=True).items():
        activity = _codes(rows["activity"], activities)
        if str(kind).startswith("group"):
            groups = rows["other"].unique().sort()
            inside = activity >= 0
            member = csr_array(
                (np.ones(inside.sum()), (activity[inside], _codes(rows["other"], groups)[inside])),
                shape=(size, groups.len()),
            )
            found.append(Relation(str(kind), _without_self(member @ member.T)))
            continue
        other = _codes(rows["other"], activities)
        inside = (activity >= 0) & (other >= 0)
        cells = rows["weight"].to_numpy()[inside], (activity[inside], other[inside])
        near = _without_self(csr_array(cells, shape=(size, size)))
        found += [Relation(f"{kind}, to", near), Relation(f"{kind}, from", csr_array(near.T))]
    return found


def _without_self(near: csr_array) -> csr_array:
    kept = near.tocoo()
    other = kept.row != kept.col
    return csr_array((kept.data[other], (kept.row[other], kept.col[other])), shape=near.shape)


def _parts(names: tuple[str, ...], added: Matrix) -> dict[str, pl.Series]:
    """What place, activity and relatedness add to the logarithm of the rate."""
    side = np.array([name.split("_")[0] if name.startswith(("place_", "activity_")) else "related" for name in names])
    columns = {"by_place": "place", "by_activity": "activity", "by_relatedness": "related"}
    return {column: pl.Series(added[:, side == one].sum(axis=1)) for column, one in columns.items()}
