"""Addresses of the registry."""

from django.urls import include, path

from silian.web.catalog.beside import interest_views
from silian.web.catalog.entry import views as entry_views
from silian.web.catalog.exchange import export_views, import_views
from silian.web.catalog.records import list_views
from silian.web.catalog.records import views as record_views
from silian.web.catalog.search import views as search_views

urlpatterns = [
    path("search/", search_views.search_page, name="search"),
    path("search/names/", search_views.search_names, name="search_names"),
    path("searches/", search_views.searches_page, name="searches"),
    path("searches/save/", search_views.search_save, name="search_save"),
    path("searches/<int:number>/open/", search_views.search_open, name="search_open"),
    path("searches/<int:number>/change/", search_views.search_change, name="search_change"),
    path("", include("silian.web.catalog.beside.urls")),
    path("duplicates/", include("silian.web.catalog.duplicates.urls")),
    path("imports/", import_views.import_list, name="imports"),
    path("imports/<int:number>/", import_views.import_page, name="import"),
    path("imports/<int:number>/problems/", import_views.import_problems, name="import_problems"),
    path("imports/<int:number>/faulty/", import_views.import_faulty, name="import_faulty"),
    path("imports/<int:number>/choose/", import_views.import_choose, name="import_choose"),
    path("imports/<int:number>/cancel/", import_views.import_cancel, name="import_cancel"),
    path("imports/<int:number>/apply/", import_views.import_apply, name="import_apply"),
    path("imports/<int:number>/undo/", import_views.import_undo, name="import_undo"),
    path("exports/", export_views.export_list, name="exports"),
    path("exports/region/", export_views.export_region, name="export_region"),
    path("exports/of/<slug:noun>/", export_views.export_make, name="export_make"),
    path("exports/<int:number>/", export_views.export_file, name="export_file"),
    path("interests/", interest_views.interest_list, name="interests"),
    path("interests/<int:number>/answer/", interest_views.interest_answer, name="interest_answer"),
    path("interests/<int:number>/withdraw/", interest_views.interest_withdraw, name="interest_withdraw"),
    path("<slug:noun>/<record:record_id>/interest/", interest_views.interest_ask, name="interest_ask"),
    path("confirm/", record_views.waiting_page, name="waiting"),
    path("drafts/keep/", entry_views.draft_keep, name="draft_keep"),
    path("drafts/discard/", entry_views.draft_discard, name="draft_discard"),
    path("pick/<slug:noun>/", entry_views.pick_part, name="pick"),
    path("check/<slug:form>/", entry_views.check_part, name="check"),
    path("<slug:noun>/", list_views.list_page, name="list"),
    path("<slug:noun>/new/", entry_views.create_page, name="create"),
    path("<slug:noun>/<record:record_id>/edit/", entry_views.edit_page, name="edit"),
    path("<slug:noun>/<record:record_id>/publish/", record_views.publish_record, name="publish"),
    path("<slug:noun>/<record:record_id>/withdraw/", record_views.withdraw_record, name="withdraw"),
    path("<slug:noun>/<record:record_id>/confirm/", record_views.confirm_record, name="confirm"),
    path("<slug:noun>/<record:record_id>/verify/", record_views.verify_record, name="verify"),
    path("<slug:noun>/<record:record_id>/all/<slug:other>/<slug:column>/", record_views.related_page, name="related"),
    path("<slug:noun>/<record:record_id>/", record_views.detail_page, name="detail"),
]
