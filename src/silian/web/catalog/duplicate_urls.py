"""Addresses of duplicates and merges, under duplicates/."""

from django.urls import path

from silian.web.catalog import duplicate_views, merge_views

urlpatterns = [
    path("likely/<slug:noun>/", duplicate_views.likely_part, name="likely"),
    path("merge/<slug:noun>/", merge_views.merge_page, name="merge"),
    path("of/<slug:noun>/<str:record_id>/", merge_views.partners_page, name="merge_partners"),
]
