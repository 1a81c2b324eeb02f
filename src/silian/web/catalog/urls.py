"""Addresses of the registry."""

from django.urls import include, path

from silian.web.catalog import (
    attachment_views,
    entry_views,
    history_views,
    import_views,
    interest_views,
    list_views,
    record_views,
)  # fmt: skip

urlpatterns = [
    path("duplicates/", include("silian.web.catalog.duplicate_urls")),
    path("imports/", import_views.import_list, name="imports"),
    path("imports/<int:number>/", import_views.import_page, name="import"),
    path("imports/<int:number>/apply/", import_views.import_apply, name="import_apply"),
    path("imports/<int:number>/undo/", import_views.import_undo, name="import_undo"),
    path("attachments/<slug:key>/", attachment_views.download, name="attachment"),
    path("attachments/<slug:key>/detach/", attachment_views.detach, name="attachment_detach"),
    path("<slug:noun>/<str:record_id>/attachments/", attachment_views.attachments_page, name="attachments"),
    path("changes/", history_views.mine, name="changes"),
    path("changes/<int:number>/", history_views.change_set, name="change_set"),
    path("changes/<int:number>/undo/", history_views.undo_changes, name="change_set_undo"),
    path("interests/", interest_views.interest_list, name="interests"),
    path("interests/<int:number>/answer/", interest_views.interest_answer, name="interest_answer"),
    path("interests/<int:number>/withdraw/", interest_views.interest_withdraw, name="interest_withdraw"),
    path("<slug:noun>/<str:record_id>/interest/", interest_views.interest_ask, name="interest_ask"),
    path("<slug:noun>/<str:record_id>/history/", history_views.history_page, name="history"),
    path("<slug:noun>/<str:record_id>/restore/", history_views.restore_record, name="restore"),
    path("confirm/", record_views.waiting_page, name="waiting"),
    path("drafts/keep/", entry_views.draft_keep, name="draft_keep"),
    path("drafts/discard/", entry_views.draft_discard, name="draft_discard"),
    path("pick/<slug:noun>/", entry_views.pick_part, name="pick"),
    path("check/<slug:form>/", entry_views.check_part, name="check"),
    path("<slug:noun>/", list_views.list_page, name="list"),
    path("<slug:noun>/new/", entry_views.create_page, name="create"),
    path("<slug:noun>/<str:record_id>/edit/", entry_views.edit_page, name="edit"),
    path("<slug:noun>/<str:record_id>/publish/", record_views.publish_record, name="publish"),
    path("<slug:noun>/<str:record_id>/withdraw/", record_views.withdraw_record, name="withdraw"),
    path("<slug:noun>/<str:record_id>/confirm/", record_views.confirm_record, name="confirm"),
    path("<slug:noun>/<str:record_id>/verify/", record_views.verify_record, name="verify"),
    path("<slug:noun>/<str:record_id>/all/<slug:other>/<slug:column>/", record_views.related_page, name="related"),
    path("<slug:noun>/<str:record_id>/", record_views.detail_page, name="detail"),
]
