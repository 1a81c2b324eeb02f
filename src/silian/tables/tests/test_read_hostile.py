"""Files that are broken, too large or meant to do harm: each is refused by its own code, not read whole."""

import io
import os
import re
import struct
import threading
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.errors import ReadError
from silian.tables import Region, read_region, write_region
from silian.tables.limits import LIMITS

SMALL = replace(LIMITS, cell_bytes=1000, row_bytes=20_000)


def put(folder, content, name="needs.csv"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


# ── text files ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content",
    [
        "need_id,title\nn1,甲\n".encode() + b"n2,\xff\xfe\n",
        b"need_id,title\nn1,\xb4\xf3\nn2,\x81\n",
        "need_id,title\nn1,今天天气很好\n".encode() + "n2,今天天气很好\n".encode("gb18030"),
        "need_id,title\nn1,今天天气很好\n".encode("gb18030") + "n2,今天天气很好\n".encode(),
        "need_id,title\nn1,今天天气很好\n".encode("utf-8-sig") + "n2,今天天气很好\n".encode("gb18030"),
        "need_id,title\nn1,甲\n".encode("utf-16")[:-1],
        "need_id,title\nn1,今天天气很好，适合出门".encode()[:-1],
    ],
)
def test_read_refuses_text_that_is_neither_or_half_the_one_half_the_other(tmp_path, content):
    with pytest.raises(ReadError, match=r"read\.encoding.*needs\.csv"):
        read_region(put(tmp_path, content))


def test_read_names_byte_and_line_of_the_wrong_encoding(tmp_path):
    start = "need_id,title\nn1,今天天气很好\n".encode()

    with pytest.raises(ReadError, match=r"read\.encoding") as caught:
        read_region(put(tmp_path, start + b"n2,\xff\n"))
    assert caught.value.found["byte"] == len(start) + 3
    assert caught.value.found["row"] == 3


def test_read_sees_a_wrong_byte_behind_the_first_block(tmp_path):
    lines = b"".join(b"n%d,title %d\n" % (i, i) for i in range(400_000))
    content = b"need_id,title\n" + "n0,今天天气很好的\n".encode() + lines

    with pytest.raises(ReadError, match=r"read\.encoding") as caught:
        read_region(put(tmp_path, content + b"x,\xe4\xb8\n"))
    assert caught.value.found["byte"] == len(content) + 2


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=60))
@settings(deadline=None, max_examples=50)
def test_read_takes_chinese_text_in_its_own_encoding(tmp_path_factory, text):
    for encoding in ("utf-8", "gb18030"):
        folder = tmp_path_factory.mktemp("region")
        content = f"需求编号,需求名称\nn1,{text}\n".encode(encoding)
        assert read_region(put(folder, content))["needs"]["title"].to_list() == [text]


@pytest.mark.parametrize(
    "content", [b"need_id,title\nn1,a\x00b\n", b"\x00" * 100, "need_id,title\n".encode("utf-16-le")]
)
def test_read_refuses_nul_bytes(tmp_path, content):
    with pytest.raises(ReadError, match=r"read\.nul.*needs\.csv"):
        read_region(put(tmp_path, content))


def test_read_refuses_a_cell_that_is_too_long(tmp_path):
    with pytest.raises(ReadError, match=r"read\.cell.*needs\.csv.*1000.*row 3"):
        read_region(put(tmp_path, b"need_id,title\nn1,a\nn2," + b"x" * 1001 + b"\n"), limits=SMALL)


def test_read_refuses_an_endless_cell_after_two_rows_of_bytes(tmp_path):
    # 5 GB on paper, next to nothing on the disk; it must be refused long before its end
    path = tmp_path / "needs.csv"
    path.write_bytes(b'need_id,title\nn1,"' + b"x" * (1 << 20))
    os.truncate(path, 5 << 30)
    assert path.stat().st_blocks * 512 < 64 << 20

    tracemalloc.start()
    with pytest.raises(ReadError, match=r"read\.too_big"):
        read_region(tmp_path)
    with pytest.raises(ReadError, match=r"read\.nul"):
        read_region(tmp_path, limits=replace(LIMITS, file_bytes=8 << 30))
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("end", [b"", b'"', b'"\n', b'",x\n'])
def test_read_refuses_a_row_beyond_the_limit_whether_its_quotation_is_closed_or_not(tmp_path, end):
    with pytest.raises(ReadError, match=r"read\.cell.*20000"):
        read_region(put(tmp_path, b'need_id,title\nn1,a\nn2,"' + b"line\n" * 20_000 + end), limits=SMALL)


