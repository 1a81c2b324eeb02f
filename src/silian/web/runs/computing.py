"""What the process of a run does: it reads the registry, computes, and says in the row of the run how far it is."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.db import OperationalError, connection

from silian import pipeline
from silian.errors import SilianError
from silian.web.runs.executing import end
from silian.web.runs.models import Run
from silian.web.runs.plans import read_plan
from silian.web.runs.regions import write_region
from silian.web.runs.results.preparing import prepare

if TYPE_CHECKING:
    from silian.pipeline import Plan

TELL: Final = 0.5  # seconds between two words of how far it is
_LOG = logging.getLogger(__name__)


def compute(number: int) -> None:
    """Compute a run: in a process of its own."""
    run = Run.objects.select_related("place").get(pk=number)
    told = Told(run)
    try:
        plan = _titled(read_plan(run.plan), str(run.place.name))
        run.folder.mkdir(parents=True, exist_ok=True)
        told.step("region", 0)
        write_region(run.place, run.folder / "region")
        pipeline.run(run.folder / "region", run.folder / "out", plan=plan, only=tuple(run.steps.split()), progress=told)
        told.step("pages", 0)
        prepare(run.folder)
    except SilianError as error:
        end(number, Run.State.FAILED, error.code, **error.found)
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, OSError, RuntimeError) as error:
        _LOG.exception("run %s", number)
        end(number, Run.State.FAILED, "web.run_broken", found=type(error).__name__)
    else:
        told.close()
        end(number, Run.State.DONE)


def _titled(plan: Plan, place: str) -> Plan:
    """The plan with a title of its report: what names none is about the place, not about the folder of the run."""
    return plan if plan.report.title else replace(plan, report=replace(plan.report, title=place))


class Told:
    """Writes how far a run is to its row, at most every TELL seconds; see `pipeline.steps.Progress`."""

    def __init__(self, run: Run) -> None:
        self.number, self.wrote = run.pk, 0.0
        self.now: dict[str, Any] = {"step": "region", "total": 0, "done": 0, "words": "", "steps": []}

    def step(self, name: str, total: int) -> None:
        """A step begins."""
        self.now |= {"step": name, "total": total, "done": 0, "words": ""}
        self._write(at_once=True)

    def advance(self, units: int) -> None:
        """Units of it are done."""
        self.now["done"] += units
        self._write()

    def doing(self, words: str) -> None:
        """What goes on in it."""
        self.now["words"] = words[:200]
        self._write()

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """A step has ended."""
        self.now["steps"].append({"name": name, "rows": rows, "seconds": seconds, "resumed": resumed})
        self._write()

    def close(self) -> None:
        """Write the last state."""
        self._write(at_once=True)

    def _write(self, *, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self.wrote < TELL:
            return
        self.wrote = time.monotonic()
        with contextlib.suppress(OperationalError):  # a database that is busy for long: the next one tells
            Run.objects.filter(pk=self.number, state=Run.State.RUNNING).update(progress=self.now | {"at": time.time()})
        if threading.current_thread() is not threading.main_thread():  # a solver's, see `pipeline.waiting`
            connection.close()  # a thread that ends does not give back what it took of the pool
