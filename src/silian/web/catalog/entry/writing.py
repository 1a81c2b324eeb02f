"""A record made or altered by a form: once, however often the form is sent, and never over somebody else's work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from silian.tables import schema
from silian.web.catalog.changing import Edit, StaleError, change, plain
from silian.web.catalog.entry import drafts
from silian.web.catalog.fields import record_id
from silian.web.catalog.models import MODELS, Change, Record
from silian.web.catalog.rules import PERSONAL, STEWARDS, is_own, may_bring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor

# What an id begins with: N-2026-0017.
PREFIXES: Final = {
    "needs": "N", "achievements": "A", "experts": "E", "works": "W", "organisations": "O", "facilities": "F",
    "products": "P", "funds": "K", "policies": "Z", "districts": "D",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent, read and found right."""

    noun: str
    record_id: str  # empty: a new record
    token: str
    version: int  # that the person saw
    values: Mapping[str, Any]  # columns, tiers, translations
    digest: str  # of the texts
    is_published: bool = False  # to be published with it
    note: str = ""  # what the history is to say of it


@dataclass(frozen=True, slots=True)
class Difference:
    """A column that both have changed, or only the other."""

    column: schema.Column
    was: Any
    theirs: Any
    mine: Any
    is_both: bool


@transaction.atomic
def save(actor: Actor, sent: Sent) -> str:
    """Make or alter the record of a form; its id. The rules were asked before.

    Raises
    ------
    StaleError : if the record has changed since the person saw it: nothing is written

    Notes
    -----
    A form that was saved before is not saved again; sent with other texts, as the back button brings it about, it
    alters the record that it made.
    """
    draft = drafts.begun(actor, sent.noun, sent.record_id, sent.token)
    if draft.saved_as and draft.digest == sent.digest:
        return draft.saved_as
    number, version = draft.saved_as or sent.record_id, draft.version if draft.saved_as else sent.version
    values = dict(sent.values)
    record = MODELS[sent.noun].objects.select_related("place").filter(pk=number).first() if number else None
    if number and record is None:
        raise StaleError([])  # deleted meanwhile
    source = "owner"
    if record is None:
        number, values = _new(sent.noun, values)
        version = 0
        if sent.noun != "organisations" and not _is_owner(actor, sent.noun, values):
            source = "steward"
    else:
        values = {name: value for name, value in values.items() if name not in record.table.key}
        source = "owner" if is_own(actor, record) else "steward"
    values |= _state(actor, sent, record)
    change(actor, sent.noun, [Edit(number, values, version)], source=source, note=sent.note)
    now = MODELS[sent.noun].objects.values_list("version", flat=True).get(pk=number)
    drafts.finish(draft, number, digest=sent.digest, version=now)
    return number


def may_save(actor: Actor, noun: str, record: Record | None, values: Mapping[str, Any]) -> bool:
    """Whether a person may make a record with some values, or leave one with them."""
    if noun == "districts" and not actor.holds("administrator"):
        return False
    whole = (plain(record) if record else dict.fromkeys(schema.tables()[noun].key, "?")) | dict(values)
    return may_bring(actor, noun, [whole])[0]


def may_begin(actor: Actor, noun: str) -> bool:
    """Whether a person may make any record of a noun at all: the form is theirs to see."""
    if noun == "districts":
        return actor.holds("administrator")
    if any(actor.holds(role) for role in STEWARDS):
        return True
    names = {c.name for c in schema.tables()[noun].columns}
    if noun in PERSONAL:
        return bool(actor.led) or (noun == "works" and bool(actor.expert_id))
    return noun != "organisations" and "org_id" in names and bool(actor.orgs)


def differences(noun: str, number: str, seen: int, mine: Mapping[str, Any]) -> list[Difference]:
    """Where a record has gone since a version that a writer saw, column by column, beside what the writer wants."""
    record = MODELS[noun].objects.filter(pk=number).first()
    if record is None:
        return []
    theirs, was = plain(record), _at_version(noun, number, seen)
    made = []
    for column in record.table.columns:
        if column.name not in mine or theirs[column.name] == mine[column.name]:
            continue
        old = was.get(column.name) if was is not None else mine[column.name]
        if theirs[column.name] != old or was is None:
            is_both = was is None or mine[column.name] != old
            made.append(Difference(column, old, theirs[column.name], mine[column.name], is_both))
    return made


def _at_version(noun: str, number: str, version: int) -> Mapping[str, Any] | None:
    """A record as it was at a version; None where the history does not reach so far."""
    rows = Change.objects.filter(noun=noun, record_id=number)
    then = rows.filter(version=version).values_list("after", flat=True).first()
    if then is None:
        then = rows.filter(version=version + 1).values_list("before", flat=True).first()
    found: Mapping[str, Any] | None = then
    return found


def _new(noun: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id of a new record, and its values with its keys."""
    table, model = schema.tables()[noun], MODELS[noun]
    own = table.key[-1]
    row = f"{PREFIXES[noun]}-{timezone.localdate().year}"
    while True:
        whole = {**values, own: f"{row}-{drafts.next_number(row):04d}", "state": Record.State.DRAFT}
        number = record_id(table, whole)
        if not model.objects.filter(**{own: whole[own]}).exists():  # an import may have brought such an id
            return number, whole


def _is_owner(actor: Actor, noun: str, values: Mapping[str, Any]) -> bool:
    orgs = actor.led if noun in PERSONAL else actor.orgs
    is_me = bool(actor.expert_id) and values.get("expert_id") == actor.expert_id
    return is_me or values.get("org_id") in orgs


def _state(actor: Actor, sent: Sent, record: Record | None) -> dict[str, Any]:
    """What a form says of the state: published with it, and confirmed by whoever keeps the record."""
    today = timezone.localdate().isoformat()
    if sent.is_published:
        return {"state": Record.State.PUBLISHED, "confirmed_on": today, "reason": ""}
    if record is not None and record.state == Record.State.PUBLISHED and is_own(actor, record):
        return {"confirmed_on": today}
    return {}


def gone_text() -> str:
    """What is said where a record was deleted while somebody typed."""
    return gettext("这条记录在您填写期间被删除了。您填写的内容仍在草稿中。")
