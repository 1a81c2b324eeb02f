"""Addresses of figures."""

from __future__ import annotations

from django.urls import path

from silian.web.runs.dashboards import views

urlpatterns = [
    path("dashboard/", views.dashboard_page, name="dashboard"),
    path("dashboard/freeze/", views.freeze, name="dashboard_freeze"),
    path("dashboard/report.docx", views.report_document, name="dashboard_document"),
    path("dashboard/report.xlsx", views.report_workbook, name="dashboard_workbook"),
    path("dashboard/list/<slug:measure>/", views.list_page, name="dashboard_list"),
    path("dashboard/list/<slug:measure>.csv", views.list_file, name="dashboard_list_file"),
]
