"""The matches of a run by need: which needs, the best answers of each, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.beside import interests
from silian.web.catalog.models import Interest, Record
from silian.web.catalog.rules import may
from silian.web.catalog.wording import division, heading
from silian.web.runs.results.names import Named, labels, named, org_of
from silian.web.runs.results.reasons import Why, whys
from silian.web.runs.results.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.web.base.actors import Actor
    from silian.web.runs.results.rules import Seat

PAGE: Final = 10  # needs a page
FEW: Final = 3  # answers of a need on the page of all
BOX: Final = 5  # on the page of a record
LAST: Final = 10_000  # pages
NOUNS: Final = ("achievements", "experts")
FACETS: Final = ("district_id", "field", "industry", "kind")
CLOSABLE: Final = ("industry",)  # of these the ones that an organisation may close: a filter would tell what it is
STATES: Final = ("matched", "unmatched", "unmet", "served")
LONGEST: Final = 100  # characters of a value that is filtered by


@dataclass(frozen=True, slots=True)
class Asked:
    """Which needs are asked for, and which answers."""

    noun: str = "achievements"
    chosen: tuple[tuple[str, str], ...] = ()  # facet, value
    state: str = ""
    score: float = 0.0  # the best answer has at least
    page: int = 1


class Hit(NamedTuple):
    """One answer to a need."""

    target: Named
    org: str
    rank: int
    score: float
    level: int | None  # expected, from 1 (no match) to 4; None where nothing was graded
    why: Why
    interest: Interest | None  # that is open between the person's side and the answer
    may_ask: bool

    @property
    def level_name(self) -> str:
        """The expected level in words."""
        return schema.codes()["match_level"][str(self.level)][page_language() == "en"] if self.level else ""


class Row(NamedTuple):
    """A need and its best answers."""

    need: Named
    org: str
    facts: tuple[str, ...]
    found: int  # answers in all
    hits: list[Hit]


def asked_of(given: Mapping[str, str]) -> Asked:
    """What the parameters of a request ask for; what means nothing is left out.

    Examples
    --------
    >>> asked_of({"noun": "experts", "field": "food", "score": "0.2", "page": "x", "state": "odd"})
    Asked(noun='experts', chosen=(('field', 'food'),), state='', score=0.2, page=1)
    """
    noun = given.get("noun", "")
    chosen = tuple((f, given[f][:LONGEST].replace("\0", "")) for f in FACETS if given.get(f))
    state = given.get("state", "")
    return Asked(
        noun if noun in NOUNS else NOUNS[0],
        chosen,
        state if state in STATES else "",
        _share(given.get("score", "")),
        page_of(given.get("page", "")),
    )


def page_of(text: str) -> int:
    """The number of a page; 1 where the text is none."""
    return min(max(1, int(text)), LAST) if text.isascii() and text.isdecimal() and len(text) < 9 else 1


def _share(text: str) -> float:
    try:
        found = float(text[:20])
    except ValueError:
        return 0.0
    return min(found, 1.0) if found > 0 else 0.0  # NaN is not above 0


def facets_of(seat: Seat) -> tuple[str, ...]:
    """By what a person may filter."""
    return FACETS if seat.is_open else tuple(name for name in FACETS if name not in CLOSABLE)


def chosen_needs(seat: Seat, asked: Asked) -> pl.LazyFrame:
    """The needs that are asked for, the best answered first, then by id."""
    rows, allowed = seat.own(seat.stored.ready("needs")), facets_of(seat)
    for column, value in ((column, value) for column, value in asked.chosen if column in allowed):
        rows = rows.filter(Stored.where(column, value))
    count, best = asked.noun, f"best_{asked.noun.removesuffix('s')}"
    states = {
        "matched": pl.col(count) > 0, "unmatched": pl.col(count) == 0,
        "unmet": pl.col("missing") > 0, "served": (pl.col("assigned") > 0) & pl.col("missing").is_null(),
    }  # fmt: skip
    if asked.state:
        rows = rows.filter(states[asked.state])
    if asked.score:
        rows = rows.filter(pl.col(best) >= asked.score)
    return rows.sort([best, "need_id"], descending=[True, False], nulls_last=True)


def facets(seat: Seat) -> dict[str, list[tuple[str, str]]]:
    """The values that occur of each facet, with their names, by name. Cost: one query."""
    table = seat.own(seat.stored.ready("needs")).select(FACETS).collect()
    found = {}
    for name in facets_of(seat):
        values = table[name].drop_nulls().unique().to_list()
        shown = _facet_labels(name, values)
        found[name] = sorted(((value, shown.get(value, value)) for value in values), key=lambda pair: pair[1])
    return found


def _facet_labels(name: str, values: Iterable[str]) -> Mapping[str, str]:
    if name == "district_id":
        return labels("districts", values)
    if name == "industry":
        return {value: division(value) or value for value in values}
    codes = schema.codes()["field" if name == "field" else "need_kind"]
    return {value: codes[value][page_language() == "en"] for value in values if value in codes}


def page_of_needs(seat: Seat, asked: Asked) -> tuple[list[dict[str, Any]], int]:
    """The needs of a page, and how many there are in all."""
    rows = chosen_needs(seat, asked)
    count = rows.select(pl.len()).collect().item()
    page = rows.slice((asked.page - 1) * PAGE, PAGE).collect()
    return page.to_dicts(), count


def rows_of(seat: Seat, noun: str, needs: Sequence[Mapping[str, Any]], *, most: int | None = FEW) -> list[Row]:
    """Needs with their best answers. Cost: nine queries at most, whatever their number."""
    ids = [need["need_id"] for need in needs]
    kind = noun.removesuffix("s")
    pairs = seat.stored.result(f"{kind}_pairs").filter(pl.col("need_id").is_in(ids))
    if most is not None:
        pairs = pairs.filter(pl.col("rank") <= most)
    found = pairs.select("need_id", "target_id", "rank", "score").sort("need_id", "rank").collect()
    of_needs = named(seat.actor, "needs", ids, seat.taken_at, beside=org_of("needs"))
    hits = hits_of(seat, noun, found, of_needs)
    where = labels("districts", [need["district_id"] for need in needs])
    return [
        Row(
            of_needs[need["need_id"]], org_name(seat.actor, of_needs[need["need_id"]].record),
            _need_facts(need, where) if of_needs[need["need_id"]].record else (), need[noun] or 0,
            [hits[p] for p in found.filter(need_id=need["need_id"]).select("need_id", "target_id").rows()],
        )
        for need in needs
    ]  # fmt: skip


def hits_of(
    seat: Seat, noun: str, found: pl.DataFrame, needs: Mapping[str, Named], targets: Mapping[str, Named] | None = None
) -> dict[tuple[str, str], Hit]:
    """Pairs of a run as answers. found: need_id, target_id, rank, score."""
    if targets is None:
        targets = named(seat.actor, noun, found["target_id"].to_list(), seat.taken_at, beside=org_of(noun))
    pairs = found.select("need_id", "target_id").rows()
    told = whys(seat, noun, pairs, needs, targets)
    open_ = open_interests(seat.actor, noun, targets)
    levels = _levels(seat, pairs) if noun == "achievements" else {}
    hits = {}
    for row in found.to_dicts():
        pair, target = (row["need_id"], row["target_id"]), targets[row["target_id"]]
        may_ask = target.record is not None and interests.may_ask(seat.actor, target.record)
        hits[pair] = Hit(
            target, org_name(seat.actor, target.record), row["rank"], row["score"], levels.get(pair),
            told.get(pair, Why()), open_.get(target.id), may_ask,
        )  # fmt: skip
    return hits


def _levels(seat: Seat, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    rows = seat.stored.of_needs("grades", {need for need, _target in pairs}).select("need_id", "target_id", "level")
    return {(need, target): level for need, target, level in rows.rows()}


def open_interests(actor: Actor, noun: str, ids: Iterable[str]) -> dict[str, Interest]:
    """What is open between a person's side and some records, by their id. Cost: one query."""
    if noun not in interests.ASKED:
        return {}
    rows = interests.sent(actor).filter(noun=noun, record_id__in=sorted(ids), state__in=Interest.OPEN)
    return {one.record_id: one for one in rows}


def org_name(actor: Actor, record: Any) -> str:
    """The organisation of a record, where the person may see it."""
    org: Record | None = getattr(record, "org", None)
    return heading(org) if org is not None and may(actor, "see", org) else ""


def _need_facts(need: Mapping[str, Any], where: Mapping[str, str]) -> tuple[str, ...]:
    codes, at = schema.codes(), page_language() == "en"
    told = [
        where.get(need["district_id"] or "", ""),
        codes["field"][need["field"]][at] if need["field"] in codes["field"] else "",
        codes["need_kind"][need["kind"]][at] if need["kind"] in codes["need_kind"] else "",
    ]
    return tuple(filter(None, told))
