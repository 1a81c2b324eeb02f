"""The file of a backup: a zip with a manifest that says what every part was, signed with the key of the site.

Its first reader may be somebody in trouble, so it opens with any program; and as it may have been lying anywhere, its
reader believes nothing: every name must be one that a backup has, every part as large and as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import stat
import struct
import time
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final

from django.conf import settings

from silian import __version__
from silian.errors import WebError
from silian.web.base.operation.digests import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT: Final = 1  # grows when an older version could not read it
MANIFEST, SIGNATURE, KEY = "manifest.json", "signature", "secret-key"
DATABASES: Final = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
FOLDERS: Final = ("files", "runs", "snapshots")  # of SILIAN_HOME; index, cache, uploads and static are made anew
CHUNK: Final = 1024 * 1024
PACKED: Final = frozenset(
    (".zip", ".xlsx", ".docx", ".pptx", ".png", ".jpg", ".jpeg", ".webp", ".pdf", ".parquet", ".gz", ".dump")
)
# What reading a spoilt archive raises; a RuntimeError where it is locked, or nested too deeply.
SPOILT: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, TypeError, LookupError, AttributeError,
    RuntimeError, OSError,
)  # fmt: skip
LARGEST_MANIFEST: Final = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the archive."""

    name: str
    bytes: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """What an archive holds."""

    engine: str  # sqlite or postgresql
    made_at: str
    version: str = __version__
    format: int = FORMAT
    migrations: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, Told] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    key: str = ""  # print of the secret key, which says nothing of it

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(told.rows for told in self.tables.values())

    @property
    def size(self) -> int:
        """Bytes of all parts, unpacked."""
        return sum(part.bytes for part in self.parts)

    @property
    def files(self) -> list[Part]:
        """The parts that lie in folders."""
        return [part for part in self.parts if "/" in part.name]

    def to_json(self) -> bytes:
        """As it stands in the archive."""
        told = asdict(self)
        told["tables"] = {name: table._asdict() for name, table in self.tables.items()}
        return json.dumps(told, ensure_ascii=False, indent=1).encode()

    @classmethod
    def of_json(cls, text: bytes) -> Manifest:
        """As it stands in the archive. Raises ValueError, TypeError or KeyError where it is none."""
        told = json.loads(text)
        tables = {
            str(name): Told(int(t["rows"]), str(t["digest"]), tuple(map(str, t["columns"])))
            for name, t in told.pop("tables").items()
        }
        parts = [Part(str(p["name"]), int(p["bytes"]), str(p["sha256"])) for p in told.pop("parts")]
        migrations = {str(app): [str(name) for name in names] for app, names in told["migrations"].items()}
        more = {name: str(told[name]) for name in ("engine", "made_at", "version", "key")}
        return cls(tables=tables, parts=parts, migrations=migrations, format=int(told["format"]), **more)


def print_of_key() -> str:
    """A print of the secret key, by which an archive knows the site it comes from."""
    return hashlib.sha256(f"silian.backup.print:{settings.SECRET_KEY}".encode()).hexdigest()[:16]


def sign(text: bytes) -> str:
    """The signature of a manifest."""
    key = hashlib.sha256(f"silian.backup.sign:{settings.SECRET_KEY}".encode()).digest()
    return hmac.new(key, text, "sha256").hexdigest()


