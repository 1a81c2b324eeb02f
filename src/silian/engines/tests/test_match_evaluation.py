"""Measures of matching: by hand, against other programs, and one test a code."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.engines.match import evaluation
from silian.errors import ArgumentError, MatchError, TableError

NEEDS = pl.DataFrame({"need_id": ["n1", "n2", "n3"], "title": ["轴承降噪", "轴承降噪", "隔膜涂覆"]})
LABELS = pl.DataFrame({"need_id": ["n1", "n1", "n2", "n3"], "target_id": ["a", "b", "a", "c"], "level": [4, 1, 3, 2]})


def graded(labels, chances, level=None):
    """Labels with chances (rows of four) and levels."""
    columns = {f"p{k + 1}": [row[k] for row in chances] for k in range(4)}
    most = [int(np.argmax(row)) + 1 for row in chances]
    return labels.select("need_id", "target_id").with_columns(
        **{k: pl.Series(v, dtype=pl.Float64) for k, v in columns.items()}, level=pl.Series(level or most)
    )


def value(found, measure):
    return found.measures.filter(pl.col("measure") == measure)["value"].item()


def sure(level):
    return [float(k == level) for k in (1, 2, 3, 4)]


def random_case(seed, pairs=60, titles=9):
    rng = np.random.default_rng(seed)
    needs = pl.DataFrame({"need_id": [f"n{i}" for i in range(titles)], "title": [f"题{i % 6}" for i in range(titles)]})
    labels = pl.DataFrame(
        {
            "need_id": rng.choice(needs["need_id"].to_list(), pairs),
            "target_id": [f"a{i}" for i in range(pairs)],
            "level": rng.integers(1, 5, pairs),
        }
    )
    return labels, needs, graded(labels, rng.dirichlet(np.ones(4), pairs).round(1).tolist())


def test_evaluate_is_perfect_where_every_level_is_right():
    found = evaluation.evaluate(graded(LABELS, [sure(k) for k in LABELS["level"]]), LABELS, NEEDS)

    assert [value(found, m) for m in ("score", "accuracy", "spearman", "ndcg_at_10")] == pytest.approx([1, 1, 1, 1])
    assert [value(found, m) for m in ("mean_absolute_error", "calibration_error", "brier")] == pytest.approx([0, 0, 0])


def test_evaluate_counts_steps_between_levels():
    # errors: 3 (4 as 1), 0, 1 (3 as 2), 0 → mean 1 → score 1/2
    found = evaluation.evaluate(graded(LABELS, [sure(1), sure(1), sure(2), sure(2)]), LABELS, NEEDS)

    assert value(found, "score") == pytest.approx(1 / 2)
    assert value(found, "accuracy") == pytest.approx(1 / 2)
    by_title = found.need_quality.select("title", "pairs", "good", "mean_absolute_error").rows()
    assert by_title == [("轴承降噪", 3, 2, pytest.approx(4 / 3)), ("隔膜涂覆", 1, 0, 0.0)]


def test_evaluate_measures_recall_in_the_first_ten_of_the_lists():
    # of the good pairs n1-a and n2-a only the first stands in its list's first ten
    ranked = pl.DataFrame({"need_id": ["n1", "n2", "n3"], "target_id": ["a", "a", "c"], "rank": [10, 11, 1]})

    found = evaluation.evaluate(graded(LABELS, [sure(1)] * 4), LABELS, NEEDS, ranked=ranked)

    assert value(found, "recall_at_10") == 0.5
    without = evaluation.evaluate(graded(LABELS, [sure(1)] * 4), LABELS, NEEDS)
    assert "recall_at_10" not in without.measures["measure"].to_list()


def test_evaluate_compares_what_was_predicted_with_what_came():
    labels = pl.DataFrame({"need_id": ["n1"] * 4, "target_id": list("abcd"), "level": [4, 1, 1, 1]})
    half = [0.25, 0.0, 0.25, 0.5]  # .75 for level 3 or 4, and one of four is

    found = evaluation.evaluate(graded(labels, [half] * 4), labels, NEEDS)

    assert found.reliability.select("bin", "predicted", "observed", "pairs").rows() == [(7, 0.75, 0.25, 4)]
    assert value(found, "calibration_error") == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_evaluate_equals_other_programs(seed):
    from scipy.stats import spearmanr
    from sklearn.metrics import mean_absolute_error, ndcg_score

    labels, needs, made = random_case(seed)
    found = evaluation.evaluate(made, labels, needs)

    expected = made.select(pl.sum_horizontal(k * pl.col(f"p{k}") for k in (1, 2, 3, 4)).round(9)).to_series().to_numpy()
    assert value(found, "spearman") == pytest.approx(spearmanr(expected, labels["level"]).statistic)
    assert value(found, "mean_absolute_error") == pytest.approx(mean_absolute_error(labels["level"], made["level"]))
    title = labels.join(needs, on="need_id", how="left", maintain_order="left")["title"]
    gains = []
    for t in title.unique():
        rows = (title == t).to_numpy()
        truth = 2.0 ** (labels["level"].to_numpy()[rows] - 1) - 1
        if truth.any():  # the other program refuses a single pair
            gains.append(ndcg_score([truth], [expected[rows]], k=10) if rows.sum() > 1 else 1.0)
    assert value(found, "ndcg_at_10") == pytest.approx(np.mean(gains))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 40))
def test_evaluate_stays_within_its_bounds_whatever_the_order_of_rows(seed, pairs):
    labels, needs, made = random_case(seed, pairs=pairs)
    found = evaluation.evaluate(made, labels, needs)

    measures = found.measures.filter(pl.col("measure") != "mean_absolute_error")
    assert measures["value"].is_between(-1, 1).all()
    assert (measures["low"] <= measures["high"]).all()
    shuffled = evaluation.evaluate(made.sample(fraction=1, shuffle=True, seed=1), labels.reverse(), needs)
    assert shuffled.measures.equals(found.measures)
    assert found.reliability["pairs"].sum() == pairs


def test_split_keeps_needs_of_one_title_together():
    labels, needs, _ = random_case(3)
    by_title = evaluation.split(labels, needs, by="title", folds=3)

    titles = by_title.join(needs, on="need_id").group_by("title").agg(pl.col("fold").n_unique())
    assert titles["fold"].to_list() == [1] * 6
    by_pair = evaluation.split(labels, needs, by="pair", folds=5)
    assert by_pair["fold"].value_counts()["count"].to_list() == [12] * 5
    assert by_title.equals(evaluation.split(labels, needs, by="title", folds=3))


def test_grade_apart_never_shows_a_pair_its_own_label():
    labels, needs, made = random_case(4)
    folds = evaluation.split(labels, needs, by="pair", folds=4)
    asked = []

    def grade(known, pairs):
        assert known.join(pairs, on=["need_id", "target_id"]).is_empty()
        assert known.height + pairs.height == labels.height
        asked.append(pairs.height)
        return pairs.join(made, on=["need_id", "target_id"])

    assert evaluation.grade_apart(folds, grade).equals(made.sort("need_id", "target_id"))
    assert asked == [15] * 4


@pytest.mark.parametrize("level", [0, 5, 2.5, None])
def test_evaluate_refuses_what_is_no_level(level):
    labels = LABELS.with_columns(level=pl.Series([1, 2, 3, level], strict=False))

    with pytest.raises(TableError, match=r"table\.value.*labels\.level.*1, 2, 3 or 4"):
        evaluation.evaluate(graded(LABELS, [sure(1)] * 4), labels, NEEDS)


def test_evaluate_refuses_levels_that_are_no_number():
    labels = LABELS.with_columns(level=pl.Series([1.0, 2.0, float("nan"), 3.0]))

    with pytest.raises(TableError, match=r"table\.value.*labels\.level.*no number"):
        evaluation.evaluate(graded(LABELS, [sure(1)] * 4), labels, NEEDS)


def test_evaluate_names_the_columns_that_grades_lack():
    with pytest.raises(TableError, match=r"table\.columns.*graded lacks.*p3.*level"):
        evaluation.evaluate(graded(LABELS, [sure(1)] * 4).drop("p3", "level"), LABELS, NEEDS)
    with pytest.raises(TableError, match=r"table\.columns.*labels lacks.*level"):
        evaluation.evaluate(graded(LABELS, [sure(1)] * 4), LABELS.drop("level"), NEEDS)


def test_evaluate_names_the_label_that_was_not_graded():
    with pytest.raises(TableError, match=r"table\.unknown.*labels\.need_id, target_id.*graded.*n3"):
        evaluation.evaluate(graded(LABELS, [sure(1)] * 4).head(3), LABELS, NEEDS)


def test_evaluate_names_the_label_of_an_unknown_need():
    with pytest.raises(TableError, match=r"table\.unknown.*labels\.need_id.*ghost"):
        evaluation.split(LABELS.with_columns(need_id=pl.lit("ghost")).head(1), NEEDS)


def test_evaluate_wants_labels():
    with pytest.raises(MatchError, match=r"match\.empty.*labels"):
        evaluation.evaluate(graded(LABELS, [sure(1)] * 4), LABELS.clear(), NEEDS)


def test_split_wants_as_many_titles_as_folds():
    with pytest.raises(MatchError, match=r"match\.folds.*2 titles.*5 folds"):
        evaluation.split(LABELS, NEEDS)
    with pytest.raises(ArgumentError, match=r"argument\.value.*by is 'need'"):
        evaluation.split(LABELS, NEEDS, by="need")
