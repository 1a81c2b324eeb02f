"""The file of an import as a folder of tables that the reader knows."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from silian.errors import WebError
from silian.tables.headings import table_named

if TYPE_CHECKING:
    from silian.web.catalog.models import Import

UNPACKED: Final = 2 << 30  # bytes of a whole archive
MEMBERS: Final = 1000
FORMS: Final = (".csv", ".tsv", ".xlsx", ".parquet")
BLOCK: Final = 1 << 20


def lay_out(brought: Import, folder: Path) -> list[str]:
    """Put the file, or what an archive holds, into an empty folder under names that say which table it is.

    Returns
    -------
    Names of tables that a workbook may be, where its sheets name none

    Raises
    ------
    WebError : web.zip_broken, web.zip_unsafe, web.zip_large
    """
    own = Path(brought.file.path)
    suffix = own.suffix.lower()
    if suffix == ".zip":
        _unpack(own, folder, brought.name)
        return []
    guessed = table_of_name(brought.name)
    name = brought.noun or (guessed if suffix != ".xlsx" else "") or "region"
    _place(own, folder / f"{name}{suffix}")
    return [guessed] if guessed and name == "region" else []


def as_table(brought: Import, folder: Path, noun: str) -> None:
    """Name the file of a folder after a table, after all."""
    own = Path(brought.file.path)
    for each in folder.iterdir():
        each.unlink()
    _place(own, folder / f"{noun}{own.suffix.lower()}")


def table_of_name(name: str) -> str:
    """The table that a file is named after: needs.csv, 需求-2026.xlsx; empty where it is none."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    for text in (stem, *(stem.partition(mark)[0] for mark in ".-－—（(_ ")):
        found = table_named(text)
        if found:
            return found.name
    return ""


def _place(own: Path, there: Path) -> None:
    try:
        there.hardlink_to(own)
    except OSError:  # another disk
        shutil.copyfile(own, there)


def _unpack(archive: Path, folder: Path, name: str) -> None:
    left = UNPACKED
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and _is_table(m.filename)]
            if len(members) > MEMBERS or sum(m.file_size for m in members) > UNPACKED:
                raise WebError("web.zip_large", file=name, limit="2 GiB")
            for member in members:
                path = PurePosixPath(member.filename.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or member.flag_bits & 1:
                    raise WebError("web.zip_unsafe", file=name, found=member.filename[:80])
                left -= _copy(opened, member, folder / path.name, left, name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise WebError("web.zip_broken", file=name) from error


def _is_table(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.suffix.lower() in FORMS and not path.name.startswith((".", "~$")) and "__MACOSX" not in path.parts


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, there: Path, left: int, name: str) -> int:
    """Unpack one member; what its heading says of its size is not believed."""
    size = 0
    with opened.open(member) as packed, there.open("wb") as written:
        while block := packed.read(BLOCK):
            size += len(block)
            if size > left:
                raise WebError("web.zip_large", file=name, limit="2 GiB")
            written.write(block)
    return size
