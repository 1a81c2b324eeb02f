"""What was typed is kept: on the way, over the end of a session, beside another's change; and is saved once."""

from django.test import Client

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Draft, Need
from silian.web.catalog.tests.test_entry import typed


def own_need(people):
    return Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]


def test_draft_comes_back_with_a_notice_and_can_be_thrown_away(people):
    need, client = own_need(people), people["enterprise"].client
    address = f"/needs/{need.pk}/edit/"
    sent = typed(client, address) | {"title": "写到一半\U0001f600", "noun": "needs", "record_id": need.pk}

    assert client.post("/drafts/keep/", sent).status_code == 204

    page = client.get(address)
    assert "已恢复您上次未保存的内容" in page.content.decode()
    assert page.context["form"]["title"].value() == "写到一半\U0001f600"
    client.post("/drafts/discard/", {"noun": "needs", "record_id": need.pk})
    assert client.get(address).context["form"]["title"].value() == need.title


def test_draft_goes_when_its_form_is_saved(people):
    need, client = own_need(people), people["enterprise"].client
    address = f"/needs/{need.pk}/edit/"
    sent = typed(client, address) | {"title": "写完了", "noun": "needs", "record_id": need.pk}
    client.post("/drafts/keep/", sent)

    assert client.post(address, sent).status_code == 302

    assert Need.objects.get(pk=need.pk).title == "写完了"
    assert Draft.objects.get(token=sent["token"]).typed == {}
    assert client.get(address).context["restored"] == ""


def test_draft_of_another_is_neither_seen_nor_overwritten(people):
    need = own_need(people)
    sent = typed(people["enterprise"].client, f"/needs/{need.pk}/edit/")
    sent |= {"title": "我的", "noun": "needs", "record_id": need.pk}
    people["enterprise"].client.post("/drafts/keep/", sent)

    answer = people["broker"].client.post("/drafts/keep/", sent | {"title": "别人的"})

    assert answer.status_code == 409
    assert Draft.objects.get(token=sent["token"]).typed["title"] == ["我的"]
    assert people["broker"].client.get(f"/needs/{need.pk}/edit/").context["restored"] == ""


def test_draft_is_kept_only_for_who_may_edit(people):
    need = own_need(people)
    sent = {"noun": "needs", "record_id": need.pk, "token": "x", "title": "偷"}

    assert people["judge"].client.post("/drafts/keep/", sent).status_code == 404
    assert Client().post("/drafts/keep/", sent).status_code == 302
    assert not Draft.objects.exists()


def test_form_sent_after_the_session_ended_comes_back_after_sign_in(people):
    person, client = people["enterprise"], Client()
    need = own_need(people)
    address = f"/needs/{need.pk}/edit/"
    sent = typed(person.client, address) | {"title": "过期时提交"}
    person.user.set_password("a-long-password-1")
    person.user.save()

    login = client.post(address, sent)
    client.post(login.url, {"login": person.user.email, "password": "a-long-password-1"})
    page = client.get(address)

    assert "上次提交时登录已过期" in page.content.decode()
    assert page.context["form"]["title"].value() == "过期时提交"
    assert Need.objects.get(pk=need.pk).title == need.title


def test_form_with_a_stale_token_comes_back_to_be_sent_again(people):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["enterprise"].user)
    need = own_need(people)
    address = f"/needs/{need.pk}/edit/"
    sent = typed(client, address) | {"title": "别处重新登录过"}

    foreign = client.post(address, sent, HTTP_ORIGIN="https://evil.example")
    own = client.post(address, sent, HTTP_ORIGIN="http://testserver")

    assert (foreign.status_code, own.status_code) == (403, 302)
    assert client.get(own.url).context["form"]["title"].value() == "别处重新登录过"
    assert Need.objects.get(pk=need.pk).title == need.title


def test_second_writer_chooses_field_by_field(people):
    need, client = own_need(people), people["enterprise"].client
    address = f"/needs/{need.pk}/edit/"
    sent = typed(client, address) | {"title": "我的题目", "text": "我的内容"}
    change(people["broker"].actor, "needs", [Edit(need.pk, {"title": "他的题目", "budget_cny": 123.0})])

    page = client.post(address, sent)

    assert page.status_code == 409
    assert [d.column.name for d in page.context["both"]] == ["title"]
    assert [d.column.name for d in page.context["theirs"]] == ["budget_cny"]
    hidden = dict(page.context["typed"]) | {"version": page.context["record"].version, "token": sent["token"]}
    chosen = hidden | {"choose-title": "mine", "choose-budget_cny": "theirs", "action": "save"}
    assert client.post(address, chosen).status_code == 302
    now = Need.objects.get(pk=need.pk)
    assert (now.title, now.text, now.budget_cny) == ("我的题目", "我的内容", 123.0)


def test_back_button_changes_the_record_that_the_form_made(people):
    client = people["enterprise"].client
    sent = typed(client, "/needs/new/") | {"title": "第一次", "kind": "technology"}
    made = client.post("/needs/new/", sent).url
    count = Need.objects.count()

    again = client.post("/needs/new/", sent | {"title": "改一下"})

    assert again.url == made
    assert Need.objects.count() == count
    assert Need.objects.get(pk=made.split("/")[2]).title == "改一下"
