"""The product space and the matrix of places and activities on one page that asks for nothing else."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

from silian.report._words import check_language, say
from silian.report.space_pictures import Names, matrix_svg, space_svg, text
from silian.tables.schema import chain as schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Language


def space_page(
    drawn: Mapping[str, pl.DataFrame],
    *,
    places: Mapping[str, str] | None = None,
    activities: Mapping[str, str] | None = None,
    place: str | None = None,
    year: int | None = None,
    order: str = "complexity",
    language: Language = "zh",
) -> str:
    """The page: both pictures, each with its tables, and links to the CSV files that lie beside it.

    Parameters
    ----------
    drawn : space_activities, space_nodes, space_links, space_places, space_cells
    places, activities : names by id
    place : the chosen place
    year : the year that is drawn
    order : of the matrix, complexity or nested
    language : zh or en

    Raises
    ------
    ArgumentError : argument.value if the language is another
    """
    check_language(language)
    names = Names(places or {}, activities or {}, language)
    title = text(say("space.title", language))
    style = files("silian.report.page").joinpath("space.css").read_text(encoding="utf-8")
    listed = ", ".join(f'<a href="{name}.csv" download>{name}.csv</a>' for name in drawn)
    body = [
        f"<h1>{title}</h1>",
        *(f'<p class="note">{text(said)}</p>' for said in _about(drawn, names, place, year)),
        *_space(drawn["space_nodes"], drawn["space_links"], names),
        _details("space.nodes_table", _named(drawn["space_nodes"].drop("x", "y"), "space_nodes", names), language),
        _details("space.activities_table", _named(drawn["space_activities"], "space_activities", names), language),
        *_matrix(drawn["space_cells"], names, order),
        _details("space.places_table", _named(drawn["space_places"], "space_places", names), language),
        _details("space.cells_table", _counts(drawn["space_cells"], names), language),
        _details("space.columns_table", _columns(drawn["space_cells"], names), language),
        f"<h2>{text(say('space.files', language))}</h2><p>{listed}</p>",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>\n{style}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _about(drawn: Mapping[str, pl.DataFrame], names: Names, place: str | None, year: int | None) -> list[str]:
    cells, listed = drawn["space_cells"], drawn["space_activities"]
    pairs = int(cells["present"].sum())
    sizes = {"places": drawn["space_places"].height, "activities": listed.height, "pairs": pairs}
    said = [say("space.counted", names.language, **sizes)]
    if year is not None:
        said.append(say("space.year", names.language, year=str(year)))
    if place is not None:
        here = int(listed["is_here"].sum())
        said.append(say("space.place", names.language, place=names.of_place(place), count=here))
    return said


def _space(nodes: pl.DataFrame, links: pl.DataFrame, names: Names) -> list[str]:
    language = names.language
    heading = f"<h2>{text(say('space.space', language))}</h2>"
    if nodes.is_empty():
        return [heading, f"<p>{text(say('space.none', language))}</p>"]
    count = int(nodes["activities"].sum())
    if count > nodes.height:
        note = say("space.group_note", language, activities=count, nodes=nodes.height)
    elif count == 1:
        note = say("space.one", language)
    else:
        by = "space.by_amount" if nodes["amount"].count() else "space.by_ubiquity"
        note = say("space.single_note", language) + (" " if language == "en" else "") + say(by, language)
    return [
        heading,
        f'<p class="note">{text(note)}</p>',
        f"<figure>{space_svg(nodes, links, names, alone=False)}</figure>",
    ]


def _matrix(cells: pl.DataFrame, names: Names, order: str) -> list[str]:
    is_whole = cells.select((pl.col("places") * pl.col("activities")).max()).item() == 1
    notes = (f"space.{order}", "space.whole" if is_whole else "space.binned")
    said = (" " if names.language == "en" else "").join(say(key, names.language) for key in notes)
    return [
        f"<h2>{text(say('space.matrix', names.language))}</h2>",
        f'<p class="note">{text(said)}</p>',
        f"<figure>{matrix_svg(cells, names, alone=False)}</figure>",
    ]


def _details(heading: str, table: str, language: Language) -> str:
    return f"<details><summary>{text(say(heading, language))}</summary><div>{table}</div></details>"


def _named(table: pl.DataFrame, name: str, names: Names) -> str:
    """A table under the labels of the schema, ids by their names; columns that are all empty are left out."""
    shown = [c for c in table.columns if table[c].count() or table.is_empty()]
    shown.sort(key=lambda c: c not in ("activity", "place"))  # what a row is about comes first
    called = {"activity": names.of_activity, "place": names.of_place}
    head = "".join(f"<th>{text(schema()[name][c].label(names.language))}</th>" for c in shown)
    rows = []
    for row in table.select(shown).iter_rows(named=True):
        first = shown[0]
        rest = "".join(f"<td>{_figure(row[c], names.language)}</td>" for c in shown[1:])
        rows.append(f"<tr><th>{text(called[first](row[first]))}</th>{rest}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _figure(value: object, language: Language) -> str:
    if isinstance(value, bool):
        return text(say("space.yes", language)) if value else ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return "" if value is None else text(f"{value:,}" if isinstance(value, int) else str(value))


def _counts(cells: pl.DataFrame, names: Names) -> str:
    columns = cells["column"].unique().sort().to_list()
    head = "<th></th>" + "".join(f"<th>{c}</th>" for c in columns)
    rows = []
    for part in cells.partition_by("row", maintain_order=True):
        first = part.row(0, named=True)
        ends = names.of_place(first["first_place"]), names.of_place(first["last_place"])
        found = "".join(f"<td>{n or ''}</td>" for n in part["present"])
        rows.append(f"<tr><th>{text(names.span(*ends, first['places']))}</th>{found}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _columns(cells: pl.DataFrame, names: Names) -> str:
    rows = []
    for cell in cells.filter(row=1).iter_rows(named=True):
        ends = names.of_activity(cell["first_activity"]), names.of_activity(cell["last_activity"])
        heading = text(say("space.column", names.language, column=cell["column"]))
        rows.append(f'<tr><th>{heading}</th><td class="t">{text(names.span(*ends, cell["activities"]))}</td></tr>')
    return f"<table><tbody>{''.join(rows)}</tbody></table>"