@pytest.mark.parametrize(
    "content",
    [
        b'need_id,title\nn1,a\nn2,"b\nn3,c\n',
        b'need_id,title,kind\nn1,a,b\nn2,"b,c\nn3,c,d\n',
        b'need_id,title\nn1,a\nn2,"b\r\nn3,c\r\n',
        b'need_id,title\nn1,a\nn2,"b\nn3,c',
    ],
)
def test_read_refuses_a_quotation_that_swallows_the_rest(tmp_path, content):
    with pytest.raises(ReadError, match=r"read\.quote.*row 3"):
        read_region(put(tmp_path, content))


def test_read_takes_a_quoted_last_cell_of_two_lines(tmp_path):
    assert read_region(put(tmp_path, b'need_id,title\nn1,"a\nb"'))["needs"]["title"].to_list() == ["a\nb"]


def test_read_takes_a_quotation_mark_inside_a_cell(tmp_path):
    assert read_region(put(tmp_path, b'need_id,title\nn1,3.5" disk\n'))["needs"]["title"].to_list() == ['3.5" disk']


def test_read_refuses_a_table_of_ragged_rows(tmp_path):
    content = b"need_id,title\n" + b"n,a,b\n" * 11

    with pytest.raises(ReadError, match=r"read\.ragged_all.*2"):
        read_region(put(tmp_path, content), limits=replace(LIMITS, ragged_rows=10))


def test_read_refuses_too_many_rows(tmp_path):
    content = b"need_id,title\n" + b"n,a\n" * 20

    for folder, limit in (("a", 10), ("b", 19)):
        with pytest.raises(ReadError, match=rf"read\.too_many_rows.*{limit}"):
            read_region(put(tmp_path / folder, content), limits=replace(LIMITS, rows=limit))


def test_read_refuses_too_many_rows_over_several_files(tmp_path):
    for name in ("needs.1.csv", "needs.2.csv"):
        put(tmp_path, b"need_id,title\n" + b"n,a\n" * 8, name)

    with pytest.raises(ReadError, match=r"read\.too_many_rows"):
        read_region(tmp_path, limits=replace(LIMITS, rows=10))


def test_read_refuses_a_file_that_is_too_big(tmp_path):
    with pytest.raises(ReadError, match=r"read\.too_big.*needs\.csv.*needs\.1\.csv"):
        read_region(put(tmp_path, b"need_id,title\nn1,a\n"), limits=replace(LIMITS, file_bytes=5))


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=120)
def test_read_of_any_bytes_gives_a_region_or_a_read_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("region")
    for name, start in (
        ("needs.csv", b"need_id,title\n"),
        ("experts.csv", b""),
        ("works.xlsx", b""),
        ("funds.parquet", b""),
    ):
        (folder / name).write_bytes(start + content)
        for other in set(folder.iterdir()) - {folder / name}:
            other.unlink()
        try:
            region = read_region(folder)
        except ReadError:
            continue  # refused on purpose; any other error fails the test
        assert isinstance(region, Region)


# ── the folder ──────────────────────────────────────────────────────────────────────────────────────────────


def test_read_refuses_a_link_out_of_the_folder(tmp_path):
    put(tmp_path / "outside", b"need_id,title\nsecret,x\n")
    (tmp_path / "region").mkdir()
    (tmp_path / "region" / "needs.csv").symlink_to(tmp_path / "outside" / "needs.csv")

    with pytest.raises(ReadError, match=r"read\.outside.*needs\.csv.*outside"):
        read_region(tmp_path / "region")


def test_read_refuses_a_linked_folder_and_a_linked_map(tmp_path):
    put(tmp_path / "outside", b"need_id,title\nsecret,x\n", "a.csv")
    put(tmp_path / "outside", b"{}", "map.geojson")
    put(tmp_path / "one", b"expert_id,name\ne1,x\n", "experts.csv")
    put(tmp_path / "two", b"expert_id,name\ne1,x\n", "experts.csv")
    (tmp_path / "one" / "needs").symlink_to(tmp_path / "outside")
    (tmp_path / "two" / "districts.geojson").symlink_to("../outside/map.geojson")

    for folder in ("one", "two"):
        with pytest.raises(ReadError, match=r"read\.outside"):
            read_region(tmp_path / folder)


