"""Forms of the registry: what is typed is saved as it is meant or told to be wrong, and never lost."""

import pytest
from django.utils import timezone

from silian.web.catalog.models import MODELS, Change, Need
from silian.web.catalog.queries import FACES


def typed(client, address):
    """What a form shows, as a browser would send it back."""
    shown = client.get(address).context
    values = {field.html_name: field.value() for field in shown["form"]}
    sent = {name: value for name, value in values.items() if value not in (None, [])}
    return sent | {"token": shown["token"], "version": shown["version"], "action": "save"}


@pytest.mark.parametrize("noun", FACES)
def test_edit_page_saves_what_it_shows_as_it_was(people, noun):
    record = MODELS[noun].objects.order_by("pk")[0]
    client, address = people["administrator"].client, f"/{noun}/{record.pk}/edit/"

    answer = client.post(address, typed(client, address))

    assert answer.status_code == 302, answer.context["form"].errors
    assert not Change.objects.exists()


@pytest.mark.parametrize("noun", FACES)
def test_create_page_opens_for_who_may_fill_it_in(people, noun):
    seen = {
        role: people[role].client.get(f"/{noun}/new/").status_code for role in ("visitor", "administrator", "judge")
    }

    assert seen == {"visitor": 302, "administrator": 200, "judge": 403}


def test_create_makes_one_record_however_often_it_is_sent(people):
    client = people["enterprise"].client
    sent = typed(client, "/needs/new/") | {"title": "丝杠降噪", "kind": "technology", "action": "publish"}
    count = Need.objects.count()

    first, second = (client.post("/needs/new/", sent) for _ in range(2))

    assert (first.status_code, first.url) == (302, second.url)
    assert Need.objects.count() == count + 1
    made = Need.objects.get(pk=first.url.split("/")[2])
    assert (made.title, made.state, made.owner_id) == (
        "丝杠降噪",
        "published",
        next(iter(people["enterprise"].actor.orgs)),
    )
    assert made.pk == f"N-{timezone.localdate().year}-0001"
    assert made.sources["*"]["source"] == "owner"
