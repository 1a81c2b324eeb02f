"""The exact hybrid top 10 of 20,000 needs in 200,000 targets of 11 words, and one question at that size.

Made-up texts (seed 7): `letters` are words of six letters, each one feature; `characters` are Chinese words of two
characters, cut and matched by their runs. Words are drawn by rank ** -0.9 from 20,000. Vectors have 384 numbers:
`mixed` ones are sums of the vectors of a text's words, `random` ones follow from the whole text. Before a figure is
told the answer is checked: 40 needs against all scores from the encoder's own vectors in single precision (`recall`).
Every case runs in a process of its own; `peak_mib` is the most that process held by then, building the index, reading
the needs and ranking included, the check not.
`search` is the walk over the index with needs made ready, which is what the peers are timed on; `rank` cuts and encodes
the needs too; `rank_why` gives the reasons of the 200,000 pairs as well.
Peers, where they are installed: bm25s with its numba backend (words), faiss flat inner product (vectors); what a hybrid
of the two would take is their sum, and it would not be exact.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.engines.match import Index

CORES = os.cpu_count()
NEEDS, TARGETS, DIMENSIONS, TOP = 20_000, 200_000, 384, 10
CASES = [("letters", "mixed", 0.3), ("letters", "random", 0.3), ("characters", "mixed", 0.3), ("letters", "mixed", 1.0)]
WORDS_ONLY = ["letters", "characters"]


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "rank", "case": case, "values": rounded, "cores": CORES}), flush=True)


def peak_mib() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def texts(kind: str) -> tuple[list[str], list[str]]:
    """Texts of needs and of targets."""
    rng = np.random.default_rng(7)
    signs = [chr(c) for c in range(0x4E00, 0x4E00 + 3000)] if kind == "characters" else list("bcdfghjklmnpqrtvwxz")
    length, between = (2, "，") if kind == "characters" else (6, " ")
    spelled = np.asarray(["".join(rng.choice(signs, length)) for _ in range(20_000)])
    weight = np.arange(1, len(spelled) + 1) ** -0.9
    made: list[str] = []
    for _ in range(0, NEEDS + TARGETS, 10_000):  # a few at a time: the peak shall be that of matching
        drawn = rng.choice(len(spelled), (10_000, 11), p=weight / weight.sum())
        made += [between.join(row) for row in spelled[drawn]]
    return made[:NEEDS], made[NEEDS:]


def table(name: str, told: list[str]) -> pl.DataFrame:
    """Texts as titles."""
    ids = [f"{name}{i:06d}" for i in range(len(told))]
    return pl.DataFrame({f"{name}_id": ids, "title": told, "text": [""] * len(told)})


@dataclass(frozen=True)
class Made:
    """Vectors that follow from texts: the sum of those of its words, or one that its spelling picks."""

    is_mixed: bool
    basis: np.ndarray
    name: str = "made"
    digest: str = "made"
    share: float = 0.3
    title_share: float | None = 0.5

    @classmethod
    def of(cls, kind: str) -> Made:
        return cls(kind == "mixed", np.random.default_rng(5).standard_normal((4096, DIMENSIONS), dtype=np.float32))

    def fit(self, corpus: object) -> Made:  # noqa: ARG002
        return self

    def picked(self, strings: tuple[str, ...], number: int) -> np.ndarray:
        made = np.zeros((len(strings), DIMENSIONS), np.float32)
        for seed in range(number):
            made += self.basis[(pl.Series(strings, dtype=pl.String).hash(seed) % 4096).to_numpy()]
        return made

    def encode(self, told: object) -> np.ndarray:
        from silian import text

        bags = told if isinstance(told, text.Bags) else text.segment(told)
        made = (
            np.asarray(bags.counts @ self.picked(bags.vocabulary, 2)) if self.is_mixed else self.picked(bags.texts, 6)
        )
        made[np.diff(bags.counts.indptr) == 0] = 0
        return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)


def recall(
    found: pl.DataFrame, asked: pl.DataFrame, offered: pl.DataFrame, index: Index, vectors: Made | None
) -> float:
    """Share of the best pairs of some needs that were found; all scores in single precision, few units at a time."""
    from silian.engines.match import index as indexing

    cut = indexing.fields(asked, None)
    words, near = indexing.word_rows(index.space, *cut), vectors.encode(cut[0]) if vectors else None
    scores = np.zeros((asked.height, len(index)), np.float32)
    for at in range(0, len(index), 20_000):
        here = slice(at, at + 20_000)
        scores[:, here] = (1 - index.meaning) * (words @ index.rows[here].T).toarray()
        if vectors is not None and near is not None:
            cosine = near @ vectors.encode(indexing.fields(offered[here], None)[0]).T
            scores[:, here] += index.meaning * np.maximum(cosine, 0)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    wanted = {(n, index.target_ids[int(t)]) for n, row in zip(asked["need_id"], best, strict=True) for t in row}
    return len(wanted & set(found.select("need_id", "target_id").iter_rows())) / len(wanted)


def timed(call: Callable[[], object], times: int = 1) -> float:
    """The least of several runs."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return min(taken)


