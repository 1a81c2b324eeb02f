"""The main job: a plan in, a finished run folder out; the only place where steps meet.

The names below are loaded when they are first asked for: who only reads a run folder need not load every engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from silian.pipeline.job import Run, run
    from silian.pipeline.keep import open_grader, open_index, save_grader, save_index
    from silian.pipeline.order import STEPS
    from silian.pipeline.plan import Plan, settings

__all__ = ["STEPS", "Plan", "Run", "open_grader", "open_index", "run", "save_grader", "save_index", "settings"]
_HOMES: Final = {
    "Run": "job", "run": "job", "Plan": "plan", "settings": "plan", "STEPS": "order",
    "open_grader": "keep", "open_index": "keep", "save_grader": "keep", "save_index": "keep",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        told = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(told)
    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
