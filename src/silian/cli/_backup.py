"""`silian backup` and `silian restore`: the site's own commands, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import click

from silian.cli._speech import say


@click.command(
    help=say(
        "备份网站：数据库与全部附件、导入、导出、运行结果，写成一个文件；网站照常运行。OUT 是新文件，或一个文件夹。"
        "加 --check 则只核对文件 OUT。",
        "Back up the site: its database and all files, in one file; the site goes on meanwhile. OUT is a file that is "
        "not there yet, or a folder. With --check the file OUT is only verified.",
    )
)
@click.argument("out", type=click.Path())
@click.option("--check", is_flag=True, help=say("只核对 OUT 是否完整", "Only verify the file OUT"))
@click.option(
    "--keep", type=click.IntRange(1), help=say("文件夹中保留的份数，多余的旧备份删除", "Backups to keep in the folder")
)
@click.option(
    "--with-key", is_flag=True,
    help=say(
        "把密钥也放进去：拿到文件的人即可伪造登录与签名，默认不放",
        "Put the secret key in as well: whoever has the file can then forge sessions and signatures",
    ),
)  # fmt: skip
def backup(out: str, *, check: bool, keep: int | None, with_key: bool) -> None:
    """Back the site up, or check a backup."""
    more = ["--check"] * check + ["--with-key"] * with_key + (["--keep", str(keep)] if keep else [])
    _run("backup", out, *more)


@click.command(
    help=say(
        "用备份恢复网站（须先停止）：先在旁边解开并核对，再替换；随时中断都保持原样。",
        "Restore the site from a backup (stop it first): unpacked and verified beside it, then put in its place; a "
        "kill at any moment leaves the old site.",
    )
)
@click.argument("file", type=click.Path(), required=False)
@click.option("--replace", is_flag=True, help=say("把现有数据移到一旁再恢复", "Put the data that is there aside"))
@click.option("--undo", is_flag=True, help=say("换回移到一旁的数据", "Bring back what was put aside"))
@click.option("--forget", is_flag=True, help=say("删除移到一旁的数据", "Delete what was put aside"))
def restore(file: str | None, *, replace: bool, undo: bool, forget: bool) -> None:
    """Restore the site."""
    more = ["--replace"] * replace + ["--undo"] * undo + ["--forget"] * forget
    _run("restore", *([file] if file else []), *more)


def _run(*words: str) -> None:
    sys.exit(subprocess.run([sys.executable, "-m", "silian.web", *words], check=False).returncode)  # noqa: S603
