"""The app of runs and dashboards."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """A run of the main job or of one engine, its results, and what leaders read."""

    name = "silian.web.runs"
    label = "runs"

    def ready(self) -> None:
        """Tell the operator how many runs there are in which state."""
        from silian.web.runs import signs

        signs.tell()
