"""The workbook to fill in: what a person sees, and that what they fill in is what is read."""

import datetime as dt

import openpyxl
import pytest

from silian.errors import ArgumentError, TableError
from silian.tables import check, read_region, schema, write_template
from silian.tables.schema import codes, tables

FILLED = {
    "organisations": [
        {
            "org_id": "O1",
            "name": "甲厂",
            "kind": "org_kind:enterprise",
            "industry": "C39",
            "employees": 120,
            "founded_on": dt.date(2001, 5, 6),
            "is_high_tech": True,
            "former_names": "旧厂；老厂",
        }
    ],
    "needs": [
        {
            "need_id": "N1",
            "org_id": "O1",
            "title": "减速机降噪",
            "kind": "need_kind:technology",
            "budget_cny": 500000,
            "trl_wanted": 6,
            "field": "field:robotics",
            "deadline_on": dt.date(2026, 12, 31),
            "must_have": "国产; 两班倒",
        },
        {"need_id": "N2", "title": "招人", "kind": "need_kind:talent"},
    ],
    "achievements": [
        {"achievement_id": "A1", "title": "齿形修形", "ip_status": "ip_status:granted", "ipc": "F16H 1/32"}
    ],
    "makes": [{"org_id": "O1", "product_id": "P1", "share": 0.25}],
    "products": [{"product_id": "P1", "name": "减速机"}],
}


def typed(value, language):
    """What a person would type or choose for a value."""
    if isinstance(value, bool):
        return {("zh", True): "是", ("zh", False): "否", ("en", True): "yes", ("en", False): "no"}[language, value]
    if isinstance(value, str) and ":" in value:
        codelist, code = value.split(":")
        return codes()[codelist][code][language == "en"]
    return value


def fill(path, language):
    """Fill a template as a person would: below the headings, labels where there is a list."""
    book = openpyxl.load_workbook(path)
    for name, rows in FILLED.items():
        table = tables()[name]
        sheet = book[table.label(language)]
        place = {sheet.cell(1, at).value: at for at in range(1, sheet.max_column + 1)}
        for number, row in enumerate(rows, start=2):
            for column, value in row.items():
                sheet.cell(number, place[table[column].label(language)]).value = typed(value, language)
    book.save(path)


@pytest.fixture(params=["zh", "en"])
def template(request, tmp_path):
    path = tmp_path / "template.xlsx"
    write_template(path, language=request.param)
    return path, request.param


def test_template_filled_in_reads_as_what_was_filled_in(template):
    fill(*template)

    region = read_region(template[0])

    assert region.problems.is_empty()
    assert check(region).is_empty()
    assert region["needs"].select(
        "need_id", "kind", "field", "budget_cny", "trl_wanted", "deadline_on", "must_have"
    ).rows() == [
        ("N1", "technology", "robotics", 5e5, 6, dt.date(2026, 12, 31), ["国产", "两班倒"]),
        ("N2", "talent", None, None, None, None, None),
    ]
    org = region["organisations"].select("founded_on", "is_high_tech", "former_names", "employees").row(0)
    assert org == (dt.date(2001, 5, 6), True, ["旧厂", "老厂"], 120)
    assert region["achievements"].select("ip_status", "ipc").row(0) == ("granted", ["F16H1/32"])
    assert region["makes"]["share"].to_list() == [0.25]


def test_template_untouched_reads_as_empty_tables_and_says_which_are_needed(template):
    region = read_region(template[0])

    assert region.problems.is_empty()
    assert all(table.height == 0 for table in region.tables.values())
    problems = check(region)
    assert problems.select("table", "code", "grave").rows() == [
        (name, "check.rows", True) for name in ("achievements", "needs", "organisations")
    ]
    assert problems["file"].str.starts_with("template.xlsx#").all()


def test_template_has_a_sheet_for_every_table_with_every_heading(template):
    path, language = template
    book = openpyxl.load_workbook(path)

    assert book.sheetnames[0] == ("说明" if language == "zh" else "Read me")
    assert book.sheetnames[1:-1] == [table.label(language) for table in tables().values()]
    assert book["_lists"].sheet_state == "veryHidden"
    for table in tables().values():
        sheet = book[table.label(language)]
        assert [cell.value for cell in sheet[1]] == [column.label(language) for column in table.columns]
        assert sheet.freeze_panes == f"{'ABCD'[len(table.key)]}2"


def test_template_notes_and_colours_say_what_is_needed_in_both_languages(template):
    path, language = template
    table = tables()["needs"]

    cells = dict(
        zip([c.name for c in table.columns], openpyxl.load_workbook(path)[table.label(language)][1], strict=True)
    )

    for column in table.columns:
        text = cells[column.name].comment.text
        assert column.name in text
        assert column.meaning in text
        assert column.meaning_zh in text
        assert ("必填" in text) == column.is_required == ("eeded" in text)
    colours = {column.required: cells[column.name].fill.start_color.rgb for column in table.columns}
    assert len(set(colours.values())) == 3


def test_template_offers_the_labels_of_every_code_and_checks_numbers_and_days(template):
    path, language = template
    book = openpyxl.load_workbook(path)
    lists = {column[0].value: [c.value for c in column[1:] if c.value is not None] for column in book["_lists"].columns}

    for table in tables().values():
        sheet = book[table.label(language)]
        rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
        for at, column in enumerate(table.columns, start=1):
            rule = rules.get(f"{sheet.cell(2, at).coordinate}")
            kind = {
                "code": "list",
                "flag": "list",
                "date": "date",
                "count": "whole",
                "year": "whole",
                "number": "decimal",
                "share": "decimal",
                "money": "decimal",
            }.get(column.type)
            assert (rule.type if rule else None) == kind, column
            if column.type == "code":
                assert lists[column.codes] == [pair[language == "en"] for pair in codes()[column.codes].values()]


def test_template_gives_the_same_bytes_and_leaves_nothing_beside(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_template(tmp_path / name)

    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.xlsx", "b.xlsx"]


def test_template_refuses_another_language_and_form(tmp_path):
    with pytest.raises(ArgumentError, match=r"argument\.value.*language.*fr"):
        write_template(tmp_path / "a.xlsx", language="fr")
    with pytest.raises(ArgumentError, match=r"argument\.value.*path.*\.xls"):
        write_template(tmp_path / "a.xls")


def test_template_says_when_the_place_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(TableError, match=r"write\.failed.*a\.xlsx"):
        write_template(tmp_path / "file" / "a.xlsx")


def test_every_unit_has_a_chinese_name():
    nouns = [
        tables(),
        schema.results(),
        schema.quality(),
        schema.repair(),
        schema.team(),
        schema.chain(),
        schema.linking(),
    ]
    used = {c.unit for group in nouns for table in group.values() for c in table.columns} - {"", "1"}

    assert used <= set(schema.units())
    assert all(set(schema.units().values()))
