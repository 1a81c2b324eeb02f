"""A region goes into the database and comes out as it was."""

import pytest
from polars.testing import assert_frame_equal

from silian.tables import schema
from silian.web.catalog.homes import Home, homes
from silian.web.catalog.models import Expert, Need, Organisation, Work
from silian.web.catalog.tables import table_of


@pytest.mark.parametrize("noun", schema.tables())
def test_read_region_gives_back_every_table_that_write_region_wrote(registry, noun):
    key = list(schema.tables()[noun].key)

    assert_frame_equal(table_of(noun), registry[noun].sort(key))


def test_homes_of_a_work_are_those_of_its_expert(registry):
    work = Work.objects.exclude(expert__org=None).select_related("expert__org").order_by("pk")[0]

    assert (work.owner_id, work.place_id) == (work.expert.owner_id, work.expert.place_id)
    assert work.expert.owner_id == work.expert.org_id


def test_homes_follow_the_organisation_where_a_row_has_no_district(registry):
    org = Organisation.objects.exclude(district=None).order_by("pk")[0]

    found = homes("needs", [{"org_id": org.pk}, {"org_id": None}, {"org_id": org.pk, "district_id": "D9"}])

    assert found == [Home(org.pk, org.district_id), Home("", "region"), Home(org.pk, "D9")]


def test_models_are_made_for_every_noun_of_the_schema(registry):
    assert Need.objects.count() == registry["needs"].height > 0
    assert Expert.objects.count() == registry["experts"].height > 0
