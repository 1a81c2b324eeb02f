"""Why a pair: shared terms with their places, the nearest sentences, and what the tables say of both sides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian import text
from silian.engines import _inputs
from silian.engines.match import _facts, _kernels, ranking
from silian.engines.match._checks import check_table
from silian.engines.match._coding import lists, whole
from silian.engines.match._nearest import Said, nearest_sentences
from silian.engines.match._readings import LONGEST_SENTENCE, Readings, Where, sentences_of
from silian.engines.match.index import units_of
from silian.engines.match.why import REST
from silian.errors import MatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from silian.engines._inputs import Kind
    from silian.engines.match._readings import Sentences
    from silian.engines.match.index import Index
    from silian.text import Terms

TERMS: Final = {
    "need_id": pl.String(),
    "target_id": pl.String(),
    "term": pl.String(),
    "part": pl.Float64(),
    "in_table": pl.String(),
    "in_id": pl.String(),
    "in_column": pl.String(),
    "item": pl.Int64(),
    "start": pl.Int64(),
    "end": pl.Int64(),
}


LEAST_NEAR: Final = 0.1  # of two sentences: below it they have nothing to say to each other
# What stands before a word that is denied: 无需停产, 不含氟, without lead.
DENIED: Final = re.compile(r"[不无免非未勿没].?$|\b(?:no|non|not|without)[\s-]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why pairs have their scores, one row a fact."""

    terms: pl.DataFrame  # need_id, target_id, term, part, in_table, in_id, in_column, item, start, end
    facts: pl.DataFrame  # need_id, target_id, fact, place, need_says, target_says, shared, value, in_table, in_id


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs in codes, and the texts of both sides."""

    table: pl.DataFrame  # need_id, target_id, why
    need: np.ndarray  # int64 (pairs,): owner in the needs read
    unit: np.ndarray  # int64 (pairs, best; -1: none): owners in the units read
    needs: Readings
    units: Readings
    unit_rows: pl.DataFrame  # in_table, in_id, ipc of the units read


def explain(
    pairs: pl.DataFrame,
    needs: pl.DataFrame,
    index: Index,
    targets: pl.DataFrame,
    *,
    works: pl.DataFrame | None = None,
    organisations: pl.DataFrame | None = None,
    districts: pl.DataFrame | None = None,
    makes: pl.DataFrame | None = None,
    projects: pl.DataFrame | None = None,
    outcomes: pl.DataFrame | None = None,
    examples: pl.DataFrame | None = None,
) -> Explanation:
    """Why given pairs have their scores.

    Parameters
    ----------
    pairs : need_id, target_id; one row per pair; why as `rank` and `score` give it, or it is computed here
    needs : as for `rank`; org_id, district_id, field, product_id, ipc, nice_to_have, not_wanted, trl_wanted where known
    index, targets, works : the index, and the tables that `build` (target_id, title, text) or `build_experts`
        (expert_id, profile; works) made it from; org_id, district_id, field, trl, ipc where known
    organisations : org_id; longitude, latitude, industry, industry_edition where known
    districts : district_id, longitude, latitude
    makes : org_id, product_id
    projects : project_id, stage; need_id, achievement_id, org_id, partner_org_id, expert_ids where known
    outcomes : project_id, measured_on; sales_cny (CNY per year)
    examples : what `grade_examples` gives: need_id, target_id, example_need_id, example_target_id, level, likeness

    Returns
    -------
    Explanation :
        terms : each shared term with its part of the score, and each place where it stands: in_table (needs,
            achievements, works, experts), in_id, in_column, item (of a list, from 1; 0 for a text), start, end
            (characters of the text as it was given; end is the first behind it). By pair, the largest part first, needs
            before targets.
            Where a target holds the words of a term apart, the places are theirs. A term that is nowhere spelt out
            has no row; at most 20 places in a text.
        facts : fact (a code of match_fact) with place (from 1), need_says, target_says, shared, value; in_table and
            in_id say where target_says stands. What each fact holds: docs/methods/match.md.

    Raises
    ------
    TableError : table.columns, table.type, table.value, table.duplicate; table.unknown where pairs names what is not
        there.
    MatchError : match.targets where targets or works are not those of the index.

    Notes
    -----
    Deterministic; every pair on its own. Bounded: 24 sentences of 300 characters of each need, achievement and work.
    Cost: docs/methods/match.md.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["鋰電池隔膜"], "text": [""]})
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> pairs = pl.DataFrame({"need_id": ["n"], "target_id": ["a"]})
    >>> found = explain(pairs, needs, build(targets, encoder="words"), targets)
    >>> found.terms.select("term", "in_id", "start", "end").rows()
    [('锂电池', 'n', 0, 3), ('锂电池', 'a', 0, 3)]
    """
    ready = _ready(pairs, needs, index, targets, works)
    both = _facts.both_sides(
        ready.table, needs, _with_key(targets, index), organisations=organisations, districts=districts
    )
    found = [_nearest(ready, index), *_facts.codes_shared(both, makes), *_facts.distances(both)]
    found.append(_facts.ipc_shared(both, _ipc_of(ready)))
    if projects is not None:
        found += _facts.past(both, projects, outcomes, of_experts=index.kind == "experts")
    found += [_phrases(ready, needs, column, index.terms) for column in ("nice_to_have", "not_wanted")]
    if examples is not None:
        found.append(_examples(both, examples))
    return Explanation(_terms(ready), _facts.gathered(ready.table, found))


def _ready(
    pairs: pl.DataFrame, needs: pl.DataFrame, index: Index, targets: pl.DataFrame, works: pl.DataFrame | None
) -> _Pairs:
    behind, unit = ranking.units_behind(pairs, needs, index)
    units = _units(index, targets, works)
    table = pairs.select("need_id", "target_id")
    why = pairs["why"] if "why" in pairs.columns else ranking.score(table, needs, index)["why"]
    used, need = np.unique(behind, return_inverse=True)
    kept = np.unique(unit[unit >= 0])
    owner = np.where(unit >= 0, np.searchsorted(kept, unit), -1)
    return _Pairs(
        table.with_columns(why=why),
        need,
        owner,
        Readings.of(list(_need_texts(needs[used])), owners=len(used), terms=index.terms),
        Readings.of(list(_unit_texts(units[kept])), owners=len(kept), terms=index.terms),
        units[kept].select("in_table", "in_id", "ipc"),
    )


def _units(index: Index, targets: pl.DataFrame, works: pl.DataFrame | None) -> pl.DataFrame:
    """target_id, in_table, in_id, title, text, ipc of the units of an index, row by row."""
    of_experts = index.kind == "experts"
    units = _expert_units(targets, works) if of_experts else _own_units(targets)
    counts = units.group_by("target_id").agg(now=pl.len().cast(pl.Int64))
    both = index.basis.join(counts, on="target_id", how="full", coalesce=True)
    other = both.filter(pl.col("now").fill_null(0) != pl.col("units").fill_null(0)).sort("target_id")
    if other.height:
        given = "experts and works" if of_experts else "targets"
        shown = other["target_id"].head(3).to_list()
        raise MatchError("match.targets", problems=other, table=given, count=other.height, shown=shown)
    return units


def _own_units(targets: pl.DataFrame) -> pl.DataFrame:
    check_table(targets, "targets", key=["target_id"], text=["title", "text"])
    ordered = _inputs.columns(
        targets, "targets", {"target_id": "id"}, optional={"title": "id", "text": "id", "ipc": "list"}
    ).sort("target_id")
    return ordered.with_columns(in_table=pl.lit("achievements"), in_id="target_id")


def _expert_units(experts: pl.DataFrame, works: pl.DataFrame | None) -> pl.DataFrame:
    check_table(experts, "experts", key=["expert_id"], text=[])
    told = pl.DataFrame(schema=dict.fromkeys(("expert_id", "work_id", "title", "text"), pl.String()))
    told = told if works is None else works
    check_table(told, "works", key=["expert_id", "work_id"], text=["title", "text"])
    key: dict[str, Kind] = {"expert_id": "id", "work_id": "id"}
    codes = _inputs.columns(told, "works", key, optional={"ipc": "list"})
    tables = {"works": "works", "profile": "experts"}
    return (
        units_of(told, experts.sort("expert_id"), None)
        .join(codes, on=["expert_id", "work_id"], how="left", maintain_order="left")
        .with_columns(
            target_id="expert_id",
            in_table=pl.col("basis").replace_strict(tables, return_dtype=pl.String),
            in_id=pl.coalesce("work_id", "expert_id"),
        )
    )


def _need_texts(needs: pl.DataFrame) -> Iterator[tuple[int, Where, str]]:
    has_must = needs.schema.get("must_have") == pl.List(pl.String)
    must = needs["must_have"].to_list() if has_must else [None] * needs.height
    for i, (row, title, body) in enumerate(needs.select("need_id", "title", "text").iter_rows()):
        for column, said in (("title", title), ("text", body)):
            if said:
                yield i, Where("needs", row, column, 0), said
        for n, said in enumerate(must[i] or (), start=1):
            if said:
                yield i, Where("needs", row, "must_have", n), said


def _unit_texts(units: pl.DataFrame) -> Iterator[tuple[int, Where, str]]:
    for i, (table, row, title, body) in enumerate(units.select("in_table", "in_id", "title", "text").iter_rows()):
        for column, said in (("title", title), ("profile" if table == "experts" else "text", body)):
            if said:
                yield i, Where(table, row, column, 0), said


def _terms(ready: _Pairs) -> pl.DataFrame:
    """Every place of every term that a pair shares."""
    rows: list[tuple[object, ...]] = []
    for k, (need_id, target_id, why) in enumerate(ready.table.select("need_id", "target_id", "why").iter_rows()):
        words = [p for p in why if p["kind"] == "word" and p["term"] != REST]
        need, units = int(ready.need[k]), ready.unit[k][ready.unit[k] >= 0].tolist()
        for part in sorted(words, key=lambda p: (-p["part"], p["term"])):
            term = part["term"]
            found = list(_places(ready.needs, need, [term]))
            for unit in units:
                whole = list(_places(ready.units, unit, [term]))
                found += whole or _places(ready.units, unit, ready.needs.words_in(need, term))
            rows += [(need_id, target_id, term, part["part"], *where, *at) for where, at in found]
    return pl.DataFrame(rows, schema=TERMS, orient="row")


def _places(readings: Readings, owner: int, terms: Sequence[str]) -> Iterator[tuple[Where, tuple[int, int]]]:
    for place in readings.texts_of(owner):
        at = sorted({span for term in terms for span in readings.find(place, term)})
        yield from ((readings.where[place], span) for span in at)


def _nearest(ready: _Pairs, index: Index) -> pl.DataFrame:
    """The nearest sentences of each pair: one of the need, one of what the target rests on."""
    asked, answers = sentences_of(ready.needs), sentences_of(ready.units)
    left, right, near = nearest_sentences(
        ready.need, ready.unit, _said(asked, index), _said(answers, index), index.meaning
    )
    pair = np.flatnonzero(near >= LEAST_NEAR)
    where = [ready.units.where[t] for t in answers.text[right[pair]]]
    return pl.DataFrame(
        {
            "pair": pair.astype(np.uint32),
            "fact": pl.repeat("sentence", len(pair), eager=True),
            "need_says": [asked.said[i] for i in left[pair]],
            "target_says": [answers.said[j] for j in right[pair]],
            "value": np.minimum(near[pair], 1.0),
            "in_table": [w.table for w in where],
            "in_id": [w.id for w in where],
        },
        schema_overrides=dict.fromkeys(("need_says", "target_says", "in_table", "in_id"), pl.String()),
    )


def _said(sentences: Sentences, index: Index) -> Said:
    rows = lists(index.space.rows(sentences.bags))
    vectors = index.encoder.encode(sentences.bags) if index.meaning else np.zeros((len(sentences.said), 0), np.float32)
    return Said(sentences.start, _kernels.Side(rows, whole(vectors)))


def _with_key(targets: pl.DataFrame, index: Index) -> pl.DataFrame:
    return targets.rename({"expert_id": "target_id"}) if index.kind == "experts" else targets


def _ipc_of(ready: _Pairs) -> pl.DataFrame:
    """pair, ipc, in_table, in_id: the classes of an achievement, or of the works that an expert's score rests on."""
    pair, place = np.nonzero(ready.unit >= 0)
    rows = ready.unit_rows[ready.unit[pair, place]]
    return rows.select("in_table", "in_id", "ipc", pair=pl.Series(pair.astype(np.uint32)))


