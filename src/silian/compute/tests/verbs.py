"""Verbs for the tests of the runners, in a module of their own, so that workers can import them."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import polars as pl

from silian.errors import TableError


def double(block: pl.DataFrame) -> pl.DataFrame:
    """Twice n."""
    return block.with_columns(twice=pl.col("n") * 2)


def look(block: pl.DataFrame, array: np.ndarray, folder: Path, workers: int) -> pl.DataFrame:
    """Where a shared array lies for this worker: process, mapped file and place in it, what may be done with it.

    Waits until so many workers have come by.
    """
    (folder / str(os.getpid())).touch()
    until = time.monotonic() + 60
    while len(list(folder.iterdir())) < workers and time.monotonic() < until:
        time.sleep(0.01)
    return block.select(
        pid=pl.lit(os.getpid()),
        place=pl.lit(_place(array)),
        owned=pl.lit(array.flags.owndata),
        writeable=pl.lit(array.flags.writeable),
    )


def _place(array: np.ndarray) -> str:
    """The device and file that the array is mapped from, and the byte in it where it begins; the same for two
    processes only where they read the same memory.
    """
    at = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text(encoding="ascii").splitlines():
        span, _, offset, device, inode, *_ = line.split()
        first, end = (int(edge, 16) for edge in span.split("-"))
        if first <= at < end:
            return f"{device} {inode} {int(offset, 16) + at - first}"
    return "nowhere"


def beside(block: pl.DataFrame, table: pl.DataFrame, by: int) -> pl.DataFrame:
    """Two shared things by name: a table that is joined, a number to multiply with."""
    return block.join(table, on="n", how="left", maintain_order="left").with_columns(pl.col("n") * by)


def unlike(block: pl.DataFrame) -> pl.DataFrame:
    """Columns of every kind that results hold, nulls among them."""
    part = pl.struct(kind=pl.lit("word"), part=pl.col("n") / 3)
    return block.select(
        "n",
        text=pl.when(pl.col("n") % 3 > 0).then(pl.format("需求-{}", "n")),
        kind=pl.when(pl.col("n") % 2 == 0).then(pl.lit("甲")).otherwise(pl.lit("乙")).cast(pl.Enum(["甲", "乙"])),
        day=pl.lit("2026-09-01").str.to_date(),
        why=pl.concat_list(part, part),
        small=pl.col("n").cast(pl.Float32) / 7,
        nothing=pl.lit(None),
    )


def refuse(block: pl.DataFrame, wrong: int) -> pl.DataFrame:
    """An error of silian, with its rows, where a block holds a number."""
    found = block.filter(pl.col("n") == wrong)
    if found.height:
        raise TableError("table.value", problems=found, count=1, table="numbers", column="n", found="wrong",
                         shown=[wrong], wanted="others")  # fmt: skip
    return block


def divide(block: pl.DataFrame) -> pl.DataFrame:
    """A mistake that nobody foresaw."""
    return block.with_columns(n=1 // (block["n"][0] - 4))


def die_once(block: pl.DataFrame, mark: Path) -> pl.DataFrame:
    """Kill the own process in the block that begins with 40, the first time it comes by."""
    if block["n"][0] == 40 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return double(block)


def die_always(block: pl.DataFrame) -> pl.DataFrame:
    """Kill the own process whenever it comes to 4."""
    if block["n"][0] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return block


def write_pid(block: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Leave the number of this process, and take a moment, so that it can be killed meanwhile."""
    (folder / str(os.getpid())).touch()
    time.sleep(0.2)
    return double(block)


def threads(block: pl.DataFrame) -> pl.DataFrame:
    """How many threads each library uses here, and how far this process gives way to others."""
    import numba
    from threadpoolctl import threadpool_info

    blas = max((pool["num_threads"] for pool in threadpool_info()), default=1)
    return block.select(
        polars=pl.lit(pl.thread_pool_size()),
        numba=pl.lit(numba.get_num_threads()),
        blas=pl.lit(blas),
        nice=pl.lit(os.nice(0)),
    )


def begin(block: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Leave a mark for each block that was begun."""
    (folder / str(block["n"][0])).touch()
    return block
