"""`silian chain`: complexity of places and activities, which blanks will fill, how well that was foreseen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian.cli import _shown
from silian.cli._options import Group
from silian.cli._progress import opened_bars
from silian.cli._speech import say

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from silian.engines.chain import Backtest, Complexity

SOURCE = say(
    "SOURCE 为表格文件（列：place 地区、activity 产业、year 年份、value 数值或 present 是否已有），"
    "或区域数据文件夹（地区为区县）。",
    "SOURCE is a table (columns place, activity, year, value or present), or the folder of a region, whose places are "
    "its districts.",
)


@click.group(
    cls=Group,
    help=say(
        "产业链分析：地区与产业的复杂度、哪些空白会被填补、预测的回溯检验",
        "Chains: complexity of places and activities, which blanks will fill, how well that would have been foreseen",
    ),
)
def chain() -> None:
    """Commands about chains."""


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """SOURCE, and --of for a region."""
    of = click.option(
        "--of",
        type=click.Choice(["industries", "products"]),
        default="industries",
        show_default=True,
        help=say(
            "区域数据以机构的行业还是所产产品为产业", "Of a region: the industries of its bodies, or what they make"
        ),
    )
    return click.argument("source", type=click.Path(path_type=Path))(of(command))


def forecast_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--horizon, --links, --digits."""
    horizon = click.option(
        "--horizon",
        type=click.IntRange(1, 100),
        default=5,
        show_default=True,
        help=say("几年之内", "Within how many years"),
    )
    links = click.option(
        "--links",
        type=click.Path(path_type=Path),
        help=say(
            "产业关联表（列：activity、other、kind、weight）；kind 以 group 开头表示所属类别",
            "Table of links (activity, other, kind, weight); a kind that begins with group names a group",
        ),
    )
    digits = click.option(
        "--digits",
        type=click.IntRange(1, 20),
        multiple=True,
        help=say(
            "产业代码的前几位为一类，可多次，如 --digits 2 --digits 4",
            "So many first characters of the activity's code are its group; may be repeated, as --digits 2 --digits 4",
        ),
    )
    return horizon(links(digits(command)))


@chain.command(
    "complexity",
    help=say("计算经济复杂度指标：RCA、ECI、PCI、邻近度、密度、适合度、前景。\n\n", "Measure complexity.\n\n") + SOURCE,
)
@source_options
@click.option(
    "--least-advantage",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help=say("有数值时，RCA 至少为多少才算已有", "With values: the RCA from which an activity counts as present"),
)
@click.option(
    "--proximity",
    "nearest",
    type=click.FloatRange(0, 1),
    help=say("同时写出邻近度不低于此值的产业对", "Also write the pairs of activities with at least this proximity"),
)
@click.option(
    "--top", type=click.IntRange(0), default=10, show_default=True, help=say("各显示几行", "Rows shown of each")
)
@click.option(
    "--out", type=click.Path(path_type=Path), help=say("写入各表的文件夹（CSV）", "Folder for the tables (CSV)")
)
def complexity(
    source: Path, of: Any, *, least_advantage: float, nearest: float | None, top: int, out: Path | None
) -> None:
    """Measure complexity."""
    from silian.engines import chain as engine
    from silian.pipeline import blanks

    console = _shown.console()
    with console.status(say("正在读取…", "reading …")) as status:
        rows = blanks.placed(blanks.read_presence(source, of=of))
        status.update(say("正在计算复杂度…", "measuring complexity …"))
        found = engine.complexity(rows, least_advantage=least_advantage)
        if out is not None:
            made = {f"complexity_{n}": getattr(found, n) for n in ("places", "activities", "pairs", "years")}
            if nearest is not None:
                made["proximity"] = engine.proximity(rows, at_least=nearest, least_advantage=least_advantage)
            blanks.write_tables(made, out)
    _show_complexity(found, top)
    if out is not None:
        console.print(say(f"已写入 {out}", f"Written to {out}"))


