"""`silian chain map`: the graph of products as a picture and as levels."""

from __future__ import annotations

from pathlib import Path

import click

from silian.cli import _shown
from silian.cli._gaps import read_as_run, show_rows
from silian.cli._options import region_argument
from silian.cli._speech import language, say

PARTS = 5  # connected parts listed on the screen


@click.command(
    "map",
    help=say(
        "画产业链图谱（SVG、PNG），缺口标出，并写出每种产品的层级；产品多时按环节归并",
        "Draw the map of the chains (SVG, PNG) with the gaps marked and write the level of every product; a large "
        "graph is drawn by segment",
    ),
)
@region_argument
@click.option(
    "--language", "in_language", type=click.Choice(["zh", "en"]), default=language(), help=say("语言", "Language")
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help=say("写入的文件夹", "Folder for picture and tables")
)
def chain_map(region: Path, in_language: str, out: Path) -> None:
    """Draw the map."""
    from silian.pipeline import chains
    from silian.tables import schema

    console = _shown.console()
    with console.status(say("正在画图…", "drawing …")):
        level = chains.write_map(read_as_run(region), out, language=in_language)  # type: ignore[arg-type]
    show_rows(console, level.parts.head(PARTS), schema.chain()["chain_parts"])
    console.print(say(f"图与表写入 {out}", f"Picture and tables lie in {out}"))
