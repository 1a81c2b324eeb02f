"""Values as people read them: grouped, with their units, exact."""

from __future__ import annotations

import re

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from silian.tables import schema
from silian.web.catalog.models import District
from silian.web.catalog.wording import as_read, division, head, in_list, measured

BUDGET = schema.tables()["needs"]["budget_cny"]
INDUSTRY = schema.tables()["organisations"]["industry"]
SIZES = {"": 1, "万": 10_000, "亿": 100_000_000}


@pytest.mark.parametrize(
    ("found", "chinese", "english"),
    [
        (9_999.0, "9,999 元", "9,999 CNY"),
        (300_000.0, "30 万元", "300,000 CNY"),
        (1_234_567.0, "123.4567 万元", "1,234,567 CNY"),
        (1_234_567.5, "1,234,567.5 元", "1,234,567.5 CNY"),
        (150_000_000.0, "1.5 亿元", "150,000,000 CNY"),
        (0.0, "0 元", "0 CNY"),
        (None, "", ""),
    ],
)
def test_sum_of_money_in_both_languages(found, chinese, english):
    assert measured(found, BUDGET) == chinese
    with translation.override("en"):
        assert measured(found, BUDGET) == english


@given(st.integers(0, 10**13))
def test_sum_loses_nothing_however_it_is_told(yuan):
    number, size = re.fullmatch(r"([\d,.]+) ([万亿]?)元", measured(float(yuan), BUDGET)).groups()

    assert round(float(number.replace(",", "")) * SIZES[size]) == yuan


@pytest.mark.parametrize(
    ("table", "name", "found", "chinese", "english"),
    [
        ("needs", "trl_wanted", 8, "8 级", "8"),
        ("needs", "experts_wanted", 1, "1 位专家", "1 expert"),
        ("needs", "experts_wanted", 3, "3 位专家", "3 experts"),
        ("organisations", "employees", 1_988, "1,988 人", "1,988 people"),
        ("organisations", "employees", 1, "1 人", "1 person"),
        ("organisations", "revenue_cny", 8e7, "8,000 万元/年", "80,000,000 CNY per year"),
        ("organisations", "longitude", 107.70675, "107.70675°", "107.70675°"),
        ("works", "year", 2026, "2026", "2026"),
    ],
)
def test_value_stands_with_its_unit(table, name, found, chinese, english):
    column = schema.tables()[table][name]

    assert measured(found, column) == chinese
    with translation.override("en"):
        assert measured(found, column) == english


def test_list_tells_sums_in_one_measure_which_its_head_names():
    ticket, fee = schema.tables()["funds"]["ticket_max_cny"], schema.tables()["facilities"]["fee_cny"]

    assert head(ticket).endswith("（万元）")
    assert [in_list(sum_, ticket) for sum_ in (2e6, 1e8, 5e3, None)] == ["200", "10,000", "0.5", ""]
    assert head(fee).endswith("（元/小时）")
    assert in_list(1_200.0, fee) == "1,200"
    with translation.override("en"):
        assert head(ticket).endswith(" (CNY)")
        assert in_list(2e6, ticket) == "2,000,000"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("C3425", "通用设备制造业"),
        ("65", "软件和信息技术服务业"),
        ("C", "制造业"),
        ("C99", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_code_of_industry_shows_the_name_of_its_division(code, name):
    assert division(code) == name
    assert in_list(code, INDUSTRY) == (name or code)
    assert measured(code, INDUSTRY) == (f"{name}（{code}）" if name else code)


def test_heads_of_lists_name_what_stands_in_them():
    assert head(schema.tables()["works"]["expert_id"]) == "专家"
    assert head(INDUSTRY) == "行业"


def test_record_that_is_named_has_its_name_in_the_language_of_the_page():
    district, column = District(name="砚湖区", name_en="Yanhu District"), schema.tables()["needs"]["district_id"]

    assert as_read(district, column) == "砚湖区"
    with translation.override("en"):
        assert as_read(district, column) == "Yanhu District"
