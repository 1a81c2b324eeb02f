"""What belongs to a record: the first few of each kind with their number, all in one query."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import CharField, Count, F, Value, Window
from django.db.models.functions import Cast, RowNumber

from silian.tables import schema
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor

FEW: Final = 5  # records of a kind that a page shows


class Kind(NamedTuple):
    """Records of one noun that name a record in a column, and the noun to which they lead."""

    noun: str
    column: str
    leads_to: str = ""  # another noun that they name; empty: themselves

    @property
    def shown(self) -> str:
        """The noun whose records are shown."""
        return self.leads_to or self.noun

    def title(self, language: schema.Language) -> str:
        """What the kind is called."""
        table = schema.tables()[self.noun]
        pair = TITLES.get(f"{self.noun}.{self.column}", (table.label_zh, table.label_en))
        return pair[language == "en"]


KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "organisations": (
        Kind("needs", "org_id"), Kind("achievements", "org_id"), Kind("experts", "org_id"),
        Kind("facilities", "org_id"), Kind("makes", "org_id", "products"), Kind("funds", "org_id"),
        Kind("organisations", "parent_org_id"),
    ),
    "experts": (Kind("works", "expert_id"),),
    "products": (Kind("makes", "product_id", "organisations"), Kind("needs", "product_id")),
    "districts": (
        Kind("organisations", "district_id"), Kind("needs", "district_id"), Kind("achievements", "district_id"),
        Kind("facilities", "district_id"),
    ),
}  # fmt: skip
TITLES: Final = {"makes.org_id": ("产品", "Makes"), "makes.product_id": ("生产单位", "Makers"),
                 "organisations.parent_org_id": ("分支机构", "Branches")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """The first records of a kind, and how many there are."""

    kind: Kind
    total: int
    records: list[tuple[str, str]]  # id, name

    @property
    def is_more(self) -> bool:
        """Whether there are others than those shown."""
        return self.total > len(self.records)


def related(actor: Actor, record: Record) -> list[Group]:
    """What a person may see of that which belongs to a record. Cost: one query, whatever there is."""
    kinds = KINDS.get(record.noun, ())
    if not kinds:
        return []
    windows = {"place_in": Window(RowNumber(), order_by=[F("updated_at").desc(), F("pk").asc()])}
    parts = []
    for number, kind in enumerate(kinds):
        rows = of_kind(actor, record, kind).annotate(of=Value(number), total=Window(Count("*")), **windows)
        parts.append(rows.filter(place_in__lte=FEW).values_list("of", "linked", "called", "total", "place_in"))
    whole: Any = reduce(lambda one, other: one.union(other, all=True), parts)
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in sorted(whole, key=lambda row: (row[0], row[4])):
        found.setdefault(row[0], []).append(row)
    return [Group(kinds[n], rows[0][3], [(row[1], row[2] or row[1]) for row in rows]) for n, rows in found.items()]


def of_kind(actor: Actor, record: Record, kind: Kind) -> Any:
    """The records of a kind that a person may see, with the id (linked) and name (called) of what they lead to.

    A query set; untyped, for what it is annotated with stands in no model.
    """
    named = MODELS[kind.noun].objects.filter(**{kind.column: record.record_id})
    rows: Any = visible(actor, named).order_by()
    heading = FACES[kind.shown].heading
    if not kind.leads_to:
        return rows.annotate(linked=Cast("pk", CharField()), called=Cast(heading, CharField()))
    key = schema.tables()[kind.leads_to].key[0]
    via = key.removesuffix("_id")
    rows = rows.filter(**{f"{via}__state": Record.State.PUBLISHED})
    return rows.annotate(linked=Cast(key, CharField()), called=Cast(f"{via}__{heading}", CharField()))
