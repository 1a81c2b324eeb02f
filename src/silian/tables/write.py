"""A region to files: CSV that Excel opens, Parquet, or workbooks; nothing half-written, nothing taken for a formula."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from silian.errors import ArgumentError, TableError
from silian.tables.cast import GUARDS, SEPARATORS
from silian.tables.headings import table_named
from silian.tables.read_geojson import GEOJSON
from silian.tables.schema import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import xlsxwriter

    from silian.tables.region import Region
    from silian.tables.schema import Column, Table

Form = Literal["csv", "parquet", "xlsx"]
FORMS: Final = (".csv", ".parquet", ".xlsx")
SHEET_ROWS: Final = 1_048_576
CELL_CHARACTERS: Final = 32_767


def write_region(region: Region, path: Path, *, form: Form = "csv") -> None:
    """Write every table of a region that has rows, as `<table>.<form>`, and the map as districts.geojson.

    Parameters
    ----------
    path : a folder, made where it is missing; or, for form "xlsx", a workbook `….xlsx` with a sheet for each table
    form : csv is UTF-8 with its mark, so that Excel shows Chinese; a text that a spreadsheet would take for a formula
        begins with a ', which `read_region` takes away again. parquet keeps the types. xlsx writes texts as texts.

    Raises
    ------
    TableError : write.mixed if the folder holds tables that would be read together with the new ones; write.failed if
        the disk is full or the place cannot be written (what was there stays as it was); write.cell and write.rows if
        a sheet of Excel is too small.
    ArgumentError : argument.value for another form.

    Notes
    -----
    What `read_region` reads back is the same region, where texts are stripped of outer spaces and lists are not empty.
    Files are written aside and then moved into place one by one.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from silian.tables import Region, read_region
    >>> folder = Path(mkdtemp())
    >>> districts = pl.DataFrame({"district_id": ["d1"], "name": ["=东区"]})
    >>> write_region(Region.of({"districts": districts}), folder)
    >>> (folder / "districts.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    "d1,'=东区,,,,,,"
    >>> read_region(folder)["districts"]["name"].to_list()
    ['=东区']
    """
    if form not in ("csv", "parquet", "xlsx"):
        raise ArgumentError("argument.value", name="form", found=repr(form), wanted="csv, parquet or xlsx")
    is_book = form == "xlsx" and path.suffix.lower() == ".xlsx"
    filled = {name: region[name] for name in tables() if region[name].height}
    folder = path.parent if is_book else path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not is_book:
            _refuse_mixed(folder, form)
        aside = Path(tempfile.mkdtemp(prefix=".silian-", dir=folder))
    except OSError as error:
        raise _failed(path, error) from error
    try:
        _write_aside(region, filled, aside, form, book=path.name if is_book else None)
        for written in sorted(aside.iterdir()):
            written.replace(folder / written.name)
        if not is_book:
            _remove_old(folder, form, filled, keeps_map=region.geojson is not None)
    except (OSError, pl.exceptions.PolarsError) as error:  # polars gives a full disk its own name
        raise _failed(path, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _failed(path: Path, error: Exception) -> TableError:
    return TableError("write.failed", path=str(path), found=getattr(error, "strerror", None) or str(error))


def _refuse_mixed(folder: Path, form: Form) -> None:
    """Refuse a folder that holds tables in another form, or split over files."""
    own = {f"{name}.{form}" for name in tables()}
    others = sorted(
        each.name
        for each in folder.iterdir()
        if each.name not in own
        and not each.name.startswith(".")
        and (table_named(each.name) if each.is_dir() else each.suffix.lower() in (*FORMS, ".tsv"))
        and table_named(each.name.split(".")[0].split("-")[0])
    )
    if others:
        raise TableError("write.mixed", path=str(folder), shown=", ".join(others[:5]))


def _remove_old(folder: Path, form: Form, filled: Mapping[str, pl.DataFrame], *, keeps_map: bool) -> None:
    """Remove what an earlier region left under our own names."""
    for name in tables():
        if name not in filled:
            (folder / f"{name}.{form}").unlink(missing_ok=True)
    if not keeps_map:
        (folder / GEOJSON).unlink(missing_ok=True)


def _write_aside(
    region: Region, filled: Mapping[str, pl.DataFrame], aside: Path, form: Form, *, book: str | None
) -> None:
    if book is not None:
        _write_workbook(filled, aside / book)
    else:
        for name, table in filled.items():
            _WRITERS[form](table, aside / f"{name}.{form}", name)
    if region.geojson is not None:
        text = json.dumps(dict(region.geojson), ensure_ascii=False, separators=(",", ":"))
        (aside / GEOJSON).write_text(text, encoding="utf-8")


def to_csv(table: pl.DataFrame, schema: Table) -> bytes:
    """A table of the schema as CSV that a spreadsheet opens: UTF-8 with its mark, no text taken for a formula.

    Examples
    --------
    >>> rows = tables()["districts"].empty().clear(1).with_columns(name=pl.lit("=1+1"))
    >>> to_csv(rows, tables()["districts"]).splitlines()[1]
    b",'=1+1,,,,,,"
    """
    content = io.BytesIO()
    table.select(_guarded(column) for column in schema.columns).write_csv(content, include_bom=True)
    return content.getvalue()


def _write_csv(table: pl.DataFrame, path: Path, name: str) -> None:
    with path.open("wb") as opened:
        opened.write(to_csv(table, tables()[name]))
        _flush(opened)


def _write_parquet(table: pl.DataFrame, path: Path, _: str) -> None:
    with path.open("wb") as opened:
        table.write_parquet(opened, compression="zstd")
        _flush(opened)


def _flush(opened: object) -> None:
    """Have the disk say now, not later, that it is full."""
    opened.flush()  # type: ignore[attr-defined]
    os.fsync(opened.fileno())  # type: ignore[attr-defined]


def _write_one_sheet(table: pl.DataFrame, path: Path, name: str) -> None:
    _write_workbook({name: table}, path)


def _write_workbook(filled: Mapping[str, pl.DataFrame], path: Path) -> None:
    import datetime as dt

    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    for name, table in filled.items():
        _refuse_small_sheet(table, tables()[name])
    # texts stay texts: no formulas, links or numbers are made of them
    plain = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    book = xlsxwriter.Workbook(str(path), {**plain, "default_date_format": "yyyy-mm-dd"})
    book.set_properties({"created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001  the same region gives the same bytes
    for name, table in filled.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        _fill_sheet(sheet, table, tables()[name])
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error)) from error


def _refuse_small_sheet(table: pl.DataFrame, schema: Table) -> None:
    if table.height >= SHEET_ROWS:
        raise TableError("write.rows", table=schema.name, found=table.height, limit=SHEET_ROWS - 1)
    for column in schema.columns:
        if column.polars in (pl.String, pl.List(pl.String)):
            lengths = table.select(_as_text(column)).to_series().str.len_chars()
            count = int((lengths > CELL_CHARACTERS).sum())
            if count:
                raise TableError(
                    "write.cell", table=schema.name, column=column.name, count=count, found=lengths.max(),
                    limit=CELL_CHARACTERS,
                )  # fmt: skip


def _fill_sheet(sheet: xlsxwriter.worksheet.Worksheet, table: pl.DataFrame, schema: Table) -> None:
    put: dict[str, Callable[..., object]] = {
        "count": sheet.write_number, "year": sheet.write_number, "number": sheet.write_number,
        "share": sheet.write_number, "money": sheet.write_number, "date": sheet.write_datetime,
        "flag": sheet.write_boolean,
    }  # fmt: skip
    for at, column in enumerate(schema.columns):
        sheet.write_string(0, at, column.name)
        write = put.get(column.type, sheet.write_string)
        cells = table.select(_as_text(column)).to_series()
        for row, value in enumerate(cells.to_list(), start=1):
            if value is not None:
                write(row, at, value)


def as_cells(table: pl.DataFrame, schema: Table) -> pl.DataFrame:
    """A table as the cells of a sheet hold it: lists as one text each."""
    return table.select(_as_text(column) for column in schema.columns)


def _as_text(column: Column) -> pl.Expr:
    """Lists as one text, their separators escaped; all else as it is."""
    cell = pl.col(column.name)
    if column.type != "list":
        return cell
    escaped = pl.element()
    for mark in ("\\", *SEPARATORS):
        escaped = escaped.str.replace_all(mark, "\\" + mark, literal=True)
    return pl.when(cell.list.len() > 0).then(cell.list.eval(escaped).list.join(";")).alias(column.name)


def _guarded(column: Column) -> pl.Expr:
    """A cell as CSV holds it: a text that a spreadsheet would take for a formula behind a '."""
    if column.type == "parts":  # CSV has no lists: as JSON, whose [ no spreadsheet takes for a formula
        parts = pl.col(column.name).list.eval(pl.element().struct.json_encode()).list.join(",")
        return pl.format("[{}]", parts).alias(column.name)
    cell = _as_text(column)
    if column.polars not in (pl.String, pl.List(pl.String)):
        return cell
    is_risky = cell.str.head(1).is_in(list(GUARDS))
    return pl.when(is_risky).then("'" + cell).otherwise(cell).alias(column.name)


_WRITERS: Final = {"csv": _write_csv, "parquet": _write_parquet, "xlsx": _write_one_sheet}
