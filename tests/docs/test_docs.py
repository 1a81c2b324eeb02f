"""What the documentation says is so: the reference is complete, links lead somewhere, commands and examples run."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import isclass, isfunction
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from silian import cli, errors, pipeline
from silian.cli import _options
from silian.pipeline import STEPS, Plan, settings
from silian.tables import schema, synth
from silian.text.cache import cache_folder
from silian.web import environment

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(r"(?:<!-- run(?:: exit (\d+))? -->\n)?(^```)(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r"<!-- run(?:: exit (\d+))? -->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `exit` is the code that its last command must end with, None where it is not to be run."""

    page: str
    language: str
    text: str
    exit: int | None


def handwritten() -> list[Path]:
    """Every page that people wrote, README and the like included."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    marked = {found[2]: int(found[1] or 0) for found in MARKED.finditer(text)}
    found = [(match[3], match[4]) for match in FENCE.finditer(text)]
    shown = page.relative_to(ROOT).as_posix()
    return [Block(shown, kind, body, marked.get(body) if kind == "bash" else None) for kind, body in found]


def without_blocks(page: Path) -> str:
    """The text of a page between its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def headings(page: Path) -> list[int]:
    """The levels of the headings of a page, in order."""
    return [len(mark) for mark in re.findall(r"^(#+) ", without_blocks(page), re.MULTILINE)]


def twins() -> list[tuple[Path, Path]]:
    """Pages in English with their Chinese counterparts."""
    pairs = [(DOCS / path.relative_to(DOCS / "zh"), path) for path in sorted((DOCS / "zh").rglob("*.md"))]
    return [(ROOT / "README.md", ROOT / "README.zh.md"), *pairs]


@cache
def reference() -> ModuleType:
    """The script that makes the reference."""
    sys.path.insert(0, str(DOCS))
    try:
        return import_module("gen_reference")
    finally:
        sys.path.remove(str(DOCS))


@cache
def generated() -> dict[str, str]:
    """Every generated page: path under docs/ → Markdown."""
    made: dict[str, str] = reference().pages()
    return made


# ── the generated reference ──

SOURCES = [p for p in (ROOT / "src").rglob("*.py") if "tests" not in p.parts]


@cache
def page(name: str) -> str:
    return generated()[f"reference/{name}.md"]


@pytest.mark.parametrize(
    ("folder", "listed", "tables"),
    [
        ("data", "", schema.tables()),
        ("results", "", schema.results()),
        ("quality", "../quality/", schema.quality()),
        ("repair", "../repair/", schema.repair()),
        ("team", "../team/", schema.team()),
        ("chain", "../chain/", schema.chain()),
        ("linking", "../linking/", schema.linking()),
    ],
)
def test_every_table_has_a_page_with_every_column(folder, listed, tables):
    for table in tables.values():
        assert f"({listed}{table.name}.md)" in page(f"{'data' if folder == 'data' else 'results'}/index")
        for column in table.columns:
            lines = page(f"{folder}/{table.name}").splitlines()
            row = next(line for line in lines if line.startswith(f"| <a id='{column.name}'>"))
            for part in (column.label_zh, column.label_en, column.type, column.unit, column.meaning, column.meaning_zh):
                assert part in row, (table.name, column.name, part)


def test_every_code_is_in_its_list():
    for name, codes in schema.codes().items():
        section = page("codes").split(f"{{ #{name} }}")[1].split("\n## ")[0]
        for code, labels in codes.items():
            assert f"| `{code}` | {' | '.join(labels)} |" in section


def test_every_type_and_format_of_the_schema_is_explained():
    columns = [c for group in (schema.tables(), schema.results()) for t in group.values() for c in t.columns]

    assert set(reference().TYPES) == set(schema.POLARS_TYPES)
    assert {c.format for c in columns} - {None} == set(reference().FORMATS)


def test_every_setting_of_the_plan_is_explained():
    for name, field, _ in settings():
        row = next(line for line in page("plan").splitlines() if f"`{name}`" in line)
        assert field.metadata["meaning"] in row
        assert field.metadata["meaning_zh"] in row