def test_read_follows_links_within_the_folder_and_to_the_folder(tmp_path):
    put(tmp_path / "region", b"need_id,title\nn1,x\n", "store/data.csv")
    (tmp_path / "region" / "needs.csv").symlink_to("store/data.csv")
    (tmp_path / "link").symlink_to(tmp_path / "region")

    assert read_region(tmp_path / "link")["needs"].height == 1


def test_read_says_that_a_link_leads_nowhere(tmp_path):
    (tmp_path / "needs.csv").symlink_to("gone.csv")

    with pytest.raises(ReadError, match=r"read\.failed.*needs\.csv.*gone\.csv"):
        read_region(tmp_path)


def test_read_refuses_a_pipe_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "needs.csv")
    refused = []

    def attempt():
        with pytest.raises(ReadError, match=r"read\.not_file.*needs\.csv"):
            read_region(tmp_path)
        refused.append(True)

    worker = threading.Thread(target=attempt, daemon=True)
    worker.start()
    worker.join(timeout=20)
    assert refused


def test_read_refuses_a_folder_of_very_many_files(tmp_path):
    for number in range(12):
        put(tmp_path, b"need_id,title\nn1,x\n", f"needs.{number}.csv")

    with pytest.raises(ReadError, match=r"read\.too_many_files.*10"):
        read_region(tmp_path, limits=replace(LIMITS, files=10))


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


# ── workbooks ───────────────────────────────────────────────────────────────────────────────────────────────


def book(**parts):
    """A workbook of one sheet as the bytes of its parts, which a test may replace."""
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>need_id</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>title</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>n1</t></is></c><c r="B2" t="inlineStr"><is><t>x</t></is></c></row>'
        "</sheetData></worksheet>"
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    relations = f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/'
    whole = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'{relations}officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{office}"><sheets>'
        '<sheet name="needs" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{relations}worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    } | parts
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in whole.items():
            archive.writestr(name, content)
    return packed.getvalue()


