import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.tables.cast import BLANKS, cast, cleaned
from silian.tables.schema import codes, tables

NEEDS, ORGS, MAKES, FUNDS = (tables()[name] for name in ("needs", "organisations", "makes", "funds"))
JANUARY = dt.date(2026, 1, 31)


def read(values, column):
    """The cast cells and the cells that could not be read."""
    cells, wrong = cast(cleaned(pl.Series(values, dtype=pl.String), guarded=True), column)
    return cells.to_list(), [value for value, bad in zip(values, wrong.to_list(), strict=True) if bad]


@pytest.mark.parametrize(
    "spelt",
    [
        "2026-01-31",
        "2026-1-31",
        "2026/1/31",
        "2026.01.31",
        "20260131",
        "2026年1月31日",
        "2026 年 1 月 31 日",
        "２０２６年１月３１日",
        "46053",
        "46053.0",
        "2026-01-31 14:05:00",
        "2026-01-31T00:00:00",
        " 2026-01-31 ",
        "20260131.0",
    ],
)
def test_cast_reads_every_spelling_of_a_day(spelt):
    assert read([spelt], NEEDS["deadline_on"]) == ([JANUARY], [])


@pytest.mark.parametrize(
    "spelt",
    ["2026-02-30", "31/01/2026", "2026-13-01", "2026年1月", "下周", "260131", "0001-01-01", "2026-01/31", "#N/A"],
)
def test_cast_refuses_what_is_no_day(spelt):
    assert read([spelt], NEEDS["deadline_on"]) == ([None], [spelt])


@given(st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31)))
@settings(deadline=None)
def test_cast_reads_any_day_as_it_is_written(day):
    spelt = [day.isoformat(), f"{day:%Y%m%d}" if day.year >= 1000 else "", f"{day.year}年{day.month}月{day.day}日"]

    assert read(spelt, NEEDS["deadline_on"]) == ([day] * 3, [])


@pytest.mark.parametrize(
    ("spelt", "amount"),
    [
        ("500000", 5e5),
        ("500,000", 5e5),
        ("￥500,000.50", 500000.5),
        ("５０００００", 5e5),
        ("50万元", 5e5),
        ("50万", 5e5),
        ("1.2亿元", 1.2e8),
        ("500000元", 5e5),
        ("5e5", 5e5),
        ("-3", -3.0),
        ("1 000 000", 1e6),
        ("0.1", 0.1),
        (".5", 0.5),
    ],
)
def test_cast_reads_every_spelling_of_money(spelt, amount):
    assert read([spelt], NEEDS["budget_cny"]) == ([amount], [])


@pytest.mark.parametrize(
    "spelt", ["50-100万", "约50万", "1,00", "inf", "1e999", "50%", "USD 5", "#REF!", "1.2.3", "0x10"]
)
def test_cast_refuses_what_is_no_money(spelt):
    assert read([spelt], NEEDS["budget_cny"]) == ([None], [spelt])


def test_cast_reads_shares_and_percentages():
    assert read(["0.123", "12.3%", "12.3％", "5‰", "1"], MAKES["share"]) == ([0.123, 0.123, 0.123, 0.005, 1.0], [])
    assert read(["5万"], MAKES["share"]) == ([None], ["5万"])


def test_cast_reads_whole_numbers_and_years():
    assert read(["3", "3.0", "1,200", "３"], NEEDS["experts_wanted"]) == ([3, 3, 1200, 3], [])
    assert read(["3.5", "三", "9" * 30], NEEDS["experts_wanted"]) == ([None] * 3, ["3.5", "三", "9" * 30])
    assert read(["2024", "2024年"], MAKES["since_year"]) == ([2024, 2024], [])


def test_cast_reads_flags():
    yes, no = ["是", "true", "TRUE", "1", "Y", "有", "√"], ["否", "false", "0", "n", "无", "×"]

    assert read(yes, ORGS["is_high_tech"]) == ([True] * 7, [])
    assert read(no, ORGS["is_high_tech"]) == ([False] * 6, [])
    assert read(["也许"], ORGS["is_high_tech"]) == ([None], ["也许"])


