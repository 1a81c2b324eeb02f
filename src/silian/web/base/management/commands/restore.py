"""Put a backup in the place of this site: `python -m silian.web restore FILE`; the site must be stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from silian.web.base.management.telling import Bar, said
from silian.web.base.operation import restoring

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from silian.web.base.operation.restoring import Restored


class Command(BaseCommand):
    """Everything is verified beside the site first; a kill at any moment leaves the site as it was."""

    help = "Put a backup in the place of this site."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, and what becomes of what is there."""
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--replace", action="store_true", help="put the site that is there aside")
        parser.add_argument("--undo", action="store_true", help="bring back the site that was put aside last")
        parser.add_argument("--forget", action="store_true", help="delete what was put aside")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it and say what stands."""
        asked = [name for name in ("file", "undo", "forget") if options[name]]
        if len(asked) != 1:
            told = "FILE, --undo 或 --forget 三者取一 / one of FILE, --undo, --forget"
            raise CommandError(told)
        with said(), Bar(self.stderr) as bar:
            if options["undo"]:
                self.stdout.write(f"已换回 / brought back: {restoring.undo()}")
            elif options["forget"]:
                self.stdout.write(f"已删除 / deleted: {', '.join(restoring.forget()) or '0'}")
            else:
                self._tell(restoring.restore(options["file"], replace=options["replace"], shown=bar))

    def _tell(self, done: Restored) -> None:
        told = done.manifest
        self.stdout.write(
            f"已恢复并核对 / restored and compared: {told.made_at}, {told.rows} 行 / rows, "
            f"{len(told.files)} 个文件 / files"
        )
        if done.aside:
            self.stdout.write(f"原有数据在 / the site of before: {done.aside} (--undo, --forget)")
        if done.key:
            self.stdout.write(f"备份中的密钥在 / the key of the backup: {done.key}")
        if not done.is_own:
            self.stdout.write(
                "备份用的是另一个密钥：两步验证与日志签名须用原密钥，签名也未能核对。\n"
                "The backup was made with another key: set SILIAN_SECRET_KEY to that one, or the signature of the log "
                "does not agree; the signature of the backup could not be verified either."
            )
