"""What runs tell the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count

from silian.web.base.operation.metrics import gauge
from silian.web.base.operation.signs import Figures, register
from silian.web.runs.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric


def figures() -> Iterator[Metric]:
    """Runs by state."""
    counted = Run.objects.order_by().values_list("state").annotate(count=Count("pk"))
    yield gauge("silian_runs", "Runs by state", {(state,): n for state, n in counted}, ("state",))


def tell() -> None:
    """Say so to the base."""
    register(figures=(Figures("runs", figures),))
