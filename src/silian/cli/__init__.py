"""The command line. Heavy parts are imported inside the commands, so that --help answers at once."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian import __version__
from silian.cli import _shown
from silian.cli._progress import opened_bars
from silian.cli._speech import language, say
from silian.errors import SilianError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from silian.compute import Runner
    from silian.engines.allocate import Edit, Repair, Standing
    from silian.pipeline import Plan

EXIT_ERROR, EXIT_GRAVE, EXIT_STOPPED = 1, 3, 130
SIZES = ("tiny", "county", "city", "province")


class Group(click.Group):
    """Commands whose errors end in one clear line and a documented exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn an error made on purpose into a line and a code."""
        try:
            return super().invoke(ctx)
        except SilianError as error:
            _shown.show_error(error)
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
    "--language", type=click.Choice(["zh", "en"]), default=language(), help=say("表头语言", "Language of the headings")
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

    console = _shown.console()
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

    console = _shown.console()
    with console.status(say("正在读取与检查…", "reading and checking …")):
        found = tables.check(tables.read_region(region))
    listed = out or region.resolve().with_name(f"{region.resolve().stem}.problems.csv")
    with full_disk_told(listed):
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_bytes(tables.to_csv(found, results()["problems"]))
    grave = found.filter("grave").height
    if found.height:
        _shown.show_problems(console, found, rows=rows)
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

    console = _shown.console()
    with console.status(say("正在匹配…", "matching …")):
        given = tables.read_region(region[0]) if region else None
        if index_path:
            index = pipeline.open_index(index_path)
            check_kind(index, of or index.kind)
        else:
            plan_ = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
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
    from silian import pipeline, tables
    from silian.pipeline.indexes import keep_index

    console = _shown.console()
    plan_ = pipeline.Plan.read(plan_path) if plan_path else None
    with opened_bars(console) as progress:
        progress.step("load", 0)
        given = tables.read_region(region)
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
    from silian import pipeline, tables
    from silian.pipeline import quality

    console = _shown.console()
    plan_ = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
    chosen = tuple(dict.fromkeys(splits))
    with opened_bars(console) as progress:
        given = tables.read_region(region)
        progress.step("evaluate", quality.steps(chosen, folds))
        found = quality.evaluate_matching(given, plan=plan_, splits=chosen, folds=folds, on_step=progress.advance)
    if out is not None:
        quality.write_quality(found, out, language=language())
    _shown.show_measures(console, quality.quality_tables(found)["measures"])
    if out is not None:
        console.print(say(f"表格与图：{out}", f"Tables and pictures: {out}"))


@cli.group(
    cls=Default,
    help=say(
        "指派专家；局部调整；说明理由。silian allocate REGION 即 silian allocate run REGION",
        "Assign experts; repair; say why. silian allocate REGION is silian allocate run REGION",
    ),
)
def allocate() -> None:
    """Commands of assignment."""


@allocate.command("run", help=say("只做到专家指派", "Only up to the assignment of experts"))
@run_options
def allocate_run(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str) -> None:
    """Assign only."""
    _run(region, plan_path, out, fresh=fresh, where=where, only=("allocate",))


def assigned_run(command: Callable[..., Any]) -> Callable[..., Any]:
    """REGION RUN: a region and a finished run of it."""
    told = click.argument("run_path", metavar="RUN", type=click.Path(path_type=Path))
    return region_argument(told(command))


repair_out = click.option(
    "--out", type=click.Path(path_type=Path),
    help=say("写入调整后的指派与变动的文件夹（CSV）", "Folder for the changed assignment and its changes (CSV)"),
)  # fmt: skip


@allocate.command(
    "repair",
    help=say(
        "有人退出、名额或需求变化时，以最少变动调整指派；RUN 中的结果不改动",
        "Somebody drops out, places or wishes change: re-assign as few as can be; what lies in RUN stays as it is",
    ),
)
@assigned_run
@click.option(
    "--free",
    type=(str, click.IntRange(0)),
    multiple=True,
    metavar="EXPERT COUNT",
    help=say("专家现有名额（0 为退出），可多次", "Places an expert has from now on (0: drops out); may be repeated"),
)
@click.option(
    "--wanted",
    type=(str, click.IntRange(0)),
    multiple=True,
    metavar="NEED COUNT",
    help=say("需求现需专家数（0 为撤回），可多次", "Experts a need wants from now on (0: withdrawn); may be repeated"),
)
@click.option(
    "--veto",
    type=(str, str),
    multiple=True,
    metavar="NEED EXPERT",
    help=say("不得指派的配对，可多次", "A pair that must not be; may be repeated"),
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help=say("规则需要搜索时的最长用时（秒）", "Longest search where rules need one"),
)
@repair_out
def allocate_repair(
    region: Path,
    run_path: Path,
    free: tuple[tuple[str, int], ...],
    wanted: tuple[tuple[str, int], ...],
    veto: tuple[tuple[str, str], ...],
    seconds: float,
    out: Path | None,
) -> None:
    """Repair an assignment."""
    changes: list[dict[str, object]] = []
    changes += [{"kind": "free", "expert_id": e, "value": n} for e, n in free]
    changes += [{"kind": "wanted", "need_id": n, "value": v} for n, v in wanted]
    changes += [{"kind": "veto", "need_id": n, "expert_id": e} for n, e in veto]
    if not changes:
        raise click.UsageError(
            say("请至少给出一项变动：--free、--wanted 或 --veto", "Give a change: --free, --wanted or --veto")
        )
    from silian.pipeline import assignment

    standing = _reopened(region, run_path)
    _shown_repair(assignment.repaired(standing, changes, seconds=seconds), standing, out)


@allocate.command(
    "edit",
    help=say(
        "预览人工调整：代价多少，还有谁要动；RUN 中的结果不改动",
        "What a hand-made change costs and who else would move; what lies in RUN stays as it is",
    ),
)
@assigned_run
@click.option(
    "--add",
    type=(str, str),
    multiple=True,
    metavar="NEED EXPERT",
    help=say("指派的配对，可多次", "A pair to assign; may be repeated"),
)
@click.option(
    "--remove",
    type=(str, str),
    multiple=True,
    metavar="NEED EXPERT",
    help=say("撤下的配对，可多次", "A pair to take out; may be repeated"),
)
@repair_out
def allocate_edit(
    region: Path,
    run_path: Path,
    add: tuple[tuple[str, str], ...],
    remove: tuple[tuple[str, str], ...],
    out: Path | None,
) -> None:
    """Preview moves made by hand."""
    if not add and not remove:
        raise click.UsageError(say("请至少给出一项调整：--add 或 --remove", "Give a move: --add or --remove"))
    from silian.pipeline import assignment

    standing = _reopened(region, run_path)
    moves = [(what, *pair) for what, pairs in (("add", add), ("remove", remove)) for pair in pairs]
    done = assignment.edited(standing, moves)
    _shown.show_verdict(_shown.console(), done.verdict)
    _shown_repair(done, standing, out)


@allocate.command(
    "why",
    help=say(
        "为何指派或未指派：给出需求，可再给专家；省略专家则列出该需求的全部候选",
        "Why somebody is assigned or not: a need, and an expert; without an expert every candidate of the need",
    ),
)
@assigned_run
@click.argument("need")
@click.argument("expert", required=False)
def allocate_why(region: Path, run_path: Path, need: str, expert: str | None) -> None:
    """Say why."""
    from silian.pipeline import assignment

    standing = _reopened(region, run_path)
    _shown.show_why(_shown.console(), assignment.reasons_for(standing, need, expert))


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
    console = _shown.console()
    with _opened(where) as runner, opened_bars(console) as progress:
        done = pipeline.run(region, out, plan=plan_, only=only, fresh=fresh, runner=runner, progress=progress)
    _shown.show_run(console, done)


def _reopened(region: Path, run_path: Path) -> Standing:
    from silian import tables
    from silian.pipeline import Run, assignment

    done = Run.open(run_path)
    with _shown.console().status(say("正在读取…", "reading …")):
        return assignment.reopened(tables.read_region(region), done)


def _shown_repair(done: Repair | Edit, before: Standing, out: Path | None) -> None:
    from silian.pipeline import assignment

    console = _shown.console()
    _shown.show_changes(console, done, before)
    if out is not None:
        assignment.write_repair(done, out)
        console.print(say(f"已写入 {out}", f"Written to {out}"))


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
