"""An official document on A4: page, type and head as GB/T 9704-2012 asks, on python-docx."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from silian.report.official._texts import wide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from docx.document import Document as Word
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.section import _Footer
    from docx.styles.style import ParagraphStyle
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

PAGE: Final = (210, 297)  # mm; 5.1
TOP, LEFT, TEXT_WIDTH, TEXT_HEIGHT = 37, 28, 156, 225  # mm; 5.2.1
LINES, LETTERS = 22, 28  # of a page, of a line; 5.2.3
BODY: Final = 16.0  # pt, size 3 (三号); 5.2.2
PITCH: Final = int(TEXT_HEIGHT / 25.4 * 1440 / LINES) / 20  # pt from line to line, in whole twentieths: 22 must fit
# Twentieths of a point between letters: 28 letters of 16 pt are 448 pt, the line is 442 pt. The grid of letters that
# the format knows would do it in one program and spread every Latin word and every small letter in another.
CLOSER: Final = -5
UNIT: Final = 6  # letters of a text that stands in the middle of its cell
SHORT: Final = 12  # rows of a table that is not parted over pages
HEAD: Final = 40.0  # pt, of the red name at most
RED: Final = RGBColor(0xC0, 0x00, 0x00)
LATIN: Final = "Times New Roman"
# Our names of the four faces, and what Chinese offices have under them.
FACES: Final = {
    "title": "方正小标宋简体", "text": "仿宋_GB2312", "head": "黑体", "second": "楷体_GB2312", "page": "宋体",
}  # fmt: skip
MADE: Final = (1980, 1, 1, 0, 0, 0)  # of every part of the file, so that equal contents are equal bytes


@dataclass(slots=True)
class Paper:
    """A document in the making: `title`, `section`, `text`, `table`, `picture` in the order of reading, then `bytes`.

    Attributes
    ----------
    language : zh or en; of the spelling, not of the words
    """

    language: str = "zh"
    word: Word = field(default_factory=Document)

    def __post_init__(self) -> None:
        _lay_out(self.word)
        _set_styles(self.word, self.language)
        _number_pages(self.word)

    def red_head(self, name: str, number: str, left: str, right: str) -> None:
        """The head of a bulletin: its name in red, its number, who issues it and when, a red line (10.2)."""
        head = self._paragraph(name, "Silian Head")
        head.runs[0].font.size = Pt(min(HEAD, int(TEXT_WIDTH / 25.4 * 72 / max(1.0, wide(name)))))
        self._paragraph(number, "Silian Number")
        _underline(self._ends(left, right, "Silian Plain", BODY), colour="C00000", eighths=18)

    def title(self, text: str) -> None:
        """The title, centred (7.3.1)."""
        self._paragraph(text, "Title")

    def section(self, text: str, level: int = 1) -> None:
        """A heading: 1 is 一、 in a black face, 2 is （一） in a script face (7.3.3); the number stands in the text."""
        self._paragraph(text, f"Heading {level}")

    def text(self, text: str, *, is_even: bool = True) -> None:
        """A paragraph with its first line two letters in; `is_even` fills the lines, which long codes would tear."""
        made = self._paragraph(text, "Body Text")
        if not is_even:
            made.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.LEFT

    def note(self, text: str) -> None:
        """A small line under a table or a picture."""
        self._paragraph(text, "Silian Note")

    def caption(self, text: str, *, is_under: bool = False) -> None:
        """The name of the table that follows, which it stays with, or of the picture above it."""
        made = self._paragraph(text, "Caption")
        if is_under:
            made.paragraph_format.keep_with_next = False

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[float]) -> None:
        """A table; its head is said again on every page, no row is parted.

        Parameters
        ----------
        head : names of the columns
        rows : cells as they shall be read; a cell that `is_figure` stands right
        widths : shares of the line
        """
        made = self.word.add_table(rows=1, cols=len(head), style="Table Grid")
        made.alignment = WD_TABLE_ALIGNMENT.CENTER
        made.autofit = False
        for row in rows:
            if len(row) != len(head):
                raise ValueError((len(row), len(head)))
            made.add_row()
        for at, column in enumerate(made.columns):  # some programs read the widths of columns, others those of cells
            column.width = Mm(TEXT_WIDTH * widths[at] / sum(widths))
        cells = list(made._cells)  # noqa: SLF001 - one look: by row and column it would be one for each cell
        for place, text in enumerate(text for row in (head, *rows) for text in row):
            at = place % len(head)
            cells[place].width = Mm(TEXT_WIDTH * widths[at] / sum(widths))
            _fill(cells[place], text, is_head=place < len(head), is_first=at == 0)
            is_kept = place < 2 * len(head) or len(rows) <= SHORT
            cells[place].paragraphs[0].paragraph_format.keep_with_next = is_kept and place < len(rows) * len(head)
        _keep_rows_whole(made)

    def gap(self) -> None:
        """Room below a table and its notes."""
        self._paragraph("", "Silian Gap")

    def picture(self, png: bytes, *, told: str, high: float) -> None:
        """A picture as wide as the line, and what it shows for whoever cannot see it; `high` is height over width."""
        place = self._paragraph("", "Silian Picture")
        place.add_run().add_picture(io.BytesIO(png), width=Mm(TEXT_WIDTH), height=Mm(TEXT_WIDTH * high))
        place.paragraph_format.keep_with_next = True
        for shape in place._p.iter(qn("wp:docPr")):  # noqa: SLF001
            shape.set("descr", told)

    def imprint(self, left: str, right: str) -> None:
        """The last lines: who issues and when, between two rules (7.4)."""
        last = self._ends(left, right, "Silian Imprint", 14.0)
        _underline(last, colour="000000", eighths=6, also_above=True)

    def new_page(self) -> None:
        """What follows begins on a page of its own."""
        self._paragraph("", "Silian Gap").paragraph_format.page_break_before = True

    def bytes(self, *, title: str, author: str, on: date) -> bytes:
        """The .docx file: the same calls give the same bytes."""
        told = self.word.core_properties
        told.title, told.author, told.last_modified_by, told.comments = title, author, author, ""
        told.language = "zh-CN" if self.language == "zh" else "en-GB"
        told.created = told.modified = _midnight(on)
        made = io.BytesIO()
        self.word.save(made)
        return _undated(made.getvalue())

    def _paragraph(self, text: str, style: str) -> Paragraph:
        return self.word.add_paragraph(text, style=style)

    def _ends(self, left: str, right: str, style: str, size: float) -> Paragraph:
        """A line with a text at either end; small enough that it is one line."""
        made = self._paragraph(f"{left}\t{right}", style)
        made.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)
        fits = TEXT_WIDTH / 25.4 * 72 / (wide(left) + wide(right) + 2)
        made.runs[0].font.size = Pt(min(size, int(2 * fits) / 2))
        return made


def is_figure(text: str) -> bool:
    """Whether a cell holds a number, as `official` writes them.

    Examples
    --------
    >>> is_figure("1,204"), is_figure("−3.5%"), is_figure("—"), is_figure("12 月")
    (True, True, True, False)
    """
    return text in ("—", "") or text.strip("+−±%‰").replace(",", "").replace(".", "", 1).isdecimal()


def _lay_out(word: Word) -> None:
    section = word.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(PAGE[0]), Mm(PAGE[1])
    section.top_margin, section.left_margin = Mm(TOP), Mm(LEFT)
    section.bottom_margin = Mm(PAGE[1] - TOP - TEXT_HEIGHT)
    section.right_margin = Mm(PAGE[0] - LEFT - TEXT_WIDTH)
    section.footer_distance = Mm(PAGE[1] - TOP - TEXT_HEIGHT - 7 - 5)  # the number stands 7 mm below the text; 7.5
    grid = section._sectPr.find(qn("w:docGrid"))  # noqa: SLF001
    if grid is None:
        grid = OxmlElement("w:docGrid")
        section._sectPr.append(grid)  # noqa: SLF001
    grid.set(qn("w:type"), "lines")
    grid.set(qn("w:linePitch"), str(round(PITCH * 20)))


def _set_styles(word: Word, language: str) -> None:
    is_zh = language == "zh"
    body = _style(word, "Normal", "text", BODY)
    _speaks(body)
    body.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    body.paragraph_format.line_spacing = Pt(PITCH)
    body.paragraph_format.space_after = Pt(0)
    text = _style(word, "Body Text", "text", BODY)
    if is_zh:
        _closer(text)
    text.paragraph_format.first_line_indent = Pt(2 * BODY + CLOSER / 10) if is_zh else Pt(0)
    text.paragraph_format.space_after = Pt(0 if is_zh else BODY / 2)
    text.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY if is_zh else WD_ALIGN_PARAGRAPH.LEFT
    title = _style(word, "Title", "title", 22.0)
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before, title.paragraph_format.space_after = Pt(PITCH), Pt(PITCH)
    title.paragraph_format.line_spacing = Pt(35)
    _no_borders(title)
    for level, face in ((1, "head"), (2, "second")):
        heading = _style(word, f"Heading {level}", face, BODY)
        heading.paragraph_format.first_line_indent = Pt(2 * BODY) if is_zh else Pt(0)
        heading.paragraph_format.keep_with_next = True
        heading.paragraph_format.space_before = Pt(0 if is_zh else BODY / 2)
    caption = _style(word, "Caption", "head", 12.0)
    caption.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption.paragraph_format.keep_with_next = True
    for name, face, size, align in (
        ("Silian Head", "title", HEAD, WD_ALIGN_PARAGRAPH.CENTER),
        ("Silian Number", "text", BODY, WD_ALIGN_PARAGRAPH.CENTER),
        ("Silian Plain", "text", BODY, WD_ALIGN_PARAGRAPH.LEFT),
        ("Silian Note", "text", 12.0, WD_ALIGN_PARAGRAPH.LEFT),
        ("Silian Imprint", "text", 14.0, WD_ALIGN_PARAGRAPH.LEFT),
        ("Silian Cell", "text", 12.0, WD_ALIGN_PARAGRAPH.LEFT),
        ("Silian Gap", "text", 8.0, WD_ALIGN_PARAGRAPH.LEFT),
        ("Silian Picture", "text", BODY, WD_ALIGN_PARAGRAPH.CENTER),
    ):
        word.styles.add_style(name, 1)  # 1: of paragraphs
        style = _style(word, name, face, size)
        style.paragraph_format.alignment = align
        style.paragraph_format.space_after = Pt(0)
        _off_the_grid(style)
    _off_the_grid(caption)
    word.styles["Silian Number"].paragraph_format.space_after = Pt(BODY)
    word.styles["Silian Head"].font.color.rgb = RED
    for name in ("Silian Head", "Silian Picture"):  # taller than the pitch of lines
        word.styles[name].paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    for name, high in (("Silian Note", 18.0), ("Silian Cell", 18.0), ("Silian Gap", 8.0)):
        word.styles[name].paragraph_format.line_spacing = Pt(high)
    word.styles["Silian Imprint"].paragraph_format.space_before = Pt(PITCH)


def _style(word: Word, name: str, face: str, size: float) -> ParagraphStyle:
    style: ParagraphStyle = word.styles[name]
    style.font.name, style.font.size = LATIN, Pt(size)
    style.font.bold = style.font.italic = False
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), FACES[face])
    fonts.set(qn("w:hAnsi"), LATIN)
    return style


def _number_pages(word: Word) -> None:
    """A number at the outer edge of each page, between two dashes (7.5)."""
    word.settings.odd_and_even_pages_header_footer = True
    section = word.sections[0]
    for footer, align in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        _number(footer, align)


def _number(footer: _Footer, align: WD_ALIGN_PARAGRAPH) -> None:
    place = footer.paragraphs[0]
    place.style = "Silian Note"
    place.alignment = align
    place.paragraph_format.left_indent = place.paragraph_format.right_indent = Pt(14)  # one letter in
    for text in ("— ", None, " —"):
        run = place.add_run(text or "")
        run.font.size, run.font.name = Pt(14), FACES["page"]
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FACES["page"])  # noqa: SLF001
        if text is None:
            for kind in ("begin", "instr", "end"):
                run._r.append(_field(kind))  # noqa: SLF001


def _field(kind: str) -> BaseOxmlElement:
    if kind == "instr":
        made = OxmlElement("w:instrText")
        made.set(qn("xml:space"), "preserve")
        made.text = "PAGE"
    else:
        made = OxmlElement("w:fldChar")
        made.set(qn("w:fldCharType"), kind)
    return made


def _fill(cell: _Cell, text: str, *, is_head: bool, is_first: bool) -> None:
    place = cell.paragraphs[0]
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    place.style = "Silian Cell"
    run = place.add_run(text)
    if is_head:
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FACES["head"])  # noqa: SLF001
        place.alignment = WD_ALIGN_PARAGRAPH.LEFT if is_first else WD_ALIGN_PARAGRAPH.CENTER
    elif not is_first and is_figure(text):
        place.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    elif not is_first and len(text) <= UNIT:
        place.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _keep_rows_whole(table: Table) -> None:
    for at, row in enumerate(table.rows):
        told = row._tr.get_or_add_trPr()  # noqa: SLF001
        told.append(OxmlElement("w:cantSplit"))
        if at == 0:
            told.append(OxmlElement("w:tblHeader"))


def _underline(place: Paragraph, *, colour: str, eighths: int, also_above: bool = False) -> None:
    borders = OxmlElement("w:pBdr")
    for side in ("top", "bottom") if also_above else ("bottom",):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", str(eighths)), ("space", "4"), ("color", colour)):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    told = place._p.get_or_add_pPr()  # noqa: SLF001
    told.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr")


def _off_the_grid(style: ParagraphStyle) -> None:
    told = style.element.get_or_add_pPr()
    off = OxmlElement("w:snapToGrid")
    off.set(qn("w:val"), "0")
    told.insert_element_before(off, "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:outlineLvl", "w:rPr")


def _closer(style: ParagraphStyle) -> None:
    told = style.element.get_or_add_rPr()
    space = OxmlElement("w:spacing")
    space.set(qn("w:val"), str(CLOSER))
    told.insert_element_before(space, "w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:u", "w:lang")


def _speaks(style: ParagraphStyle) -> None:
    """Which language its letters are of: without it some programs draw Chinese with the marks of another region."""
    told = style.element.get_or_add_rPr()
    for old in told.findall(qn("w:lang")):
        told.remove(old)
    made = OxmlElement("w:lang")
    made.set(qn("w:val"), "en-GB")
    made.set(qn("w:eastAsia"), "zh-CN")
    told.append(made)


def _no_borders(style: ParagraphStyle) -> None:
    told = style.element.get_or_add_pPr()
    for borders in told.findall(qn("w:pBdr")):
        told.remove(borders)


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day)  # noqa: DTZ001 - the format has no time zone


def _undated(file: bytes) -> bytes:
    """The same archive without the moment at which it was packed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            told = zipfile.ZipInfo(name, MADE)
            told.compress_type, told.create_system = zipfile.ZIP_DEFLATED, 0
            new.writestr(told, old.read(name))
    return made.getvalue()
