"""What the whole world may have: records and columns as a visitor sees them, read many at a time.

The one door of this room to the registry. Whoever asks gets what nobody in particular gets: a steward who harvests the
site sees no more than a stranger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Max

from silian.tables import schema
from silian.web.base.actors import VISITOR
from silian.web.catalog.fields import is_reference
from silian.web.catalog.models import MODELS, Expert, Record
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import HIDDEN, shown, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

_HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
# What XML 1.0 cannot hold, and lone halves of pairs: left out of every text that goes out.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Nouns that are offered as open data, in the order of the four chains; the others are for the site's own work.
OPEN: Final = (
    "districts", "organisations", "experts", "works", "needs", "achievements", "facilities", "products", "makes",
    "product_links", "funds", "policies", "projects", "outcomes", "indicators", "terms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """A published record: the values of its public columns that are known."""

    noun: str
    key: str
    values: Mapping[str, Any]  # column → value; nothing empty
    english: Mapping[str, str] = field(default_factory=dict)  # column → its English, where somebody has given it
    updated_at: datetime | None = None
    created_at: datetime | None = None

    def get(self, name: str) -> Any:
        """The value of a column; None where it is not known or not public."""
        return self.values.get(name)

    @property
    def heading(self) -> str:
        """What the record is called."""
        return str(self.values.get("name") or self.values.get("title") or self.values.get("zh") or self.key)


def records(noun: str) -> QuerySet[Record]:
    """The published records of a noun; none of one that is not open."""
    if noun not in OPEN or noun in HIDDEN:
        return MODELS[noun].objects.none()
    found = visible(VISITOR, MODELS[noun].objects.all())
    hidden: Any = {"expert_id__in": Expert.objects.exclude(state=Record.State.PUBLISHED).values("pk")}
    return found.exclude(**hidden) if noun == "works" else found  # nothing of people who are hidden


def facts_of(record: Record) -> Facts:
    """What a visitor sees of a record. Its place is read with it (`select_related`), or this costs a query."""
    names = shown(VISITOR, record)
    values, english = {}, {}
    for column in record.table.columns:
        if column.name not in names:
            continue
        value = fit(getattr(record, column.name))
        if value not in (None, "", []):
            values[column.name] = value
        own = record.translations.get(column.name) or {}
        if isinstance(own, dict) and (text := fit(own.get("en"))):
            english[column.name] = text
    return Facts(record.noun, record.record_id, values, english, record.updated_at, record.created_at)


def fit(value: Any) -> Any:
    """A value whose texts XML can hold.

    Examples
    --------
    >>> fit(f"a{chr(0)}b"), fit([chr(11), "好"]), fit(3)
    ('ab', ['好'], 3)
    """
    if isinstance(value, str):
        return _UNFIT.sub("", value).strip()
    if isinstance(value, list):
        return [text for text in (fit(part) for part in value) if text not in ("", None)]
    return value


def language_of(text: str) -> str:
    """The language of a text, as xml:lang has it: zh where a Chinese character stands in it.

    Examples
    --------
    >>> language_of("固态电池"), language_of("Solid-state battery")
    ('zh', 'en')
    """
    return "zh" if _HAN.search(text) else "en"


@dataclass(frozen=True, slots=True)
class Named:
    """A published record that another names."""

    key: str
    name: str
    name_en: str


class Names:
    """The names of the published records that some others name. Cost: one query for each noun that is named."""

    def __init__(self, told: Iterable[Facts]) -> None:
        wanted: dict[str, set[str]] = {}
        for facts in told:
            for column in schema.tables()[facts.noun].columns:
                if len(column.targets) != 1 or column.targets[0][0] not in OPEN:
                    continue
                value = facts.get(column.name)
                ids = value if isinstance(value, list) else [value] if value else []
                wanted.setdefault(column.targets[0][0], set()).update(ids)
        self._known = {noun: _named(noun, ids) for noun, ids in sorted(wanted.items()) if ids}

    def one(self, facts: Facts, column: str) -> Named | None:
        """The record that a column names, where it is published."""
        target = schema.tables()[facts.noun][column].targets[0][0]
        return self._known.get(target, {}).get(facts.get(column) or "")

    def all(self, facts: Facts, column: str) -> list[Named]:
        """The published records that a list names, in its order."""
        target = schema.tables()[facts.noun][column].targets[0][0]
        known = self._known.get(target, {})
        return [known[key] for key in facts.get(column) or () if key in known]


def _named(noun: str, ids: set[str]) -> dict[str, Named]:
    """Names of published records; a heading is public whatever its owner says (`rules.always_public`)."""
    names = {c.name for c in schema.tables()[noun].columns}
    heading = FACES[noun].heading if noun in FACES else "title" if "title" in names else schema.tables()[noun].key[0]
    has_english = "name_en" in names
    made = {}
    found = records(noun).filter(pk__in=sorted(ids)).select_related("place")
    for record in found:
        english = getattr(record, "name_en", "") if has_english and "name_en" in shown(VISITOR, record) else ""
        made[record.record_id] = Named(record.record_id, fit(str(getattr(record, heading))) or record.pk, fit(english))
    return made


def label(list_name: str, code: str) -> tuple[str, str]:
    """The Chinese and the English label of a code; the code itself where the list does not know it."""
    return schema.codes().get(list_name, {}).get(code, (code, code))


def labels_of(noun: str, column: str, value: Any) -> list[tuple[str, str]]:
    """The labels of a value, or of each value of a list."""
    codes = schema.tables()[noun][column].codes or ""
    return [label(codes, code) for code in (value if isinstance(value, list) else [value] if value else [])]


def freshest(nouns: Sequence[str] = OPEN) -> dict[str, datetime | None]:
    """When a published record of each noun last changed. Cost: one query a noun."""
    return {noun: records(noun).aggregate(last=Max("updated_at"))["last"] for noun in nouns}


__all__ = [
    "OPEN",
    "Facts",
    "Named",
    "Names",
    "facts_of",
    "fit",
    "freshest",
    "is_reference",
    "label",
    "labels_of",
    "language_of",
    "records",
]
