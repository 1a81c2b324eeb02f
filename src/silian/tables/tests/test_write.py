import datetime as dt
import json
import re
import subprocess
import sys
import zipfile

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.errors import ArgumentError, TableError
from silian.tables import Region, check, read_region, write_region
from silian.tables.cast import SPACES
from silian.tables.schema import codes, tables

FORMS = ("csv", "parquet", "xlsx")
SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
MAP = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"district_id": "d1"},
            "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
        }
    ],
}
# What a spreadsheet, a separator or a quotation could turn into something else.
NASTY = [
    "=1+1",
    "+1",
    "-5℃",
    "@SUM(A1)",
    "'=1",
    "'",
    "''",
    '"',
    '""',
    ",",
    ";",
    "；",
    "|",
    "\\",
    "a\\;b",
    "行一\n行二",
    "a\tb",
    "001",
    "1e5",
    "TRUE",
    "是",
    "无",
    "NULL",
    "#N/A",
    "2026-01-31",
    "＝1",
    "_x0041_",
    "\u200bx",
    "𠮷野家",
    "é",
    "é",
    "x" * 300,
    "a\r\nb",
    "=cmd|' /C calc'!A0",
    "http://example.org",
    "0x1F",
    "1,2",
    "%s{x}",
]
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn"), include_characters="\n\t")
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(CHARACTERS, min_size=1, max_size=12))
PLAIN = TEXTS.map(lambda text: text.strip(SPACES)).filter(bool)


def values(column):
    """Values that a column may hold once it has been read."""
    if column.type == "code":
        return st.sampled_from(list(codes()[column.codes]))
    if column.type == "list":
        inner = st.sampled_from(list(codes()[column.codes])) if column.codes else PLAIN
        inner = st.sampled_from(["H01M10/05", "A61K"]) if column.format == "ipc" else inner
        return st.lists(inner, min_size=1, max_size=3)
    if column.format is not None:
        return st.sampled_from(
            {
                "uscc": ["91110000600037341L"],
                "gbt2260": ["110000"],
                "gbt4754": ["C39", "A", "0111"],
                "orcid": ["0000-0002-1825-0097"],
                "doi": ["10.1000/182"],
                "url": ["https://例子.中国"],
            }[column.format]
        )
    return {
        "count": st.integers(0, 10**12),
        "year": st.integers(1900, 2100),
        "flag": st.booleans(),
        "number": st.floats(-1e12, 1e12),
        "share": st.floats(0, 1),
        "money": st.floats(0, 1e15),
        "date": st.dates(dt.date(1901, 1, 1), dt.date(2200, 1, 1)),
        "text": PLAIN,
        "id": PLAIN,
    }[column.type]


@st.composite
def regions(draw):
    """A region of some tables with some rows, each with a key."""
    given_tables = {}
    for name in draw(st.lists(st.sampled_from(list(tables())), min_size=1, max_size=3, unique=True)):
        columns = tables()[name].columns
        row = st.tuples(*(values(c) if c.is_key else st.one_of(st.none(), values(c)) for c in columns))
        rows = draw(st.lists(row, min_size=1, max_size=4))
        given_tables[name] = pl.DataFrame(rows, schema=tables()[name].polars, orient="row")
    return Region.of(given_tables)


@pytest.mark.parametrize("form", FORMS)
@given(region=regions())
@settings(deadline=None, max_examples=35, suppress_health_check=[HealthCheck.too_slow])
def test_read_gives_back_what_write_wrote(form, region, tmp_path_factory):
    folder = tmp_path_factory.mktemp("region")

    write_region(region, folder, form=form)
    back = read_region(folder)

    assert back.problems.is_empty()
    for name in tables():
        assert_frame_equal(back[name], region[name])


@pytest.mark.parametrize("form", FORMS)
def test_write_twice_gives_the_same_bytes(form, tmp_path):
    region = sample()

    for folder in ("a", "b"):
        write_region(region, tmp_path / folder, form=form)

    for written in (tmp_path / "a").iterdir():
        assert written.read_bytes() == (tmp_path / "b" / written.name).read_bytes()


def sample() -> Region:
    titles = [text for text in NASTY if not text.startswith("\u200b")]
    needs = pl.DataFrame(
        {
            "need_id": [f"n{i}" for i in range(len(titles))],
            "title": titles,
            "kind": "technology",
            "budget_cny": 5e5,
            "posted_on": dt.date(2026, 1, 31),
            "must_have": [[t] for t in titles],
        }
    )
    return Region.of(
        {"needs": needs, "districts": pl.DataFrame({"district_id": ["d1"], "name": ["东区"]})}, geojson=MAP
    )


