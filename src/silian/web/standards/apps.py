"""The app of standards out."""

from django.apps import AppConfig


class StandardsConfig(AppConfig):
    """What is public, in the words of other systems."""

    name = "silian.web.standards"
    label = "standards"
