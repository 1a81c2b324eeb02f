"""How good matching is, measured on graded pairs: out-of-fold grades, the measures, and how far each can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from silian.engines.match._checks import check_known, check_number, check_range, check_table
from silian.engines.match._grade_inputs import LEVELS, check_levels
from silian.errors import ArgumentError, MatchError, TableError

if TYPE_CHECKING:
    from collections.abc import Callable

Split = Literal["title", "pair"]
SPLITS: Final = ("title", "pair")
CHANCES: Final = tuple(f"p{k}" for k in LEVELS)
GOOD: Final = 3  # the least level that is worth an introduction
DRAWS: Final = 400  # of the bootstrap
BINS: Final = 10
MEASURES: Final = (
    "score",
    "mean_absolute_error",
    "accuracy",
    "spearman",
    "ndcg_at_10",
    "recall_at_10",
    "calibration_error",
    "brier",
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measured quality of grades or of a ranking."""

    measures: pl.DataFrame  # measure, value, low, high (95 % of bootstrap draws over need titles), titles, pairs
    need_quality: pl.DataFrame  # title, pairs, good, mean_absolute_error, ndcg_at_10, recall_at_10; worst first
    reliability: pl.DataFrame  # bin, predicted, observed, low, high (95 %, Wilson), pairs; of "level 3 or 4"


def split(
    labels: pl.DataFrame, needs: pl.DataFrame, *, by: Split = "title", folds: int = 5, seed: int = 7
) -> pl.DataFrame:
    """The labels with the fold that each is kept aside in.

    Parameters
    ----------
    labels : need_id, target_id, level; weight where it is there
    needs : need_id, title
    by : "title" keeps the pairs of needs of one title together (a need never seen before); "pair" deals out pairs
        (new pairs of known needs). Grouping by need id would leak: several ids may share a title.
    folds : at least 2
    seed : of the deal

    Returns
    -------
    need_id, target_id, level, weight (where it was there), fold (0 to folds − 1), in the order of the labels.

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate, table.value, table.unknown.
    ArgumentError : argument.value where by or folds is another.
    MatchError : match.folds where there are fewer titles (or pairs) than folds.

    Examples
    --------
    >>> labels = pl.DataFrame({"need_id": ["a", "b", "c"], "target_id": ["t"] * 3, "level": [1, 4, 2]})
    >>> needs = pl.DataFrame({"need_id": ["a", "b", "c"], "title": ["轴承", "轴承", "隔膜"]})
    >>> fold = split(labels, needs, folds=2)["fold"]
    >>> fold[0] == fold[1] != fold[2]
    True
    """
    check_labels(labels, needs)
    if by not in SPLITS:
        raise ArgumentError("argument.value", name="by", found=repr(by), wanted=" or ".join(map(repr, SPLITS)))
    check_range("folds", folds, low=2, high=None, wanted="2 or more")
    title = _titles(labels, needs) if by == "title" else pl.Series(np.arange(labels.height)).cast(pl.String)
    group = title.rank("dense").to_numpy().astype(np.int64) - 1
    number = int(group.max()) + 1 if labels.height else 0
    if number < folds:
        raise MatchError("match.folds", found=number, what="titles" if by == "title" else "pairs", wanted=folds)
    fold = np.random.default_rng(seed).permutation(number)[group] % folds
    told = [c for c in ("need_id", "target_id", "level", "weight") if c in labels.columns]
    return labels.select(*told, fold=pl.Series(fold, dtype=pl.Int64))


