"""Why a match: what the run has stored of a pair, in words, as far as a person may read what it is made of.

A run reads every column of a record, those that are not public too, and its reasons quote them. So nothing is told
that does not follow from columns which the rules show this person today, on both sides; and no text is quoted from a
record that has changed since: what its owner has taken out would stand here still.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils.formats import number_format

from silian.report._words import say
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.fields import record_id
from silian.web.catalog.models import Work
from silian.web.catalog.rules import may, shown, visible
from silian.web.runs.results.names import labels

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import polars as pl

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record
    from silian.web.runs.results.names import Named
    from silian.web.runs.results.rules import Seat

Pair = tuple[str, str]
TERMS: Final = 6  # shared terms that are told of a pair
TEXTS: Final = {"needs": ("title", "text", "must_have"), "achievements": ("title", "text"),
                "works": ("title", "text"), "experts": ("profile",)}  # fmt: skip
PLACED: Final = ("longitude", "latitude")
PAST: Final = ("past_pair", "past_target", "past_organisations")


class Why(NamedTuple):
    """What speaks for a match, and what against."""

    sentence: str = ""
    terms: tuple[str, ...] = ()
    near: tuple[str, str, str] | None = None  # what the need says, what answers it, how near
    against: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.sentence or self.terms or self.near or self.against)


class Open:
    """Which columns of the records of a page a person may read. Cost: two queries, three with works."""

    def __init__(self, actor: Actor, nouns: Collection[str], works: Collection[str]) -> None:
        self.actor = actor
        self.mutual = opened(actor, nouns)
        found = visible(actor, Work.objects.filter(pk__in=sorted(works))).select_related("place") if works else []
        self.works: dict[str, Record] = {work.record_id: work for work in found}
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, record: Record | None) -> frozenset[str]:
        """The columns of a record that may be told; none of one that may not be seen."""
        if record is None:
            return frozenset()
        key = (record.noun, record.record_id)
        if key not in self._known:
            may_see = may(self.actor, "see", record)
            self._known[key] = shown(self.actor, record, is_mutual=key in self.mutual) if may_see else frozenset()
        return self._known[key]

    def quotes(self, noun: str, record: Record | None) -> bool:
        """Whether all the texts of a record that reasons are made of may be read."""
        return set(TEXTS[noun]) <= self.of(record)


def whys(
    seat: Seat,
    noun: str,
    pairs: Iterable[Pair],
    needs: Mapping[str, Named],
    targets: Mapping[str, Named],
) -> dict[Pair, Why]:
    """Why each of some pairs, for one person.

    Parameters
    ----------
    noun : achievements or experts
    needs, targets : by id, with their organisations at hand; what the person may not see has no reason told
    """
    wanted = {pair for pair in pairs if needs[pair[0]].record and targets[pair[1]].record}
    if not wanted:
        return {}
    kind = noun.removesuffix("s")
    ids = {need for need, _target in wanted}
    facts, terms = seat.stored.of_needs(f"{kind}_facts", ids), seat.stored.of_needs(f"{kind}_terms", ids)
    works = {_work_of(r) for t in (facts, terms) for r in _in_works(t)}
    told = _Telling(seat, noun, Open(seat.actor, ("needs", noun), works), needs, targets, _products(facts))
    by_pair: dict[Pair, list[dict[str, Any]]] = defaultdict(list)
    for row in facts.to_dicts():
        by_pair[row["need_id"], row["target_id"]].append(row)
    spots: dict[Pair, list[dict[str, Any]]] = defaultdict(list)
    for row in terms.to_dicts():
        spots[row["need_id"], row["target_id"]].append(row)
    return {pair: told.why(pair, by_pair[pair], spots[pair]) for pair in sorted(wanted)}


def _in_works(table: pl.DataFrame) -> list[dict[str, Any]]:
    return table.filter(in_table="works").select("target_id", "in_id").unique().to_dicts()


def _work_of(row: Mapping[str, Any]) -> str:
    return record_id(Work.table, {"expert_id": row["target_id"], "work_id": row["in_id"]})


def _products(facts: pl.DataFrame) -> Mapping[str, str]:
    return labels("products", facts.filter(fact="product")["shared"].to_list())


class _Telling:
    """The facts of pairs as words."""

    def __init__(
        self, seat: Seat, noun: str, read: Open, needs: Mapping[str, Named], targets: Mapping[str, Named],
        products: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.seat, self.noun, self.read, self.products = seat, noun, read, products
        self.needs, self.targets = needs, targets
        self.language = page_language()

    def why(self, pair: Pair, facts: list[dict[str, Any]], spots: list[dict[str, Any]]) -> Why:
        need, target = self.needs[pair[0]], self.targets[pair[1]]
        by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in facts:
            by_kind[row["fact"]].append(row)
        said = [text for text in self._facts(by_kind, need.record, target.record) if text]
        is_fresh = need.state != "changed" and target.state != "changed"
        near: tuple[str, str, str] | None = None
        terms: tuple[str, ...] = ()
        against: tuple[str, ...] = ()
        if is_fresh:
            near = self._near(by_kind["sentence"], need.record, target.record)
            terms = self._terms(spots, need.record, target.record)
            said += self._quoted(by_kind["nice_to_have"], "nice_to_have", need.record, target.record)
            against = tuple(self._quoted(by_kind["not_wanted"], "not_wanted", need.record, target.record))
        return Why(self._joined(said), terms, near, against)

    def _joined(self, said: list[str]) -> str:
        if self.language == "en":
            whole = "; ".join(said)
            return f"{whole[:1].upper()}{whole[1:]}." if whole else ""
        return "；".join(said) + "。" if said else ""

    def _facts(self, facts: Mapping[str, list[dict[str, Any]]], need: Any, target: Any) -> list[str]:
        """What follows from columns of both sides; each kind once."""
        mine, theirs = self.read.of(need), self.read.of(target)
        said = [
            self._field(facts, mine, theirs),
            self._product(facts, mine, target),
            self._industry(facts, need, target),
        ]
        if (one := _first(facts, "ipc")) and one["value"] > 1 and "ipc" in mine & self._ipc_side(one, target):
            said.append(self._say(f"ipc.{int(one['value'])}", code=one["shared"]))
        if (one := _first(facts, "trl")) and "trl_wanted" in mine and "trl" in theirs:
            how = "below" if one["value"] < 0 else "above" if one["value"] > 0 else "met"
            said.append(self._say(f"trl.{how}", has=one["target_says"], count=abs(int(one["value"]))))
        if (one := _first(facts, "distance")) and self._is_placed(one["need_says"], need) and self._is_placed(
            one["target_says"], target
        ):  # fmt: skip
            near = one["value"] < 1
            said.append(self._say("near") if near else self._say("distance", km=round(one["value"])))
        return said + (self._past(facts) if self.seat.is_steward else [])

    def _field(self, facts: Mapping[str, list[dict[str, Any]]], mine: frozenset[str], theirs: frozenset[str]) -> str:
        one = _first(facts, "field")
        return self._say("field", name=self._code("field", one["shared"])) if one and "field" in mine & theirs else ""

    def _product(self, facts: Mapping[str, list[dict[str, Any]]], mine: frozenset[str], target: Any) -> str:
        one = _first(facts, "product")
        known = one and self.products.get(one["shared"])
        is_told = known and "product_id" in mine and bool(self.read.of(getattr(target, "org", None)))
        return self._say("product", name=known) if is_told else ""

    def _industry(self, facts: Mapping[str, list[dict[str, Any]]], need: Any, target: Any) -> str:
        one = _first(facts, "industry")
        both = self.read.of(getattr(need, "org", None)) & self.read.of(getattr(target, "org", None))
        return self._say("industry", code=one["shared"]) if one and one["value"] > 1 and "industry" in both else ""

    def _ipc_side(self, fact: Mapping[str, Any], target: Any) -> frozenset[str]:
        return self.read.of(self._source(fact, target)) if fact["in_table"] else self.read.of(target)

    def _is_placed(self, place_of: str | None, record: Any) -> bool:
        """Whether where a side is may be told: the middle of a district, or an organisation that shows where it is."""
        return place_of == "districts" or set(PLACED) <= self.read.of(getattr(record, "org", None))

    def _past(self, facts: Mapping[str, list[dict[str, Any]]]) -> list[str]:
        """Earlier projects and what they sold: what parties did with each other, told to who looks after the place."""
        said = []
        mark = ", " if self.language == "en" else "、"
        for kind in PAST:
            if rows := facts.get(kind):
                stages = mark.join(f"{self._code('project_stage', r['shared'])} {int(r['value'])}" for r in rows)
                said.append(self._say(kind, count=int(sum(r["value"] for r in rows)), stages=stages))
        if one := _first(facts, "past_sales"):
            said.append(self._say("past_sales", money=number_format(round(one["value"]), use_l10n=True)))
        return said

    def _source(self, fact: Mapping[str, Any], target: Any) -> Any:
        """The record in which the answering side says something: itself, or a work of the expert."""
        if fact["in_table"] == "works":
            return self.read.works.get(_work_of(fact))
        return target

    def _is_quoted(self, fact: Mapping[str, Any], target: Any) -> bool:
        source = self._source(fact, target)
        if fact["in_table"] == "works" and (source is None or source.updated_at > self.seat.taken_at):
            return False
        return self.read.quotes(fact["in_table"] or self.noun, source)

    def _near(self, facts: list[dict[str, Any]], need: Any, target: Any) -> tuple[str, str, str] | None:
        one = facts[0] if facts else None
        if one is None or not self.read.quotes("needs", need) or not self._is_quoted(one, target):
            return None
        return one["need_says"], one["target_says"], f"{one['value']:.2f}"

    def _quoted(self, facts: list[dict[str, Any]], column: str, need: Any, target: Any) -> list[str]:
        if column not in self.read.of(need) or not self.read.quotes("needs", need):
            return []
        rows = [one for one in facts if self._is_quoted(one, target)]
        return [self._say(column, what=one["need_says"], said=one["target_says"]) for one in rows]

    def _terms(self, spots: list[dict[str, Any]], need: Any, target: Any) -> tuple[str, ...]:
        """Shared terms that stand in a text of either side that may be read, the weightiest first."""
        sides: dict[str, set[str]] = {"needs": set(), "target": set()}
        parts: dict[str, float] = {}
        for spot in spots:
            in_need = spot["in_table"] == "needs"
            source = need if in_need else self._source(spot, target)
            if spot["in_column"] in self.read.of(source):
                sides["needs" if in_need else "target"].add(spot["term"])
                parts[spot["term"]] = spot["part"]
        both = sides["needs"] & sides["target"]
        return tuple(sorted(both, key=lambda term: (-parts[term], term))[:TERMS])

    def _say(self, key: str, **values: object) -> str:
        return say(f"because.{key}", self.language, **values)

    def _code(self, of: str, code: str) -> str:
        pair = schema.codes()[of].get(code)
        return pair[self.language == "en"] if pair else code


def _first(facts: Mapping[str, list[dict[str, Any]]], kind: str) -> dict[str, Any] | None:
    return facts[kind][0] if facts.get(kind) else None
