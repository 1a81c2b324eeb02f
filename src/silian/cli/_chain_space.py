"""`silian chain space`: the product space and the matrix of places and activities as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from silian.cli import _shown
from silian.cli._chain import SOURCE, source_options
from silian.cli._speech import language, say


@click.command(
    "space",
    help=say(
        "画产品空间与地区×产业矩阵（一个网页、SVG 与各表 CSV）；产业多时归并为组。\n\n",
        "Draw the product space and the matrix place × activity (one page, SVG, tables as CSV); many activities are "
        "put together into groups.\n\n",
    )
    + SOURCE,
)
@source_options
@click.option("--place", help=say("标出该地区已有的产业", "Mark the activities of this place"))
@click.option("--year", type=int, help=say("所画年份；省略则为最后一年", "Year that is drawn; the last if left out"))
@click.option(
    "--order",
    type=click.Choice(["complexity", "nested"]),
    default="complexity",
    show_default=True,
    help=say(
        "矩阵次序：按复杂度，或按多样性与普遍性", "Order of the matrix: by complexity, or by diversity and ubiquity"
    ),
)
@click.option(
    "--least-advantage",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help=say("有数值时，RCA 至少为多少才算已有", "With values: the RCA from which an activity counts as present"),
)
@click.option(
    "--language", "in_language", type=click.Choice(["zh", "en"]), default=language, help=say("语言", "Language")
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help=say("写入的文件夹", "Folder for page and tables")
)
def chain_space(
    source: Path,
    of: Any,
    *,
    place: str | None,
    year: int | None,
    order: Any,
    least_advantage: float,
    in_language: Any,
    out: Path,
) -> None:
    """Draw the product space and the matrix."""
    from silian.pipeline import spaces

    console = _shown.console()
    with console.status(say("正在画图…", "drawing …")):
        drawn = spaces.write_space(
            source,
            out,
            of=of,
            place=place,
            year=year,
            order=order,
            least_advantage=least_advantage,
            language=in_language,
        )
    listed, nodes = drawn.activities.height, drawn.nodes.height
    if listed < 2:
        click.echo(
            say("产业不足两种：产品空间没有连线", "Fewer than two activities: the product space has no links"), err=True
        )
    told = say(
        f"{drawn.places.height:,} 个地区，{listed:,} 种产业，图中 {nodes:,} 个节点、{drawn.links.height:,} 条连线",
        f"{drawn.places.height:,} places, {listed:,} activities; {nodes:,} nodes, {drawn.links.height:,} links drawn",
    )
    click.echo(told)
    console.print(say(f"网页与表写入 {out}", f"Page and tables lie in {out}"))
