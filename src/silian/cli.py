"""The command line. Heavy parts are imported inside the commands, so that --help answers at once."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian import __version__
from silian.errors import Language, RunError, SilianError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl
    from rich.console import Console

    from silian.compute import Runner
    from silian.pipeline import Plan, Run
    from silian.pipeline.steps import Progress

LANGUAGE: Language = "en" if os.environ.get("SILIAN_LANG", "zh").lower().startswith("en") else "zh"
EXIT_ERROR, EXIT_GRAVE, EXIT_STOPPED = 1, 3, 130
SIZES = ("tiny", "county", "city", "province")
STEP_NAMES = {
    "load": ("读取数据", "read"),
    "check": ("检查数据", "check"),
    "link": ("识别重复机构", "link organisations"),
    "conflicts": ("查找利益冲突", "find conflicts of interest"),
    "achievements": ("匹配成果", "match achievements"),
    "experts": ("匹配专家", "match experts"),
    "exposure": ("统计曝光", "count exposure"),
    "allocate": ("指派专家", "assign experts"),
    "chain": ("分析产业链", "find chain gaps"),
    "summary": ("汇总", "summarise"),
    "report": ("生成报告", "write the report"),
    "evaluate": ("评估匹配质量", "measure matching"),
}


def say(chinese: str, english: str) -> str:
    """The text in the language of this process (SILIAN_LANG=zh|en)."""
    return chinese if LANGUAGE == "zh" else english


class Group(click.Group):
    """Commands whose errors end in one clear line and a documented exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn an error made on purpose into a line and a code."""
        try:
            return super().invoke(ctx)
        except SilianError as error:
            _show_error(error)
            ctx.exit(EXIT_GRAVE if error.code == "run.grave" else EXIT_ERROR)
        except KeyboardInterrupt:
            text = say(
                "已停止。已完成的步骤会保留，重新运行即可继续。",
                "Stopped. Finished steps are kept; run again to go on.",
            )
            click.echo(f"\n{text}", err=True)
            ctx.exit(EXIT_STOPPED)


def main() -> None:
    """Run the command line; the entry point of `silian`."""
    cli(prog_name="silian")


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=say(
        "四链（Silian）：把一个区域的创新链、产业链、资金链、人才链连接起来。\n\n"
        "先试：silian synth --out region，再 silian run region --out run。英文界面：SILIAN_LANG=en。",
        "Silian (四链) joins a region's innovation, industry, capital and talent chains.\n\n"
        "Try: silian synth --out region, then silian run region --out run. 中文界面：SILIAN_LANG=zh.",
    ),
    epilog=say(
        "退出码：0 成功；1 有说明的错误；2 用法错误；3 数据有严重问题；130 被中断。",
        "Exit codes: 0 done; 1 an error that says what to do; 2 wrong usage; 3 grave problems in data; 130 stopped.",
    ),
)
@click.version_option(__version__, prog_name="silian")
def cli() -> None:
    """Every command of silian."""


def region_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """REGION: a folder or workbook."""
    return click.argument("region", type=click.Path(path_type=Path))(command)


def plan_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--plan: a file of settings."""
    return click.option(
        "--plan",
        "plan_path",
        type=click.Path(path_type=Path),
        help=say(
            "方案文件（TOML）；省略则用默认方案，见 silian plan",
            "Plan file (TOML); without it the default plan, see silian plan",
        ),
    )(command)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that every command with a run folder has."""
    out = click.option(
        "--out", type=click.Path(path_type=Path), required=True, help=say("结果文件夹", "Folder for the results")
    )
    fresh = click.option(
        "--fresh",
        is_flag=True,
        help=say("全部重算，不沿用已完成的步骤", "Do every step anew instead of taking over finished ones"),
    )
    where = click.option(
        "--run",
        "where",
        default="local",
        show_default=True,
        metavar="WHERE",
        help=say(
            "在何处运行：local（本进程）、ray:local[:进程数]、ray://主机:端口；结果相同",
            "Where it runs: local (this process), ray:local[:workers], ray://host:port; results are the same",
        ),
    )
    return region_argument(plan_option(out(fresh(where(command)))))


@cli.command(help=say("写出空白的 Excel 数据模板", "Write an empty Excel workbook for a region's data"))
@click.argument("path", type=click.Path(path_type=Path), default=Path("silian-template.xlsx"))
@click.option(
    "--language", type=click.Choice(["zh", "en"]), default=LANGUAGE, help=say("表头语言", "Language of the headings")
)
def template(path: Path, language: str) -> None:
    """Write the workbook template."""
    from silian import tables

    tables.write_template(path, language=language)  # type: ignore[arg-type]
    click.echo(say(f"模板已写入 {path}", f"The template lies in {path}"))


@cli.command(
    help=say("打印默认方案（可存为 plan.toml 修改）", "Print the default plan, to be saved as plan.toml and changed")
)
def plan() -> None:
    """Print the default plan."""
    from silian.pipeline import Plan

    click.echo(Plan().to_toml(), nl=False)


@cli.command(help=say("生成一个虚构区域的全部数据", "Write the data of a synthetic region"))
@click.option("--size", type=click.Choice(SIZES), default="county", show_default=True, help=say("规模", "Size"))
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=7, show_default=True, help=say("随机种子", "Seed"))
@click.option("--out", type=click.Path(path_type=Path), required=True, help=say("写入的文件夹", "Folder to write"))
def synth(size: str, seed: int, out: Path) -> None:
    """Write a synthetic region."""
    from silian.pipeline import Plan
    from silian.pipeline.folder import full_disk_told
    from silian.tables import synth as synthetic

    console = _console()
    with console.status(say(f"正在生成虚构区域（{size}）…", f"making a synthetic region ({size}) …")):
        made = synthetic.make(size, seed=seed)  # type: ignore[arg-type]
        with full_disk_told(out):
            synthetic.write(made, out)
            chosen = {"on": synthetic.DAY.isoformat(), "report": {"title": say(synthetic.NAME, synthetic.NAME_EN)}}
            (out / "plan.toml").write_text(Plan.of(chosen).to_toml(), encoding="utf-8")
    rows = sum(table.height for table in made.region.tables.values())
    console.print(
        say(
            f"虚构区域已写入 {out}（{rows:,} 行），方案写入 {out / 'plan.toml'}",
            f"The synthetic region lies in {out} ({rows:,} rows), its plan in {out / 'plan.toml'}",
        )
    )


@cli.command(help=say("检查区域数据，列出问题与处理办法", "Check a region's data; list the problems and what to do"))
@region_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=say("问题表（CSV）；省略则写在区域旁", "CSV file of the problems; without it, beside the region"),
)
@click.option(
    "--rows", type=click.IntRange(0), default=20, show_default=True, help=say("屏幕上显示的行数", "Rows to show here")
)
@click.pass_context
def check(ctx: click.Context, region: Path, out: Path | None, rows: int) -> None:
    """Check a region."""
    from silian import tables
    from silian.pipeline.folder import full_disk_told
    from silian.tables.schema import results

    console = _console()
    with console.status(say("正在读取与检查…", "reading and checking …")):
        found = tables.check(tables.read_region(region))
    listed = out or region.resolve().with_name(f"{region.resolve().stem}.problems.csv")
    with full_disk_told(listed):
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_bytes(tables.to_csv(found, results()["problems"]))
    grave = found.filter("grave").height
    if found.height:
        _show_problems(console, found, rows=rows)
    console.print(
        say(
            f"共 {found.height} 个问题，其中严重 {grave} 个；全部列于 {listed}",
            f"{found.height} problem(s), {grave} of them grave; all are listed in {listed}",
        )
    )
    ctx.exit(EXIT_GRAVE if grave else 0)


@cli.command(
    help=say(
        "运行全部主流程：匹配、指派、产业链缺口、报告", "Do the whole main job: matches, assignment, chain gaps, report"
    )
)
@run_options
def run(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Do the main job."""
    _run(region, plan_path, out, fresh=fresh, where=where, only=())


