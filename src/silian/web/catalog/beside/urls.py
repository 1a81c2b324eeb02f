"""Addresses of what hangs on records: their history, attachments, bookings, claims."""

from django.urls import path

from silian.web.catalog.beside import attachment_views, booking_views, claim_views
from silian.web.catalog.history import views as history_views
from silian.web.catalog.topics import views as topic_views

urlpatterns = [
    path("attachments/<slug:key>/", attachment_views.download, name="attachment"),
    path("attachments/<slug:key>/detach/", attachment_views.detach, name="attachment_detach"),
    path("<slug:noun>/<record:record_id>/attachments/", attachment_views.attachments_page, name="attachments"),
    path("bookings/", booking_views.mine, name="bookings"),
    path("bookings/calendar.ics", booking_views.my_calendar, name="bookings_calendar"),
    path("bookings/<slug:key>.ics", booking_views.one_calendar, name="booking_calendar"),
    path("bookings/<slug:key>/<slug:verb>/", booking_views.turn, name="booking_turn"),
    path("facilities/<record:record_id>/booking/", booking_views.booking_page, name="booking"),
    path("claims/", claim_views.claim_list, name="claims"),
    path("claims/release/", claim_views.claim_release, name="claim_release"),
    path("claims/<int:number>/<slug:verb>/", claim_views.claim_turn, name="claim_turn"),
    path("experts/<record:record_id>/claim/", claim_views.claim_page, name="claim"),
    path("experts/<record:record_id>/works/", claim_views.works_page, name="expert_works"),
    path("experts/<record:record_id>/works/strike/", claim_views.strike, name="expert_works_strike"),
    path("experts/<record:record_id>/topics/", topic_views.strike, name="topic_strike"),
    path("changes/", history_views.mine, name="changes"),
    path("changes/<int:number>/", history_views.change_set, name="change_set"),
    path("changes/<int:number>/undo/", history_views.undo_changes, name="change_set_undo"),
    path("<slug:noun>/<record:record_id>/history/", history_views.history_page, name="history"),
    path("<slug:noun>/<record:record_id>/restore/", history_views.restore_record, name="restore"),
]
