"""What all tests share: none of them fails for being slow, and the longest begin first."""

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the files of tests: at the end none shall wait for a long one."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
