"""Addresses of the base."""

from django.urls import path
from django.views.i18n import set_language

from silian.web.base import views

urlpatterns = [path("", views.home, name="home"), path("language/", set_language, name="language")]
