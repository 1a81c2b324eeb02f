"""Reading much as it stood at one moment, while others write."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside is of the moment of the first query; nobody who writes waits for it.

    Notes
    -----
    Nothing is written inside: PostgreSQL refuses it, and SQLite, whose other transactions of the site take the lock of
    writers when they begin, would wait for it in the middle. Within a transaction that is open already (as in tests)
    that one goes on.
    """
    if connection.in_atomic_block:
        yield
        return
    with _as_reader(), transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _as_reader() -> Iterator[None]:
    """On SQLite a transaction that begins takes no lock of writers."""
    connection.ensure_connection()
    own: Any = connection
    mode = getattr(own, "transaction_mode", None)
    own.transaction_mode = None
    try:
        yield
    finally:
        own.transaction_mode = mode
