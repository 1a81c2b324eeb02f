"""Questions to the index: what a person may see and finds, with counts; names while typing; what was perhaps meant.

A term of the index says who may see a record, so that counts obey the rules as lists do. What is not public of a
record is found only by those who see the whole of it, and what mutual interest opens by both its sides.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import tantivy

from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.search.asking import Question, Unit, atoms, compact, question
from silian.web.catalog.search.indexing import FACETS, SORTS, reader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from silian.text.terms import Terms
    from silian.web.base.actors import Actor

MANY: Final = 10_000  # results that can be walked through
MOST_VALUES: Final = 200  # of a facet
BOOSTS: Final = {"heading": 3.0, "body": 1.0}
OTHER: Final = 0.6  # of a name of the same thing beside what was typed
CODE: Final = 10.0
LETTERS: Final = 2.0  # of a name found by pinyin
SHORTEST_LETTERS: Final = 2
LONGEST_LETTERS: Final = 40
LIKE: Final = 0.7  # a word that is as near as this may have been meant
_PLAIN: Final = re.compile(r"[a-z0-9]+")
Must: Final = tantivy.Occur.Must
Should: Final = tantivy.Occur.Should


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the index."""

    question: Question
    chosen: Mapping[str, str] = field(default_factory=dict)  # facet → value
    sort: str = ""  # "newest", or a column, "-" before it: down; empty: by relevance, without words the newest
    since: int = 0  # seconds of the epoch: changed after that
    opened: Collection[tuple[str, str]] = ()  # records, by noun and id, of which the person sees what is mutual


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found."""

    keys: list[tuple[str, str]]  # noun, record_id; best first
    count: int
    facets: Mapping[str, list[tuple[str, int]]]  # facet → values with their counts under the other choices, most first

    def facets_of(self, name: str) -> dict[str, int]:
        """Values of one facet with their counts, most first."""
        return dict(self.facets[name])


def search(actor: Actor, wanted: Wanted, *, limit: int, start: int = 0, facets: Iterable[str] = FACETS) -> Hits:
    """Records that a person may see and that hold all that is asked for.

    Raises
    ------
    WebError : of `indexing.reader`
    """
    index = reader()
    searcher = index.searcher()
    query = _query(index.schema, actor, wanted)
    order, down = _order(wanted)
    if order:
        way = tantivy.Order.Desc if down else tantivy.Order.Asc
        found = searcher.search(query, limit, offset=start, order_by_field=order, order=way)
    else:
        found = searcher.search(query, limit, offset=start)
    keys = [_key(searcher, place) for _, place in found.hits]
    return Hits(keys, found.count or 0, _facets(index, searcher, actor, wanted, query, tuple(facets)))  # type: ignore[attr-defined]


def ids(actor: Actor, noun: str, asked: Question, *, opened: Collection[tuple[str, str]] = ()) -> list[str]:
    """The ids of the records of one noun that hold all that is asked for, the best first, at most MANY."""
    return [i for _, i in search(actor, Wanted(asked, {"noun": noun}, opened=opened), limit=MANY, facets=()).keys]


def count(actor: Actor, wanted: Wanted) -> int:
    """How many records there are."""
    return search(actor, wanted, limit=1, facets=()).count


def names(actor: Actor, asked: Question, limit: int) -> list[tuple[str, str]]:
    """Records whose name holds what has been typed so far, or begins so in pinyin or by its code."""
    index = reader()
    schema = index.schema
    parts = atoms(asked.typed)
    if not parts:
        return []
    either = [(Should, tantivy.Query.boost_query(_beginning(schema, "heading", parts), BOOSTS["heading"]))]
    either += [(Should, one) for one in _by_letters(schema, asked.letters)]
    code = compact(asked.typed)
    if _PLAIN.fullmatch(code) and len(code) >= SHORTEST_LETTERS:
        either.append((Should, tantivy.Query.boost_query(_prefix(schema, "codes", code), CODE)))
    query = tantivy.Query.boolean_query([(Must, tantivy.Query.boolean_query(either)), (Must, _seen(schema, actor))])
    searcher = index.searcher()
    return [_key(searcher, place) for _, place in searcher.search(query, limit, count=False).hits]


def nearest(actor: Actor, asked: Question, limit: int) -> list[tuple[str, str]]:
    """Records whose names share most characters with what was asked for: a slip in a name still leads to it."""
    index = reader()
    parts = list(dict.fromkeys(atoms(asked.typed)))
    if len(parts) < 2:
        return []
    either = [(Should, _term(index.schema, "heading", part)) for part in parts]
    alike = tantivy.Query.boolean_query(either, minimum_number_should_match=max(2, round(LIKE * len(parts))))
    query = tantivy.Query.boolean_query([(Must, alike), (Must, _seen(index.schema, actor))])
    searcher = index.searcher()
    return [_key(searcher, place) for _, place in searcher.search(query, limit, count=False).hits]


def meant(actor: Actor, wanted: Wanted, terms: Terms, limit: int = 3) -> list[tuple[str, int]]:
    """Other questions with results, nearest first, for one that found nothing: a word spelt another way, or left out.

    Only words of records that the person may see are offered.
    """
    asked, found = wanted.question, []
    for place, unit in enumerate(asked.units):
        for word in _words_like(actor, unit, terms):
            found += [" ".join(word if n == place else u.typed for n, u in enumerate(asked.units))]
    parts = asked.typed.split(" ")
    if len(parts) > 1:
        found += [" ".join(p for n, p in enumerate(parts) if n != left) for left in range(len(parts))]
    offered = []
    for text in dict.fromkeys(found):
        number = count(actor, Wanted(question(text, terms=terms), wanted.chosen, opened=wanted.opened))
        if number:
            offered.append((text, number))
        if len(offered) == limit:
            break
    return offered


def audiences(actor: Actor) -> list[str]:
    """The tokens of which one must stand on a record that a person may see."""
    return ["public", *insiders(actor)]


def insiders(actor: Actor) -> list[str]:
    """The tokens of which one stands on a record of which the person sees the whole."""
    tokens = [f"org:{org}" for org in sorted(actor.orgs)] + [f"led:{org}" for org in sorted(actor.led)]
    tokens += [f"expert:{actor.expert_id}"] if actor.expert_id else []
    return tokens + [f"place:{path}" for path in actor.paths(STEWARDS)]


# ── queries ──


def _query(schema: tantivy.Schema, actor: Actor, wanted: Wanted, *, but: str = "") -> tantivy.Query:
    must = [(Must, _seen(schema, actor))]
    if wanted.question.units:
        must.append((Must, _asked(schema, actor, wanted)))
    must += [
        (Must, tantivy.Query.const_score_query(_term(schema, name, value), 0.0))
        for name, value in wanted.chosen.items()
        if name != but
    ]
    if wanted.since:
        after = tantivy.Query.range_query(
            schema, "updated", tantivy.FieldType.Unsigned, wanted.since, None, include_lower=False
        )
        must.append((Must, tantivy.Query.const_score_query(after, 0.0)))
    return tantivy.Query.boolean_query(must)


def _seen(schema: tantivy.Schema, actor: Actor) -> tantivy.Query:
    return _one_of(schema, audiences(actor))


def _one_of(schema: tantivy.Schema, tokens: Sequence[str]) -> tantivy.Query:
    if not tokens:
        return tantivy.Query.empty_query()
    either = tantivy.Query.boolean_query([(Should, _term(schema, "audience", token)) for token in tokens])
    return tantivy.Query.const_score_query(either, 0.0)


def _asked(schema: tantivy.Schema, actor: Actor, wanted: Wanted) -> tantivy.Query:
    """Every unit; or the whole as a code or as pinyin."""
    asked, kept = wanted.question, _kept(schema, actor, wanted)
    every = tantivy.Query.boolean_query([(Must, _unit(schema, unit, kept)) for unit in asked.units])
    either = [(Should, every)]
    if asked.code:
        either.append((Should, tantivy.Query.boost_query(_term(schema, "codes", asked.code), CODE)))
    if len(asked.units) > 1 or " " in asked.typed:
        either += [(Should, one) for one in _by_letters(schema, asked.letters)]
    return tantivy.Query.boolean_query(either)


def _kept(schema: tantivy.Schema, actor: Actor, wanted: Wanted) -> dict[str, tantivy.Query]:
    """The fields of what is not public that may be looked through, and of which records."""
    made, inside = {}, insiders(actor)
    if inside:
        made["kept"] = _one_of(schema, inside)
    if wanted.opened:
        keys = tantivy.Query.term_set_query(schema, "key", [f"{noun}/{i}" for noun, i in sorted(wanted.opened)])
        made["mutual"] = tantivy.Query.const_score_query(keys, 0.0)
    return made


def _unit(schema: tantivy.Schema, unit: Unit, kept: Mapping[str, tantivy.Query]) -> tantivy.Query:
    """One thing by any of its names, in public; for those who see more of a record also in what is kept."""
    either = []
    for text, weight in ((unit.typed, 1.0), *((other, OTHER) for other in unit.others)):
        parts = atoms(text)
        if not parts:
            continue
        for name, boost in BOOSTS.items():
            either.append((Should, tantivy.Query.boost_query(_row(schema, name, parts), boost * weight)))
        for name, whose in kept.items():
            both = tantivy.Query.boolean_query([(Must, _row(schema, name, parts)), (Must, whose)])
            either.append((Should, tantivy.Query.boost_query(both, weight)))
    code = compact(unit.typed)
    if _PLAIN.fullmatch(code):
        either.append((Should, tantivy.Query.boost_query(_term(schema, "codes", code), CODE)))
        if unit.is_code:
            either.append((Should, _prefix(schema, "codes", code)))
    either += [(Should, one) for one in _by_letters(schema, unit.typed.lower())]
    return tantivy.Query.boolean_query(either)


def _by_letters(schema: tantivy.Schema, letters: str) -> list[tantivy.Query]:
    """Names whose pinyin, whole or by its first letters, begins so from any syllable on."""
    if not (SHORTEST_LETTERS <= len(letters) <= LONGEST_LETTERS and letters.isascii() and letters.isalpha()):
        return []
    fields = ("initials", "pinyin") if len(letters) > SHORTEST_LETTERS else ("initials",)
    return [tantivy.Query.boost_query(_prefix(schema, name, letters), LETTERS) for name in fields]


def _row(schema: tantivy.Schema, name: str, parts: list[str]) -> tantivy.Query:
    """Words that stand one after the other."""
    if len(parts) == 1:
        return _term(schema, name, parts[0], "position")
    return tantivy.Query.phrase_query(schema, name, list(parts))


def _beginning(schema: tantivy.Schema, name: str, parts: list[str]) -> tantivy.Query:
    """Words that stand one after the other, the last one perhaps not typed to its end."""
    if len(parts) > 1:
        return tantivy.Query.phrase_prefix_query(schema, name, list(parts))
    return _prefix(schema, name, parts[0]) if parts[0].isascii() else _term(schema, name, parts[0], "position")


def _prefix(schema: tantivy.Schema, name: str, beginning: str) -> tantivy.Query:
    return tantivy.Query.regex_query(schema, name, re.escape(beginning) + ".*")


def _term(schema: tantivy.Schema, name: str, value: str, option: str = "basic") -> tantivy.Query:
    return tantivy.Query.term_query(schema, name, value, option)


def _order(wanted: Wanted) -> tuple[str, bool]:
    """The field of the order and whether it goes down; empty: by relevance."""
    name = wanted.sort.removeprefix("-")
    if f"by_{name}" in SORTS:
        return f"by_{name}", wanted.sort.startswith("-")
    if wanted.sort == "newest" or not wanted.question.units:
        return "updated", True
    return "", True


def _facets(
    index: tantivy.Index, searcher: tantivy.Searcher, actor: Actor, wanted: Wanted, query: tantivy.Query,
    names: tuple[str, ...],
) -> dict[str, list[tuple[str, int]]]:  # fmt: skip
    """Values with their counts under the words and the other choices."""
    free = [name for name in names if name not in wanted.chosen]
    counted = _counts(searcher, query, free)
    for name in names:
        if name in wanted.chosen:
            counted |= _counts(searcher, _query(index.schema, actor, wanted, but=name), [name])
    return counted


def _counts(searcher: tantivy.Searcher, query: tantivy.Query, names: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    if not names:
        return {}
    told = searcher.aggregate(query, {name: {"terms": {"field": name, "size": MOST_VALUES}} for name in names})
    return {name: [(b["key"], b["doc_count"]) for b in told[name]["buckets"] if b["key"]] for name in names}


def _key(searcher: tantivy.Searcher, place: tantivy.DocAddress) -> tuple[str, str]:
    noun, _, record_id = searcher.doc(place)["key"][0].partition("/")
    return noun, record_id


def _words_like(actor: Actor, unit: Unit, terms: Terms) -> list[str]:
    """Words near to one: of the records that the person may see, and names of known things."""
    index = reader()
    word = unit.typed.lower()
    known = [form for concept in terms.concepts for form in concept.forms if abs(len(form) - len(word)) <= 2]
    if word.isascii() and word.isalpha():
        seen = _seen(index.schema, actor)
        for name in BOOSTS:
            known += [t for t, _ in index.searcher().terms_with_prefix(name, word[:1], seen, 5_000)]
    near = difflib.get_close_matches(word, dict.fromkeys(k for k in known if k.lower() != word), n=4, cutoff=LIKE)
    return list(near)
