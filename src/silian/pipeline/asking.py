"""One question: which achievements or experts fit a text that was just typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.pipeline.indexes import index_of
from silian.pipeline.plan import Plan

if TYPE_CHECKING:
    from silian.engines.match import Index
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
    return ask_index(index_of(region, of, plan or Plan()), text, region=region, top_k=top_k)


def ask_index(index: Index, text: str, *, region: Region | None = None, top_k: int = 10) -> pl.DataFrame:
    """What an index holds that fits a text best.

    Parameters
    ----------
    index : it holds ids, not titles
    text : the question
    region : where the names come from; without it they are null, and so are those that the region lacks

    Returns
    -------
    As for `ask`.

    Examples
    --------
    >>> from silian.engines import match
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""]})
    >>> ask_index(match.build(targets, encoder="words"), "锂电池防爆").select("target_id", "name").row(0)
    ('a', None)
    """
    part = pl.element().struct
    terms = pl.col("why").list.eval(
        part.field("term").filter((part.field("kind") == "word") & (part.field("term") != "…"))
    )
    found = index.ask(text, top_k).join(_names(index, region), on="target_id", how="left", maintain_order="left")
    return found.select("rank", "target_id", "name", "score", terms=terms)


def _names(index: Index, region: Region | None) -> pl.DataFrame:
    """target_id, name of what a region has of the kind of an index."""
    if region is None:
        return pl.DataFrame(schema={"target_id": pl.String, "name": pl.String})
    key, shown = ("expert_id", "name") if index.kind == "experts" else ("achievement_id", "title")
    return region[index.kind].select(target_id=key, name=shown).unique("target_id", keep="first")
