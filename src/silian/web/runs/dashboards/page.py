"""What the leader's page shows: read from snapshots, put into words and bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

import polars as pl
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.web.base.languages import page_language
from silian.web.base.models import Place
from silian.web.catalog.models import Product
from silian.web.catalog.rules import visible
from silian.web.catalog.wording import heading
from silian.web.runs.dashboards.measures import measures
from silian.web.runs.dashboards.reading import NOTHING, Desk, Told, below, figures_of, members_of
from silian.web.runs.dashboards.rows import GAPS
from silian.web.runs.dashboards.wording import Change, change, note, number, share

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.runs.dashboards.measures import Measure

CHAINS: Final = (
    ("innovation", gettext_lazy("创新链")), ("industry", gettext_lazy("产业链")), ("capital", gettext_lazy("资金链")),
    ("talent", gettext_lazy("人才链")),
)  # fmt: skip
HIDDEN: Final = ("achievements_new", "needs_new")  # told in the sentences of the month, not in the chains
STAGES: Final = (
    ("funnel_needs", ""), ("funnel_matched", ""), ("funnel_interest", "days_interest"),
    ("funnel_mutual", "days_mutual"), ("funnel_project", "days_project"), ("funnel_contract", "days_contract"),
    ("funnel_outcome", "days_outcome"),
)  # fmt: skip
FLOWS: Final = ("needs_new", "achievements_new", "interests_new", "mutual_new", "projects_new", "outcomes_new")
BALANCE: Final = ("served_share", "projects_per_10k", "needs_per_100")
WORST: Final = 5


class Shown(NamedTuple):
    """A figure as the page shows it."""

    name: str
    meaning: str
    value: str  # empty: there is none, and `note` says why
    url: str  # the list behind it; empty: none
    note: str
    share: str  # of its whole
    month: Change | None
    year: Change | None


class Stage(NamedTuple):
    """A stage of the funnel."""

    shown: Shown
    width: float  # of 100
    days: Shown | None


class District(NamedTuple):
    """A district in the balance."""

    name: str
    url: str
    figures: list[Shown]
    width: float | None  # of 100, by the first figure that is known


class Gap(NamedTuple):
    """A gap of a chain."""

    name: str
    url: str
    kind: str


@dataclass
class Page:
    """The page."""

    chains: list[tuple[str, list[Shown]]] = field(default_factory=list)
    funnel: list[Stage] = field(default_factory=list)
    losses: list[Shown] = field(default_factory=list)
    gaps: list[Shown] = field(default_factory=list)
    worst: list[Gap] = field(default_factory=list)
    assignment: list[Shown] = field(default_factory=list)
    balance: list[District] = field(default_factory=list)
    balance_heads: list[str] = field(default_factory=list)
    uneven: list[Shown] = field(default_factory=list)
    livelihood: list[Shown] = field(default_factory=list)
    sentences: list[tuple[str, str, str, str]] = field(default_factory=list)  # before, number, after, address
    every: list[Shown] = field(default_factory=list)
    is_divided: bool = False  # whether there are districts to hold against each other

    @property
    def of_funnel(self) -> list[Shown | None]:
        """Every figure of the funnel."""
        return [one for stage in self.funnel for one in (stage.shown, stage.days)]

    @property
    def of_people(self) -> list[Shown]:
        """The figures of the assignment and of the fields of livelihood."""
        return [*self.assignment, *self.livelihood]


class _Reader:
    """The figures of one place in a snapshot and in those before."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.language = desk, page_language()
        self.now = figures_of(desk.snapshot, desk.place.pk)
        self.then = figures_of(desk.before, desk.place.pk)
        self.year = figures_of(desk.year_before, desk.place.pk)

    def url(self, measure: Measure, place_id: str = "") -> str:
        query = self.desk.query | ({"place": place_id} if place_id else {})
        return f"{reverse('dashboard_list', args=[measure.code])}?{urlencode(query)}"

    def shown(self, code: str, told: Told | None = None, place_id: str = "") -> Shown:
        measure, own = measures()[code], told or self.now.get(code, NOTHING)
        value = "" if own.value is None else number(own.value, measure)
        is_partial = self.desk.is_live and measure.period == "month"  # a month that still runs is not compared
        is_own = told is None and not is_partial
        return Shown(
            measure.name(self.language), measure.meaning(self.language), value,
            self.url(measure, place_id) if value else "", note(own.note), share(own),
            change(measure, own, self.then.get(code), is_year=False) if is_own else None,
            change(measure, own, self.year.get(code), is_year=True) if is_own else None,
        )  # fmt: skip


