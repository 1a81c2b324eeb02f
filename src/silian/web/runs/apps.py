"""The app of runs and dashboards."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RunsConfig(AppConfig):
    """A run of the main job or of one engine, its results, and what leaders read."""

    name = "silian.web.runs"
    label = "runs"

    def ready(self) -> None:
        """Tell the operator how many runs there are in which state, and pages of records what the run in force says."""
        from silian.web.base import personal
        from silian.web.base.notifications import todo
        from silian.web.catalog import daily
        from silian.web.runs import notifying, signs, todos
        from silian.web.runs.dashboards.tasks import daily_figures
        from silian.web.runs.results import boxes

        signs.tell()
        notifying.tell()
        boxes.tell()
        todo.register(todos.SOURCES)
        daily.ALSO.append(daily_figures.enqueue)
        frozen = personal.Kind(_("冻结的月份"), ("month", "reason", "made_at"), kept=personal.PSEUDONYM_STAYS)
        personal.KINDS.setdefault("runs.snapshot.by", frozen)
