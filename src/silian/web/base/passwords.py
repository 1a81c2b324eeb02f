"""Rules for passwords beside Django's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from silian.web.base.models import User

MOST: Final = 128


class LongestPassword:
    """A password costs time to check: it has an end."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse what is longer than MOST."""
        del user
        if len(password) > MOST:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """The rule in words."""
        return _("密码不超过 %(most)d 个字符。") % {"most": MOST}
