"""The texts of the site in its two languages: ids are Chinese and stand in the code, English stands in `locale/en`.

Run as `make messages` after a change of a text: new ids come into `django.po` without English, ids that are gone leave
it, and both catalogues are compiled. It says what still lacks English, and exits 1 then.
`locale/zh_Hans` holds what Django and allauth say in English alone, and is written by hand.
"""

from __future__ import annotations

import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "src" / "silian" / "web"
LOCALE = WEB / "locale"
CALLS = {
    name + lazy: keyword
    for name, keyword in {"gettext": None, "ngettext": (1, 2), "pgettext": (1, 2), "npgettext": (1, 2, 3)}.items()
    for lazy in ("", "_lazy", "_noop")
}
CALLS["_"] = None


class Text(NamedTuple):
    """One text of the code: its id, the id of its plural, the context that tells it from the same word elsewhere."""

    id: str
    plural: str = ""
    context: str = ""


def python_sources() -> list[Path]:
    """All modules of the site, without their tests."""
    return sorted(path for path in WEB.rglob("*.py") if "tests" not in path.parts and path.name != "conftest.py")


def templates() -> list[Path]:
    """All templates of the site, of pages and of letters."""
    return sorted(path for path in WEB.rglob("templates/**/*") if path.suffix in {".html", ".txt"})


def texts() -> dict[Text, list[Path]]:
    """Every text that the code translates, and the files that say it."""
    found: dict[Text, list[Path]] = {}
    for path in python_sources():
        for text in texts_of(path.read_text(encoding="utf-8")):
            found.setdefault(text, []).append(path)
    for path in templates():
        for text in texts_of(as_python(path)):
            found.setdefault(text, []).append(path)
    return found


def as_python(path: Path) -> str:
    """A template as Python that calls gettext; the lines stand flush, as Python minds how they are indented."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silian.web.settings")
    from django.utils.translation.template import templatize

    source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    return "\n".join(line.strip() for line in source.split("\n"))


def texts_of(source: str) -> Iterator[Text]:
    """The texts of one module, in its order."""
    keywords = list(CALLS)
    stream = io.BytesIO(source.encode())
    for _, call, ids, _ in extract_python(stream, keywords, [], {"encoding": "utf-8"}):
        given = [part or "" for part in ids] if isinstance(ids, (list, tuple)) else [ids]
        context = given.pop(0) if "pgettext" in call else ""
        plural = given[1] if call.startswith(("ngettext", "npgettext")) else ""
        if given and given[0]:
            yield Text(given[0], plural, context)


def read(language: str) -> Catalog:
    """The catalogue of a language as it lies in the project; an empty one where there is none."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    if not path.is_file():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def renewed(old: Catalog, wanted: dict[Text, list[Path]]) -> Catalog:
    """A catalogue of exactly the wanted texts, with the translations that the old one has for them."""
    new = Catalog(locale=old.locale, charset="utf-8", fuzzy=False)
    for text in sorted(wanted):
        known = old.get(text.id, text.context or None)
        was = known.string if known else ""
        string: str | tuple[str, ...] = was if isinstance(was, str) else was[0]
        if text.plural:
            string = (was, was) if isinstance(was, str) else was
        ids = (text.id, text.plural) if text.plural else text.id
        new.add(ids, string, context=text.context or None)
    return new


def po(catalog: Catalog) -> bytes:
    """A catalogue as a file to read: sorted, without lines and dates, so that a change shows as itself."""
    out = io.BytesIO()
    write_po(out, catalog, width=0, no_location=True, omit_header=True, sort_output=True)
    plural = "nplurals=1; plural=0;" if str(catalog.locale).startswith("zh") else "nplurals=2; plural=(n != 1);"
    head = "\n".join(f'"{line}\\n"' for line in ("Content-Type: text/plain; charset=utf-8", f"Plural-Forms: {plural}"))
    return f'msgid ""\nmsgstr ""\n{head}\n\n'.encode() + out.getvalue().strip() + b"\n"


def mo(catalog: Catalog) -> bytes:
    """A catalogue as the site loads it; the time when it was made is left out of it."""
    with io.BytesIO(po(catalog)) as file:
        plain = read_po(file, locale=catalog.locale)
    plain.creation_date = plain.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    out = io.BytesIO()
    write_mo(out, plain)
    return out.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """The ids that have no text in the catalogue's language, or not one for every number."""
    return [
        str(message.id)
        for message in catalog
        if message.id and not all([message.string] if isinstance(message.string, str) else message.string or ("",))
    ]


def main() -> int:
    """Bring the catalogues up to date."""
    english = renewed(read("en"), texts())
    for language, catalog in (("en", english), ("zh_Hans", read("zh_Hans"))):
        folder = LOCALE / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "django.po").write_bytes(po(catalog))
        (folder / "django.mo").write_bytes(mo(catalog))
    missing = untranslated(english)
    sys.stdout.write("".join(f"no English: {id_}\n" for id_ in missing) or f"texts: {len(english)} in both languages\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
