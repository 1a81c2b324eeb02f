"""Reading that is worth a line in the log: whoever saw what not everybody sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from silian.web.base.log import log
from silian.web.catalog.models import Record
from silian.web.catalog.rules import HIDDEN, tiers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from silian.web.base.actors import Actor


def told_record(actor: Actor, record: Record, names: Collection[str], *, action: str = "read") -> None:
    """Log that a person was shown a record, where it or one of the columns shown is not public.

    Parameters
    ----------
    names : the columns that were shown
    action : read, history, attachment, …; the log says `<noun>.<action>`

    Notes
    -----
    What everybody may read is not logged: the log would tell who is curious and hide who is nosy.
    """
    tiers = tiers_of(record)
    closed = sorted(n for n in names if tiers[n] != "public" and getattr(record, n) not in (None, "", []))
    if closed or record.state != Record.State.PUBLISHED or record.noun in HIDDEN or action != "read":
        detail = {"columns": closed, "state": record.state}
        log(actor, f"{record.noun}.{action}", noun=record.noun, record_id=record.record_id, detail=detail)


def told_records(actor: Actor, noun: str, action: str, *, count: int, chosen: Mapping[str, str]) -> None:
    """Log that a person took out or searched records: how many, chosen by which values; without the words searched."""
    log(actor, f"{noun}.{action}", noun=noun, detail={"count": count, "chosen": dict(chosen)})
