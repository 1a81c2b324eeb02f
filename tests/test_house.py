"""House rules that can be counted: sizes of files and functions, names, and no network."""

import ast
import re
import socket
import subprocess

import pytest
from places import ROOT, TINY

from silian import pipeline
from silian.pipeline import Plan

SOURCES = sorted(p for p in (ROOT / "src").rglob("*.py") if not {"tests", "migrations"} & set(p.parts))


def lines_without_docstring(function: ast.FunctionDef) -> int:
    has_docstring = ast.get_docstring(function) is not None
    docstring = function.body[0] if has_docstring else None
    inside = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
    return function.end_lineno - function.lineno + 1 - inside


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_no_file_is_over_600_lines():
    long = {p.name: n for p in SOURCES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 600}

    assert long == {}


def test_no_function_is_over_80_lines():
    long = {f"{p.name}:{f.name}": n for p in SOURCES for f in functions(p) if (n := lines_without_docstring(f)) > 80}

    assert long == {}


def test_no_room_is_called_utils():
    assert [p for p in SOURCES if re.search(r"util|common|helper|misc", p.stem)] == []


def test_nothing_is_left_to_do():
    marks = re.compile(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b")

    assert [p.name for p in SOURCES if marks.search(p.read_text(encoding="utf-8"))] == []


def test_no_registry_address_is_tracked():
    tracked = subprocess.check_output(["git", "ls-files", "-z"], text=True, cwd=ROOT).split("\0")
    wanted = (".txt", ".in", ".toml", ".cfg", ".yml", ".yaml")
    address = re.compile(r"index-url\s*=?\s*\S|find-links|https?://\S*(/simple|/packages/)")
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in tracked if name.endswith(wanted)}

    assert [name for name, text in texts.items() if address.search(text)] == []


def test_the_main_job_asks_nothing_of_the_network(tmp_path, monkeypatch):
    def refused(*arguments):
        pytest.fail(f"the main job opened a connection: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setenv("SILIAN_CACHE", str(tmp_path / "cache"))

    run = pipeline.run(TINY, tmp_path / "run", plan=Plan.of({"report": {"charts": False}}))

    assert (run.path / "report.html").exists()
