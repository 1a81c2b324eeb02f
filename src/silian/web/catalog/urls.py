"""Addresses of the registry."""

from django.urls import path

from silian.web.catalog import import_views, list_views, record_views

urlpatterns = [
    path("imports/", import_views.import_list, name="imports"),
    path("imports/<int:number>/", import_views.import_page, name="import"),
    path("imports/<int:number>/apply/", import_views.import_apply, name="import_apply"),
    path("imports/<int:number>/undo/", import_views.import_undo, name="import_undo"),
    path("<slug:noun>/", list_views.list_page, name="list"),
    path("<slug:noun>/<str:record_id>/edit/", record_views.edit_page, name="edit"),
    path("<slug:noun>/<str:record_id>/", record_views.detail_page, name="detail"),
]
