"""The monthly report: the layout of GB/T 9704-2012, every figure in both files, the same bytes, hostile names."""

import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256

import openpyxl
import polars as pl
import pytest
from docx import Document
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from silian.errors import ArgumentError
from silian.report.official import Edition, Gap, document, workbook
from silian.report.official._edition import Reading
from silian.report.official._paper import is_figure
from silian.report.official._sentences import about, overview
from silian.report.official._texts import line, rounded, shown, words

# code, group, how, noun, unit, direction, period, Chinese, English
MEASURES = (
    ("achievements", "innovation", "count", "achievements", "achievements", "up", "stock", "在架成果", "On offer"),
    ("needs_new", "industry", "count", "needs", "needs", "none", "month", "本月新增需求", "New needs"),
    ("funds_amount", "capital", "sum", "funds", "CNY", "up", "stock", "资金规模", "Amount of funds"),
    ("funds", "capital", "count", "funds", "", "up", "stock", "资金", "Funds"),
    ("funnel_needs", "funnel", "count", "needs", "needs", "none", "stock", "需求", "Needs"),
    ("funnel_matched", "funnel", "count", "needs", "needs", "up", "stock", "有匹配", "Matched"),
    ("days_project", "time", "median", "needs", "days", "down", "stock", "到立项的天数", "Days to a project"),
    ("served_share", "balance", "ratio", "needs", "share", "up", "stock", "专家满足率", "Share served"),
    ("served_gini", "balance", "gini", "needs", "gini", "down", "stock", "基尼系数", "Gini"),
    ("odd", "weather", "mean", "odd", "mm", "none", "stock", "降雨", "Rain"),
)
NAMES = ("code", "chain", "how", "noun", "unit", "direction", "period", "label_zh", "label")
TABLE = pl.DataFrame(MEASURES, schema=NAMES, orient="row").with_row_index("order").with_columns(
    definition_zh=pl.format("{}的口径", "label_zh"), definition=pl.format("what {} counts", "label")
)  # fmt: skip
NOW = {
    "achievements": 1204, "needs_new": 31, "funds_amount": 3.4e8, "funds": 12, "funnel_needs": 200,
    "funnel_matched": 130, "days_project": None, "served_share": 0.4567, "served_gini": 0.1234, "odd": 2.25,
}  # fmt: skip
BEFORE = NOW | {"achievements": 1000, "served_share": 0.4, "funds_amount": 3.4e8, "needs_new": 40}
YEAR = dict.fromkeys(NOW, 7.0) | {"odd": None}
DISTRICTS = {"a": "东湖区", "b": "西山区", "c": "南河区"}
SHARES = {"a": 0.5, "b": 0.25, "c": None}


def figures(values, shares=SHARES):
    rows = [
        ("city", code, value, 200.0 if code == "funnel_matched" else None, 0, "" if value is not None else "no_dates")
        for code, value in values.items()
    ]
    rows += [(place, "served_share", value, None, 0, "") for place, value in shares.items()]
    names = ("place_id", "measure", "value", "of", "missing", "note")
    return pl.DataFrame([(*row[:2], row[2] and float(row[2]), *row[3:]) for row in rows], schema=names, orient="row")


def edition(**changed):
    made = Edition(
        place_id="city", place="江城市", month="2026-10", as_of=date(2026, 10, 31), issued=date(2026, 11, 2),
        figures=figures(NOW), before=figures(BEFORE), year=figures(YEAR), measures=TABLE, districts=DISTRICTS,
        gaps=(Gap("谐波减速器", "断档"),), notes={"no_dates": "没有可用的日期"}, issuer="江城市科学技术局",
        digest=sha256(b"month").hexdigest(), version=2,
    )  # fmt: skip
    return replace(made, **changed)


def opened(own):
    return Document(io.BytesIO(document(own)))


def texts(word):
    return [p.text for p in word.paragraphs]


def rows_of(word):
    return [[cell.text for cell in row.cells] for table in word.tables for row in table.rows]


def sheets_of(own):
    book = openpyxl.load_workbook(io.BytesIO(workbook(own)))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


@pytest.fixture(scope="module")
def word():
    return opened(edition())


