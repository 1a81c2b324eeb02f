import polars as pl
import pytest

from silian.tables import Region
from silian.tables.headings import heading_key, headings, table_named
from silian.tables.schema import chain, codes, linking, quality, repair, results, tables, team


def test_of_gives_every_table_with_every_column_and_no_row_where_nothing_is_given():
    region = Region.of({"needs": pl.DataFrame(), "experts": pl.DataFrame({"expert_id": []})})

    for name, table in tables().items():
        assert region[name].schema == table.polars
        assert region[name].height == 0


def test_of_fills_absent_columns_with_nothing_and_casts_the_others():
    region = Region.of({"makes": pl.DataFrame({"org_id": ["o1"], "product_id": ["p1"], "share": [1]})})

    assert region["makes"].rows() == [("o1", "p1", 1.0, None, None)]


@pytest.mark.parametrize("table", tables())
def test_headings_of_a_table_name_one_column_each(table):
    spelt = [
        (heading_key(text), column.name)
        for column in tables()[table].columns
        for text in {column.name, column.label_zh, column.label_en}
    ]

    assert len({key for key, _ in spelt}) == len(set(spelt))


def test_table_names_and_labels_name_one_table_each():
    for table in tables().values():
        for text in (
            table.name,
            table.label_zh,
            table.label_en,
            f"{table.label_zh}\n{table.label_en}",
            table.name.upper(),
        ):
            assert table_named(text).name == table.name


@pytest.mark.parametrize("name", codes())
def test_labels_of_a_code_list_name_one_code_each(name):
    spelt = [(heading_key(text), code) for code, pair in codes()[name].items() for text in {code, *pair}]

    assert len({key for key, _ in spelt}) == len(set(spelt))


def test_headings_bear_star_unit_case_width_and_two_languages():
    needs = headings("needs")

    for spelt in (
        "budget_cny",
        "预算",
        "预算*",
        "预算（元）",
        "Budget",
        "BUDGET (CNY)",
        "预算\nBudget",
        " 预 算 ",
        "ｂｕｄｇｅｔ",
    ):
        assert needs.column(spelt) == "budget_cny", spelt
    for spelt in ("", "电话", None, "x" * 10_000):
        assert needs.column(spelt) is None


def test_schema_refers_to_columns_and_lists_that_exist():
    nouns = (tables(), results(), quality(), repair(), team(), chain(), linking())
    for table in (table for several in nouns for table in several.values()):
        for column in table.columns:
            assert column.required in ("key", "yes", "no")
            assert column.codes is None or column.codes in codes()
            for target, name in column.targets:
                assert name in tables()[target].polars
        without = ("problems", "proof", "unmet_reasons", "figures", "draw", "team_proof", "presence", "activity_links")
        assert table.key or table.name in without
        assert table.arrow.names == [c.name for c in table.columns]
