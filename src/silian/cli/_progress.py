"""How a command tells what it is doing: bars on a terminal, lines in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from silian.cli._speech import say

if TYPE_CHECKING:
    from rich.console import Console

    from silian.pipeline.steps import Progress

STEP_NAMES = {
    "load": ("读取数据", "read"),
    "check": ("检查数据", "check"),
    "link": ("识别重复机构", "link organisations"),
    "conflicts": ("查找利益冲突", "find conflicts of interest"),
    "achievements": ("匹配成果", "match achievements"),
    "experts": ("匹配专家", "match experts"),
    "exposure": ("统计曝光", "count exposure"),
    "allocate": ("指派专家", "assign experts"),
    "fairness": ("计算公平的代价", "price fairness"),
    "chain": ("分析产业链", "find chain gaps"),
    "summary": ("汇总", "summarise"),
    "report": ("生成报告", "write the report"),
    "evaluate": ("评估匹配质量", "measure matching"),
    "index": ("建立索引", "build the index"),
    "backtest": ("回溯检验", "back-test"),
}

# What an engine says of a long search, and how the screen says it in Chinese.
SEARCHES = {
    "prices of the rules": "求规则的影子价格",
    "branch and bound": "分支定界",
    "floor": "提高最低得分",
    "done": "完成",
}


def doing(words: str) -> str:
    """What an engine says of a search; a number at its end stays as it is."""
    what, _, number = words.rpartition(" ") if words[-1:].isdigit() else (words, "", "")
    return say(f"{SEARCHES.get(what, what)} {number}".strip(), words)


def opened_bars(console: Console) -> Any:
    """Progress for the length of a `with`."""
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

    def doing(self, words: str) -> None:
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
        self._console, self._task, self._step = console, self._bars.add_task("", total=None), ""

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *what: object) -> None:
        self._bars.stop()

    def step(self, name: str, total: int) -> None:
        """Begin a bar."""
        self._step = say(*STEP_NAMES[name])
        self._bars.reset(self._task, description=self._step, total=total or None)

    def advance(self, units: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task, units)

    def doing(self, words: str) -> None:
        """Say beside the step what goes on in it."""
        self._bars.update(self._task, description=f"{self._step} · {doing(words)}")

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """Write the line of the finished step above the bar."""
        self._console.print(_line(name, rows, seconds, resumed=resumed), highlight=False)


def _line(name: str, rows: int, seconds: float, *, resumed: bool) -> str:
    taken = say("（沿用）", " (taken over)") if resumed else ""
    return f"✓ {say(*STEP_NAMES[name])}{taken}  {rows:,} {say('行', 'rows')}  {seconds:.1f} s"