@pytest.mark.parametrize("target", ["region", "region.xlsx"])
def test_write_a_workbook_or_folder_and_the_map_beside(target, tmp_path):
    region = sample()

    write_region(region, tmp_path / target, form="xlsx")
    back = read_region(tmp_path / target)

    assert_frame_equal(back["needs"], region["needs"])
    assert json.dumps(dict(back.geojson)) == json.dumps(MAP)
    assert check(back).filter(pl.col("table") == "districts").is_empty()


def test_write_csv_opens_in_excel_as_chinese_and_as_text(tmp_path):
    write_region(sample(), tmp_path)

    written = (tmp_path / "needs.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    cells = pl.read_csv(tmp_path / "needs.csv", infer_schema=False)["title"].to_list()
    assert not [cell for cell in cells if re.match("[=+@\t\r＝-]", cell)]


def test_write_xlsx_holds_no_formula_and_no_link(tmp_path):
    write_region(sample(), tmp_path / "book.xlsx", form="xlsx")

    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["needs"]
    kinds = {cell.data_type for row in sheet.iter_rows(min_row=2, max_col=4) for cell in row if cell.value}
    packed = zipfile.ZipFile(tmp_path / "book.xlsx")
    assert kinds == {"s"}
    sheets = [packed.read(name) for name in packed.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


def test_write_again_replaces_the_tables_and_removes_those_that_are_gone(tmp_path):
    write_region(sample(), tmp_path)
    experts = pl.DataFrame({"expert_id": ["e1"], "name": ["王"]})

    write_region(Region.of({"experts": experts}), tmp_path)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["experts.csv"]


@pytest.mark.parametrize("other", ["needs.parquet", "needs.2.csv", "需求.xlsx", "needs-2025.csv", "experts.tsv"])
def test_write_refuses_a_folder_whose_tables_would_be_read_too(other, tmp_path):
    (tmp_path / other).write_text("need_id\nn1\n")

    with pytest.raises(TableError, match=rf"write\.mixed.*{re.escape(other)}"):
        write_region(sample(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [other]


def test_write_refuses_a_folder_of_split_tables(tmp_path):
    (tmp_path / "needs").mkdir()

    with pytest.raises(TableError, match=r"write\.mixed.*needs"):
        write_region(sample(), tmp_path)


def test_write_lets_other_files_be(tmp_path):
    for name in ("README.md", "plan.toml", "notes.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "truth").mkdir()

    write_region(sample(), tmp_path)

    assert {"README.md", "plan.toml", "notes.csv", "truth", "needs.csv"} <= {p.name for p in tmp_path.iterdir()}


def test_write_refuses_a_text_that_no_cell_of_excel_holds(tmp_path):
    needs = pl.DataFrame({"need_id": ["n1"], "title": ["长" * 32_768], "kind": ["technology"]})

    with pytest.raises(TableError, match=r"write\.cell.*needs\.title.*32767.*32768"):
        write_region(Region.of({"needs": needs}), tmp_path, form="xlsx")
    assert list(tmp_path.iterdir()) == []


def test_write_refuses_more_rows_than_a_sheet_of_excel_holds(tmp_path):
    links = pl.select(
        upstream_id=pl.int_range(1_048_576).cast(pl.String), downstream_id=pl.lit("p"), kind=pl.lit("material")
    )

    with pytest.raises(TableError, match=r"write\.rows.*product_links.*1048576.*1048575"):
        write_region(Region.of({"product_links": links}), tmp_path, form="xlsx")


def test_write_refuses_another_form(tmp_path):
    with pytest.raises(ArgumentError, match=r"argument\.value.*xls"):
        write_region(sample(), tmp_path, form="xls")


def test_write_where_a_file_stands_says_so(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(TableError, match=r"write\.failed.*file"):
        write_region(sample(), tmp_path / "file")


@pytest.mark.parametrize("form", FORMS)
def test_write_on_a_full_disk_leaves_what_was_there(form, tmp_path):
    write_region(sample(), tmp_path, form=form)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    # a limit on the size of files stands for the full disk; it holds for a whole process, so one of its own
    script = (
        "import sys, resource, signal, polars as pl\n"
        "from pathlib import Path\n"
        "from silian.errors import TableError\n"
        "from silian.tables import Region, write_region\n"
        "names = pl.int_range(60000, eager=True).cast(pl.String)\n"
        "needs = pl.DataFrame({'need_id': names, 'title': names.hash(1).cast(pl.String), 'kind': 'technology'})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    write_region(Region.of({'needs': needs}), Path(sys.argv[1]), form=sys.argv[2])\n"
        "except TableError as error:\n"
        "    print(error)\n"
    )

    done = subprocess.run([sys.executable, "-c", script, tmp_path, form], capture_output=True, text=True, check=True)

    assert re.match(r"\[write\.failed\] .*File too large", done.stdout), done
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
