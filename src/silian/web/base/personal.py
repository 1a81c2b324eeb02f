"""What is held of a person: all of it shown and taken out, what may go erased, with a receipt.

Whatever refers to an account is named in KINDS by the app that keeps it; a test finds what is not. What is no row that
refers to the account, such as the record of the expert that a person is, an app adds to SECTIONS and ERASERS.
"""

from __future__ import annotations

import io
import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from allauth.usersessions.models import UserSession
from django.core.signing import Signer
from django.db import transaction
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.web.base.actors import actor_of
from silian.web.base.log import log
from silian.web.base.models import Erasure, Invitation, LogEntry, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model
    from django.utils.functional import Promise

    from silian.web.base.actors import Actor

SIGNER: Final = Signer(salt="silian.receipt")
PSEUDONYM_STAYS: Final = gettext_lazy("为保证变更可追溯，只保留化名，与您的姓名、邮箱脱离。")


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that refer to an account."""

    label: str | Promise
    columns: tuple[str, ...]  # that are shown and taken out; never a secret
    kept: str | Promise = ""  # why rows stay, without the person, when the account goes; empty: they go too


class Section(NamedTuple):
    """One part of what is held of a person."""

    name: str
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Fate(NamedTuple):
    """What became of one part of it."""

    name: str
    rows: int
    kept: str = ""  # why it stays; empty: it is gone


class Wish(NamedTuple):
    """What a person wants to become of what ERASERS look after."""

    expert: str = "keep"


# <model>.<field> → how rows that refer to an account by that field are told
KINDS: Final[dict[str, Kind]] = {
    "base.membership.user": Kind(gettext_lazy("单位成员身份"), ("org_id", "role")),
    "base.post.user": Kind(gettext_lazy("任职"), ("role", "place")),
    "base.consent.user": Kind(gettext_lazy("授权同意"), ("purpose", "wording", "given_at", "withdrawn_at")),
    "base.invitation.by": Kind(gettext_lazy("发出的邀请"), ("role", "org_id", "made_at"), kept=PSEUDONYM_STAYS),
    "base.invitation.accepted_by": Kind(
        gettext_lazy("接受的邀请"), ("role", "org_id", "made_at", "accepted_at"),
        kept=gettext_lazy("邀请中的姓名与邮箱已一并删除。"),
    ),
    "base.desk.user": Kind(gettext_lazy("通知设置"), ("choices", "letters", "digest_hour", "cap")),
    "base.notification.user": Kind(gettext_lazy("通知"), ("kind", "made_at", "read_at", "mail")),
    "base.letter.user": Kind(gettext_lazy("发给您的通知邮件"), ("slot", "state", "made_at", "sent_at")),
    "account.emailaddress.user": Kind(gettext_lazy("邮箱地址"), ("email", "verified", "primary")),
    "mfa.authenticator.user": Kind(gettext_lazy("两步验证方式"), ("type", "created_at", "last_used_at")),
    "usersessions.usersession.user": Kind(
        gettext_lazy("登录设备"), ("ip", "user_agent", "created_at", "last_seen_at")
    ),
    "socialaccount.socialaccount.user": Kind(
        gettext_lazy("统一登录账户"), ("provider", "uid", "last_login", "date_joined", "extra_data")
    ),
}  # fmt: skip
HEADS: Final = {  # columns that their models do not name for people
    "at": gettext_lazy("时间"), "made_at": gettext_lazy("建立时间"), "created_at": gettext_lazy("建立时间"),
    "accepted_at": gettext_lazy("接受时间"), "decided_at": gettext_lazy("核实时间"),
    "answered_at": gettext_lazy("答复时间"), "from_at": gettext_lazy("开始时间"), "until_at": gettext_lazy("结束时间"),
    "joined_at": gettext_lazy("开户时间"), "date_joined": gettext_lazy("建立时间"),
    "last_login": gettext_lazy("最近登录"), "last_used_at": gettext_lazy("最近使用"),
    "last_seen_at": gettext_lazy("最近使用"), "action": gettext_lazy("动作"), "noun": gettext_lazy("记录种类"),
    "record_id": gettext_lazy("编号"), "org_id": gettext_lazy("单位编号"), "expert_id": gettext_lazy("专家编号"),
    "facility_id": gettext_lazy("设施编号"), "place": gettext_lazy("区域"), "pseudonym": gettext_lazy("化名"),
    "detail": gettext_lazy("详情"), "kind": gettext_lazy("种类"), "type": gettext_lazy("种类"),
    "state": gettext_lazy("状态"), "note": gettext_lazy("说明"), "reason": gettext_lazy("理由"),
    "form": gettext_lazy("格式"), "rows": gettext_lazy("行数"), "typed": gettext_lazy("填写的内容"),
    "words": gettext_lazy("检索词"), "chosen": gettext_lazy("所选条件"), "purpose": gettext_lazy("用途"),
    "name": gettext_lazy("名称"), "email": gettext_lazy("邮箱"), "verified": gettext_lazy("已确认"),
    "primary": gettext_lazy("主要邮箱"), "ip": gettext_lazy("网络地址"), "user_agent": gettext_lazy("浏览器"),
    "provider": gettext_lazy("登录服务"), "uid": gettext_lazy("在该服务中的编号"),
    "extra_data": gettext_lazy("该服务提供的信息"),
}  # fmt: skip
SECTIONS: Final[list[Callable[[User], Iterator[Section]]]] = []
ERASERS: Final[list[Callable[[Actor, User, Wish], Iterator[Fate]]]] = []


def held(user: User) -> list[Section]:
    """Everything that is held of a person, part by part. Cost: one query a part."""
    own = ("name", "email", "language", "expert_id", "pseudonym", "hides_steps", "joined_at", "last_login")
    return [
        _section(_("账户"), User, own, [user]),
        *(_section(str(kind.label), model, kind.columns, rows) for model, kind, rows in _rows(user)),
        _section(_("收到的邀请"), Invitation, ("email", "name", "role", "org_id", "made_at"), _invited(user)),
        *(section for tell in SECTIONS for section in tell(user)),
        _section(
            _("操作日志"), LogEntry, ("at", "action", "noun", "record_id", "detail"),
            LogEntry.objects.filter(who=user.pseudonym).order_by("-at", "-pk"),
        ),
    ]  # fmt: skip


def correct(actor: Actor, user: User, *, name: str, language: str) -> None:
    """Put a name right."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(name=name, language=language)
        log(actor, "people.correct", detail={"columns": ["name", "language"]})