class Default(Group):
    """A group whose first command needs no name: `silian match REGION` is `silian match run REGION`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command in where no command is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


@cli.group(
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
    _run(region, plan_path, out, fresh=fresh, where=where, only=("achievements", "experts"))


@match.command(
    "ask",
    help=say(
        "输入一段话，立即列出最匹配的成果或专家", "Type a text and see the achievements or experts that fit it best"
    ),
)
@region_argument
@click.argument("text")
@click.option(
    "--of",
    type=click.Choice(["achievements", "experts"]),
    default="achievements",
    show_default=True,
    help=say("匹配成果还是专家", "What to match with"),
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help=say("列出几项", "How many"))
@plan_option
def match_ask(region: Path, text: str, of: Any, top: int, plan_path: Path | None) -> None:
    """Match one text."""
    from silian import pipeline, tables
    from silian.pipeline.asking import ask

    console = _console()
    plan_ = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
    with console.status(say("正在匹配…", "matching …")):
        found = ask(tables.read_region(region), text, of=of, plan=plan_, top_k=top)
    _show_answers(console, found)


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
    from silian import pipeline, tables
    from silian.pipeline import quality

    console = _console()
    plan_ = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
    chosen = tuple(dict.fromkeys(splits))
    with _progress(console) as progress:
        given = tables.read_region(region)
        progress.step("evaluate", quality.steps(chosen, folds))
        found = quality.evaluate_matching(given, plan=plan_, splits=chosen, folds=folds, on_step=progress.advance)
    if out is not None:
        quality.write_quality(found, out, language=LANGUAGE)
    _show_measures(console, quality.quality_tables(found)["measures"])
    if out is not None:
        console.print(say(f"表格与图：{out}", f"Tables and pictures: {out}"))


@cli.command(help=say("只做到专家指派", "Only up to the assignment of experts"))
@run_options
def allocate(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Assign only."""
    _run(region, plan_path, out, fresh=fresh, where=where, only=("allocate",))


