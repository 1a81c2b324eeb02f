"""The monthly report as a Word document in the layout of a bulletin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from silian.report.official._edition import Edition, Line, Reading
from silian.report.official._paper import Paper
from silian.report.official._pictures import funnel
from silian.report.official._sentences import about, overview, reasons
from silian.report.official._texts import day_text, line, month_name, ordinal, shown, words

if TYPE_CHECKING:
    from collections.abc import Sequence

# The sections of the report and the groups of measures in each; a group that is new comes after them.
SECTIONS: Final = (
    ("chains", ("innovation", "industry", "capital", "talent")), ("path", ("funnel", "time", "cooperation", "loss")),
    ("gaps", ("gaps",)), ("assignment", ("assignment",)), ("balance", ("balance",)), ("livelihood", ("livelihood",)),
)  # fmt: skip
WIDTHS: Final = (46, 20, 24, 24, 20, 24)  # of a table of figures
TOLD: Final = 500  # letters of what a picture shows


def document(edition: Edition) -> bytes:
    """The report of a month as .docx: A4 after GB/T 9704-2012, head of a bulletin, tables, annex of definitions.

    Returns
    -------
    The file; equal editions give equal bytes on the same machine (the picture has the machine's fonts).

    Notes
    -----
    Every text of the edition stands in it as a plain text: control letters and those that turn the direction are
    taken out, and long names are cut. Cost: 61 measures and 13 districts 1 s, most of it for the picture, on 2 cores.
    """
    made = _Report(Reading(edition))
    made.write()
    told = made.read.say("bulletin")
    return made.paper.bytes(title=f"{made.title} {told}".strip(), author=made.read.issuer, on=edition.issued)


class _Report:
    """The report in the making: sections, tables and pictures are numbered as they come."""

    def __init__(self, read: Reading) -> None:
        self.read, self.paper = read, Paper(read.language)
        self.section_at = self.group_at = self.table_at = self.picture_at = 0
        year, month = int(read.edition.month[:4]), int(read.edition.month[5:])
        self.number = read.say("number", year=year, month=month)
        self.title = read.say("title", place=read.place, year=year, month=month, name=month_name(month))
        if read.edition.is_partial:
            self.title += read.say("until", day=day_text(read.edition.as_of, read.language))
        if not read.edition.is_frozen:
            self.title += read.say("draft")

    def write(self) -> None:
        read, paper = self.read, self.paper
        issued = day_text(read.edition.issued, read.language)
        paper.red_head(read.say("bulletin"), self.number, read.issuer, issued)
        paper.title(self.title)
        self._section("overview")
        for text in overview(read):
            paper.text(text)
        known = {chain for _, chains in SECTIONS for chain in chains}
        rest = tuple(dict.fromkeys(one.chain for one in read.lines if one.chain not in known))
        for name, chains in (*SECTIONS, ("other", rest)):
            if read.of(*chains) or (name == "gaps" and read.gaps):
                self._figures(name, chains)
        self._section("data")
        for at, text in enumerate(about(read), start=1):
            is_even = not read.digest or read.digest[:8] not in text
            paper.text(read.say("numbered", number=at, text=text), is_even=is_even)
        self._annex()
        paper.imprint(read.issuer, read.say("imprint.on", day=issued))

    def _section(self, name: str) -> None:
        self.section_at, self.group_at = self.section_at + 1, 0
        number = ordinal(self.section_at) if self.read.language == "zh" else self.section_at
        self.paper.section(self.read.say("heading.1", number=number, text=self.read.say(f"section.{name}")))

    def _group(self, text: str) -> None:
        self.group_at += 1
        number = ordinal(self.group_at) if self.read.language == "zh" else self.group_at
        self.paper.section(self.read.say("heading.2", major=self.section_at, number=number, text=text), 2)

    def _figures(self, name: str, chains: Sequence[str]) -> None:
        self._section(name)
        for chain in chains:
            lines = self.read.of(chain)
            if not lines:
                continue
            text = group_name(self.read, chain)
            if len(chains) > 1:
                self._group(text)
            if chain == "funnel":
                self._funnel(text, lines)
            else:
                heads = [self.read.say(f"head.{h}") for h in ("measure", "unit", "now", "before", "change", "year")]
                self._table(text, heads, [one.cells() for one in lines], WIDTHS)
            self._notes(lines, is_funnel=chain == "funnel")
        if name == "gaps":
            self._gaps()
        if name == "balance":
            self._districts()

    def _table(self, text: str, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        self.table_at += 1
        self.paper.caption(self.read.say("table", number=self.table_at, text=text))
        self.paper.table(head, rows, widths=widths)

    def _funnel(self, text: str, lines: list[Line]) -> None:
        heads = [self.read.say(f"head.{h}") for h in ("measure", "now", "share", "before", "change", "year")]
        rows = [(c[0], c[2], _percent(one, lines[0]), *c[3:]) for one in lines for c in [one.cells()]]
        self._table(self.read.say("caption.unit", text=text, unit=lines[0].unit), heads, rows, WIDTHS)

    def _picture(self, lines: list[Line]) -> None:
        known = [one for one in lines if one.now is not None]
        if len(known) < 2 or not any(one.now for one in known):
            return
        self.picture_at += 1
        parts = self.read.joined([f"{one.name} {shown(one.now)}" for one in known])
        png, high = funnel([(one.name, one.now) for one in known if one.now is not None])
        self.paper.picture(png, told=self.read.say("picture.told", figures=parts)[:TOLD], high=high)
        self.paper.caption(self.read.say("picture.funnel", number=self.picture_at), is_under=True)

    def _notes(self, lines: list[Line], *, is_funnel: bool) -> None:
        read = self.read
        if found := reasons(read, lines):
            self.paper.note(read.say("note.dash", reasons=found))
        if any(one.unit == "%" and one.change is not None for one in lines):
            self.paper.note(read.say("note.points"))
        if is_funnel:
            self.paper.note(read.say("note.funnel"))
        self.paper.gap()
        if is_funnel:
            self._picture(lines)

    def _gaps(self) -> None:
        if not self.read.gaps:
            return
        heads = [self.read.say(f"head.{h}") for h in ("rank", "gap", "kind")]
        rows = [(str(at), gap.name, gap.kind) for at, gap in enumerate(self.read.gaps, start=1)]
        self._table(self.read.say("caption.gaps"), heads, rows, (16, 100, 40))
        self.paper.gap()

    def _districts(self) -> None:
        read = self.read
        if not read.districts:
            is_few = len(read.edition.districts) < 2
            self.paper.text(read.say("say.districts.few" if is_few else "say.districts.none"))
            return
        units = [read.say("head.in", text=one.name, unit=one.unit) for one in read.ratios]
        rows = [(d.name, *(shown(v) for v in d.values)) for d in read.districts]
        widths = (50, *(106 / len(units) for _ in units))
        key = "caption.districts.down" if read.ratios[0].direction == "down" else "caption.districts"
        self._table(read.say(key, measure=read.ratios[0].name), [read.say("head.district"), *units], rows, widths)
        self.paper.gap()

    def _annex(self) -> None:
        self.paper.new_page()
        self.paper.section(self.read.say("annex"))
        heads = [self.read.say(f"head.{h}") for h in ("measure", "definition")]
        self.paper.table(heads, [(one.name, one.meaning) for one in self.read.lines], widths=(50, 106))


def group_name(read: Reading, chain: str) -> str:
    """What a group of measures is called."""
    return read.say(f"group.{chain}") if f"group.{chain}" in words() else line(chain, 40)


def _percent(one: Line, whole: Line) -> str:
    share = Decimal("100.0") if one is whole and one.now else one.share
    return shown(None) if share is None else f"{shown(share)}%"
