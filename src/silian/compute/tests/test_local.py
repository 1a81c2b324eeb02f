"""The runner's contract: a table gives the same rows however it is cut."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.compute.local import map_blocks
from silian.errors import ArgumentError


def double(block: pl.DataFrame) -> pl.DataFrame:
    return block.with_columns(twice=pl.col("n") * 2)


@pytest.mark.parametrize("rows", [1, 7, 100, 10_000])
def test_map_blocks_equals_one_block(rows):
    table = pl.DataFrame({"n": range(100)})

    assert_frame_equal(map_blocks(double, table, rows=rows), double(table))


def test_map_blocks_of_an_empty_table_has_the_columns():
    table = pl.DataFrame(schema={"n": pl.Int64})

    assert map_blocks(double, table, rows=10).columns == ["n", "twice"]


def test_map_blocks_tells_the_rows_done():
    told: list[int] = []

    map_blocks(double, pl.DataFrame({"n": range(10)}), rows=4, on_block=told.append)

    assert told == [4, 4, 2]


def test_map_blocks_refuses_blocks_without_rows():
    with pytest.raises(ArgumentError, match=r"argument\.value.*rows is 0"):
        map_blocks(double, pl.DataFrame({"n": [1]}), rows=0)
