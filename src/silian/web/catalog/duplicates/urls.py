"""Addresses of duplicates and merges, under duplicates/."""

from django.urls import path

from silian.web.catalog.duplicates import merge_views
from silian.web.catalog.duplicates import views as duplicate_views

urlpatterns = [
    path("", duplicate_views.report_list, name="duplicates"),
    path("reports/<int:number>/", duplicate_views.report_page, name="duplicate_report"),
    path("pairs/<slug:noun>/", duplicate_views.pair_list, name="duplicate_pairs"),
    path("pair/<int:number>/", duplicate_views.pair_page, name="duplicate_pair"),
    path("likely/<slug:noun>/", duplicate_views.likely_part, name="likely"),
    path("merge/<slug:noun>/", merge_views.merge_page, name="merge"),
    path("of/<slug:noun>/<record:record_id>/", merge_views.partners_page, name="merge_partners"),
]