def test_the_page_is_that_of_gb_t_9704(word):
    section = word.sections[0]

    def millimetres(length):
        return round(length / Mm(1))

    assert (millimetres(section.page_width), millimetres(section.page_height)) == (210, 297)
    edges = (section.top_margin, section.left_margin, section.bottom_margin, section.right_margin)
    assert [millimetres(edge) for edge in edges] == [37, 28, 35, 26]


def test_22_lines_fit_a_page_and_28_letters_a_line(word):
    pitch = word.styles["Normal"].paragraph_format.line_spacing
    grid = word.sections[0]._sectPr.find(qn("w:docGrid"))

    assert 22 * pitch <= Mm(225) < 23 * pitch
    assert 22 * int(grid.get(qn("w:linePitch"))) <= 225 / 25.4 * 1440
    assert grid.get(qn("w:type")) == "lines"
    closer = int(word.styles["Body Text"].element.rPr.find(qn("w:spacing")).get(qn("w:val"))) / 20
    assert 28 * (16 + closer) <= 156 / 25.4 * 72 < 29 * (16 + closer)


@pytest.mark.parametrize(
    ("style", "face", "size"),
    [
        ("Title", "方正小标宋简体", 22), ("Body Text", "仿宋_GB2312", 16), ("Heading 1", "黑体", 16),
        ("Heading 2", "楷体_GB2312", 16), ("Silian Imprint", "仿宋_GB2312", 14),
    ],
)  # fmt: skip
def test_faces_and_sizes_are_those_of_gb_t_9704(word, style, face, size):
    own = word.styles[style]

    assert own.font.size == Pt(size)
    assert own.element.rPr.rFonts.get(qn("w:eastAsia")) == face


def test_only_the_name_of_the_bulletin_is_red_and_heads_and_tables_leave_the_grid(word):
    assert str(word.styles["Silian Head"].font.color.rgb) == "C00000"
    assert str(word.styles["Body Text"].font.color.rgb) == "000000"
    for name in ("Silian Head", "Silian Plain", "Silian Cell", "Silian Note", "Caption"):
        assert word.styles[name].element.pPr.find(qn("w:snapToGrid")).get(qn("w:val")) == "0"


def test_the_head_names_number_issuer_and_day_and_the_imprint_says_them_again(word):
    told = texts(word)

    assert told[:4] == [
        "四链融合情况月报",
        "2026年第10期",
        "江城市科学技术局\t2026年11月2日",
        "江城市2026年10月四链融合情况",
    ]
    assert told[-1] == "江城市科学技术局\t2026年11月2日印发"
    tab = word.paragraphs[2].paragraph_format.tab_stops[0]
    assert (tab.alignment, round(tab.position / Mm(1))) == (WD_TAB_ALIGNMENT.RIGHT, 156)


def test_sections_are_numbered_in_their_order_without_those_that_have_nothing(word):
    heads = [p.text for p in word.paragraphs if p.style.name == "Heading 1"]

    assert heads == [
        "一、总体情况", "二、四条链", "三、从需求到见效", "四、产业链缺口", "五、区县均衡", "六、其他", "七、数据说明",
        "附件：指标口径",
    ]  # fmt: skip
    second = [p.text for p in word.paragraphs if p.style.name == "Heading 2"]
    assert second == ["（一）创新链", "（二）产业链", "（三）资金链", "（一）需求漏斗", "（二）各环节用时"]


def test_every_figure_stands_in_the_document_rounded_with_its_change(word):
    rows = rows_of(word)

    for row in (
        ["在架成果", "项", "1,204", "1,000", "+204", "7"],
        ["本月新增需求", "项", "31", "40", "−9", "7"],
        ["资金规模", "亿元", "3.40", "3.40", "0", "0.00"],
        ["资金", "项", "12", "12", "0", "7"],
        ["需求", "200", "100.0%", "200", "0", "7"],
        ["有匹配", "130", "65.0%", "130", "0", "7"],
        ["到立项的天数", "天", "—", "—", "—", "7"],
        ["专家满足率", "%", "45.7", "40.0", "+5.7", "700.0"],
        ["基尼系数", "系数", "0.123", "0.123", "0", "7.000"],
        ["降雨", "mm", "2.2", "2.2", "0", "—"],
        ["1", "谐波减速器", "断档"],
    ):
        assert row in rows
    assert {row[0] for row in rows if row[-1].endswith("的口径")} == {m[7] for m in MEASURES}


