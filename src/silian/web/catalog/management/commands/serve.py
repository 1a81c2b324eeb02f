"""Start the site, its worker and the keeper of its index: `python -m silian.web serve`."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from silian.web.base.audit_tasks import keep_sealing
from silian.web.base.models import User
from silian.web.catalog import demo
from silian.web.catalog.daily import keep_daily
from silian.web.catalog.search_tasks import keep_counting
from silian.web.catalog.tasks import take_up
from silian.web.settings import ENVIRONMENT

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Bring the database up to date, fill it in demo mode, start site, worker and keeper, end all together."""

    help = "Start the site, its worker and the keeper of its index."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where it listens."""
        parser.add_argument("--bind", default="127.0.0.1:8000")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--size", default="county", help="of the made-up region, in demo mode")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until a process ends or Ctrl-C."""
        ENVIRONMENT.home.mkdir(parents=True, exist_ok=True)
        ENVIRONMENT.keep_key()
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if ENVIRONMENT.is_demo and not User.objects.exists():
            self._fill(options["size"])
        take_up()
        keep_sealing()
        keep_counting()
        keep_daily(at_once=True)
        self.stdout.write(f"http://{options['bind']}/")
        server = [
            sys.executable, "-m", "gunicorn", "silian.web.wsgi", "--bind", options["bind"], "--threads", "4",
            "--workers", str(options["workers"]), "--log-level", "warning", "--no-control-socket",
        ]  # fmt: skip
        worker = [sys.executable, "-m", "silian.web", "db_worker", "--queue-name", "*"]
        keeper = [sys.executable, "-m", "silian.web", "keep_index"]
        running = [subprocess.Popen(command) for command in (server, worker, keeper)]  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            running[0].wait()
        except KeyboardInterrupt:
            pass
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()

    def _fill(self, size: str) -> None:
        self.stdout.write("正在写入虚构区域… / writing a made-up region …")
        accounts = demo.fill(size, seed=7)  # type: ignore[arg-type]
        self.stdout.write("演示账户（仅显示这一次） / demo accounts (shown this once):")
        for account in accounts:
            self.stdout.write(f"  {account.role:<14} {account.email:<28} {account.password}")
