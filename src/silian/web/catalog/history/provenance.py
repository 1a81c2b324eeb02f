"""Where each value of a record comes from, since when, and who has verified it.

`Record.sources` holds column → {source, on, verified_by, verified_as, verified_on}. Under EVERY stands what holds for
all columns that are not named, so that 100,000 imported rows do not carry the same words twenty times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from silian.web.base.log import log
from silian.web.base.models import Post
from silian.web.catalog import notifying
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.sources import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import ChangeSet, Record

# What a source is called; one that is not here is shown as it stands.
SOURCES: Final[Mapping[str, Any]] = {
    "owner": gettext_lazy("单位填报"),
    "steward": gettext_lazy("管理方填报"),
    "edit": gettext_lazy("网页填报"),
    "import": gettext_lazy("批量导入"),
    "merge": gettext_lazy("合并记录"),
    "undo": gettext_lazy("撤销恢复"),
}


class Origin(NamedTuple):
    """Where one value comes from, in words."""

    source: str
    on: str  # day, empty where not known
    verified_as: str  # role of who verified it; empty: nobody
    verified_on: str


def origin(record: Record, column: str) -> Origin:
    """Where the value of a column comes from."""
    held = record.sources.get(column) or record.sources.get(EVERY) or {}
    source = str(SOURCES.get(held.get("source", ""), held.get("source", ""))) or gettext("建库时的数据")
    role = held.get("verified_as", "")
    named = str(Post.Role(role).label) if role in Post.Role.values else role
    return Origin(source, held.get("on", ""), named, held.get("verified_on", ""))


@transaction.atomic
def verify(actor: Actor, record: Record, columns: Iterable[str]) -> ChangeSet:
    """Say that the values of some columns are right; a later change of one drops it. The rules were asked before.

    Raises
    ------
    StaleError : if the record has changed since it was read: what was looked at is no longer there
    """
    role = next((r for r in STEWARDS if actor.holds(r, over=record.place.path)), "")
    seen = {"verified_by": actor.pseudonym, "verified_as": role, "verified_on": timezone.localdate().isoformat()}
    known = {c.name for c in record.table.columns}
    wanted = [name for name in columns if name in known and getattr(record, name) not in (None, "", [])]
    base = record.sources.get(EVERY, {})
    sources = record.sources | {name: (record.sources.get(name) or base) | seen for name in wanted}
    note = gettext("核实")
    made = change(actor, record.noun, [Edit(record.record_id, {"sources": sources}, record.version)], note=note)
    log(actor, f"{record.noun}.verify", noun=record.noun, record_id=record.record_id, detail={"columns": wanted})
    notifying.record_turned(actor, "records.verified", record, key=str(made.pk))
    return made
