"""The app of the API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Tokens, and addresses that machines read."""

    name = "silian.web.api"
    label = "api"
