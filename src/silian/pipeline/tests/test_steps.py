"""Steps of the main job, one by one."""

import polars as pl

from silian.compute.local import Local
from silian.pipeline import steps
from silian.pipeline.plan import Plan
from silian.tables import synth
from silian.tables.region import Region


def test_achievement_step_reads_texts_by_the_terms_of_the_region():
    tiny = synth.make("tiny").region
    achievements = tiny["achievements"].with_columns(title=pl.lit("Glimmerstoff"), text=pl.lit("")).head(1)
    needs = tiny["needs"].with_columns(title=pl.lit("夜光粉"), text=pl.lit(""), must_have=None).head(1)
    own = pl.DataFrame(
        {"term_id": ["T1", "T2"], "zh": ["夜光粉", None], "en": [["Glimmerstoff"], ["x"]], "synonyms": [None] * 2}
    )

    ranked = [
        steps.achievement_step(work({**tiny.tables, "achievements": achievements, "needs": needs, "terms": terms}))
        for terms in (own, own.head(0))
    ]

    assert [tables["achievement_pairs"].height for tables in ranked] == [1, 0]


def work(tables):
    region = Region.of(tables)
    return steps.Work(region, Plan(), None, {}, Local(), [].append, [].append, [].append)
