"""Ranking and scoring: a fast pass over all targets, then the exact score of the few that may come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from silian.engines.match import _kernels
from silian.engines.match._checks import check_known, check_range, check_table
from silian.engines.match._coding import lists, sealed
from silian.engines.match._kernels import Lists, Vectors
from silian.engines.match._topk import LEAST, Allowed
from silian.engines.match.conditions import NEED_FACTS, Conditions, facts, failing, reasons, unwanted
from silian.engines.match.index import Index, fields, meaning_rows, part_of, word_rows
from silian.engines.match.searching import find_best, parts_of_pairs
from silian.engines.match.why import MOST_TERMS, why_column, wording_of
from silian.errors import TextError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.text import Bags

CELLS: Final = 6_000_000  # needs × targets whose conditions are looked at together
NEEDS_AT_ONCE: Final = 4_000  # needs that are read and ranked together
PLACES: Final = 4_000_000  # of lists that are filled together
QUESTION: Final = "question"  # need_id of what `Index.ask` is asked
PAIRS: Final = {"need_id": pl.String(), "target_id": pl.String(), "rank": pl.Int64(), "score": pl.Float64()}


class Limit(NamedTuple):
    """How many targets of one organisation may stand in a list."""

    organisation: np.ndarray  # int64 (targets,): a code; -1 where it is not stated
    most: int


@dataclass(frozen=True, slots=True)
class Questions:
    """Needs made ready, row by row as given."""

    ids: pl.Series
    facts: pl.DataFrame
    title: Bags
    body: Bags
    rows: Any  # csr_array float32 (needs, features)
    vectors: Vectors


def rank(
    needs: pl.DataFrame,
    index: Index,
    *,
    top_k: int = 10,
    conditions: Conditions | None = None,
    excluded: pl.DataFrame | None = None,
    per_organisation: int | None = None,
    why: bool = True,
) -> pl.DataFrame:
    """The best targets for each need, with the parts of their score.

    Parameters
    ----------
    needs : need_id, title, text; one row per need
        Nulls count as empty; must_have (a list of texts) is read as part of the text where it is there. Columns that
        conditions look at may stand beside: trl_wanted, budget_cny (CNY), deadline_on, district_id.
    index : what to rank
    top_k : targets per need, at least 1; fewer come out where fewer score 0.0001 or more
    conditions : hard conditions; none where None
    excluded : need_id, target_id; pairs that must not come out. Ids that occur nowhere are passed over.
    per_organisation : targets of one organisation (org_id of the targets) in a need's list, at least 1: the whole
        ranking is walked down and a target is passed over where its organisation has that many already. No limit where
        None, nor for targets without org_id.
    why : whether to give the parts of the scores; False leaves that column out and saves its time

    Returns
    -------
    need_id, target_id, rank (1 is the best), score (in [0, 1]), why (the parts of the score: kind "word" with a term
        that both texts share, term "…" for what the words share beyond those shown, kind "meaning" with term ""; they
        add up to the score); needs in the order given, targets by rank; equal scores by target_id.

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate, table.value.
    ArgumentError : argument.value where top_k or per_organisation is below 1.

    Notes
    -----
    Exact: the same as scoring every pair. Splits: yes, each need on its own; the cut into blocks does not matter.
    Method and cost: docs/methods/match.md.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> rank(needs, build(targets, encoder="words"))["target_id"].to_list()
    ['b']
    """
    check_range("top_k", top_k, low=1, high=None, wanted="1 or more")
    check_range("per_organisation", 1 if per_organisation is None else per_organisation, low=1, high=None,
                wanted="1 or more, or None")  # fmt: skip
    _check_needs(needs)
    asked = conditions or Conditions()
    barred = _barred(needs, index, excluded, asked)
    limit = _limit(index, per_organisation)
    rows = max(1, min(NEEDS_AT_ONCE, PLACES // min(top_k, len(index))))
    parts = [
        _rank_slice(needs[at : at + rows], at, index, top_k, asked, barred, limit, why=why)
        for at in range(0, needs.height, rows)
    ]
    return pl.concat(parts) if parts else _empty(why=why)


def rank_needs(
    needs: pl.DataFrame,
    index: Index,
    *,
    targets: pl.Series | Sequence[str] | None = None,
    top_k: int = 10,
    conditions: Conditions | None = None,
    excluded: pl.DataFrame | None = None,
    why: bool = True,
) -> pl.DataFrame:
    """The best needs for each target: the direction from an achievement or expert to what it could serve.

    Parameters
    ----------
    needs, index, conditions, excluded, why : as for `rank`
    targets : ids of the targets that ask; all of the index where None
    top_k : needs per target, at least 1; fewer come out where fewer score 0.0001 or more

    Returns
    -------
    target_id, need_id, rank (1 is the best need of the target), score (exactly the one that `rank` gives the pair),
        why; sorted by target_id and rank; equal scores by need_id.

    Raises
    ------
    TableError : as for `rank`; table.unknown where targets names one that the index lacks.
    ArgumentError : argument.value where top_k is below 1.

    Notes
    -----
    Exact, as `rank` is. Splits: by targets; needs are compared with each other, so they belong in one call.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
    >>> needs = pl.DataFrame({"need_id": ["n1", "n2"], "title": ["锂电池防爆", "轴承钢"], "text": ["", ""]})
    >>> rank_needs(needs, build(targets, encoder="words"), targets=["a"])["need_id"].to_list()
    ['n2']
    """
    check_range("top_k", top_k, low=1, high=None, wanted="1 or more")
    _check_needs(needs)
    chosen = index if targets is None else _chosen(index, targets)
    if needs.is_empty() or not len(chosen):
        return _empty(why=why).select("target_id", "need_id", pl.exclude("target_id", "need_id"))
    ordered = needs.sort("need_id")
    asked = conditions or Conditions()
    barred = _barred(ordered, chosen, excluded, asked)
    questions = read_needs(ordered, chosen)
    allowed = allowed_pairs(questions, chosen, 0, asked, barred, None)
    target, need, exact = find_best(questions.rows, questions.vectors, chosen, top_k, allowed, by_target=True)
    order, place = _walk(target, need, exact, top_k, None)
    found = _table(questions, chosen, need[order], target[order], place, why=why)
    return found.select("target_id", "need_id", pl.exclude("target_id", "need_id"))


def score(pairs: pl.DataFrame, needs: pl.DataFrame, index: Index) -> pl.DataFrame:
    """The score of given pairs, the same as `rank` gives them.

    Parameters
    ----------
    pairs : need_id, target_id; one row per pair
    needs, index : as for `rank`

    Returns
    -------
    need_id, target_id, score, why; in the order of pairs. A pair that shares nothing has score 0 and no parts.

    Raises
    ------
    TableError : table.unknown where pairs names a need or target that is not there; else as for `rank`.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""]})
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池隔膜"], "text": [""]})
    >>> pairs = pl.DataFrame({"need_id": ["n"], "target_id": ["a"]})
    >>> score(pairs, needs, build(targets, encoder="words"))["score"].round(6).to_list()
    [1.0]
    """
    _check_needs(needs)
    _check_pairs(pairs, needs, index)
    if pairs.is_empty():
        return _empty().drop("rank")
    asked = needs.filter(pl.col("need_id").is_in(pairs["need_id"].implode()))
    questions = read_needs(asked, index)
    need, target = _places(pairs["need_id"], questions.ids), _places(pairs["target_id"], index.target_ids)
    order = np.argsort(need, kind="stable")
    exact, unit = _exact(questions, index, need[order], target[order])
    why = _why(questions, index, need[order], unit)
    back = np.argsort(order, kind="stable")
    return pairs.select("need_id", "target_id").with_columns(score=pl.Series(exact[back]), why=why[back])


def why_not(
    pairs: pl.DataFrame,
    needs: pl.DataFrame,
    index: Index,
    *,
    conditions: Conditions,
    excluded: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Which hard conditions keep pairs out.

    Parameters
    ----------
    pairs : need_id, target_id; one row per pair
    needs, index, conditions, excluded : as for `rank`

    Returns
    -------
    need_id, target_id, reason (trl, budget, deadline, validity, district, ip_status, qualification, distance,
        not_wanted, excluded), found, wanted (as text, e.g. found 4 and wanted >= 5; of not_wanted the phrase is
        found); a row for each condition that is not met, in the order of pairs; a pair that nothing keeps out has no
        row.

    Raises
    ------
    TableError : as for `score`.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""], "trl": [3]})
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池隔膜"], "text": [""], "trl_wanted": [6]})
    >>> pairs = pl.DataFrame({"need_id": ["n"], "target_id": ["a"]})
    >>> why_not(pairs, needs, build(targets, encoder="words"), conditions=Conditions(max_trl_gap=1)).rows()
    [('n', 'a', 'trl', '3', '>= 5')]
    """
    _check_needs(needs)
    _check_pairs(pairs, needs, index)
    stated = facts(needs, "needs", NEED_FACTS)
    need, target = _places(pairs["need_id"], needs["need_id"]), _places(pairs["target_id"], index.target_ids)
    rows = pl.DataFrame({"row": np.arange(len(need)), "need": need, "target": target})
    said = (
        unwanted(stated, index) if conditions.not_wanted else pl.DataFrame(schema={**rows.schema, "phrase": pl.String})
    )
    held = _barred(needs, index, excluded, Conditions())
    barred = pl.DataFrame(dict(zip(("need", "target"), held or (need[:0],) * 2, strict=True)))
    found = reasons(
        conditions,
        stated[need],
        index.facts[target],
        rows.join(said.select("need", "target", "phrase"), on=["need", "target"]),
        rows.join(barred, on=["need", "target"], how="semi")["row"],
    )
    return pairs.select("need_id", "target_id")[found["row"]].with_columns(found.drop("row"))


