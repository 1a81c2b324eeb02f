"""Runners by name: what each of them promises, and how one is opened."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from silian.compute import local, ray
from silian.errors import ComputeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import polars as pl

NAMES: Final = "local, ray:local, ray:local:<workers>, ray://<host>:<port>"
LOCAL_CLUSTER: Final = re.compile(r"ray:local(?::([1-9][0-9]{0,3}))?")
ADDRESS: Final = re.compile(r"ray://(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})")


class Runner(Protocol):
    """Something that lets a verb go over the blocks of a table. The table that comes out is the same on all of them."""

    @property
    def name(self) -> str:
        """The name it was opened by."""

    @property
    def machines(self) -> int:
        """How many machines work."""

    @property
    def workers(self) -> int:
        """How many blocks are worked on at a time."""

    def map_blocks(
        self,
        verb: Callable[..., pl.DataFrame],
        table: pl.DataFrame,
        *,
        rows: int,
        shared: Mapping[str, Any] | None = None,
        on_block: Callable[[int], None] | None = None,
    ) -> pl.DataFrame:
        """The rows of `verb(block, **shared)` for all blocks of `rows` rows, in the order of the blocks.

        Parameters
        ----------
        verb : tables in, tables out; must give the same rows however the table is cut, and the same again when it is
            called twice for one block
        table : any table; an empty one is passed once, so that the result has its columns
        rows : rows of a block, >= 1
        shared : what every block needs, such as an index, by the name of the verb's argument; it is taken to each
            machine once and must not be changed
        on_block : told the number of rows done after each block, in the order in which blocks finish

        Raises
        ------
        ArgumentError : argument.value if rows < 1.
        ComputeError : compute.worker, compute.lost; whatever the verb raises comes out as it is.
        """


@contextmanager
def runner(name: str = "local") -> Iterator[Runner]:
    """Open the runner of that name; at the end of the `with` block it leaves no process behind.

    Parameters
    ----------
    name : "local" (blocks one after another in this process, each with all cores), "ray:local" (a Ray cluster of this
        machine alone, started now, one worker a core), "ray:local:<workers>" (the same with so many workers), or
        "ray://<host>:<port>" (a running cluster, reached by the port of its client server, 10001 if not changed)

    Raises
    ------
    ComputeError : compute.name for another name; for Ray also compute.package, compute.connected, compute.start,
        compute.unreachable, compute.version.

    Notes
    -----
    A worker of Ray is one process with one thread. Method and cost: docs/methods/scale.md.

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"n": [1, 2, 3]})
    >>> with runner("local") as here:
    ...     here.map_blocks(lambda block, by: block * by, table, rows=2, shared={"by": 2})["n"].to_list()
    [2, 4, 6]
    """
    here, there = LOCAL_CLUSTER.fullmatch(name), ADDRESS.fullmatch(name)
    if name == "local":
        yield local.Local()
    elif here:
        with ray.started(name, workers=int(here[1]) if here[1] else None) as cluster:
            yield cluster
    elif there:
        with ray.connected(name, host=there["host"].strip("[]"), port=int(there["port"])) as cluster:
            yield cluster
    else:
        raise ComputeError("compute.name", name=name, known=NAMES)
