"""How good matching is on a region's own labels, measured on pairs that it did not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian import tables
from silian.engines import match
from silian.engines.match import evaluation
from silian.pipeline.folder import full_disk_told
from silian.pipeline.grading import labels_of
from silian.pipeline.indexes import index_of
from silian.pipeline.plan import Plan
from silian.report.quality import reliability
from silian.report.render import render
from silian.tables.schema import quality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from silian.engines.match.evaluation import Evaluation, Split
    from silian.errors import Language
    from silian.tables import Region

LISTED: Final = 10  # of a need's list, for recall


def evaluate_matching(
    region: Region,
    *,
    plan: Plan | None = None,
    splits: tuple[Split, ...] = evaluation.SPLITS,
    folds: int = 5,
    on_step: Callable[[int], None] | None = None,
) -> dict[str, Evaluation]:
    """Quality of the grades of achievements, by split.

    Parameters
    ----------
    region : with needs, achievements and labels; labels of experts are passed over, verdicts count as levels
    plan : settings of match and the seed; None takes the default plan
    splits : "title": needs never seen before; "pair": new pairs of known needs
    folds : each is kept aside once
    on_step : told 1 after each of `steps(splits, folds)` pieces of work

    Returns
    -------
    split → Evaluation.

    Raises
    ------
    MatchError : match.empty where there are no labels; match.folds where there are too few.
    """
    plan, told = plan or Plan(), on_step or (lambda _: None)
    needs = region["needs"]
    targets = region["achievements"].rename({"achievement_id": "target_id"})
    labels = labels_of(region)
    seed = plan.seed
    index = index_of(region, "achievements", plan)
    asked = needs.filter(pl.col("need_id").is_in(labels["need_id"].implode()))
    ranked = match.rank(asked, index, top_k=LISTED)
    told(1)

    def grade(known: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
        grader = match.learn(known, needs, targets, encoder=index.encoder, terms=index.terms, seed=seed)
        return match.grade(pairs, needs, targets, grader)

    found: dict[str, Evaluation] = {}
    for by in splits:
        apart = evaluation.split(labels, needs, by=by, folds=folds, seed=seed)
        graded = evaluation.grade_apart(apart, grade, on_fold=told)
        found[by] = evaluation.evaluate(graded, labels, needs, ranked=ranked, seed=seed)
    return found


def steps(splits: tuple[Split, ...], folds: int) -> int:
    """Pieces of work of `evaluate_matching`, for a progress bar."""
    return 1 + len(splits) * folds


def quality_tables(found: Mapping[str, Evaluation]) -> dict[str, pl.DataFrame]:
    """The tables of schema/quality: every split under the other."""
    whole = {
        name: pl.concat([getattr(one, name).select(pl.lit(by).alias("split"), pl.all()) for by, one in found.items()])
        for name in quality()
    }
    return {name: table.select(pl.col(c).cast(t) for c, t in quality()[name].polars.items())
            for name, table in whole.items()}  # fmt: skip


def write_quality(found: Mapping[str, Evaluation], out: Path, *, language: Language = "zh") -> None:
    """Write the tables of schema/quality as CSV and one reliability picture a split (SVG and PNG) into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full.
    """
    with full_disk_told(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, table in quality_tables(found).items():
            (out / f"{name}.csv").write_bytes(tables.to_csv(table, quality()[name]))
        for by, one in found.items():
            drawn = reliability(one.reliability, language=language)
            for form in ("svg", "png"):
                (out / f"reliability-{by}.{form}").write_bytes(render(drawn, form))
