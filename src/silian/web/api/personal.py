"""What the API holds of people: their tokens, which go with the account."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from silian.web.base import personal
from silian.web.base.personal import Kind


def tell() -> None:
    """Name to the base what the API holds."""
    label = gettext_lazy("接口令牌")
    personal.KINDS["api.token.user"] = Kind(label, ("name", "scopes", "made_at", "expires_on", "used_on"))