def units_behind(pairs: pl.DataFrame, needs: pl.DataFrame, index: Index) -> tuple[np.ndarray, np.ndarray]:
    """Place of each pair's need in needs, and the units that its score rests on: int64 (pairs, best; -1: none).

    Raises
    ------
    TableError : as for `score`.
    """
    _check_needs(needs)
    _check_pairs(pairs, needs, index)
    need, target = _places(pairs["need_id"], needs["need_id"]), _places(pairs["target_id"], index.target_ids)
    used, asking = np.unique(need, return_inverse=True)
    return need, _exact(read_needs(needs[used], index), index, asking, target)[1]


def _check_needs(needs: pl.DataFrame) -> None:
    check_table(needs, "needs", key=["need_id"], text=["title", "text"])


def _check_pairs(pairs: pl.DataFrame, needs: pl.DataFrame, index: Index) -> None:
    check_table(pairs, "pairs", key=["need_id", "target_id"], text=[])
    check_known(pairs, "pairs", "need_id", needs["need_id"], "needs")
    check_known(pairs, "pairs", "target_id", index.target_ids, "the index")


def read_needs(needs: pl.DataFrame, index: Index) -> Questions:
    """Needs as the index reads them: words, rows, vectors."""
    told = needs
    if needs.schema.get("must_have") == pl.List(pl.String):
        must = pl.col("must_have").list.join("；", ignore_nulls=True)
        told = needs.with_columns(text=pl.concat_str("text", must, separator="\n", ignore_nulls=True))
    title, body = fields(told, index.terms)
    return Questions(
        ids=needs["need_id"],
        facts=facts(needs, "needs", NEED_FACTS),
        title=title,
        body=body,
        rows=word_rows(index.space, title, body),
        vectors=meaning_rows(index.encoder, title, body),
    )


