"""The app of runs and dashboards."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """A run of the main job or of one engine, its results, and what leaders read."""

    name = "silian.web.runs"
    label = "runs"

    def ready(self) -> None:
        """Tell the operator how many runs there are in which state, and pages of records what the run in force says."""
        from silian.web.runs import signs
        from silian.web.runs.results import boxes

        signs.tell()
        boxes.tell()