def sheet_of(*rows):
    inner = "".join(rows)
    return {"xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{inner}</sheetData></worksheet>'}


def test_read_takes_the_workbook_that_the_hostile_ones_are_made_from(tmp_path):
    assert read_region(put(tmp_path, book(), "needs.xlsx"))["needs"].select("need_id", "title").rows() == [("n1", "x")]


def test_read_refuses_a_zip_bomb_by_what_its_directory_says(tmp_path):
    bomb = book(**{"xl/media/image1.png": b"\x00" * (80 << 20)})
    assert len(bomb) < 200_000

    with pytest.raises(ReadError, match=r"read\.zip_bomb.*needs\.xlsx.*times"):
        read_region(put(tmp_path, bomb, "needs.xlsx"))
    with pytest.raises(ReadError, match=r"read\.zip_bomb.*bytes"):
        read_region(tmp_path, limits=replace(LIMITS, unpacked_bytes=1 << 20))


def test_read_refuses_a_zip_bomb_whose_directory_lies(tmp_path):
    big = b"\x00" * (80 << 20)
    bomb = bytearray(book(**{"xl/media/image1.png": big}))
    size = struct.pack("<I", len(big))
    assert bomb.count(size) == 2  # in the part's own header and in the directory
    small = (
        bytes(bomb)
        .replace(size, struct.pack("<I", 10))
        .replace(struct.pack("<I", zlib.crc32(big)), struct.pack("<I", zlib.crc32(big[:10])))
    )

    with pytest.raises(ReadError, match=r"read\.zip_bomb"):
        read_region(put(tmp_path, small, "needs.xlsx"))


def test_read_refuses_a_workbook_of_very_many_parts(tmp_path):
    with pytest.raises(ReadError, match=r"read\.zip_bomb.*parts"):
        read_region(put(tmp_path, book(), "needs.xlsx"), limits=replace(LIMITS, files=4))


def test_read_refuses_a_text_named_from_very_many_cells(tmp_path):
    texts = f'<sst xmlns="{MAIN}"><si><t>{"长" * 30_000}</t></si></sst>'
    cells = "".join(f'<row r="{i}"><c r="A{i}" t="s"><v>0</v></c></row>' for i in range(1, 30_001))

    with pytest.raises(ReadError, match=r"read\.zip_bomb.*repeated text"):
        read_region(put(tmp_path, book(**sheet_of(cells), **{"xl/sharedStrings.xml": texts}), "needs.xlsx"))


def test_read_takes_a_long_text_beside_many_short_ones(tmp_path):
    texts = f'<sst xmlns="{MAIN}"><si><t>{"长" * 30_000}</t></si><si><t>need_id</t></si>'
    texts += "<si><t>title</t></si></sst>"
    head = '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>2</v></c></row>'
    head += '<row r="2"><c r="A2" t="s"><v>0</v></c></row>'
    cells = "".join(f'<row r="{i}"><c r="A{i}" t="s"><v>1</v></c></row>' for i in range(3, 30_001))

    region = read_region(put(tmp_path, book(**sheet_of(head, cells), **{"xl/sharedStrings.xml": texts}), "needs.xlsx"))

    assert region["needs"].height == 29_999


def far(place):
    row = re.sub("[A-Z]", "", place)
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>need_id</t></is></c></row>'
    return book(**sheet_of(head, f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>'))


@pytest.mark.parametrize("place", ["XFD1048576", "ZZ500000", "XFD9999", "AB1048576"])
def test_read_refuses_a_cell_far_from_the_table(tmp_path, place):
    with pytest.raises(ReadError, match=r"read\.sheet_far.*needs\.xlsx"):
        read_region(put(tmp_path, far(place), "needs.xlsx"))


@pytest.mark.parametrize(
    "spelt",
    [
        "r = 'XFD1048576'",
        "r='XFD1048576'",
        'r=\n"XFD1048576"',
        "s='1' r='XFD1048576' t='n'",
        'r="xfd1048576"',
        'r="$XFD$1048576"',
    ],
)
def test_read_refuses_a_far_cell_however_it_is_spelt(tmp_path, spelt):
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row><c {spelt}><v>1</v></c></row>'

    with pytest.raises(ReadError, match=r"read\.(sheet_far|workbook).*needs\.xlsx"):
        read_region(put(tmp_path, book(**sheet_of(rows)), "needs.xlsx"))


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>',
        '<row r="4000000000"><c><v>1</v></c></row>',
        '<row r="1">' + "<c><v>1</v></c>" * 20_000 + '</row><row r="1048000"><c><v>1</v></c></row>',
        '<row r="1"><c r="IA1"><v>1</v></c>' + "<c><v>1</v></c>" * 500 + '</row><row r="1048000"><c><v>1</v></c></row>',
    ],
)
def test_read_refuses_far_cells_without_a_reference(tmp_path, rows):
    with pytest.raises(ReadError, match=r"read\.sheet_far.*needs\.xlsx"):
        read_region(put(tmp_path, book(**sheet_of(rows)), "needs.xlsx"))


@pytest.mark.parametrize(
    "counts", ['count="4294967295"', 'uniqueCount = "4294967295"', "count='1' uniqueCount='999999999999999'"]
)
def test_read_refuses_a_workbook_that_claims_very_many_texts(tmp_path, counts):
    texts = f'<sst xmlns="{MAIN}" {counts}><si><t>x</t></si></sst>'

    with pytest.raises(ReadError, match=r"read\.zip_bomb.*texts"):
        read_region(put(tmp_path, book(**{"xl/sharedStrings.xml": texts}), "needs.xlsx"))


def test_read_takes_a_cell_far_below_the_table_by_its_row(tmp_path):
    region = read_region(put(tmp_path, far("A30000"), "needs.xlsx"))

    assert region["needs"]["need_id"].to_list() == ["x"]
    assert region.sources["needs"][0].first_row == 30_000


def test_read_refuses_a_table_of_very_many_columns(tmp_path):
    put(tmp_path / "csv", b"need_id,title" + b"," * 300 + b"x\nn1,a\n")
    put(tmp_path / "xlsx", far("KZ2"), "needs.xlsx")
    wide = pl.DataFrame({"need_id": ["n1"], "title": ["a"], **{f"x{i}": [1] for i in range(300)}})
    (tmp_path / "parquet").mkdir()
    wide.write_parquet(tmp_path / "parquet" / "needs.parquet")

    for form in ("csv", "xlsx", "parquet"):
        with pytest.raises(ReadError, match=r"read\.too_many_columns.*256"):
            read_region(tmp_path / form)


def test_read_lets_far_cells_without_a_value_be(tmp_path):
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>need_id</t></is></c></row>'
    rows += '<row r="1048576"><c r="XFD1048576" s="1"/></row>'

    assert read_region(put(tmp_path, book(**sheet_of(rows)), "needs.xlsx"))["needs"].height == 0


def test_read_does_not_fill_merged_cells_that_overlap(tmp_path):
    sheet = sheet_of('<row r="1"><c r="A1" t="inlineStr"><is><t>need_id</t></is></c></row>')["xl/worksheets/sheet1.xml"]
    merged = '<mergeCells count="2"><mergeCell ref="A1:XFD1048576"/><mergeCell ref="A1:XFD1048575"/></mergeCells>'
    content = book(**{"xl/worksheets/sheet1.xml": sheet.replace("</sheetData>", "</sheetData>" + merged)})

    problems = read_region(put(tmp_path, content, "needs.xlsx")).problems

    assert problems.select("code", "grave").rows() == [("read.merged_all", True)]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 and nothing more",
        b"not a zip",
        book()[:-30],
        book()[:200],
        book(**{"xl/workbook.xml": "<workbook"}),
        book(**{"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row r='1'><c r='A1'><v>1</c>"}),
        book(**{"xl/_rels/workbook.xml.rels": "<Relationships/>"}),
        b"PK\x05\x06" + b"\x00" * 18,
    ],
)
def test_read_refuses_a_broken_workbook(tmp_path, content):
    with pytest.raises(ReadError, match=r"read\.workbook.*needs\.xlsx"):
        read_region(put(tmp_path, content, "needs.xlsx"))


