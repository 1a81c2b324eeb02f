from hashlib import sha256

import openpyxl
import polars as pl
import pytest

from silian.errors import ArgumentError, ReportError, TableError
from silian.report.sheets import LEFT_OUT, sheets
from silian.report.tests import small
from silian.tables.region import Region
from silian.tables.schema import results as result_tables

REGION, RESULTS = small.region(), small.results()
WRITTEN = {name: noun for name, noun in result_tables().items() if name not in LEFT_OUT}


def written(path, results=RESULTS, region=REGION, **options):
    sheets(results, path / "results.xlsx", region=region, **options)
    return openpyxl.load_workbook(path / "results.xlsx")


def values(sheet):
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


def test_sheets_has_one_sheet_for_every_table_that_people_read(tmp_path):
    book = written(tmp_path)

    assert book.sheetnames == ["目录", *(noun.label_zh for noun in WRITTEN.values())]
    contents = dict(row[:2] for row in values(book["目录"])[3:])
    assert contents == {noun.label_zh: RESULTS[name].height for name, noun in WRITTEN.items()}


def test_sheets_puts_names_beside_ids_and_the_reasons_in_words(tmp_path):
    book = written(tmp_path)

    head, first, *_ = values(book["需求成果匹配"])
    assert (head[:6], head[-1]) == (
        ("需求编号", "需求编号 · 名称", "成果编号", "成果编号 · 名称", "名次", "得分"),
        "得分构成",
    )
    why = "气孔 0.4；语义接近 0.3；其余 0.1"
    assert (first[:6], first[-1]) == (("n1", "激光焊缝气孔在线检测", "a1", "焊缝气孔视觉检测装置", 1, 0.8), why)


def test_sheets_puts_the_level_in_words_and_its_chances_beside_the_score(tmp_path):
    book = written(tmp_path)

    rows = [row[5:11] for row in values(book["需求成果匹配"])]
    assert rows == [
        ("得分", "预计等级", "不匹配概率", "弱的概率", "较强概率", "强的概率"),
        (0.8, "强", 0.05, 0.1, 0.25, 0.6),
        (0.2, "不匹配", 0.6, 0.3, 0.08, 0.02),
        (0.55, None, None, None, None, None),
        (0.15, None, None, None, None, None),
    ]


def test_sheets_says_nothing_of_levels_where_nothing_was_graded(tmp_path):
    book = written(tmp_path, RESULTS | {"grades": RESULTS["grades"].clear()})

    assert values(book["需求成果匹配"])[0][5:] == ("得分", "得分构成")


def test_sheets_speaks_english(tmp_path):
    book = written(tmp_path, language="en")

    assert values(book["Unmet needs"])[:2] == [
        ("Need id", "Need id · name", "Missing (experts)", "Reason"),
        ("n2", "电池涂布厚度检测", 1, "All matched experts are in conflict"),
    ]
    assert values(book["Balance between districts"])[1][:2] == ("d1", "Donghu")


def test_sheets_names_both_needs_and_experts_among_prices(tmp_path):
    book = written(tmp_path)

    assert [row[2] for row in values(book["影子价格"])[1:]] == ["李敏", "王伟", "激光焊缝气孔在线检测"]


@pytest.mark.parametrize("evil", ["=1+1", "@SUM(A1)", "+1", "-1", "http://example.org", "\tx", "{=1}", small.HOSTILE])
def test_sheets_writes_every_text_as_text(tmp_path, evil):
    problems = RESULTS["problems"].with_columns(found=pl.lit(evil))

    book = written(tmp_path, RESULTS | {"problems": problems})

    cell = book["数据问题"]["F2"]
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert cell.value == evil


def test_sheets_freezes_the_heading_and_filters_every_column(tmp_path):
    sheet = written(tmp_path)["专家负荷"]

    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:E4"
    assert sheet["C2"].number_format == "#,##0"


def test_sheets_formats_shares_as_percent(tmp_path):
    cell = written(tmp_path)["区县均衡"]["J2"]

    assert (cell.value, cell.number_format) == (pytest.approx(2 / 3), "0.0%")


def test_sheets_goes_on_in_further_sheets_when_a_table_is_long(tmp_path):
    book = written(tmp_path, rows_per_sheet=3)

    assert "需求成果匹配" not in book.sheetnames
    first, second = book["需求成果匹配 1"], book["需求成果匹配 2"]
    assert [r[2] for r in values(first)] == ["成果编号", "a1", "a2", "a2"]
    assert [r[2] for r in values(second)] == ["成果编号", "a1"]


def test_sheets_leaves_out_what_is_no_number(tmp_path):
    prices = RESULTS["prices"].with_columns(price=pl.Series([float("nan"), float("inf"), 0.5]))

    book = written(tmp_path, RESULTS | {"prices": prices})

    assert [row[3] for row in values(book["影子价格"])[1:]] == [None, None, 0.5]


def test_sheets_cuts_a_text_that_no_cell_holds(tmp_path):
    long = RESULTS["problems"].with_columns(found=pl.lit("🧪" * 40_000))

    book = written(tmp_path, RESULTS | {"problems": long})

    assert book["数据问题"]["F2"].value == "🧪" * 16_000


def test_sheets_of_an_empty_run_has_only_headings(tmp_path):
    book = written(tmp_path, small.nothing(), Region.of({}))

    assert all(len(values(book[noun.label_zh])) == 1 for noun in WRITTEN.values())


def test_sheets_gives_equal_bytes_for_equal_tables(tmp_path):
    digests = set()
    for name in ("a", "b"):
        sheets(small.results(), tmp_path / name, region=small.region())
        digests.add(sha256((tmp_path / name).read_bytes()).hexdigest())

    assert len(digests) == 1


def test_sheets_names_a_place_it_cannot_write_to(tmp_path):
    with pytest.raises(ReportError, match=r"report\.write.*nowhere"):
        sheets(RESULTS, tmp_path / "nowhere" / "results.xlsx", region=REGION)


def test_sheets_names_missing_tables(tmp_path):
    with pytest.raises(ReportError, match=r"report\.results.*1 .*loads"):
        sheets({n: t for n, t in RESULTS.items() if n != "loads"}, tmp_path / "x.xlsx", region=REGION)


def test_sheets_names_missing_columns(tmp_path):
    with pytest.raises(TableError, match=r"table\.columns.*unmet.*reason"):
        sheets(RESULTS | {"unmet": RESULTS["unmet"].drop("reason")}, tmp_path / "x.xlsx", region=REGION)


@pytest.mark.parametrize("options", [{"language": "de"}, {"rows_per_sheet": 0}, {"rows_per_sheet": 1_000_001}])
def test_sheets_refuses_other_options(tmp_path, options):
    with pytest.raises(ArgumentError, match=rf"argument\.value.*{next(iter(options))}"):
        sheets(RESULTS, tmp_path / "x.xlsx", region=REGION, **options)
