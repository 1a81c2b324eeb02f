"""Whatever an imported id holds, its record has an address."""

import pytest
from django.urls import resolve, reverse
from hypothesis import given
from hypothesis import strategies as st

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Need

ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(ids)
def test_an_address_leads_back_to_the_id(record_id):
    from urllib.parse import unquote

    found = resolve(unquote(reverse("detail", args=["needs", record_id])))

    assert found.kwargs["record_id"] == record_id


@pytest.mark.parametrize("record_id", ["a/b", "..", ".", "国发〔2026〕1/2号", "a!b", "x\\y", "?q=1", "#top", "100%"])
def test_a_record_with_an_odd_id_has_pages(people, record_id):
    change(people["broker"].actor, "needs", [Edit(record_id, {"need_id": record_id, "title": "怪编号"}, 0)])
    Need.objects.filter(pk=record_id).update(state="published")

    assert "怪编号" in people["visitor"].client.get(reverse("detail", args=["needs", record_id])).content.decode()
    assert people["broker"].client.get(reverse("edit", args=["needs", record_id])).status_code == 200
    assert people["visitor"].client.get("/needs/").status_code == 200


def test_an_organisation_with_an_odd_id_has_a_page_of_members(people):
    row = {"org_id": "甲/乙", "name": "怪编号有限公司", "kind": "enterprise"}
    change(people["administrator"].actor, "organisations", [Edit("甲/乙", row, 0)])

    assert "怪编号" in people["administrator"].client.get(reverse("members", args=["甲/乙"])).content.decode()
    assert people["administrator"].client.get(reverse("organisations")).status_code == 200
