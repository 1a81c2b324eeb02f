"""The product space and the matrix of places and activities, from a table or a region to a page with its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from silian.engines import chain
from silian.pipeline import blanks
from silian.pipeline.folder import full_disk_told
from silian.pipeline.plan import Plan
from silian.pipeline.reading import read_usable
from silian.report import space_page, space_pictures
from silian.report._words import names as readable
from silian.tables import schema

if TYPE_CHECKING:
    from pathlib import Path

    from silian.engines.chain.space import Order
    from silian.pipeline.blanks import Activities
    from silian.tables.schema import Language


def write_space(
    source: Path,
    out: Path,
    *,
    of: Activities = "industries",
    place: str | None = None,
    year: int | None = None,
    order: Order = "complexity",
    least_advantage: float = 1.0,
    language: Language = "zh",
) -> chain.Space:
    """Write space.html, product_space.svg, matrix.svg and their tables (CSV) into a folder.

    Parameters
    ----------
    source : as `blanks.read_presence`; of a region everything that is there counts, whatever its year
    out : folder; made if it is not there
    of : industries or products of a region
    place : id or name of the place whose activities are marked
    year, order, least_advantage : as `chain.space`
    language : zh or en

    Raises
    ------
    RunError : run.disk where the disk is full, run.table with the problems by row
    TableError, ArgumentError : as `chain.space`
    """
    rows = blanks.read_presence(source, of=of)
    called: tuple[dict[str, str], dict[str, str]] = ({}, {})
    if source.is_dir():
        rows = rows.drop("year", strict=False)
        called = _names(source, of, language)
    rows = blanks.placed(rows)
    if place is not None and place not in rows["place"]:
        place = {name: key for key, name in called[0].items()}.get(place, place)
    drawn = chain.space(rows, year=year, place=place, order=order, least_advantage=least_advantage)
    shown = None if "year" not in rows.columns else year if year is not None else rows["year"].max()
    tables = {f"space_{n}": getattr(drawn, n) for n in chain.Space.__slots__}
    page = space_page.space_page(
        tables, places=called[0], activities=called[1], place=place, year=shown, order=order, language=language  # type: ignore[arg-type]
    )  # fmt: skip
    names = space_pictures.Names(*called, language)
    blanks.write_tables(tables, out)
    with full_disk_told(out):
        (out / "space.html").write_text(page, encoding="utf-8")
        (out / "product_space.svg").write_text(space_pictures.space_svg(drawn.nodes, drawn.links, names), "utf-8")
        (out / "matrix.svg").write_text(space_pictures.matrix_svg(drawn.cells, names), "utf-8")
    return drawn


def _names(path: Path, of: Activities, language: Language) -> tuple[dict[str, str], dict[str, str]]:
    """Names of the districts, and of the products or industries."""
    region = read_usable(path, Plan())
    places = readable(region["districts"], language)
    if of == "products":
        return places, readable(region["products"], language)
    at = 0 if language == "zh" else 1
    return places, {code: f"{code} {labels[at]}" for code, labels in schema.codes().get("industry", {}).items()}
