"""Hard conditions: who may come out at all, apart from how near they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian import text
from silian.engines import _inputs
from silian.engines.match._checks import check_number
from silian.engines.match.whereabouts import EARTH_KM, kilometres
from silian.engines.match.why import tests_of
from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from datetime import date

    from silian.engines.match.index import Index

TEXTS: Final = pl.List(pl.String())
# column of needs, of targets: what conditions look at; a table may lack any of them
NEED_FACTS: Final = {
    "trl_wanted": pl.Float64(),
    "budget_cny": pl.Float64(),
    "deadline_on": pl.Date(),
    "district_id": pl.String(),
    "qualifications_wanted": TEXTS,
    "longitude": pl.Float64(),
    "latitude": pl.Float64(),
    "not_wanted": TEXTS,
}
TARGET_FACTS: Final = {
    "trl": pl.Float64(),
    "price_cny": pl.Float64(),
    "valid_until_on": pl.Date(),
    "district_id": pl.String(),
    "ip_status": pl.String(),
    "qualifications": TEXTS,
    "longitude": pl.Float64(),
    "latitude": pl.Float64(),
}
REASONS: Final = (
    *("trl", "budget", "deadline", "validity", "district", "ip_status"),
    *("qualification", "distance", "not_wanted", "excluded"),
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a target must meet for a need; the default asks for nothing.

    A fact that a need or target does not state meets every condition: conditions keep out what is known not to fit.

    Examples
    --------
    >>> from datetime import date
    >>> Conditions(on=date(2025, 6, 1), same_district=True).max_trl_gap is None
    True
    """

    max_trl_gap: int | None = None  # levels by which a target's TRL may fall short of trl_wanted; 0 is none
    within_budget: bool = False  # price_cny <= budget_cny
    on: date | None = None  # this day is neither after deadline_on of the need nor after valid_until_on of the target
    same_district: bool = False  # district_id is the same
    ip_status: tuple[str, ...] = ()  # allowed states; empty allows all
    qualified: bool = False  # qualifications of the target hold all qualifications_wanted
    max_km: float | None = None  # great-circle distance at most, by longitude and latitude
    not_wanted: bool = False  # an achievement does not say all words of one of the need's not_wanted

    def __post_init__(self) -> None:
        for name, value, unit in (("max_trl_gap", self.max_trl_gap, "levels"), ("max_km", self.max_km, "km")):
            if value is not None and not value >= 0:
                raise ArgumentError("argument.value", name=name, found=value, wanted=f"0 or more {unit}, or None")

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked."""
        return self == Conditions()


def facts(given: pl.DataFrame, name: str, wanted: dict[str, pl.DataType]) -> pl.DataFrame:
    """The columns that conditions look at, null where the table has none."""
    columns = []
    for column, kind in wanted.items():
        if column not in given.columns:
            columns.append(pl.repeat(None, given.height, dtype=kind).alias(column))
            continue
        found = given.schema[column]
        if kind.is_numeric():
            check_number(given, name, column)
        elif found not in (kind, pl.Null, *((pl.List(pl.Null),) if kind == TEXTS else ())):
            raise TableError("table.type", table=name, column=column, found=found, wanted=kind)
        columns.append(pl.col(column).cast(kind))
    return given.select(columns)


class _Sides:
    """Needs and targets as arrays that broadcast: row by row, or all against all."""

    def __init__(self, needs: pl.DataFrame, targets: pl.DataFrame, *, by_pair: bool) -> None:
        self.needs, self.targets = needs, targets
        self._down: Any = ... if by_pair else np.s_[:, None]
        self._across: Any = ... if by_pair else np.s_[None, :]
        self.shape = (needs.height,) if by_pair else (needs.height, targets.height)

    def left(self, values: np.ndarray) -> np.ndarray:
        """Values of the needs."""
        return np.asarray(values[self._down])

    def right(self, values: np.ndarray) -> np.ndarray:
        """Values of the targets."""
        return np.asarray(values[self._across])

    def numbers(self, need: str, target: str) -> tuple[np.ndarray, np.ndarray]:
        """A column of each; NaN for null: comparing with NaN is false, so what is unknown fails nothing."""
        return self.left(_numbers(self.needs[need])), self.right(_numbers(self.targets[target]))


def failing(
    conditions: Conditions, needs: pl.DataFrame, targets: pl.DataFrame, *, by_pair: bool = False
) -> dict[str, np.ndarray]:
    """Reason → bool array, true where the condition is not met. Only reasons that are asked; texts are not looked at.

    needs, targets: NEED_FACTS, TARGET_FACTS. by_pair: row i of needs against row i of targets, shape (n,); else all
    against all, (needs, targets).
    """
    sides = _Sides(needs, targets, by_pair=by_pair)
    found: dict[str, np.ndarray] = {}
    if conditions.max_trl_gap is not None:
        wanted, has = sides.numbers("trl_wanted", "trl")
        found["trl"] = has < wanted - conditions.max_trl_gap
    if conditions.within_budget:
        budget, price = sides.numbers("budget_cny", "price_cny")
        found["budget"] = price > budget
    if conditions.on is not None:
        closed, lapsed = (
            _before(column, conditions.on) for column in (needs["deadline_on"], targets["valid_until_on"])
        )
        found["deadline"] = np.broadcast_to(sides.left(closed), sides.shape)
        found["validity"] = np.broadcast_to(sides.right(lapsed), sides.shape)
    if conditions.same_district:
        asked, given = _codes(needs["district_id"], targets["district_id"])
        here, there = sides.left(asked), sides.right(given)
        found["district"] = (here != there) & (here >= 0) & (there >= 0)
    if conditions.ip_status:
        kept = targets["ip_status"].is_in(list(conditions.ip_status)).fill_null(value=True).to_numpy()
        found["ip_status"] = np.broadcast_to(sides.right(~kept), sides.shape)
    if conditions.qualified:
        found["qualification"] = _unqualified(sides)
    if conditions.max_km is not None:
        found["distance"] = _too_far(sides, conditions.max_km)
    return found


def unwanted(needs: pl.DataFrame, index: Index) -> pl.DataFrame:
    """Achievements that say what a need does not want: need and target (places), phrase.

    needs : NEED_FACTS. A phrase counts where all its words stand in the target's title and text. Experts are left out:
    what one of many works says is no reason against the person.
    """
    asked = (
        needs.select(phrase="not_wanted")
        .with_row_index("need")
        .explode("phrase", empty_as_null=False, keep_nulls=False)
        .with_columns(pl.col("need").cast(pl.Int64))
        .filter(pl.col("phrase").fill_null("") != "")
    )
    found = pl.DataFrame(schema={"phrase": pl.String, "target": pl.Int64})
    if index.kind == "achievements" and asked.height:
        phrases = asked["phrase"].unique().sort()
        rows = [(phrase, t) for phrase, targets in zip(phrases, _saying(phrases, index), strict=True) for t in targets]
        found = pl.DataFrame(rows, schema=found.schema, orient="row")
    return asked.join(found, on="phrase", maintain_order="left_right").select("need", "target", "phrase")


def reasons(
    conditions: Conditions, needs: pl.DataFrame, targets: pl.DataFrame, said: pl.DataFrame, barred: pl.Series
) -> pl.DataFrame:
    """Why pairs are kept out: row, reason, found, wanted; by row, then in the order of REASONS.

    needs, targets: facts, row by row. said: row, phrase that is not wanted. barred: rows that are excluded.
    """
    rows: list[tuple[int, int, str | None, str | None]] = []
    for reason, fails in failing(conditions, needs, targets, by_pair=True).items():
        at = np.flatnonzero(fails)
        told = _told(reason, conditions, needs[at], targets[at])
        rows += [(int(i), REASONS.index(reason), *both) for i, both in zip(at, told, strict=True)]
    rows += [(i, REASONS.index("not_wanted"), phrase, None) for i, phrase in said.select("row", "phrase").rows()]
    rows += [(i, REASONS.index("excluded"), None, None) for i in barred.to_list()]
    schema = {"row": pl.Int64, "order": pl.Int64, "found": pl.String, "wanted": pl.String}
    found = pl.DataFrame(rows, schema=schema, orient="row").sort("row", "order", "found")
    names = dict(enumerate(REASONS))
    return found.select(
        "row", reason=pl.col("order").replace_strict(names, return_dtype=pl.String), found="found", wanted="wanted"
    )


def holders(targets: pl.DataFrame, organisations: pl.DataFrame) -> pl.DataFrame:
    """The targets with the qualifications of their organisations added to their own.

    Parameters
    ----------
    targets : any table; org_id and qualifications (a list) where it has them
    organisations : org_id, qualifications

    Returns
    -------
    The rows in their order with qualifications, each once, sorted; null where neither side states any.

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate.

    Examples
    --------
    >>> experts = pl.DataFrame({"expert_id": ["e"], "org_id": ["o"], "qualifications": [["registered_engineer"]]})
    >>> bodies = pl.DataFrame({"org_id": ["o"], "qualifications": [["cnas"]]})
    >>> holders(experts, bodies)["qualifications"].to_list()
    [['cnas', 'registered_engineer']]
    """
    theirs = _inputs.columns(organisations, "organisations", {"org_id": "id"}, optional={"qualifications": "list"})
    _inputs.refuse_duplicates(theirs, "organisations", ["org_id"])
    own = targets.select(
        pl.col(c).cast(kind) if c in targets.columns else pl.repeat(None, targets.height, dtype=kind).alias(c)
        for c, kind in (("org_id", pl.String()), ("qualifications", TEXTS))
    )
    both = own.join(theirs.rename({"qualifications": "theirs"}), on="org_id", how="left", maintain_order="left")
    held = pl.concat_list(pl.col(c).fill_null([]) for c in ("qualifications", "theirs")).list.unique().list.sort()
    stated = both.select(pl.when(held.list.len() > 0).then(held).alias("qualifications"))
    return targets.with_columns(stated["qualifications"])


def _numbers(column: pl.Series) -> np.ndarray:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _before(column: pl.Series, on: date) -> np.ndarray:
    return (column < on).fill_null(value=False).to_numpy()


def _codes(left: pl.Series, right: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    book = {d: i for i, d in enumerate(sorted({*left.drop_nulls(), *right.drop_nulls()}))}
    return tuple(np.asarray([book.get(d, -1) for d in side], dtype=np.int64) for side in (left, right))  # type: ignore[return-value]


def _unqualified(sides: _Sides) -> np.ndarray:
    """Where a target that states qualifications lacks one of those wanted."""
    wanted, held = sides.needs["qualifications_wanted"], sides.targets["qualifications"]
    fails = np.zeros(sides.shape, np.bool_)
    states = sides.right((held.list.len() > 0).fill_null(value=False).to_numpy())
    for one in wanted.explode(empty_as_null=False, keep_nulls=False).drop_nulls().unique().sort():
        asks, has = (side.list.contains(one).fill_null(value=False).to_numpy() for side in (wanted, held))
        fails |= sides.left(asks) & states & ~sides.right(has)
    return fails


def _too_far(sides: _Sides, max_km: float) -> np.ndarray:
    """By the cosine of the angle at the centre of the earth: no arc is computed for a pair that is near."""
    x, y, u, v = (
        np.radians(_numbers(side[c])) for side in (sides.needs, sides.targets) for c in ("longitude", "latitude")
    )
    here = np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)
    there = np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)
    cosine = sum(sides.left(a) * sides.right(b) for a, b in zip(here, there, strict=True))
    least = np.cos(min(max_km / EARTH_KM, np.pi))
    return np.asarray(cosine < least)


def _saying(phrases: pl.Series, index: Index) -> list[list[int]]:
    """For each phrase the targets (places) that hold all its words."""
    bags = text.segment(phrases, terms=index.terms)
    place, columns, counts = index.space.place, index.rows.tocsc(), bags.counts
    alone = np.repeat(np.arange(len(index.alone.ptr) - 1), np.diff(index.alone.ptr))

    def saying(word: str) -> set[int]:
        tests = tests_of(word)
        features = [place[f] for f in tests if f in place]
        if len(features) < len(tests):
            return set()
        if len(word) == 1:  # as a word: 氟 is not said by 氟化
            return set(alone[index.alone.code == features[0]].tolist())
        units = [set(columns.indices[columns.indptr[f] : columns.indptr[f + 1]].tolist()) for f in features]
        return set.intersection(*units)

    found = []
    for row in range(len(bags)):
        words = [bags.vocabulary[w] for w in counts.indices[counts.indptr[row] : counts.indptr[row + 1]]]
        found.append(sorted(set.intersection(*map(saying, words))) if words else [])
    return found


def _told(reason: str, conditions: Conditions, needs: pl.DataFrame, targets: pl.DataFrame) -> list[tuple[str, str]]:
    """What was found and what was wanted, for pairs that fail for a reason."""
    if reason == "distance":
        here, there = ((_numbers(t["longitude"]), _numbers(t["latitude"])) for t in (needs, targets))
        return [(f"{km:.1f}", f"<= {conditions.max_km:g}") for km in kilometres(here, there)]
    least = needs["trl_wanted"] - float(conditions.max_trl_gap or 0)
    told: dict[str, tuple[pl.Series, pl.Series | None, str]] = {
        "trl": (targets["trl"], least, ">= "),
        "budget": (targets["price_cny"], needs["budget_cny"], "<= "),
        "deadline": (needs["deadline_on"], None, f">= {conditions.on}"),
        "validity": (targets["valid_until_on"], None, f">= {conditions.on}"),
        "district": (targets["district_id"], needs["district_id"], ""),
        "ip_status": (targets["ip_status"], None, "; ".join(conditions.ip_status)),
        "qualification": (targets["qualifications"], needs["qualifications_wanted"], ""),
    }
    found, wanted, sign = told[reason]
    asked = [sign] * needs.height if wanted is None else [sign + _shown(v) for v in wanted.to_list()]
    return list(zip(map(_shown, found.to_list()), asked, strict=True))


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(v for v in value if v is not None)
    return f"{value:.15g}" if isinstance(value, float) else str(value)
