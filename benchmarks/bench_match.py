"""Matching: how well scores follow the levels that officers gave, and how fast an exact ranking is.

Quality needs the graded pairs in `../shared/data/needs_achievements` (371 needs, 12,272 achievements as the nouns and
verbs of their titles, 5,005 levels 1–4) and is left out with a sentence where they are absent. A need is read by its
title, or by title and text. Figures: `spearman` of the score with the level over all pairs; `score` = 1 / (1 + mean
absolute error) with three thresholds on the score learnt on the other folds; `score_rank` the same where half of the
score's rank among all pairs is its rank within the need. Five folds that never part needs of one title, ten seeds.

Speed: random words, a corpus of its own (seed 7); the answer is checked before the clock counts.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from silian import text
from silian.engines import match

DATA = Path(__file__).resolve().parents[1] / "../shared/data/needs_achievements"
CORES = os.cpu_count()
SHARES = (0.0, 0.15, 0.3, 0.45, 0.6, 1.0)
SEEDS, FOLDS = 10, 5


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(
        json.dumps({"bench": "match", "case": case, "values": rounded, "cores": CORES}, ensure_ascii=False), flush=True
    )


# ── quality ─────────────────────────────────────────────────────────────────────────────────────────────────


class Graded:
    """The graded pairs, and what is measured on them."""

    def __init__(self) -> None:
        labels = pl.read_csv(DATA / "labels.csv")
        self.needs = pl.read_csv(DATA / "needs.csv")
        self.targets = pl.read_csv(DATA / "achievements.csv").select(
            target_id="achievement_id", title="title_words", text=pl.lit("")
        )
        self.pairs = labels.select("need_id", target_id="achievement_id")
        self.level = labels["level"].to_numpy()
        self.need = labels["need_id"].rank("dense").to_numpy().astype(np.int64) - 1
        titles = labels.join(self.needs, on="need_id", how="left", maintain_order="left")["title"]
        self.title = titles.rank("dense").to_numpy().astype(np.int64) - 1

    def needs_read_by(self, reading: str) -> pl.DataFrame:
        """The needs, with or without their text."""
        return self.needs if reading == "title+text" else self.needs.with_columns(text=pl.lit(""))

    def folds(self, seed: int) -> np.ndarray:
        """The fold of each pair; needs of one title share a fold."""
        return np.random.default_rng(seed).permutation(self.title.max() + 1)[self.title] % FOLDS

    def figures(self, scores: np.ndarray) -> dict[str, float]:
        """spearman, score and score_rank of one column of scores."""
        within = np.zeros(len(scores))
        for need in np.unique(self.need):
            here = self.need == need
            within[here] = shares(scores[here])
        mixed = 0.5 * shares(scores) + 0.5 * within
        return {
            "spearman": spearman(scores, self.level),
            "score": float(np.mean([self.graded(scores, self.folds(s)) for s in range(SEEDS)])),
            "score_rank": float(np.mean([self.graded(mixed, self.folds(s)) for s in range(SEEDS)])),
        }

    def graded(self, scores: np.ndarray, fold: np.ndarray) -> float:
        """1 / (1 + mean absolute error), thresholds learnt on the other folds."""
        level = np.zeros(len(scores))
        for f in range(FOLDS):
            out = fold == f
            level[out] = 1 + np.searchsorted(thresholds(scores[~out], self.level[~out]), scores[out], side="right")
        return float(1 / (1 + np.abs(level - self.level).mean()))

    def graded_with_share(self, by_share: dict[float, np.ndarray]) -> tuple[float, list[float]]:
        """As `graded`, the share of the vectors chosen by Spearman on the other folds too."""
        errors, chosen = [], []
        for seed in range(SEEDS):
            fold, level = self.folds(seed), np.zeros(len(self.level))
            for f in range(FOLDS):
                out = fold == f
                best = max(by_share, key=lambda s, kept=~out: spearman(by_share[s][kept], self.level[kept]))
                cuts = thresholds(by_share[best][~out], self.level[~out])
                level[out] = 1 + np.searchsorted(cuts, by_share[best][out], side="right")
                chosen.append(best)
            errors.append(1 / (1 + np.abs(level - self.level).mean()))
        return float(np.mean(errors)), chosen


def shares(values: np.ndarray) -> np.ndarray:
    """Mean ranks between 0 and 1."""
    return (pl.Series(values).rank("average").to_numpy() - 0.5) / len(values)


def spearman(left: np.ndarray, right: np.ndarray) -> float:
    """Rank correlation, ties by their mean rank."""
    return float(np.corrcoef(shares(left), shares(right))[0, 1])


def thresholds(scores: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Three ascending thresholds of least absolute error, among the percentiles of the scores."""
    grid = np.quantile(scores, np.linspace(0, 1, 101))
    place = np.searchsorted(grid, scores, side="right")
    counts = np.zeros((len(grid) + 1, 5))
    np.add.at(counts, (place, level), 1)
    cost = np.stack([(counts * np.abs(np.arange(5) - given)).sum(axis=1) for given in range(1, 5)], axis=1)
    total = np.vstack([np.zeros(4), cost.cumsum(axis=0)])
    best, back = total[:, 0], []
    for given in (1, 2, 3):
        saved = best - total[:, given]
        first = np.array([np.argmin(saved[: j + 1]) for j in range(len(saved))])
        best = saved[first] + total[:, given]
        back.append(first)
    cuts, j = [], len(total) - 1
    for first in reversed(back):
        j = first[j]
        cuts.append(-np.inf if j == 0 else np.inf if j > len(grid) else grid[j - 1])
    return np.asarray(cuts[::-1])


