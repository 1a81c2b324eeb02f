"""First steps tick themselves off from what is there; what waits is counted for who may act on it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from silian.web.base import guides
from silian.web.base.models import Place, User
from silian.web.catalog.beside import interests
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import (
    Achievement,
    Booking,
    Claim,
    Draft,
    DuplicatePair,
    Expert,
    Facility,
    Import,
    Need,
    Organisation,
)
from silian.web.conftest import ROLES


def steps(person):
    home = guides.home_of(person.actor)
    return {step.title: step for guide in home.guides for step in guide.steps}


def tasks(person):
    return {task.title: task.number for task in guides.home_of(person.actor).tasks}


def shelves(person):
    return {shelf.title: [line.name for line in shelf.lines] for shelf in guides.home_of(person.actor).shelves}


@pytest.fixture
def org(people):
    return Organisation.objects.get(pk=next(iter(people["enterprise"].actor.orgs)))


@pytest.fixture
def many(people, org):
    """Five hundred needs of the enterprise, with all that pages of it count."""
    first = Need.objects.filter(owner_id=org.pk)[0]
    base = {"org_id": org.pk, "kind": first.kind, "district_id": org.place_id}
    edits = [Edit(f"N-m{n}", base | {"need_id": f"N-m{n}", "title": f"需求 {n}"}) for n in range(500)]
    change(people["broker"].actor, "needs", edits)
    DuplicatePair.objects.create(noun="needs", left_id="N-m1", right_id="N-m2", group_id="N-m1", confidence=0.9)
    Need.objects.filter(pk__startswith="N-m").update(confirmed_on=timezone.localdate() - timedelta(days=170))


def test_the_step_of_the_organisation_is_done_when_its_record_is_whole(people, org):
    broker = people["broker"].actor
    change(broker, "organisations", [Edit(org.pk, {"business": None})])
    before = steps(people["enterprise"])["完善单位信息"]
    whole = {"uscc": "91520500MA6DN12T0X", "industry": "C38", "size": "small", "business": "生产"}
    Organisation.objects.filter(pk=org.pk).update(**whole)

    after = steps(people["enterprise"])["完善单位信息"]

    assert not before.is_done
    assert Organisation.table["business"].label("zh") in before.text
    assert after.is_done


def test_steps_of_needs_follow_the_needs_of_the_organisation(people, org):
    Need.objects.filter(owner_id=org.pk).update(owner_id="")
    none = steps(people["enterprise"])
    need = {"need_id": "N-1", "title": "第一项", "kind": Need.objects.all()[0].kind, "org_id": org.pk, "state": "draft"}
    change(people["broker"].actor, "needs", [Edit("N-1", need)])
    drafted = steps(people["enterprise"])
    change(people["broker"].actor, "needs", [Edit("N-1", {"state": "published"})])
    published = steps(people["enterprise"])

    told = [(s["填写第一项需求"].is_done, s["发布需求"].is_done) for s in (none, drafted, published)]
    assert told == [(False, False), (True, False), (True, True)]


@pytest.mark.parametrize("role", ["broker", "officer", "administrator"])
def test_tables_come_in_first_while_the_registry_is_empty(people, monkeypatch, role):
    filled = steps(people[role])["导入已有的表格"]
    monkeypatch.setattr("silian.web.catalog.guides._counts", lambda *_: {"needs": 0})

    assert (filled.is_done, steps(people[role])["导入已有的表格"].is_done) == (True, False)
    assert filled.url == reverse("imports")
    begins = next(guide for guide in guides.home_of(people[role].actor).guides if guide.title == "工作入门")
    assert begins.steps[0].title == "导入已有的表格"
    assert "导入已有的表格" not in steps(people["leader"])


def test_interests_wait_until_they_are_answered(people, org):
    need = Need.objects.filter(owner_id=org.pk, state="published")[0]
    asked = interests.ask(people["manager"].actor, need)
    before = (tasks(people["enterprise"])["等待答复的意向"], steps(people["enterprise"])["答复别人的意向"].is_done)
    interests.answer(people["enterprise"].actor, asked, agrees=True)

    after = (tasks(people["enterprise"])["等待答复的意向"], steps(people["enterprise"])["答复别人的意向"].is_done)

    assert (before, after) == (("1", False), ("0", True))


def test_somebody_without_an_expert_claims_one_first(people):
    user = User.objects.create_user("new@x.invalid", "a-long-password", name="新人")
    person = type(people["judge"])("new", user, people["judge"].client)
    assert not steps(person)["认领专家记录"].is_done
    taken = User.objects.exclude(expert_id="").values("expert_id")
    expert = Expert.objects.exclude(pk__in=taken).order_by("pk")[0]
    Claim.objects.create(user=user, expert_id=expert.pk)

    assert "等待核实" in steps(person)["认领专家记录"].text
    user.expert_id = expert.pk
    assert steps(person)["认领专家记录"].is_done
    assert "补充业绩" in steps(person)


def test_claims_bookings_and_imports_wait_for_who_may_act_on_them(people):
    far = Place.objects.filter(level="county").exclude(path=people["officer"].actor.paths(["officer"])[0])[0]
    facility = Facility.objects.all()[0]
    Facility.objects.filter(pk=facility.pk).update(place=far, owner_id="")
    begins = timezone.now() + timedelta(days=2)
    Booking.objects.create(
        facility_id=facility.pk,
        by=people["judge"].user,
        from_at=begins,
        until_at=begins + timedelta(hours=1),
        purpose="x",
    )
    Import.objects.create(by=people["broker"].user, name="a.csv", state="ready")

    seen = {role: tasks(people[role]) for role in ("broker", "officer", "enterprise")}

    assert {role: told.get("等待答复的设施预约") for role, told in seen.items()} == {
        "broker": "1", "officer": "0", "enterprise": "0",
    }  # fmt: skip
    assert (seen["broker"]["待确认的导入"], seen["officer"]["待确认的导入"]) == ("1", "0")
    assert "待核实的专家认领" not in seen["enterprise"]


def test_pairs_wait_for_who_may_decide_them_and_no_longer_once_decided(people):
    one, other = Need.objects.order_by("pk")[:2]
    pair = DuplicatePair.objects.create(
        noun="needs", left_id=one.pk, right_id=other.pk, group_id=one.pk, confidence=0.9
    )
    before = tasks(people["broker"])["疑似重复，尚未判断"]
    DuplicatePair.objects.filter(pk=pair.pk).update(decision="different")

    assert (before, tasks(people["broker"])["疑似重复，尚未判断"]) == ("1", "0")
    assert "疑似重复，尚未判断" not in tasks(people["manager"])


def test_a_university_lacks_no_size_and_looks_for_needs(people):
    org = Organisation.objects.get(pk=next(iter(people["manager"].actor.led)))
    Organisation.objects.filter(pk=org.pk).update(uscc="12520000MB1A2B3C4D", size="", business="")

    assert steps(people["manager"])["完善单位信息"].is_done
    assert list(shelves(people["manager"])) == ["最新需求"]


def test_forms_that_are_not_saved_are_their_own_persons(people):
    Draft.objects.create(token="t1", user=people["enterprise"].user, noun="needs", typed={"title": ["x"]})
    Draft.objects.create(token="t2", user=people["broker"].user, noun="needs", typed={})

    assert shelves(people["enterprise"])["没有填完的表单"] == ["新建需求"]
    assert "没有填完的表单" not in shelves(people["broker"])


def test_new_things_are_those_that_a_person_may_see(people):
    newest = Achievement.objects.order_by("-updated_at", "pk")[0]
    Achievement.objects.filter(pk=newest.pk).update(state="draft", title="机密成果")

    for role in ("visitor", "enterprise", "judge"):
        told = shelves(people[role])["最新成果"]
        assert len(told) == 5
        assert "机密成果" not in told


@pytest.mark.parametrize("role", ROLES)
def test_first_page_costs_the_same_with_five_hundred_records(people, many, django_assert_max_num_queries, role):
    with django_assert_max_num_queries(15):
        assert people[role].client.get("/").status_code == 200


def test_what_waits_is_counted_up_to_a_hundred(people, many):
    assert tasks(people["enterprise"])["需要确认的记录"] == "100+"