def _phrases(ready: _Pairs, needs: pl.DataFrame, column: str, terms: Terms | None) -> pl.DataFrame:
    """Phrases of a column of the needs that a target says: all words of the phrase stand in one text of it."""
    schema = {"pair": pl.UInt32(), "fact": pl.String(), "need_says": pl.String(), "target_says": pl.String()}
    schema |= {"in_table": pl.String(), "in_id": pl.String()}
    rows: list[tuple[object, ...]] = []
    if needs.schema.get(column) == pl.List(pl.String):
        asked = dict(needs.filter(pl.col(column).list.len() > 0).select("need_id", column).rows())
        phrases = sorted({p for row in asked.values() for p in row if p})
        words = dict(zip(phrases, text.place_words(phrases, terms=terms).by_text(), strict=True))
        for k, need in enumerate(ready.table["need_id"].to_list()):
            for phrase in asked.get(need, ()):
                found = _said_by(ready, k, words.get(phrase, ()))
                if found is not None:
                    said, where = found
                    rows.append((k, column, phrase, said, where.table, where.id))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _said_by(ready: _Pairs, pair: int, words: Sequence[str]) -> tuple[str, Where] | None:
    """The sentence and the text of a target that hold all these words, the first of them not denied."""
    if not words:
        return None
    for unit in ready.unit[pair][ready.unit[pair] >= 0].tolist():
        for place in ready.units.texts_of(unit):
            given = ready.units.placed.texts[place]
            starts = [
                at for at, _ in ready.units.find(place, words[0]) if not DENIED.search(given[max(0, at - 8) : at])
            ]
            if starts and all(any(True for _ in ready.units.find(place, w)) for w in words[1:]):
                said = next(given[a:b] for a, b in text.sentences(given) if b > starts[0])
                return said.strip()[:LONGEST_SENTENCE], ready.units.where[place]
    return None


def _examples(both: pl.DataFrame, examples: pl.DataFrame) -> pl.DataFrame:
    """The labelled pairs that a grade rests on, the nearest first."""
    required: dict[str, Kind] = dict.fromkeys(("need_id", "target_id", "example_need_id", "example_target_id"), "id")
    told = _inputs.columns(examples, "examples", {**required, "level": "count"}, optional={"likeness": "number"})
    return both.select("pair", "need_id", "target_id").join(told, on=["need_id", "target_id"]).select(
        "pair",
        fact=pl.lit("example"),
        need_says="example_need_id",
        target_says="example_target_id",
        shared=pl.col("level").cast(pl.String),
        value="likeness",
    )  # fmt: skip
