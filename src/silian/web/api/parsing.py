"""Bodies of requests as they come: JSON without surprises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ninja.parser import Parser

from silian.errors import WebError

if TYPE_CHECKING:
    from django.http import HttpRequest

DEEPEST: Final = 8  # objects and lists within each other; what the API takes needs 4


class Json(Parser):
    """JSON in UTF-8: no name twice, no NaN, nothing nested without end, no sign that a database cannot keep."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body of a request.

        Raises
        ------
        WebError : api.json, api.text
        """
        return read(request.body)


def read(body: bytes) -> Any:
    """A JSON text.

    Raises
    ------
    WebError : api.json if it is none; api.text if a text in it holds NUL or half a character

    Examples
    --------
    >>> read(b'{"title": "a"}')
    {'title': 'a'}
    """
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
        _check(found, 0)
    except WebError:
        raise
    except (ValueError, RecursionError) as error:
        told = "too deep" if isinstance(error, RecursionError) else str(error)[:120]
        raise WebError("api.json", found=told) from None
    return found


def clean(text: str) -> str:
    """A text of an address.

    Raises
    ------
    WebError : api.text
    """
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise WebError("api.text")
    return text


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        told = f"{clean(twice)[:60]} stands twice"
        raise ValueError(told)
    return made


def _check(found: Any, depth: int) -> None:
    if depth > DEEPEST:
        told = f"more than {DEEPEST} levels"
        raise ValueError(told)
    if isinstance(found, str):
        clean(found)
    elif isinstance(found, dict):
        for name, value in found.items():
            clean(name)
            _check(value, depth + 1)
    elif isinstance(found, list):
        for value in found:
            _check(value, depth + 1)
