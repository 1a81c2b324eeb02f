"""People who write: each keeps to one kind of work, through the pages, and enters in the book what the site answers."""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from live.people import LostError, Person, form_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.book import Attempt, Book, Gate
    from live.people import Answer, Fields

NEW: Final = 20  # rows of an import that make a record
AGAIN: Final = 60.0  # seconds in which a writer sends a form again whose answer was lost
NONE, ONCE = frozenset([0]), frozenset([1])


@dataclass
class Writer(threading.Thread):
    """Somebody who does one kind of work again and again until told to end."""

    person: Person
    book: Book
    gate: Gate
    seed: int
    think: float = 0.0  # seconds between two pieces of work, on the average
    role: ClassVar[str] = "administrator"
    is_over: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    lost: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    crashes: list[tuple[float, str]] = field(default_factory=list)  # when an answer was that the site broke
    broken: list[str] = field(default_factory=list)  # pages that were not what they should be

    def __post_init__(self) -> None:
        super().__init__(daemon=True, name=f"{type(self).__name__} {self.seed}")
        self.dice = random.Random(self.seed)
        self.count = 0

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.is_over.is_set():
            try:
                self.work()
                self.done += 1
            except LostError as error:
                self.lost += 1
                if "status" in str(error):
                    self.crashes.append((time.monotonic(), str(error)))
                time.sleep(0.05)
            except (AssertionError, LookupError, ValueError) as error:
                self.broken.append(f"{self.name}: {error!r}")
                time.sleep(0.2)
            self.is_over.wait(self.dice.expovariate(1 / self.think) if self.think else 0)

    def work(self) -> None:
        raise NotImplementedError

    def token(self) -> str:
        """A word that stands nowhere else."""
        self.count += 1
        return f"q{self.seed:x}z{self.count:x}z{self.dice.getrandbits(24):06x}"

    # ── requests ──

    def open(self, path: str) -> Answer:
        with self.gate.passing():
            answer = self.person.get(path)
        if answer.status >= 500:
            told = f"{path}: status {answer.status}"
            raise LostError(told)
        assert answer.status in (200, 302), f"{path}: status {answer.status}"
        return answer

    def tell(self, attempt: Attempt, path: str, fields: Fields, **more: object) -> Answer:
        """Send a form and take note of the answer."""
        answer = attempt.read(self.person.post(path, fields), **more)  # type: ignore[arg-type]
        if attempt.answered == "refused":
            self.refused[f"{answer.status}"] = self.refused.get(f"{answer.status}", 0) + 1
        return answer

    def until_answered(self, send: Callable[[bool], Answer]) -> Answer:
        """Send until an answer comes, as somebody presses the button again: it must happen once all the same.

        Parameters
        ----------
        send : is told whether it is the first time; later the log may know it under the number of the lost request
        """
        began, is_first = time.monotonic(), True
        while True:
            try:
                return send(is_first)
            except LostError:
                is_first = False
                if self.is_over.is_set() or time.monotonic() - began > AGAIN:
                    raise
                time.sleep(0.1)

    def create(self, noun: str, **values: str) -> tuple[str, str]:
        """Make a record as a draft; its id and title."""
        form = form_with(self.open(f"/{noun}/new/").text, "token")
        title = f"承诺 {self.token()}"
        fields = form | {"title": [title], "action": ["save"]} | {name: [value] for name, value in values.items()}
        fields["replaces"] = [""]

        def send(is_first: bool) -> Answer:
            with self.gate.passing(), self.book.trying(("made", noun, title), NONE, ONCE) as attempt:
                return self.tell(attempt, f"/{noun}/new/", fields, is_logged=is_first)

        answer = self.until_answered(send)
        assert answer.status == 302, f"{noun}/new: {answer.status} {_errors(answer)}"
        return answer.location.strip("/").split("/")[-1], title


class Editor(Writer):
    """Changes the title of a record that others change as well; sends a lost form again, as people do."""

    records: ClassVar[list[str]] = []  # ids of achievements; shared by all editors

    def work(self) -> None:
        number = self.dice.choice(self.records)
        path = f"/achievements/{number}/edit/"
        form = form_with(self.open(path).text, "version")
        title = f"修订 {self.token()}"
        fields = form | {"title": [title], "action": ["save"]}

        def send(is_first: bool) -> Answer:
            key = ("edit", "achievements", number, title)
            with self.gate.passing(), self.book.trying(key, NONE, ONCE) as attempt:
                return self.tell(attempt, path, fields, is_logged=is_first)

        answer = self.until_answered(send) if self.dice.random() < 0.5 else send(True)
        assert answer.status in (302, 409), f"{path}: {answer.status} {_errors(answer)}"