@transaction.atomic
def erase(user: User, wish: Wish) -> Erasure:
    """Take an account away and all that tells of the person; what must stay keeps the pseudonym alone.

    Returns
    -------
    The receipt: what is gone, what stays and why. It names nobody.
    """
    actor = actor_of(User.objects.select_for_update().get(pk=user.pk))
    fates = [Fate(_("账户"), 1)]
    fates += [Fate(str(k.label), len(rows), str(k.kept)) for _model, k, rows in _rows(user) if len(rows)]
    fates += [fate for work in ERASERS for fate in work(actor, user, wish)]
    invited = _invited(user)
    fates += [Fate(_("收到的邀请"), len(invited))] if invited else []
    invited.delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    written = LogEntry.objects.filter(who=user.pseudonym).count() + 1
    fates.append(Fate(_("操作日志"), written, _("日志依法留存，只记化名。")))
    log(actor, "people.erase", detail={"expert": wish.expert})
    User.objects.filter(pk=user.pk).delete()
    at = timezone.now()
    number = f"{timezone.localdate(at):%Y%m%d}-{secrets.token_hex(4).upper()}"
    return Erasure.objects.create(number=number, at=at, text=_receipt(number, at, actor.pseudonym, fates))


def token_of(erasure: Erasure) -> str:
    """What proves that the receipt is of this site and as it was given."""
    return SIGNER.signature(f"{erasure.number}\n{erasure.text}")


