"""Grading: facts by hand, slow sure methods beside, what labels do on a synthetic region, and one test a code."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian import text
from silian.engines import match
from silian.engines.match import _grade_features as figures
from silian.engines.match import _grade_levels as levels
from silian.engines.match import _grade_process as process
from silian.errors import ArgumentError, MatchError, TableError
from silian.tables import synth

NEEDS = pl.DataFrame(
    {"need_id": ["n1", "n2"], "title": ["锂电池防爆", "轴承降噪"], "text": ["电池热失控时不起火", "滚动轴承的噪声"]}
)
TARGETS = pl.DataFrame(
    {
        "target_id": ["a", "b", "c", "d"],
        "title": ["锂电池隔膜", "电池外壳", "轴承钢热处理", "茶叶加工"],
        "text": ["陶瓷涂覆的隔膜", None, "降低轴承的噪声", ""],
    }
)
LABELS = pl.DataFrame(
    {"need_id": ["n1", "n1", "n1", "n2", "n2"], "target_id": ["a", "b", "d", "c", "d"], "level": [4, 3, 1, 4, 1]}
)
ALL = NEEDS.select("need_id").join(TARGETS.select("target_id"), how="cross")
CHANCES = ["p1", "p2", "p3", "p4"]


def learn(labels, needs=NEEDS, targets=TARGETS, **how):
    return match.learn(labels, needs, targets, **{"encoder": "words", **how})


def grades(labels, pairs=ALL, needs=NEEDS, targets=TARGETS):
    return match.grade(pairs, needs, targets, learn(labels, needs, targets))


def expected(graded):
    return graded.select(CHANCES).to_numpy() @ [1, 2, 3, 4]


@cache
def region():
    """Needs, targets, graded pairs of a synthetic county; halves of its needs."""
    made = synth.make("county", seed=7)
    needs = made.region["needs"].select("need_id", "title", "text")
    targets = made.region["achievements"].select("title", "text", target_id="achievement_id")
    pairs = made.truth["matches"].rename({"achievement_id": "target_id"}).select("need_id", "target_id", "level")
    order = np.random.default_rng(1).permutation(sorted(set(pairs["need_id"])))[:160]
    known = pairs.filter(pl.col("need_id").is_in(order[:100].tolist()))
    asked = pairs.filter(pl.col("need_id").is_in(order[100:].tolist()))
    return needs, targets, known, asked


def region_score(labels, asked):
    needs, targets, _, _ = region()
    graded = match.grade(asked, needs, targets, learn(labels, needs, targets))
    return levels.score_of(graded["level"].to_numpy(), asked["level"].to_numpy()), graded


def known_pairs(rows, seed=0):
    """Random labelled pairs as the process sees them."""
    rng = np.random.default_rng(seed)
    spoken = [f"词{i}甲 词{i % 3}乙" for i in range(8)]
    table = pl.DataFrame({"title": spoken, "text": [""] * 8})
    bags = text.segment(spoken)
    read = figures.read(table, text.encoder("words"), text.WordSpace.fit(bags), None, parts=True)
    need, target = rng.integers(0, 8, (2, rows))
    return process.Known(need, target, need % 5, rng.normal(size=(rows, 3)), read, read)


# ── facts by hand ───────────────────────────────────────────────────────────────────────────────────────────


def test_grade_puts_the_near_target_above_the_far_one_without_any_label():
    graded = grades(LABELS[:0], ALL.filter(need_id="n1"))

    first = expected(graded)
    assert graded["target_id"].to_list() == ["a", "b", "c", "d"]
    assert first[0] > first[2]
    assert first[1] > first[3]


def test_grade_gives_chances_that_add_up_and_their_median():
    graded = grades(LABELS)

    shares = np.cumsum(graded.select(CHANCES).to_numpy(), axis=1)
    assert shares[:, 3] == pytest.approx(1.0)
    assert graded["level"].to_list() == (1 + (shares < 0.5).sum(axis=1)).tolist()


@pytest.mark.parametrize(
    ("shares", "level"), [((0.2, 0.1, 0.0), 1), ((0.5, 0.1, 0.0), 1), ((0.6, 0.5, 0.1), 2), ((0.9, 0.8, 0.7), 4)]
)
def test_median_level_is_the_lower_of_two_that_err_alike(shares, level):
    shares = np.asarray([shares])

    chances = -np.diff(np.concatenate([[[1.0]], shares, [[0.0]]], axis=1))[0]
    errors = [abs(np.arange(1, 5) - k) @ chances for k in (1, 2, 3, 4)]
    assert levels.median_level(shares).tolist() == [level]
    assert errors[level - 1] == pytest.approx(min(errors))


def test_grade_follows_a_label_of_the_pair():
    for level, sign in ((1, -1), (4, 1)):
        pair = pl.DataFrame({"need_id": ["n1"], "target_id": ["b"], "level": [level]})

        moved = expected(grades(pair, pair, NEEDS, TARGETS)) - expected(grades(pair[:0], pair, NEEDS, TARGETS))

        assert sign * moved[0] > 0


def test_grade_hears_labels_of_the_same_need_more_than_those_of_another():
    asked = pl.DataFrame({"need_id": ["n1"], "target_id": ["b"]})
    same, other = LABELS.filter(need_id="n1", target_id="a"), LABELS.filter(need_id="n2", target_id="c")

    moved = [
        np.subtract(*(expected(grades(one.with_columns(level=pl.lit(k)), asked)) for k in (4, 1)))
        for one in (same, other)
    ]
    assert moved[0] > 2 * abs(moved[1])


def test_grade_shares_labels_between_needs_of_one_title():
    needs = pl.concat([NEEDS, NEEDS[:1].with_columns(need_id=pl.lit("n3"), text=pl.lit("别的说明"))])
    asked = pl.DataFrame({"need_id": ["n3"], "target_id": ["b"]})
    low, high = (pl.DataFrame({"need_id": ["n1"], "target_id": ["b"], "level": [k]}) for k in (1, 4))

    assert expected(grades(high, asked, needs)) > expected(grades(low, asked, needs)) + 0.3


def test_grade_counts_a_label_by_its_weight():
    pair = LABELS[:1]
    light, full, heavy = (expected(grades(pair.with_columns(weight=pl.lit(w)), pair))[0] for w in (0.1, 1.0, 10.0))

    assert light < full < heavy
    assert full == expected(grades(pair, pair))[0]


def test_grade_of_no_pairs_is_an_empty_table():
    graded = grades(LABELS, ALL[:0])

    assert graded.columns == ["need_id", "target_id", *CHANCES, "level"]
    assert graded.is_empty()


def test_grade_examples_names_the_nearest_labels_and_their_effect():
    grader = learn(LABELS)
    asked = pl.DataFrame({"need_id": ["n1"], "target_id": ["b"]})

    found = match.grade_examples(asked, NEEDS, TARGETS, grader, top=5)

    assert found.row(0, named=True) | {"effect": 0, "likeness": 1} == {
        "need_id": "n1", "target_id": "b", "rank": 1, "example_need_id": "n1", "example_target_id": "b",
        "need_title": "锂电池防爆", "target_title": "电池外壳", "level": 3, "likeness": 1, "effect": 0,
    }  # fmt: skip
    assert found["likeness"].is_sorted(descending=True)
    assert found["likeness"][0] == pytest.approx(1.0)
    bare = replace(grader, dual=np.zeros_like(grader.dual))
    by_labels = expected(match.grade(asked, NEEDS, TARGETS, grader)) - expected(
        match.grade(asked, NEEDS, TARGETS, bare)
    )
    assert found["effect"].sum() == pytest.approx(by_labels[0], abs=0.02)  # but for the edges of chances


def test_learn_does_not_depend_on_the_order_of_rows():
    grader = learn(LABELS)
    other = learn(LABELS.reverse(), NEEDS.reverse(), TARGETS.reverse())

    assert other.learnt_from == grader.learnt_from
    assert other.encoder_digest == grader.encoder_digest
    assert_frame_equal(
        match.grade(ALL, NEEDS, TARGETS, other), match.grade(ALL, NEEDS, TARGETS, grader), check_exact=True
    )


def test_learn_tells_other_labels_apart():
    assert learn(LABELS).learnt_from != learn(LABELS.with_columns(level=pl.lit(2))).learnt_from


def test_quality_is_none_where_nothing_can_be_left_out():
    assert learn(LABELS[:0]).quality == (0, 0, None, None)
    assert learn(LABELS[:1]).quality == (1, 1, None, None)
    assert learn(LABELS[:2]).quality.unseen is None
    assert learn(LABELS).quality.unseen is not None


# ── slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(3))
def test_settle_leaves_out_as_if_learnt_anew(seed):
    known = known_pairs(40, seed)
    rng = np.random.default_rng(seed)
    rest, weight = rng.normal(size=(40, 3)), rng.uniform(0.5, 2.0, 40)

    _, others = process.settle(known, rest, weight)

    for row in range(0, 40, 7):
        for kept, found in (
            (np.arange(40) != row, others.known[row]),
            (known.group != known.group[row], others.unseen[row]),
        ):
            less = known._replace(**{k: getattr(known, k)[kept] for k in ("need", "target", "group", "figures")})
            one = known._replace(**{k: getattr(known, k)[[row]] for k in ("need", "target", "group", "figures")})
            dual, _ = process.settle(less, rest[kept], weight[kept])
            assert process.foresee(one, less, dual)[0] == pytest.approx(found, abs=1e-9)


def test_company_equals_the_weighted_mean_over_other_candidates():
    known = known_pairs(30)
    pairs = figures.Pairs(known.need, known.target, known.group)
    beyond = np.random.default_rng(0).normal(size=30)

    found = figures._company(pairs, known.targets, beyond, np.ones(30), sharp=1.0)

    rows = known.targets.both.toarray()
    for i in range(30):
        others = (known.group == known.group[i]) & (known.target != known.target[i])
        if others.any():
            near = 0.5 * rows[known.target[others]] @ rows[known.target[i]]
            assert found[i] == pytest.approx(np.average(near, weights=np.exp(beyond[others])), abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-5, 5)), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_rank_share_is_the_mean_rank_within_the_group(rows):
    group, value = np.asarray([g for g, _ in rows]), np.round([v for _, v in rows], 3)

    found = figures.rank_share(group, value)

    for i in range(len(rows)):
        own = value[group == group[i]]
        less, even = (own < value[i]).sum(), (own == value[i]).sum()
        assert found[i] == pytest.approx((less + even / 2) / len(own))


# ── a synthetic region ──────────────────────────────────────────────────────────────────────────────────────


def test_learn_gains_from_ten_labels_and_more_from_many():
    _, _, known, asked = region()
    drawn = [known.sample(10, seed=seed) for seed in range(8)]

    none, many = (region_score(labels, asked)[0] for labels in (known[:0], known))
    ten = np.mean([region_score(labels, asked)[0] for labels in drawn])

    assert none < ten < many


def test_learn_of_a_need_helps_that_need_most():
    _, _, known, asked = region()
    half = asked.with_columns(place=pl.int_range(pl.len()).over("need_id"))
    own, rest = (half.filter(pl.col("place") % 2 == k).drop("place") for k in (0, 1))

    assert region_score(pl.concat([known, own]), rest)[0] > region_score(known, rest)[0]


def test_grade_is_calibrated_on_needs_it_has_not_seen():
    _, _, known, asked = region()

    _, graded = region_score(known, asked)

    for k in (1, 2, 3, 4):
        chance, is_so = graded[f"p{k}"].to_numpy(), (asked["level"] == k).to_numpy()
        sure = chance > 0.5
        assert chance.mean() == pytest.approx(is_so.mean(), abs=0.06)
        assert not sure.sum() >= 50 or chance[sure].mean() == pytest.approx(is_so[sure].mean(), abs=0.12)


def test_quality_foretells_what_unseen_needs_give():
    needs, targets, known, asked = region()

    told = learn(known, needs, targets).quality

    assert told.unseen == pytest.approx(region_score(known, asked)[0], abs=0.06)
    assert told.known >= told.unseen - 0.02


# ── odd texts and few labels ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("labels", [LABELS[:0], LABELS[:1], LABELS.with_columns(level=pl.lit(2))])
@pytest.mark.parametrize(
    "odd", ["", None, "x", "123 456", "，。；", "🚀🚀", "电" * 200_000, "\ud83d半", "mixed 混合 текст"]
)
def test_grade_of_odd_texts_is_finite(labels, odd):
    needs = NEEDS.with_columns(title=pl.lit(_sound(odd)), text=pl.lit(_sound(odd)))
    targets = TARGETS.with_columns(title=pl.lit(_sound(odd)))

    graded = grades(labels, ALL, needs, targets)

    chances = graded.select(CHANCES).to_numpy()
    assert np.isfinite(chances).all()
    assert (chances >= 0).all()
    assert chances.sum(axis=1) == pytest.approx(1.0)


def _sound(odd):
    """Half an encoding as a table can hold it."""
    return odd if odd is None else odd.encode("utf-8", "replace").decode()


def test_grade_of_one_level_only_gives_that_level_more():
    ones = LABELS.with_columns(level=pl.lit(1))

    assert (expected(grades(ones)) < expected(grades(LABELS[:0]))).all()


# ── one test a code ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("level", [0, 5, 2.5, None])
def test_learn_refuses_a_level_that_is_none(level):
    with pytest.raises(TableError, match=r"table\.value.*labels\.level.*1, 2, 3 or 4") as caught:
        learn(LABELS.with_columns(level=pl.lit(level, pl.Float64)))
    assert caught.value.problems.height == 5


def test_learn_refuses_a_level_that_is_no_number():
    with pytest.raises(TableError, match=r"table\.value.*labels\.level"):
        learn(LABELS.with_columns(level=pl.lit(float("nan"))))
    with pytest.raises(TableError, match=r"table\.type.*labels\.level"):
        learn(LABELS.with_columns(level=pl.lit("强")))


@pytest.mark.parametrize("weight", [0.0, -1.0, None, float("inf")])
def test_learn_refuses_a_weight_that_is_not_above_zero(weight):
    with pytest.raises(TableError, match=r"table\.value.*labels\.weight"):
        learn(LABELS.with_columns(weight=pl.lit(weight, pl.Float64)))


def test_learn_refuses_two_labels_of_one_pair():
    with pytest.raises(TableError, match=r"table\.duplicate.*labels"):
        learn(pl.concat([LABELS, LABELS[:1].with_columns(level=pl.lit(1, pl.Int64))]))


@pytest.mark.parametrize("column", ["need_id", "target_id"])
def test_learn_and_grade_name_the_unknown_id(column):
    ghost = LABELS.with_columns(pl.lit("ghost").alias(column))[:1]
    with pytest.raises(TableError, match=rf"table\.unknown.*labels\.{column}.*ghost"):
        learn(ghost)
    with pytest.raises(TableError, match=rf"table\.unknown.*pairs\.{column}.*ghost"):
        match.grade(ghost, NEEDS, TARGETS, learn(LABELS))


def test_learn_needs_its_columns():
    with pytest.raises(TableError, match=r"table\.columns.*level"):
        learn(LABELS.drop("level"))


def test_learn_refuses_empty_tables():
    with pytest.raises(MatchError, match=r"match\.empty.*targets"):
        learn(LABELS[:0], NEEDS, TARGETS[:0])


def test_grade_refuses_another_encoder():
    grader = learn(LABELS)
    other = text.encoder("corpus", dimensions=2).fit(TARGETS["title"].to_list())
    with pytest.raises(MatchError, match=r"match\.encoder"):
        match.grade(ALL, NEEDS, TARGETS, replace(grader, encoder=other))
    with pytest.raises(MatchError, match=r"match\.encoder"):
        match.grade(ALL, NEEDS, TARGETS, grader, encoder=other)


def test_grade_examples_refuses_no_examples():
    with pytest.raises(ArgumentError, match=r"argument\.value.*top"):
        match.grade_examples(ALL, NEEDS, TARGETS, learn(LABELS), top=0)