@cli.command(help=say("只找产业链的断档与空白", "Only find the breaks and blanks of the chains"))
@run_options
def gaps(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Find chain gaps only."""
    _run(region, plan_path, out, fresh=fresh, where=where, only=("chain",))


@cli.command(
    help=say(
        "重新生成报告：沿用 --out 中已完成的步骤，只重做网页、表格与图",
        "Write the report anew: take over the finished steps in --out, redo page, sheets and charts",
    )
)
@run_options
def report(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Write the report of a run again."""
    from silian.pipeline import Run

    Run.open(out)
    _run(region, plan_path, out, fresh=fresh, where=where, only=())


def _run(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str, only: tuple[str, ...]) -> None:
    from silian import pipeline

    plan_: Plan = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
    console = _console()
    with _opened(where) as runner, _progress(console) as progress:
        done = pipeline.run(region, out, plan=plan_, only=only, fresh=fresh, runner=runner, progress=progress)
    _show_run(console, done)


@contextmanager
def _opened(where: str) -> Iterator[Runner]:
    """The runner, and a line of where it runs where that is not here."""
    from silian import compute

    if where != "local":
        click.echo(say(f"正在打开 {where} …", f"opening {where} …"), err=True)
    with compute.runner(where) as runner:
        if where != "local":
            number = f"{runner.machines:,}", f"{runner.workers:,}"
            told = say("✓ 运行于 {}：{} 台机器，{} 个工作进程", "✓ runs on {}: {} machine(s), {} worker(s)")
            click.echo(told.format(where, *number), err=True)
        yield runner


def _show_run(console: Console, done: Run) -> None:
    from rich.table import Table

    from silian.tables.schema import codes, results

    position = 0 if LANGUAGE == "zh" else 1
    table = Table(title=say("运行结果", "Results"), title_justify="left", show_header=False)
    if "summary.parquet" in done.receipt["files"]:
        for name, value in done.table("summary").iter_rows():
            table.add_row(codes()["summary"][name][position], f"{value:,.1f}" if value % 1 else f"{value:,.0f}")
    else:
        for step in done.receipt["steps"]:
            for name, rows in step["rows"].items():
                if name in results():
                    table.add_row(results()[name].label(LANGUAGE), f"{rows:,}")
    table.columns[1].justify = "right"
    console.print(table)
    page = done.path / "report.html"
    shown = page if page.exists() else done.path
    console.print(
        say(f"报告：{shown}", f"Report: {shown}") if page.exists() else say(f"结果：{shown}", f"Results: {shown}")
    )


def _show_answers(console: Console, found: pl.DataFrame) -> None:
    from rich.markup import escape
    from rich.table import Table

    if found.is_empty():
        console.print(
            say(
                "没有找到相关内容；换个说法，或写得更具体些。",
                "Nothing fits; say it in other words, or in more detail.",
            )
        )
        return
    table = Table(show_edge=False)
    for heading in ("#", say("编号", "id"), say("名称", "name"), say("得分", "score"), say("共有词语", "shared terms")):
        table.add_column(heading, overflow="fold")
    for rank, target, name, score, terms in found.iter_rows():
        table.add_row(
            str(rank), *(escape(str(v or "")) for v in (target, name)), f"{score:.2f}", escape("、".join(terms))
        )
    console.print(table)


def _show_measures(console: Console, measures: pl.DataFrame) -> None:
    from rich.table import Table

    from silian.tables.schema import codes

    position = 0 if LANGUAGE == "zh" else 1
    for (split, titles, pairs), own in measures.group_by("split", "titles", "pairs", maintain_order=True):
        name = codes()["quality_split"][str(split)][position]
        told = say(f"{name}：{titles:,} 个需求名称，{pairs:,} 对", f"{name}: {titles:,} titles, {pairs:,} pairs")
        table = Table(title=told, title_justify="left")
        for heading in (say("指标", "measure"), say("数值", "value"), say("95% 区间", "95 % interval")):
            table.add_column(heading, justify="left" if not table.columns else "right")
        for measure, value, low, high in own.select("measure", "value", "low", "high").iter_rows():
            table.add_row(codes()["quality_measure"][measure][position], f"{value:.3f}", f"{low:.3f} – {high:.3f}")
        console.print(table)


def _show_problems(console: Console, found: pl.DataFrame, *, rows: int) -> None:
    import polars as pl
    from rich.markup import escape
    from rich.table import Table

    counts = found.group_by("code", "grave").agg(pl.len(), first=pl.format("{}:{}", "file", "row").first())
    table = Table(show_edge=False)
    for heading in (
        say("位置", "where"),
        say("列", "column"),
        say("代码", "code"),
        say("内容", "found"),
        say("处理办法", "what to do"),
    ):
        table.add_column(heading, overflow="fold")
    remedy = "remedy_zh" if LANGUAGE == "zh" else "remedy"
    for r in found.sort("grave", descending=True, maintain_order=True).head(rows).iter_rows(named=True):
        style = "red" if r["grave"] else None
        where = r["file"] + (f":{r['row']}" if r["row"] else "")
        table.add_row(
            *(escape(str(v or "")) for v in (where, r["column"], r["code"], r["found"], r[remedy])), style=style
        )
    console.print(table)
    if found.height > rows:
        for code, grave, count, first in counts.sort("len", "code", descending=[True, False]).iter_rows():
            console.print(f"{count:>8,}  {code}{' !' if grave else ''}  {escape(first or '')}", highlight=False)


def _show_error(error: SilianError) -> None:
    click.secho(f"[{error.code}] {error.message(LANGUAGE)}", fg="red", err=True)
    if isinstance(error, RunError) and error.problems is not None:
        _show_problems(_console(stderr=True), error.problems, rows=10)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=False)


