"""The app of the registry."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Organisations, experts, needs, achievements and all other nouns of a region."""

    name = "silian.web.catalog"
    label = "catalog"

    def ready(self) -> None:
        """Tell the base how organisations are found, what the registry holds of people, what their first page shows."""
        from silian.web.base import guides, organisations
        from silian.web.base.notifications import register_kinds, register_names, todo
        from silian.web.catalog import notices, personal, signs, todos
        from silian.web.catalog.directory import Registry
        from silian.web.catalog.guides import Tellings
        from silian.web.catalog.models import MODELS

        organisations.register(Registry())
        guides.register(Tellings())
        register_kinds(notices.KINDS)
        register_names(MODELS, notices.Names())
        todo.register(todos.SOURCES)
        personal.tell()
        signs.tell()