def test_every_error_code_is_worded_in_both_languages():
    text = page("errors").replace("\\", "")
    for code, wordings in errors.MESSAGES.items():
        section = text.split(f"{{ #{code} }}")[1].split("\n## ")[0]
        assert all(wording in section for wording in wordings), code
    assert {code.partition(".")[0] for code in errors.MESSAGES} == set(reference().ERROR_ROOMS)
    assert all(f"`{kind.__name__}`" in text for kind in errors.SilianError.__subclasses__())


def test_every_command_and_option_is_told_in_both_languages():
    text = page("command-line")
    for name, command in cli.cli.commands.items():
        section = text.split(f"{{ #{name} }}")[1].split("\n## ")[0]
        for language in ("en", "zh"):
            told = next(c for c in reference().command_tree(language)["commands"] if c["name"] == name)
            assert reference().escaped(told["help"]) in section
        inner = getattr(command, "commands", {})
        for one in (command, *inner.values()):
            assert all(option in section for parameter in one.params for option in parameter.opts if "-" in option)
        assert all(f"### silian {name} {part}" in section for part in inner)


def test_exit_codes_are_those_of_the_command_line():
    used = {value for name, value in vars(_options).items() if name.startswith("EXIT_")}

    assert {code for code, _, _ in reference().EXIT_CODES} == used | {0, 2}


def test_every_environment_variable_that_is_read_is_explained():
    files = [*SOURCES, *(ROOT / "benchmarks").glob("*.py")]
    read = {name for file in files for name in re.findall(r"\bSILIAN_[A-Z_]+\b", file.read_text(encoding="utf-8"))}
    asks = re.compile(r"os\.environ(\.get\(|\[)(?!\"PROMETHEUS_MULTIPROC_DIR\")|getenv")  # that one `serve` sets itself
    asked = [line for file in SOURCES for line in file.read_text(encoding="utf-8").splitlines() if asks.search(line)]

    explained = {variable.name for variable in (*reference().VARIABLES, *environment.VARIABLES)}
    assert explained == read | {"DATABASE_URL"}
    assert all("SILIAN_" in line for line in asked), asked


def test_every_public_name_has_its_place_in_the_python_reference():
    text = "\n".join(body for name, body in generated().items() if name.startswith("reference/python/"))
    shown = set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))
    for module in re.findall(r"^::: (silian\S+)\n    options:\n.*\n      members: (\[.*\])$", text, re.MULTILINE):
        shown |= {f"{module[0]}.{name}" for name in re.findall(r'"(\w+)"', module[1])}
    for module in reference().modules():
        for name in reference().public_names(module):
            home = reference().home(module, name)
            assert f"{home}.{name}" in shown, (module, name)
            value = getattr(import_module(module), name)
            assert not (isclass(value) or isfunction(value)) or value.__doc__, f"{module}.{name} has no docstring"


def test_no_object_stands_twice_in_the_python_reference():
    text = "\n".join(body for name, body in generated().items() if name.startswith("reference/python/"))
    objects = re.findall(r"^::: (\S+)$", text, re.MULTILINE)

    assert len(objects) == len(set(objects))


def test_methods_tell_the_steps_as_they_are():
    text = (DOCS / "methods" / "pipeline.md").read_text(encoding="utf-8")
    for step in STEPS:
        row = next(line for line in text.splitlines() if line.startswith(f"| {step.name} |"))
        _, _, after, sections, gives, _ = (cell.strip() for cell in row.split("|"))
        assert tuple(filter(None, after.split(", "))) == step.after
        assert tuple(filter(None, sections.replace("`", "").split(", "))) == step.sections
        assert tuple(gives.replace("`", "").split(", ")) == step.gives


