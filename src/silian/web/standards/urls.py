"""Addresses of standards out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from silian.web.standards.oai import views as oai_views

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [
    path("oai", oai_views.harvest, name="oai"),
]
