"""What a list shows goes out as a file, no cell more, and comes in again without a change."""

from __future__ import annotations

import io
import string
import zipfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from silian.web.base.models import LogEntry
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.exchange import exports
from silian.web.catalog.models import MODELS, Achievement, Export, Import, Need
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.tasks import ask, export_task, import_task

FORMS = ("xlsx", "csv", "parquet")


def taken(person, noun, form="csv", asked=""):
    """The file that a person takes from a list."""
    answer = person.client.post(reverse("export_make", args=[noun]), {"form": form, "asked": asked})
    assert answer.status_code == 200, answer
    return b"".join(answer.streaming_content)


def brought(person, content, name):
    made = Import(by=person.user, name=name)
    made.file.save(f"file.{name.rsplit('.')[-1]}", ContentFile(content))
    ask(made, Import.State.READING)
    import_task.call(made.pk)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("noun", FACES)
def test_export_comes_in_again_without_a_change(people, noun, form):
    content = taken(people["administrator"], noun, form)

    made = brought(people["administrator"], content, f"{noun}.{form}")

    assert (made.state, list(made.rows.values_list("record_id", "values")), made.wrong - made.blocked >= 0) == (
        "ready", [], True,
    )  # fmt: skip
    assert made.same + made.blocked == MODELS[noun].objects.count()


