"""Start the site, its worker and the keeper of its index: `python -m silian.web serve`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from silian.errors import WebError
from silian.web.base.actors import VISITOR
from silian.web.base.audit_tasks import keep_sealing
from silian.web.base.models import Place, User
from silian.web.base.notifications.tasks import keep_notifying
from silian.web.base.operation import starting
from silian.web.catalog import demo
from silian.web.catalog.daily import keep_daily
from silian.web.catalog.search.tasks import keep_counting
from silian.web.catalog.tasks import sweep
from silian.web.catalog.topics.tasks import keep_telling
from silian.web.runs.starting import start
from silian.web.settings import ENVIRONMENT

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping
    from pathlib import Path

SERVER: Final = "server"
CHILDREN: Final = {  # beside the server: name → our command
    "worker": ("work", "--queue", "default"),
    "worker of runs": ("work", "--queue", "runs"),
    "keeper of the index": ("keep_index",),
}
LOOK: Final = 0.5  # seconds between looks at the processes
FALLS, WITHIN = 5, 60.0  # a process that ends so often within so many seconds will not be better the next time
PATIENCE: Final = 10.0


class Command(BaseCommand):
    """Bring the database up to date, fill it in demo mode, start site, worker and keeper, end all together."""

    help = "Start the site, its worker and the keeper of its index."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where it listens."""
        parser.add_argument("--bind", default="127.0.0.1:8000")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--size", default="county", help="of the made-up region, in demo mode")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until Ctrl-C, SIGTERM, or a process that ends again and again."""
        try:
            _make_home(ENVIRONMENT.home)
            with _listening(options["bind"]) or nullcontext() as listening:
                starting.put_in_order(ENVIRONMENT.home)
                self._prepare(options["size"])
                self.stdout.write(f"http://{options['bind']}/")
                if ENVIRONMENT.is_demo and not options["bind"].startswith("unix:"):
                    os.environ.setdefault("SILIAN_ADDRESS", f"http://{options['bind']}")  # for the worker's letters
                bind = f"fd://{listening.fileno()}" if listening else options["bind"]
                own = {name: [sys.executable, "-m", "silian.web", *command] for name, command in CHILDREN.items()}
                handed = (listening.fileno(),) if listening else ()
                _keep({SERVER: starting.server(bind, options["workers"]), **own}, handed={SERVER: handed})
        except WebError as error:
            told = f"[{error.code}] {error.message('zh')} / {error.message('en')}"
            raise CommandError(told) from error

    def _prepare(self, size: str) -> None:
        ENVIRONMENT.keep_key()
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if ENVIRONMENT.is_demo and not User.objects.exists():
            self._fill(size)
        sweep()
        keep_sealing()
        keep_counting()
        keep_notifying()
        keep_telling(at_once=True)
        keep_daily(at_once=True)

    def _fill(self, size: str) -> None:
        self.stdout.write("正在写入虚构区域… / writing a made-up region …")
        accounts = demo.fill(size, seed=7)  # type: ignore[arg-type]
        self.stdout.write("演示账户（仅显示这一次） / demo accounts (shown this once):")
        for account in accounts:
            self.stdout.write(f"  {account.role:<14} {account.email:<28} {account.password}")
        start(VISITOR, place=Place.root(), name=_("首次运行"), adopts=True)


def _make_home(home: Path) -> None:
    """The folder of the site, and an empty one for uploads: what a killed server left half-written goes.

    Raises
    ------
    WebError : web.folder if it cannot be written
    """
    try:
        uploads = home / "uploads"
        shutil.rmtree(uploads, ignore_errors=True)
        uploads.mkdir(parents=True, exist_ok=True)
        (home / ".written").touch()
        (home / ".written").unlink()
    except OSError as error:
        raise WebError("web.folder", found=str(home), why=error.strerror or str(error)) from error


def _listening(bind: str) -> socket.socket | None:
    """A socket at an address, held until the end, so that nobody is turned away while the server is started again.

    What asks meanwhile waits in its queue. A socket in a file (unix:) is the server's own.

    Raises
    ------
    WebError : web.port if nothing can listen there
    """
    if bind.startswith("unix:"):
        return None
    host, _, port = bind.rpartition(":")
    try:
        number = int(port)
        family, *_rest, address = socket.getaddrinfo(host.strip("[]") or "127.0.0.1", None, type=socket.SOCK_STREAM)[0]
        with ExitStack() as given_up:
            own = given_up.enter_context(socket.socket(family))
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            own.bind((address[0], number, *address[2:]))
            given_up.pop_all()
    except (OSError, OverflowError, ValueError) as error:
        raise WebError("web.port", found=bind, why=getattr(error, "strerror", None) or str(error)) from error
    return own


def _keep(commands: Mapping[str, list[str]], *, handed: Mapping[str, tuple[int, ...]] | None = None) -> None:
    """Start processes and start again each that ends, until Ctrl-C or SIGTERM; end all of them together.

    Parameters
    ----------
    handed : open files that a process takes over

    Raises
    ------
    WebError : web.dies if one ends FALLS times within WITHIN seconds
    """
    falls: dict[str, list[float]] = {name: [] for name in commands}
    running: dict[str, subprocess.Popen[bytes]] = {}
    files = handed or {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            for name, command in commands.items():
                if name in running and running[name].poll() is not None:
                    now = time.monotonic()
                    falls[name] = [at for at in falls[name] if now - at < WITHIN] + [now]
                    if len(falls[name]) >= FALLS:
                        raise WebError("web.dies", found=name, count=FALLS)
                if name not in running or running[name].poll() is not None:
                    running[name] = subprocess.Popen(command, pass_fds=files.get(name, ()))  # noqa: S603
            time.sleep(LOOK)
    except KeyboardInterrupt:
        pass
    finally:
        _end(running)


def _end(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ask all to end, and make those end that do not within PATIENCE seconds."""
    for process in running.values():
        process.terminate()
    over = time.monotonic() + PATIENCE
    for process in running.values():
        try:
            process.wait(max(0.1, over - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()  # an import goes on at the next start, from its last whole step
            process.wait()
