"""What all tests share: none of them fails for being slow, and the longest begin first."""

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the tests: at the end none shall wait for a long one, or for a group of them."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("xdist_group", "long")))
