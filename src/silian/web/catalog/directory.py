"""How the pages of people find the organisations of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from silian.web.base import organisations
from silian.web.catalog.models import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Registry:
    """The organisations of the registry."""

    def named(self, ids: Iterable[str]) -> Mapping[str, organisations.Organisation]:
        """The organisations with some ids, by id."""
        rows = Organisation.objects.filter(pk__in=set(ids)).values_list("pk", "name", "place__path")
        return {row[0]: organisations.Organisation(*row) for row in rows}

    def find(self, words: str, paths: Sequence[str], most: int) -> list[organisations.Organisation]:
        """Organisations in or below some places whose name holds some words or whose code is that."""
        within = Q()
        for path in paths:
            within |= Q(place__path__startswith=path)
        asked = Q(name__contains=words) | Q(pk=words) | Q(uscc=words.upper())
        rows = Organisation.objects.filter(within, asked).order_by("name", "pk")
        return [organisations.Organisation(*row) for row in rows.values_list("pk", "name", "place__path")[:most]]
