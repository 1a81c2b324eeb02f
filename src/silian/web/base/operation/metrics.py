"""Figures of the site for Prometheus. Every label comes from a short list: names of addresses, methods, states.

Requests are counted by the process that answers; with several of them each writes into files of its own
(PROMETHEUS_MULTIPROC_DIR, which `serve` sets), and whichever is asked adds them up. Everything else is read from the
database when it is asked for.
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from silian import __version__
from silian.web.base.models import ChainCheck, Letter
from silian.web.base.operation import beats, health, parts
from silian.web.base.operation.kept import kept
from silian.web.base.operation.parts import FAULTS
from silian.web.base.operation.signs import FIGURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.http import HttpRequest
    from prometheus_client import Metric

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
OWN: Final = CollectorRegistry()
REQUESTS: Final = Counter("silian_requests", "Requests answered", ["route", "method", "status"], registry=OWN)
SECONDS: Final = Histogram(
    "silian_request_seconds", "Seconds that an answer took", ["route", "method"], buckets=BUCKETS, registry=OWN
)
DATABASE: Final = Counter("silian_database_seconds", "Seconds in the database", ["route"], registry=OWN)
QUERIES: Final = Counter("silian_database_queries", "Queries asked", ["route"], registry=OWN)


class Spent:
    """What a request spends in the database."""

    def __init__(self) -> None:
        self.seconds, self.queries = 0.0, 0

    def __call__(self, execute: Callable[..., Any], *given: Any) -> Any:
        """Ask the query and count it."""
        began = time.perf_counter()
        try:
            return execute(*given)
        finally:
            self.seconds += time.perf_counter() - began
            self.queries += 1


@contextmanager
def spending() -> Iterator[Spent]:
    """Count what is spent in the database until the end of the block."""
    spent = Spent()
    with connection.execute_wrapper(spent):
        yield spent


def route_name(request: HttpRequest) -> str:
    """The name of the address of a request, which is one of a fixed list; none where nothing is there."""
    match = getattr(request, "resolver_match", None)
    return (match.view_name or match.route[:60]) if match else "none"


def count(request: HttpRequest, status: int, seconds: float, spent: Spent) -> None:
    """Count a request that is answered."""
    route = route_name(request)
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(route, method, str(status)).inc()
    SECONDS.labels(route, method).observe(seconds)
    DATABASE.labels(route).inc(spent.seconds)
    QUERIES.labels(route).inc(spent.queries)


def text() -> bytes:
    """All figures as Prometheus reads them. Cost: about fifteen small queries."""
    asked = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(asked)  # type: ignore[no-untyped-call]
    else:
        asked.register(_Read(OWN.collect))
    asked.register(_Read(_of_base))
    for figures in FIGURES.values():
        asked.register(_Read(figures.read))
    return generate_latest(asked)


class _Read:
    """Figures that are read when they are asked for; those of a part that fails are left out."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read = read

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        try:
            yield from list(self.read())
        except FAULTS:
            return

    def describe(self) -> Iterator[Metric]:
        """Nothing before it is asked for."""
        return iter(())


def gauge(name: str, meaning: str, values: Mapping[Any, float], labels: tuple[str, ...] = ()) -> Metric:
    """Figures of one name: a value for each combination of labels.

    Examples
    --------
    >>> gauge("silian_imports", "Imports", {("done",): 3}, ("state",)).samples[0].value
    3
    """
    made = GaugeMetricFamily(name, meaning, labels=labels)
    for own, value in values.items():
        made.add_metric(list(own), value)
    return made


def _of_base() -> Iterator[Metric]:
    yield InfoMetricFamily(
        "silian_build", "What runs here",
        {"version": __version__, "python": platform.python_version(), "database": connection.vendor},
    )  # fmt: skip
    found = health.looked()
    yield gauge("silian_ready", "Whether the site can answer", {(): float(found.is_ready)})
    states = {(part.code,): float(told.state == "ok") for part, told in found.parts}
    yield gauge("silian_part_ok", "Whether a part is well", states, ("part",))
    seen = {(beat.name,): beat.seconds for beat in beats.beats()}
    yield gauge("silian_beat_age_seconds", "Seconds since a process beat", seen, ("process",))
    disk = parts.disk().told
    yield gauge("silian_disk_free_bytes", "Room where the site writes", {(): disk["free_bytes"]})
    sessions = Session.objects.filter(expire_date__gt=timezone.now()).count()
    yield gauge("silian_sessions", "Sessions that are open", {(): sessions})
    letters = Letter.objects.filter(state="waiting").count()
    yield gauge("silian_letters_waiting", "Letters that are not sent yet", {(): letters})
    yield from _tasks()
    yield from _backups()
    yield from _log()


def _tasks() -> Iterator[Metric]:
    counted = DBTaskResult.objects.order_by().values_list("task_path", "status").annotate(count=Count("pk"))
    states = {(path.rpartition(".")[2], str(status).lower()): float(n) for path, status, n in counted}
    yield gauge("silian_tasks", "Tasks of the background", states, ("kind", "state"))
    now = timezone.now()
    waiting = parts.due().order_by().values_list("task_path").annotate(oldest=Min("since"))
    ages = {(path.rpartition(".")[2],): (now - oldest).total_seconds() for path, oldest in waiting}
    yield gauge("silian_tasks_oldest_seconds", "Seconds that the oldest waiting task waits", ages, ("kind",))


def _backups() -> Iterator[Metric]:
    last = next(iter(kept()), None)
    if last:
        yield gauge("silian_backup_age_seconds", "Seconds since the last backup", {(): last.age})
        yield gauge("silian_backup_bytes", "Size of the last backup", {(): last.bytes})
        yield gauge("silian_backup_seconds", "Seconds that the last backup took", {(): last.seconds})


def _log() -> Iterator[Metric]:
    told = parts.seal().told
    yield gauge("silian_log_unsealed_seconds", "Age of the oldest unsealed entry", {(): told["unsealed_seconds"]})
    check = ChainCheck.objects.order_by("-pk").first()
    if check:
        age = (timezone.now() - check.at).total_seconds()
        yield gauge("silian_log_check_age_seconds", "Seconds since the log was verified", {(): age})
        yield gauge("silian_log_broken", "Whether the log is not as it was sealed", {(): float(bool(check.finding))})
