"""The app of the registry."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Organisations, experts, needs, achievements and all other nouns of a region."""

    name = "silian.web.catalog"
    label = "catalog"
