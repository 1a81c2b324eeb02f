"""One product of the chains: who makes it, what hangs on it, and where it is lacking who could fill the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
from django.utils.translation import gettext as _

from silian.report._words import say
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.runs.results.matching import org_name
from silian.web.runs.results.names import labels, named, org_of
from silian.web.runs.results.pictures import Cell, code, figure
from silian.web.runs.results.reasons import Open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.web.runs.results.names import Named
    from silian.web.runs.results.rules import Seat

MOST: Final = 50  # rows of a list on the page
NOUNS: Final = {"organisation": "organisations", "achievement": "achievements", "expert": "experts"}
FILLERS: Final = (  # heading, noun, reasons; the same as in the briefs of the report
    ("brief.elsewhere", "organisation", ("makes_elsewhere",)),
    ("brief.local", "organisation", ("makes_related",)),
    ("brief.brought", "achievement", ("answers_need", "matches_gap")),
    ("brief.asked", "expert", ("answers_need", "matches_gap")),
)


def _chain(key: str, **values: object) -> str:
    """A text of the report on chains."""
    return say(f"chain.{key}", page_language(), **values)


class Section(NamedTuple):
    """A part of the page: things under a heading."""

    anchor: str
    title: str
    rows: list[tuple[Any, str, str]]  # Named or Cell, a note, where it belongs
    more: int  # not shown


def product_of(seat: Seat, product_id: str) -> dict[str, Any] | None:
    """What the run knows of a product, and of its gap; None where it knows none."""
    rows = seat.stored.ready("products").filter(product_id=product_id).collect().to_dicts()
    if not rows:
        return None
    gap = seat.stored.result("gaps").filter(product_id=product_id).collect().to_dicts()
    parts = seat.stored.result("gap_parts").filter(product_id=product_id).collect()
    language = page_language()
    names = schema.codes()["gap_part"]
    told = [(names[part][language == "en"], value) for part, value in parts.select("part", "value").rows()]
    return {**rows[0], "gap": gap[0] if gap else None, "parts": told, "why": _why(gap[0]) if gap else ""}


def _why(gap: Mapping[str, Any]) -> str:
    values = {name: gap[name] for name in ("upstream_all", "downstream_all", "buyers", "needs")}
    values |= {"upstream": gap["upstream_here"], "downstream": gap["downstream_here"]}
    return say(f"gap.why_{gap['kind']}", page_language(), **values)


def sections_of(seat: Seat, product_id: str) -> list[Section]:
    """Firms, neighbours, buyers, needs and fillers of a product. Cost: eight queries at most."""
    evidence = seat.stored.result("gap_evidence").filter(product_id=product_id).collect()
    fillers = seat.stored.result("gap_fillers").filter(product_id=product_id).sort("rank").collect()
    firms = seat.stored.ready("firms").filter(product_id=product_id).select("org_id").collect()["org_id"].to_list()
    links = seat.stored.ready("links")
    up = links.filter(downstream_id=product_id).select("upstream_id").collect()["upstream_id"].to_list()
    down = links.filter(upstream_id=product_id).select("downstream_id").collect()["downstream_id"].to_list()
    buyers = evidence.filter(side="buyer")["other_id"].to_list()
    of = {noun: fillers.filter(noun=kind)["filler_id"].to_list() for kind, noun in NOUNS.items()}
    likes = fillers["like_id"].drop_nulls().to_list() if "like_id" in fillers.columns else []
    orgs = named(
        seat.actor, "organisations", {*firms[:MOST], *buyers[:MOST], *of["organisations"], *likes}, seat.taken_at
    )
    found, language = {"organisations": orgs}, page_language()
    for noun in ("achievements", "experts"):
        found[noun] = named(seat.actor, noun, of[noun], seat.taken_at, beside=org_of(noun))
    makers = f"{schema.results()['gaps']['makers'].label(language)}{_('：')}{len(firms)}"
    sections = [
        _listed("firms", makers, [orgs[o] for o in firms[:MOST]], firms),
        *_fillers(seat, fillers, found),
        _needs(seat, evidence.filter(side="need")["other_id"].to_list()),
        _listed("buyer", _chain("buyers", count=len(buyers)), [orgs[o] for o in buyers[:MOST]], buyers),
        *_neighbours(seat, up, down),
    ]
    return [section for section in sections if section.rows]


def _listed(anchor: str, title: str, rows: list[Named], every: Sequence[str]) -> Section:
    return Section(anchor, title, [(one, "", "") for one in rows], len(every) - len(rows))


def _needs(seat: Seat, ids: list[str]) -> Section:
    """The needs that name the product, where the person may know that they do."""
    needs = named(seat.actor, "needs", ids[:MOST], seat.taken_at, beside=org_of("needs"))
    read = Open(seat.actor, ("needs",), ())
    rows = [
        (one, "", org_name(seat.actor, one.record)) for one in needs.values() if "product_id" in read.of(one.record)
    ]
    return Section("need", _chain("needs"), rows, len(ids) - len(rows))


def _fillers(seat: Seat, fillers: pl.DataFrame, found: Mapping[str, Mapping[str, Named]]) -> list[Section]:
    made = []
    for number, (heading, kind, reasons) in enumerate(FILLERS):
        rows = []
        for row in fillers.filter(pl.col("noun") == kind, pl.col("reason").is_in(reasons)).to_dicts():
            one = found[NOUNS[kind]][row["filler_id"]]
            note = f"{code('filler_reason', row['reason'])} · {row['score']:.2f}"
            like = found["organisations"].get(row.get("like_id") or "")
            if like is not None and like.record is not None and row.get("likeness") is not None:
                alike = say("gap.alike", page_language(), name=like.name, score=f"{row['likeness']:.2f}")
                note = f"{note} · {alike}"
            rows.append((one, note, org_name(seat.actor, one.record)))
        made.append(Section(f"fill-{number}", say(heading, page_language()), rows, 0))
    return made


def _neighbours(seat: Seat, up: list[str], down: list[str]) -> list[Section]:
    names = labels("products", [*up[:MOST], *down[:MOST]])
    states = {
        one: (state, makers)
        for one, state, makers in seat.stored.ready("products")
        .filter(pl.col("product_id").is_in([*up, *down]))
        .select("product_id", "state", "makers")
        .collect()
        .rows()
    }
    made = []
    for anchor, ids in (("upstream", up), ("downstream", down)):
        rows = []
        for one in ids[:MOST]:
            state, makers = states.get(one, ("other", 0))
            note = f"{say(f'state.{state}', page_language())} · {say('gap.makers', page_language(), count=makers)}"
            rows.append((Cell(names.get(one, one), seat.url("product", one)), note, ""))
        title = schema.codes()["gap_side"][anchor][page_language() == "en"]
        made.append(Section(anchor, title, rows, len(ids) - len(rows)))
    return made


def figures_of(gap: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    """The numbers of a gap, each leading to its list on the page."""
    language = page_language()
    table = schema.results()["gaps"]
    made = []
    for name, anchor in (("buyers", "#buyer"), ("needs", "#need"), ("makers", "#firms")):
        made.append((table[name].label(language), figure(gap[name], anchor)))
    for side in ("upstream", "downstream"):
        of = _chain("of", here=gap[f"{side}_here"], all=gap[f"{side}_all"])
        made.append((_chain(f"{side}_share"), Cell(of, f"#{side}" if gap[f"{side}_all"] else "", is_figure=True)))
    return made