def test_read_refuses_a_workbook_whose_part_is_damaged(tmp_path):
    whole = bytearray(book())
    at = whole.index(b"sheet1.xml") + 40
    whole[at : at + 20] = b"\xff" * 20

    with pytest.raises(ReadError, match=r"read\.workbook"):
        read_region(put(tmp_path, bytes(whole), "needs.xlsx"))


def test_read_refuses_an_old_or_encrypted_workbook(tmp_path):
    with pytest.raises(ReadError, match=r"read\.password.*needs\.xlsx"):
        read_region(put(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "needs.xlsx"))


def test_read_refuses_a_workbook_packed_in_an_unusual_way(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/workbook.xml", "x" * 1000)

    with pytest.raises(ReadError, match=r"read\.workbook.*method 14"):
        read_region(put(tmp_path, packed.getvalue(), "needs.xlsx"))


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_read_of_a_spoilt_workbook_gives_a_region_or_a_read_error(tmp_path_factory, data):
    whole = bytearray(book())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    folder = put(tmp_path_factory.mktemp("region"), bytes(whole), "needs.xlsx")

    with suppress(ReadError):  # refused on purpose; any other error fails the test
        assert isinstance(read_region(folder), Region)


# ── Parquet ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def parquet(tmp_path):
    needs = pl.DataFrame({"need_id": [f"n{i}" for i in range(50)], "title": "x", "kind": "talent"})
    write_region(Region.of({"needs": needs}), tmp_path, form="parquet")
    return tmp_path


def test_read_refuses_a_broken_parquet_file(parquet):
    whole = (parquet / "needs.parquet").read_bytes()

    for content in (b"PAR1", whole[:-8], whole[:100] + whole[-100:], b"x" * 500):
        with pytest.raises(ReadError, match=r"read\.parquet.*needs\.parquet"):
            read_region(put(parquet, content, "needs.parquet"))


def test_read_refuses_a_parquet_file_beyond_the_limits(parquet):
    with pytest.raises(ReadError, match=r"read\.too_many_rows.*49"):
        read_region(parquet, limits=replace(LIMITS, rows=49))
    with pytest.raises(ReadError, match=r"read\.too_big.*needs\.parquet"):
        read_region(parquet, limits=replace(LIMITS, parquet_bytes=100))
    with pytest.raises(ReadError, match=r"read\.cell.*row 12"):
        read_region(parquet, limits=replace(LIMITS, cell_bytes=1))


def test_read_names_a_parquet_file_without_known_columns(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "needs.parquet")

    assert read_region(tmp_path).problems["code"].to_list() == ["read.heading"]


def test_read_says_when_a_file_may_not_be_read(tmp_path):
    put(tmp_path, b"need_id,title\n")
    (tmp_path / "needs.csv").chmod(0)
    if os.access(tmp_path / "needs.csv", os.R_OK):
        pytest.skip("this user may read everything")

    with pytest.raises(ReadError, match=r"read\.failed.*needs\.csv"):
        read_region(tmp_path)
