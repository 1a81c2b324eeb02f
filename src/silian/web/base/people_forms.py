"""What is typed about people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Membership, Place, Post, User
from silian.web.base.names import check_name
from silian.web.base.rules import grantable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor


class Name(forms.CharField):
    """The name of a person or a place."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=100, validators=[check_name], **more)


class InviteMember(forms.Form):
    """Ask somebody to act for an organisation."""

    name = Name(label=_("姓名"))
    email = forms.EmailField(label=_("邮箱"), max_length=254, help_text=_("邀请链接发往此邮箱，七天内有效。"))
    role = forms.ChoiceField(
        label=_("角色"),
        choices=Membership.Role.choices,
        help_text=_("成员可填报和修改本单位的内容；单位管理员还可邀请和移除成员。"),
    )


class Places(forms.ModelChoiceField[Place]):
    """A place of the tree; the deeper, the further in."""

    def label_from_instance(self, obj: Place) -> str:
        """Its name, moved in by its depth."""
        return "　" * (obj.path.count("/") - 2) + str(obj)


class GivePost(forms.Form):
    """A post for a place."""

    role = forms.ChoiceField(label=_("岗位"), choices=Post.Role.choices)
    place = Places(
        label=_("区域"),
        queryset=Place.objects.none(),
        empty_label=_("请选择"),
        help_text=_("对所选区域及其下级区域生效。"),
    )

    def __init__(self, actor: Actor, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.actor = actor
        self.fields["place"].queryset = governed(actor)  # type: ignore[attr-defined]
        given_away = {role for path in actor.paths(("administrator", "officer")) for role in grantable(actor, path)}
        self.fields["role"].choices = [c for c in Post.Role.choices if c[0] in given_away]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Only a post that the person may give for that place."""
        given = self.cleaned_data
        if given.get("place") and given.get("role") not in grantable(self.actor, given["place"].path):
            self.add_error("role", _("您不能在该区域授予此岗位。"))
        return given


class InvitePost(GivePost):
    """Ask somebody to take a post."""

    name = Name(label=_("姓名"))
    email = forms.EmailField(label=_("邮箱"), max_length=254, help_text=_("邀请链接发往此邮箱，七天内有效。"))
    field_order = ("name", "email", "role", "place")


class Park(forms.Form):
    """A park below a city or county."""

    name = Name(label=_("园区名称"))
    name_en = Name(label=_("英文名称"), required=False)
    above = Places(label=_("所属市县"), queryset=Place.objects.none(), empty_label=_("请选择"))

    def __init__(self, actor: Actor, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        levels = (Place.Level.CITY, Place.Level.COUNTY)
        found = governed(actor, roles=("administrator",)).filter(level__in=levels)
        self.fields["above"].queryset = found  # type: ignore[attr-defined]


class ParkName(forms.Form):
    """Another name for a park."""

    name = Name(label=_("园区名称"))
    name_en = Name(label=_("英文名称"), required=False)


class Join(forms.Form):
    """What an invited person gives to open an account."""

    name = Name(label=_("姓名"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("密码"),
        strip=False,
        help_text=_("至少 12 个字符；可以用几个词组成的短句。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    consent = forms.BooleanField(
        label=_("我知道并同意：本站为开通和使用账户处理我的姓名、邮箱和操作记录；我可随时查看、导出、更正或删除。"),
        error_messages={"required": _("同意后才能开通账户。")},
    )

    def __init__(self, data: Mapping[str, Any] | None, *, email: str, name: str) -> None:
        super().__init__(data, initial={"name": name})
        self.email = email

    def clean_password(self) -> str:
        """A password that the rules of the site let through."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=str(self.cleaned_data.get("name", ""))))
        return password


def governed(actor: Actor, *, roles: tuple[str, ...] = ("administrator", "officer")) -> Any:
    """The places at or below those for which a person holds one of some roles, from the root down."""
    found = Place.objects.none()
    for path in actor.paths(roles):
        found = found | Place.objects.filter(path__startswith=path)
    return found.order_by("path")
