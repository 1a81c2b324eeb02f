"""Answers for probes and Prometheus, before everything else: no session, no cookie, no redirect, no host needed.

Who sits at this machine and comes straight to the site gets all; so does who brings the token of SILIAN_METRICS_TOKEN.
Everybody else gets a word. A web server in front comes from this machine too, for others: whoever comes through one
brings a header of forwarding, or the public name of the site, and gets a word.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from silian.web.base.operation import health, metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    Respond = Callable[[HttpRequest], HttpResponse]

FORWARDING: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_PROTO", "HTTP_VIA")
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


def probed(respond: Respond) -> Respond:
    """Answer probes at once; let everything else pass."""

    def answered(request: HttpRequest) -> HttpResponse:
        answer = PROBES.get(request.path)
        return answer(request) if answer else respond(request)

    return answered


def live(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is looked at."""
    return _only_read(request) or _told({"state": "live"})


def ready(request: HttpRequest) -> HttpResponse:
    """Whether the site can answer: 200 or 503, and to those who are near how each part stands."""
    if refused := _only_read(request):
        return refused
    found = health.looked()
    status = 200 if found.is_ready else 503
    return _told(found.as_plain() if is_near(request) else {"state": found.word}, status)


def figures(request: HttpRequest) -> HttpResponse:
    """All figures, to those who are near; to others there is nothing here."""
    if refused := _only_read(request):
        return refused
    if not is_near(request):
        return _told({"state": "not found"}, 404)
    return _safe(HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST))


def is_near(request: HttpRequest) -> bool:
    """Whether a request comes straight from this machine, or brings the token."""
    token, given = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
    if token and secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    name = request.META.get("HTTP_HOST", "").lower().rpartition(":")
    host = name[0] if name[2].isdecimal() else request.META.get("HTTP_HOST", "").lower()
    return _is_loopback(request.META.get("REMOTE_ADDR", "")) and host in LOCAL_NAMES and not any(
        header in request.META for header in FORWARDING
    )  # fmt: skip


def _is_loopback(address: str) -> bool:
    """Whether an address is of this machine; a socket has none."""
    try:
        return not address or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _only_read(request: HttpRequest) -> HttpResponse | None:
    if request.method in ("GET", "HEAD"):
        return None
    answer = _told({"state": "not allowed"}, 405)
    answer["Allow"] = "GET, HEAD"
    return answer


def _told(told: dict[str, object], status: int = 200) -> HttpResponse:
    return _safe(JsonResponse(told, status=status))


def _safe(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer._has_been_logged = True  # type: ignore[attr-defined]  # a probe that is told 503 every second fills no log
    return answer


PROBES: Final = {"/health/live": live, "/health/ready": ready, "/metrics": figures}
