"""The kinds of notifications: what each means, for whom it is, how it travels unless a person chooses otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from django.utils.translation import gettext_lazy as _

from silian.web.base import audit
from silian.web.base.models import Membership, Post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django_stubs_ext import StrPromise

    from silian.web.base.actors import Actor
    from silian.web.base.models import Notification

How = Literal["never", "once", "daily", "weekly"]
HOW_LABELS: Final[dict[How, StrPromise]] = {
    "daily": _("每日摘要"), "once": _("立即"), "weekly": _("每周摘要"), "never": _("不发邮件"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification.

    Texts take facts as `%(name)s`. A title names nobody and nothing: it becomes the subject of a letter, which anybody
    may see on a locked screen. Names stand in the sentence, as far as its reader may know them at the time of reading.
    """

    code: str  # <what>.<happened>
    group: StrPromise | str  # heading under which the page of all kinds lists it
    label: StrPromise | str
    meaning: StrPromise | str  # when it comes
    title: StrPromise | str
    sentence: StrPromise | str
    roles: tuple[str, ...]  # of `guides.DEEDS`: for whom it is
    mail: How = "daily"
    waits: bool = False  # somebody waits for an answer: it may go at once
    is_required: bool = False  # of safety or law: it cannot be switched off
    is_bulk: bool = False  # comes in numbers: no letter unless it is asked for
    example: Mapping[str, Any] = field(default_factory=dict)  # facts of the example that people are shown
    words: Mapping[str, Mapping[str, StrPromise | str]] = field(default_factory=dict)  # fact → code → its label
    # Lines that a letter adds, with the rights of that moment; where there are none, there is nothing to tell.
    lines: Callable[[Actor, Notification], list[str]] | None = None

    @property
    def hows(self) -> tuple[How, ...]:
        """The ways by mail that a person can choose."""
        return tuple(how for how in HOW_LABELS if self.allows(how))

    @property
    def default(self) -> How:
        """The way by mail where nothing was chosen."""
        return "never" if self.is_bulk else self.mail

    def allows(self, how: str) -> bool:
        """Whether a way by mail can be chosen."""
        if how == "once":
            return self.waits or self.is_required
        if how in ("never", "weekly"):
            return not self.is_required
        return how == "daily"


KINDS: Final[dict[str, Kind]] = {}  # code → kind, in the order in which the apps have registered


def register(kinds: Iterable[Kind]) -> None:
    """Add the kinds of an app; it does so when it is ready."""
    KINDS.update({kind.code: kind for kind in kinds})


PEOPLE: Final = _("账户与岗位")
ROLES: Final = {role.value: role.label for role in (*Membership.Role, *Post.Role)}
EVERYBODY: Final = (
    "enterprise", "researcher", "manager", "broker", "officer", "leader", "judge", "auditor",
    "administrator",
)  # fmt: skip
BASE: Final = (
    Kind(
        "account.new_device", PEOPLE, _("新设备登录"), _("账户在一个没有见过的浏览器上登录。"),
        _("您的账户在新设备上登录"),
        _("登录时间 %(at)s。如果不是您本人，请立即修改密码，并结束其他登录。"),
        EVERYBODY, mail="once", is_required=True, example={"at": "2026-03-02T09:15:00+08:00"},
    ),
    Kind(
        "memberships.given", PEOPLE, _("单位成员身份变动"), _("成为单位的成员或管理员，或在单位的角色有变。"),
        _("您在单位的角色有变动"), _("您在“%(org)s”的角色现在是：%(role)s。"),
        EVERYBODY, example={"org": _("某某科技有限公司"), "role": "member"}, words={"role": ROLES},
    ),
    Kind(
        "memberships.taken", PEOPLE, _("单位成员身份结束"), _("不再是一个单位的成员。"),
        _("您不再是一个单位的成员"), _("您在“%(org)s”的成员身份已结束，账户和其他权限不变。"),
        EVERYBODY, example={"org": _("某某科技有限公司")},
    ),
    Kind(
        "posts.given", PEOPLE, _("任职"), _("被任命到一个岗位。"),
        _("您有了新的岗位"), _("您现在是%(place)s的%(role)s。"),
        EVERYBODY, is_required=True, example={"place": _("某某区"), "role": "broker"},
        words={"role": ROLES},
    ),
    Kind(
        "posts.taken", PEOPLE, _("免职"), _("一个岗位被收回。"),
        _("您的一个岗位已收回"), _("您不再是%(place)s的%(role)s。"),
        EVERYBODY, is_required=True, example={"place": _("某某区"), "role": "broker"},
        words={"role": ROLES},
    ),
    Kind(
        "audit.broken", _("安全"), _("日志核验异常"), _("核验操作日志时，发现与封存时不一致。"),
        _("操作日志核验发现异常"), _("第 %(number)s 条：%(finding)s。请保留数据库原状，核对最近一次导出的日志。"),
        ("auditor", "administrator"), mail="once", is_required=True,
        example={"number": 1042, "finding": "changed"}, words={"finding": audit.FINDINGS},
    ),
)  # fmt: skip
