"""The default runner: blocks of a table, one after another, in this process.

The engines use all cores inside a block, so a second layer of processes would only cost memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from silian.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def cut(table: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """The blocks of a table, of `rows` rows each but the last; an empty table is one block.

    Raises
    ------
    ArgumentError : argument.value if rows < 1.
    """
    if rows < 1:
        raise ArgumentError("argument.value", name="rows", found=rows, wanted=">= 1")
    return (table.slice(start, rows) for start in range(0, max(table.height, 1), rows))


@dataclass(frozen=True, slots=True)
class Local:
    """Blocks one after another in this process."""

    name: str = "local"
    machines: int = 1
    workers: int = 1

    def map_blocks(
        self,
        verb: Callable[..., pl.DataFrame],
        table: pl.DataFrame,
        *,
        rows: int,
        shared: Mapping[str, Any] | None = None,
        on_block: Callable[[int], None] | None = None,
    ) -> pl.DataFrame:
        """As `Runner.map_blocks`.

        Examples
        --------
        >>> table = pl.DataFrame({"n": [1, 2, 3]})
        >>> Local().map_blocks(lambda block: block.select(pl.col("n") * 2), table, rows=2)["n"].to_list()
        [2, 4, 6]
        """
        done: list[pl.DataFrame] = []
        for block in cut(table, rows):
            done.append(verb(block, **(shared or {})))
            if on_block is not None:
                on_block(block.height)
        return pl.concat(done)
