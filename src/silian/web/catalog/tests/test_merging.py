"""Two records become one with all that names them, both ids keep working, and all of it can be undone."""

import polars as pl
import pytest
from django.urls import reverse

from silian.errors import WebError
from silian.tables import check
from silian.web.base.models import LogEntry, Membership, User
from silian.web.catalog.changing import Edit, StaleError, change, plain, undo
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import (
    MODELS,
    Alias,
    Attachment,
    Change,
    ChangeSet,
    Expert,
    Make,
    MatchKey,
    Merge,
    Organisation,
    Work,
)
from silian.web.catalog.tables import read_region


def whole():
    """All records, keys and what hangs on them, as plain values; versions and times aside."""
    records = {(noun, r.pk): (plain(r), r.owner_id, r.place_id) for noun, m in MODELS.items() for r in m.objects.all()}
    keys = sorted(MatchKey.objects.values_list("noun", "key", "record_id"))
    people = sorted(User.objects.values_list("pk", "expert_id"))
    return records, keys, people, sorted(Membership.objects.values_list("user_id", "org_id", "role"))


def named(noun):
    """A pair of records of a noun of which the second is named by as many others as any."""
    model = MODELS[noun]
    pairs = [
        (r, len(merging.plan(model.objects.exclude(pk=r.pk)[0], r).moves)) for r in model.objects.order_by("pk")[:8]
    ]
    gone = max(pairs, key=lambda pair: (pair[1], pair[0].pk))[0]
    return model.objects.exclude(pk=gone.pk).order_by("pk")[0], gone


def merged(actor, kept, gone, chosen=None):
    kept, gone = type(kept).objects.get(pk=kept.pk), type(gone).objects.get(pk=gone.pk)
    seal = merging.plan(kept, gone).seal
    return merging.merge(actor, kept.noun, kept.pk, gone.pk, chosen=chosen or {}, seal=seal)


NOUNS = ("organisations", "experts", "needs", "achievements", "products")


@pytest.mark.parametrize("noun", NOUNS)
def test_merge_leaves_nothing_that_names_the_record_that_went(people, noun):
    kept, gone = named(noun)

    merged(people["administrator"].actor, kept, gone)

    assert not MODELS[noun].objects.filter(pk=gone.pk).exists()
    assert merging._moves(kept, gone) == ([], {})
    assert check(read_region()).filter(pl.col("code").str.contains("unknown")).is_empty()
    assert merging.resolve(noun, [gone.pk]) == {gone.pk: kept.pk}


@pytest.mark.parametrize("noun", NOUNS)
def test_undo_of_a_merge_puts_everything_back(people, noun):
    before = whole()
    kept, gone = named(noun)
    made = merged(people["administrator"].actor, kept, gone)
    assert whole() != before

    undo(people["administrator"].actor, made.changes)

    assert whole() == before
    assert not Alias.objects.exists()


def test_merge_takes_what_both_made_as_one_and_undo_parts_it_again(people):
    actor = people["administrator"].actor
    gone_make = Make.objects.order_by("pk")[0]
    makers = Make.objects.values("org_id")
    kept = Organisation.objects.exclude(pk__in=makers).order_by("pk")[0]
    values = {"org_id": kept.pk, "product_id": gone_make.product_id, "since_year": 1999, "share": None}
    change(actor, "makes", [Edit(f"{kept.pk}~{gone_make.product_id}", values)])
    change(actor, "makes", [Edit(gone_make.pk, {"share": 0.25, "since_year": 2001})])
    before = whole()

    made = merged(actor, kept, Organisation.objects.get(pk=gone_make.org_id))

    both = Make.objects.get(org_id=kept.pk, product_id=gone_make.product_id)
    assert (both.since_year, both.share) == (1999, 0.25)
    undo(actor, made.changes)
    assert whole() == before


