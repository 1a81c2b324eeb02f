"""A region as a run works with it, for what is asked beside a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from silian import tables

if TYPE_CHECKING:
    from pathlib import Path

    from silian.pipeline.plan import Plan
    from silian.tables import Region


def read_usable(path: Path, plan: Plan) -> Region:
    """Read a region and leave out the rows and ids that a run leaves out, so that both speak of the same rows.

    Raises
    ------
    ReadError : of `tables.read_region`.
    """
    region = tables.read_region(path)
    return tables.drop_problem_rows(region, tables.check(region, on=plan.day))
