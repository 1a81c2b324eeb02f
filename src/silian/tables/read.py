"""A region from its files: CSV, TSV, Excel and Parquet tables of a folder, or the sheets of one workbook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.errors import ReadError
from silian.tables.headings import READ_ME, headings, table_named
from silian.tables.limits import LIMITS, Limits
from silian.tables.problems import gathered, names_near, problem, sources_of
from silian.tables.read_geojson import GEOJSON, read_geojson
from silian.tables.read_table import TypedTable, cells_of
from silian.tables.region import Region, Source
from silian.tables.schema import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from silian.tables.raw import RawTable
    from silian.tables.schema import Table

FORMS: Final = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")
# Forms that people take for tables and that are not read: worth a word, unlike a README beside the tables.
OTHER_FORMS: Final = (
    ".xls",
    ".xlsm",
    ".xlsb",
    ".ods",
    ".et",
    ".feather",
    ".arrow",
    ".json",
    ".jsonl",
    ".geojson",
    ".zip",
)


def read_region(path: Path, *, progress: Callable[[str], None] | None = None, limits: Limits = LIMITS) -> Region:
    r"""Read a region from a folder of tables, or from one workbook with a sheet for each table.

    Parameters
    ----------
    path : a folder with files named after the tables, or an .xlsx workbook with sheets named after them
        A table may be `needs.csv`, `.tsv`, `.xlsx` or `.parquet`, or several: `needs.1.csv`, `needs-2024.parquet`,
        `needs/anything.csv`. Table and column names may be those of the schema or their labels in Chinese or English.
    progress : is told a line for each file
    limits : how much is read before a file is refused

    Returns
    -------
    Region : every noun of the schema, typed; where each row came from; what was found wrong while reading. A cell that
        cannot be read in its type is empty and listed (check.type); unknown files, sheets and columns are listed.

    Raises
    ------
    ReadError : the codes of the section read of errors, where a file cannot be read or must not be.

    Notes
    -----
    Text is UTF-8 with or without mark, GB18030, or UTF-16 with mark. Cells are cast whole columns at a time.
    Cost on 2 cores: a million rows, 200 MB of CSV, 2.7 s (5.3 s from GB18030, .6 s from Parquet) and .8 GiB, four times
    the tables; 100,000 rows from workbooks 1.7 s (bench_tables).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> cells = "需求编号,需求名称,需求类型,预算\nn1,减速机降噪,技术攻关,50万元\n"
    >>> _ = (folder / "需求.csv").write_text(cells, encoding="gb18030")
    >>> read_region(folder)["needs"].select("need_id", "kind", "budget_cny").rows()
    [('n1', 'technology', 500000.0)]
    """
    told = progress or (lambda _: None)
    try:
        pieces, notes, geojson = _pieces(path, limits, told)
    except OSError as error:
        file = str(error.filename or path)
        raise ReadError("read.failed", file=file, found=error.strerror or str(error)) from error
    return _region(pieces, notes, geojson)


def read_cells(path: Path, *, limits: Limits = LIMITS) -> dict[str, pl.DataFrame]:
    """The cells of a region as they stand in its files, so that rows with problems can be handed back.

    Returns
    -------
    For each table with a file: file, row, and as text a column for each that a heading names

    Raises
    ------
    ReadError : as `read_region`.
    """
    made: dict[str, list[pl.DataFrame]] = {}
    try:
        for each in _files(path, limits)[0]:
            for table, raw in _raw(each, limits, []):
                made.setdefault(table.name, []).append(cells_of(raw, table))
    except OSError as error:
        found = error.strerror or str(error)
        raise ReadError("read.failed", file=str(error.filename or path), found=found) from error
    return {name: pl.concat(parts, how="diagonal") for name, parts in made.items()}


def read_table(path: Path, table: Table, *, beside: Region, limits: Limits = LIMITS) -> Region:
    """Read one table that is handed in beside a region, as carefully as the region's own.

    Parameters
    ----------
    path : a CSV, TSV, Excel or Parquet file; of a workbook the first sheet
    table : what it holds, e.g. `repair()["replies"]` of the schema
    beside : the region whose ids it may name
    limits : as for `read_region`

    Returns
    -------
    Region : that of `beside` with the table among its tables, where its rows came from, and as problems what was found
        wrong while reading this file; `check_table` finds the rest

    Raises
    ------
    ReadError : as `read_region`.
    """
    notes: list[pl.DataFrame] = []
    made = TypedTable(table, path.name)
    try:
        if not path.exists():
            raise ReadError("read.missing", path=str(path))
        real = path.resolve()  # the path itself is the user's own choice, a link or not
        file = _File(_safe(real, real.parent, path.name, limits, table.name), path.name, table)
        for _, raw in _raw(file, limits, notes):
            made.add(raw, limits)
    except OSError as error:
        found = error.strerror or str(error)
        raise ReadError("read.failed", file=str(error.filename or path), found=found) from error
    rows = pl.concat(made.parts) if made.parts else table.empty()
    places = pl.concat(made.places) if made.places else pl.DataFrame(schema={"file": pl.String(), "row": pl.Int64()})
    source = sources_of(places) or (Source(file=path.name, first_row=2, rows=0),)
    return Region(
        tables=MappingProxyType({**beside.tables, table.name: rows}),
        sources=MappingProxyType({**beside.sources, table.name: source}),
        geojson=beside.geojson,
        problems=gathered([*made.problems, *notes]),
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A file that belongs to a region."""

    path: Path
    shown: str  # relative to the region
    table: Table | None  # None: a workbook whose sheets are named after tables


