"""Versions of the API: a day each, under the number that stands in the address."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from silian.errors import WebError

ROOT: Final = "/api/v1/"


class Version(NamedTuple):
    """What answers look like from a day on."""

    day: str
    deprecated_on: date | None = None  # when the next one came
    sunset_on: date | None = None  # when it goes: a year later at the earliest


# The newest stands last. What only adds (a field, an address, a value of a code) needs no new version.
VERSIONS: Final = (Version("2026-11-22"),)
NEWEST: Final = VERSIONS[-1].day


def chosen(asked: str, pinned: str) -> Version:
    """The version of an answer: the one asked for, else the one that the token is pinned to.

    Raises
    ------
    WebError : api.version if there is none of that day

    Examples
    --------
    >>> chosen("", "2026-11-22").day
    '2026-11-22'
    """
    for version in VERSIONS:
        if version.day == (asked or pinned or NEWEST):
            return version
    raise WebError("api.version", found=(asked or pinned)[:40], known=", ".join(v.day for v in VERSIONS))


def headers(version: Version) -> dict[str, str]:
    """What an answer says of its version: RFC 9745 and RFC 8594 once it is an old one.

    Examples
    --------
    >>> headers(Version("2026-11-22", date(2027, 3, 1), date(2028, 3, 1)))["Sunset"]
    'Wed, 01 Mar 2028 00:00:00 GMT'
    """
    told = {"Silian-Version": version.day}
    if version.deprecated_on:
        days = (version.deprecated_on - date(1970, 1, 1)).days
        told["Deprecation"] = f"@{days * 86400}"
    if version.sunset_on:
        told["Sunset"] = version.sunset_on.strftime("%a, %d %b %Y 00:00:00 GMT")
    return told
