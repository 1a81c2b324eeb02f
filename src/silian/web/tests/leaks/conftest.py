"""The registry in which every leak test looks for secrets."""

from __future__ import annotations

import pytest

from silian.web.tests.leaks.planted import Planted, plant


@pytest.fixture
def planted(people, settings, tmp_path) -> Planted:
    """Records, files, people and changes that hold secrets, in the database and in an index of their own."""
    return plant(people, settings, tmp_path)
