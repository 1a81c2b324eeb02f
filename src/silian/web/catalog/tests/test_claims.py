"""One account for an expert: claimed, checked by who knows them, given up; works that are theirs or not."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from silian.errors import WebError
from silian.web.base.actors import actor_of
from silian.web.base.models import LogEntry, Membership, User
from silian.web.catalog.beside import claims
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import ChangeSet, Claim, Expert, Organisation, Work

ORCID = "0000-0002-1825-0097"


@pytest.fixture
def expert(people):
    """An expert whom nobody is, of the manager's organisation, with a work."""
    work = Work.objects.exclude(expert_id=people["researcher"].user.expert_id).order_by("pk")[0]
    org = Organisation.objects.get(pk=next(iter(people["manager"].actor.orgs)))
    Expert.objects.filter(pk=work.expert_id).update(org=org, owner_id=org.pk, orcid=ORCID)
    Work.objects.filter(expert_id=work.expert_id).update(owner_id=org.pk)
    return Expert.objects.select_related("place").get(pk=work.expert_id)


@pytest.fixture
def asked(people, expert):
    """The enterprise's person claims to be the expert."""
    return claims.ask(people["enterprise"].actor, expert, note="工号 7")


def turned(person, claim, verb, **typed):
    return person.client.post(reverse("claim_turn", args=[claim.pk, verb]), typed)


def fresh(person):
    return User.objects.get(pk=person.user.pk)


def test_a_claim_that_is_granted_makes_the_account_the_expert(people, expert):
    people["enterprise"].client.post(reverse("claim", args=[expert.pk]), {"note": "工号 7"})
    claim = Claim.objects.get()
    body = people["manager"].client.get(reverse("claims")).content.decode()

    turned(people["manager"], claim, "grant")

    assert "工号 7" in body
    assert fresh(people["enterprise"]).expert_id == expert.pk
    assert people["enterprise"].client.get(reverse("expert_works", args=[expert.pk])).status_code == 200
    assert set(LogEntry.objects.filter(record_id=expert.pk).values_list("action", flat=True)) >= {
        "claims.ask", "claims.grant",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "verb", "status"),
    [
        ("visitor", "grant", 302), ("judge", "grant", 404), ("auditor", "refuse", 404), ("researcher", "withdraw", 404),
        ("enterprise", "grant", 403), ("enterprise", "refuse", 403), ("manager", "withdraw", 404),
        ("manager", "other", 404),
    ],
)  # fmt: skip
def test_a_claim_is_decided_by_who_may(people, asked, role, verb, status):
    assert turned(people[role], asked, verb, reason="x").status_code == status
    assert Claim.objects.get().state == "asked"
    assert people["manager"].client.get(reverse("claim_turn", args=[asked.pk, "grant"])).status_code == 405


@pytest.mark.parametrize("role", ["manager", "broker", "administrator"])
def test_leaders_of_the_organisation_and_stewards_decide(people, asked, role):
    turned(people[role], asked, "grant")

    assert Claim.objects.get().state == "granted"


def test_who_leads_the_organisation_does_not_decide_on_their_own_claim(people, expert):
    made = claims.ask(people["manager"].actor, expert, note="")

    assert turned(people["manager"], made, "grant").status_code == 403
    assert fresh(people["manager"]).expert_id == ""


def test_a_member_without_the_lead_does_not_decide(people, asked, expert):
    Membership.objects.create(user=people["judge"].user, org_id=expert.owner_id)

    assert turned(people["judge"], asked, "grant").status_code == 404


def test_refusal_needs_a_reason_that_the_claimer_reads(people, asked):
    turned(people["manager"], asked, "refuse")
    without = Claim.objects.get().state
    turned(people["manager"], asked, "refuse", reason="查无此人<b>")

    assert without == "asked"
    assert Claim.objects.get().state == "refused"
    assert "查无此人&lt;b&gt;" in people["enterprise"].client.get(reverse("claims")).content.decode()
    assert fresh(people["enterprise"]).expert_id == ""


@pytest.mark.parametrize("side", ["userinfo", "id_token", ""])
def test_an_orcid_that_the_sign_in_tells_grants_at_once(people, expert, side):
    told = {"orcid": f"https://orcid.org/{ORCID}"}
    SocialAccount.objects.create(
        user=people["enterprise"].user, provider="oidc", uid="1", extra_data={side: told} if side else told
    )

    made = claims.ask(people["enterprise"].actor, expert, note="")

    assert (made.state, made.by_orcid, made.decided_by_id) == ("granted", True, None)
    assert fresh(people["enterprise"]).expert_id == expert.pk


def test_another_orcid_or_a_subject_of_another_issuer_grants_nothing(people, expert):
    told = {"orcid": "0000-0001-5109-3700", "sub": ORCID, "iss": "https://login.example.org"}
    SocialAccount.objects.create(user=people["enterprise"].user, provider="oidc", uid="1", extra_data=told)

    assert claims.ask(people["enterprise"].actor, expert, note="").state == "asked"