def test_every_figure_stands_in_the_workbook_as_a_number():
    book = sheets_of(edition())
    found = {row[-1]: row for rows in book.values() for row in rows[1:] if len(row) == 10}

    assert found["achievements"] == ["在架成果", "项", 1204, 1000, 204, 7, "—", 0, None, "achievements"]
    assert found["days_project"][2:6] == ["—", "—", "—", 7]
    assert found["days_project"][8] == "没有可用的日期"
    assert found["served_share"][2:5] == [45.7, 40, 5.7]
    assert set(found) == {m[0] for m in MEASURES}
    assert list(book) == [
        "说明", "创新链", "产业链", "资金链", "需求漏斗", "各环节用时", "均衡指标", "weather", "区县比较", "主要缺口",
        "指标口径",
    ]  # fmt: skip


def test_districts_stand_the_worst_first_and_those_without_a_value_last(word):
    rows = rows_of(word)
    at = rows.index(["区县", "专家满足率（%）"])

    assert rows[at + 1 : at + 4] == [["西山区", "25.0"], ["东湖区", "50.0"], ["南河区", "—"]]
    assert any("专家满足率最低的是西山区（25.0%），最高的是东湖区（50.0%）" in text for text in texts(word))
    assert sheets_of(edition())["区县比较"][1:] == [["西山区", 25], ["东湖区", 50], ["南河区", "—"]]


def test_where_less_is_better_the_worst_district_has_the_most():
    down = TABLE.with_columns(
        direction=pl.when(pl.col("code") == "served_share").then(pl.lit("down")).otherwise("direction")
    )
    read = Reading(edition(measures=down))

    assert [d.name for d in read.districts] == ["东湖区", "西山区", "南河区"]
    assert "最高的是东湖区（50.0%）" in overview(read)[-1]


def test_sentences_say_what_stands_and_what_changed_most():
    told = overview(Reading(edition()))

    assert told[0] == "截至2026年10月31日，江城市在架成果1,204项。"
    assert told[1] == "本月新增需求31项（上月40项）。"
    assert told[2] == "与上月相比，变化最大的是：在架成果由1,000项增至1,204项（增长20.4%）。"
    assert told[3] == "累计需求200项，其中有匹配130项（65.0%）。"


def test_a_month_without_months_before_says_so_and_compares_nothing():
    own = edition(before=None, year=None)
    row = next(row for row in rows_of(opened(own)) if row[0] == "在架成果")

    assert row[2:] == ["1,204", "—", "—", "—"]
    told = " ".join(about(Reading(own)))
    assert "没有上月的冻结数据" in told
    assert "没有上年同月的冻结数据" in told


def test_a_month_that_still_runs_does_not_compare_what_is_counted_by_the_month():
    read = Reading(edition(as_of=date(2026, 10, 12), is_frozen=False))

    assert read.by_code["needs_new"].change is None
    assert read.by_code["achievements"].change == Decimal(204)
    assert (
        opened(read.edition).paragraphs[3].text
        == "江城市2026年10月四链融合情况（截至2026年10月12日）（未冻结，仅供参考）"
    )


def test_nothing_at_all_is_dashes_with_reasons_and_never_zero():
    own = edition(figures=figures({}, {}), before=None, year=None, gaps=(), districts={})
    word = opened(own)
    cells = [cell for row in rows_of(word) if row[0] in {m[7] for m in MEASURES} and len(row) == 6 for cell in row[2:]]

    assert set(cells) == {"—"}
    assert "本月没有可以报告的数字" in " ".join(texts(word))
    assert "冻结数据中没有这个指标" in " ".join(texts(word))
    assert sheets_of(own)["创新链"][1][2] == "—"


def test_values_that_are_no_numbers_are_missing():
    read = Reading(edition(figures=figures(NOW | {"achievements": float("nan"), "funds": float("inf")})))

    assert read.by_code["achievements"].now is None
    assert read.by_code["funds"].now is None


def test_the_digest_stands_in_both_files_so_that_a_print_can_be_checked(word):
    digest = sha256(b"month").hexdigest()

    assert digest in " ".join(texts(word)).replace(" ", "")
    assert ["清单SHA-256", digest] in sheets_of(edition())["说明"]


