"""The form of signing in: allauth's, in the words of the site."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from django.utils.translation import gettext_lazy as _


class SignIn(LoginForm):  # type: ignore[misc]
    """Address and password, without words that stand in the fields and vanish."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["login"].label = _("邮箱")
        self.fields["password"].help_text = ""  # the way to a new password stands beside the button
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