def test_one_account_is_one_expert_and_one_expert_one_account(people, expert, asked):
    other = Expert.objects.select_related("place").exclude(pk__in=[expert.pk, people["researcher"].user.expert_id])[0]
    second = claims.ask(people["judge"].actor, expert, note="")
    with pytest.raises(WebError, match=r"claim\.other"):
        claims.ask(people["enterprise"].actor, other, note="")
    claims.grant(people["manager"].actor, asked)

    with pytest.raises(WebError, match=r"claim\.taken"):
        claims.grant(people["manager"].actor, second)
    with pytest.raises(WebError, match=r"claim\.taken"):
        claims.ask(people["auditor"].actor, expert, note="")
    with pytest.raises(WebError, match=r"claim\.other"):
        claims.ask(actor_of(fresh(people["enterprise"])), other, note="")
    with pytest.raises(WebError, match=r"claim\.state"):
        claims.grant(people["manager"].actor, asked)

    assert User.objects.filter(expert_id=expert.pk).count() == 1


def test_a_second_click_asks_once(people, expert):
    for _ in range(2):
        people["enterprise"].client.post(reverse("claim", args=[expert.pk]), {"note": ""})

    assert Claim.objects.count() == 1


def test_withdrawn_and_released_claims_leave_the_expert_free(people, expert, asked):
    turned(people["enterprise"], asked, "withdraw")
    again = claims.ask(people["enterprise"].actor, expert, note="")
    claims.grant(people["manager"].actor, again)

    people["enterprise"].client.post(reverse("claim_release"))

    assert fresh(people["enterprise"]).expert_id == ""
    assert list(Claim.objects.order_by("pk").values_list("state", flat=True)) == ["withdrawn", "released"]
    assert claims.may_claim(people["judge"].actor, expert)


def test_an_expert_that_may_not_be_seen_cannot_be_claimed(people, expert):
    change(people["broker"].actor, "experts", [Edit(expert.pk, {"state": "withdrawn"})])

    assert people["enterprise"].client.post(reverse("claim", args=[expert.pk]), {"note": ""}).status_code == 404


def test_claims_of_others_and_their_addresses_are_for_deciders_alone(people, asked):
    address = people["enterprise"].user.email

    seen = {r for r, p in people.items() if address in p.client.get(reverse("claims")).content.decode()}

    assert {"manager", "broker", "administrator"} <= seen
    assert not seen & {"visitor", "judge", "auditor", "researcher"}


# ── works ──


def typed(**changed):
    return {"kind": "paper", "title": "涂层附着力", "year": "2024", "role": "", "doi": "", "text": "", **changed}


def test_a_struck_work_is_gone_and_comes_back(people):
    mine = people["researcher"].user.expert_id
    work = Work.objects.filter(expert_id=mine).order_by("pk")[0]
    address = reverse("expert_works_strike", args=[mine])

    for _ in range(2):
        assert people["researcher"].client.post(address, {"work": work.pk}).status_code == 302
    gone = not Work.objects.filter(pk=work.pk).exists()
    made = ChangeSet.objects.get(note="不是本人的业绩")
    people["researcher"].client.post(reverse("change_set_undo", args=[made.pk]))

    assert gone
    assert Work.objects.filter(pk=work.pk).exists()


def test_works_of_others_are_not_mine_to_strike_or_to_add_to(people, expert):
    work = Work.objects.filter(expert=expert).order_by("pk")[0]
    mine = people["researcher"].user.expert_id

    assert people["researcher"].client.post(reverse("expert_works", args=[expert.pk]), typed()).status_code == 403
    strike = reverse("expert_works_strike", args=[expert.pk])
    assert people["researcher"].client.post(strike, {"work": work.pk}).status_code == 403
    people["researcher"].client.post(reverse("expert_works_strike", args=[mine]), {"work": work.pk})

    assert Work.objects.filter(pk=work.pk).exists()


def test_a_work_of_a_doi_that_is_known_is_the_same_work(people, expert):
    mine = people["researcher"].user.expert_id
    theirs = Work.objects.filter(expert=expert).order_by("pk")[0]
    Work.objects.filter(pk=theirs.pk).update(doi="10.1000/ABC123")
    address = reverse("expert_works", args=[mine])

    people["researcher"].client.post(address, typed(doi="https://doi.org/10.1000/abc123"))
    second = people["researcher"].client.post(address, typed(doi="10.1000/abc123"))

    assert Work.objects.get(expert_id=mine, doi="10.1000/abc123").work_id == theirs.work_id
    assert second.status_code == 400
    assert "已在列" in second.content.decode()  # claim.work


@pytest.mark.parametrize(
    "wrong",
    [{"doi": "not a doi"}, {"year": "1700"}, {"year": "x"}, {"title": ""}, {"kind": "none"}, {"title": "长" * 301}],
)
def test_a_work_that_is_typed_wrong_stays_on_the_page(people, wrong):
    mine = people["researcher"].user.expert_id
    before = Work.objects.count()

    answer = people["researcher"].client.post(reverse("expert_works", args=[mine]), typed(**wrong))

    assert answer.status_code == 400
    assert "有几处需要修改" in answer.content.decode()
    assert Work.objects.count() == before


def test_pages_of_claims_take_a_fixed_number_of_queries(people, expert, asked, django_assert_max_num_queries):
    for number in range(12):
        user = User.objects.create_user(f"c{number}@demo.invalid", None, name="某")
        claims.ask(actor_of(user), expert, note="")

    for role, address in (("manager", reverse("claims")), ("broker", reverse("claims"))):
        people[role].client.get(address)
        with django_assert_max_num_queries(12):
            assert people[role].client.get(address).status_code == 200
