"""What a file is, by its content; what does not say the same thing three times over is refused."""

from __future__ import annotations

import re
import unicodedata
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Final, NamedTuple

import puremagic

from silian.errors import WebError

NAME_BYTES: Final = 200  # of a name in UTF-8: file systems take 255, and people put a date before it
NAME_DEFAULT: Final = "file"
RESERVED: Final = re.compile(r'[<>:"|?*]')  # characters that Windows takes in no name
UNPACKED: Final = 200 * 1024**2  # bytes that a document may unpack to
PARTS: Final = 5_000  # files within a document
RATIO: Final = 200  # times that a document may grow: real sheets reach some 30
LEAST_BOMB: Final = 10 * 1024**2  # below this growth harms nobody
CHUNK: Final = 256 * 1024
OFFICE: Final = "application/vnd.openxmlformats-officedocument"
ZIPPED: Final = ("application/zip", "application/x-zip-compressed")


class Kind(NamedTuple):
    """A type of file that may hang on a record."""

    media_type: str
    declared: tuple[str, ...]  # what browsers call it, beside its own name
    starts: tuple[bytes, ...]  # any of these
    main: str = ""  # the part that makes a package this kind of document


KINDS: Final = {
    "pdf": Kind("application/pdf", ("application/x-pdf",), (b"%PDF-",)),
    "png": Kind("image/png", ("image/x-png",), (b"\x89PNG\r\n\x1a\n",)),
    "jpg": Kind("image/jpeg", ("image/jpg", "image/pjpeg"), (b"\xff\xd8\xff",)),
    "webp": Kind("image/webp", (), (b"RIFF",)),
    "docx": Kind(f"{OFFICE}.wordprocessingml.document", ZIPPED, (b"PK\x03\x04",), "word/document.xml"),
    "xlsx": Kind(f"{OFFICE}.spreadsheetml.sheet", ZIPPED, (b"PK\x03\x04",), "xl/workbook.xml"),
    "pptx": Kind(f"{OFFICE}.presentationml.presentation", ZIPPED, (b"PK\x03\x04",), "ppt/presentation.xml"),
    "txt": Kind("text/plain", (), ()),
    "csv": Kind("text/csv", ("application/vnd.ms-excel", "text/plain", "application/csv"), ()),
}
UNKNOWN: Final = ("", "application/octet-stream", "application/x-download")  # a browser that does not say
# What runs, or fetches, when a document is opened.
ACTIVE: Final = re.compile(r"vbaproject|/activex/|/macrosheets/", re.IGNORECASE)
MARKUP: Final = re.compile(rb"<\s*(!doctype|html|svg|script|iframe|body|\?xml)", re.IGNORECASE)
# A template that is fetched from another machine when the document opens; one from a disk is Word's habit.
FAR_TEMPLATE: Final = re.compile(
    rb"<Relationship\b(?=[^>]*attachedTemplate)(?=[^>]*Target=[\"'](?:https?:|ftp:|\\\\|file:///?\\\\|file:////))"
)
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean_name(given: str) -> str:
    r"""The name of a file without folders, hidden characters and tricks of direction, short enough for every disk.

    Examples
    --------
    >>> clean_name("C:\\桌面\\技术\u202efdp.方案.PDF"), clean_name("../../etc/passwd"), clean_name(" .. ")
    ('技术fdp.方案.PDF', 'passwd', 'file')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    seen = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    kept = RESERVED.sub("_", " ".join(seen.split())).strip(" .")
    suffix = PurePosixPath(kept).suffix[:16]
    stem = kept[: len(kept) - len(suffix)] if suffix else kept
    while len((stem + suffix).encode()) > NAME_BYTES:
        stem = stem[:-1]
    return (stem + suffix) or NAME_DEFAULT


def media_type(file: IO[bytes], name: str, declared: str) -> str:
    """The media type of a file whose name, declared type and content agree.

    Raises
    ------
    WebError : attachment.type if this type is not taken; attachment.disguised if the three do not agree;
        attachment.broken if a document cannot be read; attachment.bomb if it unpacks to too much; attachment.active if
        something in it would run; attachment.text if a text is none
    """
    extension = PurePosixPath(name).suffix.lower().lstrip(".").replace("jpeg", "jpg")
    kind = KINDS.get(extension)
    if kind is None:
        raise WebError("attachment.type", found=f".{extension}" if extension else name)
    told = declared.split(";", maxsplit=1)[0].strip().lower()
    if told not in (*UNKNOWN, kind.media_type, *kind.declared):
        raise WebError("attachment.disguised", name=name, found=told)
    file.seek(0)
    head = file.read(8192)
    if kind.starts:
        _check_head(head, kind, name)
    if kind.main:
        _check_document(file, kind, name)
    elif kind.starts:
        _check_single(file, head, extension, name)
    else:
        _check_text(file, name)
    file.seek(0)
    return kind.media_type


def _check_head(head: bytes, kind: Kind, name: str) -> None:
    """The first bytes are the kind's own, and the library of signatures knows no other."""
    if not head.startswith(kind.starts) or (kind.media_type == "image/webp" and head[8:12] != b"WEBP"):
        raise WebError("attachment.disguised", name=name, found=_guessed(head))


