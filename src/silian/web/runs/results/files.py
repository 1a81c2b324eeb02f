"""Lists of a run as CSV: what a page shows, all of it, with the same rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.runs.results import lists, matching
from silian.web.runs.results.names import Named, named
from silian.web.runs.results.pictures import Cell, Picture, figure
from silian.web.runs.results.views import opened

if TYPE_CHECKING:
    from silian.web.base.requests import SignedIn
    from silian.web.runs.results.rules import Seat

MOST: Final = 5_000  # rows of a list, needs of a table of matches: what one query of names can ask for


@login_required
@require_GET
def matches_file(request: SignedIn, number: int | None = None) -> HttpResponse:
    """The needs that a page of matches is filtered to, with all their answers."""
    seat = opened(request, number, "file")
    if seat.run is None or not seat.stored.is_ready:
        raise Http404
    asked = matching.asked_of(request.GET)
    heads = (_("需求编号"), _("需求"), _("编号"), _("应答者"), _("名次"), _("得分"), _("预计等级"))
    return _answer(seat, f"matches-{asked.noun}", heads, _matches(seat, asked))


@login_required
@require_GET
def list_file(request: SignedIn, name: str, number: int | None = None) -> HttpResponse:
    """A list behind a number."""
    seat = opened(request, number, "file")
    if seat.run is None or not seat.stored.is_ready or name not in lists.LISTS:
        raise Http404
    listed = lists.LISTS[name]
    page = lists.page_of_list(seat, listed, {**request.GET.dict(), "page": "1"}, most=MOST)
    rows = [[_cell(cell) for cell in row] for row in page.rows]
    return _answer(seat, name, listed.heads(), rows)


def _matches(seat: Seat, asked: matching.Asked) -> list[list[Cell]]:
    kind = asked.noun.removesuffix("s")
    needs = matching.chosen_needs(seat, asked).head(MOST).select("need_id").collect()["need_id"].to_list()
    pairs = seat.stored.of_needs(f"{kind}_pairs", needs).select("need_id", "target_id", "rank", "score")
    graded = pl.DataFrame(schema={"need_id": pl.String, "target_id": pl.String, "level": pl.Int64})
    if kind == "achievement":
        graded = seat.stored.of_needs("grades", needs).select("need_id", "target_id", "level")
    pairs = pairs.join(graded, on=["need_id", "target_id"], how="left").sort("need_id", "rank")
    of_needs, targets = _names(seat, "needs", needs), _names(seat, asked.noun, pairs["target_id"].unique().to_list())
    levels, at = schema.codes()["match_level"], page_language() == "en"
    return [
        [
            Cell(r["need_id"]), Cell(of_needs[r["need_id"]].name), Cell(r["target_id"]),
            Cell(targets[r["target_id"]].name), figure(r["rank"]), figure(r["score"], digits=4),
            Cell(levels[str(r["level"])][at] if r["level"] else ""),
        ]
        for r in pairs.to_dicts()
    ]  # fmt: skip


def _names(seat: Seat, noun: str, ids: list[str]) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for start in range(0, len(ids), MOST):
        found |= named(seat.actor, noun, ids[start : start + MOST], seat.taken_at)
    return found


def _cell(one: Any) -> Cell:
    return Cell(one.name) if isinstance(one, Named) else one


def _answer(seat: Seat, name: str, heads: tuple[str, ...], rows: list[list[Cell]]) -> HttpResponse:
    assert seat.run is not None
    table = Picture(name, "", "", "", heads, rows)
    answer = HttpResponse(table.csv(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{seat.run.pk}.csv"'
    return answer
