"""A run in force for the tests of results."""

from __future__ import annotations

import pytest

from silian.web.runs.results.tests.made import adopted


@pytest.fixture
def runs_folder(settings, tmp_path):
    """Where runs lie, and no map of the site's own."""
    settings.RUNS_FOLDER = tmp_path / "runs"
    settings.DISTRICTS_FILE = tmp_path / "none.geojson"
    return settings.RUNS_FOLDER


@pytest.fixture
def run(registry, runs_folder):
    """The run in force: of the whole region."""
    return adopted()
