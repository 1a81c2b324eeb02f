"""`silian match`: matches, one question, an index, measured quality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian.cli import _shown
from silian.cli._options import Default, do_job, plan_option, region_argument, run_options
from silian.cli._progress import opened_bars
from silian.cli._speech import language, say

if TYPE_CHECKING:
    from collections.abc import Callable


@click.group(
    cls=Default,
    help=say(
        "匹配需求与成果、专家；评估匹配质量。silian match REGION 即 silian match run REGION",
        "Match needs with achievements and experts; measure how well. silian match REGION is silian match run REGION",
    ),
)
def match() -> None:
    """Commands of matching."""


@match.command("run", help=say("只做需求与成果、专家的匹配", "Only match needs with achievements and experts"))
@run_options
def match_run(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Match only."""
    do_job(region, plan_path, out, fresh=fresh, where=where, only=("achievements", "experts"))


def of_option(meaning: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--of: achievements or experts; None where it is left out."""
    return click.option("--of", type=click.Choice(["achievements", "experts"]), help=meaning)


@match.command(
    "ask",
    help=say(
        "输入一段话，立即列出最匹配的成果或专家。\n\n"
        "只给 REGION 则现建索引；给出 --index 则查询已保存的索引，不必给 REGION。索引只存编号，"
        "同时给出 REGION 才显示名称。",
        "Type a text and see the achievements or experts that fit it best.\n\n"
        "REGION alone is indexed on the spot; --index asks a saved index and needs no REGION. An index holds ids only: "
        "names are shown where REGION is given too.",
    ),
)
@click.argument("region", nargs=-1, type=click.Path(path_type=Path), metavar="[REGION]")
@click.argument("text")
@of_option(
    say(
        "匹配成果还是专家；省略则为成果，或为 --index 所存者",
        "What to match with; achievements, or what --index holds, if left out",
    )
)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path),
    help=say("silian match index 写成的索引文件", "Index file that silian match index wrote"),
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help=say("列出几项", "How many"))
@plan_option
def match_ask(
    region: tuple[Path, ...], text: str, of: Any, index_path: Path | None, top: int, plan_path: Path | None
) -> None:
    """Match one text."""
    if len(region) > 1 or not (region or index_path):
        told = "请给出一个 REGION 和 TEXT；有 --index 时可省略 REGION", "Give one REGION, or --index, and a TEXT"
        raise click.UsageError(say(*told))
    if index_path and plan_path:
        raise click.UsageError(say("--index 已定，不能再用 --plan", "--index is built already: --plan has no say"))
    from silian import pipeline, tables
    from silian.pipeline.asking import ask_index
    from silian.pipeline.indexes import check_kind, index_of
    from silian.pipeline.reading import read_usable

    console = _shown.console()
    with console.status(say("正在匹配…", "matching …")):
        plan_ = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
        given = read_usable(region[0], plan_) if region else None
        if index_path:
            index = pipeline.open_index(index_path)
            check_kind(index, of or index.kind)
        else:
            index = index_of(given or tables.Region.of({}), of or "achievements", plan_)
        found = ask_index(index, text, region=given, top_k=top)
    _shown.show_answers(console, found, is_named=bool(region))


@match.command(
    "index",
    help=say(
        "建立成果或专家的索引并存为文件，供 silian match ask --index 及程序反复查询。\n\n"
        "文件中已有索引时，只补入区域中新增和改动的部分；区域中已没有的仍保留。",
        "Build an index of the achievements or experts and keep it in a file, for silian match ask --index and for "
        "programs.\n\nWhere the file holds an index already, what is new or edited in the region is brought into it; "
        "what the region no longer has stays.",
    ),
)
@region_argument
@of_option(say("成果还是专家的索引；省略则为成果", "Index of what; achievements if left out"))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help=say("索引文件，如 achievements.index", "File of the index, such as achievements.index"),
)
@click.option(
    "--replace",
    is_flag=True,
    help=say(
        "重新建立，替换文件中的索引（包括已损坏或由其他版本写成的）",
        "Build anew and replace the index in the file, a broken one or one of another version too",
    ),
)
@plan_option
def match_index(region: Path, of: Any, out: Path, plan_path: Path | None, *, replace: bool) -> None:
    """Build or extend an index."""
    from silian import pipeline
    from silian.pipeline.indexes import keep_index
    from silian.pipeline.reading import read_usable

    console = _shown.console()
    plan_ = pipeline.Plan.read(plan_path) if plan_path else None
    with opened_bars(console) as progress:
        progress.step("load", 0)
        given = read_usable(region, plan_ or pipeline.Plan())
        progress.step("index", 0)
        kept = keep_index(given, out, of=of or "achievements", plan=plan_, replace=replace)
    _shown.show_kept(console, kept, out)


@match.command(
    "evaluate",
    help=say(
        "用区域自带的匹配评级（labels）评估质量：每次留出一部分，用其余的学习",
        "Measure quality on the region's own labels: learn from some, grade the others, fold by fold",
    ),
)
@region_argument
@plan_option
@click.option(
    "--split",
    "splits",
    type=click.Choice(["title", "pair"]),
    multiple=True,
    default=["title", "pair"],
    show_default=True,
    help=say(
        "留出方式：title 为全新需求，pair 为已知需求的新配对", "title: needs never seen; pair: new pairs of known needs"
    ),
)
@click.option(
    "--folds", type=click.IntRange(2, 100), default=5, show_default=True, help=say("分成几折", "Folds to deal out")
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=say("写入表格与可靠性图的文件夹", "Folder for the tables and the reliability pictures"),
)
def match_evaluate(region: Path, plan_path: Path | None, splits: tuple[Any, ...], folds: int, out: Path | None) -> None:
    """Measure matching."""
    from silian import pipeline
    from silian.pipeline import quality
    from silian.pipeline.reading import read_usable

    console = _shown.console()
    plan_ = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
    chosen = tuple(dict.fromkeys(splits))
    with opened_bars(console) as progress:
        given = read_usable(region, plan_)
        progress.step("evaluate", quality.steps(chosen, folds))
        found = quality.evaluate_matching(given, plan=plan_, splits=chosen, folds=folds, on_step=progress.advance)
    if out is not None:
        quality.write_quality(found, out, language=language())
    _shown.show_measures(console, quality.quality_tables(found)["measures"])
    if out is not None:
        console.print(say(f"表格与图：{out}", f"Tables and pictures: {out}"))
