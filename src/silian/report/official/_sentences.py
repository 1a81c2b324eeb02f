"""What an edition says in sentences: each is made from the lines of its tables."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from silian.report.official._texts import day_text, rounded, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.report.official._edition import Line, Reading

STOCKS: Final = ("achievements", "needs", "enterprises", "experts", "projects")
FLOWS: Final = ("needs_new", "achievements_new", "projects_new", "outcomes_new")
CHAINS: Final = ("innovation", "industry", "capital", "talent", "cooperation")
# Of the month before: below it a change in percent says nothing.
LEAST: Final[Mapping[str, Decimal]] = {"count": Decimal(10), "sum": Decimal("0.1")}
MOST: Final = 3  # changes that are told


def overview(read: Reading) -> list[str]:
    """The paragraphs of the first section."""
    made = [*_stands(read), *_brought(read), *_changed(read), *_funnel(read), *_districts(read)]
    return made or [read.say("say.nothing")]


def _known(read: Reading, codes: tuple[str, ...]) -> list[Line]:
    return [read.by_code[code] for code in codes if code in read.by_code and read.by_code[code].now is not None]


def _stands(read: Reading) -> list[str]:
    told = [read.say("say.stands.one", name=o.name, value=shown(o.now), unit=o.unit) for o in _known(read, STOCKS)]
    day = day_text(read.edition.as_of, read.language)
    return [read.say("say.stands", day=day, place=read.place, figures=read.joined(told))] if told else []


def _brought(read: Reading) -> list[str]:
    told = []
    for one in _known(read, FLOWS):
        key = "say.stands.one" if one.before is None or read.edition.is_partial else "say.flow.then"
        told.append(read.say(key, name=one.name, value=shown(one.now), unit=one.unit, then=shown(one.before)))
    return [read.say("say.flow", figures=read.joined(told))] if told else []


def _changed(read: Reading) -> list[str]:
    """The stocks that changed most against the month before, in percent."""
    steps = []
    for one in read.of(*CHAINS):
        least = LEAST.get(one.how)
        if least is not None and one.period == "stock" and one.change is not None and one.before is not None:
            steps += [(100 * one.change / one.before, one)] if one.before >= least else []
    if not steps:
        return []
    most = sorted((s for s in steps if s[0]), key=lambda s: -abs(s[0]))[:MOST]
    told = []
    for rate, one in most:
        key = "say.change.up" if rate > 0 else "say.change.down"
        percent = shown(rounded(float(abs(rate)), 1))
        told.append(
            read.say(key, name=one.name, then=shown(one.before), value=shown(one.now), unit=one.unit, rate=percent)
        )
    return [read.say("say.change", figures=read.joined(told, "then")) if told else read.say("say.change.none")]


def _funnel(read: Reading) -> list[str]:
    whole = next((one for one in read.of("funnel") if one.now), None)
    parts = [one for one in read.of("funnel") if one.share is not None and one is not whole]
    if whole is None or not parts:
        return []
    told = [read.say("say.funnel.one", name=o.name, value=shown(o.now), share=shown(o.share)) for o in parts]
    return [read.say("say.funnel", whole=shown(whole.now), figures=read.joined(told))]


def _districts(read: Reading) -> list[str]:
    known = [d for d in read.districts if d.values[0] is not None]
    if len(known) < 2 or known[0].values[0] == known[-1].values[0]:
        return []
    first = read.ratios[0]
    unit = first.unit if first.unit == "%" else ""
    worst, best = known[0], known[-1]
    low, high = (f"{shown(d.values[0])}{unit}" for d in (worst, best))
    key = "say.districts.down" if first.direction == "down" else "say.districts"
    return [read.say(key, measure=first.name, worst=worst.name, low=low, best=best.name, high=high)]


def reasons(read: Reading, lines: list[Line], which: str = "why") -> str:
    """Why some figures are not there, those of one reason together; empty where all are."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in lines:
        if why := getattr(one, which):
            found[why].append(one.name)
    parts = [read.say("reason", names=read.joined(names), reason=why) for why, names in found.items()]
    return read.joined(parts, "then")


def about(read: Reading) -> list[str]:
    """What to know of the data, a paragraph each."""
    own, day = read.edition, day_text(read.edition.as_of, read.language)
    told = [read.say("data.source", month=own.month, version=own.version, day=day)] if own.is_frozen else [
        read.say("data.live", day=day)
    ]  # fmt: skip
    if read.digest:
        parts = " ".join(read.digest[at : at + 8] for at in range(0, len(read.digest), 8))
        told.append(read.say("data.digest", digest=parts))
    told += [read.say("data.partial")] if own.is_partial else []
    told += [read.say("data.rebuilt")] if own.is_rebuilt else []
    told += [read.say("data.before.none")] if own.before is None else []
    told += [read.say("data.year.none")] if own.year is None else []
    if now := reasons(read, read.lines):
        told.append(read.say("data.reason", reasons=now))
    for table, key, which in ((own.before, "before", "why_before"), (own.year, "year", "why_year")):
        found = "" if table is None else reasons(read, read.lines, which)
        told += [read.say(f"data.reason.{key}", reasons=found)] if found else []
    lacking = [o for o in read.lines if o.missing]
    if lacking:
        parts_ = [read.say("data.missing.one", name=o.name, count=f"{o.missing:,}") for o in lacking]
        told.append(read.say("data.missing", figures=read.joined(parts_)))
    return [*told, read.say("data.round")]
