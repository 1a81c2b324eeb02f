"""The app of the API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Tokens, and addresses that machines read."""

    name = "silian.web.api"
    label = "api"

    def ready(self) -> None:
        """Name to the base what is held of people here."""
        from silian.web.api import personal

        personal.tell()
