"""Named arrays in one file that is mapped, not read: checksummed, of a stated kind and version, replaced whole.

    8 bytes   b"SILIANAR"
    8 bytes   n, length of the header
    4 bytes   CRC-32 of the header
    4 bytes   CRC-32 of the 20 bytes before
    n bytes   header: JSON in UTF-8, filled up with blanks to a multiple of 64 less 24
    arrays    each in C order, little-endian, at a multiple of 64, filled up with zeros to the next one

Numbers of the frame are little-endian and unsigned. The header tells kind, version, length of the whole file, what the
caller added, and of each array its type, shape, offset and CRC-32 over its bytes and filling: every byte of a file
lies under a checksum. A checksum finds accidents; it is no signature, so a file of strange origin may hold wrong
numbers, but reading it runs no code, takes no more memory than the file has bytes, and never reads outside it.
Why not safetensors or Arrow IPC: docs/decisions/0004-index-files.md.
"""

from __future__ import annotations

import fcntl
import json
import math
import mmap
import os
import secrets
import stat
import struct
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from silian.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAGIC: Final = b"SILIANAR"
ALIGN: Final = 64  # a cache line, and the widest vector registers
_FRAME: Final = struct.Struct("<8sQI")
_SUM: Final = struct.Struct("<I")
_START: Final = _FRAME.size + _SUM.size
_TYPES: Final = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")
_MOST_AXES: Final = 8
_MOST_NUMBERS: Final = 1 << 50
_WRITE_BYTES: Final = 64 << 20  # at once, so that a large array is not held twice


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """What a file holds. The arrays are read-only and lie in the file; they keep it mapped as long as they live."""

    header: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array stands in a file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    crc32: int

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], *, kind: str, version: int, header: Mapping[str, Any]
) -> None:
    """Write named arrays to one file, which appears whole or not at all.

    Parameters
    ----------
    path : where; its folder is made if it is not there
    arrays : numbers or truth values of any shape
    kind, version : what the file is; `open_arrays` must be told the same
    header : whatever else JSON can hold

    Raises
    ------
    StoreError : store.type for an array of another type (objects, texts); store.unwritable where the disk is full or
        the place is closed.

    Notes
    -----
    The file is written beside under a name of its own, flushed to the disk, and renamed. Who has mapped the file that
    stood there keeps it; of two writers at once the last one wins. What a killed writer left beside is removed by the
    next one. The same arrays and header make the same bytes. Cost: the disk's; the checksums some 5 GB/s.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_arrays(Path(folder) / "a", {"x": np.arange(3)}, kind="numbers", version=1, header={"of": "test"})
    ...     file = open_arrays(Path(folder) / "a", kind="numbers", version=1)
    >>> file.header, file.arrays["x"]
    ({'of': 'test'}, array([0, 1, 2]))
    """
    plain = {name: _plain(name, array) for name, array in arrays.items()}
    described = _described(plain, kind=kind, version=version, header=header)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _beside(path) as file:
            file.write(described)
            for array in plain.values():
                _write(file, array)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError("store.unwritable", path=path, found=error.strerror or str(error)) from error


def open_arrays(path: Path, *, kind: str, version: int, verify: bool = True) -> ArrayFile:
    """Map a file of `write_arrays`.

    Parameters
    ----------
    path : the file
    kind, version : what it must be
    verify : whether the checksum of every array is compared, which reads the file once; else only the header's

    Raises
    ------
    StoreError : store.missing, store.unreadable, store.foreign (no such file), store.kind, store.version, store.length
        (cut short), store.header, store.broken (a checksum does not fit; says of which array).

    Notes
    -----
    Cost: with verify some 5 GB/s once the file is in memory; without, no time. A file must be replaced, not changed in
    place, while it is mapped; `write_arrays` does so.
    """
    mapped = _mapped(path)
    told, places = _understood(path, mapped, kind=kind, version=version)
    if verify:
        _verify(path, mapped, places)
    return ArrayFile(header=told["header"], arrays={name: _array(mapped, place) for name, place in places.items()})


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    """The array in C order and little-endian."""
    little = array.dtype.newbyteorder("<")
    if little.str not in _TYPES:
        raise StoreError("store.type", what=name, found=f"an array of {array.dtype}", wanted="numbers or truth values")
    return np.require(array, dtype=little, requirements="C").reshape(array.shape)


def _described(plain: Mapping[str, np.ndarray], *, kind: str, version: int, header: Mapping[str, Any]) -> bytes:
    """Frame and header. Offsets count from the end of the header, which is not known before."""
    at, places = 0, {}
    for name, array in plain.items():
        sums = zlib.crc32(bytes(_filling(array.nbytes)), zlib.crc32(_bytes(array)))
        places[name] = {"type": array.dtype.str, "shape": list(array.shape), "offset": at, "crc32": sums}
        at += array.nbytes + _filling(array.nbytes)
    told = {"kind": kind, "version": version, "bytes": at, "arrays": places, "header": dict(header)}
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * _filling(_START + len(text))
    frame = _FRAME.pack(MAGIC, len(text), zlib.crc32(text))
    return frame + _SUM.pack(zlib.crc32(frame)) + text


