"""Who is told of what happens in the registry: a line each, called in the transaction of what it tells of.

Nobody is told of what they did themselves.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.urls import reverse

from silian.web.base.models import Membership, Post, User
from silian.web.base.notifications import Ref, notify
from silian.web.catalog.models import Booking, Claim, Expert, Facility, Interest, Record
from silian.web.catalog.rules import PERSONAL, STEWARDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Attachment, DuplicateReport, Export, Import


def interest_asked(actor: Actor, asked: Interest, record: Record) -> None:
    """Tell who speaks for a record that somebody wants to talk about it."""
    about, own = Ref(record.noun, record.record_id), keepers(record)
    address = reverse("interests") if own else reverse("detail", args=about)
    people = (own or stewards(record.place.path)) - {actor.user_id}
    notify("interests.received", people, about=address, key=str(asked.pk), record=about)


def interest_turned(actor: Actor, interest: Interest, state: str) -> None:
    """Tell the other side what became of an interest."""
    side = of_side(interest.by_id, interest.org_id)
    if actor.user_id in side:
        side = members([interest.owner_id])
    address = f"{reverse('interests')}?which=sent" if state != Interest.State.WITHDRAWN else reverse("interests")
    about = Ref(interest.noun, interest.record_id)
    key = f"{interest.pk}:{state}"
    notify("interests.answered", side - {actor.user_id}, about=address, key=key, record=about, state=state)


def booking_asked(actor: Actor, booking: Booking, facility: Facility) -> None:
    """Tell who runs a facility that somebody asks for it."""
    address, about = reverse("booking", args=[facility.pk]), Ref("facilities", facility.pk)
    at = booking.from_at.isoformat()
    notify("bookings.asked", answering(facility) - {actor.user_id}, about=address, key=booking.key, record=about, at=at)


def booking_turned(actor: Actor, booking: Booking) -> None:
    """Tell who asked what became of it; where they took it back themselves, tell who runs the facility."""
    if booking.state == Booking.State.DONE:
        return
    side = of_side(booking.by_id, booking.org_id)
    if actor.user_id in side:
        facility = Facility.objects.select_related("place").filter(pk=booking.facility_id).first()
        side = answering(facility) if facility else set()
    address, about = reverse("booking", args=[booking.facility_id]), Ref("facilities", booking.facility_id)
    told = {"at": booking.from_at.isoformat(), "state": str(booking.state)}
    key = f"{booking.key}:{booking.state}"
    notify("bookings.answered", side - {actor.user_id}, about=address, key=key, record=about, **told)


def claim_asked(claim: Claim, expert: Expert) -> None:
    """Tell who decides on a claim: who leads the organisation; where nobody does, who looks after the place."""
    deciding = members([expert.owner_id], leading=True) - {claim.user_id} or stewards(expert.place.path)
    about = Ref("experts", expert.pk)
    notify("claims.asked", deciding - {claim.user_id}, about=reverse("claims"), key=str(claim.pk), record=about)


def claim_decided(claim: Claim) -> None:
    """Tell who claimed."""
    if claim.state in (Claim.State.GRANTED, Claim.State.REFUSED):
        about, state = Ref("experts", claim.expert_id), str(claim.state)
        key = f"{claim.pk}:{state}"
        notify("claims.decided", [claim.user_id], about=reverse("claims"), key=key, record=about, state=state)


def record_turned(actor: Actor, code: str, record: Record, *, key: str) -> None:
    """Tell who keeps a record what a steward did with it."""
    address = reverse("detail", args=[record.noun, record.record_id])
    about = Ref(record.noun, record.record_id)
    notify(code, keepers(record) - {actor.user_id}, about=address, key=key, record=about)


def merged(actor: Actor, kept: Record, gone: Record, *, key: str) -> None:
    """Tell who kept either of two records that they are one."""
    address = reverse("detail", args=[kept.noun, kept.record_id])
    told = (keepers(kept) | keepers(gone)) - {actor.user_id}
    notify("records.merged", told, about=address, key=key, record=Ref(kept.noun, kept.record_id))


def expired(noun: str, records: Iterable[Record], today: date) -> None:
    """Tell who keeps some records that these are out of the lists: one notification a person and day, however many."""
    told = members({record.owner_id for record in records}, leading=noun in PERSONAL)
    notify("records.expired", told, about=reverse("waiting"), key=today.isoformat())


def due(counts: Mapping[tuple[str, bool], int], today: date) -> int:
    """Tell those whose records wait to be confirmed, once a week; how many people.

    Parameters
    ----------
    counts : (organisation, whether only who leads it keeps them) → how many
    """
    year, week, _day = today.isocalendar()
    by_person: dict[int, int] = defaultdict(int)
    for (org_id, is_leading), count in counts.items():
        for user_id in members([org_id], leading=is_leading):
            by_person[user_id] += count
    by_count: dict[int, list[int]] = defaultdict(list)
    for user_id, count in by_person.items():
        by_count[count].append(user_id)
    for count, people in sorted(by_count.items()):
        notify("records.due", people, about=reverse("waiting"), key=f"{year}-{week:02}", count=count)
    return len(by_person)


def imported(brought: Import, code: str, *, state: str = "") -> None:
    """Tell who brought a file how it stands: one notification, whatever the number of its rows."""
    facts = {"state": state} if state else {}
    key = f"{brought.pk}:{state}:{brought.attempt}"
    notify(code, [brought.by_id], about=reverse("import", args=[brought.pk]), key=key, file=brought.name, **facts)


def exported(taken: Export) -> None:
    """Tell who wanted a file that it is there, or that it could not be made."""
    state = str(taken.state)
    notify("exports.ready", [taken.by_id], about=reverse("exports"), key=f"{taken.pk}:{state}", state=state)


def looked_through(report: DuplicateReport, found: int) -> None:
    """Tell who had a place looked through for duplicates."""
    address = reverse("duplicate_report", args=[report.pk])
    notify("duplicates.ready", [report.by_id], about=address, key=str(report.pk), count=found)


def refused(attachment: Attachment) -> None:
    """Tell who brought a file that the scanner found something in it."""
    about = Ref(attachment.noun, attachment.record_id)
    address = reverse("attachments", args=[attachment.noun, attachment.record_id])
    notify("attachments.refused", [attachment.by_id], about=address, key=str(attachment.pk), record=about)


# ── whom they are for ──


def members(org_ids: Iterable[str], *, leading: bool = False) -> set[int]:
    """The accounts of an organisation's people, or of those who manage it; one query."""
    wanted = {org for org in org_ids if org}
    found = Membership.objects.filter(org_id__in=wanted)
    found = found.filter(role=Membership.Role.ADMINISTRATOR) if leading else found
    return set(found.values_list("user_id", flat=True)) if wanted else set()