def grade_apart(
    folds: pl.DataFrame,
    grade: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame],
    *,
    on_fold: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Grades of every pair, given by what was learnt without its fold.

    Parameters
    ----------
    folds : need_id, target_id, level, weight (may be absent), fold; of `split`
    grade : (labels to learn from, pairs to grade) → need_id, target_id, p1–p4, level
    on_fold : told 1 after each fold

    Returns
    -------
    need_id, target_id, p1, p2, p3, p4, level; sorted by need and target.
    """
    done = []
    for fold in folds["fold"].unique().sort().to_list():
        aside = pl.col("fold") == fold
        known = folds.filter(~aside).drop("fold")
        done.append(grade(known, folds.filter(aside).select("need_id", "target_id")))
        if on_fold is not None:
            on_fold(1)
    return pl.concat(done).sort("need_id", "target_id")


def evaluate(
    graded: pl.DataFrame,
    labels: pl.DataFrame,
    needs: pl.DataFrame,
    *,
    ranked: pl.DataFrame | None = None,
    seed: int = 7,
) -> Evaluation:
    """Measures of grades against labels.

    Parameters
    ----------
    graded : need_id, target_id, p1, p2, p3, p4, level; every labelled pair must be there, others are passed over
    labels : need_id, target_id, level (1–4)
    needs : need_id, title
    ranked : need_id, target_id, rank; lists of the whole index, for recall_at_10; without them it is left out
    seed : of the bootstrap

    Returns
    -------
    Evaluation. score = 1 / (1 + mean absolute error); spearman of the expected level; ndcg_at_10 with gains
        2^(level − 1) − 1 over a title's graded pairs, titles without a pair above level 1 left out; recall_at_10: of
        the graded pairs of level 3 or 4, the share that stands in the first ten of its need's list;
        calibration_error: of the chance of level 3 or 4, in ten bins; brier: ranked probability score of the levels.

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate, table.value; table.unknown where a labelled pair was not
        graded or a label's need is not known.
    MatchError : match.empty where there are no labels.

    Notes
    -----
    Low and high are the 2.5th and 97.5th of 100 of draws of whole need titles (cluster bootstrap), because pairs of
    one need are not independent. Sources: Järvelin, Kekäläinen (2002) for nDCG; Epstein (1969) for the ranked
    probability score; Naeini et al. (2015) for the calibration error; Wilson (1927) for the bins.

    Examples
    --------
    >>> labels = pl.DataFrame({"need_id": ["n", "n"], "target_id": ["a", "b"], "level": [4, 1]})
    >>> sure = {"p1": [0.0, 1.0], "p2": [0.0, 0.0], "p3": [0.0, 0.0], "p4": [1.0, 0.0]}
    >>> found = evaluate(labels.with_columns(**{k: pl.Series(v) for k, v in sure.items()}), labels,
    ...                  pl.DataFrame({"need_id": ["n"], "title": ["轴承"]}))
    >>> found.measures.filter(pl.col("measure") == "score")["value"].item()
    1.0
    """
    check_labels(labels, needs)
    if labels.is_empty():
        raise MatchError("match.empty", table="labels")
    pairs = _joined(graded, labels, needs, ranked)
    return Evaluation(_measures(pairs, seed), _by_title(pairs), _reliability(pairs))


def check_labels(labels: pl.DataFrame, needs: pl.DataFrame) -> None:
    """Raise TableError where labels are not what is promised: levels 1 to 4 of known needs, one row a pair."""
    check_table(labels, "labels", key=["need_id", "target_id"], text=[])
    check_table(needs, "needs", key=["need_id"], text=["title"])
    check_levels(labels)
    check_known(labels, "labels", "need_id", needs["need_id"], "needs")


def _titles(labels: pl.DataFrame, needs: pl.DataFrame) -> pl.Series:
    book = needs.select("need_id", title=pl.col("title").fill_null("").str.strip_chars())
    return labels.join(book, on="need_id", how="left", maintain_order="left")["title"]


def _joined(
    graded: pl.DataFrame, labels: pl.DataFrame, needs: pl.DataFrame, ranked: pl.DataFrame | None
) -> pl.DataFrame:
    """need_id, target_id, title, truth, p1–p4, level, expected, listed (in the first ten; null without lists)."""
    key = ["need_id", "target_id"]
    check_table(graded, "graded", key=key, text=[])
    missing = [column for column in (*CHANCES, "level") if column not in graded.columns]
    if missing:
        raise TableError("table.columns", table="graded", missing=missing, present=graded.columns)
    for column in (*CHANCES, "level"):
        check_number(graded, "graded", column)
    truth = labels.select(*key, truth=pl.col("level").cast(pl.Int64)).with_columns(title=_titles(labels, needs))
    pairs = truth.join(graded.select(*key, *CHANCES, "level"), on=key, how="left", maintain_order="left")
    lost = pairs.filter(pl.col("p1").is_null())
    if lost.height:
        raise TableError(
            "table.unknown", problems=lost, count=lost.height, table="labels", column="need_id, target_id",
            where="graded", shown=lost.select(key).head(3).rows(),
        )  # fmt: skip
    listed = pl.lit(None, pl.Boolean)
    if ranked is not None:
        first = ranked.filter(pl.col("rank") <= 10).select(*key, listed=pl.lit(value=True))
        pairs = pairs.join(first, on=key, how="left", maintain_order="left")
        listed = pl.col("listed").fill_null(value=False)
    expected = sum((k * pl.col(f"p{k}") for k in LEVELS), pl.lit(0.0)).round(9)  # the last bits break no tie
    return pairs.with_columns(listed=listed, expected=expected).sort("title", *key)


def _measures(pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
    code = pairs["title"].rank("dense").to_numpy().astype(np.int64) - 1
    starts = np.searchsorted(code, np.arange(code[-1] + 2))
    number = int(code[-1]) + 1
    columns = _Columns.of(pairs)
    gains = np.asarray([_ndcg(columns, slice(starts[t], starts[t + 1])) for t in range(number)])
    value = _all_measures(columns, np.arange(pairs.height), gains)
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        titles = rng.integers(number, size=number)
        rows = np.concatenate([np.arange(starts[t], starts[t + 1]) for t in titles])
        drawn.append(_all_measures(columns, rows, gains[titles]))
    spread = np.asarray(drawn)
    rows_out = []
    for m, (name, found) in enumerate(zip(MEASURES, value.tolist(), strict=True)):
        of = spread[~np.isnan(spread[:, m]), m]
        if not np.isnan(found):
            low, high = np.quantile(of, [0.025, 0.975]).tolist() if len(of) else (found, found)
            rows_out.append((name, found, low, high, number, pairs.height))
    schema = {"measure": pl.String(), "value": pl.Float64(), "low": pl.Float64(), "high": pl.Float64(),
              "titles": pl.Int64(), "pairs": pl.Int64()}  # fmt: skip
    return pl.DataFrame(rows_out, schema=schema, orient="row")


@dataclass(frozen=True, slots=True)
class _Columns:
    truth: np.ndarray
    level: np.ndarray
    chances: np.ndarray  # (pairs, 4)
    expected: np.ndarray
    listed: np.ndarray  # float64, NaN without lists

    @classmethod
    def of(cls, pairs: pl.DataFrame) -> _Columns:
        return cls(
            truth=pairs["truth"].to_numpy().astype(np.int64),
            level=pairs["level"].to_numpy().astype(np.float64),
            chances=pairs.select(CHANCES).to_numpy().astype(np.float64),
            expected=pairs["expected"].to_numpy(),
            listed=pairs["listed"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        )


def _all_measures(c: _Columns, rows: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """MEASURES over the given rows; gains: nDCG of the titles of these rows."""
    truth, error = c.truth[rows], np.abs(c.level[rows] - c.truth[rows])
    good = truth >= GOOD
    seen = c.listed[rows][good]
    ndcg = gains[~np.isnan(gains)]
    chance = c.chances[rows]
    upto = np.cumsum(chance, axis=1)[:, :3] - (truth[:, None] <= np.asarray(LEVELS[:3]))
    return np.asarray(
        [
            1 / (1 + error.mean()),
            error.mean(),
            (error == 0).mean(),
            _spearman(c.expected[rows], truth),
            ndcg.mean() if len(ndcg) else np.nan,
            seen.mean() if len(seen) else np.nan,
            _calibration_error(chance[:, GOOD - 1 :].sum(axis=1), good),
            (upto**2).sum(axis=1).mean() / 3,
        ]
    )


def _spearman(left: np.ndarray, right: np.ndarray) -> float:
    first, second = (pl.Series(side).rank("average").to_numpy() for side in (left, right))
    if first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ndcg(c: _Columns, rows: slice) -> float:
    """The nDCG of the first ten of one title's graded pairs; ties of the expected level share their gains."""
    gain = 2.0 ** (c.truth[rows] - 1) - 1
    if not gain.any():
        return float("nan")
    discount = np.zeros(len(gain))
    discount[:10] = 1 / np.log2(np.arange(2, min(10, len(gain)) + 2))
    order = np.argsort(-c.expected[rows], kind="stable")
    _, tie = np.unique(-c.expected[rows][order], return_inverse=True)
    shared = np.bincount(tie, weights=discount) / np.bincount(tie)
    return float((gain[order] * shared[tie]).sum() / (np.sort(gain)[::-1] * discount).sum())


