"""A registry full of what could leak: each secret is a text that nobody else's page may hold, and who may see it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from silian.web.base import rules as people_rules
from silian.web.base.models import Membership, Place, User
from silian.web.base.notifications import Ref, notify
from silian.web.catalog.beside import booking as bookings
from silian.web.catalog.beside import claims
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import (
    Attachment,
    Booking,
    Claim,
    DuplicatePair,
    DuplicateReport,
    Expert,
    Export,
    Facility,
    Import,
    ImportRow,
    Interest,
    Need,
    Organisation,
    Record,
    Work,
)  # fmt: skip
from silian.web.catalog.rules import may, shown
from silian.web.catalog.search import indexing
from silian.web.runs.dashboards import freezing
from silian.web.runs.results.tests.leaking import leaking_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.web.base.actors import Actor


class Secret(NamedTuple):
    """A text, and who may see it: on any page, and on pages of histories."""

    texts: tuple[str, ...]
    seen_by: Callable[[Actor], bool]
    history_by: Callable[[Actor], bool] = lambda _actor: False
    address: str = ""  # of the record, where that it is there is a secret too


class Planted(NamedTuple):
    """Records full of secrets."""

    draft: Need  # of the enterprise
    far: Need  # a draft in another county than the officer's
    closed: Need  # published, with columns that are not public
    expert: Expert  # a draft, of the researcher's organisation
    org: Organisation  # with figures of its business
    naming: Need  # published, of an organisation that is not
    work: Work  # published, of the expert who is not
    files: list[Attachment]
    brought: Import
    interest: Interest
    member: User
    pair: DuplicatePair  # the draft and the far one
    report: DuplicateReport
    booking: Booking  # of the member, for the enterprise
    taken: Export  # of the broker
    claim: Claim  # of the member, on the draft expert
    sets: list[int]  # changes of all these
    run: int  # that has read them all and quotes them
    secrets: list[Secret]


def number(value: int) -> tuple[str, ...]:
    """A number as pages write it, a sum in ten thousands too."""
    parted = f"{value:,}"
    return (str(value), parted, parted.replace(",", " "), parted.replace(",", "\u00a0"), f"{value / 10_000:,}")


def of_record(record: Record, *texts: str) -> Secret:
    address = reverse("detail", args=[record.noun, record.pk])
    return Secret(texts, lambda a: may(a, "see", record), lambda a: may(a, "history", record), address)


def of_column(record: Record, name: str, *texts: str) -> Secret:
    return Secret(texts, lambda a: may(a, "see", record) and name in shown(a, record))


def fresh(record: Record) -> Any:
    return type(record).objects.select_related("place").get(pk=record.pk)


def plant(people: Any, settings: Any, tmp_path: Any) -> Planted:
    """Fill the registry with what could leak; what is where, and who may see it."""
    broker = people["broker"].actor
    enterprise = next(iter(people["enterprise"].actor.orgs))
    university = next(iter(people["researcher"].actor.orgs))
    here = Place.objects.get(path=people["officer"].actor.paths(["officer"])[0]).pk
    there = Place.objects.filter(level="county").exclude(pk=here).order_by("pk")[0].pk
    other = Organisation.objects.exclude(pk__in=[enterprise, university]).filter(kind="enterprise").order_by("pk")[0]
    base = {"kind": Need.objects.all()[0].kind, "state": "draft", "district_id": here, "org_id": enterprise}
    sets = [
        change(broker, "needs", [
            Edit("N-secret", base | {"need_id": "N-secret", "title": "机密草稿甲", "text": "草稿正文甲"}),
            Edit("N-far", base | {
                "need_id": "N-far", "title": "机密远方乙", "district_id": there, "org_id": other.pk
            }),
            Edit("N-closed", base | {
                "need_id": "N-closed",
                "title": "公开题目丙", "text": "暗标正文丁", "not_wanted": ["暗标不接受戊"], "budget_cny": 98765431.0,
                "state": "published", "tiers": {"text": "broker", "title": "broker", "field": "broker"},
                "sources": {"budget_cny": {"source": "暗标来源己", "on": "2026-01-01"}},
            }),
        ]),
        change(broker, "needs", [Edit("N-closed", {"budget_cny": 98765433.0, "not_wanted": ["暗标改为庚"]})]),
        change(broker, "experts", [
            Edit("E-secret", {
                "expert_id": "E-secret", "name": "机密专家辛", "org_id": university, "state": "draft",
                "profile": "机密简介壬",
            })
        ]),
        change(broker, "organisations", [Edit(other.pk, {"revenue_cny": 98765437.0})]),
        change(broker, "organisations", [
            Edit("O-secret", {"org_id": "O-secret", "name": "机密机构未", "kind": other.kind, "state": "draft",
                              "district_id": there})
        ]),
        change(broker, "needs", [
            Edit("N-open", base | {"need_id": "N-open", "title": "公开题目申", "org_id": "O-secret",
                                   "state": "published", "district_id": there})
        ]),
        change(broker, "works", [
            Edit("E-secret~W-open", {"expert_id": "E-secret", "work_id": "W-open", "title": "公开题目酉",
                                     "kind": "paper", "state": "published"})
        ]),
    ]  # fmt: skip
    draft, far, closed = (
        Need.objects.select_related("place").get(pk=pk) for pk in ("N-secret", "N-far", "N-closed")
    )  # fmt: skip
    expert, org = fresh(Expert.objects.get(pk="E-secret")), fresh(other)
    hidden_org = fresh(Organisation.objects.get(pk="O-secret"))
    files = [
        Attachment(noun="needs", record_id=record.pk, name=name, size=4, sha256="0", media_type="text/plain",
                   tier=tier, state="clean", by=people["broker"].user)
        for record, name, tier in ((draft, "机密附件癸.txt", "public"), (closed, "暗标附件子.txt", "mutual"))
    ]  # fmt: skip
    for file in files:
        file.file.save("x", ContentFile(file.name.encode()))
    brought = Import(by=people["broker"].user, name="机密导入丑.csv", state="ready", total=1)
    brought.file.save("needs.csv", ContentFile("need_id\n机密文件寅\n"))
    ImportRow.objects.create(
        brought=brought, noun="needs", record_id=draft.pk, what="change", values={"title": "机密改为卯"}, before={}
    )
    member = User.objects.create_user("jimi-chen@x.invalid", name="机密人物辰")
    Membership.objects.create(user=member, org_id=enterprise)
    interest = Interest.objects.create(
        noun="needs", record_id=closed.pk, owner_id=closed.owner_id, by=people["manager"].user, pseudonym="x"
    )
    pair = DuplicatePair.objects.create(
        noun="needs", left_id=far.pk, right_id=draft.pk, group_id=far.pk, confidence=0.9, reasons=["name"]
    )
    report = DuplicateReport.objects.create(by=people["broker"].user, noun="needs", place=Place.root(), state="done")
    facility = fresh(Facility.objects.filter(state="published").order_by("pk")[0])
    booking = Booking.objects.create(
        facility_id=facility.pk, by=member, org_id=enterprise, purpose="机密用途戌", state="confirmed",
        from_at=timezone.now() + timedelta(days=1), until_at=timezone.now() + timedelta(days=1, hours=2),
    )  # fmt: skip
    taken = Export(by=people["broker"].user, noun="needs", form="csv", state="ready")
    taken.file.save("x.csv", ContentFile("机密导出亥".encode()))
    claim = Claim.objects.create(user=member, expert_id=expert.pk, note="机密自述")
    home = fresh(Organisation.objects.get(pk=enterprise)).place.path

    def may_know(actor: Actor) -> bool:
        decides = claims.may_decide(actor, claim, expert)  # who says whether a claim is right is told whose it is
        return decides or people_rules.may_lead(actor, enterprise, home) or enterprise in actor.orgs

    everybody = [person.user for person in people.values()]
    for record in (draft, far, expert, hidden_org):
        address = reverse("detail", args=[record.noun, record.pk])
        notify("records.merged", everybody, about=address, key=record.pk, record=Ref(record.noun, record.pk))
    secrets = [
        of_record(draft, "机密草稿甲", "草稿正文甲"), of_record(far, "机密远方乙"), of_record(draft, "机密附件癸"),
        of_record(expert, "机密专家辛", "机密简介壬")._replace(address=""), of_column(closed, "text", "暗标正文丁"),
        of_record(hidden_org, "机密机构未")._replace(address=""),  # its id stands in a public column of a need
        of_column(closed, "not_wanted", "暗标不接受戊", "暗标改为庚"), of_column(closed, "budget_cny", "暗标来源己"),
        of_column(closed, "budget_cny", *number(98765431), *number(98765433)),
        of_column(closed, "not_wanted", "暗标附件子"), of_column(org, "revenue_cny", *number(98765437)),
        Secret(("机密导出亥",), lambda a: a.user_id == people["broker"].user.pk),
        Secret(("机密自述",), lambda a: claims.may_decide(a, claim, expert)),
        Secret(("机密导入丑", "机密改为卯", "机密文件寅"), lambda a: a.user_id == people["broker"].user.pk),
        Secret(
            ("机密用途戌",),
            lambda a: bookings.may_decide(a, facility) or bookings.is_asker(a, booking) or enterprise in a.orgs,
        ),
        Secret(("机密人物辰", "jimi-chen"), may_know),
    ]  # fmt: skip
    settings.SEARCH_FOLDER = tmp_path / "index"
    indexing.rebuild()
    settings.RUNS_FOLDER, settings.DISTRICTS_FILE = tmp_path / "runs", tmp_path / "none.geojson"
    run = leaking_run()
    settings.SNAPSHOTS_FOLDER = tmp_path / "snapshots"
    freezing.renew()
    ids = [made.pk for made in sets]
    naming, work = Need.objects.get(pk="N-open"), Work.objects.get(pk="E-secret~W-open")
    return Planted(
        draft,
        far,
        closed,
        expert,
        org,
        naming,
        work,
        files,
        brought,
        interest,
        member,
        pair,
        report,
        booking,
        taken,
        claim,
        ids,
        run.pk,
        secrets,
    )


def body(answer: Any) -> str:
    content = b"".join(answer) if answer.streaming else answer.content
    return content.decode(errors="replace")


def told(page: str, secret: Secret) -> list[str]:
    """The texts of a secret that stand on a page, beside what was asked for and comes back in a field or address."""
    bare = re.sub(r'value="[^"]*"|href="[^"]*"|<mark>|</mark>', "", page)
    return [text for text in secret.texts if text in bare]
