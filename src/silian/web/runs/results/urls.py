"""Addresses of results: of the run in force for a person's place, and the same of a run by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import path

from silian.web.runs.results import views

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse
    from django.urls import URLPattern

PAGES: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("matches/", views.matches_page, "matches"),
    ("matches/<record:record_id>/", views.need_page, "match"),
)


def patterns() -> list[URLPattern]:
    """Every page twice."""
    found = []
    for address, view, name in PAGES:
        found.append(path(f"results/{address}", view, name=name))
        found.append(path(f"runs/<int:number>/{address}", view, name=f"run_{name}"))
    return found


urlpatterns = patterns()
