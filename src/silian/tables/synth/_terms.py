"""The list of terms that a synthetic region gives: its objects in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from silian.tables.synth._frames import frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from silian.tables.synth._vocabulary import Vocabulary


def terms(things: Iterable[int], words: Vocabulary) -> pl.DataFrame:
    """The table of terms: one row per object, by the order of the vocabulary."""
    rows = [
        {"zh": words.things[t].name, "en": [words.things[t].name_en], "source": "区域产业术语表"}
        for t in sorted(set(things))
    ]
    return frame("terms", [{"term_id": f"T{i:03d}", **row} for i, row in enumerate(rows, start=1)])