def receipt(number: str, token: str) -> Erasure | None:
    """The receipt with a number, for whoever has its token."""
    found = Erasure.objects.filter(number=number).first()
    return found if found is not None and constant_time_compare(token_of(found), token) else None


def as_json(sections: list[Section]) -> str:
    """Everything as JSON: part → rows."""
    told = {s.name: [dict(zip(s.heads, map(_plain, row), strict=True)) for row in s.rows] for s in sections}
    return json.dumps(told, ensure_ascii=False, indent=1)


def as_workbook(sections: list[Section]) -> bytes:
    """Everything as an Excel workbook, a sheet for each part; texts stay texts."""
    import xlsxwriter

    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, options) as book:
        bold, names = book.add_format({"bold": True}), set()
        for number, section in enumerate(sections):
            name = section.name[:28]
            sheet = book.add_worksheet(name if name not in names else f"{name}{number}")
            names.add(name)
            sheet.write_row(0, 0, section.heads, bold)
            sheet.set_column(0, len(section.heads), 24)
            for i, row in enumerate(section.rows, start=1):
                for j, value in enumerate(row):
                    sheet.write_string(i, j, _text(value))
    return written.getvalue()


def referring() -> dict[str, ForeignObjectRel]:
    """Everything that refers to an account, as KINDS names it, in the order of the names."""
    fields = (f for f in User._meta.get_fields(include_hidden=True) if isinstance(f, ForeignObjectRel))
    found = {f"{r.related_model._meta.label_lower}.{r.field.name}": r for r in fields}
    return dict(sorted(found.items()))


def _rows(user: User) -> Iterator[tuple[type[Model], Kind, Any]]:
    for name, relation in referring().items():
        model: Any = relation.related_model
        yield model, KINDS[name], model._base_manager.filter(**{relation.field.name: user}).order_by("pk")


def _invited(user: User) -> Any:
    return Invitation.objects.filter(email__iexact=user.email).order_by("pk")


def _section(name: str, model: type[Model], columns: tuple[str, ...], rows: Any) -> Section:
    heads = tuple(
        str(HEADS[c] if c in HEADS else getattr(model._meta.get_field(c), "verbose_name", c)) for c in columns
    )
    return Section(name, heads, [tuple(_value(row, c) for c in columns) for row in rows])


def _value(row: Any, column: str) -> Any:
    display = getattr(row, f"get_{column}_display", None)
    found = display() if display else getattr(row, column)
    return found if isinstance(found, (str, int, bool, date, dict, list, type(None))) else str(found)


def as_read(value: Any) -> str:
    """A value as the page has it: days and times in the form of the site, yes and no in words."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "Y-m-d H:i")
    return _text(value)


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value if isinstance(value, (str, int, bool, dict, list, type(None))) else str(value)


def _text(value: Any) -> str:
    """A cell: no text longer than Excel holds, nothing that XML cannot hold."""
    told = _plain(value)
    if isinstance(told, (dict, list)):
        told = json.dumps(told, ensure_ascii=False)
    return "" if told is None else str(told)[:16_000]


def _receipt(number: str, at: datetime, pseudonym: str, fates: list[Fate]) -> str:
    gone = [f"- {fate.name}：{fate.rows}" for fate in fates if not fate.kept]
    kept = [f"- {fate.name}：{fate.rows}。{fate.kept}" for fate in fates if fate.kept]
    when = timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %z")
    lines = [
        _("个人信息删除回执"), "",
        f"{_('回执编号')}：{number}", f"{_('时间')}：{when}", f"{_('化名')}：{pseudonym}", "",
        _("已删除"), *gone, "", _("保留"), *(kept or [_("无")]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
