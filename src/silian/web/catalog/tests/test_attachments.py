"""Files beside records: only what is what it says, only to whom it is for, never as a page."""

import io
import stat
import struct
import zipfile
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from silian.errors import WebError
from silian.web.base.models import LogEntry
from silian.web.catalog.beside import attachments, interests
from silian.web.catalog.beside.filetypes import OFFICE, clean_name, media_type
from silian.web.catalog.changing import Edit, change, undo
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import Attachment, Need


def png():
    def part(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\x00\x00")) + part(b"IEND", b"")


def package(main="word/document.xml", *, more=(), types=b"<Types/>"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr(main, b"<document/>")
        for name, content in more:
            archive.writestr(name, content)
    return made.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 40 + b"\xff\xd9"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L" + b"\x00" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
TEMPLATE = (
    b'<Relationships><Relationship Type="http://x/attachedTemplate" Target="%s" TargetMode="External"/></Relationships>'
)


def lying():
    """A document whose part says that it is small and unpacks to more."""
    made = bytearray(package(more=[("word/media/a.bin", b"\x00" * 100_000)]))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        last = made.rfind(mark)
        made[last + place : last + place + 4] = struct.pack("<I", 10)
    return bytes(made)


TAKEN = [
    ("说明.pdf", PDF, "application/pdf"), ("图.PNG", png(), "image/png"), ("a.jpeg", JPEG, "image/jpeg"),
    ("a.webp", WEBP, "image/webp"), ("方案.docx", package(), f"{OFFICE}.wordprocessingml.document"),
    ("表.xlsx", package("xl/workbook.xml"), f"{OFFICE}.spreadsheetml.sheet"),
    ("讲.pptx", package("ppt/presentation.xml"), f"{OFFICE}.presentationml.presentation"),
    ("a.txt", "说明 𠮷".encode(), "text/plain"), ("a.csv", b"\xef\xbb\xbfa,b\n1,2\n", "text/csv"),
    ("word.docx", package(more=[("word/_rels/settings.xml.rels", TEMPLATE % b"file:///C:\\a.dotm")]),
     f"{OFFICE}.wordprocessingml.document"),
]  # fmt: skip
REFUSED = [
    ("a.svg", SVG, "image/svg+xml", "attachment.type"),
    ("a.html", b"<!doctype html>", "text/html", "attachment.type"),
    ("发票.pdf.exe", b"MZ", "application/pdf", "attachment.type"),
    ("no-extension", PDF, "application/pdf", "attachment.type"),
    ("宏.docm", package(), "", "attachment.type"),
    ("a.png", SVG, "image/png", "attachment.disguised"),
    ("a.pdf", png(), "application/pdf", "attachment.disguised"),
    ("a.png", png(), "text/html", "attachment.disguised"),
    ("a.webp", b"RIFF\x00\x00\x00\x00AVI LIST", "", "attachment.disguised"),
    ("a.txt", b"\xef\xbb\xbf <!DOCTYPE html><script>", "text/plain", "attachment.disguised"),
    ("a.csv", SVG, "text/csv", "attachment.disguised"),
    ("a.jpg", b"\xff\xd8\xff\xe0<script>alert(1)</script>\xff\xd9", "image/jpeg", "attachment.disguised"),
    ("a.png", png() + package(), "image/png", "attachment.disguised"),
    ("a.pdf", PDF + package(), "application/pdf", "attachment.disguised"),
    ("a.docx", package("classes.dex"), "", "attachment.disguised"),
    ("a.xlsx", package(), "", "attachment.disguised"),
    ("a.docx", PDF + package(), "", "attachment.disguised"),
    ("a.png", png()[:-12], "image/png", "attachment.broken"),
    ("a.docx", package()[:-30], "", "attachment.broken"),
    ("a.docx", package(more=[("../../evil", b"x")]), "", "attachment.broken"),
    ("a.docx", lying(), "", "attachment.broken"),
    ("a.docx", package(more=[("word/vbaProject.bin", b"x")]), "", "attachment.active"),
    ("a.xlsx", package("xl/workbook.xml", more=[("xl/macrosheets/sheet1.xml", b"<x/>")]), "", "attachment.active"),
    ("a.docx", package(types=b"application/vnd.ms-word.document.macroEnabled.main+xml"), "", "attachment.active"),
    ("a.docx", package(more=[("word/x.xml", b'<!DOCTYPE a [<!ENTITY b "c">]>')]), "", "attachment.active"),
    ("a.docx", package(more=[("word/_rels/settings.xml.rels", TEMPLATE % b"http://evil/x.dotm")]), "",
     "attachment.active"),
    ("a.docx", package(more=[("word/media/a.bin", b"\x00" * 30_000_000)]), "", "attachment.bomb"),
    ("a.docx", package(more=[(f"word/{n}", b"") for n in range(5001)]), "", "attachment.bomb"),
    ("a.txt", "说明".encode("gbk"), "text/plain", "attachment.text"),
    ("a.txt", b"a\x00b", "text/plain", "attachment.text"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "found"), TAKEN)
def test_media_type_is_what_name_declaration_and_content_agree_on(name, content, found):
    assert media_type(io.BytesIO(content), name, found) == found
    assert media_type(io.BytesIO(content), name, "application/octet-stream") == found


@pytest.mark.parametrize(("name", "content", "declared", "code"), REFUSED)
def test_media_type_refuses_what_is_not_what_it_says(name, content, declared, code):
    with pytest.raises(WebError) as caught:
        media_type(io.BytesIO(content), name, declared)

    assert caught.value.code == code


def test_clean_name_keeps_what_people_wrote_and_drops_what_deceives():
    assert clean_name("2026年 技术方案（终稿）.docx") == "2026年 技术方案（终稿）.docx"
    assert clean_name("\u202egnp.exe\u202c.pdf") == "gnp.exe.pdf"
    assert clean_name("a\x00b\r\nc\u200b.txt") == "abc.txt"
    assert clean_name('<img src=x onerror="1">.png') == "_img src=x onerror=_1__.png"
    long = clean_name("𠮷" * 300 + ".pdf")
    assert len(long.encode()) <= 200
    assert long.endswith("𠮷.pdf")


def own_need(people):
    return Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).select_related("place").order_by("pk")[0]


def sent(person, need, name="说明.pdf", content=PDF, declared="application/pdf", tier="public", **more):
    file = SimpleUploadedFile(name, content, declared)
    address = reverse("attachments", args=["needs", need.pk])
    return person.client.post(address, {"file": file, "tier": tier}, **more)


def got(person, attachment):
    answer = person.client.get(reverse("attachment", args=[attachment.key]))
    answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer


def test_an_attachment_goes_in_and_comes_out_as_it_was(people):
    need = own_need(people)

    answer = sent(people["enterprise"], need, name="技术说明 “终稿”.pdf")

    made = Attachment.objects.get()
    out = got(people["visitor"], made)
    assert answer.status_code == 302
    assert out.body == PDF
    assert out["Content-Type"] == "application/pdf"
    assert out["Content-Disposition"].startswith("attachment; filename*=utf-8''%E6%8A%80")
    assert out["X-Content-Type-Options"] == "nosniff"
    assert out["Content-Security-Policy"].startswith("sandbox")
    assert made.name not in made.file.name
    assert made.name in people["visitor"].client.get(reverse("detail", args=["needs", need.pk])).content.decode()


@pytest.mark.parametrize(("role", "status"), [("visitor", 302), ("researcher", 403), ("auditor", 403), ("broker", 302)])
def test_only_who_may_edit_brings_and_takes_away(people, role, status):
    need = own_need(people)
    sent(people["enterprise"], need)
    made = Attachment.objects.get()

    assert sent(people[role], need, name="b.pdf", content=PDF + b" ").status_code == status
    assert people[role].client.post(reverse("attachment_detach", args=[made.key])).status_code == status
    made.refresh_from_db()
    assert (made.gone_at is not None) == (role == "broker")


@pytest.mark.parametrize("tier", ["mutual", "broker"])
def test_files_that_are_not_public_show_themselves_to_no_one_else(people, tier):
    need = own_need(people)
    sent(people["enterprise"], need, tier=tier)
    made = Attachment.objects.get()
    address = reverse("detail", args=["needs", need.pk])

    seen = {role for role, p in people.items() if made.name in p.client.get(address).content.decode()}
    had = {role for role, p in people.items() if got(p, made).status_code == 200}

    assert seen == had
    assert {"enterprise", "broker", "administrator"} <= had
    assert not had & {"visitor", "researcher", "judge", "auditor", "manager"}
    assert LogEntry.objects.filter(action="needs.download", record_id=need.pk).count() == len(had)


def test_files_of_a_draft_do_not_exist_for_others(people):
    need = own_need(people)
    sent(people["enterprise"], need)
    change(people["enterprise"].actor, "needs", [Edit(need.pk, {"state": "draft"})])

    assert got(people["visitor"], Attachment.objects.get()).status_code == 404
    assert people["researcher"].client.get(reverse("attachments", args=["needs", need.pk])).status_code == 404


def test_a_refused_file_is_told_at_the_field_and_nothing_is_kept(people):
    answer = sent(people["enterprise"], own_need(people), "a.png", SVG, "image/png")

    assert answer.status_code == 400
    assert "扩展名与内容不一致" in answer.content.decode()
    assert not Attachment.objects.exists()


def test_a_file_that_is_too_large_or_empty_is_refused(people, monkeypatch):
    need, actor = own_need(people), people["enterprise"].actor
    monkeypatch.setattr(attachments, "MOST_BYTES", 1000)

    large = sent(people["enterprise"], need, content=PDF + b" " * 2000)
    empty = sent(people["enterprise"], need, content=b"")
    with pytest.raises(WebError, match=r"attachment\.size"):
        attachments.add(actor, need, file=io.BytesIO(PDF * 99), name="a.pdf", declared="", tier="public")
    with pytest.raises(WebError, match=r"attachment\.empty"):
        attachments.add(actor, need, file=io.BytesIO(b""), name="a.pdf", declared="", tier="public")

    assert large.status_code == empty.status_code == 400
    assert "20 MiB" in large.content.decode()
    assert not Attachment.objects.exists()


def test_files_of_a_record_have_room_together_and_one_file_twice_is_one(people, monkeypatch):
    need = own_need(people)
    monkeypatch.setattr(attachments, "MOST_TOGETHER", 2 * len(PDF))

    for content in (PDF, PDF, PDF + b" "):
        answer = sent(people["enterprise"], need, content=content)

    assert Attachment.objects.count() == 1
    assert "附件合计将超过" in answer.content.decode()  # attachment.full


def test_upload_needs_the_token_of_the_form(people):
    need = own_need(people)
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["enterprise"].user)
    file = SimpleUploadedFile("a.pdf", PDF, "application/pdf")

    answer = client.post(reverse("attachments", args=["needs", need.pk]), {"file": file, "tier": "public"})

    assert answer.status_code == 403
    assert not Attachment.objects.exists()


