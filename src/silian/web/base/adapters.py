"""How allauth's pages behave here: accounts are opened by invitations, and a lock-out says how long it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Post

if TYPE_CHECKING:
    from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is closed."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("邮箱或密码不正确。连续输错 5 次，该账户将锁定 15 分钟。"),
        "too_many_login_attempts": _("输错次数过多，请 15 分钟后再试，或用“忘记密码”重设。"),
    }

    def format_email_subject(self, subject: str) -> str:
        """The subject of a letter, with the name of the site before it."""
        return gettext("[四链] %(subject)s") % {"subject": subject}

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Who is there to read figures comes to them first; everybody else to the first page."""
        posts = set(Post.objects.filter(user_id=request.user.pk or 0).values_list("role", flat=True))
        return reverse("dashboard") if posts == {Post.Role.LEADER} else str(super().get_login_redirect_url(request))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody opens an account alone: see `invitations`."""
        del request
        return False