def test_a_picture_says_what_it_shows(word):
    shapes = list(word.element.body.iter(qn("wp:docPr")))

    assert [shape.get("descr") for shape in shapes] == ["条形图。需求 200、有匹配 130。"]


def test_english_has_no_chinese_of_its_own():
    latin = replace(
        edition(), place="Jiangcheng", language="en", issuer="Bureau", districts={"a": "Donghu", "b": "Xishan"},
        gaps=(Gap("Reducer", "Break"),), notes={"no_dates": "no days"},
    )  # fmt: skip
    word = opened(latin)
    told = "\n".join([*texts(word), *(cell for row in rows_of(word) for cell in row)])

    assert not any("\u4e00" <= sign <= "\u9fff" for sign in told)
    assert texts(word)[:4] == [
        "Monthly Bulletin of the Four Chains", "2026 · No. 10", "Bureau\t2 November 2026",
        "The four chains in Jiangcheng, October 2026",
    ]  # fmt: skip
    cells = [str(cell) for rows in sheets_of(latin).values() for row in rows for cell in row]
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in "".join(cells))


HOSTILE = (
    "\x00\x07\x1b[31m区\ufffe\ud800",
    "\u202e市城江\u2066",
    '=HYPERLINK("http://x","y")',
    "𠮷" * 300,
    "a" * 5000,
    "{0}&P",
    "",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_no_harm(name):
    labels = TABLE.with_columns(label_zh=pl.lit(name.encode("utf-8", "ignore").decode()), chain=pl.lit("[/:*?]\\'" * 9))
    own = edition(
        place=name, issuer=name, measures=labels, districts={"a": name, "b": name, "c": "南"}, gaps=(Gap(name, name),),
        notes={"no_dates": name}, digest=name,
    )  # fmt: skip
    word = opened(own)
    book = openpyxl.load_workbook(io.BytesIO(workbook(own)))

    told = "".join([*texts(word), *(cell for row in rows_of(word) for cell in row)])
    assert not set(told) & set("\x00\x07\x1b\u202e\u2066\ufffe")
    assert max(len(cell) for row in rows_of(word) for cell in row) <= 400
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "inlineStr"}  # no formula


def test_the_same_edition_gives_the_same_bytes_here_and_elsewhere():
    here = sha256(document(edition()) + workbook(edition())).hexdigest()
    assert sha256(document(edition()) + workbook(edition())).hexdigest() == here

    code = (
        "from hashlib import sha256; from silian.report.tests.test_official import *; "
        "print(sha256(document(edition()) + workbook(edition())).hexdigest())"
    )
    env = os.environ | {"TZ": "America/Adak", "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == here


def test_the_parts_of_both_files_carry_no_moment_of_making():
    for made in (document(edition()), workbook(edition())):
        with zipfile.ZipFile(io.BytesIO(made)) as parts:
            assert {info.date_time for info in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_sheets_print_on_a4_with_their_head_on_every_page():
    book = openpyxl.load_workbook(io.BytesIO(workbook(edition())))

    for sheet in book:
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.freeze_panes == "B2"


@pytest.mark.parametrize(
    "changed",
    [{"language": "fr"}, {"month": "2026-13"}, {"month": "October"}, {"figures": TABLE}, {"before": TABLE}],
)
def test_what_no_report_can_be_made_from_is_refused_with_a_code(changed):
    with pytest.raises(ArgumentError, match=next(iter(changed))):
        edition(**changed)


def test_values_are_rounded_half_to_even():
    assert [str(rounded(v, 0)) for v in (0.5, 1.5, 2.5, -0.4)] == ["0", "2", "2", "0"]
    assert shown(rounded(1234.5678, 2)) == "1,234.57"


def test_lines_keep_rare_letters_and_lose_what_turns_the_direction():
    assert line("𠮷\u200b野\u202e家") == "𠮷野家"
    assert len(line("x" * 300)) == 200


def test_cells_with_numbers_are_told_from_words():
    assert [is_figure(t) for t in ("1,204", "+5.7", "−3", "—", "项", "2026年")] == [True] * 4 + [False] * 2


def test_every_text_stands_in_both_languages():
    assert all(zh and en for zh, en in words().values())
