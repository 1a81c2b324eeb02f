"""Folders of runs and snapshots that go away."""

from __future__ import annotations

import pytest

from silian.web.runs.results.tests.made import adopted


@pytest.fixture
def folders(settings, tmp_path):
    settings.RUNS_FOLDER, settings.SNAPSHOTS_FOLDER = tmp_path / "runs", tmp_path / "snapshots"
    settings.DISTRICTS_FILE = tmp_path / "none.geojson"
    return tmp_path


@pytest.fixture
def run(registry, folders):
    """The run in force: of the whole region."""
    return adopted()
