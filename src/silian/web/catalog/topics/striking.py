"""What a person's page says of topics, and what its owner does not want said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Expert, SimilarExpert, Topic
from silian.web.catalog.rules import visible

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

SHOWN: Final = 8  # similar experts


def topics_of(record: Any) -> tuple[list[Topic], list[str]]:
    """The topics of an expert, the weightiest first, and those struck out. Cost: one query."""
    struck = list(record.topics_struck)
    rows = Topic.objects.filter(expert_id=record.record_id).order_by("-weight", "term")
    return [row for row in rows if row.term not in struck], struck


def similar_to(actor: Actor, record: Record) -> list[Record]:
    """The experts with the nearest topics whom a person may see. Cost: two queries."""
    near = SimilarExpert.objects.filter(expert_id=record.record_id).order_by("-likeness", "other_id")
    ids = list(near.values_list("other_id", flat=True))
    seen = visible(actor, Expert.objects.filter(pk__in=ids).select_related("org")) if ids else ()
    found = {other.record_id: other for other in seen}
    return [found[i] for i in ids if i in found][:SHOWN]


def strike_out(actor: Actor, record: Any, term: str) -> bool:
    """Do not show a topic any more; whether it was one."""
    struck = list(record.topics_struck)
    is_there = Topic.objects.filter(expert_id=record.record_id, term=term).exists()
    if term in struck or not is_there:
        return False
    change(actor, "experts", [Edit(record.record_id, {"topics_struck": [*struck, term]}, record.version)])
    return True


def put_back(actor: Actor, record: Any, term: str) -> bool:
    """Show a topic again; whether it was struck out."""
    struck = list(record.topics_struck)
    if term not in struck:
        return False
    left = [one for one in struck if one != term]
    change(actor, "experts", [Edit(record.record_id, {"topics_struck": left}, record.version)])
    return True
