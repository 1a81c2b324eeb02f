"""The book of promises: what the site has said was done, by which it is held when it comes back."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from live.people import LostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live.people import Answer

Key = tuple[str, ...]  # what is looked at, and whose: ("edit", "needs", "N-2026-0001", "the new title")
State = object  # what a look at a key gives; plain values


@dataclass
class Entry:
    """What the site may say of one thing."""

    sure: frozenset[State]  # by what it has answered
    maybe: frozenset[State] = frozenset()  # by a request that it has not answered
    broken: str = ""

    @property
    def allowed(self) -> frozenset[State]:
        return self.sure | self.maybe


@dataclass
class Book:
    """The promises of all writers; `look` reads from the database what there is of a key."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    touched: set[Key] = field(default_factory=set)  # since they were last compared
    logged: set[str] = field(default_factory=set)  # numbers of answered requests that the audit log must know
    kept: int = 0  # promises that were compared and held
    open: int = 0  # of them, requests without an answer: found done, or not, but whole
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def trying(self, key: Key, was: frozenset[State], will: frozenset[State]) -> Iterator[Attempt]:
        """A request that brings a key from one state to another; within, the writer says what was answered.

        Where nothing was answered, either state is allowed until the next comparison.
        """
        with self.lock:
            entry = self.entries.setdefault(key, Entry(was))
            entry.maybe |= will
            self.touched.add(key)
        attempt = Attempt()
        yield attempt
        with self.lock:
            if attempt.answered == "done":
                self.entries[key] = Entry(will)
                if attempt.number:
                    self.logged.add(attempt.number)
            elif attempt.answered == "refused":
                self.entries[key] = Entry(entry.sure)
            self.touched.add(key)

    def hold(self, key: Key, states: frozenset[State]) -> None:
        """Enter what must be so from now on, without a request."""
        with self.lock:
            self.entries[key] = Entry(states)
            self.touched.add(key)

    def state_of(self, key: Key, unknown: Any) -> Any:
        """The state of a key; `unknown` where nothing was ever asked; None while a lost request leaves it open."""
        with self.lock:
            entry = self.entries.get(key)
        if entry is None:
            return unknown
        return next(iter(entry.sure)) if len(entry.sure) == 1 and not entry.maybe else None

    def compare(self, keys: list[Key], look: Callable[[Key], State]) -> list[str]:
        """What is not as promised; what a lost request came to is known from now on."""
        broken = []
        for key in keys:
            entry, found = self.entries[key], look(key)
            if found in entry.allowed:
                self.kept += 1
                self.open += bool(entry.maybe)
                is_open = found not in entry.sure
                self.entries[key] = Entry(_settled(entry, found) if is_open else entry.sure)
            else:
                broken.append(f"{key}: promised {sorted(map(str, entry.allowed))}, found {found!r}")
        return broken


def _settled(entry: Entry, found: State) -> frozenset[State]:
    """The states that go on being allowed: those that the lost request meant, as it has come through."""
    return entry.maybe if found in entry.maybe else frozenset([found])


@dataclass
class Attempt:
    """How a request ended, as its writer saw it."""

    answered: str = ""  # done, refused; empty: no answer
    number: str = ""

    def read(self, answer: Answer, *, done: tuple[int, ...] = (302,), is_logged: bool = True) -> Answer:
        """Take note of an answer: `done` are the statuses by which the site says that it was done.

        Raises
        ------
        LostError : if the site says that it broke: a promise of nothing
        """
        if answer.status >= 500:
            told = f"status {answer.status}"
            raise LostError(told)
        self.answered = "done" if answer.status in done else "refused"
        self.number = answer.number if is_logged else ""
        return answer


class Gate:
    """Lets writers through one request at a time each; shut, it waits until none is under way."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.is_shut = False
        self.under_way = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self.condition:
            self.condition.wait_for(lambda: not self.is_shut)
            self.under_way += 1
        try:
            yield
        finally:
            with self.condition:
                self.under_way -= 1
                self.condition.notify_all()

    def shut(self) -> None:
        with self.condition:
            self.is_shut = True
            assert self.condition.wait_for(lambda: self.under_way == 0, timeout=120), "a request does not end"

    def open(self) -> None:
        with self.condition:
            self.is_shut = False
            self.condition.notify_all()