def answer(
    index: Index, question: str, top_k: int, *, title: str | None, stated: Mapping[str, object],
    conditions: Conditions | None, excluded: pl.Series | None, per_organisation: int | None, why: bool,
) -> pl.DataFrame:  # fmt: skip
    """`Index.ask`: one need made of a question, ranked."""
    strings = {"need_id": pl.String, "title": pl.String, "text": pl.String}
    wrong = [i for i, t in enumerate((question, title or "")) if not isinstance(t, str)]
    if wrong:
        found = type((question, title)[wrong[0]]).__name__
        raise TextError("text.type", count=len(wrong), total=2, position=wrong[0], found=found)
    whole = [None if t is None else t.encode(errors="replace").decode() for t in (title, question)]  # half an emoji
    need = {"need_id": [QUESTION], "title": whole[:1], "text": whole[1:]}
    asked = pl.DataFrame(need | {name: [value] for name, value in stated.items()}, schema_overrides=strings)
    barred = None if excluded is None else pl.DataFrame({"target_id": excluded}).with_columns(need_id=pl.lit(QUESTION))
    return rank(
        asked, index, top_k=top_k, conditions=conditions, excluded=barred, per_organisation=per_organisation, why=why
    )


def _rank_slice(
    needs: pl.DataFrame, first: int, index: Index, top_k: int, asked: Conditions,
    barred: tuple[np.ndarray, np.ndarray] | None, limit: Limit | None, *, why: bool,
) -> pl.DataFrame:  # fmt: skip
    questions = read_needs(needs, index)
    allowed = allowed_pairs(questions, index, first, asked, barred, limit)
    need, target, exact = find_best(questions.rows, questions.vectors, index, top_k, allowed)
    order, place = _walk(need, target, exact, top_k, limit)
    return _table(questions, index, need[order], target[order], place, why=why)


