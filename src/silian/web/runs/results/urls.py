"""Addresses of results: of the run in force for a person's place, and the same of a run by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import path

from silian.web.runs.results import files, picture_views, views

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse
    from django.urls import URLPattern

PAGES: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("matches/", views.matches_page, "matches"),
    ("matches/<record:record_id>/", views.need_page, "match"),
    ("matches.csv", files.matches_file, "matches_file"),
    ("lists/<slug:name>.csv", files.list_file, "list_file"),
    ("assignment/", picture_views.assignment_page, "assignment"),
    ("assignment/served/", picture_views.served_list, "served"),
    ("assignment/loads/", picture_views.loads_list, "loads"),
    ("assignment/unmet/", picture_views.unmet_list, "unmet"),
    ("gaps/", picture_views.gaps_page, "gaps"),
    ("gaps/firms/", picture_views.firms_list, "firms"),
    ("gaps/of/<record:record_id>/", picture_views.product_page, "product"),
    ("districts/", picture_views.districts_page, "districts"),
    ("pictures/<slug:name>.<slug:form>", picture_views.picture_file, "picture"),
)


def patterns() -> list[URLPattern]:
    """Every page twice."""
    found = []
    for address, view, name in PAGES:
        found.append(path(f"results/{address}", view, name=name))
        found.append(path(f"runs/<int:number>/{address}", view, name=f"run_{name}"))
    return found


urlpatterns = patterns()
