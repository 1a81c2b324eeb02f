"""A file is read, shown change by change, taken in as far as it is right and allowed, and undone."""

from __future__ import annotations

import io
import zipfile

import polars as pl
import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from silian.tables import schema
from silian.web.base.models import LogEntry
from silian.web.catalog.changing import Edit, change, plain
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import Achievement, Expert, Import, ImportRow, Make, Need, Organisation, Product, Work
from silian.web.catalog.tables import table_of
from silian.web.catalog.tasks import ask, import_task


def brought(person, text, *, name="achievements.csv", deletes=False, noun=""):
    """A file that a person brought, read by the worker."""
    content = text if isinstance(text, bytes) else text.encode()
    made = Import(by=person.user, name=name, noun=noun, deletes=deletes)
    made.file.save(f"file.{name.rsplit('.')[-1]}", ContentFile(content))
    return worked(made)


def worked(made, state=None, **values):
    """An import after the worker has done what it waits for."""
    if state:
        ask(made, state, **values)
    import_task.call(made.pk)
    made.refresh_from_db()
    return made


def applied(made):
    return worked(made, Import.State.APPLYING)


def undone(made, **values):
    return worked(made, Import.State.UNDOING, **values)


def rows(made):
    return [(r.what, r.record_id, r.state, r.why) for r in made.rows.order_by("pk")]


def first(model, **given):
    return model.objects.filter(**given).order_by("pk")[0]


def test_import_shows_additions_and_changes_and_writes_nothing_before_it_is_told(people):
    known = first(Achievement)

    text = f"成果编号,成果名称,技术成熟度\nNEW1,新成果,5\n{known.pk},改名,{known.trl or ''}\n"
    made = brought(people["broker"], text)

    assert made.state == "ready"
    assert rows(made) == [("add", "NEW1", "taken", ""), ("change", known.pk, "taken", "")]
    assert made.rows.get(what="change").before == {"title": known.title}
    assert (first(Achievement).title, Achievement.objects.filter(pk="NEW1").exists()) == (known.title, False)


def test_import_is_applied_and_undone_as_a_whole(people):
    before = {a.pk: plain(a) for a in Achievement.objects.all()}
    known = first(Achievement)
    made = brought(people["broker"], f"achievement_id,title\nNEW1,新成果\n{known.pk},改名\n")

    applied(made)
    assert made.state == "done"
    assert Achievement.objects.get(pk="NEW1").title == "新成果"
    assert first(Achievement).title == "改名"
    source = Achievement.objects.get(pk="NEW1").sources["*"]
    assert first(Achievement).sources == before[known.pk]["sources"] | {"title": source}
    assert source["source"] == "achievements.csv"

    undone(made)
    assert made.state == "undone"
    assert {a.pk: plain(a) for a in Achievement.objects.all()} == before
    assert LogEntry.objects.filter(action="import.undo", who=people["broker"].actor.pseudonym).exists()


def test_import_of_the_same_file_again_changes_nothing(people):
    text = "achievement_id,title,trl,price_cny\nNEW1,新成果,5,12.3万元\n"
    applied(brought(people["broker"], text))

    again = brought(people["broker"], text)

    assert (again.state, rows(again), again.same) == ("ready", [], 1)


def test_import_leaves_columns_that_the_file_lacks_and_empties_empty_cells(people):
    known = first(Achievement, price_cny__isnull=False)

    applied(brought(people["broker"], f"achievement_id,price_cny\n{known.pk},\n"))

    after = Achievement.objects.get(pk=known.pk)
    assert (after.price_cny, after.title) == (None, known.title)


def test_import_leaves_out_the_rows_with_problems_and_takes_the_others(people):
    text = "achievement_id,title,trl\nA-1,对,5\nA-2,错,十一\nA-3,,4\nA-4,越界,11\nA-1,重复,2\n"
    made = brought(people["broker"], text)

    assert rows(made) == [("add", "A-1", "taken", "")]
    assert made.blocked == 4
    blocking = made.problems.filter(is_blocking=True).order_by("row")
    assert [(p.row, p.column, p.code, p.found) for p in blocking] == [
        (3, "trl", "check.type", "十一"),
        (4, "title", "check.empty", ""),
        (5, "trl", "check.range", "11"),
        (6, "achievement_id", "check.duplicate", "A-1"),
    ]


