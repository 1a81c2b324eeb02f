"""The app of the registry."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Organisations, experts, needs, achievements and all other nouns of a region."""

    name = "silian.web.catalog"
    label = "catalog"

    def ready(self) -> None:
        """Tell the base how organisations are found, and what the registry holds of people."""
        from silian.web.base import organisations
        from silian.web.catalog import personal
        from silian.web.catalog.directory import Registry

        organisations.register(Registry())
        personal.tell()
