"""What experts answer to the assignment that was sent to them, as changes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from silian import tables
from silian.errors import RunError
from silian.pipeline.plan import Plan
from silian.pipeline.reading import read_usable
from silian.tables.problems import gathered, listed, places
from silian.tables.schema import repair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from silian.pipeline.job import Run
    from silian.tables import Region

PAIR = ["need_id", "expert_id"]


class Replies(NamedTuple):
    """What follows from the replies; ids of experts are those that stand for a person."""

    accepted: pl.DataFrame  # need_id, expert_id: stay whatever else moves
    declined: pl.DataFrame  # need_id, expert_id: go
    fewer: pl.DataFrame  # expert_id, free: count of needs that the expert serves in all
    notes: pl.DataFrame  # problems that do not matter, such as columns that nobody knows


def read_replies(path: Path, region: Path, run: Run) -> Replies:
    """Read the replies to the assignment of a run.

    Raises
    ------
    RunError : run.replies with the problems by row: a pair that the run did not assign, an id, code or number that is
        wrong, fewer without a number, accepts beyond it.
    ReadError : of `tables.read_table`.
    """
    schema = repair()["replies"]
    read = tables.read_table(path, schema, beside=read_usable(region, Plan.read(run.path / "plan.toml")))
    person = run.table("same_people").select("expert_id", person="canonical_id")
    found = gathered([tables.check_table(read, schema), *_contradictions(read, person, run.table("assigned"))])
    is_note = pl.col("code").str.starts_with("read.") & ~pl.col("grave")
    wrong = found.filter(~is_note)
    if wrong.height:
        raise RunError("run.replies", problems=wrong, count=wrong.height, path=str(path))
    rows = _of_persons(read["replies"], person)
    fewer = rows.filter(reply="fewer").select("expert_id", "free").unique().sort("expert_id")
    said = {reply: rows.filter(reply=reply).select(PAIR).unique().sort(PAIR) for reply in ("accept", "decline")}
    return Replies(said["accept"], said["decline"], fewer, found.filter(is_note))


def _of_persons(rows: pl.DataFrame, person: pl.DataFrame) -> pl.DataFrame:
    named = rows.join(person, on="expert_id", how="left", maintain_order="left")
    return named.with_columns(expert_id=pl.coalesce("person", "expert_id"))


def _contradictions(read: Region, person: pl.DataFrame, assigned: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Replies to pairs that were not sent, fewer without a number, numbers that do not go together."""
    rows = pl.concat([_of_persons(read["replies"], person), places(read, "replies")], how="horizontal")
    whole = rows.drop_nulls([*PAIR, "reply"])
    sent = whole.join(assigned.select(PAIR).with_columns(is_sent=True), on=PAIR, how="left", maintain_order="left")
    accepts = pl.col("need_id").filter(pl.col("reply") == "accept").n_unique().over("expert_id")
    least = pl.col("free").filter(pl.col("reply") == "fewer").min().over("expert_id")
    told = sent.with_columns(accepts=accepts, least=least)
    is_fewer = pl.col("reply") == "fewer"
    cases = (
        ("check.reply_pair", "expert_id", pl.col("is_sent").is_null(), pl.concat_str(PAIR, separator=" ")),
        ("check.reply_free", "free", is_fewer & pl.col("free").is_null(), pl.lit(None, pl.String)),
        (
            "check.reply_count",
            "free",
            is_fewer & (pl.col("accepts") > pl.col("least")),
            pl.format("accept × {}", "accepts"),
        ),
        ("check.reply_count", "free", is_fewer & (pl.col("free") > pl.col("least")), pl.col("free")),
    )
    for code, column, is_wrong, shown in cases:
        bad = told.filter(is_wrong)
        for wanted, of_one in bad.group_by("least", maintain_order=True):
            cells = of_one.select("file", "row", found=shown.cast(pl.String))
            yield listed(code, cells, table="replies", column=column, words={"wanted": wanted[0]})
