"""The registry as the region of a run: the needs of a place, and whom and what the whole region has for them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
from django.conf import settings

from silian import tables
from silian.errors import WebError
from silian.tables import Region, schema
from silian.tables.read_geojson import GEOJSON
from silian.web.base.moments import one_moment
from silian.web.catalog.models import MODELS, Need
from silian.web.catalog.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from silian.web.base.models import Place

FOR_NEEDS = ("achievements", "experts")


def write_region(place: Place, path: Path) -> None:
    """Write what a run of a place reads, once: a folder that is there is whole and stays.

    Parameters
    ----------
    path : the folder, as `silian run` reads it

    Raises
    ------
    WebError : web.run_empty if nothing could be found for anybody
    """
    if path.is_dir():
        return
    given = _kept(place)
    if not given["needs"].height or not any(given[noun].height for noun in FOR_NEEDS):
        raise WebError("web.run_empty", place=place.name)
    aside = path.with_name(f".{path.name}")
    shutil.rmtree(aside, ignore_errors=True)
    tables.write_region(Region.of(given), aside, form="parquet")
    if settings.DISTRICTS_FILE.is_file():
        shutil.copyfile(settings.DISTRICTS_FILE, aside / GEOJSON)
    aside.rename(path)


def _kept(place: Place) -> Mapping[str, pl.DataFrame]:
    """The published records of one moment: all of the region, but needs of the place alone and what hangs on them."""
    with one_moment():
        inside = set(Need.objects.filter(place__path__startswith=place.path).values_list("pk", flat=True))
        found = {noun: table_of(noun) for noun in MODELS}
    own = pl.Series(sorted(inside), dtype=pl.String).implode()
    left_out = {"needs": set(found["needs"].filter(~pl.col("need_id").is_in(own))["need_id"])}
    found["needs"] = found["needs"].filter(pl.col("need_id").is_in(own))
    while left_out:  # a project of a need elsewhere goes, then the outcomes of that project
        noun, ids = left_out.popitem()
        for other, column in _hangs_on(noun):
            is_gone = pl.col(column).is_in(pl.Series(sorted(ids), dtype=pl.String).implode()).fill_null(value=False)
            table, key = found[other], schema.tables()[other].key
            gone = table.filter(is_gone)
            if gone.height and len(key) == 1:
                left_out[other] = left_out.get(other, set()) | set(gone[key[0]])
            found[other] = table.filter(~is_gone)
    return found


def _hangs_on(noun: str) -> list[tuple[str, str]]:
    """The tables and columns that name records of one noun alone."""
    found: list[tuple[str, str]] = []
    for other, table in schema.tables().items():
        found += [(other, c.name) for c in table.columns if {t for t, _ in c.targets} == {noun} and not _is_list(c)]
    return found


def _is_list(column: Any) -> bool:
    return str(column.type) == "list"