@chain.command(
    "forecast",
    help=say("估计每个空白在若干年内被填补的概率。\n\n", "Estimate the chance of every blank to be filled.\n\n")
    + SOURCE,
)
@source_options
@click.option(
    "--until",
    type=int,
    help=say("已知的最后一年；省略则为数据中的最后一年", "Last year that is known; that of the data if left out"),
)
@forecast_options
@click.option(
    "--place", "places", multiple=True, help=say("只显示这些地区，可多次", "Show these places only; may be repeated")
)
@click.option("--top", type=click.IntRange(0), default=20, show_default=True, help=say("显示几行", "Rows shown"))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=say("写入全部空白的文件（.csv 或 .parquet）", "File for all blanks (.csv or .parquet)"),
)
def forecast(
    source: Path,
    of: Any,
    until: int | None,
    horizon: int,
    *,
    links: Path | None,
    digits: tuple[int, ...],
    places: tuple[str, ...],
    top: int,
    out: Path | None,
) -> None:
    """Forecast blanks."""
    import polars as pl

    from silian.engines import chain as engine
    from silian.pipeline import blanks

    console = _shown.console()
    with console.status(say("正在读取…", "reading …")) as status:
        rows = blanks.dated(blanks.read_presence(source, of=of))
        last = until if until is not None else int(rows.presence["year"].max() or 0)  # type: ignore[arg-type]
        linked = blanks.read_links(links, rows.presence["activity"], digits)
        status.update(say("正在学习与预测…", "learning and forecasting …"))
        found = engine.forecast(rows.presence, until=last, horizon=horizon, links=linked, parts=True)
        if out is not None:
            blanks.write_table("forecast", found, out)
    _show_left_out(rows.without_year)
    shown = found.filter(pl.col("place").is_in(list(places))) if places else found
    expected = float(found["probability"].sum())
    title = say(
        f"{last} 年的 {found.height:,} 个空白，{horizon} 年内被填补的概率；预计填补 {expected:,.0f} 个",
        f"{found.height:,} blanks of {last}, chance to be filled within {horizon} year(s); {expected:,.0f} expected",
    )
    best = shown.sort("probability", "place", "activity", descending=[True, False, False]).head(top)
    _show("forecast", best, title)
    if out is not None:
        console.print(say(f"已写入 {out}", f"Written to {out}"))


@chain.command(
    "backtest",
    help=say(
        "回溯检验：从过去各年预测，只用当时已知的数据，与后来的实际对照，并列出朴素方法。\n\n",
        "Forecast from past years with what was known then, compare with what came, beside naive methods.\n\n",
    )
    + SOURCE,
)
@source_options
@click.option(
    "--first", type=int, help=say("第一个起点年；省略则为最后一个之前十年", "First origin; ten years before the last")
)
@click.option(
    "--last",
    type=int,
    help=say("最后一个起点年；省略则为结果已知的最近一年", "Last origin; the last with a known outcome"),
)
@forecast_options
@click.option(
    "--out", type=click.Path(path_type=Path), help=say("写入各表的文件夹（CSV）", "Folder for the tables (CSV)")
)
def backtest(
    source: Path,
    of: Any,
    first: int | None,
    last: int | None,
    *,
    horizon: int,
    links: Path | None,
    digits: tuple[int, ...],
    out: Path | None,
) -> None:
    """Back-test forecasts."""
    from silian.engines import chain as engine
    from silian.pipeline import blanks

    console = _shown.console()
    with opened_bars(console) as progress:
        progress.step("load", 0)
        rows = blanks.dated(blanks.read_presence(source, of=of))
        years = rows.presence["year"]
        latest = last if last is not None else int(years.max() or 0) - horizon  # type: ignore[arg-type]
        earliest = first if first is not None else max(latest - 10, int(years.min() or 0) + 2)  # type: ignore[arg-type]
        origins = range(earliest, latest + 1)
        linked = blanks.read_links(links, rows.presence["activity"], digits)
        progress.step("backtest", len(origins))
        done = engine.backtest(
            rows.presence, origins=origins, horizon=horizon, links=linked, on_origin=lambda _: progress.advance(1)
        )
        if out is not None:
            made = {f"backtest_{n}": getattr(done, n) for n in ("scores", "calibration", "weights")}
            blanks.write_tables(made, out)
    _show_left_out(rows.without_year)
    _show_backtest(done, horizon)
    if out is not None:
        console.print(say(f"已写入 {out}", f"Written to {out}"))


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────────


