"""Matching: the best k by bounds are the best k of all pairs, whatever vectors, ties, shares, chunks and threads."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian import text
from silian.engines import match
from silian.engines.match import _coding, _dots, _kernels, _topk, index, ranking, searching

WORDS = ["锂离子电池", "立方氮化硼", "轴承钢", "小麦", "废水", "氧化铝", "separator", "天线", "齿轮", "涂层"]
COMMON = "系统"  # in every target: a column of bytes instead of a list


@dataclass(frozen=True)
class Given:
    """Vectors by text, as they are given; zeros for other texts."""

    by_text: dict[str, np.ndarray] = field(default_factory=dict)
    dimensions: int = 8
    name: str = "given"
    digest: str = "given"
    share: float = 0.3
    title_share: float | None = None

    def fit(self, corpus):  # noqa: ARG002
        return self

    def encode(self, texts):
        return np.stack([self.by_text.get(t, np.zeros(self.dimensions)) for t in texts]).astype(np.float32)


def table(name, texts):
    ids = [f"{name}{i:03d}" for i in range(len(texts))]
    return pl.DataFrame({f"{name}_id": ids, "title": texts, "text": [""] * len(texts)},
                        schema={f"{name}_id": pl.String, "title": pl.String, "text": pl.String})  # fmt: skip


def every_score(needs, made):
    """Scores of all pairs: (needs, targets), by `score`."""
    pairs = needs.select("need_id").join(pl.DataFrame({"target_id": made.target_ids}), how="cross")
    return match.score(pairs, needs, made).drop("why")


def slow_rank(needs, made, top_k):
    """Sorted scores of all pairs."""
    whole = every_score(needs, made).filter(pl.col("score") >= _topk.LEAST)
    order = pl.DataFrame({"need_id": needs["need_id"], "at": range(needs.height)})
    ranked = whole.join(order, on="need_id").sort(["at", "score", "target_id"], descending=[False, True, False])
    place = (pl.int_range(pl.len()).over("need_id") + 1).alias("rank")
    return ranked.with_columns(place).filter(pl.col("rank") <= top_k).select("need_id", "target_id", "rank", "score")


def vectors_of(kind, number, rng, dimensions=8):
    """Vectors that make it hard: the same, many ties, zeros, nearly the same, one large number, opposite ones."""
    made = {
        "random": rng.standard_normal((number, dimensions)),
        "same": np.ones((number, dimensions)),
        "ties": rng.integers(-1, 2, (number, dimensions)),
        "zero": np.zeros((number, dimensions)),
        "near": 1 + 1e-4 * rng.standard_normal((number, dimensions)),
        "spike": rng.standard_normal((number, dimensions)) + 100 * (np.arange(dimensions) == 0),
        "opposite": np.where(np.arange(number)[:, None] % 2, 1, -1) * np.ones((number, dimensions)),
        "tiny": 1e-6 * rng.standard_normal((number, dimensions)),
    }
    return made[kind]


KINDS = ["random", "same", "ties", "zero", "near", "spike", "opposite", "tiny"]


def scene(kind, meaning, seed, targets=130, needs=19):
    rng = np.random.default_rng(seed)
    offered = ["，".join([COMMON, *rng.choice(WORDS, rng.integers(0, 4))]) + f" x{i}y" for i in range(targets)]
    asked = ["，".join(rng.choice([*WORDS, COMMON], rng.integers(0, 4))) + f" z{i}y" for i in range(needs)]
    every = [*offered, *asked]
    by_text = dict(zip(every, vectors_of(kind, len(every), rng), strict=True))
    return table("need", asked), table("target", offered), Given(by_text), meaning


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("meaning", [0.0, 0.3, 1.0])
def test_rank_is_the_sorted_list_of_all_scores(kind, meaning, monkeypatch):
    needs, targets, encoder, share = scene(kind, meaning, seed=7)
    made = match.build(targets, encoder=encoder, meaning=share, terms=None)
    monkeypatch.setattr(searching, "CHUNK", 32)
    monkeypatch.setattr(searching, "WORTH_SHARING", 0)

    assert len(made.codes.common)
    for top_k in (1, 10, 1_000):
        assert_frame_equal(
            match.rank(needs, made, top_k=top_k, why=False), slow_rank(needs, made, top_k), check_exact=True
        )


@pytest.mark.parametrize("chunk", [16, 40, 8_192])
@pytest.mark.parametrize("top_k", [1, 3, 1_000])
def test_rank_by_words_alone_is_the_sorted_list_of_all_scores(chunk, top_k, monkeypatch):
    needs, targets, _, _ = scene("random", 0.0, seed=11, targets=400)
    made = match.build(targets, encoder="words", terms=None)
    monkeypatch.setattr(searching, "WORDS_CHUNK", chunk)
    monkeypatch.setattr(searching, "WORTH_SHARING", 0)

    turned = every_score(needs, made).sort(["target_id", "score", "need_id"], descending=[False, True, False])
    turned = turned.filter(pl.col("score") >= _topk.LEAST).group_by("target_id", maintain_order=True).head(top_k)

    assert_frame_equal(match.rank(needs, made, top_k=top_k, why=False), slow_rank(needs, made, top_k), check_exact=True)
    assert_frame_equal(
        match.rank_needs(needs, made, top_k=top_k, why=False).select("target_id", "need_id", "score"),
        turned.select("target_id", "need_id", "score"), check_exact=True,
    )  # fmt: skip


@pytest.mark.parametrize("chunk", [16, 8_192])
def test_rank_of_experts_by_words_alone_is_the_sorted_list_of_all_scores(chunk, monkeypatch):
    needs, targets, _, _ = scene("random", 0.0, seed=12, targets=400)
    owner = np.random.default_rng(12).integers(0, 60, targets.height)
    works = targets.rename({"target_id": "work_id"}).with_columns(expert_id=pl.Series([f"e{i:02d}" for i in owner]))
    made = match.build_experts(works, encoder="words", terms=None)
    monkeypatch.setattr(searching, "WORDS_CHUNK", chunk)
    monkeypatch.setattr(searching, "WORTH_SHARING", 0)

    assert_frame_equal(match.rank(needs, made, top_k=5, why=False), slow_rank(needs, made, 5), check_exact=True)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("chunk", [16, 40, 4_096])
def test_rank_does_not_depend_on_threads_and_chunks(threads, chunk, monkeypatch):
    needs, targets, encoder, _ = scene("random", 0.3, seed=8)
    made = match.build(targets, encoder=encoder, terms=None)
    whole, turned = match.rank(needs, made), match.rank_needs(needs, made, top_k=3)
    monkeypatch.setattr(searching, "THREADS", threads)
    monkeypatch.setattr(searching, "CHUNK", chunk)
    monkeypatch.setattr(searching, "WORTH_SHARING", 0)
    monkeypatch.setattr(searching, "PAIRS_WORTH_SHARING", 0)

    assert_frame_equal(match.rank(needs, made), whole, check_exact=True)
    assert_frame_equal(match.rank_needs(needs, made, top_k=3), turned, check_exact=True)
    alone = [match.rank(needs[i : i + 1], made) for i in range(needs.height)]
    assert_frame_equal(pl.concat(alone), whole, check_exact=True)


@pytest.mark.parametrize("kind", KINDS)
def test_rank_of_experts_is_the_sorted_list_of_all_scores(kind, monkeypatch):
    needs, targets, encoder, _ = scene(kind, 0.3, seed=9)
    owner = np.random.default_rng(9).integers(0, 25, targets.height)
    works = targets.rename({"target_id": "work_id"}).with_columns(
        expert_id=pl.Series([f"e{i:02d}" for i in owner]), year=pl.Series(2000 + owner)
    )
    people = pl.DataFrame({"expert_id": [f"e{i:02d}" for i in range(30)]})
    made = match.build_experts(works, people, encoder=encoder, terms=None)
    monkeypatch.setattr(searching, "CHUNK", 16)
    monkeypatch.setattr(searching, "WORTH_SHARING", 0)

    assert_frame_equal(match.rank(needs, made, top_k=5, why=False), slow_rank(needs, made, 5), check_exact=True)


def test_rank_lists_hundreds_of_equal_scores_by_id():
    made = match.build(table("target", ["轴承钢"] * 700), encoder="words", terms=None)

    found = match.rank(table("need", ["轴承钢"]), made, top_k=650)

    assert found["target_id"].to_list() == [f"target{i:03d}" for i in range(650)]


def test_ask_answers_an_index_of_one_empty_target():
    made = match.build(table("target", [""]), encoder="words", terms=None)

    assert made.ask("轴承钢").is_empty()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([1, 3, 4, 9, 64]))
def test_bounds_are_never_below_the_scores(seed, needs, dimensions):
    rng = np.random.default_rng(seed)
    import scipy.sparse as sp

    def side(number):
        rows = sp.random_array((number, 30), density=0.2, rng=rng, format="csr", dtype=np.float32)
        rows.sort_indices()
        return text.unit_rows(rows), _coding.whole(vectors_of(rng.choice(KINDS), number, rng, dimensions))

    (asked, near), (offered, far), meaning, units = side(needs), side(100), float(rng.random()), 100
    codes = _coding.codes_of(offered, far)
    groups = _kernels.Groups(np.arange(units + 1), np.ones(units), 1)
    sides = (_kernels.Side(_coding.lists(asked), near), _kernels.Side(_coding.lists(offered), far))
    pairing = _coding.sealed(
        _topk.Pairing(_coding.asking_of(asked, near, codes, meaning), codes, *sides, groups, meaning, True)
    )
    room = _topk.room_for(codes, pairing.groups, np.asarray([0, units]))
    lists = pairing.asking.start.copy(), pairing.asking.start.copy()
    _topk.advance(*lists, pairing.asking.stop, codes.posts, 0, units)

    for block in range(0, needs, _dots.HIGH):
        _topk.bound_block(pairing, block, lists, 0, units, room)
        for need in range(block, min(block + _dots.HIGH, needs)):
            exact, _ = _kernels.exact_scores(
                np.full(units, need), np.arange(units), *pairing[2:5], meaning, asked.shape[1]
            )
            bound = room.bound[need - block]
            assert (bound >= exact).all()
            assert (bound - exact).max() < 0.2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_bounds_by_words_are_never_below_the_scores_whatever_the_floor(seed, floor):
    import scipy.sparse as sp

    rng = np.random.default_rng(seed)
    asked, offered = (
        text.unit_rows(sp.random_array((n, 30), density=0.2, rng=rng, format="csr", dtype=np.float32))
        for n in (12, 100)
    )
    for rows in (asked, offered):
        rows.sort_indices()
    near, far = (_coding.whole(np.zeros((n, 0), np.float32)) for n in (12, 100))
    codes = _coding.codes_of(offered, far)
    groups = _kernels.Groups(np.arange(101), np.ones(100), 1)
    sides = (_kernels.Side(_coding.lists(asked), near), _kernels.Side(_coding.lists(offered), far))
    pairing = _coding.sealed(
        _topk.Pairing(_coding.asking_of(asked, near, codes, 0.0), codes, *sides, groups, 0.0, True)
    )
    room = _topk.room_for(codes, pairing.groups, np.asarray([0, 100]))
    lists = pairing.asking.start.copy(), pairing.asking.start.copy()
    _topk.advance(*lists, pairing.asking.stop, codes.posts, 0, 100)

    for need in range(12):
        _topk.bound_by_words(pairing, need, np.float32(floor), lists, 0, 100, room)
        exact, _ = _kernels.exact_scores(np.full(100, need), np.arange(100), *pairing[2:5], 0.0, asked.shape[1])
        assert (room.bound[0][:100] >= exact).all()
        assert (room.bound[0][:100] - exact).max() < max(1e-5, _topk.PASSED * floor + 1e-5)


def test_products_of_bytes_are_those_of_numpy_in_both_ways():
    rng = np.random.default_rng(7)
    left = rng.integers(-128, 128, (16, 20)).astype(np.int8)
    units = rng.integers(0, 256, (8 * 16, 20)).astype(np.uint8)
    right = np.ascontiguousarray(units.reshape(8, 16, 5, 4).transpose(0, 2, 1, 3)).reshape(8, 5, 64)
    wanted = left[8:].astype(np.int64) @ units[16 : 16 * 4].astype(np.int64).T

    chosen, plain = np.zeros((8, 48), np.int32), np.zeros((8, 48), np.int32)
    _dots.add_products(left, 8, right, 1, 4, chosen)
    _dots._plain_tile(left, 8, right, 1, plain, 0)

    assert (chosen == wanted).all()
    assert (plain == wanted).all()


def test_vectors_as_whole_numbers_are_true_to_a_hundred_thousandth():
    rows = np.random.default_rng(7).standard_normal((50, 384)).astype(np.float32)
    rows[3] = 0

    made = _coding.whole(rows)

    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    assert _coding.decoded(made) @ unit.T == pytest.approx(unit @ unit.T, abs=1e-5)
    assert (made.codes[3] == 0).all()


def test_ask_reads_what_is_whole_of_a_broken_text():
    made = match.build(table("target", ["轴承钢", "锂电池"]), encoder="words", terms=None)

    assert made.ask("钢\ud800轴承\x00")["target_id"].to_list() == ["target000"]
    assert made.ask("?").is_empty()


def test_room_is_made_for_an_expert_with_more_works_than_a_chunk(monkeypatch):
    monkeypatch.setattr(searching, "WORDS_CHUNK", 16)
    works = table("work", ["轴承钢"] * 50 + ["小麦"]).with_columns(expert_id=pl.Series(["e1"] * 50 + ["e2"]))
    made = match.build_experts(works, encoder="words", terms=None)

    assert made.ask("轴承钢")["target_id"].to_list() == ["e1"]
    assert made.ask("小麦")["target_id"].to_list() == ["e2"]


def test_build_does_not_depend_on_the_blocks_that_texts_are_read_in(monkeypatch):
    needs, targets, encoder, _ = scene("random", 0.3, seed=3)
    whole = match.build(targets, encoder=encoder, terms=None)
    monkeypatch.setattr(index, "UNITS_AT_ONCE", 7)

    cut = match.build(targets, encoder=encoder, terms=None)

    assert whole.space.features == cut.space.features
    assert_frame_equal(match.rank(needs, cut), match.rank(needs, whole), check_exact=True)


def test_rank_takes_lists_longer_than_fit_into_memory_a_few_needs_at_a_time(monkeypatch):
    needs, targets, encoder, _ = scene("random", 0.3, seed=4)
    made = match.build(targets, encoder=encoder, terms=None)
    whole = match.rank(needs, made, top_k=130, why=False)
    monkeypatch.setattr(ranking, "PLACES", 200)

    assert_frame_equal(match.rank(needs, made, top_k=130, why=False), whole, check_exact=True)
