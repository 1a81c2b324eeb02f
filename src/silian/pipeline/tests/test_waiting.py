"""A solver is waited for, and its errors arrive."""

import pytest

from silian.pipeline.waiting import is_solving, waited


def test_waited_gives_what_the_work_gives():
    assert waited(lambda: 42) == 42


def test_waited_raises_what_the_work_raises():
    with pytest.raises(ZeroDivisionError):
        waited(lambda: 1 / 0)


def test_is_solving_while_the_work_lasts():
    assert waited(is_solving)