def test_merge_moves_members_and_keeps_the_greater_right(people):
    actor = people["administrator"].actor
    gone = Organisation.objects.get(pk=people["manager"].user.memberships.get().org_id)
    kept = Organisation.objects.exclude(pk=gone.pk).order_by("pk")[0]
    Membership.objects.create(user=people["manager"].user, org_id=kept.pk, role="member")
    Membership.objects.create(user=people["judge"].user, org_id=gone.pk, role="member")
    before = whole()

    made = merged(actor, kept, gone)

    assert set(Membership.objects.filter(org_id=kept.pk).values_list("user_id", "role")) >= {
        (people["manager"].user.pk, "administrator"), (people["judge"].user.pk, "member"),
    }  # fmt: skip
    assert not Membership.objects.filter(org_id=gone.pk).exists()
    undo(actor, made.changes)
    assert whole() == before


def test_merge_moves_the_account_of_an_expert(people):
    user = people["researcher"].user
    gone = Expert.objects.get(pk=user.expert_id)
    kept = Expert.objects.exclude(pk=gone.pk).order_by("pk")[0]

    merged(people["administrator"].actor, kept, gone)

    user.refresh_from_db()
    assert user.expert_id == kept.pk


def test_old_ids_lead_on_through_several_merges(people):
    actor = people["administrator"].actor
    a, b, c = Organisation.objects.order_by("pk")[:3]
    merged(actor, b, a)
    last = merged(actor, c, b)

    page = people["broker"].client.get(reverse("detail", args=["organisations", a.pk]))
    assert page.url == reverse("detail", args=["organisations", c.pk])
    assert people["broker"].client.get(reverse("edit", args=["organisations", a.pk])).status_code == 302

    undo(actor, last.changes)
    assert merging.resolve("organisations", [a.pk, b.pk, c.pk]) == {a.pk: b.pk}


def test_an_earlier_merge_is_not_undone_before_the_later_one(people):
    actor = people["administrator"].actor
    a, b, c = Organisation.objects.order_by("pk")[:3]
    first = merged(actor, b, a)
    merged(actor, c, b)

    with pytest.raises(StaleError):
        undo(actor, first.changes)


def test_undo_of_a_merge_is_refused_with_what_has_changed_since(people):
    broker = people["broker"]
    kept, gone = Organisation.objects.order_by("pk")[:2]
    made = merged(broker.actor, kept, gone)
    change(broker.actor, "organisations", [Edit(kept.pk, {"business": "后来改的"})])

    page = broker.client.post(reverse("change_set_undo", args=[made.changes_id]))

    assert page.status_code == 409
    assert reverse("history", args=["organisations", kept.pk]) in page.content.decode()
    assert not Organisation.objects.filter(pk=gone.pk).exists()


def test_plan_keeps_the_verified_then_the_newer_value_and_never_an_empty_one(people):
    kept, gone = Organisation.objects.order_by("pk")[:2]
    kept.business, gone.business = "甲", "乙"
    kept.name_en, gone.name_en = "", "Only here"
    kept.former_names, gone.former_names = ["旧名一"], ["旧名二"]
    kept.sources = {"business": {"source": "自填", "on": "2026-05-01"}}
    gone.sources = {"business": {"source": "登记机关", "on": "2020-01-01", "verified_on": "2020-01-02"}}

    chosen = {choice.column.name: choice.value for choice in merging.plan(kept, gone).choices}

    assert (chosen["business"], chosen["name_en"]) == ("乙", "Only here")
    assert chosen["former_names"][:2] == ["旧名一", "旧名二"]
    assert gone.name in chosen["former_names"]


def test_merge_takes_the_source_of_a_value_along_and_opens_no_tier(people):
    kept, gone = Organisation.objects.order_by("pk")[:2]
    Organisation.objects.filter(pk=kept.pk).update(business="甲")
    Organisation.objects.filter(pk=gone.pk).update(
        business="乙", tiers={"business": "broker"}, sources={"business": {"source": "年报"}}
    )

    merged(people["administrator"].actor, kept, gone, {"business": "gone"})

    now = Organisation.objects.get(pk=kept.pk)
    assert (now.business, now.sources["business"], now.tiers["business"]) == ("乙", {"source": "年报"}, "broker")


