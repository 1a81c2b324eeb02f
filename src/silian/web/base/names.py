"""Names of people and places, as people type them."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def check_name(name: str) -> None:
    """Refuse what cannot be seen: control characters, and those that turn the direction of what follows.

    Examples
    --------
    >>> check_name("阿不都热合曼·买买提"), check_name("𠮷田 O'Brien")
    (None, None)
    """
    if any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for char in name):
        raise ValidationError(_("名称中有看不见的字符，请重新输入。"), code="invisible")
