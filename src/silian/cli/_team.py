"""`silian team`: the best teams for a joint challenge, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian.cli import _shown
from silian.cli._options import EXIT_ERROR, plan_option, region_argument
from silian.cli._speech import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.status import Status

    from silian.engines.team import Stage


def expert_option(*names: str, told: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that names experts, as often as it is given."""
    return click.option(*names, multiple=True, metavar="EXPERT", help=told)


@click.command(
    help=say(
        "为联合攻关任务组建团队：以最低成本覆盖所需技能，并说明理由。\n\n"
        "RUN 为已完成的运行结果，其中内容不改动；NEED 为在 challenge_skills 表中列出技能的需求，省略则列出全部。",
        "Form the team for a joint challenge: cover the skills it needs at the least cost, and say why.\n\n"
        "RUN is a finished run, left as it is; NEED states its skills in the table challenge_skills; without it, "
        "every such need is listed.",
    )
)
@region_argument
@click.argument("run_path", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("need", required=False)
@click.option(
    "--best", type=click.IntRange(1, 100), default=3, show_default=True, help=say("列出几个团队", "Teams listed")
)
@click.option("--largest", type=click.IntRange(1), help=say("团队最多几人", "Members of a team at most"))
@expert_option("--with", "holding", told=say("必须入选的专家，可多次", "Who must be in; may be repeated"))
@expert_option("--without", told=say("不得入选的专家，可多次", "Who must not be in; may be repeated"))
@click.option(
    "--apart",
    type=(str, str),
    multiple=True,
    metavar="EXPERT EXPERT",
    help=say("不得同组的两位专家，可多次", "Two who must not serve together; may be repeated"),
)
@expert_option(
    "--why", "named", told=say("说明该专家为何未入选，可多次", "Say why they are not in it; may be repeated")
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help=say("搜索的最长用时（秒），到时给出已找到的最好团队", "Longest search; then the best teams found so far"),
)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path),
    help=say(
        "silian match index --of experts 写成的专家索引，免去重建",
        "Index of the experts that silian match index --of experts wrote, so that none is built",
    ),
)
@plan_option
@click.option(
    "--out", type=click.Path(path_type=Path), help=say("写入各表的文件夹（CSV）", "Folder for the tables (CSV)")
)
@click.pass_context
def team(
    ctx: click.Context,
    region: Path,
    run_path: Path,
    need: str | None,
    *,
    best: int,
    largest: int | None,
    holding: tuple[str, ...],
    without: tuple[str, ...],
    apart: tuple[tuple[str, str], ...],
    named: tuple[str, ...],
    seconds: float,
    index_path: Path | None,
    plan_path: Path | None,
    out: Path | None,
) -> None:
    """Form teams."""
    from silian.cli import _teams_shown as shown
    from silian.pipeline import Plan, Run, open_index, teams
    from silian.pipeline.indexes import check_kind

    console = _shown.console()
    with console.status(say("正在读取数据与专家索引…", "reading the data and the experts …")) as status:
        index = open_index(index_path) if index_path else None
        if index is not None:
            check_kind(index, "experts")
        base = teams.reopened(
            region,
            Run.open(run_path),
            plan=Plan.read(plan_path) if plan_path else None,
            index=index,
        )
        if need is None:
            shown.show_challenges(console, teams.challenges(base.region))
            return
        status.update(say("正在匹配技能…", "matching the skills …"))
        asked = teams.posed(base, need, wishes=teams.Wishes(holding, without, named, apart))
        status.update(say("正在搜索团队…", "searching for teams …"))
        found = teams.formed(asked, best=best, largest=largest, seconds=seconds, tell=_told(status, seconds))
    shown.show_teams(console, base, asked, found)
    shown.show_proof(console, found, asked=best, seconds=seconds)
    if out is not None:
        teams.write_teams(found, out)
        console.print(say(f"已写入 {out}", f"Written to {out}"))
    ctx.exit(0 if found.teams.height else EXIT_ERROR)


def _told(status: Status, seconds: float) -> Callable[[Stage], None]:
    """Progress of a long search: where it is, what is known of the cost, how long it may take."""

    def tell(stage: Stage) -> None:
        if stage.doing == "reasons":
            line = say("正在查明理由（第 {at} 人，共 {of} 人）", "looking for the reasons (person {at} of {of})")
        else:
            line = say("正在搜索 {at} 人团队（至多 {of} 人）", "searching teams of {at} (at most {of})")
        if stage.cost is not None and stage.bound is not None and stage.bound < stage.cost:
            line += say(
                "：已找到 {cost:,.0f} 元，最低不会少于 {bound:,.0f} 元",
                ": {cost:,.0f} CNY found, none below {bound:,.0f}",
            )
        line += say("；限时 {seconds:g} 秒…", "; {seconds:g} s at most …")
        status.update(line.format(**stage._asdict(), seconds=seconds))

    return tell