def test_import_takes_a_change_beside_a_problem_that_the_registry_has_already(people):
    known = first(Achievement)
    change(people["broker"].actor, "achievements", [Edit(known.pk, {"ipc": ["不是分类号"]})])

    made = brought(people["broker"], f"achievement_id,title,ipc\n{known.pk},改名,不是分类号\n")

    assert rows(made) == [("change", known.pk, "taken", "")]


def test_import_hands_back_the_rows_with_problems_to_be_repaired(people):
    made = brought(people["broker"], "成果编号,成果名称,技术成熟度\nA-1,对,5\nA-2,=错,十一\n")
    response = people["broker"].client.get(reverse("import_faulty", args=[made.pk]))
    content = b"".join(response.streaming_content)
    cells = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    faulty = pl.DataFrame(cells[1:], schema=cells[0], orient="row")

    assert faulty.columns == ["成果编号", "成果名称", "技术成熟度", "问题"]
    assert faulty.row(0)[:3] == ("A-2", "=错", "十一")
    assert faulty["问题"][0].startswith("技术成熟度：")

    repaired = faulty.with_columns(pl.lit("6").alias("技术成熟度"))
    book = io.BytesIO()
    repaired.write_excel(book, worksheet="成果")
    again = brought(people["broker"], book.getvalue(), name="改好.xlsx")
    assert (rows(again), again.wrong) == ([("add", "A-2", "taken", "")], 0)


def test_import_refers_to_rows_of_the_same_file_and_leaves_out_what_refers_to_wrong_ones(people):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as opened:
        opened.writestr("表/专家.csv", "expert_id,name,org_id\nEX1,张三,ORG1\nEX2,李四,ORG2\n")
        opened.writestr("表/organisations.csv", "org_id,name,kind,parent_org_id\nORG1,子公司,enterprise,ORG0\n"
                        "ORG0,集团,enterprise,\nORG2,无类型,,\n")  # fmt: skip

    made = brought(people["administrator"], package.getvalue(), name="全部.zip")

    assert [r[1] for r in rows(made)] == ["ORG0", "ORG1", "EX1"]
    assert made.problems.filter(noun="experts", code="check.unknown", found="ORG2", is_blocking=True).exists()
    applied(made)
    assert Expert.objects.get(pk="EX1").org.parent_org_id == "ORG0"
    undone(made)
    assert not Organisation.objects.filter(pk__startswith="ORG").exists()


def test_import_deletes_only_when_asked_and_keeps_what_others_refer_to(people):
    kept = list(Work.objects.order_by("pk")[:5])
    text = "expert_id,work_id,kind,title\n" + "".join(f"{w.expert_id},{w.work_id},{w.kind},{w.title}\n" for w in kept)
    whole = Work.objects.count()
    assert rows(brought(people["administrator"], text, name="works.csv")) == []

    made = brought(people["administrator"], text, name="works.csv", deletes=True)
    assert made.rows.filter(what="delete", state="taken").count() == whole - 5
    applied(made)
    assert Work.objects.count() == 5
    undone(made)
    assert Work.objects.count() == whole

    needed = brought(people["administrator"], "expert_id,name\nEX1,张三\n", name="experts.csv", deletes=True)
    refused = needed.rows.filter(what="delete", why="referred")
    assert set(Work.objects.values_list("expert_id", flat=True)) <= set(refused.values_list("record_id", flat=True))


def test_import_of_a_heading_alone_deletes_nothing(people):
    made = brought(people["administrator"], "expert_id,work_id,kind,title\n", name="works.csv", deletes=True)

    assert rows(made) == []


def test_import_of_a_member_is_refused_for_records_of_others_and_shows_nothing_of_them(people):
    member = people["enterprise"]
    own = next(iter(member.actor.orgs))
    other = Need.objects.exclude(owner_id=own).filter(budget_cny__isnull=False).order_by("pk")[0]

    made = brought(
        member, f"need_id,org_id,title,kind,budget_cny\nMINE,{own},我的,technology,1\n{other.pk},,窃取,technology,"
        f"{other.budget_cny}\n", name="needs.csv",
    )  # fmt: skip

    assert rows(made) == [("add", "MINE", "taken", ""), ("change", other.pk, "refused", "rights")]
    assert made.rows.get(why="rights").before == {}
    page = member.client.get(reverse("import", args=[made.pk])).content.decode()
    assert other.title not in page
    applied(made)
    assert Need.objects.get(pk="MINE").owner_id == own
    assert Need.objects.get(pk=other.pk).title == other.title


