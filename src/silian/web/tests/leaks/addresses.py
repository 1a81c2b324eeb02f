"""Every address of the site, judged: what is read there, what is written and by whom, or why it tells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from django.urls import reverse

from silian.web.base import rules as people_rules
from silian.web.base.models import Place, Post
from silian.web.catalog.beside import booking as bookings
from silian.web.catalog.beside import claims
from silian.web.catalog.models import (
    Facility,
    Organisation,
)  # fmt: skip
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import STEWARDS, may
from silian.web.runs.dashboards.rules import may_freeze
from silian.web.runs.results.chain_pictures import PICTURES
from silian.web.runs.results.tests.leaking import NEEDS as LEAKING
from silian.web.standards.oai import sources as oai_sources
from silian.web.standards.public import OPEN
from silian.web.tests.leaks.planted import Planted, fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.web.base.actors import Actor


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


def results(name: str, *, is_numbered: bool = False) -> Callable[[Planted], list[str]]:
    """A page of results, of the run in force or of the numbered one."""
    return lambda p: [reverse(f"run_{name}", args=[p.run]) if is_numbered else reverse(name)]


ASKED = ("needs", "experts")
RESULTS = ("assignment", "served", "loads", "unmet", "gaps", "firms", "districts")
HISTORIES = ("history", "change_set", "changes")
READ: dict[str, Callable[[Planted], list[str]]] = {
    "home": lambda _p: [reverse("home")],
    "help": lambda _p: [reverse("help")],
    "notifications": lambda _p: [reverse("notifications")],
    "notification_kinds": lambda _p: [reverse("notification_kinds")],
    "todo": lambda _p: [reverse("todo")],
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
    "operation": lambda _p: [reverse("operation")],
    "checklist": lambda _p: [reverse("checklist")],
    "checklist_export": lambda _p: [reverse("checklist_export", args=["csv"])],
    "audit_export": lambda _p: [reverse("audit_export", args=["csv"]), reverse("audit_export", args=["jsonl"])],
    "personal": lambda _p: [reverse("personal")],
    "personal_export": lambda _p: [reverse("personal_export", args=["json"])],
    "standards": lambda _p: [reverse("standards")],
    "dcat": lambda _p: [reverse("dcat", args=[form]) for form in ("jsonld", "ttl", "rdf")],
    "open_csv": lambda _p: [reverse("open_csv", args=[noun]) for noun in OPEN],
    "open_documentation": lambda _p: [reverse("open_documentation", args=[noun]) for noun in OPEN],
    "record_jsonld": records("record_jsonld"),
    "een": lambda p: [reverse("een", args=[r.noun, r.pk]) for r in (p.draft, p.far, p.closed, p.naming)],
    "oai": lambda p: [
        *(f"{reverse('oai')}?verb=ListRecords&metadataPrefix={f}" for f in ("oai_dc", "oai_cerif_openaire")),
        *(f"{reverse('oai')}?verb=ListRecords&metadataPrefix=oai_dc&set={s}" for s, _n in oai_sources.SETS),
        *(
            f"{reverse('oai')}?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:silian.localhost:Needs/needs.{r.pk}"
            for r in (p.draft, p.far, p.closed)
        ),
    ],
    "organisations": lambda _p: [reverse("organisations"), reverse("organisations") + "?q=jimi"],
    "members": lambda p: [reverse("members", args=[p.draft.owner_id]), reverse("members", args=[p.org.pk])],
    "person": lambda p: [reverse("person", args=[p.member.pk])],
    "posts": lambda _p: [reverse("posts"), reverse("posts") + "?q=jimi"],
    "post_invite": lambda _p: [reverse("post_invite")],
    "places": lambda _p: [reverse("places")],
    "park": lambda p: [reverse("park", args=[p.draft.place_id])],
    "dashboard": lambda _p: [reverse("dashboard")],
    "dashboard_document": lambda _p: [reverse("dashboard_document")],
    "dashboard_workbook": lambda _p: [reverse("dashboard_workbook")],
    "dashboard_list": lambda _p: [
        f"{reverse('dashboard_list', args=[code])}?q={quote(word)}"
        for code in ("funnel_needs", "needs", "experts", "products")
        for word in ("", "机密")
    ],
    "dashboard_list_file": lambda _p: [
        reverse("dashboard_list_file", args=[code]) for code in ("funnel_needs", "needs", "experts")
    ],
    "matches": lambda _p: [f"{reverse('matches')}?noun={noun}" for noun in ("achievements", "experts")],
    "run_matches": lambda p: [f"{reverse('run_matches', args=[p.run])}?noun=experts&state=unmet"],
    "match": lambda _p: [reverse("match", args=[need]) for need in LEAKING],
    **{name: results(name) for name in RESULTS},
    **{f"run_{name}": results(name, is_numbered=True) for name in RESULTS},
    "product": lambda _p: [reverse("product", args=[f"P{n:03}"]) for n in range(1, 26)],
    "run_product": lambda p: [reverse("run_product", args=[p.run, f"P{n:03}"]) for n in range(1, 26)],
    "matches_file": lambda _p: [f"{reverse('matches_file')}?noun={noun}" for noun in ("achievements", "experts")],
    "run_matches_file": lambda p: [f"{reverse('run_matches_file', args=[p.run])}?noun=experts"],
    "list_file": lambda _p: [reverse("list_file", args=[name]) for name in ("served", "loads", "unmet", "firms")],
    "run_list_file": lambda p: [reverse("run_list_file", args=[p.run, "served"])],
    "picture": lambda _p: [reverse("picture", args=[name, form]) for name in PICTURES for form in ("svg", "csv")],
    "run_picture": lambda p: [reverse("run_picture", args=[p.run, name, "csv"]) for name in PICTURES],
    "runs": lambda _p: [reverse("runs")],
    "run_new": lambda p: [reverse("run_new"), f"{reverse('run_new')}?like={p.run}"],
    "run": lambda p: [reverse("run", args=[p.run])],
    "run_compare": lambda p: [f"{reverse('run_compare', args=[p.run])}?with={p.run}"],
    "run_file": lambda p: [
        reverse("run_file", args=[p.run, name]) for name in ("report.html", "expert_pairs.csv", "expert_facts.csv")
    ],
    "run_match": lambda p: [reverse("run_match", args=[p.run, need]) for need in LEAKING],
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
    "topic_strike": [
        Write(lambda p: reverse("topic_strike", args=[p.expert.pk]), {"term": "机密"}, may_all("edit", "expert"))
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
    "dashboard_freeze": [
        Write(lambda _p: reverse("dashboard_freeze"), {"place": "region", "month": "2026-01", "reason": "x"},
              lambda _p, a: may_freeze(a, "/region/"))
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
    "run_cancel": "tells nothing: runs/tests/test_pages.py", "run_adopt": "tells nothing: runs/tests/test_pages.py",
    "steps": "one's own",
    "tokens": "one's own", "tokens_all": "of people: its own tests", "token_revoke": "one's own",
    "interface": "the same for everybody", "openapi-json": "the same for everybody", "api-root": "is never reached",
    "notification_open": "one's own",
    "notification_read": "one's own",
    "notification_choose": "one's own",
    "notification_all": "one's own",
    "notifications_stop": "for whoever has its signed address",
    "search_change": "one's own",
    "search_open": "one's own",
    "claim_release": "one's own",
    "operation_retry": "tells whether a task failed, to administrators: its own tests",
    "language": "takes the choice of a language", "personal_consent": "one's own", "personal_erase": "one's own",
    "receipt": "for whoever has its signed address", "invitation": "for whoever has its signed address",
    "invitation_revoke": "of people: their own tests", "people_undo": "what is signed into the form",
}  # fmt: skip
OF_ALLAUTH = ("account_", "mfa_", "socialaccount_", "openid_connect_", "usersessions_")
OF_API = "api_"  # what programs read: web/api/tests/test_fuzz.py asks all of it as every role


def home_of(p: Planted) -> str:
    return fresh(Organisation.objects.get(pk=p.draft.owner_id)).place.path
