"""What may happen to people: roles in organisations, posts in places, accounts shut and opened, parks added."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from silian.errors import WebError
from silian.web.base import organisations
from silian.web.base.log import log
from silian.web.base.models import Invitation, Membership, Place, Post, User
from silian.web.base.notifications import Ref, notify
from silian.web.base.rules import Standing

if TYPE_CHECKING:
    from silian.web.base.actors import Actor


@transaction.atomic
def set_role(actor: Actor, membership: Membership, role: str) -> None:
    """Make a member an administrator of the organisation, or the other way round.

    Raises
    ------
    WebError : web.last_administrator if nobody would be left to manage the members
    """
    if role != Membership.Role.ADMINISTRATOR:
        _keep_one_administrator(membership)
    Membership.objects.filter(pk=membership.pk).update(role=role)
    _tell(actor, "memberships.given", membership.user_id, org=Ref("organisations", membership.org_id), role=role)
    log(actor, "people.role", noun="organisations", record_id=membership.org_id, detail=_of(membership.user, role=role))


@transaction.atomic
def remove(actor: Actor, membership: Membership) -> None:
    """End a person's membership; the account and its other rights stay.

    Raises
    ------
    WebError : web.last_administrator if nobody would be left to manage the members
    """
    _keep_one_administrator(membership)
    Membership.objects.filter(pk=membership.pk).delete()
    _tell(actor, "memberships.taken", membership.user_id, org=Ref("organisations", membership.org_id))
    detail = _of(membership.user, role=membership.role)
    log(actor, "people.remove", noun="organisations", record_id=membership.org_id, detail=detail)


@transaction.atomic
def restore(actor: Actor, user: User, org_id: str, role: str) -> None:
    """Bring back a membership that was ended."""
    Membership.objects.get_or_create(user=user, org_id=org_id, defaults={"role": role})
    _tell(actor, "memberships.given", user.pk, org=Ref("organisations", org_id), role=role)
    log(actor, "people.restore", noun="organisations", record_id=org_id, detail=_of(user, role=role))


@transaction.atomic
def grant(actor: Actor, user: User, role: str, place: Place) -> None:
    """Entrust a person with a post for a place and all below it."""
    Post.objects.get_or_create(user=user, role=role, place=place)
    _tell(actor, "posts.given", user.pk, place=Ref("places", place.pk), role=role)
    log(actor, "people.grant", noun="places", record_id=place.pk, detail=_of(user, role=role))


@transaction.atomic
def withdraw(actor: Actor, post: Post) -> None:
    """Take a post back.

    Raises
    ------
    WebError : web.last_administrator if nobody would be left to administer the whole region
    """
    _keep_one_over_all(post.user_id, post.role)
    Post.objects.filter(pk=post.pk).delete()
    _tell(actor, "posts.taken", post.user_id, place=Ref("places", post.place_id), role=post.role)
    log(actor, "people.withdraw", noun="places", record_id=post.place_id, detail=_of(post.user, role=post.role))


@transaction.atomic
def shut(actor: Actor, user: User) -> None:
    """Shut an account out: its sessions end, its open invitations are revoked, its rights wait.

    Raises
    ------
    WebError : web.last_administrator if nobody would be left to administer the whole region
    """
    _keep_one_over_all(user.pk, Post.Role.ADMINISTRATOR)
    User.objects.filter(pk=user.pk).update(is_active=False)
    for session in UserSession.objects.filter(user=user):
        session.end()
    Invitation.objects.filter(by=user, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())
    log(actor, "people.shut", noun="people", record_id=user.pseudonym)


@transaction.atomic
def reopen(actor: Actor, user: User) -> None:
    """Open an account again that was shut."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    log(actor, "people.reopen", noun="people", record_id=user.pseudonym)


def standing_of(user: User) -> Standing:
    """What an account is entrusted with. Cost: three queries."""
    known = organisations.named(list(user.memberships.values_list("org_id", flat=True)))
    return Standing(
        user_id=user.pk,
        posts=frozenset(user.posts.values_list("role", "place__path")),
        orgs=frozenset((found.org_id, found.path) for found in known.values()),
    )


@transaction.atomic
def plant(actor: Actor, above: Place, *, name: str, name_en: str) -> Place:
    """Add a park below a city or county."""
    own = {"level": Place.Level.PARK, "name": name, "name_en": name_en, "parent": above}
    made = Place.objects.create(place_id=f"park-{secrets.token_hex(4)}", **own)
    log(actor, "places.add", noun="places", record_id=made.pk, detail={"parent": above.pk})
    return made


@transaction.atomic
def rename(actor: Actor, park: Place, *, name: str, name_en: str) -> None:
    """Give a park another name; its id and all that lies in it stay."""
    before = {"name": park.name, "name_en": park.name_en}
    Place.objects.filter(pk=park.pk).update(name=name, name_en=name_en)
    log(actor, "places.rename", noun="places", record_id=park.pk, detail={"before": before})


def _tell(actor: Actor, code: str, user_id: int, **facts: Ref | str) -> None:
    """Tell a person what was given to or taken from them; nobody is told what they did themselves."""
    if user_id != actor.user_id:
        notify(code, [user_id], about=reverse("home"), key=secrets.token_hex(8), **facts)


def _keep_one_administrator(membership: Membership) -> None:
    """Two administrators who remove each other at once wait for one another here."""
    others = Membership.objects.select_for_update().filter(org_id=membership.org_id, role="administrator")
    left = [m for m in others if m.pk != membership.pk]
    if membership.role == Membership.Role.ADMINISTRATOR and not left:
        found = organisations.named([membership.org_id]).get(membership.org_id)
        raise WebError("web.last_administrator", name=found.name if found else membership.org_id)


def _keep_one_over_all(user_id: int, role: str) -> None:
    if role != Post.Role.ADMINISTRATOR:
        return
    root = Place.root()
    over_all = Post.objects.select_for_update().filter(role=role, place=root, user__is_active=True)
    holders = {post.user_id for post in over_all}
    if holders == {user_id}:
        raise WebError("web.last_administrator", name=root.name)


def _of(user: User, *, role: str) -> dict[str, str]:
    return {"who": user.pseudonym, "role": role}
