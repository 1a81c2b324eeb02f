"""The book of promises finds what it is for: what was answered and is not there, is there twice, or by halves."""

from contextlib import suppress

import pytest

from live.book import Book
from live.people import Answer, LostError, form_with

KEY = ("edit", "needs", "N1", "a title")


def answer(status):
    if not status:
        raise LostError("gone")
    return Answer(status, b"", "/needs/N1/", "f00d", 0.0)


def sent(status):
    """A book with one request in it, and how it was answered; 0: not at all."""
    book = Book()
    with suppress(LostError), book.trying(KEY, frozenset([0]), frozenset([1])) as attempt:
        attempt.read(answer(status))
    return book


@pytest.mark.parametrize(
    ("status", "there", "is_right"),
    [
        (302, 1, True), (302, 0, False), (302, 2, False),  # acknowledged: once
        (409, 0, True), (409, 1, False),  # refused: not
        (0, 0, True), (0, 1, True), (0, 2, False), (0, "half", False),  # no answer: whole or not at all
        (500, 0, True), (500, 1, True), (500, 2, False),  # broken: the same
    ],
)  # fmt: skip
def test_book_allows_what_was_answered(status, there, is_right):
    book = sent(status)

    assert (book.compare([KEY], lambda _key: there) == []) == is_right


@pytest.mark.parametrize("there", [0, 1])
def test_book_holds_a_lost_request_to_what_it_was_found_to_be(there):
    book = sent(0)

    assert book.compare([KEY], lambda _key: there) == []
    assert book.compare([KEY], lambda _key: 1 - there) != []


def test_book_asks_the_log_for_answered_requests_alone():
    assert (sent(302).logged, sent(409).logged, sent(0).logged) == ({"f00d"}, set(), set())


def test_form_is_read_as_a_browser_sends_it():
    page = """<form><input name="other"></form>
    <form><input type="hidden" name="version" value="3"><input name="title" value="&lt;电池&gt;">
    <textarea name="text">\na\nb</textarea><input type="checkbox" name="no" value="1">
    <input type="checkbox" name="yes" value="1" checked><input type="file" name="file">
    <select name="field"><option value="">—</option><option value="battery" selected>电池</option></select></form>"""

    assert form_with(page, "version") == {
        "version": ["3"], "title": ["<电池>"], "text": ["a\nb"], "yes": ["1"], "field": ["battery"],
    }  # fmt: skip