@pytest.mark.parametrize("blank", [*BLANKS, *(b.upper() for b in BLANKS), "", "  ", "\u3000"])
def test_cast_takes_words_for_nothing_as_empty_numbers_without_a_problem(blank):
    for column in (NEEDS["budget_cny"], NEEDS["deadline_on"], NEEDS["experts_wanted"]):
        assert read([blank], column) == ([None], [])


def test_cast_keeps_words_for_nothing_where_they_are_text_or_a_code():
    assert read(["无", "-"], NEEDS["title"]) == (["无", "-"], [])
    assert read(["无", "-"], tables()["achievements"]["ip_status"]) == (["none", None], [])


@pytest.mark.parametrize("name", sorted({c.codes for t in tables().values() for c in t.columns if c.type == "code"}))
def test_cast_takes_codes_and_labels_alike(name):
    column = next(c for t in tables().values() for c in t.columns if c.codes == name and c.type == "code")

    for code, (zh, en) in codes()[name].items():
        assert read([code, zh, en, code.upper(), f" {zh} "], column) == ([code] * 5, [])


def test_cast_keeps_an_unknown_code_for_the_check_to_name():
    assert read(["技术攻关", "别的"], NEEDS["kind"]) == (["technology", "别的"], [])


def test_cast_splits_lists_by_every_separator_and_by_code():
    assert read(["a; b；c|d｜ e ;;"], NEEDS["must_have"]) == ([["a", "b", "c", "d", "e"]], [])
    assert read([";；", None], NEEDS["must_have"]) == ([None, None], [])
    assert read(["动力与储能电池；photovoltaic；别的"], FUNDS["fields"]) == ([["battery", "photovoltaic", "别的"]], [])
    assert read([r"a\;b;c\\;d\x"], NEEDS["must_have"]) == ([["a;b", "c\\", r"d\x"]], [])


def test_cast_spells_values_of_a_format_alike():
    works = tables()["works"]

    assert read(["9111 0000-6000 3734 1l", "９１110000600037341L"], ORGS["uscc"]) == (["91110000600037341L"] * 2, [])
    assert read(["110000.0", " 110000"], ORGS["region"]) == (["110000"] * 2, [])
    assert read(["https://doi.org/10.1000/182", "doi: 10.1000/182", "10.1000/182"], works["doi"]) == (
        ["10.1000/182"] * 3,
        [],
    )
    assert read(["https://orcid.org/0000-0002-1694-233x"], tables()["experts"]["orcid"]) == (
        ["0000-0002-1694-233X"],
        [],
    )
    assert read(["h01m10/05；H01M  10/05"], works["ipc"]) == ([["H01M10/05"] * 2], [])


def test_cleaned_takes_away_the_guard_against_formulas_only_where_it_guards():
    given = ["'=1+1", "'-5", "''=x", "'quoted'", "'", "=1", " ' =x"]

    assert cleaned(pl.Series(given), guarded=True).to_list() == ["=1+1", "-5", "'=x", "'quoted'", "'", "=1", "' =x"]
    assert cleaned(pl.Series(given), guarded=False).to_list() == [g.strip() for g in given]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
@settings(deadline=None)
def test_cast_reads_any_number_as_it_is_written(numbers):
    cells, wrong = read([repr(n) for n in numbers], NEEDS["budget_cny"])

    assert not wrong
    assert all(a == b and math.copysign(1, a) == math.copysign(1, b) for a, b in zip(cells, numbers, strict=True))


@given(st.lists(st.text(max_size=12), max_size=10), st.sampled_from([c for t in tables().values() for c in t.columns]))
@settings(deadline=None, max_examples=200)
def test_cast_never_loses_a_cell_unsaid(texts, column):
    given = cleaned(pl.Series(texts, dtype=pl.String), guarded=True)
    cells, wrong = cast(given, column)

    assert cells.dtype == column.polars
    assert len(cells) == len(texts)
    for text, cell, bad in zip(given.to_list(), cells.to_list(), wrong.to_list(), strict=True):
        is_lost = text is not None and cell is None
        is_typed = column.type not in ("text", "id", "list", "code")
        assert bad == (is_lost and is_typed and text.lower() not in BLANKS)
        if is_lost and not is_typed:  # nothing but separators, or a word for nothing
            assert column.type in ("list", "code") or column.format
