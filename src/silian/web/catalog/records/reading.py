"""A record that a person may see, under any id that it ever had; a line in the log where not everybody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404

from silian.web.base.log import log
from silian.web.catalog.duplicates.merging import resolve
from silian.web.catalog.faces import FACES
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.rules import HIDDEN, may, tiers_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from silian.web.base.actors import Actor


def seen_or_404(actor: Actor, noun: str, record_id: str, *beside: str) -> Record:
    """A record with pages that a person may see, under any id that it ever had; what may not be seen is not there.

    Parameters
    ----------
    beside : what is read along with the record and its place, as of `select_related`

    Notes
    -----
    Cost: one query; three or more where the id is one that was merged away.
    """
    if noun not in FACES or "\0" in record_id:  # PostgreSQL keeps no such sign
        raise Http404
    records = MODELS[noun].objects.select_related("place", *beside)
    record = records.filter(pk=record_id).first()
    if record is None and (now := resolve(noun, [record_id]).get(record_id)):
        record = records.filter(pk=now).first()
    if record is None or not may(actor, "see", record):
        raise Http404
    return record


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
