"""The workbook that people fill in: a sheet for each table, with lists to choose from and a note on every heading."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from silian.errors import ArgumentError, TableError
from silian.tables.cast import WANTED
from silian.tables.headings import READ_ME
from silian.tables.schema import codes, tables
from silian.tables.xlsx_parts import column_letters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

    from silian.tables.schema import Column, Language, Table

LISTS: Final = "_lists"  # the hidden sheet that the drop-down lists take their values from
ROWS: Final = 100_000  # rows that have drop-down lists and checks
NEED: Final = {
    "key": ("编号，必填且不重复", "Key: needed, unique"),
    "yes": ("必填", "Needed"),
    "no": ("选填", "Optional"),
}
CHAINS: Final = {
    "innovation": ("创新链", "Innovation"),
    "industry": ("产业链", "Industry"),
    "capital": ("资金链", "Capital"),
    "talent": ("人才链", "Talent"),
    "all": ("共用", "Shared"),
}
COLOURS: Final = {"key": "#F4B183", "yes": "#FFE699", "no": "#DDEBF7"}
TYPES: Final = {
    "id": ("编号（文本）", "id (text)"),
    "text": ("文本", "text"),
    "code": ("从列表选择", "choose from the list"),
    "list": ("多个值，用分号分隔", "several values, separated by semicolons"),
}
RULES: Final[Mapping[Language, tuple[str, ...]]] = {
    "zh": (
        "每张工作表填写一类数据，第一行是表头，请勿改动；从第二行起每行填写一条。",
        "橙色列为编号，必填且不能重复；黄色列必填；蓝色列选填，没有的内容留空。",
        "鼠标停在表头上可看到该列的含义、单位和要求；有下拉箭头的列请从列表中选择。",
        "多个值用分号（；）分隔；日期写作 2026-01-31；金额以元计，也可写 50万元；比例写 0.12 或 12%。",
        "编号由填写人自定，例如 N001；其他表用同一编号引用。统一社会信用代码等长数字请保持文本格式。",
        "不用的工作表留空即可；“组织机构”“需求”“成果”三张表必填。",
        "填好后运行：silian check 本文件，再运行：silian run 本文件 --out 结果文件夹。",
    ),
    "en": (
        "Each sheet holds one kind of data. Row 1 is the heading: leave it; from row 2 on, one record a row.",
        "Orange columns are keys, needed and unique; yellow columns are needed; blue ones are optional.",
        "Rest the pointer on a heading for its meaning, unit and rule; where there is an arrow, choose from the list.",
        "Separate several values by semicolons; write days as 2026-01-31, money in CNY, shares as 0.12 or 12%.",
        "Choose ids yourself, such as N001; other sheets refer to them. Keep long codes as text.",
        "Leave sheets that you do not need empty; Organisations, Needs and Achievements are needed.",
        "Then run: silian check FILE, and: silian run FILE --out FOLDER.",
    ),
}


def write_template(path: Path, *, language: Language = "zh") -> None:
    """Write an Excel workbook to fill in, one sheet for each table; `read_region` reads it when it is filled.

    Parameters
    ----------
    path : the workbook, ending in .xlsx; an existing one is replaced
    language : of sheet names, headings and lists; the notes on the headings are in both languages

    Raises
    ------
    ArgumentError : argument.value for another language, or a path that does not end in .xlsx.
    TableError : write.failed if the place cannot be written.

    Notes
    -----
    The same version writes the same bytes. Every list, range and rule comes from the schema.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from silian.tables import check, read_region
    >>> path = Path(mkdtemp()) / "template.xlsx"
    >>> write_template(path)
    >>> check(read_region(path)).select("table", "code").rows()
    [('achievements', 'check.rows'), ('needs', 'check.rows'), ('organisations', 'check.rows')]
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    if language not in ("zh", "en"):
        raise ArgumentError("argument.value", name="language", found=repr(language), wanted="zh or en")
    if path.suffix.lower() != ".xlsx":
        raise ArgumentError("argument.value", name="path", found=str(path), wanted="a path that ends in .xlsx")
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        book = xlsxwriter.Workbook(str(aside), {"strings_to_formulas": False, "strings_to_urls": False})
        book.set_properties({"title": READ_ME[language == "en"], "created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001
        _write_book(book, language)
        book.close()
        aside.replace(path)
    except (OSError, FileCreateError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise TableError("write.failed", path=str(path), found=found) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _write_book(book: xlsxwriter.Workbook, language: Language) -> None:
    fonts = {"font_name": "Microsoft YaHei" if language == "zh" else "Calibri", "valign": "vcenter"}
    heads = {
        need: book.add_format({**fonts, "bold": True, "border": 1, "text_wrap": True, "bg_color": colour})
        for need, colour in COLOURS.items()
    }
    cells = {kind: book.add_format({**fonts, "num_format": shape}) for kind, shape in _SHAPES.items()}
    _write_read_me(book, language, fonts)
    sheets = {name: book.add_worksheet(table.label(language)) for name, table in tables().items()}
    places = _write_lists(book, language)
    for name, table in tables().items():
        _write_sheet(sheets[name], table, language, heads, cells, places)


# How cells of a type are shown. Text (@) keeps long codes and leading zeros.
_SHAPES: Final = {
    "id": "@", "text": "@", "code": "@", "list": "@", "count": "0", "year": "0", "number": "General",
    "share": "0.0%", "money": "#,##0.00", "date": "yyyy-mm-dd", "flag": "@",
}  # fmt: skip


def _write_read_me(book: xlsxwriter.Workbook, language: Language, fonts: dict[str, Any]) -> None:
    sheet = book.add_worksheet(READ_ME[language == "en"])
    title = book.add_format({**fonts, "bold": True, "font_size": 16})
    head = book.add_format({**fonts, "bold": True, "border": 1, "bg_color": COLOURS["no"]})
    plain = book.add_format({**fonts, "text_wrap": True})
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 2, 14)
    sheet.set_column(3, 3, 90)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "四链区域数据填报表" if language == "zh" else "Silian: data of a region", title)
    row = 2
    for rule in RULES[language]:
        sheet.merge_range(row, 0, row, 3, rule, plain)
        row += 1
    row += 1
    names = (
        ("工作表", "所属链", "是否必填", "内容") if language == "zh" else ("Sheet", "Chain", "Needed", "What it holds")
    )
    for at, name in enumerate(names):
        sheet.write_string(row, at, name, head)
    for table in tables().values():
        row += 1
        label = table.label(language)
        sheet.write_url(row, 0, f"internal:'{label}'!A1", string=label)
        sheet.write_string(row, 1, CHAINS[table.chain][language == "en"], plain)
        needed = NEED["yes" if table.is_required else "no"][language == "en"]
        sheet.write_string(row, 2, needed, plain)
        sheet.write_string(row, 3, table.meaning_zh if language == "zh" else table.meaning, plain)


def _write_lists(book: xlsxwriter.Workbook, language: Language) -> dict[str, str]:
    """The hidden sheet of lists; name of each list → the cells that hold it."""
    sheet = book.add_worksheet(LISTS)
    sheet.very_hidden()
    labels = {name: [pair[language == "en"] for pair in values.values()] for name, values in codes().items()}
    labels["flag"] = ["是", "否"] if language == "zh" else ["yes", "no"]
    used = {column.codes for table in tables().values() for column in table.columns} | {"flag"}
    places = {}
    for at, (name, values) in enumerate((n, v) for n, v in labels.items() if n in used):
        sheet.write_column(0, at, [name, *values])
        letters = column_letters(at)
        places[name] = f"='{LISTS}'!${letters}$2:${letters}${len(values) + 1}"
    return places


def _write_sheet(
    sheet: Worksheet, table: Table, language: Language, heads: dict[str, Any], cells: dict[str, Any],
    places: dict[str, str],
) -> None:  # fmt: skip
    sheet.freeze_panes(1, len(table.key))
    sheet.set_row(0, 32)
    for at, column in enumerate(table.columns):
        label = column.label(language)
        width = 40 if column.name in ("text", "title", "business", "profile") else max(12, 2 * len(label) + 4)
        sheet.set_column(at, at, min(width, 40), cells[column.type])
        sheet.write_string(0, at, label, heads[column.required])
        sheet.write_comment(0, at, note(column), {"x_scale": 2.2, "y_scale": 1.8, "font_size": 9})
        rule = _rule(column, places, language)
        if rule is not None:
            sheet.data_validation(1, at, ROWS, at, rule)


def note(column: Column) -> str:
    """What the note on a heading says: name, need, type, unit, range, meaning, in both languages.

    Examples
    --------
    >>> print(note(tables()["needs"]["budget_cny"]))
    budget_cny
    选填；以元计的金额，如 500000 或 50万元；单位 元；≥ 0
    合作预算
    Optional; an amount in yuan, such as 500000 or 50万元; unit CNY; ≥ 0
    Budget for the cooperation
    """
    lines = [column.name]
    for english in (False, True):
        kind = TYPES[column.type] if column.type in TYPES else tuple(reversed(WANTED[column.type]))
        parts = [NEED[column.required][english], kind[english]]
        if unit := column.unit_label("en" if english else "zh"):
            parts.append(("单位 ", "unit ")[english] + unit)
        parts += _bounds(column)
        if column.targets:
            named = (tables()[target] for target, _ in column.targets)
            parts.append(
                ("填写编号，见：", "ids of: ")[english] + " / ".join(t.label("en" if english else "zh") for t in named)
            )
        lines += [("；", "; ")[english].join(parts), column.meaning if english else column.meaning_zh]
    return "\n".join(lines)


def _bounds(column: Column) -> list[str]:
    if column.min is not None and column.max is not None:
        return [f"{column.min:g}–{column.max:g}"]
    return [f"≥ {column.min:g}"] if column.min is not None else []


def _rule(column: Column, places: dict[str, str], language: Language) -> dict[str, Any] | None:
    """What Excel checks while a cell is filled in. It warns and lets pass: `check` has the last word."""
    said = ("请按要求填写", column.meaning_zh) if language == "zh" else ("Please check", column.meaning)
    rest = {"error_type": "warning", "error_title": said[0], "error_message": said[1][:250], "ignore_blank": True}
    if column.type == "flag" or (column.codes and column.type == "code"):
        return {"validate": "list", "source": places[column.codes or "flag"], **rest}
    if column.type == "date":
        return {
            "validate": "date",
            "criteria": "between",
            "minimum": dt.date(1900, 1, 1),
            "maximum": dt.date(2200, 1, 1),
            **rest,
        }
    if column.type in ("count", "year"):
        bounds = {"minimum": int(column.min or 0), "maximum": int(column.max or 2_000_000_000)}
        return {"validate": "integer", "criteria": "between", **bounds, **rest}
    if column.type in ("number", "share", "money"):
        if column.min is not None and column.max is not None:
            return {"validate": "decimal", "criteria": "between", "minimum": column.min, "maximum": column.max, **rest}
        low = -1e15 if column.min is None else column.min
        return {"validate": "decimal", "criteria": ">=", "value": low, **rest}
    return None
