"""Nothing leaks: every address of the site is asked as every role, in a registry full of what could leak.

Each secret is a text that nobody else's page may hold. Who may see it follows from the rules, which `rights.csv` and
`test_rules.py` hold to what is meant. An address that is not judged here fails the test: add it to READ, WRITTEN or
SILENT.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

import pytest
from django.core.files.base import ContentFile
from django.urls import get_resolver, reverse
from django.utils import timezone

from silian.web.base import rules as people_rules
from silian.web.base.models import Membership, Place, Post, User
from silian.web.catalog.beside import booking as bookings
from silian.web.catalog.beside import claims
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import (
    MODELS,
    Attachment,
    Booking,
    Change,
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
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import STEWARDS, default_tiers, is_own, may, shown
from silian.web.catalog.search import indexing
from silian.web.conftest import ROLES

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


@pytest.fixture
def planted(people, settings, tmp_path) -> Planted:
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
        secrets,
    )


# ── every address ──

RECORDS = ("draft", "far", "closed", "expert", "org", "naming", "work")
WORDS = (
    "机密", "草稿正文甲", "暗标不接受戊", "暗标正文丁", "暗标改为庚", "98765433", "98765437",
    "N-secret", "jmcg", "jmzj",
)  # fmt: skip


def records(view: str) -> Callable[[Planted], list[str]]:
    """The addresses of a view of one record, for every record that holds a secret."""
    return lambda p: [reverse(view, args=[r.noun, r.pk]) for r in (getattr(p, name) for name in RECORDS)]


def lists(_p: Planted) -> list[str]:
    """Every list, plain and asked for what it must not tell."""
    found = []
    for noun in FACES:
        address = reverse("list", args=[noun])
        found += [address, *(f"{address}?q={quote(word)}" for word in WORDS)] if noun in ASKED else [address]
    return found


ASKED = ("needs", "experts")
HISTORIES = ("history", "change_set", "changes")
READ: dict[str, Callable[[Planted], list[str]]] = {
    "home": lambda _p: [reverse("home")],
    "help": lambda _p: [reverse("help")],
    "list": lists,
    "search": lambda _p: [f"{reverse('search')}?q={quote(word)}" for word in WORDS],
    "search_names": lambda _p: [f"{reverse('search_names')}?q={quote(word)}" for word in WORDS],
    "searches": lambda _p: [reverse("searches")],
    "detail": records("detail"),
    "edit": records("edit"),
    "create": lambda _p: [reverse("create", args=[noun]) for noun in FACES],
    "waiting": lambda _p: [reverse("waiting")],
    "related": lambda p: [
        reverse("related", args=["organisations", org, noun, "org_id"])
        for org in (p.draft.owner_id, p.expert.owner_id)
        for noun in ("needs", "experts", "funds")
    ],
    "history": records("history"),
    "attachments": records("attachments"),
    "attachment": lambda p: [reverse("attachment", args=[f.key]) for f in p.files],
    "changes": lambda _p: [reverse("changes")],
    "change_set": lambda p: [reverse("change_set", args=[n]) for n in p.sets],
    "merge_partners": records("merge_partners"),
    "merge": lambda p: [f"{reverse('merge', args=['needs'])}?kept={p.draft.pk}&gone={p.closed.pk}"],
    "duplicates": lambda _p: [reverse("duplicates")],
    "duplicate_report": lambda p: [reverse("duplicate_report", args=[p.report.pk])],
    "duplicate_pairs": lambda _p: [reverse("duplicate_pairs", args=[noun]) for noun in ("needs", "experts")],
    "duplicate_pair": lambda p: [reverse("duplicate_pair", args=[p.pair.pk])],
    "booking": lambda p: [reverse("booking", args=[p.booking.facility_id])],
    "bookings": lambda _p: [reverse("bookings")],
    "bookings_calendar": lambda _p: [reverse("bookings_calendar")],
    "booking_calendar": lambda p: [reverse("booking_calendar", args=[p.booking.key])],
    "exports": lambda _p: [reverse("exports")],
    "export_file": lambda p: [reverse("export_file", args=[p.taken.pk])],
    "claims": lambda _p: [reverse("claims")],
    "claim": lambda p: [reverse("claim", args=[p.expert.pk])],
    "expert_works": lambda p: [reverse("expert_works", args=[p.expert.pk])],
    "imports": lambda _p: [reverse("imports")],
    "import_problems": lambda p: [reverse("import_problems", args=[p.brought.pk])],
    "import_faulty": lambda p: [reverse("import_faulty", args=[p.brought.pk])],
    "import": lambda p: [reverse("import", args=[p.brought.pk])],
    "interests": lambda _p: [reverse("interests"), reverse("interests") + "?which=sent"],
    "audit": lambda _p: [reverse("audit"), reverse("audit") + "?noun=needs"],
    "audit_export": lambda _p: [reverse("audit_export", args=["csv"]), reverse("audit_export", args=["jsonl"])],
    "personal": lambda _p: [reverse("personal")],
    "personal_export": lambda _p: [reverse("personal_export", args=["json"])],
    "organisations": lambda _p: [reverse("organisations"), reverse("organisations") + "?q=jimi"],
    "members": lambda p: [reverse("members", args=[p.draft.owner_id]), reverse("members", args=[p.org.pk])],
    "person": lambda p: [reverse("person", args=[p.member.pk])],
    "posts": lambda _p: [reverse("posts"), reverse("posts") + "?q=jimi"],
    "post_invite": lambda _p: [reverse("post_invite")],
    "places": lambda _p: [reverse("places")],
    "park": lambda p: [reverse("park", args=[p.draft.place_id])],
}


class Write(NamedTuple):
    """A POST, and who may do it; whoever may not changes nothing and learns nothing."""

    address: Callable[[Planted], str]
    given: dict[str, str]
    done_by: Callable[[Planted, Actor], bool]


def is_broker(p: Planted, actor: Actor) -> bool:
    return actor.user_id == p.brought.by_id


def may_all(action: Any, *names: str) -> Callable[[Planted, Actor], bool]:
    return lambda p, actor: all(may(actor, action, getattr(p, name)) for name in names)


WRITTEN: dict[str, list[Write]] = {
    "edit": [
        Write(lambda p: reverse("edit", args=["needs", p.draft.pk]), {"title": "x"}, may_all("edit", "draft")),
        Write(lambda p: reverse("edit", args=["needs", p.far.pk]), {"title": "x"}, may_all("edit", "far")),
        Write(lambda p: reverse("edit", args=["experts", p.expert.pk]), {"name": "x"}, may_all("edit", "expert")),
    ],
    "restore": [Write(lambda p: reverse("restore", args=["needs", p.draft.pk]), {}, may_all("edit", "draft"))],
    "attachments": [
        Write(lambda p: reverse("attachments", args=["needs", p.draft.pk]), {"tier": "public"},
              may_all("edit", "draft"))
    ],
    "attachment_detach": [
        Write(lambda p: reverse("attachment_detach", args=[p.files[0].key]), {}, may_all("edit", "draft"))
    ],
    "change_set_undo": [
        Write(lambda p: reverse("change_set_undo", args=[p.sets[0]]), {}, may_all("edit", "draft", "far", "closed"))
    ],
    "merge": [
        Write(lambda _p: reverse("merge", args=["needs"]), {"kept": "N-secret", "gone": "N-closed"},
              may_all("merge", "draft", "closed"))
    ],
    "likely": [
        Write(lambda _p: reverse("likely", args=["needs"]), {"title": "机密草稿甲", "text": "草稿正文甲"},
              lambda _p, _a: False)
    ],
    "duplicates": [
        Write(lambda _p: reverse("duplicates"), {"noun": "needs", "place": Place.ROOT},
              lambda _p, a: f"/{Place.ROOT}/" in a.paths(STEWARDS))
    ],
    "duplicate_pair": [
        Write(lambda p: reverse("duplicate_pair", args=[p.pair.pk]), {"decision": "different"},
              may_all("merge", "draft", "far"))
    ],
    "create": [
        Write(lambda _p: reverse("create", args=["needs"]), {"title": "机密草稿甲"},
              lambda _p, a: a.paths(STEWARDS) != [])
    ],
    "draft_keep": [
        Write(lambda _p: reverse("draft_keep"), {"noun": "needs", "record_id": "N-secret", "token": "t"},
              may_all("edit", "draft"))
    ],
    "draft_discard": [
        Write(lambda _p: reverse("draft_discard"), {"noun": "needs", "record_id": "N-secret"},
              may_all("edit", "draft"))
    ],
    "pick": [
        Write(lambda _p, noun=noun: reverse("pick", args=[noun]), {"typed": typed}, lambda _p, _a: False)
        for noun, typed in (("needs", "机密"), ("needs", "N-"), ("experts", "机密"), ("experts", "E-s"))
    ],
    "check": [Write(lambda _p: reverse("check", args=["uscc"]), {"uscc": "9"}, lambda _p, _a: False)],
    "publish": [Write(lambda p: reverse("publish", args=["needs", p.draft.pk]), {}, may_all("edit", "draft"))],
    "withdraw": [
        Write(lambda p: reverse("withdraw", args=["needs", p.closed.pk]), {"reason": "x"}, may_all("edit", "closed"))
    ],
    "confirm": [Write(lambda p: reverse("confirm", args=["needs", p.closed.pk]), {}, may_all("edit", "closed"))],
    "waiting": [Write(lambda _p: reverse("waiting"), {"record": "needs/N-closed"}, may_all("edit", "closed"))],
    "verify": [
        Write(lambda p: reverse("verify", args=["needs", p.closed.pk]), {"version": "2"},
              may_all("verify", "closed"))
    ],
    "booking_turn": [
        Write(lambda p, verb=verb: reverse("booking_turn", args=[p.booking.key, verb]), {"note": "x"},
              lambda p, a: bookings.may_decide(a, fresh(Facility(pk=p.booking.facility_id)))
              or bookings.is_asker(a, p.booking))
        for verb in ("refuse", "cancel")
    ],
    "import_choose": [Write(lambda p: reverse("import_choose", args=[p.brought.pk]), {"leave": "1"}, is_broker)],
    "import_cancel": [Write(lambda p: reverse("import_cancel", args=[p.brought.pk]), {}, is_broker)],
    "export_make": [
        Write(lambda _p, noun=noun: reverse("export_make", args=[noun]), {"form": "csv", "asked": asked},
              lambda _p, _a: False)
        for noun, asked in (("needs", ""), ("needs", "q=机密"), ("experts", ""), ("organisations", ""), ("works", ""))
    ],
    "export_region": [
        Write(lambda _p: reverse("export_region"), {"form": "csv"}, lambda _p, a: a.paths(STEWARDS) != [])
    ],
    "claim_turn": [
        Write(lambda p: reverse("claim_turn", args=[p.claim.pk, "grant"]), {},
              lambda p, a: claims.may_decide(a, p.claim, p.expert))
    ],
    "expert_works_strike": [
        Write(lambda p: reverse("expert_works_strike", args=[p.expert.pk]), {"work": "E-secret~W-open"},
              may_all("edit", "expert"))
    ],
    "import_apply": [Write(lambda p: reverse("import_apply", args=[p.brought.pk]), {}, is_broker)],
    "import_undo": [Write(lambda p: reverse("import_undo", args=[p.brought.pk]), {}, is_broker)],
    "interest_ask": [
        Write(lambda p: reverse("interest_ask", args=["needs", p.draft.pk]), {}, lambda _p, _a: False),
        Write(lambda p: reverse("interest_ask", args=["needs", p.far.pk]), {}, lambda _p, _a: False),
    ],
    "interest_answer": [
        Write(lambda p: reverse("interest_answer", args=[p.interest.pk]), {"answer": "agree"},
              may_all("edit", "closed"))
    ],
    "interest_withdraw": [
        Write(lambda p: reverse("interest_withdraw", args=[p.interest.pk]), {},
              lambda p, a: a.user_id == p.interest.by_id)
    ],
    "audit_check": [Write(lambda _p: reverse("audit_check"), {}, lambda _p, a: a.holds("auditor"))],
    "audit_person": [
        Write(lambda _p: reverse("audit_person"), {"email": "jimi-chen@x.invalid"}, lambda _p, a: a.holds("auditor"))
    ],
    "member_change": [
        Write(lambda p: reverse("member_change", args=[p.member.memberships.get().pk]), {"role": "administrator"},
              lambda p, a: people_rules.may_lead(a, p.draft.owner_id, home_of(p)))
    ],
    "person_shut": [
        Write(lambda p: reverse("person_shut", args=[p.member.pk]), {},
              lambda p, a: people_rules.may_govern(a, home_of(p)))
    ],
    "post_withdraw": [
        Write(lambda _p: reverse("post_withdraw", args=[Post.objects.get(role="administrator").pk]), {},
              lambda _p, a: a.holds("administrator"))
    ],
}  # fmt: skip
# Addresses that tell of nothing but what whoever asks brings along; and those of allauth, which tell of oneself.
SILENT = {
    "search_save": "one's own",
    "steps": "one's own",
    "search_change": "one's own",
    "search_open": "one's own",
    "claim_release": "one's own",
    "language": "takes the choice of a language", "personal_consent": "one's own", "personal_erase": "one's own",
    "receipt": "for whoever has its signed address", "invitation": "for whoever has its signed address",
    "invitation_revoke": "of people: their own tests", "people_undo": "what is signed into the form",
}  # fmt: skip
OF_ALLAUTH = ("account_", "mfa_", "socialaccount_", "openid_connect_", "usersessions_")


def home_of(p: Planted) -> str:
    return fresh(Organisation.objects.get(pk=p.draft.owner_id)).place.path


def body(answer: Any) -> str:
    content = b"".join(answer) if answer.streaming else answer.content
    return content.decode(errors="replace")


def told(page: str, secret: Secret) -> list[str]:
    """The texts of a secret that stand on a page, beside what was asked for and comes back in a field or address."""
    bare = re.sub(r'value="[^"]*"|href="[^"]*"|<mark>|</mark>', "", page)
    return [text for text in secret.texts if text in bare]


def names() -> set[str]:
    def walk(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns)
            elif pattern.name:
                yield pattern.name

    return set(walk(get_resolver().url_patterns))


def test_every_address_is_judged():
    judged = {*READ, *WRITTEN, *SILENT}
    wanted = {name for name in names() if not name.startswith(OF_ALLAUTH)}

    assert wanted - judged == set(), "add new addresses to READ, WRITTEN or SILENT"
    assert judged - wanted == set(), "take old addresses out"


@pytest.mark.parametrize("role", ROLES)
def test_no_page_tells_a_secret_to_whom_it_is_one(people, planted, role):
    person, leaks = people[role], []
    for view, addresses in READ.items():
        for address in addresses(planted):
            answer = person.client.get(address)
            page = body(answer) if answer.status_code == 200 else ""
            assert answer.status_code in (200, 302, 400, 403, 404, 405), address
            for secret in planted.secrets:
                if not secret.seen_by(person.actor) and not (view in HISTORIES and secret.history_by(person.actor)):
                    leaks += [(address, text) for text in told(page, secret) if text not in unquote(address)]
                    leaks += [(address, "a link")] if secret.address and f'"{secret.address}"' in page else []

    assert leaks == []


def test_secrets_stand_where_they_may_be_seen(people, planted):
    owner, broker = people["enterprise"].client, people["broker"].client
    draft = body(owner.get(reverse("detail", args=["needs", planted.draft.pk])))
    closed = body(broker.get(reverse("detail", args=["needs", planted.closed.pk])))
    history = body(broker.get(reverse("history", args=["needs", planted.closed.pk])))

    assert "机密草稿甲" in draft
    assert "暗标正文丁" in closed
    assert any(text in closed for text in number(98765433)), re.findall(".{9}98.765.{9}", closed)
    assert any(text in history for text in number(98765431))
    assert "机密导入丑" in body(broker.get(reverse("imports")))
    assert "机密人物辰" in body(people["administrator"].client.get(reverse("members", args=[planted.draft.owner_id])))


@pytest.mark.parametrize("role", ROLES)
def test_no_write_changes_or_tells_anything_to_whom_it_is_not_allowed(people, planted, role):
    person, wrong, before = people[role], [], state()
    for write in (write for writes in WRITTEN.values() for write in writes):
        if write.done_by(planted, person.actor):
            continue
        address = write.address(planted)
        answer = person.client.post(address, write.given)
        assert answer.status_code in (200, 302, 403, 404, 405, 409, 422), address
        hidden = [secret for secret in planted.secrets if not secret.seen_by(person.actor)]
        page = body(answer)
        wrong += [(address, text) for secret in hidden for text in told(page, secret)]
        wrong += [(address, "changed")] if state() != before else []

    assert wrong == []


def state() -> list[Any]:
    """What a write could have changed."""
    return [
        Change.objects.count(), list(Interest.objects.order_by("pk").values_list("pk", "state")),
        list(Attachment.objects.order_by("pk").values_list("pk", "gone_at")),
        list(DuplicatePair.objects.order_by("pk").values_list("pk", "decision")), DuplicateReport.objects.count(),
        list(Claim.objects.values_list("state")),
        list(Booking.objects.values_list("state", "note")), list(ImportRow.objects.values_list("pk", "state")),
        list(Import.objects.order_by("pk").values_list("pk", "state")),
        list(Membership.objects.order_by("pk").values_list("pk", "role")), Post.objects.count(),
        list(User.objects.order_by("pk").values_list("pk", "is_active")),
    ]  # fmt: skip


# ── what a page tells without saying it ──

OF_RECORD = ("detail", "edit", "history", "attachments", "merge_partners")


@pytest.mark.parametrize("role", ROLES)
def test_what_may_not_be_seen_answers_as_what_is_not_there(people, planted, role):
    person = people[role]
    if may(person.actor, "see", planted.draft):
        return

    for view in OF_RECORD:
        hidden = person.client.get(reverse(view, args=["needs", planted.draft.pk]))
        missing = person.client.get(reverse(view, args=["needs", "N-absent"]))

        assert hidden.status_code == missing.status_code, view
        assert plain(hidden, planted.draft.pk) == plain(missing, "N-absent"), view


def plain(answer: Any, pk: str) -> str:
    """A page without what differs from request to request."""
    page = f"{answer.get('Location', '')}\n{body(answer)}".replace(pk, "PK").replace(quote(pk), "PK")
    page = page.replace(answer.get("X-Request-Id", "-"), "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": ?"\w+"', "", page)


def found(page: str) -> list[str]:
    """The records that a list shows, in its order."""
    return re.findall(r'<a href="(/needs/[^"?/]+/)', page)


CLOSED_OF_NEEDS = sorted(name for name, tier in default_tiers("needs").items() if tier != "public")


@pytest.mark.parametrize("role", ["visitor", "researcher", "judge", "auditor"])
@pytest.mark.parametrize("column", [*CLOSED_OF_NEEDS, "text"])
def test_list_neither_filters_nor_sorts_by_what_is_not_public(people, planted, column, role):
    client, address = people[role].client, reverse("list", args=["needs"])
    value = {"budget_cny": "98765433", "not_wanted": "暗标改为庚", "text": "暗标正文丁"}[column]
    own, there = reverse("detail", args=["needs", planted.closed.pk]), Need.objects.filter(pk=planted.closed.pk)

    hit = client.get(address, {column: value})
    miss = client.get(address, {column: "12345"})
    for name in (f"{column}__gte", f"{column}__contains", f"{column}_min", f"min_{column}", f"{column}-from"):
        assert found(body(client.get(address, {name: value}))) == found(body(client.get(address, {name: "9" * 12})))
    for name in ("sort", "order", "ordering", "o", "by"):
        rows = found(body(client.get(address, {name: column})))
        there.update(budget_cny=1, text="啊", not_wanted=["啊"])
        changed = found(body(client.get(address, {name: column})))
        there.update(budget_cny=98765433, text="暗标正文丁", not_wanted=["暗标改为庚"])
        assert rows == changed, name

    assert found(body(hit)) == found(body(miss))
    assert own not in found(body(client.get(address, {"q": value})))


@pytest.mark.parametrize("role", ["visitor", "researcher", "judge", "auditor"])
def test_hidden_records_change_no_count_of_any_list(people, role):
    client, broker = people[role].client, people["broker"].actor
    # the first page of an auditor counts the log, which grows with every change
    first = [] if role == "auditor" else [reverse("home")]
    addresses = [*first, *(reverse("list", args=[noun]) for noun in FACES)]
    before = [plain(client.get(address), "-") for address in addresses]

    for noun, face in FACES.items():
        those = MODELS[noun].objects.filter(state="published").select_related("place").order_by("pk")
        record = next(r for r in those if not is_own(people[role].actor, r))
        values = {c.name: getattr(record, c.name) for c in record.table.columns if c.name not in record.table.key}
        new = {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in values.items()}
        key = dict.fromkeys(record.table.key, "K-hidden") | {
            name: getattr(record, name) for name in record.table.key if name == "expert_id" and noun == "works"
        }
        pk = "~".join(key.values())
        change(broker, noun, [Edit(pk, new | key | {face.heading: "机密午", "state": "draft"})])

    assert [plain(client.get(address), "-") for address in addresses] == before


def test_lists_show_no_column_that_its_owner_closed(people, planted):
    Need.objects.filter(pk=planted.closed.pk).update(
        trl_wanted=7, tiers={"trl_wanted": "broker", "deadline_on": "broker"}
    )
    Need.objects.exclude(pk=planted.closed.pk).update(trl_wanted=1)
    address = reverse("list", args=["needs"])

    row = re.search(r"公开题目丙.*?</tr>", body(people["visitor"].client.get(address)), re.DOTALL)

    assert row is not None
    assert ">7<" not in row.group()