def bench_ours(kind: str, vectors: str, meaning: float) -> None:
    """Batch and one question; vectors "none": words alone."""
    from silian.engines import match
    from silian.engines.match import Conditions, ranking, searching

    told = texts(kind)
    needs, targets = table("need", told[0]), table("target", told[1])
    del told
    made = None if vectors == "none" else Made.of(vectors)
    began = time.perf_counter()
    index = match.build(targets, encoder=made or "words", meaning=meaning, terms=None)
    built = time.perf_counter() - began
    first = timed(lambda: index.ask("first"))

    def search() -> None:
        for at in range(0, NEEDS, ranking.NEEDS_AT_ONCE):
            ready = ranking.read_needs(needs[at : at + ranking.NEEDS_AT_ONCE], index)
            allowed = ranking.allowed_pairs(ready, index, at, Conditions(), None, None)
            seconds.append(timed(lambda: searching.find_best(ready.rows, ready.vectors, index, TOP, allowed)))  # noqa: B023

    seconds: list[float] = []
    search()
    rank = timed(lambda: match.rank(needs, index, top_k=TOP, why=False))
    peak = peak_mib()
    sample = needs[:: NEEDS // 40]
    right = recall(match.rank(sample, index, why=False), sample, targets, index, made)
    assert right >= 0.999, right
    del targets
    with_why = timed(lambda: match.rank(needs, index, top_k=TOP))
    name = f"{NEEDS} x {TARGETS} {kind} " + ("words only" if made is None else f"{vectors} vectors, share {meaning}")
    line(name, search_seconds=sum(seconds), rank_seconds=rank, rank_why_seconds=with_why, build_seconds=built,
         recall=right, peak_mib=peak)  # fmt: skip
    bench_question(index, needs["title"].to_list()[:320], name, first)


def bench_question(index: Index, questions: list[str], name: str, first: float) -> None:
    """One question after the other; the first twenty do not count."""
    for question in questions[:20]:
        index.ask(question)
    taken = np.asarray([timed(lambda q=q: index.ask(q)) for q in questions[20:]]) * 1000  # type: ignore[misc]
    half, most = (float(v) for v in np.percentile(taken, [50, 99]))
    line(f"one question, {name.partition(' x ')[2]}", p50_ms=half, p99_ms=most, first_ms=first * 1000)


def bench_bm25s(kind: str) -> None:
    """The peer for words: retrieval of made-ready tokens."""
    import bm25s

    asked, offered = ([t.replace("，", " ").split() for t in side] for side in texts(kind))
    peer = bm25s.BM25(backend="numba")
    peer.index(offered, show_progress=False)
    peer.activate_numba_scorer()
    peer.retrieve(asked[:100], k=TOP, show_progress=False, n_threads=2)
    seconds = timed(lambda: peer.retrieve(asked, k=TOP, show_progress=False, n_threads=2), times=2)
    line(f"peer bm25s (numba) {NEEDS} x {TARGETS} {kind}", search_seconds=seconds, peak_mib=peak_mib())


def bench_faiss(kind: str) -> None:
    """The peer for vectors."""
    import faiss

    from silian import text

    asked, offered = (Made.of("mixed").encode(text.segment(side)) for side in texts(kind))
    faiss.omp_set_num_threads(2)
    peer = faiss.IndexFlatIP(DIMENSIONS)
    peer.add(np.ascontiguousarray(offered))
    seconds = timed(lambda: peer.search(np.ascontiguousarray(asked), TOP))
    line(f"peer faiss flat {NEEDS} x {TARGETS} {kind}", search_seconds=seconds, peak_mib=peak_mib())


def main() -> None:
    """Every case in a process of its own."""
    if sys.argv[1:2] == ["ours"]:
        bench_ours(sys.argv[2], sys.argv[3], float(sys.argv[4]))
        return
    if sys.argv[1:2] == ["peer"]:
        {"bm25s": bench_bm25s, "faiss": bench_faiss}[sys.argv[2]](sys.argv[3])
        return
    parts = [["peer", "bm25s", kind] for kind in WORDS_ONLY if find_spec("bm25s")]
    parts += [["peer", "faiss", "letters"]] if find_spec("faiss") else []
    parts += [["ours", kind, "none", "0"] for kind in WORDS_ONLY]
    parts += [["ours", kind, vectors, str(meaning)] for kind, vectors, meaning in CASES]
    if not (find_spec("bm25s") and find_spec("faiss")):
        print("bench_rank: bm25s or faiss is not installed, that peer is left out")
    for part in parts:
        subprocess.run([sys.executable, __file__, *part], check=True)


if __name__ == "__main__":
    main()