def _walk(
    asking: np.ndarray, answering: np.ndarray, exact: np.ndarray, top_k: int, limit: Limit | None
) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs come out, best first for each that asks, and their rank."""
    order = np.lexsort((answering, -exact, asking))
    order = order[exact[order] >= LEAST]
    if limit is not None:
        body = limit.organisation[answering[order]]
        so_far = pl.DataFrame({"a": asking[order], "b": body}).select(pl.int_range(pl.len()).over("a", "b")).to_series()
        order = order[(body < 0) | (so_far.to_numpy() < limit.most)]
    counted = asking[order]
    place = np.arange(len(order)) - np.searchsorted(counted, counted) + 1
    return order[place <= top_k], place[place <= top_k]


def _table(
    questions: Questions, index: Index, need: np.ndarray, target: np.ndarray, place: np.ndarray, *, why: bool
) -> pl.DataFrame:
    exact, unit = _exact(questions, index, need, target)
    found = {
        "need_id": questions.ids[need],
        "target_id": index.target_ids[target],
        "rank": pl.Series(place, dtype=pl.Int64),
        "score": pl.Series(exact),
    }
    return pl.DataFrame(found | ({"why": _why(questions, index, need, unit)} if why else {}))


def allowed_pairs(
    questions: Questions, index: Index, first: int, asked: Conditions,
    barred: tuple[np.ndarray, np.ndarray] | None, limit: Limit | None,
) -> Allowed:  # fmt: skip
    """Which pairs of these needs, the first of which stands at `first`, may come out."""
    n, targets = len(questions.ids), len(index)
    bits = np.zeros((0 if asked.is_open else n, -(-targets // 8)), np.uint8)
    rows = max(1, CELLS // targets)
    for at in range(0, len(bits), rows):
        block = slice(at, min(at + rows, n))
        keeps = np.ones((block.stop - at, targets), np.bool_)
        for fails in failing(asked, questions.facts[block], index.facts).values():
            keeps &= ~fails
        bits[block] = np.packbits(keeps, axis=1)
    need, target = (np.zeros(0, np.int64),) * 2 if barred is None else barred
    here = (need >= first) & (need < first + n)
    need, target = need[here] - first, target[here]
    order = np.lexsort((target, need))
    ends = np.concatenate([[0], np.cumsum(np.bincount(need, minlength=n))]).astype(np.int64)
    held = Lists(ends, target[order].astype(np.int32), np.ones(len(order), np.float32))
    organisation, most = (np.zeros(0, np.int64), 0) if limit is None else limit
    return Allowed(bits, held, organisation, most)


def _exact(questions: Questions, index: Index, need: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exact_scores: Any = _kernels.exact_scores
    exact, unit = exact_scores(need, target, *_sides(questions, index), index.meaning, len(index.space.features))
    return exact, unit


def _sides(questions: Questions, index: Index) -> Any:
    return sealed((_kernels.Side(lists(questions.rows), questions.vectors), index.side, index.groups))


def _why(questions: Questions, index: Index, need: np.ndarray, unit: np.ndarray) -> pl.Series:
    terms, wording = wording_of(questions.title, questions.body, index)
    marks = _kernels.Marks(index.alone, index.touches.units, len(index.touches.keys))
    shown = (wording, sealed(marks), MOST_TERMS)
    found = parts_of_pairs(need, unit, _sides(questions, index), index.meaning, shown)
    return why_column(terms, found)


def _limit(index: Index, per_organisation: int | None) -> Limit | None:
    if per_organisation is None:
        return None
    codes = index.organisation.rank("dense").cast(pl.Int64).fill_null(-1)
    return Limit(codes.to_numpy(), per_organisation)


def _chosen(index: Index, targets: pl.Series | Sequence[str]) -> Index:
    """The index of the targets that are named."""
    wanted = pl.DataFrame({"target_id": pl.Series(targets, dtype=pl.String)}).unique()
    check_known(wanted, "targets", "target_id", index.target_ids, "the index")
    return part_of(index, np.sort(_places(wanted["target_id"], index.target_ids)))


def _barred(
    needs: pl.DataFrame, index: Index, excluded: pl.DataFrame | None, asked: Conditions
) -> tuple[np.ndarray, np.ndarray] | None:
    """Places of pairs that must not come out: those excluded, and those that say what is not wanted."""
    found = pl.DataFrame(schema={"need": pl.Int64, "target": pl.Int64})
    if asked.not_wanted:
        found = unwanted(facts(needs, "needs", NEED_FACTS), index).select("need", "target")
    if excluded is not None and not excluded.is_empty():
        pair = ["need_id", "target_id"]
        once = excluded.unique(pair, maintain_order=True) if set(pair) <= set(excluded.columns) else excluded
        check_table(once, "excluded", key=pair, text=[])
        known = once.filter(
            pl.col("need_id").is_in(needs["need_id"].implode()) & pl.col("target_id").is_in(index.target_ids.implode())
        )
        places = _places(known["need_id"], needs["need_id"]), _places(known["target_id"], index.target_ids)
        found = pl.concat([found, pl.DataFrame(dict(zip(found.columns, places, strict=True)))])
    found = found.unique(maintain_order=True)
    return (found["need"].to_numpy(), found["target"].to_numpy()) if found.height else None


def _places(ids: pl.Series, where: pl.Series) -> np.ndarray:
    book = pl.DataFrame({"id": where, "place": np.arange(len(where), dtype=np.int64)})
    found = pl.DataFrame({"id": ids}).join(book, on="id", how="left", maintain_order="left")
    return np.asarray(found["place"].to_numpy(), dtype=np.int64)


def _empty(*, why: bool = True) -> pl.DataFrame:
    parts = pl.List(pl.Struct({"kind": pl.String(), "term": pl.String(), "part": pl.Float64()}))
    return pl.DataFrame(schema={**PAIRS, "why": parts} if why else PAIRS)
