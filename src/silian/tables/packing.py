"""Frozen objects as named arrays and a header of JSON, and back: what may be kept in a file, by an allow-list.

An object is packed by its fields. Fields may hold numbers, texts, truth values, None, paths, numpy arrays, sparse rows
(csr_array), polars frames and series, tuples, mappings with texts as keys, and objects of the classes that the caller
allows (frozen dataclasses and named tuples). Unpacking makes only those, so a file cannot run code.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PLAIN: Final = (bool, int, str, type(None))


@dataclasses.dataclass(frozen=True, slots=True)
class Packed:
    """An object as a header that JSON can hold, and the arrays that it names."""

    header: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


def pack(thing: Any, *, classes: Sequence[type]) -> Packed:
    """An object as header and arrays. Arrays are not copied; what stands in it twice is kept once.

    Parameters
    ----------
    thing : an object of one of the classes
    classes : frozen dataclasses and named tuples that may stand in it; their names are told apart

    Raises
    ------
    StoreError : store.type where something in it is of no such kind.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> class Point(NamedTuple):
    ...     name: str
    ...     place: np.ndarray
    >>> packed = pack(Point("a", np.arange(3)), classes=[Point])
    >>> sorted(packed.arrays), unpack(packed, classes=[Point])
    (['place'], Point(name='a', place=array([0, 1, 2])))
    """
    packer = _Packer(classes)
    return Packed(packer.packed(thing, ""), packer.arrays)


def unpack(packed: Packed, *, classes: Sequence[type]) -> Any:
    """The object that was packed; arrays are those of `packed`, not copied.

    Raises
    ------
    StoreError : store.content where the header names another class, other fields, or arrays that do not fit.
    """
    return _Unpacker(packed.arrays, classes).made(packed.header, "")


class _Packer:
    def __init__(self, classes: Sequence[type]) -> None:
        self.classes = tuple(classes)
        self.arrays: dict[str, np.ndarray] = {}
        self._named: dict[object, str] = {}  # what was packed already

    def packed(self, thing: Any, name: str) -> Any:
        if type(thing) in _PLAIN or (type(thing) is float and math.isfinite(thing)):
            return thing
        if type(thing) in self.classes:
            fields = _fields(type(thing))
            return {
                "is": "object", "class": type(thing).__name__,
                "fields": {f: self.packed(getattr(thing, f), _join(name, f)) for f in fields},
            }  # fmt: skip
        if type(thing) is float:
            return {"is": "float", "value": repr(thing)}
        if isinstance(thing, Path):
            return {"is": "path", "value": str(thing)}
        return self._many(thing, name)

    def _many(self, thing: Any, name: str) -> Any:
        if isinstance(thing, np.ndarray):
            turned = thing.flags.f_contiguous and not thing.flags.c_contiguous  # sums come out alike only in one order
            return {"is": "turned" if turned else "array", "name": self._array(thing.T if turned else thing, name)}
        if isinstance(thing, pl.DataFrame | pl.Series):
            return self._table(thing, name)
        if type(thing) is tuple and thing and all(type(t) is str for t in thing):
            return {"is": "texts", "name": self._texts(thing, name)}
        if type(thing) is tuple:
            return {"is": "tuple", "items": [self.packed(t, _join(name, str(i))) for i, t in enumerate(thing)]}
        if type(thing) is dict:
            return self._mapping(thing, name)
        if type(thing).__name__ == "csr_array":
            parts = {p: self._array(getattr(thing, p), _join(name, p)) for p in ("data", "indices", "indptr")}
            return {"is": "rows", "shape": list(thing.shape), **parts}
        raise StoreError(
            "store.type", what=name or "this", found=f"a {type(thing).__name__}",
            wanted=f"numbers, texts, arrays, tables, or one of {', '.join(c.__name__ for c in self.classes)}",
        )  # fmt: skip

    def _mapping(self, thing: dict[str, Any], name: str) -> Any:
        if not all(type(k) is str for k in thing):
            raise StoreError("store.type", what=name, found="a mapping with other keys than texts", wanted="texts")
        kinds = {type(v) for v in thing.values()}
        if not thing or kinds not in ({int}, {float}):
            return {"is": "mapping", "items": {k: self.packed(v, _join(name, k)) for k, v in thing.items()}}
        keys = self._texts(tuple(thing), _join(name, "keys"))
        values = np.fromiter(thing.values(), np.int64 if kinds == {int} else np.float64, len(thing))
        if kinds == {int} and np.array_equal(values, np.arange(len(values))):
            return {"is": "places", "keys": keys}
        return {"is": "numbers", "keys": keys, "values": self._array(values, _join(name, "values"))}

    def _array(self, array: np.ndarray, name: str) -> str:
        same = ("array", array.ctypes.data, array.shape, array.strides, array.dtype.str)
        return self._once(same if array.size else ("array", name), name, lambda: array)

    def _texts(self, texts: tuple[str, ...], name: str) -> str:
        def add() -> np.ndarray:
            parts = [t.encode() for t in texts]
            ends = np.zeros(len(parts) + 1, np.int64)
            np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)), out=ends[1:])
            self.arrays[_join(name, "ends")] = ends
            return np.frombuffer(b"".join(parts), np.uint8)

        return self._once(("texts", texts), name, add)

    def _table(self, thing: pl.DataFrame | pl.Series, name: str) -> Any:
        import pyarrow as pa

        frame = thing.to_frame() if isinstance(thing, pl.Series) else thing
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        written = pa.BufferOutputStream()
        with pa.ipc.new_file(written, table.schema) as file:
            file.write_table(table)
        self.arrays[name] = np.frombuffer(written.getvalue(), np.uint8)
        return {"is": "series" if isinstance(thing, pl.Series) else "frame", "name": name}

    def _once(self, key: object, name: str, make: Callable[[], np.ndarray]) -> str:
        if key not in self._named:
            self.arrays[name] = make()
            self._named[key] = name
        return self._named[key]


class _Unpacker:
    def __init__(self, arrays: Mapping[str, np.ndarray], classes: Sequence[type]) -> None:
        self.arrays = arrays
        self.classes = {c.__name__: c for c in classes}
        self._texts: dict[str, list[str]] = {}
        self._places: dict[str, dict[str, int]] = {}

    def made(self, told: Any, where: str) -> Any:
        if type(told) in (*_PLAIN, float):
            return told
        try:
            make = getattr(self, f"_make_{told['is']}")
            return make(told, where)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
            raise _wrong(where, f"{type(error).__name__}: {error}", "what this silian writes") from error

    def _make_object(self, told: Mapping[str, Any], where: str) -> Any:
        kind = self.classes.get(told["class"])
        if kind is None:
            raise _wrong(where, told["class"], f"one of {', '.join(self.classes)}")
        fields = told["fields"]
        if sorted(fields) != sorted(_fields(kind)):
            raise _wrong(where, f"{told['class']} of {sorted(fields)}", f"{sorted(_fields(kind))}")
        return kind(**{f: self.made(t, _join(where, f)) for f, t in fields.items()})

    def _make_float(self, told: Mapping[str, Any], where: str) -> float:  # noqa: ARG002
        return float(told["value"])

    def _make_path(self, told: Mapping[str, Any], where: str) -> Path:  # noqa: ARG002
        return Path(told["value"])

    def _make_array(self, told: Mapping[str, Any], where: str) -> np.ndarray:  # noqa: ARG002
        return self.arrays[told["name"]]

    def _make_turned(self, told: Mapping[str, Any], where: str) -> np.ndarray:  # noqa: ARG002
        return self.arrays[told["name"]].T

    def _make_frame(self, told: Mapping[str, Any], where: str) -> pl.DataFrame:
        import pyarrow as pa

        try:
            table = pa.ipc.open_file(pa.py_buffer(self.arrays[told["name"]])).read_all()
            table.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise _wrong(where, " ".join(str(error).split())[:200], "a table") from error
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def _make_series(self, told: Mapping[str, Any], where: str) -> pl.Series:
        return self._make_frame(told, where).to_series(0)

    def _make_texts(self, told: Mapping[str, Any], where: str) -> tuple[str, ...]:
        return tuple(self._read(told["name"], where))

    def _make_tuple(self, told: Mapping[str, Any], where: str) -> tuple[Any, ...]:
        return tuple(self.made(t, _join(where, str(i))) for i, t in enumerate(told["items"]))

    def _make_mapping(self, told: Mapping[str, Any], where: str) -> dict[str, Any]:
        return {k: self.made(t, _join(where, k)) for k, t in told["items"].items()}

    def _make_places(self, told: Mapping[str, Any], where: str) -> dict[str, int]:
        name = told["keys"]
        if name not in self._places:
            texts = self._read(name, where)
            self._places[name] = dict(zip(texts, range(len(texts)), strict=True))
        return self._places[name]

    def _make_numbers(self, told: Mapping[str, Any], where: str) -> dict[str, Any]:
        return dict(zip(self._read(told["keys"], where), self.arrays[told["values"]].tolist(), strict=True))

    def _make_rows(self, told: Mapping[str, Any], where: str) -> Any:
        import scipy.sparse as sp

        data, codes, ends = (self.arrays[told[p]] for p in ("data", "indices", "indptr"))
        rows, columns = told["shape"]
        check_lists(ends, codes, data, rows=rows, codes_below=columns, where=where)
        made = sp.csr_array((rows, columns), dtype=data.dtype)
        made.data, made.indices, made.indptr = data, codes, ends  # the constructor would copy some of them
        return made

    def _read(self, name: str, where: str) -> list[str]:
        import pyarrow as pa

        if name not in self._texts:
            text, ends = self.arrays[name], self.arrays[_join(name, "ends")]
            if text.dtype != np.uint8 or ends.dtype != np.int64 or not len(ends):
                raise _wrong(where, f"texts of {text.dtype} and {ends.dtype}", "uint8 and int64")
            column = pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(text))
            try:
                column.validate(full=True)
            except pa.ArrowException as error:
                raise _wrong(where, str(error)[:200], "texts") from error
            self._texts[name] = pl.Series(column).to_list()
        return self._texts[name]


def check_lists(
    ends: np.ndarray, codes: np.ndarray, values: np.ndarray | None = None, *, rows: int, codes_below: int, where: str
) -> None:
    """Raise store.content where rows of codes, with a value each or none, point outside: compiled loops do not look."""
    whole = ends.ndim == codes.ndim == 1 and len(ends) == rows + 1 and (values is None or values.shape == codes.shape)
    whole = whole and ends.dtype.kind == codes.dtype.kind == "i" and ends[0] == 0 and ends[-1] == len(codes)
    whole = bool(whole and (ends[1:] >= ends[:-1]).all())
    if whole and len(codes):
        whole = bool(codes.min() >= 0 and codes.max() < codes_below)
    if not whole:
        raise _wrong(where, f"{len(ends)} ends, {len(codes)} codes that do not fit", f"{rows} rows")


def _fields(kind: type) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [f.name for f in dataclasses.fields(kind) if f.init]
    return list(kind._fields)  # type: ignore[attr-defined]


def _join(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _wrong(where: str, found: str, wanted: str) -> StoreError:
    return StoreError("store.content", where=where or "it", found=found, wanted=wanted)
