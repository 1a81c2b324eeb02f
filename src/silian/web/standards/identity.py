"""Who publishes the open part of the site, under which licence, and how things are named to the world."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from django.urls import reverse

_DOMAIN: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9-]*)+")
_EMAIL: Final = re.compile(r"\S+@(\S+\.)+\S+")
SAFE: Final = "-_.!~*'()"  # beside letters and digits: what stands unquoted in an identifier


class Publisher(NamedTuple):
    """Who answers for what is published."""

    name: str
    name_en: str
    email: str
    homepage: str


def publisher() -> Publisher:
    """Who publishes, as SILIAN_PUBLISHER says: name|English name|e-mail|homepage; what is silent gets a default."""
    parts = [part.strip() for part in settings.SILIAN_PUBLISHER.split("|")]
    name, english, email, homepage = (parts + [""] * 4)[:4]
    name = name or "四链"
    return Publisher(name, english or "Silian", email or settings.DEFAULT_FROM_EMAIL, homepage or settings.SITE_ADDRESS)


def admin_email() -> str:
    """Whom a harvester writes to: the publisher's e-mail. The schema of the protocol wants a domain with a dot."""
    email = publisher().email
    return email if _EMAIL.fullmatch(email) else f"silian@{repository()}"


def licence() -> str:
    """The address of the licence of what is published, as SILIAN_LICENCE says; empty: none was chosen."""
    return str(settings.SILIAN_LICENCE)


def repository() -> str:
    """The name under which OAI identifiers stand: SILIAN_REPOSITORY, else the host of the site.

    Identifiers need a name with a dot in which no part begins with a digit; localhost becomes silian.localhost.
    """
    host = settings.SILIAN_REPOSITORY or urlsplit(settings.SITE_ADDRESS).hostname or ""
    return host if _DOMAIN.fullmatch(host) else "silian.localhost"


def address(path: str) -> str:
    """The whole address of a path of the site."""
    return f"{settings.SITE_ADDRESS}{path}"


def page_of(noun: str, record_id: str) -> str:
    """The whole address of the page of a record: what names it among linked data."""
    return address(reverse("detail", args=[noun, record_id]))


def local_id(noun: str, key: str) -> str:
    """The name of a thing within the repository: ASCII, and it leads back.

    Examples
    --------
    >>> local_id("works", "专利/7"), noun_and_key("works.%E4%B8%93%E5%88%A9%2F7")
    ('works.%E4%B8%93%E5%88%A9%2F7', ('works', '专利/7'))
    """
    return f"{noun}.{quote(key, safe=SAFE)}"


def noun_and_key(local: str) -> tuple[str, str]:
    """What `local_id` was made of."""
    noun, _dot, key = local.partition(".")
    return noun, unquote(key)
