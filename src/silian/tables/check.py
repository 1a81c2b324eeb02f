"""What is wrong inside the data of a region: one row a problem, grave where the job would be meaningless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.formats import failures
from silian.tables.problems import gathered, listed, places, problem
from silian.tables.references import EITHER, PAIRS, broken, ids_of, in_circle
from silian.tables.schema import codes, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from silian.tables.region import Region
    from silian.tables.schema import Column, Table

# (table, what comes first, what comes after): days and amounts that stand in order within a row.
ORDERS: Final = (
    ("needs", "posted_on", "deadline_on"),
    ("achievements", "published_on", "valid_until_on"),
    ("policies", "valid_from_on", "valid_until_on"),
    ("projects", "started_on", "ended_on"),
    ("relations", "since_on", "until_on"),
    ("funds", "ticket_min_cny", "ticket_max_cny"),
    ("funds", "trl_min", "trl_max"),
)
# What has happened cannot lie after the day of the check.
PAST: Final = (
    ("organisations", "founded_on"),
    ("needs", "posted_on"),
    ("achievements", "published_on"),
    ("outcomes", "measured_on"),
    ("labels", "given_on"),
)
RULE_PARTS: Final = (  # kind of an assignment rule, columns of which one must be filled
    ("pin", ("need_id",)),
    ("pin", ("expert_id",)),
    ("veto", ("need_id",)),
    ("veto", ("expert_id",)),
    ("apart", ("expert_id",)),
    ("apart", ("other_id",)),
    ("quota", ("at_least", "at_most")),
)
SHARE_SUM: Final = 1.02  # shares are published rounded to whole percents, so a true sum may exceed 1 a little


def check(region: Region, *, on: date | None = None) -> pl.DataFrame:
    """Everything wrong in a region, as a problems table.

    Parameters
    ----------
    on : day of the check; with it, days that should have passed are compared with it (check.future)

    Returns
    -------
    Schema results/problems: the problems of reading and those found here; grave ones first, then by table, file, row.
        Grave: a needed table missing or without rows (check.table, check.rows); a needed column missing or empty
        throughout (check.column); a rule of assignment_rules that lacks a part or has an unknown id or code
        (check.rule, check.unknown, check.code); an empty key cell (check.empty) and a key that stands twice in
        different rows of a table with a key of one column (check.duplicate), for nobody can tell which row is meant.
        All else is listed.

    Notes
    -----
    Whole columns at a time; a million rows of works and makes take .65 s (bench_tables).

    Examples
    --------
    >>> from silian.tables import Region
    >>> needs = pl.DataFrame({"need_id": ["n1"], "title": ["减速机降噪"], "kind": ["technology"], "trl_wanted": [11]})
    >>> check(Region.of({"needs": needs})).select("table", "row", "column", "code", "found", "grave").rows()[-1]
    ('needs', 2, 'trl_wanted', 'check.range', '11', False)
    """
    found = [region.problems]
    for table in tables().values():
        found += _check_table(region, table, on)
    found += _check_map(region)
    return gathered(found)


def check_table(region: Region, table: Table) -> pl.DataFrame:
    """Everything wrong in one table that was read beside the region's own, as a problems table; see `read_table`."""
    return gathered([region.problems, *_check_table(region, table, None)])


# ── one table ───────────────────────────────────────────────────────────────────────────────────────────────


def _check_table(region: Region, table: Table, on: date | None) -> Iterator[pl.DataFrame]:
    frame = region[table.name]
    if frame.is_empty():
        yield from _missing_table(region, table)
        return
    where = places(region, table.name)
    read = region.problems.filter((pl.col("table") == table.name) & (pl.col("code") == "check.type"))
    for column in table.columns:
        yield from _required(frame, where, column, table, read)
        yield from _ranges(frame, where, column)
        yield from _codes_and_formats(frame, where, column)
    yield from _references(region, frame, where, table)
    yield from _duplicates(frame, where, table)
    yield from _orders(frame, where, table, on)
    yield from _relations(frame, where, table)
    yield from _unsaid(frame, where, table)


def _missing_table(region: Region, table: Table) -> Iterator[pl.DataFrame]:
    if not table.is_required:
        return
    source = region.sources.get(table.name)
    if source is None:
        words = {"hint": f"{table.name}.csv"}
        yield problem("check.table", table=table.name, file=table.name, words=words, grave=True)
    else:
        yield problem("check.rows", table=table.name, file=source[0].file, found="0", grave=True)