# ── the written pages ──

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
RUN_IN = [p for p in handwritten() if any(b.exit is not None or b.language == "python" for b in blocks(p))]
WITH_A_SITE = {"use-the-api.md"}  # its examples need a site: src/silian/web/api/tests/test_client.py runs them
ENGLISH = [p for p in RUN_IN if "zh" not in p.relative_to(ROOT).parts and p.name not in {"README.zh.md", *WITH_A_SITE}]


def anchors(text: str) -> set[str]:
    """Places of a page that a link may name: headings with their own id, marked places, plain headings."""
    plain = re.findall(r"^#+ ([A-Za-z][\w ,'-]*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in plain}
    return slugs | set(re.findall(r"\{ #([\w.-]+) \}", text)) | set(re.findall(r"<a id='([^']+)'>", text))


def pages() -> dict[Path, str]:
    """Every page by where it lies, the generated ones included."""
    written = {path: path.read_text(encoding="utf-8") for path in handwritten()}
    return written | {DOCS / name: text for name, text in generated().items()}


def test_internal_links_lead_somewhere():
    known = pages()
    broken = []
    for path in known:
        text = without_blocks(path) if path.exists() else known[path]
        for target in LINK.findall(text):
            if re.match(r"[a-z]+://", target):
                continue
            name, _, anchor = unquote(target).partition("#")
            there = (path.parent / name).resolve() if name else path
            if there not in known and not there.exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
            elif anchor and there in known and anchor not in anchors(known[there]) and not is_numbered(there, anchor):
                broken.append(f"{path.relative_to(ROOT)}: no place {target}")

    assert broken == []


def is_numbered(page: Path, anchor: str) -> bool:
    """Whether a heading in both languages makes that anchor: its letters of ASCII, joined."""
    heads = re.findall(r"^#+ (.+)$", pages()[page], re.MULTILINE)
    return anchor in {re.sub(r"\s+", "-", re.sub(r"[^\x00-\x7f]|[^\w\s-]", "", head).strip().lower()) for head in heads}


@pytest.mark.parametrize(("english", "chinese"), twins(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_chinese_page_has_the_headings_and_commands_of_the_english_one(english, chinese):
    assert headings(chinese) == headings(english)
    assert [(b.language, b.text, b.exit) for b in blocks(chinese) if b.language != "text"] == [
        (b.language, b.text, b.exit) for b in blocks(english) if b.language != "text"
    ]


def test_tutorial_and_how_to_have_a_chinese_counterpart():
    english = {p.relative_to(DOCS) for p in [DOCS / "index.md", DOCS / "tutorial.md", *(DOCS / "how-to").glob("*.md")]}

    assert {p.relative_to(DOCS / "zh") for p in (DOCS / "zh").rglob("*.md")} == english


@pytest.mark.parametrize("folder", ["methods", "decisions", "how-to"])
def test_index_names_every_page_of_its_folder(folder):
    text = (DOCS / folder / "index.md").read_text(encoding="utf-8")

    assert [p.name for p in (DOCS / folder).glob("*.md") if p.name != "index.md" and f"({p.name})" not in text] == []


@pytest.mark.parametrize(("name", "language"), [("tutorial.md", "en"), ("zh/tutorial.md", "zh")])
def test_tutorial_tells_every_section_of_the_report(name, language):
    words = (ROOT / "src/silian/report/page/words.csv").read_text(encoding="utf-8").splitlines()
    sections = [row[language] for row in csv.DictReader(words) if row["key"].startswith("nav.")]
    text = (DOCS / name).read_text(encoding="utf-8")

    assert sections
    assert [section for section in sections if f"**{section}**" not in text] == []


def test_pages_that_the_code_names_exist():
    named = {name for file in SOURCES for name in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text(encoding="utf-8"))}

    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_make_targets_that_the_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    commands = [b.text for path in handwritten() for b in blocks(path) if b.language == "bash"]

    named = {name for text in commands for name in re.findall(r"^(?:\w+=\S+ )*make ([a-z-]+)", text, re.MULTILINE)}
    named |= {name for path in handwritten() for name in re.findall(r"`make ([a-z-]+)", without_blocks(path))}

    assert named
    assert named <= targets


def test_silian_commands_that_the_pages_name_exist():
    commands = [b.text for path in handwritten() for b in blocks(path) if b.language == "bash"]

    named = {name for text in commands for name in re.findall(r"^silian ([a-z]+)", text, re.MULTILINE)}
    named |= {name for path in handwritten() for name in re.findall(r"`silian ([a-z]+)", without_blocks(path))}

    assert named
    assert named <= set(cli.cli.commands)


def test_settings_and_error_codes_that_the_pages_name_exist():
    known = {name for name, _, _ in settings()} | set(errors.MESSAGES)
    rooms = sorted({name.partition(".")[0] for name in known if "." in name})
    files = {".html", ".xlsx", ".csv", ".toml", ".json"}

    named = {
        found
        for path in handwritten()
        for found in re.findall(rf"`((?:{'|'.join(rooms)})\.[a-z0-9_]+)(?: = [^`]*)?`", without_blocks(path))
        if not any(found.endswith(ending) for ending in files)
    }

    assert named
    assert named <= known


@pytest.mark.parametrize(
    "written", [p for p in handwritten() if "toml" in {b.language for b in blocks(p)}], ids=lambda p: p.name
)
def test_plans_that_the_pages_show_can_be_read(written, tmp_path):
    for block in blocks(written):
        if block.language == "toml":
            (tmp_path / "plan.toml").write_text(block.text, encoding="utf-8")
            assert Plan.read(tmp_path / "plan.toml")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder with a tiny region and its run, which the how-to pages take as given."""
    folder = tmp_path_factory.mktemp("docs")
    synth.write(synth.make("tiny", seed=7), folder / "region")
    pipeline.run(folder / "region", folder / "run", plan=Plan.of({"report": {"charts": False}}))
    return folder


@pytest.mark.parametrize("written", ENGLISH, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_and_python_of_a_page_run(written, tmp_path, request):
    folder = tmp_path / "here"
    if written.name in ("README.md", "tutorial.md"):  # they begin with nothing
        folder.mkdir()
    else:
        shutil.copytree(request.getfixturevalue("made"), folder)

    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    environment["SILIAN_CACHE"] = str(cache_folder())  # each vector is made once for all pages
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script(written)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def script(page: Path) -> str:
    """The blocks of a page in order as one shell script; Python blocks in a row share a process, not their names."""
    parts = []
    wanted = [b for b in blocks(page) if b.language == "python" or b.exit is not None]
    for is_python, group in groupby(wanted, key=lambda b: b.language == "python"):
        if is_python:
            runs = "".join(f"exec(compile({b.text!r}, {b.page!r}, 'exec'), {{}})\n" for b in group)
            parts.append(f"python -W error - <<'END_OF_PYTHON'\n{runs}END_OF_PYTHON\n")
        else:
            parts += [expecting(b) for b in group]
    return "".join(parts)


def expecting(block: Block) -> str:
    """A shell block, with the exit code that it must end with."""
    if not block.exit:
        return block.text
    return f"(\nset +e\n{block.text}code=$?\n[ $code = {block.exit} ] || {{ echo exit $code; exit 1; }}\n)\n"


def test_built_pages_are_whole_searchable_and_ask_nothing_of_the_network(tmp_path):
    quiet = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    outside = re.compile(r"<(?:script|img|iframe|source)[^>]+src=\"?https?:|<link[^>]+stylesheet[^>]+https?:|@import")

    done = subprocess.run(command, cwd=ROOT, env=os.environ | quiet, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert {p.name for p in tmp_path.rglob("*.html") if outside.search(p.read_text(encoding="utf-8"))} == set()
    index = json.loads((tmp_path / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert {"专家", "需求", "成果"} <= {word for page in index["docs"] for word in page["text"].split("\u200b")}
    page = (tmp_path / "reference" / "python" / "allocate.html").read_text(encoding="utf-8")
    assert "need_id, expert_id, score; sorted by the two ids" in page  # the comment beside a field
