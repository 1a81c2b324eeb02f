"""Files beside records: brought, checked, scanned, handed out to whom they are for, taken away and back."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from typing import IO, TYPE_CHECKING, Final

from django.conf import settings
from django.core.files import File
from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from silian.errors import WebError
from silian.web.base.log import log
from silian.web.catalog import notifying
from silian.web.catalog.beside.filetypes import clean_name, media_type
from silian.web.catalog.beside.interests import is_mutual
from silian.web.catalog.models import MODELS, Attachment
from silian.web.catalog.rules import STEWARDS, is_own, may

if TYPE_CHECKING:
    from datetime import datetime

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

MOST_BYTES: Final = 20 * 1024**2  # of one file
MOST_TOGETHER: Final = 200 * 1024**2  # of the files of a record
SCAN_SECONDS: Final = 300
CLEAN, FOUND = 0, 1  # what a scanner ends with, as clamscan does


def readable(actor: Actor, record: Record, attachment: Attachment) -> bool:
    """Whether a person may have the file: the record, the tier and the scanner allow it."""
    return (
        attachment.gone_at is None
        and attachment.state == Attachment.State.CLEAN
        and may(actor, "see", record)
        and attachment.tier in open_tiers(actor, record)
    )


def open_tiers(actor: Actor, record: Record) -> tuple[str, ...]:
    """The tiers of the files of a record that are open to a person, as its columns are. Cost: at most one query."""
    if is_own(actor, record) or _is_steward(actor, record):
        return tuple(Attachment.Tier.values)
    return (Attachment.Tier.PUBLIC, Attachment.Tier.MUTUAL) if is_mutual(actor, record) else (Attachment.Tier.PUBLIC,)


def listed(actor: Actor, record: Record) -> list[Attachment]:
    """The files of a record that a person may know of, the newest first. Cost: two queries.

    A file that the scanner has not passed shows itself to its bringer and to stewards, one that was taken away to
    whoever may edit the record, as long as it can come back.
    """
    known = Q(gone_at=None, state=Attachment.State.CLEAN, tier__in=open_tiers(actor, record))
    if not actor.is_visitor:
        mine = Q(gone_at=None) if _is_steward(actor, record) else Q(gone_at=None, by_id=actor.user_id)
        known |= mine
        if may(actor, "edit", record):
            known |= Q(gone_at__isnull=False, state=Attachment.State.CLEAN)
    return list(Attachment.objects.filter(known, noun=record.noun, record_id=record.record_id).order_by("-pk"))


def add(actor: Actor, record: Record, *, file: IO[bytes], name: str, declared: str, tier: str) -> Attachment:
    """Put a file beside a record; the same file twice is one.

    Raises
    ------
    WebError : attachment.size, attachment.empty, attachment.full; what `filetypes.media_type` refuses
    """
    kept_name = clean_name(name)
    size = file.seek(0, 2)
    if size > MOST_BYTES:
        raise WebError("attachment.size", name=kept_name, most="20 MiB")
    if not size:
        raise WebError("attachment.empty", name=kept_name)
    found = media_type(file, kept_name, declared)
    digest = _sha256(file)
    with transaction.atomic():
        _hold(record)
        there = Attachment.objects.filter(noun=record.noun, record_id=record.record_id, gone_at=None)
        if same := there.filter(sha256=digest, name=kept_name).first():
            return same
        if (there.aggregate(n=Sum("size"))["n"] or 0) + size > MOST_TOGETHER:
            raise WebError("attachment.full", most="200 MiB")
        state = Attachment.State.WAITING if settings.SILIAN_SCAN else Attachment.State.CLEAN
        made = Attachment(
            noun=record.noun, record_id=record.record_id, name=kept_name, size=size, sha256=digest, media_type=found,
            tier=tier, by_id=actor.user_id, state=state,
        )  # fmt: skip
        made.file.save(digest, File(file), save=False)
        try:
            made.save()
            _log(actor, "attach", made)
        except BaseException:
            made.file.delete(save=False)
            raise
    return made


def scan(number: int) -> None:
    """Let the scanner look at a file that waits; one in which it finds something is deleted at once.

    A scanner that cannot say leaves the file waiting: it is asked again when the worker starts, or by the command
    `attachments`.
    """
    waiting = Attachment.objects.filter(pk=number, state=Attachment.State.WAITING).first()
    if waiting is None:
        return
    command = [*shlex.split(settings.SILIAN_SCAN), waiting.file.path]
    try:
        ended = subprocess.run(  # noqa: S603 the command is the operator's own setting
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SCAN_SECONDS, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return
    if ended not in (CLEAN, FOUND):
        return
    still = Attachment.objects.filter(pk=number, state=Attachment.State.WAITING)
    if ended == CLEAN:
        still.update(state=Attachment.State.CLEAN)
        return
    with transaction.atomic():
        is_ours = still.update(state=Attachment.State.REFUSED, file="")
        if is_ours:
            notifying.refused(waiting)
    if is_ours:
        waiting.file.delete(save=False)


@transaction.atomic
def take_away(actor: Actor, attachment: Attachment) -> None:
    """Take a file from its record; it can come back for KEPT."""
    taken = Attachment.objects.filter(pk=attachment.pk, gone_at=None).update(gone_at=timezone.now())
    if taken:
        _log(actor, "detach", attachment)


@transaction.atomic
def bring_back(actor: Actor, attachment: Attachment) -> None:
    """Put a file that was taken away back beside its record."""
    if Attachment.objects.filter(pk=attachment.pk, gone_at__isnull=False).update(gone_at=None):
        _log(actor, "attach", attachment)


def open_file(actor: Actor, attachment: Attachment) -> IO[bytes]:
    """The content of a file; that somebody had it is logged where it is not for everybody."""
    if attachment.tier != Attachment.Tier.PUBLIC:
        _log(actor, "download", attachment)
    return attachment.file.open("rb")


def purge(now: datetime) -> int:
    """Delete for good what was taken away long enough ago; how many it was."""
    old = list(Attachment.objects.filter(gone_at__lt=now - Attachment.KEPT))
    for attachment in old:
        name, storage = attachment.file.name, attachment.file.storage
        attachment.delete()
        if name:
            storage.delete(name)
    return len(old)


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _is_steward(actor: Actor, record: Record) -> bool:
    return any(actor.holds(role, over=record.place.path) for role in STEWARDS)


def _hold(record: Record) -> None:
    """Let one writer at a time count the files of a record; SQLite has one writer anyway."""
    if connection.features.has_select_for_update:
        list(MODELS[record.noun].objects.select_for_update().filter(pk=record.pk).values_list("pk"))


def _log(actor: Actor, action: str, attachment: Attachment) -> None:
    detail = {"attachment": attachment.pk}
    log(
        actor, f"{attachment.noun}.{action}", noun=attachment.noun, record_id=attachment.record_id, detail=detail
    )  # fmt: skip
