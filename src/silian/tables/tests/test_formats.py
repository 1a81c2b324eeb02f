import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import isni

from silian.tables import formats
from silian.tables.schema import tables

RIGHT = {
    "gbt2260": ["110000", "320594", "110103", "100000", "659013"],
    "gbt4754": ["C", "T", "C39", "C391", "C3912", "39", "391", "3912", "A01", "T97"],
    "ipc": ["A61K", "H01M 10/05", "H01M10/0525", "C08L2201/00", "G06", "B60K 1/00"],
    "orcid": ["0000-0002-1825-0097", "0000-0002-1694-233X", "0000000218250097"],
    "doi": ["10.1000/182", "10.1038/s41586-020-2649-2", "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O"],
    "url": ["https://example.org", "http://example.org/a?b=c#d", "HTTPS://例子.中国/政策"],
}
WRONG = {
    "gbt2260": ["999999", "110000000000", "11", "119999", "北京"],
    "gbt4754": ["U", "A39", "C3", "C39123", "00", "98", "3", "c39", "制造业"],
    "ipc": ["I01M", "H1M", "H01M 10/5", "H01M 10-05", "10/05", "h01m"],
    "orcid": ["0000-0002-1825-0098", "0000-0002-1825-009", "0000-0002-1694-2330", "0000 0002 1825 0097"],
    "doi": ["10.1000", "11.1000/182", "10.10/182", "10.1000/18 2"],
    "url": ["example.org", "ftp://example.org", "javascript:alert(1)", "http://", "https://a@b.c/", "http://a b"],
}


@pytest.mark.parametrize("form", RIGHT)
def test_failures_pass_what_is_right(form):
    assert formats.failures(pl.Series(RIGHT[form]), form).to_list() == [None] * len(RIGHT[form])


@pytest.mark.parametrize("form", WRONG)
def test_failures_name_what_is_wrong(form):
    assert formats.failures(pl.Series(WRONG[form]), form).to_list() == [f"check.{form}"] * len(WRONG[form])


@pytest.mark.parametrize("form", [*RIGHT, "uscc"])
def test_failures_leave_empty_cells_alone(form):
    assert formats.failures(pl.Series([None, None], dtype=pl.String), form).to_list() == [None, None]


def test_failures_give_the_reason_of_a_wrong_credit_code():
    codes = pl.Series(
        [
            "91110000600037341L",
            "9",
            "91110000600037341I",
            "B1110000600037341L",
            "91999999600037341L",
            "91110000600037342L",
            "91110000600037341M",
        ]
    )

    assert formats.failures(codes, "uscc").to_list() == [None, *formats.USCC_CODES]


def test_failures_know_every_format_of_the_schema():
    used = {column.format for table in tables().values() for column in table.columns} - {None}

    for form in used:
        assert formats.failures(pl.Series(["?"]), form).to_list()[0].startswith(f"check.{form}")


@given(st.integers(0, 10**15 - 1), st.sampled_from("0123456789X"))
@settings(deadline=None, max_examples=200)
def test_orcid_equals_stdnum(number, last):
    orcid = f"{number:015d}{last}"

    assert (formats.failures(pl.Series([orcid]), "orcid").to_list() == [None]) == isni.is_valid(orcid)


def test_industries_cover_20_sections_and_97_divisions():
    industries = formats.industries()
    sections = industries.filter(pl.col("code") == pl.col("section"))
    divisions = industries.filter(pl.col("code") != pl.col("section"))

    assert sections["code"].to_list() == list("ABCDEFGHIJKLMNOPQRST")
    assert divisions["code"].to_list() == [f"{i:02d}" for i in range(1, 98)]
    assert divisions["section"].is_sorted()
    assert industries.null_count().sum_horizontal().item() == 0
