"""The app of standards out."""

from django.apps import AppConfig


class StandardsConfig(AppConfig):
    """What is public, in the words of other systems."""

    name = "silian.web.standards"
    label = "standards"

    def ready(self) -> None:
        """Tell the registry what its pages carry for machines."""
        from silian.web.catalog.records import elsewhere
        from silian.web.standards.forms import Linked

        elsewhere.register(Linked())
