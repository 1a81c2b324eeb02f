"""Personal data: all of it seen and taken out, consent given and withdrawn, and nothing left when it is erased."""

import io
import json

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from silian.web.base import audit, personal
from silian.web.base.models import Consent, Erasure, Invitation, LogEntry, Membership, Post, User
from silian.web.catalog.changing import Edit, change, undo
from silian.web.catalog.models import Change, ChangeSet, Expert, Import, ImportRow, Interest, Need, Organisation

PASSWORD = "a-long-password-of-mine"
NAME, EMAIL = "欧阳娜娜🧪", "ouyang@x.invalid"


@pytest.fixture
def own(people):
    """Somebody who has left a trace everywhere, signed in with a password, and is the first expert."""
    expert = Expert.objects.exclude(org=None).order_by("pk")[0]
    user = User.objects.create_user(EMAIL, PASSWORD, name=NAME, expert_id=expert.pk)
    Membership.objects.create(user=user, org_id=expert.owner_id)
    Post.objects.create(user=user, role="judge", place=expert.place)
    Invitation.objects.create(
        email=EMAIL.upper(), name=NAME, role="member", org_id=expert.owner_id,
        expires_at=timezone.now() + timezone.timedelta(days=1),
    )  # fmt: skip
    actor = personal.actor_of(user)
    change(actor, "experts", [Edit(expert.pk, {"name": NAME, "profile": "我的简介：" + NAME})])
    change(actor, "experts", [Edit(expert.pk, {"free": 3})])
    client = Client()
    client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    need = Need.objects.exclude(owner_id=expert.owner_id).filter(state="published").order_by("pk")[0]
    client.post(reverse("interest_ask", args=["needs", need.pk]))
    client.post(reverse("personal_consent", args=["contact"]), {"is_given": "yes"})
    return client


def erase(client, **given):
    return client.post(reverse("personal_erase"), {"is_meant": "on", "expert": "anonymise"} | given)


def everything() -> str:
    """Every value of every table of the database, as one text."""
    rows = (row for model in apps.get_models() for row in model._base_manager.all().values_list())
    return "\n".join(json.dumps([str(value) for value in row], ensure_ascii=False) for row in rows)


def test_every_reference_to_an_account_is_judged():
    assert set(personal.referring()) == set(personal.KINDS)
    for name, relation in personal.referring().items():
        goes = relation.on_delete is models.CASCADE
        assert goes == (not personal.KINDS[name].kept), name
        assert goes or relation.on_delete is models.SET_NULL, name
        columns = {f.name for f in relation.related_model._meta.get_fields()}
        assert set(personal.KINDS[name].columns) <= columns, name


def test_every_address_in_the_database_is_judged():
    found = {
        f"{m._meta.label_lower}.{f.name}" for m in apps.get_models() for f in m._meta.get_fields()
        if isinstance(f, models.EmailField) or getattr(f, "name", "") in ("email", "phone", "mobile")
    }  # fmt: skip

    # an account's own addresses; of invitations, which go with the account of the address
    assert found == {"base.user.email", "account.emailaddress.email", "base.invitation.email"}


def test_personal_page_shows_everything_and_costs_the_same_with_many(own, django_assert_max_num_queries):
    user = User.objects.get(email=EMAIL)
    LogEntry.objects.bulk_create(LogEntry(who=user.pseudonym, action="t.e") for _ in range(300))

    with django_assert_max_num_queries(45):
        answer = own.get(reverse("personal"))

    text = answer.content.decode()
    for told in (NAME, EMAIL, user.pseudonym, "评委", "127.0.0.1", "我的简介"):
        assert told in text, told


def test_personal_page_is_for_oneself(client, db):
    assert client.get(reverse("personal")).status_code == 302
    assert client.get(reverse("personal_export", args=["json"])).status_code == 302
    assert client.get(reverse("personal_erase")).status_code == 302


def test_personal_export_holds_the_same_in_both_forms_and_no_secret(own):
    User.objects.filter(email=EMAIL).update(name="=HYPERLINK(1)")

    told = own.get(reverse("personal_export", args=["json"])).content.decode()
    book = load_workbook(io.BytesIO(own.get(reverse("personal_export", args=["xlsx"])).content))

    parts = json.loads(told)
    assert len(parts) == len(book.sheetnames)
    assert [len(rows) for rows in parts.values()][:-1] == [book[name].max_row - 1 for name in book.sheetnames][:-1]
    cells = [cell for row in book[book.sheetnames[0]].iter_rows() for cell in row]
    assert "=HYPERLINK(1)" in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    user = User.objects.get(email=EMAIL)
    keys = Session.objects.values_list("session_key", flat=True)
    for secret in (user.password, *keys):
        assert secret not in told
    assert LogEntry.objects.filter(who=user.pseudonym, action="people.export").count() == 2
    assert own.get(reverse("personal_export", args=["exe"])).status_code == 404


def test_correct_changes_the_name_and_keeps_what_was_typed_wrong(own):
    assert own.post(reverse("personal"), {"name": "欧阳", "language": "en"}).status_code == 302
    assert User.objects.get(email=EMAIL).name == "欧阳"

    wrong = own.post(reverse("personal"), {"name": "abc\u202edef", "language": "zh-hans"})

    assert wrong.status_code == 400
    assert "看不见的字符" in wrong.content.decode() or "invisible" in wrong.content.decode()
    assert User.objects.get(email=EMAIL).name == "欧阳"