def keepers(record: Record) -> set[int]:
    """The accounts of those who keep a record: its organisation's people; of what tells of a person, that person."""
    found = members([record.owner_id], leading=record.noun in PERSONAL)
    if record.noun in PERSONAL:
        found |= set(
            User.objects.filter(expert_id=getattr(record, "expert_id", "") or "-").values_list("pk", flat=True)
        )
    return found


def stewards(path: str, roles: Iterable[str] = STEWARDS) -> set[int]:
    """The accounts of those who look after a place, the nearest alone: of its county, else of its city, and so on."""
    above = ["/".join(path.split("/")[:end]) + "/" for end in range(2, path.count("/") + 1)]
    posts = Post.objects.filter(role__in=list(roles), place__path__in=above).values_list("user_id", "place__path")
    by_path: dict[str, set[int]] = {}
    for user_id, own in posts:
        by_path.setdefault(own, set()).add(user_id)
    return by_path[max(by_path, key=len)] if by_path else set()


def answering(record: Record) -> set[int]:
    """The accounts of those who speak for a record: who keeps it; where nobody does, who looks after its place."""
    return keepers(record) or stewards(record.place.path)


def of_side(user_id: int | None, org_id: str) -> set[int]:
    """The accounts of a side: the person, and the people of the organisation for which the person asked."""
    return members([org_id]) | ({user_id} if user_id else set())
