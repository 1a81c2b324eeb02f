"""A site to try: the synthetic region and an account for every role."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from datetime import time, timedelta
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from silian import tables
from silian.tables import synth
from silian.tables.read_geojson import GEOJSON
from silian.web.base.actors import actor_of
from silian.web.base.models import Membership, Place, Post, User
from silian.web.catalog.beside import booking, claims, interests
from silian.web.catalog.models import Achievement, Expert, Facility, Need, Organisation, Record
from silian.web.catalog.tables import write_region


class Account(NamedTuple):
    """A demo account, with its password in the clear."""

    role: str
    email: str
    password: str


def fill(size: synth.SizeName, seed: int) -> list[Account]:
    """Write the synthetic region and make an account for every role.

    Returns
    -------
    The accounts with their passwords, which are kept nowhere else.
    """
    with tempfile.TemporaryDirectory() as folder:
        synth.write(synth.make(size, seed=seed), Path(folder))
        region = tables.read_region(Path(folder))
        if (borders := Path(folder) / GEOJSON).is_file():
            shutil.copy(borders, settings.DISTRICTS_FILE)
    usable = tables.drop_problem_rows(region, tables.check(region))
    with transaction.atomic():
        write_region(usable)
        made = accounts()
        _begin()
        return made


def _begin() -> None:
    """A few things under way, so that there is something to answer: an interest, a booking, a claim."""
    actors = {user.email.partition("@")[0]: actor_of(user) for user in User.objects.all()}
    published = {"state": Record.State.PUBLISHED}
    needs = Need.objects.filter(owner_id__in=actors["enterprise"].orgs, **published).select_related("place")
    for need in needs.order_by("pk")[:1]:
        interests.ask(actors["researcher"], need)
    achievements = Achievement.objects.filter(owner_id__in=actors["manager"].orgs, **published).select_related("place")
    for agrees, achievement in zip((True, False), achievements.order_by("pk")[:2], strict=False):
        asked = interests.ask(actors["enterprise"], achievement, org_id=min(actors["enterprise"].orgs))
        if agrees:
            interests.answer(actors["manager"], asked, agrees=True)
    open_ones = Facility.objects.filter(is_open=True, **published).select_related("place").order_by("pk")
    for facility in [*open_ones.filter(owner_id__in=actors["manager"].orgs)[:1], *open_ones[:1]]:
        begins = booking.instant(timezone.localdate() + timedelta(days=7), time(9))
        ends, org_id = begins + timedelta(hours=3), min(actors["enterprise"].orgs)
        asker = actors["enterprise"]
        booking.ask(asker, facility, from_at=begins, until_at=ends, purpose=_("样品测试"), org_id=org_id)
    theirs = Expert.objects.filter(owner_id__in=actors["manager"].orgs, **published).exclude(
        pk__in=User.objects.exclude(expert_id="").values("expert_id")
    )
    for expert in theirs.select_related("place").order_by("pk")[:1]:
        claims.ask(actors["judge"], expert, note=_("我是这位专家本人，工作邮箱可以核对。"))


def accounts() -> list[Account]:
    """An account for every role, for the region that lies in the database."""
    need = Need.objects.exclude(org=None).order_by("need_id")[0]
    expert = Expert.objects.exclude(org=None).order_by("expert_id")[0]
    university = Organisation.objects.filter(kind="university").order_by("org_id")[0]
    root = Place.objects.order_by("path")[0]
    county = Place.objects.filter(level=Place.Level.COUNTY).order_by("place_id")[0]
    made = []
    for role in Post.Role.values:
        user, account = _account(role, str(Post.Role(role).label))
        Post.objects.create(user=user, role=role, place=county if role == Post.Role.OFFICER else root)
        made.append(account)
    for role, name, org_id, kind in (
        ("enterprise", _("企业联系人"), need.owner_id, Membership.Role.MEMBER),
        ("researcher", str(expert), expert.owner_id, Membership.Role.MEMBER),
        ("manager", str(Membership.Role.ADMINISTRATOR.label), university.pk, Membership.Role.ADMINISTRATOR),
    ):
        user, account = _account(role, name, expert_id=expert.pk if role == "researcher" else "")
        Membership.objects.create(user=user, org_id=org_id, role=kind)
        made.append(account)
    return made


def _account(role: str, name: str, *, expert_id: str = "") -> tuple[User, Account]:
    email, password = f"{role}@demo.invalid", "-".join(secrets.token_hex(2) for _ in range(3))
    return User.objects.create_user(email, password, name=name, expert_id=expert_id), Account(role, email, password)
