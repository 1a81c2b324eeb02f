"""The app of the registry."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Organisations, experts, needs, achievements and all other nouns of a region."""

    name = "silian.web.catalog"
    label = "catalog"

    def ready(self) -> None:
        """Tell the base how organisations are found, what the registry holds of people, what their first page shows."""
        from silian.web.base import guides, organisations
        from silian.web.catalog import personal
        from silian.web.catalog.directory import Registry
        from silian.web.catalog.guides import Tellings

        organisations.register(Registry())
        guides.register(Tellings())
        personal.tell()