def _guessed(head: bytes) -> str:
    try:
        found = puremagic.from_string(head, mime=True) if head else ""
    except puremagic.PureError:
        found = ""
    return str(found) or "?"


def _check_single(file: IO[bytes], head: bytes, extension: str, name: str) -> None:
    """No second file hides before, in the head of, or behind an image or a PDF."""
    if MARKUP.search(head[:1024]) and extension != "pdf":
        raise WebError("attachment.disguised", name=name, found="text/html")
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - 70_000))
    tail = file.read()
    if _ends_as_zip(tail):
        raise WebError("attachment.disguised", name=name, found="application/zip")
    whole = {"png": b"IEND\xaeB`\x82", "jpg": b"\xff\xd9", "pdf": b"%%EOF"}.get(extension)
    if whole is not None and whole not in tail:
        raise WebError("attachment.broken", name=name)


def _ends_as_zip(tail: bytes) -> bool:
    """Whether a reader of archives would find one: an end record whose comment reaches to the end of the file."""
    place = tail.rfind(b"PK\x05\x06")
    while place >= 0:
        length = int.from_bytes(tail[place + 20 : place + 22], "little")
        if len(tail) - place >= 22 and place + 22 + length <= len(tail):
            return True
        place = tail.rfind(b"PK\x05\x06", 0, place)
    return False


def _check_text(file: IO[bytes], name: str) -> None:
    """UTF-8 without controls, and no page of markup."""
    file.seek(0)
    rest = file.read()
    if MARKUP.match(rest[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()):
        raise WebError("attachment.disguised", name=name, found="text/html")
    try:
        text = rest.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WebError("attachment.text", name=name) from error
    if CONTROLS.search(text):
        raise WebError("attachment.text", name=name)


def _check_document(file: IO[bytes], kind: Kind, name: str) -> None:
    """A package of Office Open XML: whole, of this kind, not a bomb, with nothing that runs."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
            _check_parts(parts, kind, name)
            for part in parts:
                _check_part(package, part, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise WebError("attachment.broken", name=name) from error


def _check_parts(parts: list[zipfile.ZipInfo], kind: Kind, name: str) -> None:
    names = [part.filename for part in parts]
    packed, unpacked = sum(p.compress_size for p in parts), sum(p.file_size for p in parts)
    is_steep = unpacked > LEAST_BOMB and unpacked > RATIO * max(packed, 1)
    if len(parts) > PARTS or unpacked > UNPACKED or is_steep:
        raise WebError("attachment.bomb", name=name)
    unsafe = any(n.startswith(("/", "\\")) or ".." in n.split("/") or "\\" in n for n in names)
    if unsafe or len(set(names)) < len(names) or any(p.flag_bits & 1 for p in parts):  # 1: encrypted
        raise WebError("attachment.broken", name=name)
    if "[Content_Types].xml" not in names or kind.main not in names:
        raise WebError("attachment.disguised", name=name, found="application/zip")
    if any(ACTIVE.search(n) for n in names):
        raise WebError("attachment.active", name=name)


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    """Unpack a part once, in pieces, so that a size that lies is found out; nothing of it is kept."""
    is_markup = part.filename.endswith((".xml", ".rels"))
    last = b""
    with package.open(part) as stream:
        while piece := stream.read(CHUNK):
            seen = last + piece
            if is_markup and (b"<!DOCTYPE" in seen or b"<!ENTITY" in seen):
                raise WebError("attachment.active", name=name)
            if part.filename == "[Content_Types].xml" and b"macroEnabled" in seen:
                raise WebError("attachment.active", name=name)
            if part.filename.endswith(".rels") and FAR_TEMPLATE.search(seen):
                raise WebError("attachment.active", name=name)
            last = piece[-32:]