def parts(found: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What words and meaning give to each score."""
    part = pl.element().struct.field("part")
    meaning = found["why"].list.eval(pl.when(pl.element().struct.field("kind") == "meaning").then(part).otherwise(0))
    near = meaning.list.sum().fill_null(0.0).to_numpy()
    return found["score"].to_numpy() - near, near


def bench_quality() -> None:
    """Every encoder, reading and share of the vectors; two peers beside."""
    if not DATA.is_dir():
        print(f"bench_match: no graded pairs in {DATA.name} beside the project, quality is left out")
        return
    graded = Graded()
    for reading in ("title", "title+text"):
        peers(graded, reading)
    both = text.stack(text.segment(graded.targets["title"]), text.segment(graded.targets["text"]))
    tried = [("corpus", {}), ("static", {"limit": 500}), ("static", {"limit": 1000}), ("static", {}),
             ("static", {"limit": 5000}), ("static", {"limit": 10**6}), ("sentence", {})]  # fmt: skip
    for name, settings in tried:
        encoder = text.encoder(name, **settings).fit(both)
        index = match.build(graded.targets, encoder=encoder, meaning=0.5)
        for reading in ("title", "title+text"):
            words, near = parts(match.score(graded.pairs, graded.needs_read_by(reading), index))
            by_share = {s: 2 * ((1 - s) * words + s * near) for s in SHARES}
            label = name + "".join(f" {k}={v}" for k, v in settings.items())
            for share, scores in by_share.items():
                if share > 0 or name == "corpus":
                    line(f"quality {label if share else 'words'} {reading}", meaning=share, **graded.figures(scores))
            value, chosen = graded.graded_with_share(by_share)
            line(f"quality {label} {reading} share chosen inside", score=value, meaning=float(np.mean(chosen)))


def peers(graded: Graded, reading: str) -> None:
    """Cosine of TF-IDF of scikit-learn: words between blanks of a plain cut, and runs of one to three characters."""
    import rjieba
    from sklearn.feature_extraction.text import TfidfVectorizer

    needs = graded.needs_read_by(reading)
    asked = (needs["title"] + " " + needs["text"].fill_null("")).to_list()
    offered = graded.targets["title"].to_list()
    left = graded.pairs.join(needs.with_row_index(), on="need_id", how="left", maintain_order="left")["index"]
    right = graded.pairs.join(graded.targets.with_row_index(), on="target_id", how="left", maintain_order="left")[
        "index"
    ]
    for name, how in {
        "words": {"analyzer": rjieba.cut},
        "characters": {"analyzer": "char", "ngram_range": (1, 3)},
    }.items():
        rows = TfidfVectorizer(sublinear_tf=True, **how).fit(offered)
        product = rows.transform(asked)[left.to_numpy()].multiply(rows.transform(offered)[right.to_numpy()])
        line(f"quality peer scikit-learn {name} {reading}", **graded.figures(np.asarray(product.sum(axis=1)).ravel()))


# ── speed ───────────────────────────────────────────────────────────────────────────────────────────────────


def random_tables(
    needs: int, targets: int, *, vocabulary: int, words: int, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Needs and targets of random two-character words, drawn as rarely as words are (rank ** -0.9)."""
    rng = np.random.default_rng(seed)
    common = [chr(c) for c in range(0x4E00, 0x4E00 + 3000)]
    spelled = np.asarray(["".join(rng.choice(common, 2)) for _ in range(vocabulary)])
    weight = np.arange(1, vocabulary + 1) ** -0.9

    def texts(rows: int, length: int) -> list[str]:
        drawn = rng.choice(vocabulary, (rows, length), p=weight / weight.sum())
        return ["，".join(row) for row in spelled[drawn]]

    def table(name: str, rows: int) -> pl.DataFrame:
        ids = [f"{name}{i:06d}" for i in range(rows)]
        return pl.DataFrame({f"{name}_id": ids, "title": texts(rows, 6), "text": texts(rows, words)})

    return table("need", needs), table("target", targets)


def best_of_product(asked: object, offered: object, near: np.ndarray | None, share: float, top_k: int) -> np.ndarray:
    """The peer: the whole product of needs and targets with scipy and numpy, block by block, top_k scores sorted."""
    found = []
    for at in range(0, asked.shape[0], 250):
        product = (1 - share) * (asked[at : at + 250] @ offered.T).toarray()
        if near is not None:
            product += share * np.maximum(near[0][at : at + 250] @ near[1].T, 0)
        found.append(-np.sort(-np.partition(product, -top_k, axis=1)[:, -top_k:], axis=1))
    return np.concatenate(found)


def bench_speed() -> None:
    """Exact top 10 of 2,000 needs in 20,000 targets, words alone and with vectors, beside the whole product."""
    from silian.engines.match import index as indexing
    from silian.engines.match._coding import decoded

    needs, targets = random_tables(2_000, 20_000, vocabulary=20_000, words=30, seed=7)
    for name in ("words", "corpus"):
        began = time.perf_counter()
        index = match.build(targets, encoder=name)
        built = time.perf_counter() - began
        match.rank(needs[:5], index)  # compiled before the clock counts
        title, body = indexing.fields(needs, index.terms)
        asked = indexing.word_rows(index.space, title, body)
        vectors = indexing.meaning_rows(index.encoder, title, body) if index.meaning else None
        began = time.perf_counter()
        near = None if vectors is None else (decoded(vectors), decoded(index.vectors))
        peer = best_of_product(asked, index.rows, near, index.meaning, 10)
        peer_seconds = time.perf_counter() - began
        began = time.perf_counter()
        found = match.rank(needs, index, top_k=10)
        seconds = time.perf_counter() - began
        assert found.height == 20_000
        assert np.abs(found["score"].to_numpy().reshape(-1, 10) - peer).max() < 1e-5
        line(f"speed 2000 x 20000 {name}", rank_seconds=seconds, build_seconds=built, product_seconds=peer_seconds,
             note="rank cuts the needs and gives reasons; the product does neither")  # fmt: skip


def bench_city() -> None:
    """First match of a city with a vocabulary of 20,000 words, word vectors not yet kept: seconds and peak memory."""
    needs, targets = random_tables(2_000, 20_000, vocabulary=20_000, words=40, seed=7)
    _, works = random_tables(1, 25_000, vocabulary=20_000, words=30, seed=8)
    rng = np.random.default_rng(9)
    experts = pl.DataFrame({"expert_id": [f"e{i:05d}" for i in range(3_000)]})
    works = works.rename({"target_id": "work_id"}).with_columns(
        expert_id=pl.Series(rng.choice(experts["expert_id"].to_numpy(), works.height).tolist()),
        year=pl.Series(rng.integers(2005, 2025, works.height)),
    )
    for cached in (False, True):
        began = time.perf_counter()
        found = match.rank(needs, match.build(targets), top_k=10)
        halfway = time.perf_counter() - began
        people = match.rank(needs, match.build_experts(works, experts), top_k=20)
        seconds = time.perf_counter() - began
        assert (found.height, people.height) == (20_000, 40_000)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        line(
            f"city {'again' if cached else 'first time'}", seconds=seconds, achievements_seconds=halfway, peak_mib=peak
        )


def main() -> None:
    """Quality here; each speed in a process of its own, so that each peak is its own and nothing is kept."""
    if sys.argv[1:] == ["speed"]:
        bench_speed()
    elif sys.argv[1:] == ["city"]:
        bench_city()
    elif sys.argv[1:] == ["quality"]:
        bench_quality()
    else:
        for part in ("quality", "speed", "city"):
            with tempfile.TemporaryDirectory() as folder:
                environment = os.environ | ({"SILIAN_CACHE": folder} if part == "city" else {})
                subprocess.run([sys.executable, __file__, part], check=True, env=environment)


if __name__ == "__main__":
    main()
