"""The unified social credit code: published value, slow check beside the fast one, python-stdnum as second opinion."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc

from silian.errors import ArgumentError
from silian.tables import uscc

PUBLISHED = "91110000600037341L"
REGIONS = uscc.regions()["code"].to_list()
BODY = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8)
PARTS = st.sampled_from([(d, k) for d, kinds in uscc.KINDS.items() for k in kinds])
CODES = st.builds(lambda part, region, body: uscc.make(*part, region, body), PARTS, st.sampled_from(REGIONS), BODY)


def slow(code: str) -> str | None:
    """The rules of GB 32100 and GB 11714 read out one by one."""
    if len(code) != 18:
        return "length"
    if any(c not in uscc.ALPHABET for c in code) or not (code[2:8].isascii() and code[2:8].isdigit()):
        return "alphabet"
    if code[1] not in uscc.KINDS.get(code[0], ""):
        return "department"
    if code[2:6] not in {region[:4] for region in REGIONS}:
        return "region"
    inner = 11 - sum(int(c, 36) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    if code[16] != {10: "X", 11: "0"}.get(inner, str(inner)):
        return "inner"
    total = sum(uscc.ALPHABET.index(c) * 3**i for i, c in enumerate(code[:17]))
    return None if code[17] == uscc.ALPHABET[(31 - total % 31) % 31] else "check"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (PUBLISHED, None),
        ("9111000060003734L", "length"),
        ("91110000600037341LL", "length"),
        ("91110000600037341I", "alphabet"),
        ("9111000A600037341L", "alphabet"),
        ("91110000600037341l", "alphabet"),
        ("9111000060003734１L", "alphabet"),
        ("B1110000600037341L", "department"),
        ("98110000600037341L", "department"),
        ("91999999600037341L", "region"),
        ("91110000600037342L", "inner"),
        ("91110000600037341M", "check"),
    ],
)
def test_problem_names_the_first_reason(code, reason):
    assert uscc.problem(code) == reason == slow(code)


@pytest.mark.parametrize("department", ["A", "N", "Y"])
def test_make_gives_valid_codes_of_the_amendment_that_stdnum_rejects(department):
    code = uscc.make(department, "1", "100000", "60003734")

    assert uscc.problem(code) is None
    assert not stdnum_uscc.is_valid(code)  # its pattern wants digits in the first eight places


def test_problem_sees_wrong_region_and_inner_check_that_stdnum_lets_pass():
    no_region = "91999999" + "600037341"
    no_inner = "91110000" + "600037342"

    for first, reason in ((no_region, "region"), (no_inner, "inner")):
        code = first + uscc.check_character(first)
        assert uscc.problem(code) == reason
        assert stdnum_uscc.is_valid(code)


def test_problem_lets_historic_and_national_regions_and_development_zones_pass():
    for region in ("110103", "372901", "100000", "320594"):  # 崇文区 until 2009, 菏泽 before 2000, national, a zone
        assert uscc.problem(uscc.make("9", "1", region, "MA1NHMCA")) is None


def test_problems_keep_empty_cells_empty():
    codes = pl.Series("uscc", [None, PUBLISHED, "", None])

    assert uscc.problems(codes).to_list() == [None, None, "length", None]
    assert uscc.valid(codes).to_list() == [None, True, False, None]


@given(st.lists(st.one_of(CODES, st.text(max_size=20), st.text(uscc.ALPHABET, min_size=18, max_size=18)), max_size=30))
@settings(deadline=None, max_examples=100)
def test_problems_equal_the_rules_read_one_by_one(codes):
    assert uscc.problems(pl.Series(codes, dtype=pl.String)).to_list() == [slow(code) for code in codes]


@given(CODES, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
@settings(deadline=None, max_examples=200)
def test_problem_finds_every_single_wrong_character(code, at, character):
    changed = code[:at] + character + code[at + 1 :]

    assert (uscc.problem(changed) is None) == (changed == code)


@given(CODES.filter(lambda code: code[0].isdigit()))
@settings(deadline=None, max_examples=100)
def test_check_character_equals_stdnum(code):
    assert stdnum_uscc.is_valid(code)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("kind", ("9", "8", "110000", "60003734")),
        ("region", ("9", "1", "999999", "60003734")),
        ("region", ("9", "1", "1100001", "60003734")),
        ("department", ("B", "1", "110000", "60003734")),
        ("body8", ("9", "1", "110000", "6000373I")),
    ],
)
def test_make_refuses_parts_of_no_valid_code(name, parts):
    with pytest.raises(ArgumentError, match=rf"argument\.value.*{name}"):
        uscc.make(*parts)


@pytest.mark.parametrize("first", ["", "9111000060003734", "9111000060003734I"])
def test_check_character_refuses_what_is_no_code(first):
    with pytest.raises(ArgumentError, match=r"argument\.value.*code17"):
        uscc.check_character(first)


@pytest.mark.parametrize("body", ["6000373", "6000373中", "6000373a"])
def test_inner_check_character_refuses_what_is_no_body_code(body):
    with pytest.raises(ArgumentError, match=r"argument\.value.*body8"):
        uscc.inner_check_character(body)


def test_regions_are_six_digits_once_each_in_order_with_years():
    regions = uscc.regions()

    assert regions["code"].is_unique().all()
    assert regions["code"].is_sorted()
    assert regions["code"].str.contains(r"^[1-8]\d{5}$").all()
    assert (regions["from_year"] <= regions["until_year"].fill_null(9999)).all()
    assert regions["name_zh"].str.len_chars().min() >= 1
    assert {code + "0000" for code in ("11", "31", "44", "65", "71", "81", "82")} <= set(regions["code"])
    in_force = regions.filter(pl.col("until_year").is_null())
    assert in_force.filter(pl.col("code").str.ends_with("0000") & (pl.col("code") != "100000")).height == 34
