"""Names of what the base keeps: places are public, organisations are named by the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from silian.web.base.models import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from silian.web.base.actors import Actor


class Places:
    """Names of places: everybody may know them."""

    def names(self, actor: Actor, noun: str, ids: Collection[str]) -> Mapping[str, str]:
        """Id → name; one query."""
        del actor, noun
        return {place.pk: str(place) for place in Place.objects.filter(pk__in=ids)}

    def unnamed(self, noun: str) -> str:
        """The word for a place that is not there any more."""
        del noun
        return _("一个区域")
