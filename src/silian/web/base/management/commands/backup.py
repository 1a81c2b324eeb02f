"""Make, or check, a backup of this site: `python -m silian.web backup OUT`; the site goes on meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from silian.web.base.management.telling import Bar, said
from silian.web.base.operation import backing, restoring
from silian.web.base.operation.parts import size

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """One file of the database and of all files that its rows name; or a look whether such a file is whole."""

    help = "Make a backup of this site, or check one."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where it goes, and what it holds."""
        parser.add_argument("out", type=Path, help="a file that is not there yet, or a folder")
        parser.add_argument("--check", action="store_true", help="only verify the file OUT")
        parser.add_argument("--keep", type=int, default=0, help="backups to keep in the folder; the oldest go")
        parser.add_argument("--with-key", action="store_true", help="put the secret key in: then the file opens all")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it and say what stands."""
        out: Path = options["out"]
        if options["keep"] < 0 or (options["keep"] and not out.is_dir()):
            told = "--keep: a number from 1 on, for a folder / 仅用于文件夹，且不小于 1"
            raise CommandError(told)
        with said(), Bar(self.stderr) as bar:
            if options["check"]:
                manifest = restoring.check(out, shown=bar)
                self.stdout.write(
                    f"{out}: {manifest.made_at}, {manifest.engine}, silian {manifest.version}, "
                    f"{manifest.rows} 行 / rows, {len(manifest.files)} 个文件 / files, {size(manifest.size)}: ok"
                )
                return
            made = backing.make(backing.Asked(out, options["with_key"], options["keep"], bar))
        self.stdout.write(
            f"{made.file}: {made.rows} 行 / rows, {made.files} 个文件 / files, {size(made.bytes)}, {made.seconds} s"
        )
        if not options["with_key"]:
            self.stdout.write("密钥不在备份中，请另行保管 / the secret key is not in it: keep it elsewhere")
