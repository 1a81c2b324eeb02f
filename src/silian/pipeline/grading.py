"""A region's own labels, made ready to learn from, and lists that have learnt from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.engines import match
from silian.tables.schema import codes
from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from silian.tables import Region

PAIR: Final = ["need_id", "target_id"]
LIKE: Final = 0.1  # likeness below which a reader does not see what an example has to do with a pair
WIDER: Final = 3  # candidates per place in the list: grading may lift one from further down


def labels_of(region: Region) -> pl.DataFrame:
    """need_id, target_id, level, weight of the graded achievements: levels as given, verdicts as levels.

    Labels of experts, of needs and achievements that the region lacks, and rows that say nothing are passed over.

    Examples
    --------
    >>> from silian.tables import synth
    >>> labels_of(synth.make("tiny").region).row(0)
    ('N08', 'A16', 1, 1.0)
    """
    given = region["labels"].filter(
        pl.col("need_id").is_in(region["needs"]["need_id"].implode())
        & pl.col("target_id").is_in(region["achievements"]["achievement_id"].implode())
    )
    given = given.unique(PAIR, keep="last", maintain_order=True).with_columns(
        verdict=pl.when(pl.col("verdict").is_in(list(codes()["verdict"]))).then("verdict")
    )
    told = given.filter(pl.col("level").is_between(1, 4)).select(*PAIR, "level", weight=pl.lit(1.0))
    taps = given.filter(pl.col("level").is_null() & pl.col("verdict").is_not_null()).select(*PAIR, "verdict")
    tapped = match.feedback_labels(taps).select(pl.col(c).cast(t) for c, t in told.schema.items())
    return pl.concat([told, tapped]).sort(PAIR)


def taps_of(region: Region) -> pl.DataFrame:
    """need_id, target_id, verdict of the achievements that were found too early or too dear."""
    known = labels_of(region).select(PAIR)
    said = region["labels"].filter(pl.col("verdict").is_in(["too_early", "too_dear"])).select(*PAIR, "verdict")
    return said.unique(PAIR, keep="last", maintain_order=True).join(known, on=PAIR, how="semi", maintain_order="left")


def as_tapped(
    needs: pl.DataFrame, region: Region, conditions: match.Conditions
) -> tuple[pl.DataFrame, match.Conditions]:
    """Needs and conditions with what "too early" and "too dear" ask for; both as given where nobody tapped them.

    A need is held only to what was tapped for it: its own wishes bind it no more than the conditions said.
    """
    taps = taps_of(region)
    if taps.is_empty():
        return needs, conditions
    targets = region["achievements"].select("trl", "price_cny", target_id="achievement_id")
    asked = match.tighten(taps, needs.select("need_id"), targets)
    gap, is_held = conditions.max_trl_gap, conditions.within_budget
    least = asked["trl_wanted"] + (gap or 0)
    own_trl, own_budget = needs["trl_wanted"].cast(pl.Float64), needs["budget_cny"].cast(pl.Float64)
    both = pl.DataFrame({"least": least, "own_trl": own_trl, "most": asked["budget_cny"], "own_budget": own_budget})
    facts = both.select(
        trl_wanted=pl.col("least") if gap is None else pl.max_horizontal("least", "own_trl"),
        budget_cny=pl.min_horizontal("most", "own_budget") if is_held else pl.col("most"),
    )
    return needs.with_columns(facts.get_columns()), replace(conditions, max_trl_gap=gap or 0, within_budget=True)


@dataclass(frozen=True, slots=True)
class Graded:
    """A list that has learnt."""

    pairs: pl.DataFrame  # achievement_pairs
    grades: pl.DataFrame
    examples: pl.DataFrame | None  # what `match.grade_examples` gives for the first pairs; None without labels


def graded(pairs: pl.DataFrame, region: Region, index: match.Index, *, top_k: int, explained: int, seed: int) -> Graded:
    """The best top_k pairs of each need by grade, the grades of these, and examples for the first `explained`.

    Parameters
    ----------
    pairs : achievement_pairs with more candidates than are wanted
    region : its labels are learnt from; without labels the order stays, and nothing is graded
    index : that ranked the pairs; its encoder reads the labels too
    """
    labels, schema = labels_of(region), result_tables()["grades"]
    if labels.is_empty() or pairs.is_empty():
        return Graded(pairs.filter(pl.col("rank") <= top_k), schema.empty(), None)
    needs, targets = region["needs"], region["achievements"].rename({"achievement_id": "target_id"})
    grader = match.learn(labels, needs, targets, encoder=index.encoder, terms=index.terms, seed=seed)
    grades = match.grade(pairs.select(PAIR), needs, targets, grader)
    first = match.reorder(pairs, grades).drop("expected_level").filter(pl.col("rank") <= top_k)
    kept = grades.join(first.select(PAIR), on=PAIR, how="semi", maintain_order="left")
    told = first.filter(pl.col("rank") <= explained).select(PAIR)
    examples = match.grade_examples(told, needs, targets, grader).filter(pl.col("likeness") >= LIKE)
    return Graded(first, kept.select(pl.col(c).cast(t) for c, t in schema.polars.items()), examples)