class Writer:
    """An archive that is being written."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip, self.manifest = archive, manifest

    def add(self, name: str, source: IO[bytes], *, mtime: float = 0.0, step: Callable[[int], None]) -> None:
        """Add a part, chunk by chunk."""
        told = zipfile.ZipInfo(name, time.localtime(max(mtime, 315_619_200.0))[:6])  # zip knows no day before 1980
        is_packed = PurePosixPath(name).suffix.lower() in PACKED
        told.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        told.external_attr = (stat.S_IFREG | 0o600) << 16
        digest, count = hashlib.sha256(), 0
        with self._zip.open(told, "w", force_zip64=True) as out:
            while chunk := source.read(CHUNK):
                out.write(chunk)
                digest.update(chunk)
                count += len(chunk)
                step(len(chunk))
        self.manifest.parts.append(Part(name, count, digest.hexdigest()))

    def add_file(self, name: str, place: Path, *, step: Callable[[int], None]) -> None:
        """Add a file."""
        with place.open("rb") as source:
            self.add(name, source, mtime=place.stat().st_mtime, step=step)

    def close(self) -> None:
        """Write what the archive holds, and sign it."""
        text = self.manifest.to_json()
        self._zip.writestr(MANIFEST, text)
        self._zip.writestr(SIGNATURE, sign(text))


@contextlib.contextmanager
def written(place: Path, manifest: Manifest) -> Iterator[Writer]:
    """Write an archive that is there as a whole or not at all.

    Raises
    ------
    WebError : backup.failed if it cannot be written
    """
    beside = place.with_name(f".{place.name}.{os.getpid()}.partial")
    try:
        with created(beside) as out:
            with zipfile.ZipFile(out, "w", compresslevel=6) as archive:
                writer = Writer(archive, manifest)
                yield writer
                writer.close()
            out.flush()
            os.fsync(out.fileno())
        beside.replace(place)
        sync_folder(place.parent)
    except OSError as error:
        raise WebError("backup.failed", found=f"{place}: {error.strerror or error}.") from error
    finally:
        beside.unlink(missing_ok=True)


def created(place: Path) -> IO[bytes]:
    """A new file that its owner alone can read."""
    return os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder outlast a power cut."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class Reader:
    """An archive that is read; its names and its manifest have been looked at."""

    def __init__(self, place: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.place, self._zip, self.manifest = place, archive, manifest

    @property
    def is_own(self) -> bool:
        """Whether it was made with the key of this site; then its signature is right."""
        return self.manifest.key == print_of_key()

    def copy(self, part: Part, out: IO[bytes] | None, *, step: Callable[[int], None]) -> None:
        """Read a part, into a file or nowhere.

        Raises
        ------
        WebError : backup.changed if it is not as it was; no more of it is written than it should have
        """
        digest, count = hashlib.sha256(), 0
        for chunk in self._chunks(part):
            count += len(chunk)
            if count > part.bytes:
                break
            digest.update(chunk)
            if out:
                out.write(chunk)
            step(len(chunk))
        if count != part.bytes or not hmac.compare_digest(digest.hexdigest(), part.sha256):
            raise WebError("backup.changed", file=self.place.name, found=part.name)

    def _chunks(self, part: Part) -> Iterator[bytes]:
        """A part bit by bit, and at most one byte more than it should have."""
        try:
            with self._zip.open(part.name) as source:
                left = part.bytes + 1
                while left and (chunk := source.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except SPOILT as error:
            raise WebError("backup.changed", file=self.place.name, found=part.name) from error


@contextlib.contextmanager
def read(place: Path) -> Iterator[Reader]:
    """Open an archive and look at what it says it holds.

    Raises
    ------
    WebError : backup.broken, backup.hostile, backup.signature, backup.newer
    """
    try:
        archive = zipfile.ZipFile(place)
    except SPOILT as error:
        raise WebError("backup.broken", file=place.name, found=getattr(error, "strerror", None) or error) from error
    with archive:
        yield Reader(place, archive, _looked_at(place, archive))


def _looked_at(place: Path, archive: zipfile.ZipFile) -> Manifest:
    members = archive.infolist()
    for member in members:
        if found := suspicious(member):
            raise WebError("backup.hostile", file=place.name, found=found)
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise WebError("backup.hostile", file=place.name, found="a name twice")
    manifest = _manifest(place, archive, set(names))
    told = {part.name: part for part in manifest.parts}
    if len(told) != len(manifest.parts) or told.keys() | {MANIFEST, SIGNATURE} != set(names):
        raise WebError("backup.broken", file=place.name, found="parts ≠ manifest")
    for member in members:
        part = told.get(member.filename)
        if part and part.bytes != member.file_size:
            raise WebError("backup.changed", file=place.name, found=part.name)
    return manifest


def suspicious(member: zipfile.ZipInfo) -> str:
    """What is wrong with a member of the archive; empty: nothing.

    Examples
    --------
    >>> suspicious(zipfile.ZipInfo("files/../../etc/passwd")), suspicious(zipfile.ZipInfo("files/a/b.pdf"))
    ("'files/../../etc/passwd'", '')
    """
    name = member.filename
    kind = stat.S_IFMT(member.external_attr >> 16)
    is_plain = kind in (0, stat.S_IFREG) and not member.is_dir() and not member.flag_bits & 0x1
    parts = name.split("/")
    is_known = name in (MANIFEST, SIGNATURE, KEY, *DATABASES.values()) or (len(parts) > 1 and parts[0] in FOLDERS)
    is_inside = all(part not in ("", ".", "..") and len(part.encode()) < 256 for part in parts)
    is_readable = not any(sign in name for sign in ("\\", "\0", ":")) and member.orig_filename == name
    return "" if is_plain and is_known and is_inside and is_readable else repr(name[:100])


def _manifest(place: Path, archive: zipfile.ZipFile, names: set[str]) -> Manifest:
    if MANIFEST not in names or SIGNATURE not in names:
        raise WebError("backup.broken", file=place.name, found="no manifest")
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST or archive.getinfo(SIGNATURE).file_size > 1000:
        raise WebError("backup.hostile", file=place.name, found=MANIFEST)
    try:
        text = archive.read(MANIFEST)
        signature = archive.read(SIGNATURE).decode("ascii")
        told: Any = json.loads(text)
        if told["format"] > FORMAT:
            raise WebError("backup.newer", file=place.name, found=told["version"], own=__version__)
        manifest = Manifest.of_json(text)
    except SPOILT as error:
        raise WebError("backup.broken", file=place.name, found=f"manifest: {type(error).__name__}") from error
    if manifest.engine not in DATABASES or DATABASES[manifest.engine] not in names:
        raise WebError("backup.broken", file=place.name, found="no database")
    if manifest.key == print_of_key() and not hmac.compare_digest(signature, sign(text)):
        raise WebError("backup.signature", file=place.name)
    return manifest
