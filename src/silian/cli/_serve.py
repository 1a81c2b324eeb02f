"""`silian serve`: the site, in processes of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import click

from silian.cli._speech import say


@click.command(
    help=say(
        "启动网站与后台任务；首次启动时写入虚构区域与各角色演示账户。设置见文档《运行网站》。",
        "Start the site and its background worker; the first start writes a made-up region and an account for every "
        "role. Settings: docs/how-to/run-the-site.md.",
    )
)
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help=say("监听地址", "Where it listens"))
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help=say("服务进程数", "Processes that answer"),
)  # fmt: skip
@click.option(
    "--size", type=click.Choice(["tiny", "county", "city"]), default="county", show_default=True,
    help=say("虚构区域的规模", "Size of the made-up region"),
)  # fmt: skip
def serve(bind: str, workers: int, size: str) -> None:
    """Start the site; end with Ctrl-C."""
    command = [sys.executable, "-m", "silian.web", "serve", "--bind", bind, "--workers", str(workers), "--size", size]
    running = subprocess.Popen(command)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: running.terminate())  # the site ends in order, and we with it
    try:
        code = running.wait()
    except KeyboardInterrupt:
        code = running.wait()  # the site hears Ctrl-C itself and ends in order
    sys.exit(code)
