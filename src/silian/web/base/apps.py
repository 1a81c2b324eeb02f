"""The app of people, roles, places and the log."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """People, roles, places, the log of actions, the frame of a page."""

    name = "silian.web.base"
    label = "base"

    def ready(self) -> None:
        """Listen to what is said of people who sign in; say of what people are told, and how ids stand in addresses."""
        from django.urls import register_converter

        from silian.web.base import sign_in
        from silian.web.base.addresses import RecordId
        from silian.web.base.notifications import kinds, naming, subjects
        from silian.web.base.operation import background, parts, signs

        register_converter(RecordId, "record")
        kinds.register(kinds.BASE)
        subjects.register(["places"], naming.Places())
        sign_in.listen()
        background.listen()
        signs.register(parts=parts.PARTS)
