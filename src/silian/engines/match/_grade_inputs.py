"""What is handed to grading: checked, put in order, and as codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import polars as pl

from silian import text
from silian.engines.match._checks import check_known, check_number, check_table
from silian.engines.match._grade_features import Pairs
from silian.engines.match.index import facing, fields
from silian.errors import MatchError, TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.text import Encoder, Terms, WordSpace

PAIR: Final = ("need_id", "target_id")
LEVELS: Final = (1, 2, 3, 4)  # none, weak, fairly strong, strong


def check_texts(needs: pl.DataFrame, targets: pl.DataFrame) -> None:
    """Raise what `check_table` raises, match.empty where there are no needs or no targets."""
    for name, key, given in (("needs", "need_id", needs), ("targets", "target_id", targets)):
        check_table(given, name, key=[key], text=["title", "text"])
        if given.is_empty():
            raise MatchError("match.empty", table=name)


def check_pairs(pairs: pl.DataFrame, name: str, needs: pl.DataFrame, targets: pl.DataFrame) -> None:
    """Raise table.columns, table.type, table.value, table.duplicate or table.unknown."""
    check_table(pairs, name, key=PAIR, text=[])
    check_known(pairs, name, "need_id", needs["need_id"], "needs")
    check_known(pairs, name, "target_id", targets["target_id"], "targets")


def labels_of(given: pl.DataFrame, needs: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """need_id, target_id, level, weight; checked and sorted by the two ids."""
    check_pairs(given, "labels", needs, targets)
    check_levels(given)
    whole = given if "weight" in given.columns else given.with_columns(weight=pl.lit(1.0))
    check_number(whole, "labels", "weight")
    _refuse(whole, "weight", ~(pl.col("weight") > 0), "numbers above 0")
    kinds = {"need_id": pl.String(), "target_id": pl.String(), "level": pl.Int64(), "weight": pl.Float64()}
    return whole.select(pl.col(c).cast(k) for c, k in kinds.items()).sort(PAIR)


def check_levels(labels: pl.DataFrame) -> None:
    """Raise table.columns, table.type or table.value where a level is none of 1, 2, 3, 4."""
    if "level" not in labels.columns:
        raise TableError("table.columns", table="labels", missing=["level"], present=labels.columns)
    check_number(labels, "labels", "level")
    known = pl.col("level").cast(pl.Float64).is_in([float(k) for k in LEVELS])
    _refuse(labels, "level", ~known, "1, 2, 3 or 4")


def _refuse(labels: pl.DataFrame, column: str, bad: pl.Expr, wanted: str) -> None:
    wrong = labels.filter(bad.fill_null(value=True))
    if wrong.height:
        raise TableError(
            "table.value", problems=wrong, count=wrong.height, table="labels", column=column,
            found="not allowed", shown=wrong[column].head(3).to_list(), wanted=wanted,
        )  # fmt: skip


def plain(given: pl.DataFrame, key: str, ids: pl.Series | None = None) -> pl.DataFrame:
    """Id, title and text, nulls as empty, sorted by id; ids: only these."""
    kept = given if ids is None else given.filter(pl.col(key).is_in(ids.implode()))
    return kept.select(pl.col(key, "title", "text").cast(pl.String).fill_null("")).sort(key)


def readers(
    needs: pl.DataFrame,
    targets: pl.DataFrame,
    encoder: str | Encoder,
    terms: Terms | Literal["default"] | None,
    seed: int,
) -> tuple[Encoder, WordSpace, Terms | None]:
    """By what texts are read: encoder, words and terms, learnt from both tables."""
    corpus = pl.concat([table.select("title", "text") for table in (targets, needs)])
    read_by = facing(terms, corpus)
    title, body = fields(corpus, read_by)
    learnt = text.encoder(encoder, seed=seed).fit(text.stack(title, body)) if isinstance(encoder, str) else encoder
    return learnt, text.WordSpace.fit(title, body), read_by


def coded(pairs: Sequence[pl.DataFrame], needs: Sequence[pl.DataFrame], targets: Sequence[pl.DataFrame]) -> Pairs:
    """Pairs as rows of the tables put under each other, each list of pairs naming ids of its own tables.

    Texts that are alike share the first row that holds them; needs of one title (one text, where there is none) are a
    group.
    """
    need, target = (
        _first_alike(tables, ["title", "text"])[_rows([p[key] for p in pairs], [t[key] for t in tables])]
        for key, tables in (("need_id", needs), ("target_id", targets))
    )
    told = pl.when(pl.col("title") == "").then("text").otherwise("title").alias("title")
    return Pairs(need, target, _first_alike([t.select(told) for t in needs], ["title"])[need])


def _first_alike(tables: Sequence[pl.DataFrame], columns: list[str]) -> np.ndarray:
    whole = pl.concat([t.select(columns) for t in tables]).with_row_index()
    return whole.select(pl.col("index").cast(pl.Int64).first().over(columns)).to_series().to_numpy()


def _rows(asked: Sequence[pl.Series], known: Sequence[pl.Series]) -> np.ndarray:
    found: list[Any] = []
    before = 0
    for ids, where in zip(asked, known, strict=True):
        book = pl.DataFrame({"id": where, "row": np.arange(len(where), dtype=np.int64) + before})
        found.append(pl.DataFrame({"id": ids}).join(book, on="id", how="left", maintain_order="left")["row"].to_numpy())
        before += len(where)
    return np.concatenate(found).astype(np.int64)
