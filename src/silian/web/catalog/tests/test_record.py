"""The page of a record: what belongs to it, what may be done with it, always the same number of queries."""

import pytest

from silian.web.catalog.models import MODELS, Need, Organisation
from silian.web.catalog.records.queries import FACES
from silian.web.conftest import ROLES


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("noun", FACES)
def test_detail_page_answers_every_role(people, noun, role):
    record = MODELS[noun].objects.order_by("pk")[0]

    assert people[role].client.get(f"/{noun}/{record.pk}/").status_code == 200


def test_detail_page_asks_as_often_for_many_as_for_few(people, django_assert_max_num_queries):
    org = Organisation.objects.order_by("pk")[0]
    shared = {"org": org, "kind": "technology", "owner_id": org.pk, "place": org.place}
    asked = []

    for numbers in (range(10), range(10, 500)):
        Need.objects.bulk_create([Need(need_id=f"X{i}", title=f"需求{i}", **shared) for i in numbers])
        with django_assert_max_num_queries(15) as queries:
            page = people["broker"].client.get(f"/organisations/{org.pk}/")
        asked.append(len(queries))
        assert f"全部 {Need.objects.filter(org=org).count()} 项" in page.content.decode()

    assert asked[0] == asked[1]
