"""Addresses of the base."""

from django.urls import include, path
from django.views.i18n import set_language

from silian.web.base import audit_views, invitation_views, people_views, personal_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("steps/", views.steps, name="steps"),
    path("help/", views.help_page, name="help"),
    path("language/", set_language, name="language"),
    path("audit/", audit_views.audit_page, name="audit"),
    path("audit/export/<slug:form>/", audit_views.audit_export, name="audit_export"),
    path("audit/check/", audit_views.audit_check, name="audit_check"),
    path("audit/person/", audit_views.audit_person, name="audit_person"),
    path("", include("silian.web.base.notifications.urls")),
    path("", include("silian.web.base.operation.urls")),
    path("personal/", personal_views.personal_page, name="personal"),
    path("personal/export/<slug:form>/", personal_views.personal_export, name="personal_export"),
    path("personal/consents/<slug:purpose>/", personal_views.personal_consent, name="personal_consent"),
    path("personal/erase/", personal_views.personal_erase, name="personal_erase"),
    path("receipts/<slug:number>/<str:token>/", personal_views.receipt_page, name="receipt"),
    path("invitation/<str:key>/", invitation_views.invitation_page, name="invitation"),
    path("people/organisations/", people_views.organisation_list, name="organisations"),
    path("people/organisations/<record:org_id>/", people_views.member_list, name="members"),
    path("people/members/<int:number>/", people_views.member_change, name="member_change"),
    path("people/posts/", people_views.post_list, name="posts"),
    path("people/posts/invite/", people_views.post_invite, name="post_invite"),
    path("people/posts/<int:number>/withdraw/", people_views.post_withdraw, name="post_withdraw"),
    path("people/places/", people_views.place_list, name="places"),
    path("people/places/<record:place_id>/", people_views.park_page, name="park"),
    path("people/invitations/<int:number>/revoke/", people_views.invitation_revoke, name="invitation_revoke"),
    path("people/undo/", people_views.people_undo, name="people_undo"),
    path("people/<int:number>/", people_views.person_page, name="person"),
    path("people/<int:number>/shut/", people_views.person_shut, name="person_shut"),
]