def page_of(desk: Desk) -> Page:
    """The page of a place. Cost: one query, for the names of gaps; 10 ms.

    Raises
    ------
    WebError : snapshot.changed
    """
    page, read = Page(), _Reader(desk)
    every = measures()
    for chain, name in CHAINS:
        own = [code for code, m in every.items() if m.chain == chain and code not in HIDDEN]
        page.chains.append((str(name), [read.shown(code) for code in own]))
    page.funnel = _funnel(read)
    some = [code for code in every if every[code].chain == "loss" and read.now.get(code, NOTHING).value]
    page.losses = [read.shown(code) for code in some]
    page.gaps = [read.shown(f"gaps_{kind}") for kind in GAPS]
    page.worst = worst_gaps(desk)
    codes = ("needs_served", "needs_unmet", "experts_assigned", "experts_loaded", "load")
    page.assignment = [read.shown(code) for code in codes]
    _fill_balance(page, read)
    page.livelihood = [read.shown(code) for code in ("needs_livelihood", "achievements_livelihood")]
    page.sentences = _sentences(read)
    page.every = [read.shown(code) for code in every]
    return page


def _funnel(read: _Reader) -> list[Stage]:
    whole = read.now.get("funnel_needs", NOTHING).value or 0
    made = []
    for code, days in STAGES:
        value = read.now.get(code, NOTHING).value
        width = 100 * value / whole if value and whole else 0.0
        made.append(Stage(read.shown(code), round(width, 2), read.shown(days) if days else None))
    return made


def worst_gaps(desk: Desk, *, reader: Actor | None = None) -> list[Gap]:
    """The gaps on which most hangs.

    Parameters
    ----------
    reader : who sees the names; None: whoever sits at the desk
    """
    if desk.snapshot is None:
        return []
    rows = [members_of(desk.snapshot, desk.place.pk, f"gaps_{kind}").with_columns(kind=pl.lit(kind)) for kind in GAPS]
    top = pl.concat(rows).drop_nulls("amount").sort("amount", "record_id", descending=[True, False]).head(WORST)
    found = visible(reader or desk.actor, Product.objects.filter(pk__in=top["record_id"].to_list())).in_bulk()
    made = []
    for product_id, kind in top.select("record_id", "kind").iter_rows():
        record = found.get(product_id)
        url = reverse("detail", args=["products", product_id]) if record else ""
        name = measures()[f"gaps_{kind}"].name(page_language())
        made.append(Gap(heading(record) if record else product_id, url, name))
    return made


def _fill_balance(page: Page, read: _Reader) -> None:
    """The districts below the place, the worst served first."""
    desk = read.desk
    if desk.snapshot is None:
        return
    names = below(desk.snapshot, desk.place, Place.Level.COUNTY)
    page.is_divided = len(names) > 1
    if not page.is_divided:
        return
    called = {p.pk: str(p) for p in desk.places}
    told = {place_id: figures_of(desk.snapshot, place_id) for place_id in names}
    known = [c for c in BALANCE if any(t.get(c, NOTHING).value is not None for t in told.values())]
    if not known:
        return
    first = known[0]
    most = 1.0 if first == "served_share" else max(t.get(first, NOTHING).value or 0 for t in told.values()) or 1.0
    order = sorted(told, key=lambda p: (told[p].get(first, NOTHING).value is None, told[p].get(first, NOTHING)[0] or 0))
    page.balance_heads = [measures()[code].name(read.language) for code in known]
    for place_id in order:
        own = told[place_id]
        value = own.get(first, NOTHING).value
        url = f"{reverse('dashboard')}?{urlencode(desk.query | {'place': place_id})}"
        shown = [read.shown(code, own.get(code, NOTHING), place_id) for code in known]
        width = None if value is None else round(100 * value / most, 2)
        page.balance.append(District(called.get(place_id, names[place_id]), url, shown, width))
    page.uneven = [s for s in (read.shown("served_gini"), read.shown("projects_gini")) if s.value]


def _sentences(read: _Reader) -> list[tuple[str, str, str, str]]:
    """What the month brought, each with the number that opens its list."""
    made = []
    for code in FLOWS:
        now, then = read.now.get(code, NOTHING), read.then.get(code, NOTHING)
        measure = measures()[code]
        if now.value is None:
            continue
        after = ""
        if then.value is not None:
            after = _("，上月 %(number)s") % {"number": number(then.value, measure)}
        made.append((measure.name(read.language), number(now.value, measure), after, read.url(measure)))
    return made