def _filling(length: int) -> int:
    return -length % ALIGN


def _bytes(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _write(file: BinaryIO, array: np.ndarray) -> None:
    flat = _bytes(array)
    for at in range(0, len(flat), _WRITE_BYTES):
        file.write(flat[at : at + _WRITE_BYTES])
    file.write(bytes(_filling(array.nbytes)))


@contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place at the end; while it is written a lock says that it is alive."""
    _remove_left(path)
    file = _locked(path)
    try:
        yield file
        os.replace(file.name, path)  # noqa: PTH105 (the name of an open file)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise
    finally:
        with suppress(OSError):  # told already where it was the disk that is full
            file.close()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot flush a folder; the file stands there whole
            os.fsync(folder)
    finally:
        os.close(folder)


def _locked(path: Path) -> BinaryIO:
    while True:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
        file = beside.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if beside.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        file.close()  # another writer took it for left before the lock stood


def _remove_left(path: Path) -> None:
    """Remove what killed writers of this file left: nobody holds its lock."""
    for left in sorted(path.parent.iterdir()):
        if not (left.name.startswith(f".{path.name}.") and left.name.endswith(".partial")):
            continue
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _mapped(path: Path) -> mmap.mmap:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise StoreError("store.foreign", path=path, found="no regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _START:
                raise StoreError("store.foreign", path=path, found=f"{size} bytes")
            return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise StoreError("store.missing", path=path) from error
    except OSError as error:
        raise StoreError("store.unreadable", path=path, found=error.strerror or str(error)) from error


def _understood(
    path: Path, mapped: mmap.mmap, *, kind: str, version: int
) -> tuple[Mapping[str, Any], dict[str, _Place]]:
    """The header and where the arrays stand, everything in it compared with the file."""
    magic, length, text_sum = _FRAME.unpack_from(mapped)
    if magic != MAGIC:
        raise StoreError("store.foreign", path=path, found=f"first bytes {magic!r}")
    if _SUM.unpack_from(mapped, _FRAME.size)[0] != zlib.crc32(mapped[: _FRAME.size]):
        raise StoreError("store.header", path=path, found="its first 24 bytes do not fit their checksum")
    if _START + length > len(mapped):
        raise StoreError("store.length", path=path, found=len(mapped), wanted=f"at least {_START + length}")
    text = mapped[_START : _START + length]
    if zlib.crc32(text) != text_sum:
        raise StoreError("store.header", path=path, found="the header does not fit its checksum")
    try:
        told = json.loads(text)
        _check_header(told)
        if told["kind"] != kind:
            raise StoreError("store.kind", path=path, found=told["kind"], wanted=kind)
        if told["version"] != version:
            raise StoreError("store.version", path=path, kind=kind, found=told["version"], wanted=version)
        if _START + length + told["bytes"] != len(mapped):
            raise StoreError("store.length", path=path, found=len(mapped), wanted=_START + length + told["bytes"])
        return told, {name: _place(p, _START + length, told["bytes"]) for name, p in told["arrays"].items()}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError("store.header", path=path, found=f"{type(error).__name__}: {error}") from error


def _check_header(told: Any) -> None:
    wanted = {"kind": str, "version": int, "bytes": int, "arrays": dict, "header": dict}
    for name, kind in wanted.items():
        if type(told[name]) is not kind:
            message = f"{name} is a {type(told[name]).__name__}"
            raise TypeError(message)


def _place(told: Mapping[str, Any], start: int, room: int) -> _Place:
    """Where an array stands; ValueError where that is not inside the file."""
    shape, offset = told["shape"], told["offset"]
    if told["type"] not in _TYPES:
        message = f"type {told['type']!r}"
        raise ValueError(message)
    if len(shape) > _MOST_AXES or any(type(n) is not int or n < 0 for n in (*shape, offset, told["crc32"])):
        message = f"shape {shape!r} at {offset!r}"
        raise ValueError(message)
    place = _Place(np.dtype(told["type"]), tuple(shape), start + offset, told["crc32"])
    is_vast = math.prod(max(n, 1) for n in shape) > _MOST_NUMBERS  # [0, 1e30] has no bytes and no numpy array
    if is_vast or offset % ALIGN or offset + place.bytes + _filling(place.bytes) > room:
        message = f"shape {shape!r} at {offset!r} of {room} bytes"
        raise ValueError(message)
    return place


def _array(mapped: mmap.mmap, place: _Place) -> np.ndarray:
    if not place.bytes:  # no byte of the file is its own
        array = np.zeros(place.shape, place.dtype)
        array.flags.writeable = False
        return array
    return np.frombuffer(mapped, place.dtype, math.prod(place.shape), place.offset).reshape(place.shape)


def _verify(path: Path, mapped: mmap.mmap, places: Mapping[str, _Place]) -> None:
    whole = memoryview(mapped)
    for name, place in places.items():
        found = zlib.crc32(whole[place.offset : place.offset + place.bytes + _filling(place.bytes)])
        if found != place.crc32:
            raise StoreError(
                "store.broken", path=path, array=name, found=f"{found:08x}", wanted=f"{place.crc32:08x}"
            )  # fmt: skip