def test_consent_is_given_withdrawn_and_given_again_with_its_dates(own):
    address, user = reverse("personal_consent", args=["contact"]), User.objects.get(email=EMAIL)
    own.post(address, {"is_given": "yes"})
    own.post(address, {"is_given": "no"})
    own.post(address, {"is_given": "no"})
    own.post(address, {"is_given": "yes"})

    rows = list(Consent.objects.filter(user=user, purpose="contact").order_by("pk"))
    assert [row.withdrawn_at is None for row in rows] == [False, True]
    told = LogEntry.objects.filter(who=user.pseudonym, action__startswith="consent.").order_by("pk")
    assert [entry.action for entry in told] == ["consent.give", "consent.withdraw", "consent.give"]
    assert own.post(reverse("personal_consent", args=["ghosts"])).status_code == 404
    assert own.get(address).status_code == 405


def test_erase_leaves_nothing_that_tells_of_the_person_anywhere(own):
    user = User.objects.get(email=EMAIL)
    expert = Expert.objects.get(pk=user.expert_id)
    old_name = Change.objects.filter(record_id=expert.pk, noun="experts").order_by("pk")[0].before["name"]

    answer = erase(own)

    cache.clear()
    everywhere = everything()
    assert "/receipts/" in answer.url
    for gone in (NAME, EMAIL, EMAIL.upper(), "我的简介", user.password):
        assert gone not in everywhere, gone
    assert old_name not in [row.before["name"] for row in Change.objects.filter(record_id=expert.pk, noun="experts")]
    assert user.pseudonym in everywhere
    expert.refresh_from_db()
    assert (expert.name, expert.state, expert.profile) == ("已注销的专家", "withdrawn", "")
    assert not any(s.get_decoded().get("_auth_user_id") == str(user.pk) for s in Session.objects.all())


def test_erase_keeps_changes_and_log_under_the_pseudonym_and_the_chain_whole(own):
    user = User.objects.get(email=EMAIL)
    audit.seal()
    before = LogEntry.objects.filter(who=user.pseudonym).count()

    erase(own)

    assert audit.check().finding == ""
    assert LogEntry.objects.filter(who=user.pseudonym).count() > before
    assert LogEntry.objects.filter(who=user.pseudonym, action="people.erase").exists()
    made = ChangeSet.objects.filter(pseudonym=user.pseudonym)
    assert made.count() == 3
    assert not made.exclude(by=None).exists()
    assert Interest.objects.get(pseudonym=user.pseudonym).state == "withdrawn"


def test_undo_after_erasure_does_not_bring_the_name_back(own, people):
    user = User.objects.get(email=EMAIL)
    erase(own)

    undo(people["broker"].actor, ChangeSet.objects.filter(pseudonym=user.pseudonym).order_by("-pk")[0])

    assert Expert.objects.get(pk=user.expert_id).name == "已注销的专家"


@pytest.mark.parametrize(("wish", "state"), [("withdraw", "withdrawn"), ("keep", "published")])
def test_erase_does_to_the_record_of_the_expert_what_the_person_wants(own, wish, state):
    erase(own, expert=wish)

    expert = Expert.objects.get(name=NAME)
    assert expert.state == state


def test_erase_ends_every_session_and_the_sign_in(own):
    other = Client()
    other.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert other.get(reverse("personal")).status_code == 200

    erase(own)

    assert own.get(reverse("personal")).status_code == 302
    assert other.get(reverse("personal")).status_code == 302
    again = Client().post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert again.status_code == 200


def test_erase_asks_for_the_password_and_for_the_mark_first(own, people):
    assert "reauthenticate" in people["judge"].client.get(reverse("personal_erase")).url
    assert "reauthenticate" in people["judge"].client.post(reverse("personal_erase"), {"is_meant": "on"}).url
    wrong = own.post(reverse("personal_erase"), {"expert": "keep"})

    assert wrong.status_code == 400
    assert User.objects.filter(email=EMAIL).exists()
    assert User.objects.filter(email="judge@demo.invalid").exists()


def test_receipt_tells_what_is_gone_and_kept_and_can_be_proved(own):
    address = erase(own).url

    page = Client().get(address).content.decode()
    file = Client().get(address, {"download": ""}).content.decode()

    erasure = Erasure.objects.get()
    for told in (erasure.number, "已删除", "保留", "操作日志"):
        assert told in page
        assert told in file
    assert NAME not in file
    assert Client().get(address.replace(erasure.number, "20200101-00000000")).status_code == 404
    assert Client().get(address[:-3] + "xx/").status_code == 404
    Erasure.objects.update(text=erasure.text.replace("账户", "帐户"))
    assert Client().get(address).status_code == 404


def test_erase_leaves_the_records_of_the_organisation(own):
    before = Organisation.objects.count()

    erase(own)

    assert Organisation.objects.count() == before


def test_erase_deletes_the_files_of_imports_that_named_the_expert(own, people, django_capture_on_commit_callbacks):
    expert = Expert.objects.get(name=NAME)
    named, other = (Import(by=people["broker"].user, name="experts.csv", state="done") for _ in range(2))
    for made, record_id in ((named, expert.pk), (other, "E-other")):
        made.file.save("experts.csv", ContentFile(f"expert_id,name\n{record_id},{NAME}\n".encode()))
        ImportRow.objects.create(
            brought=made, noun="experts", record_id=record_id, what="change", values={"name": NAME}
        )
    storage, name = named.file.storage, named.file.name

    with django_capture_on_commit_callbacks(execute=True):
        erase(own)

    assert not storage.exists(name)
    assert storage.exists(other.file.name)
    assert Import.objects.get(pk=named.pk).file.name == ""