def _pieces(
    path: Path, limits: Limits, told: Callable[[str], None]
) -> tuple[dict[str, TypedTable], list[pl.DataFrame], Mapping[str, Any] | None]:
    files, notes, map_file = _files(path, limits)
    made: dict[str, TypedTable] = {}
    for each in files:
        told(each.shown)
        for table, raw in _raw(each, limits, notes):
            made.setdefault(table.name, TypedTable(table, raw.file)).add(raw, limits)
    geojson = None
    if map_file is not None:
        told(map_file.shown)
        geojson, problem_rows = read_geojson(map_file.path, file=map_file.shown, limits=limits)
        notes += problem_rows
    return made, notes, geojson


def _region(made: dict[str, TypedTable], notes: list[pl.DataFrame], geojson: Mapping[str, Any] | None) -> Region:
    whole: dict[str, pl.DataFrame] = {}
    sources: dict[str, tuple[Source, ...]] = {}
    columns = {name: frozenset(found.columns) for name, found in made.items()}
    for name, table in tables().items():
        found = made.get(name)
        whole[name] = pl.concat(found.parts) if found and found.parts else table.empty()
        if found:
            places = [*found.places] or [pl.DataFrame(schema={"file": pl.String(), "row": pl.Int64()})]
            # a table with a file and no row keeps an empty source, so that the check can tell it from a missing one
            sources[name] = sources_of(pl.concat(places)) or (Source(file=found.file, first_row=2, rows=0),)
            notes += found.problems
    return Region(
        tables=MappingProxyType(whole), sources=MappingProxyType(sources), columns=MappingProxyType(columns),
        geojson=geojson, problems=gathered(notes),
    )  # fmt: skip


# ── which files ─────────────────────────────────────────────────────────────────────────────────────────────


def _files(path: Path, limits: Limits) -> tuple[list[_File], list[pl.DataFrame], _File | None]:
    """The files of a region in order, problems of files that are passed over, and its map."""
    if not path.exists():
        raise ReadError("read.missing", path=str(path))
    if path.is_file() and path.suffix.lower() == ".xlsx":
        real = path.resolve()  # the path itself is the user's own choice, a link or not
        book = _File(_safe(real, real.parent, path.name, limits, ""), path.name, None)
        return [book], [], _map_beside(path, limits)
    if not path.is_dir():
        raise ReadError("read.not_region", path=str(path))
    found: list[_File] = []
    notes: list[pl.DataFrame] = []
    map_file = None
    seen = _listing(path, limits)
    for each in seen:
        shown = each.relative_to(path).as_posix()
        if shown == GEOJSON:
            map_file = _File(_safe(each, path, shown, limits, ""), shown, None)
            continue
        table = _table_of(each, path)
        form = each.suffix.lower()
        if form in FORMS and (table is not None or (form == ".xlsx" and each.parent == path)):
            found.append(_File(_safe(each, path, shown, limits, table.name if table else "needs"), shown, table))
        elif (form in (*FORMS, *OTHER_FORMS) and form != ".txt" and each.parent == path) or table is not None:
            hint = names_near(each.name.split(".")[0], list(tables())).split(",")[0] + ".csv"
            notes.append(problem("read.file_unknown", table="", file=shown, found=shown, words={"hint": hint}))
    if not found:
        raise ReadError("read.no_tables", path=str(path), count=len(seen))
    return found, notes, map_file


