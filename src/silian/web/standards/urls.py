"""Addresses of standards out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from silian.web.standards import views
from silian.web.standards.oai import views as oai_views

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("oai", oai_views.harvest, name="oai"),
    path("standards/", views.standards_page, name="standards"),
    path("standards/een/<slug:noun>/<record:record_id>/", views.een_page, name="een"),
    path("dcat.<slug:form>", views.dcat, name="dcat"),
    path("open/<slug:noun>.csv", views.open_csv, name="open_csv"),
    path("open/<slug:noun>.csv-metadata.json", views.open_documentation, name="open_documentation"),
    path("<slug:noun>/<record:record_id>.jsonld", views.record_jsonld, name="record_jsonld"),
]