def test_import_of_a_member_tells_nothing_by_what_differs(people):
    member = people["enterprise"]
    other = Need.objects.exclude(owner_id__in=member.actor.orgs).filter(budget_cny__isnull=False).order_by("pk")[0]

    same, differs = (
        rows(brought(member, f"need_id,budget_cny\n{other.pk},{value}\n", name="needs.csv"))
        for value in (other.budget_cny, other.budget_cny + 1)
    )

    assert same == differs == [("change", other.pk, "refused", "rights")]


def test_import_asks_the_rules_again_when_it_is_applied(people):
    member = people["enterprise"]
    own = next(iter(member.actor.orgs))
    made = brought(member, f"need_id,org_id,title,kind\nMINE,{own},我的,technology\n", name="needs.csv")
    member.user.memberships.all().delete()

    applied(made)

    assert rows(made) == [("add", "MINE", "refused", "rights")]
    assert not Need.objects.filter(pk="MINE").exists()


def test_import_of_an_officer_may_not_move_records_out_of_the_place(people):
    officer = people["officer"]
    path = officer.actor.paths(["officer"])[0]
    here = (
        Need.objects.filter(place__path__startswith=path, org=None).first()
        or Need.objects.filter(place__path__startswith=path).first()
    )
    there = Need.objects.exclude(place__path__startswith=path).exclude(district=None).first()

    made = brought(officer, f"need_id,district_id\n{here.pk},{there.district_id}\n", name="needs.csv")

    assert [r[2:] for r in rows(made)] == [("refused", "rights")]


def test_import_leaves_out_what_another_has_changed_since_it_was_read(people):
    known, other = Achievement.objects.order_by("pk")[:2]
    made = brought(people["broker"], f"achievement_id,title\n{known.pk},甲\n{other.pk},乙\n")
    change(people["broker"].actor, "achievements", [Edit(known.pk, {"title": "先到"})])

    applied(made)

    assert rows(made) == [("change", known.pk, "refused", "stale"), ("change", other.pk, "applied", "")]
    assert Achievement.objects.get(pk=known.pk).title == "先到"


def test_import_of_rows_that_name_what_is_gone_says_so(people):
    package = "org_id,name,kind\nORG9,新,enterprise\n"
    first_one = applied(brought(people["administrator"], package, name="organisations.csv"))
    made = brought(people["administrator"], "expert_id,name,org_id\nEX9,张三,ORG9\n", name="experts.csv")
    undone(first_one)

    applied(made)

    assert rows(made) == [("add", "EX9", "refused", "unknown")]


def test_undo_of_an_import_lists_what_has_changed_since_and_undoes_the_rest_when_told(people):
    known, other = Achievement.objects.order_by("pk")[:2]
    titles = known.title, other.title
    made = applied(brought(people["broker"], f"achievement_id,title\n{known.pk},甲\n{other.pk},乙\n"))
    change(people["broker"].actor, "achievements", [Edit(known.pk, {"title": "后来"})])

    undone(made)
    assert (made.state, made.code, made.found) == ("done", "web.undo_moved", {"count": 1})
    assert Achievement.objects.get(pk=other.pk).title == "乙"
    assert made.rows.get(why="moved").record_id == known.pk

    undone(made, is_forced=True)
    assert made.state == "undone"
    assert (Achievement.objects.get(pk=known.pk).title, Achievement.objects.get(pk=other.pk).title) == (
        "后来", titles[1],
    )  # fmt: skip
    assert made.rows.get(record_id=known.pk).state == "kept"


def test_undo_keeps_an_added_record_that_another_refers_to_by_now(people):
    made = applied(brought(people["administrator"], "org_id,name,kind\nORG9,新,enterprise\n", name="organisations.csv"))
    change(people["administrator"].actor, "experts", [Edit(first(Expert).pk, {"org_id": "ORG9"})])

    undone(made)

    assert rows(made) == [("add", "ORG9", "kept", "referred")]
    assert Organisation.objects.filter(pk="ORG9").exists()


