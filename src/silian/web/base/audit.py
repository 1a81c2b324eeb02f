"""The log as a chain: sealed entry by entry, so that none can be changed, dropped or slipped in unseen.

Writers do not wait for each other: an entry is written unsealed, in the transaction of what it tells of, and `seal`
gives it a number and a digest afterwards, made of the digest before it and of all that the entry says. The end of the
chain is signed with the key of the site, so that whoever writes to the database alone cannot make it anew. Ids cannot
number the chain: a rolled-back transaction leaves a gap, and a slow one commits an id that is lower than a sealed one.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.core.signing import BadSignature, Signer
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from silian.web.base.models import ChainCheck, ChainHead, LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH: Final = 1000  # entries a transaction
FIRST: Final = "0" * 64  # what stands before the first entry
SIGNER: Final = Signer(salt="silian.log")
FINDINGS: Final = {
    "changed": gettext_lazy("内容被改动"),
    "missing": gettext_lazy("条目缺失"),
    "inserted": gettext_lazy("条目是插入的"),
    "cut": gettext_lazy("末尾被截断"),
    "rewritten": gettext_lazy("与此前核验时不同"),
    "head": gettext_lazy("链尾签名不符"),
}


class Anchor(NamedTuple):
    """An entry of the chain as somebody has noted it outside the database."""

    number: int
    digest: str


class Verdict(NamedTuple):
    """What a walk along the chain found."""

    number: int  # of the last entry that is right
    digest: str
    finding: str = ""  # empty: all is right; else one of FINDINGS
    broken: int | None = None  # number of the entry of the finding


def content_of(entry: LogEntry) -> str:
    """All that an entry says, as one text that is the same on every database."""
    said = {
        "id": entry.pk, "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"), "who": entry.who,
        "action": entry.action, "noun": entry.noun, "record_id": entry.record_id, "detail": entry.detail,
        "request_id": entry.request_id,
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(before: str, entry: LogEntry) -> str:
    """The digest of an entry behind another's: SHA-256 over both, in hexadecimal digits."""
    return hashlib.sha256(f"{before}\n{content_of(entry)}".encode()).hexdigest()


def seal() -> int:
    """Give every entry that has none its number and digest, in the order of their ids; how many these were.

    Two that seal at the same time wait for each other for a BATCH at most; those who write entries wait for nobody.
    """
    sealed = 0
    while count := _seal_batch():
        sealed += count
    return sealed


def verify(*, noted: Iterable[Anchor] = ()) -> Verdict:
    """Walk the whole chain and name the first entry that is not as it was sealed.

    Parameters
    ----------
    noted : entries that were noted outside the database, beside those of earlier walks

    Notes
    -----
    Entries that are not sealed yet are not looked at. Cost: one walk along the table, 2,000 entries at a time.
    """
    head = ChainHead.objects.first() or ChainHead(number=0, digest=FIRST)
    wanted = {a.number: a.digest for a in (*_earlier(), *noted)}
    last, before_last = Anchor(0, FIRST), FIRST
    for entry in LogEntry.objects.exclude(number=None).order_by("number").iterator(chunk_size=2000):
        if found := _wrong(entry, last, before_last, head.number, wanted):
            return Verdict(*last, *found)
        before_last, last = last.digest, Anchor(last.number + 1, entry.digest)
    if last.number < max([head.number, *wanted]):
        return Verdict(*last, "cut", last.number + 1)
    if head.number and (head.digest != last.digest or not _is_signed(last, head.signature)):
        return Verdict(*last, "head", head.number)
    return Verdict(*last)


def _wrong(entry: LogEntry, last: Anchor, before_last: str, end: int, wanted: dict[int, str]) -> tuple[str, int] | None:
    """What is wrong with the entry behind the last right one, and with which; None where it follows."""
    number = entry.number or 0
    if number != last.number + 1:
        return "missing", last.number + 1
    if digest_of(last.digest, entry) != entry.digest:
        # where it follows the entry before the last, the last was slipped in
        return ("inserted", last.number) if digest_of(before_last, entry) == entry.digest else ("changed", number)
    if number > end:
        return "inserted", number
    return None if wanted.get(number, entry.digest) == entry.digest else ("rewritten", number)


def check() -> ChainCheck:
    """Seal what waits, walk the chain, and keep what was found."""
    seal()
    verdict = verify()
    signature = _signature(Anchor(verdict.number, verdict.digest))
    return ChainCheck.objects.create(**verdict._asdict(), signature=signature)


@transaction.atomic
def _seal_batch() -> int:
    head = _locked_head()
    entries = list(LogEntry.objects.filter(number=None).order_by("pk")[:BATCH])
    for entry in entries:
        head.number, head.digest = head.number + 1, digest_of(head.digest, entry)
        entry.number, entry.digest = head.number, head.digest
    if entries:
        LogEntry.objects.bulk_update(entries, ["number", "digest"], batch_size=100)
        head.signature, head.at = _signature(Anchor(head.number, head.digest)), timezone.now()
        head.save()
    return len(entries)


def _locked_head() -> ChainHead:
    """The end of the chain, held until the end of the transaction; on SQLite the transaction holds the database."""
    first = Anchor(0, FIRST)
    ChainHead.objects.get_or_create(pk=1, defaults={**first._asdict(), "signature": _signature(first)})
    heads = ChainHead.objects.filter(pk=1)
    return (heads.select_for_update() if connection.features.has_select_for_update else heads).get()


def _earlier() -> Iterable[Anchor]:
    """The ends that earlier walks found right, as far as they are signed."""
    for found in ChainCheck.objects.filter(number__gt=0).order_by("pk"):
        anchor = Anchor(found.number, found.digest)
        if _is_signed(anchor, found.signature):
            yield anchor


def _signature(anchor: Anchor) -> str:
    return SIGNER.signature(f"{anchor.number}:{anchor.digest}")


def _is_signed(anchor: Anchor, signature: str) -> bool:
    try:
        SIGNER.unsign(f"{anchor.number}:{anchor.digest}:{signature}")
    except BadSignature:
        return False
    return True


def state() -> dict[str, Any]:
    """How far the chain is sealed and verified, and how many entries wait; three small queries."""
    waiting = LogEntry.objects.filter(number=None).order_by("pk")
    return {
        "head": ChainHead.objects.filter(number__gt=0).first(),
        "waiting": list(waiting.values_list("at", flat=True)[: BATCH + 1]),
        "check": ChainCheck.objects.order_by("-pk").first(),
    }