def scanner(folder, script):
    place = Path(folder) / "scanner"
    place.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return str(place)


@pytest.mark.parametrize(("ends", "state"), [(0, "clean"), (1, "refused"), (2, "waiting")])
def test_until_a_scanner_decides_only_bringer_and_stewards_know_of_a_file(people, settings, tmp_path, ends, state):
    settings.SILIAN_SCAN = scanner(tmp_path, f'test -f "$1" && exit {ends}; exit 9')
    need = own_need(people)
    sent(people["enterprise"], need)
    made = Attachment.objects.get()
    address = reverse("detail", args=["needs", need.pk])

    assert made.state == "waiting"
    assert DBTaskResult.objects.filter(task_path__endswith="scan_task").count() == 1
    assert {r for r, p in people.items() if made.name in p.client.get(address).content.decode()} == {
        "enterprise", "broker", "administrator", *(["officer"] if stewards(people, need) else []),
    }  # fmt: skip
    assert got(people["enterprise"], made).status_code == 404

    attachments.scan(made.pk)

    made.refresh_from_db()
    assert made.state == state
    assert bool(made.file) == (state != "refused")
    assert got(people["visitor"], made).status_code == (200 if state == "clean" else 404)


def stewards(people, need):
    return people["officer"].actor.holds("officer", over=need.place.path)


