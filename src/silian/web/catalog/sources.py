"""What `changing.change` notes of a value that it writes: where it comes from and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from silian.tables.schema import Table

EVERY: Final = "*"  # stands for all columns that are not named


def stamped(
    table: Table, before: Mapping[str, Any] | None, after: Mapping[str, Any], *, source: str, on: date
) -> dict[str, Any]:
    """The sources of a record after a change: each value that differs is new, and verified by nobody."""
    mark = {"source": source, "on": on.isoformat()}
    if before is None:
        return {EVERY: mark}
    names = [c.name for c in table.columns if before.get(c.name) != after.get(c.name)]
    return {**(after.get("sources") or {}), **dict.fromkeys(names, mark)}