def _required(
    frame: pl.DataFrame, where: pl.DataFrame, column: Column, table: Table, read: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    if not column.is_required or not frame[column.name].null_count():
        return
    empty = frame[column.name].is_null()
    told = read.filter(pl.col("column") == column.name).select("file", "row")
    if empty.all() and told.is_empty():
        file = where["file"][0]
        yield problem("check.column", table=table.name, file=file, column=column.name, grave=True)
        return
    cells = where.filter(empty).join(told, on=["file", "row"], how="anti").with_columns(found=pl.lit(None, pl.String))
    if cells.height:
        yield listed("check.empty", cells, table=table.name, column=column.name, grave=column.is_key)


def _ranges(frame: pl.DataFrame, where: pl.DataFrame, column: Column) -> Iterator[pl.DataFrame]:
    if column.type not in ("count", "year", "number", "share", "money"):
        return
    cells = frame[column.name]
    low, high = (
        (-float("inf") if column.min is None else column.min),
        (float("inf") if column.max is None else column.max),
    )
    wrong = (
        ~cells.is_between(low, high) if cells.dtype == pl.Int64 else ~(cells.is_between(low, high) & cells.is_finite())
    )
    if not wrong.any():
        return
    wanted = f"{column.min:g} … {column.max:g}" if column.min is not None and column.max is not None else (
        f"≥ {column.min:g}" if column.min is not None else "a finite number"
    )  # fmt: skip
    bad = where.with_columns(found=_number_text(cells)).filter(wrong)
    yield listed("check.range", bad, table=column.table, column=column.name, words={"wanted": wanted})


def _number_text(cells: pl.Series) -> pl.Series:
    return cells.cast(pl.String).str.replace(r"\.0$", "")


def _codes_and_formats(frame: pl.DataFrame, where: pl.DataFrame, column: Column) -> Iterator[pl.DataFrame]:
    if column.codes is None and column.format is None:
        return
    cells = where.with_columns(found=frame[column.name])
    if column.type == "list":
        cells = cells.filter(pl.col("found").list.len() > 0).explode("found")
    cells = cells.filter(pl.col("found").is_not_null())
    if cells.is_empty():
        return
    # a value stands in many rows: each is looked at once
    values = cells["found"].unique(maintain_order=True)
    if column.codes is not None:
        known = codes()[column.codes]
        wrong = values.filter(~values.is_in(list(known)))
        failed = pl.DataFrame({"found": wrong, "code": pl.repeat("check.code", len(wrong), eager=True)})
        shown = "; ".join(f"{code} {labels[0]}" for code, labels in list(known.items())[:8])
        words: dict[str, str] = {"wanted": shown + ("; …" if len(known) > 8 else "")}
    else:
        code = failures(values, column.format or "")
        failed = pl.DataFrame({"found": values, "code": code}).filter(pl.col("code").is_not_null())
        words = {}
    for code_name in failed["code"].unique(maintain_order=True).sort():
        bad = cells.join(failed.filter(pl.col("code") == code_name), on="found", how="semi", maintain_order="left")
        yield listed(code_name, bad, table=column.table, column=column.name, grave=_is_rule(column.table), words=words)


def _references(region: Region, frame: pl.DataFrame, where: pl.DataFrame, table: Table) -> Iterator[pl.DataFrame]:
    for column in table.columns:
        if not column.targets:
            continue
        bad = broken(frame, column, ids_of(region.tables))
        cells = where.with_columns(found=bad).filter(pl.col("found").list.len() > 0).explode("found")
        if cells.height:
            wanted = EITHER.join(".".join(target) for target in column.targets)
            words, is_grave = {"wanted": wanted}, _is_rule(table.name)
            yield listed("check.unknown", cells, table=table.name, column=column.name, grave=is_grave, words=words)


def _is_rule(table: str) -> bool:
    """Whether a wrong id or code in a table is grave: a rule would then hold for nobody, or for everybody."""
    return table == "assignment_rules"


def _duplicates(frame: pl.DataFrame, where: pl.DataFrame, table: Table) -> Iterator[pl.DataFrame]:
    """Every row after the first with its key; grave where the key has one column and the rows differ."""
    key = list(table.key)
    if not key:
        return
    later = ~frame.select(pl.struct(key).is_first_distinct()).to_series() & _filled(frame, key)
    if not later.any():
        return
    rows_later = frame.filter(later)
    first = frame.filter(_filled(frame, key)).unique(key, keep="first", maintain_order=True)
    differs = pl.Series([True]).new_from_index(0, rows_later.height)
    if len(key) == 1:
        same = rows_later.join(first, on=frame.columns, how="semi", nulls_equal=True)
        differs = ~rows_later[key[0]].is_in(same[key[0]].implode())
    found = rows_later.select(pl.concat_str([pl.col(k).cast(pl.String) for k in key], separator=", ")).to_series()
    cells = where.filter(later).with_columns(found=found, differs=differs & (len(key) == 1))
    for grave in (True, False):
        bad = cells.filter(pl.col("differs") == grave).drop("differs")
        if bad.height:
            words = {"wanted": ", ".join(key)}
            yield listed("check.duplicate", bad, table=table.name, column=", ".join(key), words=words, grave=grave)


def _filled(frame: pl.DataFrame, key: list[str]) -> pl.Series:
    return frame.select(pl.all_horizontal(pl.col(k).is_not_null() for k in key)).to_series()


def _orders(frame: pl.DataFrame, where: pl.DataFrame, table: Table, on: date | None) -> Iterator[pl.DataFrame]:
    for name, first, then in ORDERS:
        if name != table.name:
            continue
        wrong = (frame[first] > frame[then]).fill_null(value=False)
        if wrong.any():
            bad = where.with_columns(found=frame[first].cast(pl.String)).filter(wrong)
            yield listed("check.order", bad, table=name, column=first, words={"wanted": then})
    for name, column in PAST:
        if name == table.name and on is not None:
            wrong = (frame[column] > on).fill_null(value=False)
            if wrong.any():
                bad = where.with_columns(found=frame[column].cast(pl.String)).filter(wrong)
                yield listed("check.future", bad, table=name, column=column, words={"wanted": on.isoformat()})


def _relations(frame: pl.DataFrame, where: pl.DataFrame, table: Table) -> Iterator[pl.DataFrame]:
    """Ids of their own row, parents in a circle, shares of a maker beyond the whole."""
    for name, left, right in PAIRS:
        if name == table.name:
            wrong = (frame[left] == frame[right]).fill_null(value=False)
            if wrong.any():
                bad = where.with_columns(found=frame[right]).filter(wrong)
                yield listed("check.self", bad, table=name, column=right)
    if table.name == "organisations":
        inside = in_circle(frame) & (frame["org_id"] != frame["parent_org_id"]).fill_null(value=False)
        if inside.any():
            bad = where.with_columns(found=frame["parent_org_id"]).filter(inside)
            yield listed("check.circle", bad, table=table.name, column="parent_org_id")
    if table.name == "makes" and frame["share"].count():
        total = frame.select(pl.col("share").sum().over("org_id")).to_series()
        wrong = (total > SHARE_SUM) & frame.select(pl.col("org_id").is_first_distinct()).to_series()
        if wrong.any():
            found = frame["org_id"] + ": " + total.round(4).cast(pl.String)
            yield listed(
                "check.share_sum", where.with_columns(found=found).filter(wrong), table="makes", column="share"
            )


def _unsaid(frame: pl.DataFrame, where: pl.DataFrame, table: Table) -> Iterator[pl.DataFrame]:
    """Grades that say nothing; rules that lack a part: grave, because they would hold for nothing or for everything."""
    if table.name == "labels":
        silent = frame["level"].is_null() & frame["verdict"].is_null()
        if silent.any():
            words = {"column": "level", "other": "verdict"}
            bad = where.with_columns(found=pl.lit(None, pl.String)).filter(silent)
            yield listed("check.ungraded", bad, table="labels", column="level", words=words)
    for kind, parts in RULE_PARTS if table.name == "assignment_rules" else ():
        lacks = frame.select((pl.col("kind") == kind) & pl.all_horizontal(pl.col(c).is_null() for c in parts))
        wrong = lacks.to_series().fill_null(value=False)
        if wrong.any():
            words = {"kind": kind, "wanted": " / ".join(parts)}
            bad = where.with_columns(found=pl.lit(None, pl.String)).filter(wrong)
            yield listed("check.rule", bad, table=table.name, column=parts[-1], grave=True, words=words)


def _check_map(region: Region) -> Iterator[pl.DataFrame]:
    """Districts of the map that the table lacks."""
    if region.geojson is None or region["districts"].is_empty():
        return
    drawn = pl.Series([feature["properties"]["district_id"] for feature in region.geojson["features"]], dtype=pl.String)
    unknown = drawn.filter(~drawn.is_in(region["districts"]["district_id"].drop_nulls().implode()))
    if len(unknown):
        cells = pl.DataFrame(
            {"file": "districts.geojson", "row": None, "found": unknown}, schema_overrides={"row": pl.Int64}
        )
        words = {"wanted": "districts.district_id"}
        yield listed("check.unknown", cells, table="districts", column="district_id", words=words)
