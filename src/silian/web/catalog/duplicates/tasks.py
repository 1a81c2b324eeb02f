"""Looking for duplicates in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django_tasks import task

from silian.web.base.log import log
from silian.web.catalog.duplicates import reports
from silian.web.catalog.models import DuplicateReport

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.base.models import Place


@task()
def report_task(number: int) -> None:
    """Look through what a report asks for."""
    report = DuplicateReport.objects.select_related("place").get(pk=number)
    if report.state == DuplicateReport.State.RUNNING:
        reports.find(report)


@transaction.atomic
def ask_report(actor: Actor, noun: str, place: Place) -> DuplicateReport:
    """Have a place looked through; where that is under way, that report."""
    running = DuplicateReport.objects.filter(noun=noun, place=place, state=DuplicateReport.State.RUNNING).first()
    if running is not None:
        return running
    report = DuplicateReport.objects.create(by_id=actor.user_id, noun=noun, place=place)
    log(actor, "duplicates.report", noun=noun, detail={"report": report.pk, "place": place.pk})
    report_task.enqueue(report.pk)
    return report


def take_up_reports() -> None:
    """Begin again what a killed worker left under way."""
    for number in DuplicateReport.objects.filter(state=DuplicateReport.State.RUNNING).values_list("pk", flat=True):
        report_task.enqueue(number)
