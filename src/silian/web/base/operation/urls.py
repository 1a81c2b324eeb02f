"""Addresses of operation."""

from django.urls import path

from silian.web.base.operation import views

urlpatterns = [
    path("operation/", views.operation_page, name="operation"),
    path("operation/tasks/<uuid:number>/retry/", views.operation_retry, name="operation_retry"),
    path("operation/checklist/", views.checklist_page, name="checklist"),
    path("operation/checklist/<slug:form>/", views.checklist_export, name="checklist_export"),
]
