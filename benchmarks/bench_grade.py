"""Grading: how well levels are foretold, how sure the probabilities may be, and how long learning takes.

Quality needs the graded pairs in `../shared/data/needs_achievements` (5,005 levels 1–4 of 169 needs) and is left out
with a sentence where they are absent. `score` is 1 / (1 + mean absolute error). Two splits, five folds each, by seeds:
`known` deals out pairs, so that training and test share needs; `unseen` deals out the titles of needs, so that no need
of the test is known by another id. Whatever is learnt is learnt on the other four folds: nothing of a test fold is seen
but its texts, of which the weights of words are learnt. Peers stand in the same folds.

Speed: 10,000 labels of a synthetic region of a city, two threads; the answer is checked before the clock counts.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from silian import text
from silian.engines import match
from silian.tables import synth

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[1] / "../shared/data/needs_achievements"
CORES = os.cpu_count()
SEEDS, FOLDS = 3, 5
PAIR, CHANCES = ["need_id", "target_id"], ["p1", "p2", "p3", "p4"]


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(
        json.dumps({"bench": "grade", "case": case, "values": rounded, "cores": CORES}, ensure_ascii=False), flush=True
    )


class Graded:
    """The graded pairs and their folds."""

    def __init__(self) -> None:
        self.needs = pl.read_csv(DATA / "needs.csv")
        self.targets = pl.read_csv(DATA / "achievements.csv").select(
            target_id="achievement_id", title="title_words", text=pl.lit("")
        )
        self.labels = pl.read_csv(DATA / "labels.csv").rename({"achievement_id": "target_id"})
        self.level = self.labels["level"].to_numpy()
        named = self.labels.join(self.needs, on="need_id", how="left", maintain_order="left")["title"]
        self.title = named.rank("dense").to_numpy().astype(np.int64) - 1

    def folds(self, split: str, seed: int) -> np.ndarray:
        """The fold of each pair."""
        dealt = self.title if split == "unseen" else np.arange(len(self.level))
        return np.random.default_rng(seed).permutation(dealt.max() + 1)[dealt] % FOLDS

    def figures(self, method: Callable[[np.ndarray, np.ndarray], np.ndarray], split: str) -> dict[str, float]:
        """Score and calibration of a method: places of training and test → chances of the four levels of the test."""
        found = []
        for seed in range(SEEDS):
            fold, chances = self.folds(split, seed), np.zeros((len(self.level), 4))
            for f in range(FOLDS):
                chances[fold == f] = method(np.flatnonzero(fold != f), np.flatnonzero(fold == f))
            found.append(measured(chances, self.level))
        return {
            "score": float(np.mean([m["score"] for m in found])),
            "spread": float(np.std([m["score"] for m in found])),
            **{k: float(np.mean([m[k] for m in found])) for k in ("brier", "calibration_error")},
        }


def measured(chances: np.ndarray, level: np.ndarray) -> dict[str, float]:
    """score of the median; Brier of the four levels; expected calibration error of level >= 2, 3, 4 in ten bins."""
    steps = 1 - np.cumsum(chances, axis=1)[:, :3]
    median = 1 + (steps > 0.5).sum(axis=1)
    reached = level[:, None] >= np.arange(2, 5)
    off = 0.0
    for k in range(3):
        order = np.array_split(np.argsort(steps[:, k], kind="stable"), 10)
        off += sum(abs(steps[part, k].mean() - reached[part, k].mean()) * len(part) for part in order) / len(level) / 3
    is_level = level[:, None] == np.arange(1, 5)
    return {
        "score": float(1 / (1 + np.abs(median - level).mean())),
        "brier": float(((chances - is_level) ** 2).sum(axis=1).mean()),
        "calibration_error": float(off),
    }


# ── methods ─────────────────────────────────────────────────────────────────────────────────────────────────


def ours(graded: Graded, encoder: str, most: int | None = None) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Learn and grade; most: labels that are learnt from, drawn from the training part."""

    def method(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        kept = train if most is None else np.random.default_rng(int(test[0])).permutation(train)[:most]
        grader = match.learn(graded.labels[np.sort(kept)], graded.needs, graded.targets, encoder=encoder)
        found = match.grade(graded.labels[test].select(PAIR), graded.needs, graded.targets, grader)
        chances = found.select(CHANCES).to_numpy()
        assert np.isfinite(chances).all()
        assert np.abs(chances.sum(axis=1) - 1).max() < 1e-9
        return chances

    return method


def constant(graded: Graded) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The shares of the levels in the training part, for every pair."""

    def method(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        return np.tile(np.bincount(graded.level[train], minlength=5)[1:] / len(train), (len(test), 1))

    return method


def cosine(graded: Graded) -> np.ndarray:
    """Peer's nearness: cosine of TF-IDF of runs of one to three characters (scikit-learn)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    asked = (graded.needs["title"] + " " + graded.needs["text"].fill_null("")).to_list()
    rows = TfidfVectorizer(sublinear_tf=True, analyzer="char", ngram_range=(1, 3)).fit(
        graded.targets["title"].to_list()
    )
    left, right = (
        graded.labels.join(table.with_row_index(), on=key, how="left", maintain_order="left")["index"].to_numpy()
        for table, key in ((graded.needs, "need_id"), (graded.targets, "target_id"))
    )
    near = rows.transform(asked)[left].multiply(rows.transform(graded.targets["title"].to_list())[right])
    return np.asarray(near.sum(axis=1)).ravel()


def binned(graded: Graded, near: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Peer: isotonic regression of each step on the cosine, that is thresholds on it."""
    from sklearn.isotonic import IsotonicRegression

    def method(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        steps = [
            IsotonicRegression(out_of_bounds="clip").fit(near[train], graded.level[train] >= k).predict(near[test])
            for k in (2, 3, 4)
        ]
        return chances_of(np.stack(steps, axis=1))

    return method


def boosted(graded: Graded, near: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Peer: gradient boosting of scikit-learn on the cosine, our score, and both less the mean of the need's pairs."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    scored = match.score(graded.labels.select(PAIR), graded.needs, match.build(graded.targets))["score"].to_numpy()
    need = graded.labels["need_id"].rank("dense").to_numpy().astype(np.int64) - 1
    raw = np.stack([near, scored], axis=1)
    mean = np.stack([np.bincount(need, column) / np.bincount(need) for column in raw.T], axis=1)[need]
    columns = np.concatenate([raw, raw - mean], axis=1)

    def method(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        steps = [
            HistGradientBoostingClassifier(max_iter=80, learning_rate=0.06, max_leaf_nodes=8, random_state=0)
            .fit(columns[train], graded.level[train] >= k)
            .predict_proba(columns[test])[:, 1]
            for k in (2, 3, 4)
        ]
        return chances_of(np.stack(steps, axis=1))

    return method


def chances_of(steps: np.ndarray) -> np.ndarray:
    """Probabilities of the levels from those of level >= 2, 3, 4."""
    edges = np.concatenate(
        [np.ones((len(steps), 1)), np.minimum.accumulate(steps, axis=1), np.zeros((len(steps), 1))], 1
    )
    return -np.diff(edges, axis=1)


# ── what is measured ────────────────────────────────────────────────────────────────────────────────────────


def bench_quality(encoders: list[str]) -> None:
    """Ours, peers, and how ours grows with labels."""
    if not DATA.is_dir():
        print(f"bench_grade: no graded pairs in {DATA.name} beside the project, quality is left out")
        return
    graded = Graded()
    near = cosine(graded)
    methods = {
        "constant": constant(graded),
        "TF-IDF cosine and thresholds (scikit-learn)": binned(graded, near),
        "boosting on similarities (scikit-learn)": boosted(graded, near),
        **{f"ours, encoder {name}": ours(graded, name) for name in encoders},
        **{f"ours, {n} labels": ours(graded, "default", n) for n in (0, 10, 100, 1000)},
    }
    for name, method in methods.items():
        for split in ("known", "unseen"):
            line(f"quality {split}, {name}", **graded.figures(method, split))


def bench_speed() -> None:
    """Learning from 10,000 labels and grading 10,000 pairs of a synthetic region."""
    made = synth.make("city", seed=7)
    needs = made.region["needs"].select("need_id", "title", "text")
    targets = made.region["achievements"].select("title", "text", target_id="achievement_id")
    pairs = made.truth["matches"].rename({"achievement_id": "target_id"}).select(*PAIR, "level")
    labels, asked = (part.sort(PAIR) for part in parted(pairs, 10_000))
    encoder = text.encoder().fit(
        pl.concat([targets["title"], targets["text"], needs["title"], needs["text"]]).to_list()
    )
    match.learn(labels[:200], needs, targets, encoder=encoder)  # compiled before the clock counts
    began, at_work = time.perf_counter(), time.process_time()
    grader = match.learn(labels, needs, targets, encoder=encoder)
    learnt, worked = time.perf_counter() - began, time.process_time() - at_work
    began = time.perf_counter()
    found = match.grade(asked.select(PAIR), needs, targets, grader)
    seconds = time.perf_counter() - began
    score = measured(found.select(CHANCES).to_numpy(), asked["level"].to_numpy())["score"]
    assert score > measured(np.tile([1.0, 0, 0, 0], (asked.height, 1)), asked["level"].to_numpy())["score"]
    line(f"speed {labels.height} labels", learn_seconds=learnt, learn_cpu_seconds=worked, grade_seconds=seconds,
         graded=asked.height, score=score,
         told_known=grader.quality.known, told_unseen=grader.quality.unseen)  # fmt: skip


def parted(pairs: pl.DataFrame, rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two parts without a pair in common, of at most `rows` each."""
    order = np.random.default_rng(7).permutation(pairs.height)
    half = min(rows, pairs.height // 2)
    return pairs[order[:half]], pairs[order[half : 2 * half]]


if __name__ == "__main__":
    asked_for = sys.argv[1:] or ["speed", "quality"]
    if "speed" in asked_for:
        bench_speed()
    if "quality" in asked_for:
        bench_quality(["default", "static+sentence"])