def _map_beside(book: Path, limits: Limits) -> _File | None:
    beside = book.with_name(GEOJSON)
    return _File(_safe(beside, book.parent, GEOJSON, limits, ""), GEOJSON, None) if beside.exists() else None


def _listing(path: Path, limits: Limits) -> list[Path]:
    """Files of the folder and of its folders that are named after a table, in natural order; no hidden ones."""
    found: list[Path] = []
    for each in path.iterdir():
        if each.name.startswith((".", "~$")):
            continue
        if each.is_dir():
            inner = each.iterdir() if table_named(each.name) else ()
            found += [p for p in inner if not p.name.startswith((".", "~$")) and not p.is_dir()]
        else:
            found.append(each)
        if len(found) > limits.files:
            raise ReadError("read.too_many_files", path=str(path), limit=limits.files)
    return sorted(found, key=lambda p: [(int(t) if t.isdigit() else 0, t) for t in re.split(r"([0-9]+)", p.as_posix())])


def _table_of(file: Path, root: Path) -> Table | None:
    """The table that a file or its folder is named after."""
    if file.parent != root:
        return table_named(file.parent.name)
    return table_named(file.stem) or table_named(re.split(r"[.\-－—（(]", file.name)[0])


def _safe(file: Path, root: Path, shown: str, limits: Limits, table: str) -> Path:
    """The file itself, if it lies in the folder, is a plain file and is not too large."""
    real = file.resolve()
    if not real.is_relative_to(root.resolve()):
        raise ReadError("read.outside", file=shown, target=str(real))
    if not real.exists():
        raise ReadError("read.failed", file=shown, found=f"points to {real.name}, which does not exist")
    if not real.is_file():
        raise ReadError("read.not_file", file=shown)
    most = limits.geojson_bytes if shown == GEOJSON else limits.file_bytes
    if real.stat().st_size > most:
        raise ReadError("read.too_big", file=shown, found=real.stat().st_size, limit=most, table=table or "districts")
    return real


# ── one file ────────────────────────────────────────────────────────────────────────────────────────────────


def _raw(file: _File, limits: Limits, notes: list[pl.DataFrame]) -> Iterator[tuple[Table, RawTable]]:
    """The tables of one file as they stand; what belongs to no table is noted."""
    form = file.path.suffix.lower()
    if file.path.stat().st_size == 0:
        name = file.table.name if file.table else ""
        notes.append(problem("read.empty_file", table=name, file=file.shown, found="0"))
    elif form == ".xlsx":
        yield from _sheets(file, limits, notes)
    elif file.table is not None and form == ".parquet":
        from silian.tables.read_parquet import read_parquet

        yield file.table, read_parquet(file.path, file=file.shown, headings=headings(file.table.name), limits=limits)
    elif file.table is not None:
        from silian.tables.read_csv import read_csv

        yield file.table, read_csv(file.path, file=file.shown, headings=headings(file.table.name), limits=limits)


def _sheets(file: _File, limits: Limits, notes: list[pl.DataFrame]) -> Iterator[tuple[Table, RawTable]]:
    from silian.tables.read_xlsx import read_workbook

    table_of: dict[str, Table] = {}

    def wanted(visible: list[str]) -> list[str]:
        named = {name: table for name in visible if (table := table_named(name)) is not None}
        if file.table is None:
            table_of.update(named)
        elif visible:
            own = next((name for name, table in named.items() if table.name == file.table.name), visible[0])
            table_of[own] = file.table
        for name in visible:
            if name not in table_of and name not in READ_ME:
                hint = names_near(name, [table.label_zh for table in tables().values()])
                notes.append(problem(
                    "read.sheet_unknown", table="", file=f"{file.shown}#{name}", found=name, words={"hint": hint}
                ))  # fmt: skip
        return list(table_of)

    for raw in read_workbook(file.path, file=file.shown, wanted=wanted, limits=limits):
        table = table_of.get(raw.file.removeprefix(f"{file.shown}#"))
        if table is None:
            notes.extend(raw.problems)
        else:
            yield table, raw
