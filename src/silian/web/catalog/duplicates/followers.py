"""What hangs on a record outside the registry's own tables: it goes along in a merge, and back when that is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Invitation, Membership, User
from silian.web.catalog.duplicates import agreements
from silian.web.catalog.models import Alias, Attachment, Booking, ChangeSet, Claim, Interest, Merge

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django_stubs_ext import StrPromise


class Follower(NamedTuple):
    """Rows of a model that name a record."""

    label: StrPromise
    model: type[Model]
    column: str  # that holds the id of the record
    noun: str = ""  # of the record; empty: the model has a column `noun`
    alone: str = ""  # a column that may hold a value once for each record: a second row gives way

    @property
    def name(self) -> str:
        """What names the rows in a merge."""
        return f"{self.model._meta.label}.{self.column}"


# Who keeps further tables by the ids of records adds a line here.
FOLLOWERS: list[Follower] = [
    Follower(_("成员"), Membership, "org_id", "organisations", alone="user_id"),
    Follower(_("邀请"), Invitation, "org_id", "organisations"),
    Follower(_("账户"), User, "expert_id", "experts"),
    Follower(_("认领"), Claim, "expert_id", "experts"),
    Follower(_("附件"), Attachment, "record_id"),
    Follower(_("预约"), Booking, "facility_id", "facilities"),
    Follower(_("预约"), Booking, "org_id", "organisations"),
    Follower(_("发出的意向"), Interest, "org_id", "organisations"),
    Follower(_("收到的意向"), Interest, "owner_id", "organisations"),
    Follower(_("发出的意向"), Interest, "expert_id", "experts"),
]
INTERESTS: Final = "catalog.Interest.record_id"  # in a record: they have a rule of their own, see `agreements`


def counted(noun: str, record_id: str) -> list[tuple[StrPromise, int]]:
    """What hangs on a record: what it is called and how many there are. Cost: one query for each follower."""
    found = [(f.label, _rows(f, noun, record_id).count()) for f in FOLLOWERS if f.noun in ("", noun)]
    return [(label, n) for label, n in [*found, (_("意向"), agreements.count(noun, record_id))] if n]


def move(noun: str, gone_id: str, kept_id: str) -> dict[str, Any]:
    """Hang what hangs on one record on another. Gives what was moved and what gave way, as plain values."""
    moved: dict[str, Any] = {}
    for follower in FOLLOWERS:
        if follower.noun not in ("", noun):
            continue
        rows, there = _rows(follower, noun, gone_id), _rows(follower, noun, kept_id)
        gave_way, raised = _give_way(follower, rows, there) if follower.alone else ([], [])
        pks = list(rows.order_by("pk").values_list("pk", flat=True))
        rows.model._default_manager.filter(pk__in=pks).update(**{follower.column: kept_id})
        if pks or gave_way:
            moved[follower.name] = {"moved": pks, "gave_way": gave_way, "raised": raised}
    if told := agreements.move(noun, gone_id, kept_id):
        moved[INTERESTS] = told
    return {"gone_id": gone_id, "kept_id": kept_id, "rows": moved}


def bring_back(changes: ChangeSet) -> None:
    """Where a set of changes was a merge: the old id leads nowhere any more, and what still hangs here goes back."""
    Alias.objects.filter(merged=changes).delete()
    merge = Merge.objects.filter(changes=changes).first()
    for one in merge.moved if merge else ():
        for follower in FOLLOWERS:
            told = one["rows"].get(follower.name)
            if told is not None:
                _go_back(follower, one["gone_id"], one["kept_id"], told)
        agreements.go_back(one["rows"].get(INTERESTS, []))


def _go_back(follower: Follower, gone_id: str, kept_id: str, told: dict[str, Any]) -> None:
    rows = follower.model._default_manager
    rows.filter(pk__in=told["moved"], **{follower.column: kept_id}).update(**{follower.column: gone_id})
    for pk, role in told["raised"]:
        rows.filter(pk=pk, role=Membership.Role.ADMINISTRATOR).update(role=role)
    for values in told["gave_way"]:
        if User.objects.filter(pk=values["user_id"]).exists():
            same = {follower.column: values[follower.column], follower.alone: values[follower.alone]}
            rows.get_or_create(**same, defaults=values)


def _rows(follower: Follower, noun: str, record_id: str) -> QuerySet[Any]:
    own = {} if follower.noun else {"noun": noun}
    return follower.model._default_manager.filter(**{follower.column: record_id}, **own)


def _give_way(follower: Follower, rows: QuerySet[Any], there: QuerySet[Any]) -> tuple[list[Any], list[Any]]:
    """Take away rows of whoever is there already, who keeps the greater right of the two."""
    kept = {getattr(row, follower.alone): row for row in there}
    gave_way, raised = [], []
    for row in rows.filter(**{f"{follower.alone}__in": list(kept)}):
        names = [f.attname for f in row._meta.concrete_fields if not f.primary_key]
        gave_way.append({name: getattr(row, name) for name in names})
        own = kept[getattr(row, follower.alone)]
        if getattr(row, "role", "") == Membership.Role.ADMINISTRATOR != own.role:
            raised.append([own.pk, own.role])
            type(own)._default_manager.filter(pk=own.pk).update(role=row.role)
        row.delete()
    return gave_way, raised
