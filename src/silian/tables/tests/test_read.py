"""Files of a region as people make them: every form, encoding, heading and spelling, and what is said of the rest."""

import datetime as dt
import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.errors import ReadError
from silian.tables import Region, Source, check, read_region, write_region
from silian.tables.schema import tables

HEADS = {
    "name": "need_id,title,kind,budget_cny,deadline_on",
    "zh": "需求编号,需求名称,需求类型,预算,截止日期",
    "en": "Need id,Title,Kind,Budget,Deadline",
    "mixed": "需求编号*,Title,need_kind,预算（元）,截止日期\u3000",
}
ROWS = ["n1,减速机降噪,技术攻关,50万,2026-01-31", 'n2,"轴承, 寿命",talent,"1,200",2026年2月1日']
EXPECTED = [
    ("n1", "减速机降噪", "technology", 5e5, dt.date(2026, 1, 31)),
    ("n2", "轴承, 寿命", "talent", 1200.0, dt.date(2026, 2, 1)),
]
COLUMNS = ["need_id", "title", "kind", "budget_cny", "deadline_on"]


def put(folder, name, *lines, encoding="utf-8", newline="\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    return folder


def problems_of(region):
    return region.problems.select("table", "file", "row", "column", "code", "found", "grave").rows()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_read_csv_in_every_encoding(tmp_path, encoding, newline):
    put(tmp_path, "needs.csv", HEADS["name"], *ROWS, encoding=encoding, newline=newline)

    region = read_region(tmp_path)

    assert region["needs"].select(COLUMNS).rows() == EXPECTED
    assert region.problems.is_empty()
    assert region.sources["needs"] == (Source("needs.csv", first_row=2, rows=2),)


@pytest.mark.parametrize("spelt", ["name", "zh", "en"])
def test_read_headings_by_name_and_label(tmp_path, spelt):
    region = read_region(put(tmp_path, "needs.csv", HEADS[spelt], *ROWS))

    assert region["needs"].select(COLUMNS).rows() == EXPECTED


def test_read_headings_with_star_and_unit_and_names_the_unknown_one(tmp_path):
    region = read_region(put(tmp_path, "needs.csv", HEADS["mixed"], *ROWS))

    assert region["needs"].select("need_id", "title", "budget_cny", "deadline_on").rows()[0] == (
        "n1",
        "减速机降噪",
        5e5,
        dt.date(2026, 1, 31),
    )
    assert problems_of(region) == [("needs", "needs.csv", 1, "need_kind", "read.column_unknown", "need_kind", False)]
    assert "kind" in region.problems["remedy"][0]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("form", ["csv", "tsv", "txt"])
def test_read_finds_the_separator(tmp_path, separator, form):
    lines = [separator.join(["need_id", "title", "kind"]), separator.join(["n1", "减速机", "talent"])]

    assert read_region(put(tmp_path, f"needs.{form}", *lines))["needs"]["title"].to_list() == ["减速机"]


def test_read_finds_the_separator_where_texts_hold_others(tmp_path):
    put(tmp_path, "needs.csv", "need_id;title;text", "n1;减速机;降噪,降温,降本", "n2;轴承;快,好,省")

    assert read_region(tmp_path)["needs"]["text"].to_list() == ["降噪,降温,降本", "快,好,省"]


@pytest.mark.parametrize(
    "files",
    [
        ["needs.1.csv", "needs.2.csv", "needs.10.csv"],
        ["needs-2022.csv", "needs-2023.csv", "needs-2024.csv"],
        ["needs/a.csv", "needs/b.csv", "needs/c.csv"],
        ["需求.csv", "需求-2.csv", "需求（3）.csv"],
        ["needs.csv", "needs.2.tsv", "needs/x.csv"],
        ["Needs.csv", "needs.b.csv", "needs.c.csv"],
    ],
)
def test_read_joins_the_files_of_a_table_in_natural_order(tmp_path, files):
    for number, name in enumerate(files):
        put(tmp_path, name, "need_id,title", f"n{number},标题")

    region = read_region(tmp_path)

    assert sorted(region["needs"]["need_id"].to_list()) == ["n0", "n1", "n2"]
    assert {source.file for source in region.sources["needs"]} == set(files)
    if files[2].endswith("10.csv"):
        assert region["needs"]["need_id"].to_list() == ["n0", "n1", "n2"]


def test_read_takes_columns_in_any_order_and_fills_absent_ones_over_files(tmp_path):
    put(tmp_path, "needs.1.csv", "title,need_id", "甲,n1")
    put(tmp_path, "needs.2.csv", "need_id,budget_cny,title", "n2,5,乙")

    needs = read_region(tmp_path)["needs"]

    assert needs.select("need_id", "title", "budget_cny").rows() == [("n1", "甲", None), ("n2", "乙", 5.0)]
    assert needs.schema == tables()["needs"].polars


def test_read_finds_the_heading_under_a_title_and_over_a_second_heading(tmp_path):
    put(
        tmp_path,
        "needs.csv",
        "2026年需求征集表,,",
        "填报单位：某局,,",
        "需求编号,需求名称,需求类型",
        "need_id,title,kind",
        "n1,减速机,talent",
    )

    region = read_region(tmp_path)

    assert region["needs"].select("need_id", "title", "kind").rows() == [("n1", "减速机", "talent")]
    assert region.sources["needs"] == (Source("needs.csv", first_row=5, rows=1),)
    assert region.problems.is_empty()


def test_read_passes_over_blank_rows_and_keeps_row_numbers(tmp_path):
    put(tmp_path, "needs.csv", "need_id,title", "n1,甲", "", ",", " ,\u3000", "n2,乙", "n3,丙")

    region = read_region(tmp_path)

    assert region["needs"]["need_id"].to_list() == ["n1", "n2", "n3"]
    assert region.sources["needs"] == (Source("needs.csv", 2, 1), Source("needs.csv", 6, 2))


def test_read_counts_a_row_of_several_lines_once_like_a_spreadsheet(tmp_path):
    put(tmp_path, "needs.csv", "need_id,title,budget_cny", 'n1,"一', '二",5', "n2,三,x")

    region = read_region(tmp_path)

    assert region["needs"]["title"].to_list() == ["一\n二", "三"]
    assert problems_of(region) == [("needs", "needs.csv", 3, "budget_cny", "check.type", "x", False)]


def test_read_fills_up_short_rows_and_leaves_out_long_ones_by_number(tmp_path):
    put(
        tmp_path,
        "needs.csv",
        "need_id,title,kind",
        "n1,甲,talent",
        "n2,乙",
        "n3,丙,talent,多",
        "n4,丁,talent,,",
        "n5,戊,",
    )

    region = read_region(tmp_path)

    assert region["needs"].select("need_id", "title", "kind").rows() == [
        ("n1", "甲", "talent"),
        ("n2", "乙", None),
        ("n4", "丁", "talent"),
        ("n5", "戊", None),
    ]
    assert problems_of(region) == [("needs", "needs.csv", 4, None, "read.ragged", "n3,丙,talent,多", False)]
    assert region.sources["needs"] == (Source("needs.csv", 2, 2), Source("needs.csv", 5, 2))


def test_read_lists_every_cell_that_it_could_not_read(tmp_path):
    put(
        tmp_path,
        "needs.csv",
        "need_id,title,budget_cny,deadline_on,trl_wanted",
        "n1,甲,约五十万,下周,6",
        "n2,乙,5,2026-02-30,高",
    )

    region = read_region(tmp_path)

    assert problems_of(region) == [
        ("needs", "needs.csv", 2, "budget_cny", "check.type", "约五十万", False),
        ("needs", "needs.csv", 2, "deadline_on", "check.type", "下周", False),
        ("needs", "needs.csv", 3, "deadline_on", "check.type", "2026-02-30", False),
        ("needs", "needs.csv", 3, "trl_wanted", "check.type", "高", False),
    ]
    assert region["needs"]["trl_wanted"].to_list() == [6, None]
    assert region.problems["remedy_zh"].str.contains("应为").all()


def test_read_shortens_what_it_shows_and_lists_no_more_than_its_share(tmp_path, monkeypatch):
    monkeypatch.setattr("silian.tables.problems.LISTED", 3)
    put(tmp_path, "needs.csv", "need_id,title,budget_cny", *(f"n{i},甲,{'x' * 500}" for i in range(10)))

    region = read_region(tmp_path)

    assert region.problems["code"].to_list() == ["read.more", "check.type", "check.type", "check.type"]
    assert region.problems["found"].str.len_chars().max() == 80
    assert region.problems["found"][0] == "7 × check.type"


def test_read_names_texts_that_were_damaged_before(tmp_path):
    region = read_region(put(tmp_path, "needs.csv", "need_id,title", "n1,锟斤拷", "n2,好", "n3,坏\ufffd"))

    assert [(p[2], p[4]) for p in problems_of(region)] == [(2, "read.damaged_text"), (4, "read.damaged_text")]


def test_read_names_files_that_are_no_table_and_lets_others_be(tmp_path):
    put(tmp_path, "needs.csv", "need_id,title", "n1,甲")
    for name in ("neds.csv", "需求.xls", "experts.json"):
        put(tmp_path, name, "need_id")
    for name in (
        "README.md",
        "plan.toml",
        "truth/matches.csv",
        ".hidden.csv",
        "~$needs.xlsx",
        "notes.txt",
        "report.html",
    ):
        put(tmp_path, name, "x")

    region = read_region(tmp_path)

    assert [(p[1], p[4]) for p in problems_of(region)] == [
        ("experts.json", "read.file_unknown"),
        ("neds.csv", "read.file_unknown"),
        ("需求.xls", "read.file_unknown"),
    ]
    assert "needs.csv" in region.problems.filter(pl.col("file") == "neds.csv")["remedy"][0]


def test_read_names_an_empty_file(tmp_path):
    put(tmp_path, "needs.csv", "need_id,title", "n1,甲")
    for name, content in (("experts.csv", b""), ("works.csv", b"\n\n"), ("funds.csv", b"\xef\xbb\xbf")):
        (tmp_path / name).write_bytes(content)

    region = read_region(tmp_path)

    assert {(p[1], p[4]) for p in problems_of(region)} == {
        ("experts.csv", "read.empty_file"),
        ("works.csv", "read.empty_file"),
        ("funds.csv", "read.empty_file"),
    }


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_read_takes_a_heading_alone_for_an_empty_table(tmp_path, end):
    (tmp_path / "needs.csv").write_text("need_id,title" + end)

    region = read_region(tmp_path)

    assert region["needs"].height == 0
    assert check(region).filter(pl.col("table") == "needs")["code"].to_list() == ["check.rows"]


def test_read_names_a_table_without_heading(tmp_path):
    region = read_region(put(tmp_path, "needs.csv", "1,2,3", "4,5,6"))

    assert problems_of(region) == [("needs", "needs.csv", 1, None, "read.heading", "1 2 3", True)]


def test_read_names_a_heading_that_stands_twice_and_reads_the_first(tmp_path):
    region = read_region(put(tmp_path, "needs.csv", "need_id,title,需求名称", "n1,甲,乙"))

    assert region["needs"]["title"].to_list() == ["甲"]
    assert problems_of(region) == [("needs", "needs.csv", 1, "需求名称", "read.heading_twice", "需求名称", True)]


def test_read_names_a_column_without_heading_only_where_it_holds_something(tmp_path):
    region = read_region(put(tmp_path, "needs.csv", "need_id,title,,", "n1,甲,,", "n2,乙,,有"))

    assert [(p[3], p[4]) for p in problems_of(region)] == [("(4)", "read.column_unknown")]


def test_read_parquet_by_name_and_label_in_its_types(tmp_path):
    given = pl.DataFrame(
        {
            "需求编号": [1, 2],
            "title": ["甲", " 乙 "],
            "需求类型": ["技术攻关", "talent"],
            "budget_cny": [5, None],
            "deadline_on": [dt.datetime.fromisoformat("2026-01-31 05:00"), None],
            "must_have": [["a;b", " ", "c"], None],
            "trl_wanted": [6.0, 6.5],
            "extra": [{"a": 1}, {"a": 2}],
        }
    )
    given.write_parquet(tmp_path / "needs.parquet")

    region = read_region(tmp_path)

    assert region["needs"].select(
        "need_id", "title", "kind", "budget_cny", "deadline_on", "must_have", "trl_wanted"
    ).rows() == [
        ("1", "甲", "technology", 5.0, dt.date(2026, 1, 31), ["a;b", "c"], 6),
        ("2", "乙", "talent", None, None, None, None),
    ]
    assert [(p[2], p[3], p[4], p[5]) for p in problems_of(region)] == [
        (1, "extra", "read.column_unknown", "extra"),
        (3, "trl_wanted", "check.type", "6.5"),
    ]


def test_read_parquet_takes_no_nan_for_a_number(tmp_path):
    given = pl.DataFrame({"org_id": ["o1", "o2", "o3"], "product_id": "p", "share": [float("nan"), float("inf"), 0.5]})
    given.write_parquet(tmp_path / "makes.parquet")

    region = read_region(tmp_path)

    assert region["makes"]["share"].to_list() == [None, None, 0.5]
    assert [(p[2], p[4], p[5]) for p in problems_of(region)] == [(2, "check.type", "NaN"), (3, "check.type", "inf")]


def test_read_parquet_takes_categories_and_dates_as_text(tmp_path):
    given = pl.DataFrame({"need_id": ["n1"], "title": ["甲"], "kind": ["人才引进"], "posted_on": ["2026/1/31"]})
    given.with_columns(pl.col("kind").cast(pl.Categorical)).write_parquet(tmp_path / "needs.parquet")

    assert read_region(tmp_path)["needs"].select("kind", "posted_on").rows() == [("talent", dt.date(2026, 1, 31))]


def test_read_is_the_same_from_every_form(tmp_path):
    put(tmp_path / "csv", "needs.csv", HEADS["zh"], *ROWS)
    first = read_region(tmp_path / "csv")

    for form in ("parquet", "xlsx"):
        write_region(first, tmp_path / form, form=form)
        assert_frame_equal(read_region(tmp_path / form)["needs"], first["needs"])


def test_read_tells_its_progress_file_by_file(tmp_path):
    put(tmp_path, "needs.csv", "need_id,title", "n1,甲")
    put(tmp_path, "experts.csv", "expert_id,name", "e1,王")
    told = []

    read_region(tmp_path, progress=told.append)

    assert told == ["experts.csv", "needs.csv"]


def square(size=1.0):
    return {"type": "Polygon", "coordinates": [[[0, 0], [size, 0], [size, 1], [0, 0]]]}


def feature(name, geometry=None):
    return {"type": "Feature", "properties": {"district_id": name}, "geometry": geometry or square()}


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def test_read_takes_the_map_of_the_districts(tmp_path):
    put(tmp_path, "districts.csv", "district_id,name", "d1,东区")
    many = {"type": "MultiPolygon", "coordinates": [square()["coordinates"]]}
    (tmp_path / "districts.geojson").write_text(json.dumps(collection(feature("d1"), feature("d2", many))))

    region = read_region(tmp_path)

    assert region.geojson["features"][0]["properties"]["district_id"] == "d1"
    assert problems_of(region) == []
    unknown = check(region).filter(pl.col("file") == "districts.geojson")
    assert unknown.select("code", "found").rows() == [("check.unknown", "d2")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": NaN}', "NaN"),
        ("[]", "FeatureCollection"),
        (json.dumps({"type": "Feature"}), "FeatureCollection"),
        (json.dumps(collection()), "features"),
        (json.dumps({"type": "FeatureCollection", "features": {}}), "features"),
        (json.dumps(collection(None)), "feature 1 lacks"),
        (json.dumps(collection(feature(7))), "feature 1 lacks"),
        (json.dumps(collection(feature("d1"), feature("d1"))), "repeats"),
        (json.dumps(collection(feature("d1", {"type": "Point", "coordinates": [0, 0]}))), "no Polygon"),
        (json.dumps(collection(feature("d1", square(size=500)))), "no Polygon"),
        (json.dumps(collection(feature("d1", square("x")))), "no Polygon"),
        (json.dumps(collection(feature("d1", {"type": "Polygon", "coordinates": [[[0, 0]]]}))), "no Polygon"),
        (json.dumps(collection(feature("d1", {"type": "Polygon"}))), "no Polygon"),
        ("\xff\xfe", "not JSON"),
    ],
)
def test_read_goes_without_a_map_that_is_wrong(tmp_path, content, said):
    put(tmp_path, "districts.csv", "district_id,name", "d1,东区")
    (tmp_path / "districts.geojson").write_bytes(content.encode("latin-1"))

    region = read_region(tmp_path)

    assert region.geojson is None
    assert region.problems["code"].to_list() == ["read.geojson"]
    assert said in region.problems["remedy"][0]


def test_read_does_not_change_what_region_of_gives():
    empty = Region.of({})

    assert all(empty[name].height == 0 for name in tables())


def test_read_missing_path(tmp_path):
    with pytest.raises(ReadError, match=r"read\.missing.*nowhere"):
        read_region(tmp_path / "nowhere")


def test_read_path_that_is_no_region(tmp_path):
    with pytest.raises(ReadError, match=r"read\.not_region"):
        read_region(put(tmp_path, "needs.csv", "need_id") / "needs.csv")


@pytest.mark.parametrize("files", [[], ["README.md"], ["neds.csv", "需要.csv"], ["other/needs.csv"]])
def test_read_folder_without_tables(tmp_path, files):
    for name in files:
        put(tmp_path, name, "need_id")

    with pytest.raises(ReadError, match=r"read\.no_tables"):
        read_region(tmp_path)
