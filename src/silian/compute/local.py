"""The default runner: blocks of a table, one after another, in this process.

The engines use all cores inside a block, so a second layer of processes would only cost memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable


def map_blocks(
    verb: Callable[[pl.DataFrame], pl.DataFrame],
    table: pl.DataFrame,
    *,
    rows: int,
    on_block: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """The rows of `verb(block)` for all blocks of `rows` rows, in the order of the blocks.

    Parameters
    ----------
    verb : tables in, tables out; must give the same rows however the table is cut
    table : any table; an empty one is passed once, so that the result has its columns
    rows : rows of a block, >= 1
    on_block : told the number of rows done after each block

    Raises
    ------
    ArgumentError : argument.value if rows < 1.

    Examples
    --------
    >>> table = pl.DataFrame({"n": [1, 2, 3]})
    >>> map_blocks(lambda block: block.select(pl.col("n") * 2), table, rows=2)["n"].to_list()
    [2, 4, 6]
    """
    if rows < 1:
        raise ArgumentError("argument.value", name="rows", found=rows, wanted=">= 1")
    done: list[pl.DataFrame] = []
    for start in range(0, max(table.height, 1), rows):
        block = table.slice(start, rows)
        done.append(verb(block))
        if on_block is not None:
            on_block(block.height)
    return pl.concat(done)
