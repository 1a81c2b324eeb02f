"""Addresses of runs and dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import include, path

from silian.web.runs import views

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("silian.web.runs.dashboards.urls")),
    path("runs/", views.run_list, name="runs"),
    path("runs/new/", views.run_new, name="run_new"),
    path("runs/<int:number>/", views.run_page, name="run"),
    path("runs/<int:number>/cancel/", views.run_cancel, name="run_cancel"),
    path("runs/<int:number>/adopt/", views.run_adopt, name="run_adopt"),
    path("runs/<int:number>/compare/", views.run_compare, name="run_compare"),
    path("runs/<int:number>/files/<str:name>", views.run_file, name="run_file"),
    path("", include("silian.web.runs.results.urls")),
]