class Creator(Writer):
    """Makes records, publishes them, withdraws some."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.made: list[tuple[str, str]] = []  # id and title

    def work(self) -> None:
        self.made.append(self.create("achievements", trl="5", field="battery", summary="可靠性试验"))
        number = self.made[-1][0]
        for verb, was, will in (
            ("publish", "draft", "published"),
            ("withdraw", "published", "withdrawn"),
            ("publish", "withdrawn", "published"),
        ):
            key = ("state", "achievements", number)
            with self.gate.passing(), self.book.trying(key, frozenset([was]), frozenset([will])) as attempt:
                path = f"/achievements/{number}/{verb}/"
                answer = self.tell(attempt, path, {"reason": ["试验"]})
            if verb == "publish" and not answer.location.endswith(f"/achievements/{number}/"):
                told = f"publish leads to {answer.location}"
                raise AssertionError(told)
            if self.dice.random() < 0.5:
                return


class Seeker(Writer):
    """Says of achievements that talk is wanted, and takes it back."""

    role = "enterprise"
    records: ClassVar[list[str]] = []  # ids of achievements that are not the person's own

    def work(self) -> None:
        self.count += 1
        number = self.records[self.count % len(self.records)]
        key = ("interest", "achievements", number, self.person.email)
        states = self.book.state_of(key, ())
        if states is None:
            return  # it is not known yet what a lost request came to
        is_new = states[-1:] != ("asked",)
        asked = (*states, "asked") if is_new else states
        with self.gate.passing(), self.book.trying(key, frozenset([states]), frozenset([asked])) as attempt:
            self.tell(attempt, f"/achievements/{number}/interest/", {"org": [""]}, is_logged=is_new)
        if is_new and self.dice.random() < 0.7:
            found = re.findall(r"/interests/(\d+)/withdraw/", self.open("/interests/?which=sent").text)
            gone = frozenset([(*states, "withdrawn")])
            with self.gate.passing(), self.book.trying(key, frozenset([asked]), gone) as attempt:
                self.tell(attempt, f"/interests/{found[0]}/withdraw/", {})  # the newest stands first


class Booker(Writer):
    """Asks for hours of a facility, and says yes or takes it back."""

    facilities: ClassVar[list[str]] = []

    def work(self) -> None:
        facility, purpose = self.dice.choice(self.facilities), f"试验 {self.token()}"
        day = date.today() + timedelta(days=self.dice.randrange(2, 360))  # noqa: DTZ011
        hour = self.dice.randrange(0, 23)
        fields = {
            "on": [day.isoformat()], "begins": [f"{hour:02}:00"], "ends": [f"{hour:02}:30"], "org_id": [""],
            "purpose": [purpose],
        }  # fmt: skip
        key, none, asked = ("booking", facility, purpose), frozenset([()]), frozenset([("asked",)])
        with self.gate.passing(), self.book.trying(key, none, asked) as attempt:
            answer = self.tell(attempt, f"/facilities/{facility}/booking/", fields)
        if answer.status != 302:
            return  # the hour is taken
        found = self._found(purpose)
        assert found, f"{purpose} is not among my bookings"
        verb, state = self.dice.choice((("confirm", "confirmed"), ("cancel", "cancelled")))
        with self.gate.passing(), self.book.trying(key, asked, frozenset([(state,)])) as attempt:
            self.tell(attempt, f"/bookings/{found[1]}/{verb}/", {})

    def _found(self, purpose: str) -> re.Match[str] | None:
        """Its line among my bookings, page after page."""
        number, is_more, found = 0, True, None
        while is_more and not found:
            number += 1
            text = self.open(f"/bookings/?page={number}").text
            found = re.search(re.escape(purpose) + r".*?/bookings/([\w-]+)/\w+/", text, re.DOTALL)
            is_more = f"page={number + 1}" in text
        return found


class Attacher(Writer):
    """Puts files beside a record, and takes some away."""

    records: ClassVar[list[str]] = []  # ids of achievements

    def work(self) -> None:
        number, name = self.dice.choice(self.records), f"{self.token()}.txt"
        content = name.encode() * self.dice.randrange(1, 8000)
        path, digest = f"/achievements/{number}/attachments/", hashlib.sha256(content).hexdigest()
        key = ("attachment", "achievements", number, name, digest)
        with self.gate.passing(), self.book.trying(key, NONE, frozenset(["whole"])) as attempt:
            attempt.read(self.person.send(path, {"tier": ["public"]}, {"file": (name, "text/plain", content)}))
        page = self.open(path).text
        found = re.findall(r"/attachments/([\w-]+)/detach/", page)
        if name in page and found:
            gone = ("taken_away", "achievements", number, name)
            with self.gate.passing(), self.book.trying(gone, NONE, ONCE) as attempt:
                self.tell(attempt, f"/attachments/{found[0]}/detach/", {})  # the newest stands first


class Importer(Writer):
    """Brings files, has them taken in, takes them back."""

    known: ClassVar[list[str]] = []  # ids of achievements that the file changes

    def work(self) -> None:
        name = f"achievements-{self.token()}.csv"
        rows = [f"{number},导入 {self.token()}\n" for number in self.known]
        rows += [f"T{self.token()},成果 {self.count}\n" for _ in range(NEW)]
        content = ("achievement_id,title\n" + "".join(rows)).encode()
        with self.gate.passing(), self.book.trying(("imports", name), NONE, ONCE) as attempt:
            file = {"file": (name, "text/csv", content)}
            answer = attempt.read(self.person.send("/imports/", {"noun": ["achievements"]}, file))
        assert answer.status == 302, f"/imports/: {answer.status} {_errors(answer)}"
        number = answer.location.strip("/").split("/")[-1]
        for verb, was, will in (
            ("apply", ("reading", "ready"), ("applying", "done")),
            ("undo", ("applying", "done"), ("undoing", "undone", "done")),  # done: changed since, and so it stays
        ):
            if not self._waits(number, verb):
                return
            key = ("import", number)
            with self.gate.passing(), self.book.trying(key, frozenset(was), frozenset(will)) as attempt:
                self.tell(attempt, f"/imports/{number}/{verb}/", {}, is_logged=False)

    def _waits(self, number: str, verb: str) -> bool:
        """Whether the page comes to offer what is to be done next; the worker may be killed on the way."""
        began = time.monotonic()
        while time.monotonic() - began < AGAIN and not self.is_over.is_set():
            try:
                if f"/imports/{number}/{verb}/" in self.open(f"/imports/{number}/").text:
                    return True
            except LostError:
                self.lost += 1
            self.is_over.wait(0.2)
        return False


class Merger(Writer):
    """Makes two records, merges them, and parts them again."""

    def work(self) -> None:
        (one, _), (other, _) = (self.create("achievements", trl="5", field="battery") for _ in range(2))
        path = f"/duplicates/merge/achievements/?kept={one}&gone={other}"
        form = form_with(self.open(path).text, "seal")
        key = ("merged", "achievements", one, other)
        apart, merged = frozenset(["apart"]), frozenset(["merged"])
        with self.gate.passing(), self.book.trying(key, apart, merged) as attempt:
            answer = self.tell(attempt, "/duplicates/merge/achievements/", form)
        assert answer.status == 302, f"merge: {answer.status}"
        if self.dice.random() < 0.6:
            with self.gate.passing(), self.book.trying(key, merged, apart) as attempt:
                self.tell(attempt, f"{answer.location}undo/", {})


class Exporter(Writer):
    """Takes lists away."""

    def work(self) -> None:
        asked = f"q={self.token()}" if self.dice.random() < 0.3 else f"field=battery&mark={self.token()}"
        key = ("export", self.person.email, asked)
        with self.gate.passing(), self.book.trying(key, NONE, ONCE) as attempt:
            answer = self.person.post("/exports/of/achievements/", {"asked": [asked], "form": ["csv"]})
            attempt.read(answer, done=(200, 302), is_logged=False)


class Runner(Writer):
    """Has the needs of the region matched, waits for the end, and has the pages show what was found."""

    FINE: ClassVar = frozenset(["waiting", "running", "done", "web.run_fell"])  # fell: killed three times
    steps: ClassVar[list[str]] = ["achievements"]

    def work(self) -> None:
        form, name = form_with(self.open("/runs/new/").text, "place"), self.token()
        fields = form | {"name": [name], "steps": self.steps}
        # where a lost request has begun the same one, that one is given in the place of a new one
        with self.gate.passing(), self.book.trying(("run_named", name), NONE, NONE | ONCE) as attempt:
            answer = self.tell(attempt, "/runs/new/", fields, is_logged=False)
        assert answer.status == 302, f"/runs/new/: {answer.status} {_errors(answer)}"
        number = answer.location.strip("/").split("/")[-1]
        self.book.hold(("run", number), self.FINE)
        path = f"/runs/{number}/adopt/"
        while not self.is_over.wait(0.3):
            try:
                page = self.open(f"/runs/{number}/").text
            except LostError:
                continue
            if path in page:
                key = ("adopted", number)
                with self.gate.passing(), self.book.trying(key, NONE | ONCE, ONCE) as attempt:
                    self.tell(attempt, path, {})
                return
            if f"/runs/{number}/cancel/" not in page:
                return  # it fell


def _errors(answer: Answer) -> list[str]:
    """What a page says is wrong."""
    told = re.findall(r'class="(?:error|errors|field-error)[^"]*"[^>]*>(.*?)</', answer.text, re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", text).strip() for text in told][:5]


KINDS: Final[tuple[type[Writer], ...]] = (Editor, Creator, Seeker, Booker, Attacher, Importer, Merger, Exporter)