def _calibration_error(chance: np.ndarray, good: np.ndarray) -> float:
    place = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    gap = np.bincount(place, weights=chance - good, minlength=BINS)
    return float(np.abs(gap).sum() / max(len(chance), 1))


def _by_title(pairs: pl.DataFrame) -> pl.DataFrame:
    code = pairs["title"].rank("dense").to_numpy().astype(np.int64) - 1
    starts = np.searchsorted(code, np.arange(code[-1] + 2))
    columns = _Columns.of(pairs)
    gains = [_ndcg(columns, slice(a, b)) for a, b in pairwise(starts)]
    good = pl.col("truth") >= GOOD
    table = pairs.group_by("title", maintain_order=True).agg(
        pairs=pl.len().cast(pl.Int64),
        good=good.sum().cast(pl.Int64),
        mean_absolute_error=(pl.col("level") - pl.col("truth")).abs().cast(pl.Float64).mean(),
        recall_at_10=pl.col("listed").filter(good).cast(pl.Float64).mean(),
    )
    table = table.with_columns(ndcg_at_10=pl.Series(gains, dtype=pl.Float64).fill_nan(None))
    columns_out = ("title", "pairs", "good", "mean_absolute_error", "ndcg_at_10", "recall_at_10")
    return table.select(columns_out).sort("mean_absolute_error", "title", descending=[True, False])


def _reliability(pairs: pl.DataFrame) -> pl.DataFrame:
    """Bins of the chance of level 3 or 4: what was predicted and what came."""
    binned = pairs.select(chance=pl.col("p3") + pl.col("p4"), good=pl.col("truth") >= GOOD)
    place = (pl.col("chance") * BINS).floor().clip(0, BINS - 1).cast(pl.Int64)
    table = binned.group_by(bin=place).agg(
        predicted=pl.col("chance").mean(), observed=pl.col("good").mean(), pairs=pl.len().cast(pl.Int64)
    )
    z, n, p = 1.96, pl.col("pairs"), pl.col("observed")
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt(),
    )
    return (
        table.with_columns(low=(middle - half).clip(0, 1), high=(middle + half).clip(0, 1))
        .sort("bin")
        .select("bin", "predicted", "observed", "low", "high", "pairs")
    )