TEXT = st.text(st.one_of(st.sampled_from(string.printable + "=+-@'\"；;|\\％　中文🎉_x0041_\u0301"), st.characters(
    exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"))), max_size=40)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(FORMS), title=TEXT, text=TEXT, numbers=st.lists(TEXT, max_size=4), trl=st.integers(1, 9),
    price=st.floats(0, 1e15), day=st.dates(date(1000, 1, 1), date(9999, 12, 31)),
)  # fmt: skip
def test_export_of_any_values_comes_in_again_without_a_change(people, form, title, text, numbers, trl, price, day):
    own = Achievement.objects.order_by("pk")[0]
    values = {
        "title": title.strip("\x0b\x0c\x1c\x1d\x1e\x1f\x85 \t\r\n\u3000") or "名", "text": text.strip(), "trl": trl,
        "ip_numbers": [n.strip() for n in numbers if n.strip()] or None, "price_cny": price,
        "valid_until_on": day.isoformat(),
    }  # fmt: skip
    values = {name: _clean(value) for name, value in values.items()}
    change(people["administrator"].actor, "achievements", [Edit(own.pk, values)])

    made = brought(people["administrator"], taken(people["administrator"], "achievements", form), f"成果.{form}")

    assert list(made.rows.values_list("record_id", "before", "values")) == []


def _clean(value):
    """Texts as the registry keeps them: no control characters, nothing around them."""
    if isinstance(value, list):
        return [part for part in (_clean(v) for v in value) if part] or None
    if isinstance(value, str):
        return "".join(c for c in value if c.isprintable() or c == "\n").strip(" \n\u3000") or "名"
    return value


def test_export_holds_exactly_what_is_filtered(people):
    field = Need.objects.exclude(field="").order_by("pk")[0].field

    rows = pl.read_parquet(io.BytesIO(taken(people["broker"], "needs", "parquet", f"field={field}")))

    assert set(rows["need_id"]) == set(Need.objects.filter(field=field).values_list("pk", flat=True))


@pytest.mark.parametrize("form", FORMS)
def test_export_withholds_cells_by_tier_and_says_how_many(people, form):
    need = Need.objects.filter(budget_cny__isnull=False, state="published").order_by("pk")[0]
    change(people["broker"].actor, "needs", [Edit(need.pk, {"budget_cny": 123456789.0, "not_wanted": "不可外传"})])

    content = taken(people["judge"], "needs", form)

    receipt = Export.objects.get()
    assert receipt.rows == Need.objects.filter(state="published").count()
    assert receipt.withheld >= 2
    if form == "parquet":
        rows = pl.read_parquet(io.BytesIO(content))
        assert rows["budget_cny"].null_count() == rows.height
    else:
        text = _text(content, form)
        assert "123456789" not in text
        assert "不可外传" not in text
        assert need.pk in text


def _text(content, form):
    if form == "csv":
        return content.decode("utf-8-sig")
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return str([book.get_sheet_by_name(name).to_python() for name in book.sheet_names])


def test_export_lacks_drafts_of_others(people):
    need = Need.objects.order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(state="draft")

    assert need.pk not in _text(taken(people["judge"], "needs"), "csv")
    assert need.pk in _text(taken(people["administrator"], "needs"), "csv")


def test_export_makes_no_formula_of_a_text(people):
    own = Achievement.objects.order_by("pk")[0]
    change(people["broker"].actor, "achievements", [Edit(own.pk, {"title": '=HYPERLINK("http://x","点")'})])

    assert "'=HYPERLINK" in _text(taken(people["broker"], "achievements"), "csv")
    package = zipfile.ZipFile(io.BytesIO(taken(people["broker"], "achievements", "xlsx")))
    assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")


def test_export_is_logged_with_the_number_of_its_rows(people):
    taken(people["broker"], "achievements")

    entry = LogEntry.objects.get(action="achievements.export")
    assert entry.detail["rows"] == Achievement.objects.count()


def test_large_export_is_made_in_the_background_for_its_owner_alone_and_for_a_week(people, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 3)
    broker, other = people["broker"], people["officer"]
    answer = broker.client.post(reverse("export_make", args=["achievements"]), {"form": "csv", "asked": ""})
    made = Export.objects.get()
    assert (answer.status_code, made.state) == (302, "waiting")

    export_task.call(made.pk)

    address = reverse("export_file", args=[made.pk])
    answer = broker.client.get(address)
    assert b"".join(answer.streaming_content)
    assert other.client.get(address).status_code == 404
    assert "成果" in broker.client.get(reverse("exports")).content.decode()
    Export.objects.update(at=timezone.now() - timedelta(days=8))
    assert broker.client.get(address).status_code == 404
    exports.sweep()
    made.refresh_from_db()
    assert (made.state, made.file.name) == ("expired", "")


def test_region_goes_out_as_an_archive_and_comes_in_without_a_change(people):
    admin = people["administrator"]
    admin.client.post(reverse("export_region"), {"form": "csv"})
    made = Export.objects.get()
    export_task.call(made.pk)
    made.refresh_from_db()

    again = brought(admin, Path(made.file.path).read_bytes(), "区域.zip")

    assert list(again.rows.values_list("noun", "record_id", "values")) == []
    assert again.same + again.blocked == made.rows == sum(m.objects.count() for m in MODELS.values())


def test_region_of_an_officer_holds_the_place_alone(people):
    officer = people["officer"]
    officer.client.post(reverse("export_region"), {"form": "parquet"})
    made = Export.objects.get()
    export_task.call(made.pk)
    made.refresh_from_db()

    package = zipfile.ZipFile(io.BytesIO(Path(made.file.path).read_bytes()))
    needs = pl.read_parquet(io.BytesIO(package.read("needs.parquet")))
    path = officer.actor.paths(["officer"])[0]
    assert set(needs["need_id"]) == set(Need.objects.filter(place__path__startswith=path).values_list("pk", flat=True))


def test_region_is_not_for_members(people):
    assert people["enterprise"].client.post(reverse("export_region"), {"form": "csv"}).status_code == 403


def test_export_that_does_not_fit_says_so(people):
    own = Achievement.objects.order_by("pk")[0]
    Achievement.objects.filter(pk=own.pk).update(text="长" * 40_000)

    answer = people["broker"].client.post(reverse("export_make", args=["achievements"]), {"form": "xlsx"}, follow=True)

    assert Export.objects.get().code == "web.cell_small"
    assert "请改用 CSV 或 Parquet" in answer.content.decode()


def test_export_that_the_disk_refuses_says_that_it_failed(people, monkeypatch, tmp_path):
    made = Export.objects.create(by=people["broker"].user, noun="achievements", form="csv")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))

    export_task.call(made.pk)

    made.refresh_from_db()
    assert (made.state, made.code) == ("failed", "web.export_failed")


def test_small_export_that_ends_on_its_way_leaves_nothing_that_waits(people, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))

    with pytest.raises(FileNotFoundError):
        people["broker"].client.post(reverse("export_make", args=["needs"]), {"form": "csv"})

    assert not Export.objects.exists()


@pytest.mark.parametrize(("noun", "form"), [("needs", "exe"), ("nothing", "csv"), ("relations", "csv")])
def test_export_of_what_is_not_there_is_not_found(people, noun, form):
    assert people["broker"].client.post(reverse("export_make", args=[noun]), {"form": form}).status_code == 404


def test_export_page_costs_the_same_with_many(people, django_assert_max_num_queries):
    for _ in range(40):
        Export.objects.create(by=people["broker"].user, noun="needs", state="ready")

    with django_assert_max_num_queries(12):
        people["broker"].client.get(reverse("exports"))
