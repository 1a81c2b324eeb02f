"""Addresses of the base."""

from django.urls import path
from django.views.i18n import set_language

from silian.web.base import audit_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("language/", set_language, name="language"),
    path("audit/", audit_views.audit_page, name="audit"),
    path("audit/export/<slug:form>/", audit_views.audit_export, name="audit_export"),
    path("audit/check/", audit_views.audit_check, name="audit_check"),
    path("audit/person/", audit_views.audit_person, name="audit_person"),
]
