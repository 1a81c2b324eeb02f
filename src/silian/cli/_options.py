"""What commands share: how their errors end, their arguments and options, and doing the job."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from silian.cli import _shown
from silian.cli._progress import opened_bars
from silian.cli._speech import say
from silian.errors import SilianError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from silian.compute import Runner
    from silian.pipeline import Plan

EXIT_ERROR, EXIT_GRAVE, EXIT_STOPPED = 1, 3, 130


class Group(click.Group):
    """Commands whose errors end in one clear line and a documented exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn an error made on purpose into a line and a code."""
        try:
            with _stop_noted() as is_stopped:
                try:
                    return super().invoke(ctx)
                except Exception as error:
                    if is_stopped.is_set():  # Ctrl-C fell into a step of a library, which made another error of it
                        raise KeyboardInterrupt from error
                    raise
        except SilianError as error:
            _shown.show_error(error)
            ctx.exit(EXIT_GRAVE if error.code == "run.grave" else EXIT_ERROR)
        except KeyboardInterrupt:
            text = say(
                "已停止。已完成的步骤会保留，重新运行即可继续。",
                "Stopped. Finished steps are kept; run again to go on.",
            )
            click.echo(f"\n{text}", err=True)
            _end_beside_a_solver()
            ctx.exit(EXIT_STOPPED)


@contextmanager
def _stop_noted() -> Iterator[threading.Event]:
    """Whether Ctrl-C came, whatever became of it."""
    noted, before = threading.Event(), signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield noted
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.set()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _end_beside_a_solver() -> None:
    """Where a solver is still at work, end the process at once: to tidy up under its feet could crash it."""
    solving = sys.modules.get("silian.pipeline.waiting")
    if solving is not None and solving.is_solving():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_STOPPED)


class Default(Group):
    """A group whose first command needs no name: `silian match REGION` is `silian match run REGION`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command in where no command is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


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


def do_job(region: Path, plan_path: Path | None, out: Path, *, fresh: bool, where: str, only: tuple[str, ...]) -> None:
    from silian import pipeline

    plan_: Plan = pipeline.Plan.read(plan_path) if plan_path else pipeline.Plan()
    console = _shown.console()
    with opened(where) as runner, opened_bars(console) as progress:
        done = pipeline.run(region, out, plan=plan_, only=only, fresh=fresh, runner=runner, progress=progress)
    _shown.show_run(console, done)


@contextmanager
def opened(where: str) -> Iterator[Runner]:
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
