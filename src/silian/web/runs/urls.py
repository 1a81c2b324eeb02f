"""Addresses of runs and dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import include, path

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("silian.web.runs.dashboards.urls")),
    path("", include("silian.web.runs.results.urls")),
]
