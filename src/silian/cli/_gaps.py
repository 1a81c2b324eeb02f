"""`silian gaps`: what the chains lack, a page for each gap, the links made clean, what a change would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from silian.cli import _shown
from silian.cli._options import Default, do_job, region_argument, run_options
from silian.cli._speech import language, say

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from silian.tables import Region
    from silian.tables.schema import Table

MOST = 20  # rows of a list on the screen


@click.group(
    cls=Default,
    help=say(
        "找产业链的断档、空白、外流与单点。silian gaps REGION 即 silian gaps run REGION",
        "Breaks, blanks, outflows and single points of the chains. silian gaps REGION is silian gaps run REGION",
    ),
)
def gaps() -> None:
    """Commands of gaps."""


@gaps.command("run", help=say("只找产业链缺口及可补链者", "Only find the gaps of the chains and who could fill them"))
@run_options
def gaps_run(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Find chain gaps only."""
    do_job(region, plan_path, out, fresh=fresh, where=where, only=("chain",))


@gaps.command(
    "brief",
    help=say(
        "每个缺口一页简报，可打印：依据、得分构成、可引进与可延伸的企业、成果、专家。\n\n"
        "RUN 为已完成的运行结果；PRODUCT 为产品编号，省略则取最紧迫的若干缺口。",
        "A page for each gap, to print: evidence, parts of the score, firms to attract and to extend, achievements, "
        "experts.\n\nRUN is a finished run; PRODUCT is an id, without it the most pressing gaps are taken.",
    ),
)
@region_argument
@click.argument("run_path", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("products", metavar="[PRODUCT]...", nargs=-1)
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help=say("缺口数", "Gaps"))
@click.option("--language", "in_language", type=click.Choice(["zh", "en"]), default=language(),
              help=say("语言", "Language"))  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help=say("HTML 文件", "HTML file"))
def gaps_brief(region: Path, run_path: Path, products: tuple[str, ...], most: int, in_language: str, out: Path) -> None:
    """Write the pages."""
    from silian.pipeline import Run, chains

    console = _shown.console()
    with console.status(say("正在写简报…", "writing the pages …")):
        run = Run.open(run_path)
        chains.write_briefs(read_as_run(region), run, out, products=products, most=most, language=in_language)  # type: ignore[arg-type]
    console.print(say(f"简报已写入 {out}", f"The pages lie in {out}"))


@gaps.command(
    "clean",
    help=say(
        "清洗产品上下游关系：自环、重复、互为投入、细类与投入混淆、工序与菜品、不合理的权重。"
        "每条删除或改动都列出规则与行号，原数据不改动。",
        "Make product links fit for use: loops, repeats, inputs of each other, kinds taken for inputs, processes and "
        "dishes, weights that are no shares. Every link dropped or changed is listed with its rule and row; the "
        "region's own files stay as they are.",
    ),
)
@region_argument
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help=say("写入的文件夹（CSV）", "Folder for the tables (CSV)"))  # fmt: skip
def gaps_clean(region: Path, out: Path) -> None:
    """Clean the links."""
    from silian.pipeline import chains
    from silian.tables import schema

    console = _shown.console()
    with console.status(say("正在清洗…", "cleaning …")):
        given = read_as_run(region)
        done = chains.cleaned(given)
        found = {"product_links": done.product_links, "link_changes": done.changes, "link_rules": done.rules}
        chains.write_tables(found, out)
    show_rows(console, done.rules.filter(done.rules["links"] > 0), schema.chain()["link_rules"])
    before, after = given["product_links"].height, done.product_links.height
    console.print(
        say(
            f"关系 {before:,} 条，留下 {after:,} 条；已写入 {out}",
            f"{after:,} of {before:,} links stay; written to {out}",
        )
    )


@gaps.command(
    "what-if",
    help=say(
        "假设某企业开始生产某产品，或某企业离开，缺口会如何变化",
        "What would happen to the gaps if a firm made a product, or left",
    ),
)
@region_argument
@click.option(
    "--fill",
    type=(str, str),
    multiple=True,
    metavar="ORG PRODUCT",
    help=say(
        "该机构开始生产该产品，可多次；机构可以是新的",
        "The organisation, old or new, makes the product; may be repeated",
    ),
)
@click.option(
    "--lose",
    multiple=True,
    metavar="ORG",
    help=say("该机构不再生产，可多次", "The organisation makes nothing any more; may be repeated"),
)
@click.option("--out", type=click.Path(path_type=Path), help=say("写入的文件夹（CSV）", "Folder for the tables (CSV)"))
def gaps_what_if(region: Path, fill: tuple[tuple[str, str], ...], lose: tuple[str, ...], out: Path | None) -> None:
    """Compare before and after."""
    from silian.pipeline import chains
    from silian.tables import schema

    if not (fill or lose):
        raise click.UsageError(say("请给出 --fill 或 --lose", "Give --fill or --lose"))
    console = _shown.console()
    with console.status(say("正在比较…", "comparing …")):
        given = read_as_run(region)
        done = chains.what_if(given, fill=fill, lose=lose)
        if out is not None:
            chains.write_tables({"what_if_gaps": done.gaps, "what_if_figures": done.figures}, out)
    show_rows(console, done.figures.drop_nulls(), schema.chain()["what_if_figures"])
    show_rows(console, _named(done.gaps.head(MOST), given), schema.chain()["what_if_gaps"])
    if done.gaps.height > MOST:
        left = done.gaps.height - MOST
        console.print(say(f"另有 {left:,} 项；用 --out 写出全部", f"{left:,} more; --out writes all of them"))
    if out is not None:
        console.print(say(f"已写入 {out}", f"Written to {out}"))


def show_rows(console: Console, found: pl.DataFrame, schema: Table) -> None:
    """A table with the labels of its schema; codes in words."""
    from rich.table import Table as Grid

    from silian.tables.schema import codes

    if found.is_empty():
        return
    at = 0 if language() == "zh" else 1
    grid = Grid(box=None, header_style="bold")
    for name in found.columns:
        is_number = found.schema[name].is_numeric()
        grid.add_column(schema[name].label(language()), justify="right" if is_number else "left", overflow="fold")
    for row in found.iter_rows():
        said = []
        for name, value in zip(found.columns, row, strict=True):
            listed = codes()[schema[name].codes or ""] if schema[name].codes else {}
            shown = (
                "" if value is None else f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
            )
            said.append(listed[value][at] if value in listed else f"{shown}".replace("[", "\\["))
        grid.add_row(*said)
    console.print(grid)


def _named(found: pl.DataFrame, region: Region) -> pl.DataFrame:
    """Products by their names and ids."""
    import polars as pl

    names = region["products"].select("product_id", "name")
    told = pl.concat_str("name", pl.format("({})", "product_id"), separator=" ", ignore_nulls=True)
    return (
        found.join(names, on="product_id", how="left", maintain_order="left").with_columns(product_id=told).drop("name")
    )


def read_as_run(region: Path) -> Region:
    """The region as a run works with it."""
    from silian.pipeline import Plan
    from silian.pipeline.reading import read_usable

    return read_usable(region, Plan())
