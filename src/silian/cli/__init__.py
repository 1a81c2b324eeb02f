"""The command line. Heavy parts are imported inside the commands, so that --help answers at once."""

from __future__ import annotations

from pathlib import Path

import click

from silian import __version__
from silian.cli import _shown
from silian.cli._allocate import allocate
from silian.cli._backup import backup, restore
from silian.cli._chain import chain
from silian.cli._chain_map import chain_map
from silian.cli._chain_space import chain_space
from silian.cli._gaps import gaps
from silian.cli._match import match
from silian.cli._options import EXIT_GRAVE, Group, do_job, region_argument, run_options
from silian.cli._serve import serve
from silian.cli._speech import language, say
from silian.cli._team import team

SIZES = ("tiny", "county", "city", "province")


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


cli.add_command(match)
cli.add_command(allocate)
cli.add_command(team)
cli.add_command(gaps)
cli.add_command(chain)
chain.add_command(chain_map)
chain.add_command(chain_space)
cli.add_command(serve)
cli.add_command(backup)
cli.add_command(restore)


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
    do_job(region, plan_path, out, fresh=fresh, where=where, only=())


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
    do_job(region, plan_path, out, fresh=fresh, where=where, only=())
