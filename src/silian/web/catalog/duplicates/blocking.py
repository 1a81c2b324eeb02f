"""Keys under which records that may stand for one thing meet: kept in a table, so that a page asks an index.

Two records meet where they share a code, a name by its sound whatever the order of its parts, or enough pairs of
characters of name or text. What is known of two that meet is compared in `likeness`. See docs/methods/duplicates.md.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from silian.engines.link import name_key
from silian.tables import formats, uscc
from silian.text import normalise_all
from silian.web.catalog.inserting import insert
from silian.web.catalog.models import MODELS, MatchKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# The nouns that are looked through, with the column that names a record and those that hold its other names and codes.
HEADINGS: Final = {
    "organisations": "name", "experts": "name", "needs": "title", "achievements": "title", "facilities": "name",
    "products": "name", "funds": "name", "policies": "title",
}  # fmt: skip
OTHER_NAMES: Final = {"organisations": "former_names", "products": "aliases"}
CODES: Final = {
    "organisations": "uscc", "experts": "orcid", "achievements": "ip_numbers", "policies": "document_no",
}  # fmt: skip
BATCH: Final = 2000  # records a step of building anew
READ: Final = 1500  # characters of a text that count
NAME_BANDS: Final = (6, 2)  # bands, and rows of each: two names that share half of their pairs meet 8 times of 10
TEXT_BANDS: Final = (3, 3)
_FORM: Final = re.compile("(?:股份有限公司|有限公司|公司|集团|厂)+$")
_NUMBER_MARKS: Final = re.compile(r"[\s.\-－—_/〔〕\[\]（）()]+")
_MULTIPLIERS: Final = np.random.default_rng(20).integers(1, 2**63, 16, dtype=np.uint64) | np.uint64(1)


class Told(NamedTuple):
    """What a record is known by, ready to be compared."""

    name: str  # as it is written
    key: str  # of the name, see `link.name_key`
    core: str  # the key without the legal form, where that says nothing of its own
    others: tuple[str, ...]  # keys of former names and aliases
    codes: frozenset[str]
    text: str
    org: str
    field: str
    place: str
    is_branch: bool


def told_of(noun: str, rows: Sequence[Mapping[str, Any]]) -> list[Told]:
    """What some records of a noun are known by, from their columns as plain values.

    Examples
    --------
    >>> told_of("organisations", [{"name": "四链（苏州）有限责任公司"}])[0].core
    '四链苏州'
    """
    heading, other = HEADINGS[noun], OTHER_NAMES.get(noun, "")
    names = [str(row.get(heading) or "") for row in rows]
    keys = name_key(names)
    texts = normalise_all([str(row.get("text") or row.get("profile") or "")[:READ] for row in rows])
    english = name_key([" ".join(sorted(str(r.get("name_en") or "").lower().replace(",", " ").split())) for r in rows])
    made = []
    for row, name, key, text, foreign in zip(rows, names, keys, texts, english, strict=True):
        others = name_key([*(row.get(other) or ())]) if other and row.get(other) else []
        core = _FORM.sub("", key) if noun == "organisations" else key
        made.append(
            Told(
                name, key, core or key, tuple(k for k in (*others, foreign) if k and k != key), _codes(noun, row),
                text.lower(), str(row.get("org_id") or row.get("parent_org_id") or ""),
                str(row.get("field") or ""), str(row.get("district_id") or row.get("region") or ""),
                row.get("kind") == "branch" or bool(row.get("parent_org_id")),
            )
        )  # fmt: skip
    return made


def keys_of(noun: str, told: Told) -> frozenset[int]:
    """The keys of a record."""
    found = set(code_keys(told))
    names = [told.core, *(_FORM.sub("", k) or k for k in told.others)]
    if noun == "experts":
        found |= {_digest("name", k) for k in names if k}
        if told.key and told.org:
            found |= {_digest("name org", told.key, told.org), _digest("sound org", sound(told.key), told.org)}
        if told.key and told.field:
            found.add(_digest("name field", told.key, told.field))
        return frozenset(found)
    found |= {_digest("sound", *sorted(sound(k).split())) for k in names if k}
    if told.key and told.org:
        found.add(_digest("name org", told.key, told.org))
    found |= _bands("name", told.core, 2, *NAME_BANDS)
    if len(told.text) > 40:
        found |= _bands("text", told.text, 3, *TEXT_BANDS)
    return frozenset(found)


def code_keys(told: Told) -> frozenset[int]:
    """The keys of a record's codes alone."""
    return frozenset(_digest("code", code) for code in told.codes)


