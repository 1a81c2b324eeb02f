"""What people do with runs: start, cancel, adopt; each in one transaction, written to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from silian.errors import WebError
from silian.pipeline import STEPS
from silian.web.base.log import log
from silian.web.base.models import Place
from silian.web.runs import notifying
from silian.web.runs.dashboards.tasks import renew_task
from silian.web.runs.models import Run
from silian.web.runs.plans import read_plan
from silian.web.runs.tasks import run_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.web.base.actors import Actor

MOST: Final = 5  # runs of a place that may wait
OPEN: Final = (Run.State.WAITING, Run.State.RUNNING)


def start(
    actor: Actor, *, place: Place, name: str = "", steps: Sequence[str] = (), plan: str = "", adopts: bool = False
) -> tuple[Run, bool]:
    """Have the needs of a place worked on; whether this is a new run, or the same one that is under way already.

    Parameters
    ----------
    steps : of the main job, each with what it rests on; empty: all, and the report
    plan : TOML; what it leaves out has its default
    adopts : whether its results hold as soon as it is done

    Raises
    ------
    PlanError, WebError : of `read_plan`; web.run_many where too many of the place wait
    ValueError : for a step that the main job has not
    """
    wanted = " ".join(step.name for step in STEPS if step.name in steps)
    if set(steps) - set(wanted.split()):
        raise ValueError(steps)
    read_plan(plan)
    with transaction.atomic():
        Place.objects.select_for_update().get(pk=place.pk)  # a double click waits here and finds the first one's run
        under_way = list(Run.objects.filter(place=place, state__in=OPEN, is_cancelled=False))
        for run in under_way:
            if (run.steps, run.plan) == (wanted, plan):
                return run, False
        if len(under_way) >= MOST:
            raise WebError("web.run_many", place=place.name, count=len(under_way))
        run = Run.objects.create(
            place=place, name=name or f"{place.name} {timezone.localdate()}", steps=wanted, plan=plan, adopts=adopts,
            by_id=actor.user_id, pseudonym=actor.pseudonym,
        )  # fmt: skip
        log(actor, "runs.start", noun="runs", record_id=str(run.pk), detail={"place": place.pk, "steps": wanted})
        run_task.enqueue(run.pk)
    return run, True


def cancel(actor: Actor, run: Run) -> bool:
    """Ask for the end of a run; whether it was still under way. What was adopted before goes on to hold."""
    with transaction.atomic():
        own = Run.objects.filter(pk=run.pk)
        over = own.filter(state=Run.State.WAITING).update(
            state=Run.State.CANCELLED, is_cancelled=True, ended_at=timezone.now()
        )
        asked = over or own.filter(state=Run.State.RUNNING, is_cancelled=False).update(is_cancelled=True)
        if asked:
            log(actor, "runs.cancel", noun="runs", record_id=str(run.pk))
    return bool(asked)


def adopt(actor: Actor, run: Run) -> None:
    """Have the pages of a place, and of all below it without one of their own, show the results of a run.

    Raises
    ------
    WebError : web.run_unfinished
    """
    if run.state != Run.State.DONE:
        raise WebError("web.run_unfinished", number=run.pk, state=run.get_state_display())
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(adopted_at=timezone.now())
        log(actor, "runs.adopt", noun="runs", record_id=str(run.pk))
        notifying.adopted(actor, run)
        renew_task.enqueue()


def leave(actor: Actor, run: Run) -> bool:
    """Let a run hold no longer: the one adopted before it does; whether it was adopted."""
    with transaction.atomic():
        was = bool(Run.objects.filter(pk=run.pk, adopted_at__isnull=False).update(adopted_at=None))
        if was:
            log(actor, "runs.leave", noun="runs", record_id=str(run.pk))
            renew_task.enqueue()
    return was
