"""Docstrings as the reference shows them: comments beside fields are descriptions, one-line results are split."""

from __future__ import annotations

import re
import tokenize
from functools import cache
from pathlib import Path
from typing import Any

import griffe

SECTION = re.compile(r"^(Returns|Raises)\n-+\n(.*?)(?=^\S+\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
PAGE = re.compile(r"\bdocs/((?:methods|decisions)/[\w-]+)\.md\b")
HERE = Path(__file__).resolve().parent


class Docstrings(griffe.Extension):
    """Tells the numpy parser what the docstrings of the project mean."""

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Put what is said of a result or an error on the line of its name into its description."""
        if func.docstring is not None:
            func.docstring.value = SECTION.sub(lambda found: _split(found[0]), func.docstring.value)

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Make links of the pages that a docstring names."""
        if obj.docstring is not None:
            obj.docstring.value = PAGE.sub(_link, obj.docstring.value)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """List the fields that have a comment at the end of their line as Attributes."""
        if cls.docstring is None or "Attributes\n---" in cls.docstring.value:
            return
        beside = comments(cls.filepath)  # type: ignore[arg-type]
        told = [
            f"{name}\n    {beside[field.endlineno]}"
            for name, field in cls.attributes.items()
            if field.endlineno in beside and not field.docstring and not name.startswith("_")
        ]
        if told:
            cls.docstring.value += "\n\nAttributes\n----------\n" + "\n".join(told)


def _split(section: str) -> str:
    return re.sub(r"^([A-Z]\w+) : ", r"\1\n    ", section, flags=re.MULTILINE)


def _link(found: re.Match[str]) -> str:
    """From reference/python/ to the page, where it is there."""
    return f"[{found[0]}](../../{found[1]}.md)" if (HERE / f"{found[1]}.md").is_file() else found[0]


@cache
def comments(path: Path) -> dict[int, str]:
    """The comments of a source file by line, without what speaks to tools."""
    with tokenize.open(path) as source:
        found = {t.start[0]: t.string for t in tokenize.generate_tokens(source.readline) if t.type == tokenize.COMMENT}
    told = {line: re.sub(r"^#\s*(noqa|type:|fmt:).*|^#\s*", "", text) for line, text in found.items()}
    return {line: text for line, text in told.items() if text}
