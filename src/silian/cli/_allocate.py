"""`silian allocate`: the assignment, its repair, moves by hand, and why."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian.cli import _shown
from silian.cli._options import EXIT_ERROR, Default, do_job, region_argument, run_options
from silian.cli._speech import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    "--replies",
    "replies_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=say(
        "专家答复表（CSV 或 Excel）：需求编号、专家编号、答复（接受、谢绝、减少）、保留名额",
        "Table of replies (CSV or Excel): need_id, expert_id, reply (accept, decline, fewer), free",
    ),
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
    replies_path: Path | None,
    seconds: float,
    out: Path | None,
) -> None:
    """Repair an assignment."""
    if not (free or wanted or veto or replies_path):
        raise click.UsageError(
            say(
                "请至少给出一项变动：--free、--wanted、--veto 或 --replies",
                "Give a change: --free, --wanted, --veto or --replies",
            )
        )
    from silian.pipeline import Run, assignment
    from silian.pipeline.replies import read_replies

    run = Run.open(run_path)
    needs, experts = [n for n, _ in (*wanted, *veto)], [*(e for e, _ in free), *(e for _, e in veto)]
    ids = assignment.known(run, needs=needs, experts=experts)
    changes: list[dict[str, object]] = []
    changes += [{"kind": "free", "expert_id": ids[e], "value": n} for e, n in free]
    changes += [{"kind": "wanted", "need_id": n, "value": v} for n, v in wanted]
    changes += [{"kind": "veto", "need_id": n, "expert_id": ids[e]} for n, e in veto]
    replies = None if replies_path is None else read_replies(replies_path, region, run)
    if replies is not None:
        _shown.show_replies(_shown.console(), replies)
    standing = _reopened(region, run_path)
    with _searching(seconds):
        done = assignment.repaired(standing, changes, replies=replies, seconds=seconds)
    _shown_repair(done, standing, out)


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
    from silian.pipeline import Run, assignment

    both = (*add, *remove)
    ids = assignment.known(Run.open(run_path), needs=(n for n, _ in both), experts=(e for _, e in both))
    moves = [(what, n, ids[e]) for what, pairs in (("add", add), ("remove", remove)) for n, e in pairs]
    standing = _reopened(region, run_path, named=[(n, e) for what, n, e in moves if what == "add"])
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
    from silian.pipeline import Run, assignment

    ids = assignment.known(Run.open(run_path), needs=[need], experts=[expert] if expert else [])
    standing = _reopened(region, run_path)
    found = assignment.reasons_for(standing, need, ids[expert] if expert else None)
    _shown.show_why(_shown.console(), found, standing, need)


@allocate.command(
    "draw",
    help=say(
        "随机指派：任何一对都不确定出现，期望总得分最高；RUN 中的结果不改动",
        "Assign by lot: no pair is certain, and the expected total is the best; what lies in RUN stays as it is",
    ),
)
@assigned_run
@click.option(
    "--cap",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help=say("每对出现的最大概率", "Largest probability of any pair"),
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=7,
    show_default=True,
    help=say("随机种子：同一种子抽签结果相同", "Seed: the same seed gives the same draw"),
)
@click.option(
    "--out", type=click.Path(path_type=Path),
    help=say("写入抽签结果与概率的文件夹（CSV）", "Folder for the draw and its probabilities (CSV)"),
)  # fmt: skip
def allocate_draw(region: Path, run_path: Path, cap: float, seed: int, out: Path | None) -> None:
    """Draw lots."""
    from silian.pipeline import Run, assignment

    console = _shown.console()
    with console.status(say("正在求概率并抽签…", "finding the probabilities and drawing …")):
        done = assignment.drawn(region, Run.open(run_path), cap=cap, seed=seed)
    _shown.show_draw(console, done, seed=seed)
    if out is not None:
        assignment.write_draw(done, out, cap=cap, seed=seed)
        console.print(say(f"已写入 {out}", f"Written to {out}"))


def _reopened(region: Path, run_path: Path, *, named: list[tuple[str, str]] | None = None) -> Standing:
    from silian.pipeline import Run, assignment

    with _shown.console().status(say("正在读取…", "reading …")):
        return assignment.reopened(region, Run.open(run_path), named=named)


@contextmanager
def _searching(seconds: float) -> Iterator[None]:
    """A clock that runs while the fewest changes are looked for."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    told = say(
        f"正在寻找变动最少的方案；规则需要搜索时，每轮最长 {seconds:g} 秒",
        f"looking for the fewest changes; {seconds:g} s at most for each search that rules need",
    )
    columns, console = (SpinnerColumn(), TextColumn(told), TimeElapsedColumn()), _shown.console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as clock:
        clock.add_task("", total=None)
        yield


def _shown_repair(done: Repair | Edit, before: Standing, out: Path | None) -> None:
    from silian.pipeline import assignment

    console = _shown.console()
    _shown.show_changes(console, done, before)
    if out is not None:
        assignment.write_repair(done, out)
        console.print(say(f"已写入 {out}", f"Written to {out}"))
