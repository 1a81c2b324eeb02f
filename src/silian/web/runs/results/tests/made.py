"""A finished run of the main job on the smallest region, done once, and put into a site's folder of runs."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from django.utils import timezone

from silian import pipeline
from silian.tables import synth
from silian.web.base.models import Place
from silian.web.runs.models import Run
from silian.web.runs.results.preparing import prepare


@cache
def finished() -> Path:
    """The folder of a run of all steps on the region that lies in the database of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="silian-run-"))
    synth.write(synth.make("tiny", seed=7), folder / "region")
    pipeline.run(folder / "region", folder / "out", only=("summary", "exposure", "fairness"))
    prepare(folder)
    return folder


def adopted(place: Place | None = None, *, only: tuple[str, ...] = ()) -> Run:
    """The finished run as the one in force, with a folder of its own.

    Parameters
    ----------
    only : names of result tables that are left, as of a run of a few steps; empty: all
    """
    now = timezone.now()
    run = Run.objects.create(
        name="年度匹配", place=place or Place.root(), state=Run.State.DONE, made_at=now, begun_at=now, ended_at=now,
        adopted_at=now,
    )  # fmt: skip
    shutil.copytree(finished(), run.folder, dirs_exist_ok=True)
    if only:
        for path in (run.folder / "out").glob("*.parquet"):
            if path.stem not in only:
                path.unlink()
        prepare(run.folder)
    return run