def test_a_scanner_that_is_not_there_leaves_the_file_waiting_for_the_next_time(people, settings, tmp_path):
    settings.SILIAN_SCAN = str(tmp_path / "not-there")
    sent(people["enterprise"], own_need(people))
    made = Attachment.objects.get()

    attachments.scan(made.pk)
    call_command("attachments", stdout=io.StringIO())

    assert Attachment.objects.get().state == "waiting"
    assert DBTaskResult.objects.filter(task_path__endswith="scan_task").count() == 2


def test_what_was_taken_away_comes_back_within_thirty_days_and_then_is_gone(people):
    need = own_need(people)
    sent(people["enterprise"], need)
    made = Attachment.objects.get()
    address = reverse("attachment_detach", args=[made.key])

    people["enterprise"].client.post(address)
    gone = got(people["enterprise"], made).status_code
    listed = people["visitor"].client.get(reverse("detail", args=["needs", need.pk])).content.decode()
    people["enterprise"].client.post(address, {"back": "1"})
    back = got(people["visitor"], made).status_code
    people["enterprise"].client.post(address)
    place = Path(made.file.path)

    assert (gone, back) == (404, 200)
    assert made.name not in listed
    assert attachments.purge(timezone.now() + timedelta(days=29)) == 0
    assert attachments.purge(timezone.now() + timedelta(days=31)) == 1
    assert not place.exists()
    assert not Attachment.objects.exists()


