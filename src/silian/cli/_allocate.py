"""`silian allocate`: the assignment, its repair, moves by hand, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian.cli import _shown
from silian.cli._options import EXIT_ERROR, Default, do_job, region_argument, run_options
from silian.cli._speech import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.engines.allocate import Edit, Repair, Standing


@click.group(
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
    do_job(region, plan_path, out, fresh=fresh, where=where, only=("allocate",))


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
@click.pass_context
def allocate_edit(
    ctx: click.Context,
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
    if not done.verdict["is_allowed"].all():
        _shown.show_verdict(_shown.console(), done)
        ctx.exit(EXIT_ERROR)
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


def _reopened(region: Path, run_path: Path) -> Standing:
    from silian.pipeline import Run, assignment

    with _shown.console().status(say("正在读取…", "reading …")):
        return assignment.reopened(region, Run.open(run_path))


def _shown_repair(done: Repair | Edit, before: Standing, out: Path | None) -> None:
    from silian.pipeline import assignment

    console = _shown.console()
    _shown.show_changes(console, done, before)
    if out is not None:
        assignment.write_repair(done, out)
        console.print(say(f"已写入 {out}", f"Written to {out}"))
