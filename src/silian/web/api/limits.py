"""How much may be asked for: requests a minute of each token, and of each address that comes without one."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection

from silian.web.api.models import Tally

if TYPE_CHECKING:
    from django.http import HttpRequest

    from silian.web.api.models import Token

WINDOW: Final = 60  # seconds
OF_TOKEN: Final = 600  # requests in a window
OF_VISITOR: Final = 120
FORGOTTEN: Final = 60  # windows after which a tally goes
# One statement counts and tells, so that no two processes count past each other.
COUNT: Final = """
INSERT INTO api_tally (key, minute, count) VALUES (%s, %s, 1)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN api_tally.minute = excluded.minute THEN api_tally.count + 1 ELSE 1 END, minute = excluded.minute
RETURNING count
"""


class Quota(NamedTuple):
    """What is left to somebody in this window."""

    name: str  # of the policy
    most: int
    left: int  # below 0: too much was asked for
    seconds: int  # until the next window

    def headers(self) -> dict[str, str]:
        """As the IETF draft on RateLimit headers has it.

        Examples
        --------
        >>> Quota("token", 600, 599, 42).headers()
        {'RateLimit-Policy': '"token";q=600;w=60', 'RateLimit': '"token";r=599;t=42'}
        """
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.most};w={WINDOW}',
            "RateLimit": f'"{self.name}";r={max(0, self.left)};t={self.seconds}',
        }


def taken(request: HttpRequest, token: Token | None) -> Quota:
    """Count a request; what is left afterwards. Cost: one statement, two at the first request of a minute."""
    now = time.time()
    minute, seconds = int(now // WINDOW), int(WINDOW - now % WINDOW) or 1
    name, most = ("token", OF_TOKEN) if token else ("visitor", OF_VISITOR)
    key = f"token-{token.pk}" if token else _address(request)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [key, minute])
        count = cursor.fetchone()[0]
    if count == 1:
        Tally.objects.filter(minute__lt=minute - FORGOTTEN).delete()
    return Quota(name, most, most - count, seconds)


def _address(request: HttpRequest) -> str:
    """A visitor's address, under a key of the site: what is kept tells no address."""
    try:
        ip = get_adapter().get_client_ip(request)
    except PermissionDenied:  # behind a socket of the machine that no proxy is named for: all are counted together
        ip = ""
    return hmac.new(settings.SECRET_KEY.encode(), f"api-tally:{ip}".encode(), hashlib.sha256).hexdigest()[:40]
