"""One question to a region: which achievements or experts fit a text that was just typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.pipeline.indexes import index_of
from silian.pipeline.plan import Plan

if TYPE_CHECKING:
    from silian.pipeline.indexes import Of
    from silian.tables import Region


def ask(
    region: Region, text: str, *, of: Of = "achievements", plan: Plan | None = None, top_k: int = 10
) -> pl.DataFrame:
    """The achievements or experts of a region that fit a text best.

    Returns
    -------
    rank, target_id, name (the title of the achievement or the name of the expert), score, terms (shared with the
        text, the largest part of the score first)

    Examples
    --------
    >>> from silian.tables import synth
    >>> ask(synth.make("tiny").region, "单晶镍钴锰酸锂一压就碎", top_k=1)["target_id"].item()
    'A28'
    """
    found = index_of(region, of, plan or Plan()).ask(text, top_k)
    noun, key, shown = (
        ("experts", "expert_id", "name") if of == "experts" else ("achievements", "achievement_id", "title")
    )
    names = region[noun].select(target_id=key, name=shown).unique("target_id", keep="first")
    part = pl.element().struct
    terms = pl.col("why").list.eval(
        part.field("term").filter((part.field("kind") == "word") & (part.field("term") != "…"))
    )
    return found.join(names, on="target_id", how="left", maintain_order="left").select(
        "rank", "target_id", "name", "score", terms=terms
    )