def _show(name: str, rows: pl.DataFrame, title: str) -> None:
    """Rows of a table of the schema under its labels; columns that are all empty are left out."""
    from rich.markup import escape
    from rich.table import Table

    from silian.cli._speech import language
    from silian.tables import schema

    columns = [c for c in rows.columns if rows.is_empty() or rows[c].count()]
    table = Table(title=title, title_justify="left")
    for column in columns:
        is_number = rows.schema[column].is_numeric()
        table.add_column(schema.chain()[name][column].label(language()), justify="right" if is_number else "left")
    for row in rows.select(columns).iter_rows():
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else escape(str("" if v is None else v)) for v in row))
    _shown.console().print(table)


def _show_complexity(found: Complexity, top: int) -> None:
    import polars as pl

    year = found.years["year"][-1]
    for name, key, told in (
        ("complexity_places", "eci", say("最复杂的地区", "Most complex places")),
        ("complexity_activities", "pci", say("最复杂的产业", "Most complex activities")),
    ):
        rows = found.places if key == "eci" else found.activities
        of_year = rows.filter(pl.col("year").eq_missing(year)).drop("year", "part")
        best = of_year.sort(key, of_year.columns[0], descending=[True, False], nulls_last=True).head(top)
        _show(name, best, told + ("" if year is None else f" · {year}"))
    last = found.years.row(-1, named=True)
    if not last["eci_is_defined"]:
        click.echo(
            say("ECI 无定义：没有唯一的第二特征向量", "ECI is not defined: no eigenvector is the second"), err=True
        )
    if last["parts"] > 1:
        told = say(
            "数据分为 {} 个互不相连的部分：ECI 与 PCI 只对最大的一个",
            "The data fall into {} parts: ECI and PCI are of the largest",
        )
        click.echo(told.format(last["parts"]), err=True)
    if not last["fitness_is_settled"]:
        told = say("适合度 {} 步后仍未稳定", "Fitness has not settled after {} steps")
        click.echo(told.format(last["fitness_steps"]), err=True)


def _show_left_out(rows: int) -> None:
    if rows:
        told = say("{:,} 行没有年份，未计入", "{:,} row(s) without a year were left out")
        click.echo(told.format(rows), err=True)


def _show_backtest(done: Backtest, horizon: int) -> None:
    from rich.table import Table

    from silian.cli._speech import language
    from silian.tables import schema

    position = 0 if language() == "zh" else 1
    names = {code: labels[position] for code, labels in schema.codes()["backtest_method"].items()}
    title = say(
        f"{horizon} 年内填补的空白：AUC / 平均精度", f"Blanks filled within {horizon} year(s): AUC / average precision"
    )
    table = Table(title=title, title_justify="left")
    for heading in (say("起点年", "origin"), say("空白", "blanks"), say("填补", "filled"), say("预期", "expected")):
        table.add_column(heading, justify="right")
    for name in names.values():
        table.add_column(name, justify="right")
    for (origin,), rows in done.scores.group_by("origin", maintain_order=True):
        first = rows.row(0, named=True)
        cells = ["–" if row["auc"] is None else f"{row['auc']:.3f} / {row['ap']:.3f}" for row in rows.to_dicts()]
        table.add_row(str(origin), f"{first['blanks']:,}", f"{first['filled']:,}", f"{first['expected']:,.0f}", *cells)
    _shown.console().print(table)
