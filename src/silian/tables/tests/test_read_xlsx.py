"""Workbooks as people make them: titles, merged cells, hidden sheets, formulas, dates as numbers."""

import datetime as dt

import openpyxl
import polars as pl
import pytest

from silian.errors import ReadError
from silian.tables import Region, Source, check, read_region, write_region
from silian.tables.limits import LIMITS

HEADING = ["need_id", "title", "kind", "budget_cny", "deadline_on", "must_have"]


def workbook(path, sheets, *, merged=(), hidden=()):
    """Save sheets (name → rows) as a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for place in merged:
            sheet.merge_cells(place)
        if name in hidden:
            sheet.sheet_state = hidden[name]
    book.save(path)
    return path


def codes_of(region):
    return region.problems.select("file", "row", "code", "found").rows()


def test_read_takes_every_kind_of_cell(tmp_path):
    workbook(
        tmp_path / "needs.xlsx",
        {
            "Sheet1": [
                HEADING,
                ["n1", "甲", "技术攻关", 500000, dt.date(2026, 1, 31), "a；b"],
                [2, "乙", "talent", "50万", 46053, None],
                [3.0, True, "talent", 0.5, "2026年1月31日", 1],
                ["00123", "丁", "talent", None, dt.datetime.fromisoformat("2026-01-31 12:30"), ""],
            ]
        },
    )

    region = read_region(tmp_path)

    january = dt.date(2026, 1, 31)
    assert region["needs"].select(HEADING).rows() == [
        ("n1", "甲", "technology", 5e5, january, ["a", "b"]),
        ("2", "乙", "talent", 5e5, january, None),
        ("3", "true", "talent", 0.5, january, ["1"]),
        ("00123", "丁", "talent", None, january, None),
    ]
    assert region.problems.is_empty()
    assert region.sources["needs"] == (Source("needs.xlsx#Sheet1", 2, 4),)


def test_read_finds_the_table_where_it_begins_and_keeps_row_numbers(tmp_path):
    workbook(
        tmp_path / "needs.xlsx",
        {
            "Sheet1": [
                [],
                [None, None, "2026年需求表"],
                [],
                [None, None, "需求编号", "需求名称", "预算"],
                [None, None, "n1", "甲", "x"],
                [],
                [None, None, "n2", "乙", 5],
            ]
        },
    )

    region = read_region(tmp_path)

    assert region["needs"].select("need_id", "budget_cny").rows() == [("n1", None), ("n2", 5.0)]
    assert region.sources["needs"] == (Source("needs.xlsx#Sheet1", 5, 1), Source("needs.xlsx#Sheet1", 7, 1))
    assert codes_of(region) == [("needs.xlsx#Sheet1", 5, "check.type", "x")]


def test_read_takes_sheets_by_name_and_label_of_one_workbook(tmp_path):
    path = workbook(
        tmp_path / "region.xlsx",
        {
            "说明": [["随便写"]],
            "需求": [HEADING[:3], ["n1", "甲", "talent"]],
            "Experts": [["expert_id", "name"], ["e1", "王"]],
            "product_links": [["upstream_id", "downstream_id", "kind"], ["p1", "p2", "原材料"]],
            "备注": [["无关"]],
        },
    )

    for region in (read_region(path), read_region(tmp_path)):
        assert region["needs"].height == region["experts"].height == region["product_links"].height == 1
        assert codes_of(region) == [("region.xlsx#备注", None, "read.sheet_unknown", "备注")]


def test_read_follows_a_link_to_a_workbook_that_is_named(tmp_path):
    (tmp_path / "store").mkdir()
    workbook(tmp_path / "store" / "data.xlsx", {"需求": [HEADING[:2], ["n1", "甲"]]})
    (tmp_path / "region.xlsx").symlink_to(tmp_path / "store" / "data.xlsx")

    region = read_region(tmp_path / "region.xlsx")

    assert region.sources["needs"][0].file == "region.xlsx#需求"


def test_read_takes_the_first_sheet_of_a_workbook_named_after_a_table_or_the_one_of_its_name(tmp_path):
    rows = [HEADING[:2], ["n1", "甲"]]
    workbook(tmp_path / "needs.xlsx", {"数据": rows, "草稿": [["x"]]})
    workbook(tmp_path / "needs.2.xlsx", {"草稿": [["x"]], "需求": rows})

    region = read_region(tmp_path)

    assert [source.file for source in region.sources["needs"]] == ["needs.2.xlsx#需求", "needs.xlsx#数据"]
    assert {(p[0], p[2]) for p in codes_of(region)} == {
        ("needs.xlsx#草稿", "read.sheet_unknown"),
        ("needs.2.xlsx#草稿", "read.sheet_unknown"),
    }


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_read_does_not_read_hidden_sheets_and_says_so(tmp_path, state):
    rows = [HEADING[:2], ["n1", "甲"]]
    workbook(tmp_path / "r.xlsx", {"需求": rows, "专家": [["expert_id", "name"], ["e1", "王"]]}, hidden={"专家": state})

    region = read_region(tmp_path)

    assert region["experts"].height == 0
    assert codes_of(region) == [("r.xlsx#专家", None, "read.sheet_hidden", "专家")]


def test_read_fills_merged_cells_and_names_them(tmp_path):
    workbook(
        tmp_path / "needs.xlsx",
        {
            "Sheet1": [
                ["需求征集表", None, None],
                ["需求编号", "需求名称", "需求类型"],
                ["n1", "甲", "人才引进"],
                ["n2", "乙", None],
                ["n3", "丙", None],
            ]
        },
        merged=["A1:C1", "C3:C5"],
    )

    region = read_region(tmp_path)

    assert region["needs"]["kind"].to_list() == ["talent"] * 3
    assert codes_of(region) == [
        ("needs.xlsx#Sheet1", 1, "read.merged", "A1:C1"),
        ("needs.xlsx#Sheet1", 3, "read.merged", "C3:C5"),
    ]


def test_read_reads_merged_heads_of_two_rows(tmp_path):
    workbook(
        tmp_path / "needs.xlsx",
        {
            "Sheet1": [
                ["需求编号", "内容", None],
                [None, "需求名称", "需求类型"],
                ["n1", "甲", "talent"],
            ]
        },
        merged=["A1:A2", "B1:C1"],
    )

    region = read_region(tmp_path)

    assert region["needs"].select("need_id", "title", "kind").rows() == [("n1", "甲", "talent")]


def test_read_does_not_fill_very_many_merged_cells(tmp_path):
    from dataclasses import replace

    rows = [HEADING[:2], *([f"n{i}", "甲"] for i in range(6))]
    workbook(tmp_path / "needs.xlsx", {"Sheet1": rows}, merged=[f"C{i}:C{i + 1}" for i in (1, 3, 5)])

    region = read_region(tmp_path, limits=replace(LIMITS, merged_ranges=2))

    assert region.problems.select("code", "grave").rows() == [("read.merged_all", True)]


def test_read_names_formulas_without_a_stored_value_and_error_values(tmp_path):
    path = workbook(
        tmp_path / "needs.xlsx", {"Sheet1": [HEADING[:4], ["n1", "甲", "talent", "=1+1"], ["n2", "乙", "talent", 5]]}
    )
    book = openpyxl.load_workbook(path)
    book["Sheet1"]["B3"].value = "#N/A"
    book["Sheet1"]["B3"].data_type = "e"
    book.save(path)

    region = read_region(tmp_path)

    assert region["needs"].select("title", "budget_cny").rows() == [("甲", None), (None, 5.0)]
    assert codes_of(region) == [
        ("needs.xlsx#Sheet1", 2, "read.formula", "D2 =1+1"),
        ("needs.xlsx#Sheet1", 3, "read.error_value", "B3 #N/A"),
    ]


def test_read_takes_the_stored_value_of_a_formula(tmp_path):
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "needs.xlsx"))
    sheet = book.add_worksheet("needs")
    sheet.write_row(0, 0, HEADING[:4])
    sheet.write_row(1, 0, ["n1", "甲", "talent"])
    sheet.write_formula(1, 3, "=2+3", None, 5)
    book.close()

    region = read_region(tmp_path)

    assert region["needs"]["budget_cny"].to_list() == [5.0]
    assert region.problems.is_empty()


def test_read_of_a_workbook_without_any_table_names_its_sheets(tmp_path):
    path = workbook(tmp_path / "book.xlsx", {"Sheet1": [["a", "b"]]})

    region = read_region(path)

    assert codes_of(region) == [("book.xlsx#Sheet1", None, "read.sheet_unknown", "Sheet1")]
    assert set(check(region).filter("grave")["code"]) == {"check.table"}


def test_read_of_a_blank_workbook_says_that_it_is_empty(tmp_path):
    workbook(tmp_path / "needs.xlsx", {"Sheet1": []})

    assert codes_of(read_region(tmp_path)) == [("needs.xlsx#Sheet1", None, "read.empty_file", "0")]


def test_read_refuses_a_workbook_that_is_no_workbook(tmp_path):
    (tmp_path / "region.xlsx").write_text("need_id,title\n")

    with pytest.raises(ReadError, match=r"read\.workbook.*region\.xlsx"):
        read_region(tmp_path / "region.xlsx")


def test_read_region_of_a_workbook_whose_name_holds_a_hash(tmp_path):
    districts = pl.DataFrame({"district_id": ["d1"], "name": ["东区"]})
    write_region(Region.of({"districts": districts}), tmp_path / "区域 #1.xlsx", form="xlsx")

    region = read_region(tmp_path / "区域 #1.xlsx")

    assert region["districts"]["name"].to_list() == ["东区"]
    assert region.sources["districts"][0].file == "区域 #1.xlsx#districts"