def _progress(console: Console) -> Any:
    return _Bars(console) if console.is_terminal else _Lines()


class _Lines:
    """Progress as one line per step, for logs and pipes."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *what: object) -> None:
        return None

    def step(self, name: str, total: int) -> None:
        """A line is written when the step is done."""

    def advance(self, units: int) -> None:
        """Nothing between the lines."""

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """One line: step, rows, seconds."""
        click.echo(_line(name, rows, seconds, resumed=resumed), err=True)


class _Bars:
    """Progress as a bar for the present step and one line for each finished one."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._console, self._task = console, self._bars.add_task("", total=None)

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *what: object) -> None:
        self._bars.stop()

    def step(self, name: str, total: int) -> None:
        """Begin a bar."""
        self._bars.reset(self._task, description=say(*STEP_NAMES[name]), total=total or None)

    def advance(self, units: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task, units)

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """Write the line of the finished step above the bar."""
        self._console.print(_line(name, rows, seconds, resumed=resumed), highlight=False)


def _line(name: str, rows: int, seconds: float, *, resumed: bool) -> str:
    taken = say("（沿用）", " (taken over)") if resumed else ""
    return f"✓ {say(*STEP_NAMES[name])}{taken}  {rows:,} {say('行', 'rows')}  {seconds:.1f} s"


if __name__ == "__main__":
    main()
