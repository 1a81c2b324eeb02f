"""The app of the registry."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Organisations, experts, needs, achievements and all other nouns of a region."""

    name = "silian.web.catalog"
    label = "catalog"

    def ready(self) -> None:
        """Tell the pages of people how organisations are found."""
        from silian.web.base import organisations
        from silian.web.catalog.directory import Registry

        organisations.register(Registry())
