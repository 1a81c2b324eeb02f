"""Grading: how well pairs fit, as probabilities of four levels, learnt from the levels that people gave."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import polars as pl

from silian.engines.match import _grade_levels as levels
from silian.engines.match._checks import check_range
from silian.engines.match._grade_features import Pairs, Reading, features, join, read
from silian.engines.match._grade_inputs import LEVELS, PAIR, check_pairs, check_texts, coded, labels_of, plain, readers
from silian.engines.match._grade_process import TEXTS, Known, foresee, kernel, settle
from silian.errors import MatchError

if TYPE_CHECKING:
    from silian.engines.match._grade_levels import Stage
    from silian.text import Encoder, Terms, WordSpace


class Quality(NamedTuple):
    """How well labels that are left out are met: 1 / (1 + mean absolute error); None where it cannot be known."""

    labels: int
    needs: int  # wordings
    known: float | None  # each label left out alone
    unseen: float | None  # all labels of a need left out together


@dataclass(frozen=True, slots=True)
class Grader:
    """What was learnt from labels, as tables and arrays. Made by `learn`, used by `grade`."""

    encoder: Encoder
    encoder_digest: str  # of the encoder that the labels were read with
    terms: Terms | None
    space: WordSpace
    labels: pl.DataFrame  # need_id, target_id, level, weight; sorted by the two ids
    needs: pl.DataFrame  # need_id, title, text; those that are labelled, sorted
    targets: pl.DataFrame  # target_id, title, text; those that are labelled, sorted
    need_rows: Reading  # of needs
    target_rows: Reading  # of targets
    stage: Stage  # what is expected by texts and figures
    figures: np.ndarray  # float64 (labels, figures)
    dual: np.ndarray  # float64 (labels, 3): what labels add, to be multiplied by the kernel
    quality: Quality
    learnt_from: str  # hash of labels and texts


def learn(
    labels: pl.DataFrame,
    needs: pl.DataFrame,
    targets: pl.DataFrame,
    *,
    encoder: str | Encoder = "default",
    terms: Terms | Literal["default"] | None = "default",
    seed: int = 7,
) -> Grader:
    """Learn from labels what level a pair has.

    Parameters
    ----------
    labels : need_id, target_id, level; one row per pair
        level is 1 none, 2 weak, 3 fairly strong or 4 strong. A column weight (> 0) may say how much a label counts;
        1 where there is none. No rows at all is fine: levels then rest on the texts alone.
    needs : need_id, title, text; one row per need
    targets : target_id, title, text; one row per target
        Nulls count as empty. Needs and targets without labels help too: the weight of words is learnt from them.
    encoder : name of an encoder, which then learns from needs and targets, or one that has learnt already
    terms : by which texts are read, so that Chinese and English meet; "default" is the list that comes with the project
    seed : of an encoder that is named and draws at random

    Raises
    ------
    TableError : table.columns, table.type, table.value (an id is empty; a level is not 1, 2, 3 or 4; a weight is not
        above 0), table.duplicate (a pair is labelled twice: keep one), table.unknown (labels name a need or target
        that is not there).
    MatchError : match.empty where there are no needs or no targets.
    TextError : of the encoder.

    Notes
    -----
    Deterministic; the order of rows does not matter. Method, sources, quality and cost: docs/methods/grade.md.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["锂电池隔膜", "轴承钢"], "text": ["", ""]})
    >>> labels = pl.DataFrame({"need_id": ["n"], "target_id": ["a"], "level": [4]})
    >>> learn(labels, needs, targets, encoder="words").quality.labels
    1
    """
    check_texts(needs, targets)
    known = labels_of(labels, needs, targets)
    needs, targets = plain(needs, "need_id"), plain(targets, "target_id")
    learnt, space, read_by = readers(needs, targets, encoder, terms, seed)
    needs, targets = plain(needs, "need_id", known["need_id"]), plain(targets, "target_id", known["target_id"])
    need_rows = read(needs, learnt, space, read_by, parts=True)
    target_rows = read(targets, learnt, space, read_by, parts=False)
    pairs = coded([known], [needs], [targets])
    seen = features(pairs, need_rows, target_rows)
    level, weight = known["level"].to_numpy(), known["weight"].to_numpy()
    wanted = levels.reached(level)
    stage = levels.learn_stage(seen, wanted, weight)
    expected, figures = levels.expect(stage, seen), levels.figures_of(stage, seen)
    dual, others = settle(Known(*pairs, figures, need_rows, target_rows), wanted - expected, weight)
    return Grader(
        encoder=learnt, encoder_digest=learnt.digest, terms=read_by, space=space, labels=known, needs=needs,
        targets=targets, need_rows=need_rows, target_rows=target_rows, stage=stage, figures=figures,
        dual=dual, quality=_quality(level, pairs.group, expected + others.known, expected + others.unseen),
        learnt_from=_hash(known, needs, targets),
    )  # fmt: skip


def grade(
    pairs: pl.DataFrame,
    needs: pl.DataFrame,
    targets: pl.DataFrame,
    grader: Grader,
    *,
    encoder: Encoder | None = None,
) -> pl.DataFrame:
    """The level of pairs, as probabilities and as one number.

    Parameters
    ----------
    pairs : need_id, target_id; one row per pair
        A need's candidates are judged beside each other: hand over all that were considered, not one at a time. Its
        labelled pairs stand among them by themselves.
    needs, targets : as for `learn`; those that pairs names
    grader : from `learn`
    encoder : of the index whose pairs these are, where that must be the grader's own

    Returns
    -------
    need_id, target_id, p1, p2, p3, p4 (probabilities of none, weak, fairly strong, strong; they add up to 1), level
        (1–4); in the order of pairs. level is the median: the lowest level at which p1 + … reaches one half, which
        makes the expected absolute error least; of two levels that do so alike the lower one is given.

    Raises
    ------
    MatchError : match.encoder where the grader learnt with another encoder than it has now, or than `encoder`.
    TableError : table.columns, table.type, table.value, table.duplicate; table.unknown where pairs names a need or
        target that is not there.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["锂电池隔膜", "轴承钢"], "text": ["", ""]})
    >>> labels = pl.DataFrame({"need_id": ["n"], "target_id": ["b"], "level": [1]})
    >>> pairs = pl.DataFrame({"need_id": ["n", "n"], "target_id": ["a", "b"]})
    >>> graded = grade(pairs, needs, targets, learn(labels, needs, targets, encoder="words"))
    >>> graded["p1"][0] < graded["p1"][1]
    True
    """
    if pairs.is_empty() and set(PAIR) <= set(pairs.columns):
        kinds = {**dict.fromkeys(PAIR, pl.String()), **{f"p{k}": pl.Float64() for k in LEVELS}, "level": pl.Int64()}
        return pl.DataFrame(schema=kinds)
    asked, seen = _ask(pairs, needs, targets, grader, encoder)
    shares = levels.expect(grader.stage, seen)
    shares = levels.settled(shares + foresee(asked, _known(grader), grader.dual))
    steps = np.concatenate([np.ones((len(shares), 1)), shares, np.zeros((len(shares), 1))], axis=1)
    chances = {f"p{k}": pl.Series(steps[:, k - 1] - steps[:, k]) for k in LEVELS}
    return pairs.select(PAIR).with_columns(**chances, level=pl.Series(levels.median_level(shares)))


def grade_examples(
    pairs: pl.DataFrame,
    needs: pl.DataFrame,
    targets: pl.DataFrame,
    grader: Grader,
    *,
    top: int = 3,
) -> pl.DataFrame:
    """The labelled pairs whose need and target are most like those of each pair.

    Parameters
    ----------
    pairs, needs, targets, grader : as for `grade`
    top : examples per pair, at least 1; fewer where there are fewer labels

    Returns
    -------
    need_id, target_id, rank (1 is the nearest), example_need_id, example_target_id, need_title, target_title (of the
        example), level (that it was given), likeness (of need and target, 0–1, 1 is the same pair), effect (levels by
        which the example moves the expected level; the effects of all labels add up to what labels change); in the
        order of pairs.

    Raises
    ------
    TableError, MatchError : as for `grade`; ArgumentError : argument.value where top is below 1.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["锂电池隔膜", "锂电池外壳"], "text": ["", ""]})
    >>> labels = pl.DataFrame({"need_id": ["n"], "target_id": ["b"], "level": [4]})
    >>> grader = learn(labels, needs, targets, encoder="words")
    >>> asked = pl.DataFrame({"need_id": ["n"], "target_id": ["a"]})
    >>> grade_examples(asked, needs, targets, grader).select("target_title", "level").row(0)
    ('锂电池外壳', 4)
    """
    check_range("top", top, low=1, high=None, wanted="1 or more")
    asked, _ = _ask(pairs, needs, targets, grader, None)
    most = min(top, grader.labels.height)
    nearest = np.zeros((len(asked.need), most), np.int64)
    likeness, said = np.zeros((2, len(asked.need), most))
    for rows, told, block in kernel(asked, _known(grader)) if most else ():
        nearest[rows] = np.argsort(-told, axis=1, kind="stable")[:, :most]
        likeness[rows] = np.take_along_axis(told, nearest[rows], axis=1)
        said[rows] = np.take_along_axis(block, nearest[rows], axis=1)
    need, target, _ = coded([grader.labels], [grader.needs], [grader.targets])
    shown = grader.labels.with_columns(
        need_title=grader.needs["title"][need], target_title=grader.targets["title"][target]
    )[nearest.ravel()]
    effect = said.ravel() * grader.dual.sum(axis=1)[nearest.ravel()]
    own = pairs.select(PAIR)[np.repeat(np.arange(pairs.height), most)]
    return own.with_columns(
        rank=pl.Series(np.tile(np.arange(1, most + 1), pairs.height), dtype=pl.Int64),
        example_need_id=shown["need_id"],
        example_target_id=shown["target_id"],
        need_title=shown["need_title"],
        target_title=shown["target_title"],
        level=shown["level"],
        likeness=pl.Series(likeness.ravel() / TEXTS),
        effect=pl.Series(effect),
    )


def _ask(
    pairs: pl.DataFrame, needs: pl.DataFrame, targets: pl.DataFrame, grader: Grader, encoder: Encoder | None
) -> tuple[Known, np.ndarray]:
    """Pairs as the process sees them, and their features."""
    check_texts(needs, targets)
    check_pairs(pairs, "pairs", needs, targets)
    for one in (grader.encoder, encoder or grader.encoder):
        if one.digest != grader.encoder_digest:
            raise MatchError("match.encoder", what="grader", found=grader.encoder_digest, wanted=one.digest)
    needs, targets = plain(needs, "need_id", pairs["need_id"]), plain(targets, "target_id", pairs["target_id"])
    need_rows = join(grader.need_rows, read(needs, grader.encoder, grader.space, grader.terms, parts=True))
    target_rows = join(grader.target_rows, read(targets, grader.encoder, grader.space, grader.terms, parts=False))
    both = coded([grader.labels, pairs], [grader.needs, needs], [grader.targets, targets])
    labelled = grader.labels.height
    asked = both.group[labelled:]
    # labelled pairs of the same needs are candidates beside the pairs
    again = grader.labels.select(pl.struct(PAIR).is_in(pairs.select(pl.struct(PAIR)).to_series().implode()))
    beside = np.flatnonzero(np.isin(both.group[:labelled], asked) & ~again.to_series().to_numpy())
    crowd = np.concatenate([np.arange(labelled, len(both.group)), beside])
    seen = features(Pairs(*(codes[crowd] for codes in both)), need_rows, target_rows)[: len(asked)]
    need, target, group = (codes[labelled:] for codes in both)
    return Known(need, target, group, levels.figures_of(grader.stage, seen), need_rows, target_rows), seen


def _known(grader: Grader) -> Known:
    pairs = coded([grader.labels], [grader.needs], [grader.targets])
    return Known(*pairs, grader.figures, grader.need_rows, grader.target_rows)


def _quality(level: np.ndarray, group: np.ndarray, known: np.ndarray, unseen: np.ndarray) -> Quality:
    wordings = len(np.unique(group))
    met = [
        levels.score_of(levels.median_level(levels.settled(s)), level) if len(level) else 1.0 for s in (known, unseen)
    ]
    return Quality(len(level), wordings, met[0] if len(level) > 1 else None, met[1] if wordings > 1 else None)


def _hash(*tables: pl.DataFrame) -> str:
    whole = hashlib.sha256()
    for table in tables:
        for column in table.columns:
            whole.update(column.encode() + b"\0")
            for value in table[column].cast(pl.String):
                whole.update(value.encode() + b"\0")
    return whole.hexdigest()
