"""The main job: a plan in, a finished run folder out; the only place where steps meet."""

from silian.pipeline.job import Run, run
from silian.pipeline.keep import open_grader, open_index, save_grader, save_index
from silian.pipeline.plan import Plan, settings
from silian.pipeline.steps import STEPS

__all__ = ["STEPS", "Plan", "Run", "open_grader", "open_index", "run", "save_grader", "save_index", "settings"]