def test_record_that_comes_again_goes_on_with_its_versions(people):
    work = first(Work)
    actor = people["broker"].actor
    change(actor, "works", [Edit(work.pk, {"title": "二"}), ])  # fmt: skip
    change(actor, "works", [Edit(work.pk, None)])

    change(actor, "works", [Edit(work.pk, plain(work), 0)])

    assert Work.objects.get(pk=work.pk).version == work.version + 2


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("needs.csv", b"", "web.import_empty"),
        ("book.xlsx", b"PK\x03\x04 no workbook", "read.workbook"),
        ("needs.parquet", b"PAR1 not", "read.parquet"),
        ("all.zip", b"PK\x03\x04 broken", "web.zip_broken"),
        ("needs.csv", ",".join(f"c{i}" for i in range(600)).encode() + b"\n1\n", "read.too_many_columns"),
        ("needs.csv", b"need_id,title\nn1," + b"x" * (2 << 20), "read.cell"),
    ],
)
def test_import_of_a_bad_file_is_refused_in_the_language_of_the_page(people, name, content, code):
    made = brought(people["broker"], content, name=name)

    assert (made.state, made.code) == ("refused", code)
    client = people["broker"].client
    chinese = client.get(reverse("import", args=[made.pk])).content.decode()
    client.cookies["language"] = "en"
    english = client.get(reverse("import", args=[made.pk])).content.decode()
    assert code in chinese
    assert code in english
    assert "。 <small>" in chinese
    assert "。 <small>" not in english


def test_import_of_an_archive_that_leads_out_of_itself_is_refused(people):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as opened:
        opened.writestr("../needs.csv", "need_id,title\nn1,x\n")

    assert brought(people["broker"], package.getvalue(), name="a.zip").code == "web.zip_unsafe"


def test_import_of_an_archive_that_is_all_air_is_refused(people, monkeypatch):
    monkeypatch.setattr("silian.web.catalog.exchange.unpacking.UNPACKED", 1 << 20)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("needs.csv", "need_id,title\n" + " " * (2 << 20))

    assert brought(people["broker"], package.getvalue(), name="a.zip").code == "web.zip_large"


@pytest.mark.parametrize(
    ("title", "code"),
    [("\u202e倒转的名称", "web.text_turned"), ("长" * 501, "web.text_long"), ("x" * 101, "web.text_long")],
)
def test_import_leaves_out_texts_that_the_registry_cannot_hold(people, title, code):
    row = f"{title},名称" if title[0] == "x" else f"A-1,{title}"

    made = brought(people["broker"], f"achievement_id,title\n{row}\nA-2,好\n")

    assert [r[1] for r in rows(made)] == ["A-2"]
    assert made.problems.get(is_blocking=True).code == code


def test_import_leaves_out_a_text_with_nul(people):
    table = io.BytesIO()
    pl.DataFrame({"achievement_id": ["A-1"], "title": ["a\x00b"]}).write_parquet(table)

    made = brought(people["broker"], table.getvalue(), name="achievements.parquet")

    assert made.problems.get(is_blocking=True).code == "web.text_nul"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_import_reads_the_encodings_that_people_have(people, encoding):
    text = "成果编号,成果名称\nA-1,𠮷野家🎉<b>\n"

    applied(brought(people["broker"], text.encode(encoding), name="成果-2026.csv"))

    assert Achievement.objects.get(pk="A-1").title == "𠮷野家🎉<b>"


def test_import_of_a_workbook_whose_sheets_have_no_table_names_is_read_by_its_file_name(people):
    book = io.BytesIO()
    pl.DataFrame({"成果编号": ["A-1"], "成果名称": ["甲"]}).write_excel(book, worksheet="Sheet1")

    assert rows(brought(people["broker"], book.getvalue(), name="成果.xlsx")) == [("add", "A-1", "taken", "")]
    unknown = brought(people["broker"], book.getvalue(), name="清单.xlsx")
    assert (unknown.state, unknown.code) == ("refused", "web.import_empty")


def test_two_imports_of_one_row_at_once_are_decided_by_the_version(people):
    text = "achievement_id,title\nA-1,{}\n"
    one, other = (brought(people["broker"], text.format(word)) for word in "甲乙")

    applied(one)
    applied(other)

    assert Achievement.objects.get(pk="A-1").title == "甲"
    assert rows(other) == [("add", "A-1", "refused", "stale")]


def test_a_worker_that_was_overtaken_writes_nothing_more(people):
    made = brought(people["broker"], "achievement_id,title\nA-1,甲\n")
    ask(made, Import.State.APPLYING)
    Import.objects.filter(pk=made.pk).update(state=Import.State.CANCELLED)

    import_task.call(made.pk)

    assert not Achievement.objects.filter(pk="A-1").exists()


VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=VALUES.filter(lambda t: t.strip()), price=st.floats(0, 1e12), days=st.dates())
def test_import_of_any_table_twice_changes_nothing(people, title, price, days):
    table = schema.tables()["achievements"]
    row = {"achievement_id": "H-1", "title": title, "price_cny": price, "valid_until_on": days}
    content = io.BytesIO()
    pl.DataFrame([row]).write_parquet(content)
    one = brought(people["broker"], content.getvalue(), name="achievements.parquet")

    if one.rows.exists():
        applied(one)
        again = brought(people["broker"], content.getvalue(), name="achievements.parquet")

        assert (rows(again), again.same) == ([], 1)
        assert table_of("achievements").filter(pl.col("achievement_id") == "H-1")["price_cny"].to_list() == [price]
        undone(one)
    assert table.name == "achievements"


def test_progress_of_an_import_counts_its_rows(people):
    made = brought(people["broker"], "achievement_id,title\nA-1,甲\nA-2,乙\n")

    ask(made, Import.State.APPLYING, total=2)
    import_task.call(made.pk)

    made.refresh_from_db()
    assert (made.done, made.total) == (2, 2)
    assert set(made.rows.values_list("state", flat=True)) == {ImportRow.State.APPLIED}


def organisations_of_a_merge(actor):
    """The organisation that stays and the old id of one that went into it."""
    gone = Organisation.objects.filter(pk__in=Achievement.objects.values("org_id")).order_by("pk")[0]
    kept = Organisation.objects.exclude(pk=gone.pk).order_by("pk")[0]
    merging.merge(actor, "organisations", kept.pk, gone.pk, chosen={}, seal=merging.plan(kept, gone).seal)
    return kept.pk, gone.pk


def test_import_reads_an_old_id_that_it_refers_to_as_the_record_it_was_merged_into(people):
    kept, old = organisations_of_a_merge(people["administrator"].actor)

    made = applied(brought(people["administrator"], f"achievement_id,title,org_id\nNEW1,新成果,{old}\n"))

    assert rows(made) == [("add", "NEW1", "applied", "")]
    assert Achievement.objects.get(pk="NEW1").org_id == kept
    again = brought(people["administrator"], f"achievement_id,title,org_id\nNEW1,新成果,{old}\n")
    assert (rows(again), again.same, again.wrong) == ([], 1, 0)


def test_import_reads_old_ids_in_keys_of_two_columns(people):
    kept, old = organisations_of_a_merge(people["administrator"].actor)
    product = first(Product).pk
    Make.objects.filter(org_id=kept, product_id=product).delete()

    made = brought(people["administrator"], f"org_id,product_id\n{old},{product}\n", name="makes.csv")

    assert rows(made) == [("add", f"{kept}~{product}", "taken", "")]


def test_import_refuses_a_row_under_an_old_id_and_says_the_new_one(people):
    kept, old = organisations_of_a_merge(people["administrator"].actor)

    made = brought(people["administrator"], f"org_id,name\n{old},又改名\n", name="organisations.csv", deletes=True)

    assert made.blocked == 1
    problem = made.problems.get(code="web.import_merged")
    assert (problem.found, problem.is_blocking) == (f"{old} → {kept}", True)
    assert kept not in made.rows.values_list("record_id", flat=True)


def test_import_tells_of_a_code_that_another_organisation_has_and_hinders_nobody(people):
    org = Organisation.objects.exclude(uscc="").order_by("pk")[0]
    text = f"org_id,name,kind,uscc\nNEW1,新公司,enterprise,{org.uscc}\n{org.pk},{org.name},{org.kind},{org.uscc}\n"

    made = brought(people["broker"], text, name="organisations.csv")

    told = made.problems.get(code="web.import_code")
    assert (told.found, told.is_blocking) == (f"{org.uscc} = {org.pk}", False)
    assert ("add", "NEW1", "taken", "") in rows(made)
    applied(made)
    again = brought(people["broker"], text, name="organisations.csv")
    assert not again.problems.filter(code="web.import_code").exists()


def test_import_does_not_name_a_record_with_the_same_code_that_the_person_may_not_see(people):
    hidden = Organisation.objects.exclude(uscc="").exclude(pk__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    Organisation.objects.filter(pk=hidden.pk).update(state="draft")
    own = next(iter(people["enterprise"].actor.orgs))

    made = brought(people["enterprise"], f"org_id,uscc\n{own},{hidden.uscc}\n", name="organisations.csv")

    assert made.problems.get(code="web.import_code").found == hidden.uscc
