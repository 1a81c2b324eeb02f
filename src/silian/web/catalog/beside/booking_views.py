"""Pages of booking: the week of a facility, a request, my bookings, calendars to take along."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from silian.errors import WebError
from silian.web.base.languages import page_language
from silian.web.catalog.beside import booking as bookings
from silian.web.catalog.models import Booking, Facility, Organisation
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.web.base.actors import Actor
    from silian.web.base.requests import Request, SignedIn

HALVES: Final = tuple(f"{h:02}:{m:02}" for h in range(24) for m in (0, 30))
END: Final = "24:00"
PAGE: Final = 50
CALENDAR: Final = 1000  # bookings in a calendar to take along, the latest
YEARS: Final = (date(2000, 1, 3), date(2099, 12, 28))  # Mondays between which weeks are shown


class Row(NamedTuple):
    """A booking in a list, and what the person may do with it."""

    booking: Booking
    facility: str
    whose: str
    may_see_fee: bool
    may_decide: bool
    may_cancel: bool
    may_finish: bool


class BookingForm(forms.Form):
    """When, what for, for whom."""

    on = forms.DateField(label=gettext_lazy("日期"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    begins = forms.ChoiceField(label=gettext_lazy("开始"), choices=[(t, t) for t in HALVES])
    until_on = forms.DateField(
        label=gettext_lazy("结束日期"), required=False, help_text=gettext_lazy("当日结束可不填。"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    ends = forms.ChoiceField(label=gettext_lazy("结束"), choices=[(t, t) for t in (*HALVES[1:], END)])
    org_id = forms.ChoiceField(label=gettext_lazy("以谁的名义"), required=False)
    purpose = forms.CharField(
        label=gettext_lazy("用途"), max_length=1000, widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("做什么、样品或材料、需要的协助。"),
    )  # fmt: skip

    def __init__(self, actor: Actor, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        names = Organisation.objects.filter(pk__in=sorted(actor.orgs)).order_by("name").values_list("pk", "name")
        self.fields["org_id"] = forms.ChoiceField(
            label=_("以谁的名义"), required=False, choices=[*names, ("", _("本人"))]
        )

    def clean(self) -> dict[str, Any]:
        """The two instants."""
        given = self.cleaned_data
        if {"on", "begins", "ends"} <= given.keys() and "until_on" in given:
            ends = None if given["ends"] == END else time.fromisoformat(given["ends"])
            try:
                given["from_at"] = bookings.instant(given["on"], time.fromisoformat(given["begins"]))
                given["until_at"] = bookings.instant(given["until_on"] or given["on"], ends)
            except (WebError, OverflowError) as error:
                told = error.message(page_language()) if isinstance(error, WebError) else _("日期超出范围。")
                self.add_error("on", told)
        return given


def _monday(given: str) -> date:
    try:
        on = date.fromisoformat(given)
    except ValueError:
        on = timezone.localdate()
    return max(YEARS[0], min(YEARS[1], on - timedelta(days=on.weekday())) if on > YEARS[0] else YEARS[0])


def booking_page(request: Request, record_id: str) -> HttpResponse:
    """A week of a facility; whoever may, asks for a time."""
    facility = cast("Facility", seen_or_404(request.actor, "facilities", record_id))
    actor = request.actor
    monday = _monday(request.GET.get("week", ""))
    may_ask, decides = bookings.may_ask(actor, facility), bookings.may_decide(actor, facility)
    if request.method == "POST" and not may_ask:
        raise PermissionDenied
    form = BookingForm(actor, request.POST or None, initial=_prefilled(request)) if may_ask else None
    if request.method == "POST" and form is not None and _asked(request, facility, form):
        return redirect("bookings")
    waiting = bookings.to_decide([facility.pk]) if decides else []
    shared = {
        "facility": facility, "table": facility.table, "form": form, "columns": _told(actor, facility),
        "week": bookings.week_of(actor, facility, monday), "today": timezone.localdate(),
        "monday": monday, "sunday": monday + timedelta(days=6),
        "previous": monday - timedelta(days=7), "next": monday + timedelta(days=7),
        "waiting": _rows(actor, waiting, {facility.pk: facility}),
    }  # fmt: skip
    return render(request, "catalog/booking.html", shared, status=400 if form is not None and form.errors else 200)


def _told(actor: Actor, facility: Facility) -> list[Any]:
    """What a person may know of how the facility is booked: its conditions and its fee."""
    names = shown(actor, facility)
    return [facility.table[name] for name in ("booking", "fee_cny", "is_open") if name in names]


def _prefilled(request: Request) -> dict[str, str]:
    on, begins = request.GET.get("on", ""), request.GET.get("from", "")
    return {"on": on[:10], "begins": begins if begins in HALVES else "09:00", "ends": "12:00"}


def _asked(request: Request, facility: Facility, form: BookingForm) -> bool:
    if not form.is_valid():
        return False
    given = form.cleaned_data
    try:
        bookings.ask(
            request.actor, facility, from_at=given["from_at"], until_at=given["until_at"], purpose=given["purpose"],
            org_id=given["org_id"],
        )  # fmt: skip
    except WebError as error:
        form.add_error("on", error.message(page_language()))
        return False
    messages.success(request, _("已提交预约申请，等待确认。"))
    return True


@login_required
def mine(request: SignedIn) -> HttpResponse:
    """What I asked for, and what waits for my answer."""
    actor = request.actor
    page = Paginator(bookings.mine(actor), PAGE).get_page(request.GET.get("page"))
    own = list(page)
    run = {f.pk: f for f in Facility.objects.select_related("place").filter(owner_id__in=sorted(actor.orgs))}
    waiting = bookings.to_decide(run)
    asked = {b.facility_id for b in own} - run.keys()
    known = run | {f.pk: f for f in Facility.objects.select_related("place").filter(pk__in=asked)}
    shared = {"own": _rows(actor, own, known), "waiting": _rows(actor, waiting, known), "page": page}
    return render(request, "catalog/bookings.html", shared)


def _rows(actor: Actor, those: Sequence[Booking], facilities: dict[str, Facility]) -> list[Row]:
    names, now = bookings.whose(those), timezone.now()
    rows = []
    for one in those:
        facility = facilities.get(one.facility_id)
        seen = facility is not None and may(actor, "see", facility)
        decides = facility is not None and bookings.may_decide(actor, facility)
        is_open, is_ahead = one.state in bookings.OPEN, one.from_at > now
        rows.append(
            Row(
                one, str(facility) if facility is not None and seen else one.facility_id, names[one.pk],
                facility is not None and bookings.may_see_fee(actor, facility, one),
                decides and one.state == Booking.State.ASKED and is_ahead,
                is_open and is_ahead and (decides or bookings.is_asker(actor, one)),
                decides and one.state == Booking.State.CONFIRMED and not is_ahead,
            )
        )  # fmt: skip
    return rows


def _booking(request: SignedIn, key: str) -> tuple[Booking, Facility | None]:
    found = Booking.objects.filter(key=key).first()
    if found is None:
        raise Http404
    facility = Facility.objects.select_related("place").filter(pk=found.facility_id).first()
    decides = facility is not None and bookings.may_decide(request.actor, facility)
    if not decides and not bookings.is_asker(request.actor, found):
        raise Http404
    return found, facility


@login_required
@require_POST
def turn(request: SignedIn, key: str, verb: str) -> HttpResponse:
    """Confirm, refuse, cancel or finish a booking."""
    found, facility = _booking(request, key)
    decides = facility is not None and bookings.may_decide(request.actor, facility)
    if verb not in ("confirm", "refuse", "cancel", "finish"):
        raise Http404
    if verb != "cancel" and not decides:
        raise PermissionDenied
    note = request.POST.get("note", "").strip()[:1000]
    try:
        if verb == "confirm":
            bookings.confirm(request.actor, found)
        elif verb == "finish":
            bookings.finish(request.actor, found)
        elif verb == "refuse" and not note:
            messages.error(request, _("请写明谢绝的理由。"))
        elif verb == "refuse":
            bookings.refuse(request.actor, found, note=note)
        else:
            bookings.cancel(request.actor, found, note=note)
    except WebError as error:
        messages.error(request, error.message(page_language()))
    if request.POST.get("from") == "facility" and facility is not None:
        return redirect("booking", facility.pk)
    return redirect("bookings")


@login_required
def my_calendar(request: SignedIn) -> HttpResponse:
    """What I asked for, as a calendar."""
    return _calendar(request, list(bookings.mine(request.actor)[:CALENDAR]), "bookings")


@login_required
def one_calendar(request: SignedIn, key: str) -> HttpResponse:
    """One booking, as a calendar."""
    return _calendar(request, [_booking(request, key)[0]], "booking")


def _calendar(request: SignedIn, those: list[Booking], name: str) -> HttpResponse:
    found = Facility.objects.select_related("place").filter(pk__in={b.facility_id for b in those})
    names = {f.pk: str(f) for f in found if may(request.actor, "see", f)}
    answer = HttpResponse(bookings.calendar(those, names), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate():%Y%m%d}.ics"'
    return answer
