"""Navigation of the generated pages: lists that begin with an index page are filled from the schema and the code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import gen_reference

from silian.tables import schema

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the navigation; every decision and method page that exists is listed too."""
    docs = Path(config.docs_dir)
    grown = {
        "reference/data/index.md": [{_label(t): f"reference/data/{t.name}.md"} for t in schema.tables().values()],
        "reference/results/index.md": [
            *({_label(t): f"reference/results/{t.name}.md"} for t in schema.results().values()),
            *({_label(t): f"reference/quality/{t.name}.md"} for t in schema.quality().values()),
            *({_label(t): f"reference/repair/{t.name}.md"} for t in schema.repair().values()),
            *({_label(t): f"reference/team/{t.name}.md"} for t in schema.team().values()),
            *({_label(t): f"reference/chain/{t.name}.md"} for t in schema.chain().values()),
            *({_label(t): f"reference/linking/{t.name}.md"} for t in schema.linking().values()),
        ],
        "reference/python/index.md": [{room: f"reference/python/{room}.md"} for room in gen_reference.rooms()],
        "decisions/index.md": [
            *(f"decisions/{path.name}" for path in sorted((docs / "decisions").glob("0*.md"))),
            {"Template": "decisions/template.md"},
        ],
        "methods/index.md": [f"methods/{path.name}" for path in sorted((docs / "methods").glob("*.md"))],
    }
    _grow(config.nav, grown)
    return config


def _grow(nav: list[Any], grown: dict[str, list[Any]]) -> None:
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else ():
            if isinstance(value, list):
                listed = {str(page) for item in value for page in (item.values() if isinstance(item, dict) else [item])}
                for index in [page for page in value if isinstance(page, str) and page in grown]:
                    value += [page for page in grown[index] if not _paths(page) & (listed | {index})]
                _grow(value, grown)


def _paths(page: Any) -> set[str]:
    return set(page.values()) if isinstance(page, dict) else {page}


def _label(table: schema.Table) -> str:
    return f"{table.name} {table.label_zh}"
