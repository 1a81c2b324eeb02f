"""What a tap on a button says: labels for the grader, conditions for the need, a new order for the list."""

from __future__ import annotations

from typing import Final

import polars as pl

from silian.engines.match._checks import check_known, check_number, check_table
from silian.engines.match._grade_inputs import PAIR
from silian.engines.match.conditions import NEED_FACTS, TARGET_FACTS, facts
from silian.errors import TableError

# verdict → level and weight. Too early and too dear say that the field is right: fairly strong, and half as sure.
VERDICTS: Final = {"fits": (4, 1.0), "wrong_field": (1, 1.0), "too_early": (3, 0.5), "too_dear": (3, 0.5)}
HIGHEST_TRL: Final = 9.0
FEN: Final = 0.01  # CNY


def feedback_labels(feedback: pl.DataFrame) -> pl.DataFrame:
    """Verdicts as labels that `learn` takes.

    Parameters
    ----------
    feedback : need_id, target_id, verdict; one row per pair
        verdict is fits (level 4), wrong_field (level 1), too_early or too_dear (level 3 with half the weight: the field
        is right, a fact is not; what the fact asks for is told by `tighten`).

    Returns
    -------
    need_id, target_id, level, weight; in the order of feedback.

    Raises
    ------
    TableError : table.columns, table.type, table.value (an id is empty, a verdict is none of the four),
        table.duplicate.

    Examples
    --------
    >>> taps = pl.DataFrame({"need_id": ["n", "n"], "target_id": ["a", "b"], "verdict": ["fits", "too_dear"]})
    >>> feedback_labels(taps).rows()
    [('n', 'a', 4, 1.0), ('n', 'b', 3, 0.5)]
    """
    _check(feedback)
    said = pl.DataFrame(
        [(v, *meaning) for v, meaning in VERDICTS.items()], ["verdict", "level", "weight"], orient="row"
    )
    return feedback.join(said, on="verdict", how="left", maintain_order="left").select(*PAIR, "level", "weight")


def tighten(feedback: pl.DataFrame, needs: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Needs with what too_early and too_dear ask for, so that hard conditions keep such targets out.

    Parameters
    ----------
    feedback : as for `feedback_labels`
    needs : need_id; trl_wanted and budget_cny (CNY) where known; one row per need
    targets : target_id; trl and price_cny (CNY) where known; one row per target

    Returns
    -------
    needs with trl_wanted (levels) and budget_cny (CNY): after too_early at least one level above the target's (9 at
        most), after too_dear at most one fen below its price (0 at least). Wishes that ask for more already stay; a
        target that does not state the fact asks for nothing. To be used with Conditions(max_trl_gap=0,
        within_budget=True).

    Raises
    ------
    TableError : as for `feedback_labels`; table.unknown where feedback names a need or target that is not there.

    Examples
    --------
    >>> taps = pl.DataFrame({"need_id": ["n", "n"], "target_id": ["a", "b"], "verdict": ["too_early", "too_dear"]})
    >>> needs = pl.DataFrame({"need_id": ["n"], "budget_cny": [900000.0]})
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "trl": [4, 9], "price_cny": [None, 500000.0]})
    >>> tighten(taps, needs, targets).rows()
    [('n', 499999.99, 5.0)]
    """
    _check(feedback)
    check_table(needs, "needs", key=["need_id"], text=[])
    check_table(targets, "targets", key=["target_id"], text=[])
    check_known(feedback, "feedback", "need_id", needs["need_id"], "needs")
    check_known(feedback, "feedback", "target_id", targets["target_id"], "targets")
    stated = targets.select("target_id").hstack(facts(targets, "targets", TARGET_FACTS))
    wished = needs.drop("trl_wanted", "budget_cny", strict=False).hstack(
        facts(needs, "needs", NEED_FACTS).select("trl_wanted", "budget_cny")
    )
    early, dear = pl.col("verdict") == "too_early", pl.col("verdict") == "too_dear"
    asked = (
        feedback.join(stated.select("target_id", "trl", "price_cny"), on="target_id")
        .group_by("need_id")
        .agg(
            least=(pl.col("trl").filter(early).max() + 1).clip(upper_bound=HIGHEST_TRL),
            most=(pl.col("price_cny").filter(dear).min() - FEN).clip(lower_bound=0.0),
        )
    )
    return (
        wished.join(asked, on="need_id", how="left", maintain_order="left")
        .with_columns(
            trl_wanted=pl.max_horizontal("trl_wanted", "least"), budget_cny=pl.min_horizontal("budget_cny", "most")
        )
        .drop("least", "most")
        .select([*(c for c in needs.columns), *(c for c in ("trl_wanted", "budget_cny") if c not in needs.columns)])
    )


def reorder(ranked: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
    """Ranked pairs in the order of their grades.

    Parameters
    ----------
    ranked : need_id, target_id, rank, score, …; from `rank`
    grades : need_id, target_id, p1, p2, p3, p4, …; from `grade`, for every ranked pair

    Returns
    -------
    ranked with expected_level (1–4: p1 + 2 p2 + 3 p3 + 4 p4) and rank anew: by expected_level, then score, then
        target_id; needs in the order of ranked.

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate, table.value (a score or probability is no number);
        table.unknown where a ranked pair has no grade.

    Examples
    --------
    >>> ranked = pl.DataFrame({"need_id": ["n", "n"], "target_id": ["a", "b"], "rank": [1, 2], "score": [0.5, 0.4]})
    >>> chances = pl.DataFrame({"p1": [1.0, 0.0], "p2": [0.0, 0.0], "p3": [0.0, 0.0], "p4": [0.0, 1.0]})
    >>> grades = ranked.select("need_id", "target_id").hstack(chances)
    >>> reorder(ranked, grades).select("target_id", "rank").rows()
    [('b', 1), ('a', 2)]
    """
    chances = [f"p{k}" for k in (1, 2, 3, 4)]
    for name, table, columns in (("ranked", ranked, ["rank", "score"]), ("grades", grades, chances)):
        check_table(table, name, key=PAIR, text=[])
        missing = [c for c in columns if c not in table.columns]
        if missing:
            raise TableError("table.columns", table=name, missing=missing, present=table.columns)
        for column in columns:
            check_number(table, name, column)
    expected = pl.sum_horizontal(pl.col(c) * k for k, c in enumerate(chances, 1))
    known = grades.select(*PAIR, expected_level=expected)
    lost = ranked.join(known, on=PAIR, how="anti")
    if lost.height:
        raise TableError(
            "table.unknown", problems=lost, count=lost.height, table="ranked", column="need_id, target_id",
            where="grades", shown=lost.select(PAIR).head(3).rows(),
        )  # fmt: skip
    ordered = (
        ranked.with_row_index("place")
        .with_columns(first=pl.col("place").min().over("need_id"))
        .join(known, on=PAIR, how="left", maintain_order="left")
        .sort("first", "expected_level", "score", "target_id", descending=[False, True, True, False])
    )
    return ordered.with_columns(rank=pl.int_range(1, pl.len() + 1).over("need_id").cast(ranked.schema["rank"])).drop(
        "place", "first"
    )


def _check(feedback: pl.DataFrame) -> None:
    check_table(feedback, "feedback", key=PAIR, text=["verdict"])
    wrong = feedback.filter(~pl.col("verdict").is_in(list(VERDICTS)).fill_null(value=False))
    if wrong.height:
        raise TableError(
            "table.value", problems=wrong, count=wrong.height, table="feedback", column="verdict",
            found="no verdict", shown=wrong["verdict"].head(3).to_list(), wanted=", ".join(VERDICTS),
        )  # fmt: skip
