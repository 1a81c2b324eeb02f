"""A POST that is sent again under the same key is done once: the second sender gets the first answer.

The key, what was done and the answer are one transaction: a killed server leaves all of it or nothing. What went wrong
is not kept, for nothing was done: it may be sent again under the same key.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone

from silian.errors import WebError
from silian.web.api.models import Answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from silian.web.api.models import Token

KEPT: Final = timedelta(hours=24)
KEY: Final = re.compile(r"[\x21-\x7e]{1,100}")
HEADERS: Final = ("Content-Type", "Location", "ETag")


def once(request: HttpRequest, token: Token | None, respond: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer to a request; of a POST with a key the one that was given before, where there is one.

    Raises
    ------
    WebError : api.key if the key cannot be one; api.replay if something else was sent under it
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not key or request.method != "POST" or token is None:
        return respond()
    if not KEY.fullmatch(key):
        raise WebError("api.key")
    digest = hashlib.sha256(f"{request.get_full_path()}\n".encode() + _sent(request)).hexdigest()
    if (before := _before(token, key)) is not None:
        return _again(before, digest)
    try:
        with transaction.atomic():
            kept = Answered.objects.create(token=token, key=key, digest=digest)
            return _done(kept, respond())
    except IntegrityError:  # another request of the same key was faster; here it has ended
        found = _before(token, key)
        if found is None:
            raise
        return _again(found, digest)


def _sent(request: HttpRequest) -> bytes:
    """What was sent; of a file, which is not read before it is needed, its size."""
    is_file = request.META.get("CONTENT_TYPE", "").startswith("multipart/")
    return str(request.META.get("CONTENT_LENGTH")).encode() if is_file else request.body


def _done(kept: Answered, response: HttpResponse) -> HttpResponse:
    if not 200 <= response.status_code < 300:
        transaction.set_rollback(True)
        return response
    kept.status, kept.body = response.status_code, response.content.decode()
    kept.headers = {name: response[name] for name in HEADERS if response.has_header(name)}
    kept.save()
    Answered.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return response


def _before(token: Token, key: str) -> Answered | None:
    return Answered.objects.filter(token=token, key=key, at__gte=timezone.now() - KEPT).first()


def _again(kept: Answered, digest: str) -> HttpResponse:
    if kept.digest != digest:
        raise WebError("api.replay")
    response = HttpResponse(kept.body, status=kept.status, headers=kept.headers)
    response["Idempotency-Replayed"] = "true"
    return response
