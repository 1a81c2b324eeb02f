"""What is given to the operator: units that bind, a container that is nobody's root, a front that tells the truth."""

import configparser
import re
from pathlib import Path

import pytest

from silian.web.environment import VARIABLES

DEPLOY = Path(__file__).parents[6] / "deploy"
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))


def unit(path):
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str
    found.read(path, encoding="utf-8")
    return found


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_a_unit_can_do_no_more_than_it_must(path):
    service = unit(path)["Service"]

    assert service["User"] == "silian"
    assert service["StateDirectory"] == "silian"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"):
        assert service[name] == "yes"
    assert service["ExecStart"].startswith("/opt/silian/.venv/bin/")


def test_the_site_comes_back_and_the_backup_comes_each_night():
    assert unit(DEPLOY / "systemd" / "silian.service")["Service"]["Restart"] == "always"
    assert unit(DEPLOY / "systemd" / "silian-backup.timer")["Timer"]["Persistent"] == "true"
    backup = unit(DEPLOY / "systemd" / "silian-backup.service")["Service"]
    assert backup["ReadWritePaths"] in backup["ExecStart"]


def test_the_example_of_settings_knows_no_variable_that_is_none():
    text = (DEPLOY / "systemd" / "silian.env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#? ?([A-Z_]+)=", text, re.MULTILINE))

    assert named <= {variable.name for variable in VARIABLES}
    assert {"SILIAN_MODE", "SILIAN_SECRET_KEY", "SILIAN_HOSTS", "SILIAN_MAIL", "SILIAN_PROXIES"} <= named


def test_the_container_runs_as_nobodys_root_and_looks_after_itself():
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    last = text.rpartition("\nFROM ")[2]

    assert re.search(r"^USER silian$", last, re.MULTILINE)
    assert "/health/ready" in last[last.index("HEALTHCHECK") :]
    assert last.index("USER silian") < last.index('CMD ["silian"')
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for name in copied.split():
            assert (DEPLOY.parent / name).exists(), name


def test_the_front_tells_who_asks_and_hides_what_is_for_the_operator():
    site = (DEPLOY / "nginx" / "silian.conf").read_text(encoding="utf-8")
    proxy = (DEPLOY / "nginx" / "silian-proxy.conf").read_text(encoding="utf-8")

    for line in ("X-Forwarded-For $remote_addr", "X-Forwarded-Proto $scheme", "Host $host"):
        assert f"proxy_set_header {line};" in proxy
    for address in ("/metrics", "/health/ready"):
        assert f"location = {address} {{ return 404; }}" in site
    assert "TLSv1.2 TLSv1.3" in site
    assert site.count("{") == site.count("}")
