"""What the environment sets, and what production refuses."""

import pytest

from silian.errors import WebError
from silian.web.environment import Environment

SAFE = {
    "SILIAN_MODE": "production", "SILIAN_HOSTS": "silian.example.org", "SILIAN_MAIL": "smtp://mail.example.org",
    "SILIAN_SECRET_KEY": "k3J9-vQ7mZx1LpRt5WnYb8Ec2Hd6Gf4As0UiOqTyXzCvBnMwEr",
}  # fmt: skip


def test_read_starts_in_demo_mode_without_any_variable(tmp_path):
    found = Environment.read({"SILIAN_HOME": str(tmp_path)})

    assert found.is_demo
    assert found.database == f"sqlite:///{tmp_path / 'silian.sqlite3'}"
    assert found.hosts == ("localhost", "127.0.0.1")


def test_read_writes_nothing_and_keep_key_makes_sessions_outlast_a_start(tmp_path):
    first = Environment.read({"SILIAN_HOME": str(tmp_path / "home")})
    assert not first.home.exists()

    first.home.mkdir()
    first.keep_key()

    assert Environment.read({"SILIAN_HOME": str(first.home)}).secret_key == first.secret_key
    assert (first.home / "secret-key").stat().st_mode & 0o077 == 0


def test_read_takes_safe_production_settings(tmp_path):
    assert not Environment.read(SAFE | {"SILIAN_HOME": str(tmp_path)}).is_demo


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "https://silian.example.org"),
        ({"SILIAN_MODE": "demo"}, "http://silian.example.org"),
        ({"SILIAN_ADDRESS": "https://silian.example.org:8443/"}, "https://silian.example.org:8443"),
    ],
)
def test_letters_name_the_stated_address_or_the_first_host(given, address):
    assert Environment.read(SAFE | given).address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [("SILIAN_SECRET_KEY", ""), ("SILIAN_SECRET_KEY", "a" * 80), ("SILIAN_HOSTS", "*"), ("SILIAN_MAIL", "")],
)
def test_read_refuses_unsafe_production_and_names_the_setting(name, value):
    with pytest.raises(WebError, match=rf"web\.unsafe.*{name}"):
        Environment.read(SAFE | {name: value})


def test_read_names_every_unsafe_setting_at_once():
    with pytest.raises(WebError, match=r"SECRET_KEY.*HOSTS.*MAIL"):
        Environment.read({"SILIAN_MODE": "production", "SILIAN_HOSTS": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SILIAN_MODE", "debug"),
        ("SILIAN_OIDC", "http://issuer|a|b|c"),
        ("SILIAN_OIDC", "https://i|a"),
        ("SILIAN_SCAN", "scan 'unclosed"),
        ("SILIAN_ADDRESS", "silian.example.org"),
        ("SILIAN_ADDRESS", "https://silian.example.org/path"),
    ],
)
def test_read_says_what_a_variable_may_be(name, value):
    with pytest.raises(WebError, match=rf"web\.setting.*{name}"):
        Environment.read({name: value})


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgres://me:secret@db:5433/silian", {"NAME": "silian", "USER": "me", "HOST": "db", "PORT": "5433"}),
        ("postgres://a%40b:s%2Fe%3Ac@db/silian", {"USER": "a@b", "PASSWORD": "s/e:c", "HOST": "db"}),
        ("postgres://me@/silian?host=/run/postgresql", {"NAME": "silian", "HOST": "/run/postgresql", "PORT": ""}),
        ("sqlite:////srv/silian.sqlite3", {"NAME": "/srv/silian.sqlite3"}),
    ],
)
def test_databases_reads_the_address_of_a_database(url, wanted):
    found = Environment.read({"DATABASE_URL": url}).databases()

    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("url", ["mysql://me@db/silian", "postgres://me@db/"])
def test_databases_refuses_other_databases(url):
    with pytest.raises(WebError, match=r"web\.setting.*DATABASE_URL"):
        Environment.read({"DATABASE_URL": url}).databases()
