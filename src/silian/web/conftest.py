"""What the tests of the site share: a small region in the database, and people of every role."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string

from silian import tables
from silian.tables import Region, synth
from silian.web.base.actors import VISITOR, Actor, actor_of
from silian.web.base.models import Desk, User
from silian.web.base.operation.tests.sites import Site, drop_database, make_database, server
from silian.web.base.sign_in import device_of
from silian.web.catalog import demo
from silian.web.catalog.search import indexing
from silian.web.catalog.tables import write_region

AGE = timedelta(hours=12)  # of a session
DEMO = (("SILIAN_MODE", "demo"),)
FILL = """
from silian.web.catalog import demo
call("migrate", verbosity=0)
demo.fill("tiny", seed=7)
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A second time, on PostgreSQL, what asks no database would say the same: it is left out."""
    if connection.vendor != "postgresql":
        return
    asking = {"db", "transactional_db", "django_db_setup", "live_server", "own_database"}

    def is_kept(item: pytest.Item) -> bool:
        marked = any(item.get_closest_marker(name) for name in ("database", "once"))
        return marked or bool(asking & {*getattr(item, "fixturenames", ())})

    kept = [item for item in items if is_kept(item)]
    config.hook.pytest_deselected(items=[*{*items} - {*kept}])
    items[:] = kept


@pytest.fixture(scope="session")
def small_region() -> Region:
    """The smallest synthetic region, read once, without its problem rows."""
    with tempfile.TemporaryDirectory() as folder:
        synth.write(synth.make("tiny", seed=7), Path(folder))
        region = tables.read_region(Path(folder))
    return tables.drop_problem_rows(region, tables.check(region))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, small_region):
    """The small region lies in the database once; each test's own changes are rolled back."""
    with django_db_blocker.unblock():
        write_region(small_region)
        indexing.rebuild()


@pytest.fixture
def registry(db, small_region) -> Region:
    """The region that lies in the database."""
    return small_region


@pytest.fixture
def kept_connection(db):
    """Nothing that asks the site within a test closes the connection in whose transaction the test runs."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """A site with a small region, made once: tests work on copies."""
    home = tmp_path_factory.mktemp("filled")
    for name in ("static", "uploads"):
        (home / name).mkdir()
    site = Site(home, make_database("silian_filled") if server() else "", DEMO)
    site.script(FILL)
    yield site
    if site.url:
        drop_database("silian_filled")


@pytest.fixture
def own_database(filled, tmp_path):
    """The environment of a site with a database of its own, of the kind that the tests run on, and a small region."""
    home = shutil.copytree(filled.home, tmp_path / "home")
    yield Site(home, make_database("silian_kill", template="silian_filled") if filled.url else "", DEMO).environment
    if filled.url:
        drop_database("silian_kill")


@dataclass(frozen=True, slots=True)
class Person:
    """An account of a role, and a client that is signed in as it; the visitor has no account."""

    role: str
    user: User | None
    client: Client

    @property
    def actor(self) -> Actor:
        return actor_of(self.user) if self.user else VISITOR


ROLES = (
    "visitor", "enterprise", "researcher", "manager", "broker", "officer", "leader", "judge", "auditor",
    "administrator",
)  # fmt: skip


@pytest.fixture
def people(registry) -> dict[str, Person]:
    """One person for each of ROLES, as the demo has them: the enterprise that asks for the first need, and so on."""
    accounts = demo.accounts()
    users = {user.email: user for user in User.objects.filter(email__in=[account.email for account in accounts])}
    clients = signed_in([*users.values()])
    made = {"visitor": Person("visitor", None, Client())}
    for account in accounts:
        made[account.role] = Person(account.role, users[account.email], clients[account.email])
    return {role: made[role] for role in ROLES}


def signed_in(users: list[User]) -> dict[str, Client]:
    """Address → a client with the session that signing in leaves.

    All at once: signing in ten people one by one asks the database 260 times, and most tests begin with it. How
    signing in goes is tested in `base/tests/test_sign_in.py`.
    """
    now, store = timezone.now(), SessionStore()
    keys = {user.email: get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789") for user in users}
    sessions = []
    for user in users:
        kept = {
            SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(), "began": int(now.timestamp()), "seen": int(now.timestamp()),
        }  # fmt: skip
        sessions.append(Session(session_key=keys[user.email], session_data=store.encode(kept), expire_date=now + AGE))
    Session.objects.bulk_create(sessions)
    Desk.objects.bulk_create([Desk(user=user, devices=[device_of(user, "")], todo_at=now) for user in users])
    User.objects.filter(pk__in=[user.pk for user in users]).update(last_login=now)
    clients = {email: Client() for email in keys}
    for email, client in clients.items():
        client.cookies[settings.SESSION_COOKIE_NAME] = keys[email]
    return clients