def keep_keys(noun: str, changed: Iterable[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]]) -> None:
    """Bring the keys of some records in step with them, in the transaction that changes them.

    Parameters
    ----------
    changed : id, values before, values after; None where there is no record
    """
    if noun not in HEADINGS:
        return
    rows = list(changed)
    old = _by_id(noun, [(i, before) for i, before, _ in rows])
    new = _by_id(noun, [(i, after) for i, _, after in rows])
    if old:
        kept = MatchKey.objects.filter(noun=noun, record_id__in=list(old)).values_list("pk", "record_id", "key")
        gone = [pk for pk, record_id, key in kept if key not in new.get(record_id, ())]
        MatchKey.objects.filter(pk__in=gone).delete()
    made = [(noun, key, record_id) for record_id, keys in new.items() for key in keys - old.get(record_id, frozenset())]
    insert(MatchKey, ("noun", "key", "record_id"), made)


def build_keys(nouns: Iterable[str] = HEADINGS) -> int:
    """Make the keys of all records of some nouns anew. Gives the count of keys."""
    count = 0
    for noun in nouns:
        model = MODELS[noun]
        MatchKey.objects.filter(noun=noun).delete()
        columns = [c.name for c in model.table.columns]
        rows: list[tuple[str, None, Mapping[str, Any]]] = []
        for row in model.objects.values("pk", *columns).iterator(BATCH):
            rows.append((str(row.pop("pk")), None, row))
            if len(rows) == BATCH:
                keep_keys(noun, rows)
                rows = []
        keep_keys(noun, rows)
        count += MatchKey.objects.filter(noun=noun).count()
    return count


def sound(text: str) -> str:
    """The syllables of a text, apart by blanks; what is not Chinese stays.

    Examples
    --------
    >>> sound("四链abc")
    'si lian a b c'
    """
    return " ".join(map(_syllable, text))


@cache
def _syllable(sign: str) -> str:
    from pypinyin import lazy_pinyin

    return lazy_pinyin(sign)[0]


def _by_id(noun: str, rows: list[tuple[str, Mapping[str, Any] | None]]) -> dict[str, frozenset[int]]:
    given = [(i, values) for i, values in rows if values is not None]
    told = told_of(noun, [values for _, values in given])
    return {i: keys_of(noun, one) for (i, _), one in zip(given, told, strict=True)}


def _codes(noun: str, row: Mapping[str, Any]) -> frozenset[str]:
    """Codes of a record that are right as codes: a slip of the pen joins nothing."""
    value = row.get(CODES.get(noun, ""))
    given = value if isinstance(value, list) else [value]
    codes = {_NUMBER_MARKS.sub("", str(code)).upper() for code in given if code}
    if noun == "organisations":
        return frozenset(code for code in codes if uscc.problem(code) is None)
    if noun == "experts":
        dashed = {f"{c[-16:-12]}-{c[-12:-8]}-{c[-8:-4]}-{c[-4:]}" for c in codes if len(c) >= 16}
        return frozenset(c for c in dashed if not formats.failures(_series(c), "orcid").is_not_null()[0])
    return frozenset(code for code in codes if len(code) > 4)


def _series(code: str) -> Any:
    import polars as pl

    return pl.Series([code], dtype=pl.String)


def _digest(*parts: str) -> int:
    told = "\n".join(parts).encode()
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "big", signed=True)


def _bands(kind: str, text: str, width: int, bands: int, rows: int) -> set[int]:
    """Keys that two texts share the likelier, the more runs of `width` signs they share (MinHash in bands)."""
    signs = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(signs) < width + 2:
        return set()
    runs = signs[: len(signs) - width + 1].copy()
    for i in range(1, width):
        runs = (runs << np.uint64(21)) ^ signs[i : len(signs) - width + 1 + i]
    mixed = runs[None, :] * _MULTIPLIERS[: bands * rows, None]
    smallest = (mixed ^ (mixed >> np.uint64(29))).min(axis=1).reshape(bands, rows)
    return {_digest(kind, str(number), band.tobytes().hex()) for number, band in enumerate(smallest)}
