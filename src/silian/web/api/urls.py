"""Addresses of the API, and of the pages about it."""

from __future__ import annotations

from django.urls import path

from silian.web.api import guide, token_views
from silian.web.api.site import api

urlpatterns = [
    path("api/", guide.api_page, name="interface"),
    path("api/v1/", api.urls),
    path("tokens/", token_views.token_list, name="tokens"),
    path("tokens/all/", token_views.token_all, name="tokens_all"),
    path("tokens/<int:number>/revoke/", token_views.token_revoke, name="token_revoke"),
]
