"""Addresses of duplicates and merges, under duplicates/."""

from django.urls import path

from silian.web.catalog import duplicate_views

urlpatterns = [path("likely/<slug:noun>/", duplicate_views.likely_part, name="likely")]