def test_a_merge_takes_files_along_and_its_undo_returns_those_alone(people):
    actor = people["broker"].actor
    one, two = Need.objects.select_related("place").order_by("pk")[:2]
    for need, content in ((one, PDF), (two, PDF + b"2")):
        sent(people["broker"], need, content=content)

    made = merging.merge(actor, "needs", one.pk, two.pk, chosen={}, seal=merging.plan(one, two).seal)
    together = set(Attachment.objects.values_list("record_id", flat=True))
    there = people["broker"].client.get(reverse("attachments", args=["needs", two.pk])).content.decode()
    undo(actor, made.changes)

    assert together == {one.pk}
    assert there.count("说明.pdf</a>") == 2
    assert sorted(Attachment.objects.values_list("record_id", flat=True)) == sorted([one.pk, two.pk])


def test_files_after_mutual_interest_open_to_the_other_side(people):
    need = own_need(people)
    sent(people["enterprise"], need, tier="mutual")
    sent(people["enterprise"], need, name="内部.pdf", content=PDF + b" ", tier="broker")
    interest = interests.ask(people["researcher"].actor, need)
    before = [got(people["researcher"], a).status_code for a in Attachment.objects.order_by("pk")]

    interests.answer(people["enterprise"].actor, interest, agrees=True)

    assert before == [404, 404]
    assert [got(people["researcher"], a).status_code for a in Attachment.objects.order_by("pk")] == [200, 404]


@pytest.mark.parametrize("many", [1, 40])
def test_the_page_of_files_takes_a_fixed_number_of_queries(people, django_assert_max_num_queries, many):
    need = own_need(people)
    for number in range(many):
        sent(people["enterprise"], need, content=PDF + b" " * number)

    with django_assert_max_num_queries(14):
        assert people["enterprise"].client.get(reverse("attachments", args=["needs", need.pk])).status_code == 200


@pytest.mark.parametrize("key", ["x", "1", "a" * 200, "..%2f..%2fsecret-key"])
def test_addresses_cannot_be_guessed(people, key):
    assert people["administrator"].client.get(f"/attachments/{key}/").status_code == 404
