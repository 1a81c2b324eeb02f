"""What the registry tells the operator: the index and how far it lags, imports and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.errors import WebError
from silian.web.base.operation.metrics import gauge
from silian.web.base.operation.parts import hours
from silian.web.base.operation.signs import Figures, Found, Part, register
from silian.web.catalog.models import Export, Import
from silian.web.catalog.search import indexing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

LAGS: Final = 300.0  # seconds behind the database after which somebody should look


def index() -> Found:
    """Whether the index can be read, and how far it is behind."""
    try:
        indexing.reader()
    except WebError as error:
        return Found("bad", error.message("zh"), {"error": error.code})
    waiting = indexing.waiting()
    words = _("%(count)s 处变更尚未编入索引，最早 %(time)s 前。") if waiting.count else _("检索索引与数据库一致。")
    told = {"waiting": waiting.count, "seconds": round(waiting.seconds)}
    state = "late" if waiting.seconds > LAGS else "ok"
    return Found(state, words % {"count": waiting.count, "time": hours(waiting.seconds)}, told)  # type: ignore[arg-type]


def figures() -> Iterator[Metric]:
    """The lag of the index; imports and exports by state."""
    waiting = indexing.waiting()
    yield gauge("silian_index_waiting", "Changes that the index has not taken in", {(): waiting.count})
    yield gauge("silian_index_lag_seconds", "Age of the oldest of them", {(): waiting.seconds})
    for name, model in (("silian_imports", Import), ("silian_exports", Export)):
        counted = model.objects.order_by().values_list("state").annotate(count=Count("pk"))
        yield gauge(name, f"{model.__name__}s by state", {(state,): n for state, n in counted}, ("state",))


def tell() -> None:
    """Say so to the base."""
    part = Part("index", gettext_lazy("检索索引"), index, is_needed=True)
    register(parts=(part,), figures=(Figures("catalog", figures),))