def test_merge_asked_twice_is_one_merge(people):
    broker = people["broker"]
    kept, gone = Organisation.objects.order_by("pk")[:2]
    address = reverse("merge", args=["organisations"])
    page = broker.client.get(address, {"kept": kept.pk, "gone": gone.pk})
    typed = {"kept": kept.pk, "gone": gone.pk, "seal": page.context["plan"].seal}

    answers = [broker.client.post(address, typed) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url
    assert Merge.objects.count() == 1


def test_merge_of_what_has_changed_since_the_preview_is_refused(people):
    broker = people["broker"]
    kept, gone = Organisation.objects.order_by("pk")[:2]
    address = reverse("merge", args=["organisations"])
    page = broker.client.get(address, {"kept": kept.pk, "gone": gone.pk})
    change(broker.actor, "organisations", [Edit(gone.pk, {"business": "刚改的"})])

    answer = broker.client.post(
        address, {"kept": kept.pk, "gone": gone.pk, "seal": page.context["plan"].seal, "v-business": "kept"}
    )

    assert answer.status_code == 409
    assert "刚改的" in answer.content.decode()
    assert not ChangeSet.objects.filter(kind="merge").exists()
    with pytest.raises(WebError, match=r"web\.merge_changed"):
        merging.merge(broker.actor, "organisations", kept.pk, gone.pk, chosen={}, seal=page.context["plan"].seal)


def test_merge_with_what_is_not_there_is_refused(people):
    kept = Organisation.objects.order_by("pk")[0].pk

    with pytest.raises(WebError, match=r"web\.merge_gone"):
        merging.merge(people["broker"].actor, "organisations", kept, "nobody", chosen={}, seal="")


@pytest.mark.parametrize("role", ["visitor", "enterprise", "researcher", "manager", "judge", "auditor"])
def test_merge_is_for_stewards_of_both_places(people, role):
    kept, gone = Organisation.objects.order_by("pk")[:2]
    asked = {"kept": kept.pk, "gone": gone.pk}
    client = people[role].client

    assert client.get(reverse("merge", args=["organisations"]), asked).status_code in (302, 403)
    assert client.post(reverse("merge", args=["organisations"]), asked).status_code in (302, 403)
    assert client.get(reverse("merge_partners", args=["organisations", kept.pk])).status_code in (302, 403)
    assert not Change.objects.exists()


def test_an_officer_does_not_merge_with_another_county(people):
    officer = people["officer"]
    (_, path), = officer.actor.posts  # fmt: skip
    inside = Organisation.objects.filter(place__path__startswith=path).order_by("pk")[0]
    outside = Organisation.objects.exclude(place__path__startswith=path).order_by("pk")[0]
    address = reverse("merge", args=["organisations"])

    assert officer.client.get(address, {"kept": inside.pk, "gone": outside.pk}).status_code == 403
    assert officer.client.post(address, {"kept": inside.pk, "gone": outside.pk}).status_code == 403


def test_partners_page_leads_to_the_preview_of_the_better_record(people):
    broker = people["broker"]
    kept, gone = Organisation.objects.order_by("pk")[:2]
    Organisation.objects.filter(pk=gone.pk).update(state="draft")

    answer = broker.client.get(reverse("merge_partners", args=["organisations", gone.pk]), {"other": kept.pk})

    assert answer.url.endswith(f"?kept={kept.pk}&gone={gone.pk}")
    missing = broker.client.get(reverse("merge_partners", args=["organisations", gone.pk]), {"other": "无此编号"})
    assert "没有这个编号的记录" in missing.content.decode()


def test_merge_is_logged_without_names(people):
    kept, gone = Expert.objects.order_by("pk")[:2]

    merged(people["administrator"].actor, kept, gone)

    entry = LogEntry.objects.get(action="experts.merged")
    assert entry.record_id == kept.pk
    assert kept.name not in str(entry.detail) + "".join(ChangeSet.objects.values_list("note", flat=True))


def test_a_work_is_found_under_the_id_that_it_had_under_the_expert_who_went(people):
    work = Work.objects.order_by("pk")[0]
    kept = Expert.objects.exclude(pk=work.expert_id).order_by("pk")[0]
    Attachment.objects.create(noun="works", record_id=work.pk, name="a.pdf", size=1, sha256="0", media_type="x")

    merged(people["administrator"].actor, kept, work.expert)

    new_id = f"{kept.pk}~{work.work_id}"
    assert people["broker"].client.get(reverse("detail", args=["works", work.pk])).url.endswith(f"/{new_id}/")
    assert Attachment.objects.get().record_id == new_id
