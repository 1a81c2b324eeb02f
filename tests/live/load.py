"""The site under load: people of every role read, five write, on 100,000 records.

`make load MINUTES=10`. 50 readers and 5 writers, each a session of its own over HTTP, walk through the site as people
do and think between pages; then everybody asks without thinking for a minute, which shows what the machine can do.
Writers enter in the book of promises what the site answers; at the end the database is held against it, so that a
write which was acknowledged and is not there counts as lost. That book is why this is a harness of our own and not
locust or k6, whose sessions know nothing of each other's outcomes and nothing of the database. What they are known
for is kept: think times, closed sessions, percentiles by kind of page, a last phase at saturation.

All clients are threads of this one process on http.client; its share of the machine's processors is measured and told,
because it is taken from the server.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import psutil

from live.book import Book, Gate
from live.house import House
from live.people import LostError, Person, links
from live.torture import choose_records, compare_in, keep_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live.compare import Compare
    from live.people import Answer
    from live.writers import Writer

THINK: Final = (6.0, 0.6)  # seconds that a reader looks at a page: the median, and the spread of a lognormal
WRITER_THINK: Final = 10.0  # seconds between two pieces of work of a writer, on the average
WARM: Final = 10.0  # seconds at the beginning that are not counted: processes start, caches fill
FIRST: Final = 1800.0  # seconds for what the site does after its first start
FULL_S: Final = 60.0  # seconds at saturation
FULL: Final = 8  # readers at saturation, who think nothing: as many as the site has threads to answer
ROLES: Final = ("visitor", "enterprise", "researcher", "manager", "broker", "officer", "leader", "judge",
                "auditor", "administrator")  # fmt: skip
WORDS: Final = ("电池", "控制", "检测", "dianchi", "材料", "传感器", "deep learning", "马达", "软件", "涂层")
FILL: Final = """
import django; django.setup()
import sys
import bench_web_pages
from live.load import crowd
bench_web_pages.fill(sys.argv[1])
crowd()
"""


@dataclass
class Heard:
    """Every answer of a phase, by kind of page."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    since: float = math.inf  # before it nothing counts
    until: float = math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, kind: str, seconds: float, fault: str) -> None:
        if not self.since <= time.monotonic() <= self.until:
            return
        with self.lock:
            self.seconds.setdefault(kind, []).append(seconds)
            if fault:
                self.errors[fault] += 1


@dataclass
class Timed(Person):
    """Somebody whose waiting is counted."""

    heard: Heard = field(default_factory=Heard)

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        began = time.perf_counter()
        kind, seconds, fault = kind_of(method, path), 0.0, ""
        try:
            answer = super().ask(method, path, body, headers)
            was_late = answer.status == 409 or (answer.status == 400 and path.endswith("/booking/"))
            if answer.status >= 400 and not was_late:  # another writer was first, and is shown; the hour is taken
                fault = f"{method} {path} as {self.name or 'visitor'}: {answer.status}"
        except LostError as error:
            fault = str(error)
            raise
        finally:
            seconds = time.perf_counter() - began
            self.heard.take(kind, seconds, fault)
        return answer


def kind_of(method: str, path: str) -> str:
    """What a request is counted under.

    Examples
    --------
    >>> kind_of("GET", "/achievements/?field=battery"), kind_of("POST", "/achievements/A1/edit/")
    ('list filtered', 'write')
    """
    if method == "POST":
        return "write"
    first, *rest = path.split("?", maxsplit=1)[0].strip("/").split("/")
    if first in ("needs", "achievements", "experts", "organisations", "facilities"):
        if not rest:
            return "list filtered" if "=" in path.replace("page=", "") else "list"
        return {"new": "form", "edit": "form", "history": "history"}.get(rest[-1], "detail")
    named = {"": "home", "search": "suggest" if rest else "search"}
    return first if first in ("api", "results", "dashboard") else named.get(first, "own pages")


# ── readers ──


class Reader(threading.Thread):
    """Walks through the site, one page after the other, until told to end."""

    def __init__(self, person: Timed, role: str, seed: int, think: Callable[[random.Random], float]) -> None:
        super().__init__(daemon=True, name=f"reader {seed} {role}")
        self.person, self.role, self.think = person, role, think
        self.dice, self.is_over = random.Random(seed), threading.Event()
        self.page = ""

    def run(self) -> None:
        self.is_over.wait(self.dice.uniform(0, self.think(self.dice)))
        while not self.is_over.is_set():
            for path in self.journey():
                try:
                    self.page = self.person.get(path).body.decode(errors="replace")
                except LostError:
                    self.page = ""
                self.is_over.wait(self.think(self.dice))
                if self.is_over.is_set():
                    return

    def journey(self) -> Iterator[str]:
        """The addresses of one errand; what is opened hangs on the page before."""
        yield from self.dice.choices((self.search, self.browse, self.own, self.machine), weights=(4, 4, 2, 1))[0]()

    def search(self) -> Iterator[str]:
        """Home, a word typed, the search, narrowed, a result or two."""
        word = self.dice.choice(WORDS)
        yield "/"
        yield f"/search/names/?q={quote(word[:1])}"
        yield f"/search/?q={quote(word)}"
        noun = self.dice.choice(("achievements", "needs", "experts"))
        yield f"/search/?q={quote(word)}&noun={noun}"
        yield from self.opened(2)

    def browse(self) -> Iterator[str]:
        """A list, filtered, sorted, paged on, a record, what hangs on it."""
        noun, filters = self.dice.choice((
            ("achievements", "field=battery"), ("achievements", "field=food&ip_status=granted"),
            ("needs", "kind=technology"), ("needs", "sort=-deadline_on"), ("experts", "title=professor"),
            ("organisations", "kind=enterprise"),
        ))  # fmt: skip
        yield f"/{noun}/"
        yield f"/{noun}/?{filters}"
        yield f"/{noun}/?{filters}&page={self.dice.randrange(2, 6)}"
        yield from self.opened(2)

    def opened(self, most: int) -> Iterator[str]:
        found = links(self.page, r"/(needs|achievements|experts|organisations)/(?!new/)[^/?]+/")
        for path in self.dice.sample(found, min(most, len(found))):
            yield path
            if self.role in ("officer", "broker", "administrator", "auditor"):
                history = links(self.page, path.replace(".", r"\.") + "history/")
                yield from history[:1]

    def own(self) -> Iterator[str]:
        """What waits for the person, and what the region shows."""
        if self.role == "visitor":
            yield from ("/help/", "/api/")
            return
        yield from ("/", "/todo/", "/notifications/", "/interests/", "/changes/")
        if self.role in ("officer", "broker", "administrator"):
            yield from ("/imports/", "/duplicates/")
        if self.role == "auditor":
            yield "/audit/"
        if self.role in ("officer", "leader", "administrator"):
            yield "/dashboard/"
            shown = links(self.page, r"/(dashboard/list|results)/[^.]*")
            yield from self.dice.sample(shown, min(3, len(shown)))

    def machine(self) -> Iterator[str]:
        """A program that reads page after page."""
        if self.role == "visitor":
            yield "/api/v1/achievements?limit=50"
            yield "/api/v1/needs?limit=50"


# ── the house and its people ──


def crowd(each: int = 6) -> None:
    """More accounts of every role like those of the demo, with their passwords in the log of the site."""
    from silian.web.base.models import Membership, Post, User
    from silian.web.catalog.models import Expert

    password = "load-and-nothing-else"
    experts = iter(Expert.objects.exclude(org=None).order_by("expert_id")[1 : each * 2])
    for user in User.objects.filter(email__endswith="@demo.invalid").order_by("pk"):
        role = user.email.split("@")[0]
        user.set_password(password)
        user.save()
        print(f"  {role} {user.email} {password}")
        for number in range(1, each):
            expert_id = next(experts).pk if user.expert_id else ""
            email = f"{role}{number}@demo.invalid"
            other = User.objects.create_user(email, password, name=f"{user.name} {number}", expert_id=expert_id)
            for post in Post.objects.filter(user=user):
                Post.objects.create(user=other, role=post.role, place=post.place)
            for one in Membership.objects.filter(user=user):
                Membership.objects.create(user=other, org_id=one.org_id, role=one.role)
            print(f"  {role}{number} {email} {password}")


def fill(house: House, case: str) -> None:
    """The region of a case with its accounts in the database of a house; `demo`: the house does it when it starts."""
    if case == "demo" or (house.log.exists() and house.accounts()):
        return
    benchmarks = Path(__file__).resolve().parents[2] / "benchmarks"
    paths = [str(benchmarks), str(benchmarks.parent / "tests"), str(benchmarks.parent / "src")]
    own = house.environment | {"PYTHONPATH": os.pathsep.join(paths), "POLARS_MAX_THREADS": "2"}
    with house.log.open("ab") as log:
        subprocess.run([sys.executable, "-c", FILL, case], env=own, check=True, stdout=log)


@dataclass
class Load:
    """One measurement on one database."""

    house: House
    minutes: float
    readers: int
    case: str
    think: Callable[[random.Random], float]
    writer_think: float
    full_s: float
    seed: int = 7
    heard: Heard = field(default_factory=Heard)
    full: Heard = field(default_factory=Heard)
    book: Book = field(default_factory=Book)
    writers: list[Writer] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Fill, start, walk, compare."""
        fill(self.house, self.case)
        self.house.wait()
        compare = compare_in(self.house)
        if waits := compare.drain(most=FIRST):  # the topics of all experts, minutes of a core
            sys.exit(waits)
        readers = [self._reader(n) for n in range(self.readers)]
        self._hire()
        say(f"{len(readers)} readers and {len(self.writers)} writers begin")
        memory, share = self._walk(readers)
        busy = self._saturate([one.person for one in readers])
        return self._told(compare, memory, share, busy)

    def _reader(self, number: int) -> Reader:
        role = ROLES[number % len(ROLES)]
        return Reader(self._person(role, number // len(ROLES)), role, self.seed * 1000 + number, self.think)

    def _person(self, role: str, number: int) -> Timed:
        accounts = self.house.accounts()
        email, password = "", ""
        if role != "visitor":
            email, password = accounts.get(f"{role}{number}") or accounts[role]
        person = Timed("127.0.0.1", self.house.port, role, email, password, heard=self.heard)
        if email:
            person.sign_in()
        return person

    def _hire(self) -> None:
        """One writer of each kind."""
        from live.writers import Booker, Creator, Editor, Importer, Seeker

        choose_records(random.Random(self.seed))
        gate = Gate()
        for seed, kind in enumerate((Editor, Creator, Seeker, Booker, Importer)):
            person = self._person(kind.role, 0)
            self.writers.append(kind(person, self.book, gate, self.seed * 100 + seed, think=self.writer_think))

    def _walk(self, readers: list[Reader]) -> tuple[dict[str, list[float]], float]:
        """Everybody at work; what the processes of the site weigh at both ends, and our own share."""
        for one in (*readers, *self.writers):
            one.start()
        warm = min(WARM, self.minutes * 15)
        time.sleep(warm)
        self.heard.since, own = time.monotonic(), psutil.Process().cpu_times()
        first, over = self._memory(), self.heard.since + self.minutes * 60
        while (left := over - time.monotonic()) > 0:
            time.sleep(min(60, left))
            say(f"{max(0, over - time.monotonic()):.0f} s left: {self._now()}")
        self.heard.until = time.monotonic()
        spent = psutil.Process().cpu_times()
        share = (spent.user + spent.system - own.user - own.system) / (self.heard.until - self.heard.since)
        last = self._memory()
        for one in (*readers, *self.writers):
            one.is_over.set()
        for one in (*readers, *self.writers):
            one.join(120)
        return {kind: [first[kind], last.get(kind, 0.0)] for kind in first}, share

    def _saturate(self, people: list[Timed]) -> dict[str, Any]:
        """As many as the site can answer at once, who think nothing."""
        readers = []
        for number, person in enumerate(people[:FULL]):
            person.heard = self.full
            readers.append(Reader(person, person.name, self.seed * 2000 + number, lambda _dice: 0.0))
        self.full.since = time.monotonic()
        for one in readers:
            one.start()
        time.sleep(self.full_s)
        self.full.until = time.monotonic()
        for one in readers:
            one.is_over.set()
        for one in readers:
            one.join(120)
        every = [s for those in self.full.seconds.values() for s in those]
        found = {"readers": len(readers), "per_second": round(len(every) / self.full_s, 1), **cuts(every)}
        return found | {"errors": sum(self.full.errors.values())}

    def _memory(self) -> dict[str, float]:
        """MiB of each kind of process of the site that it does not share with others."""
        found: dict[str, float] = {}
        for kind, those in self.house.processes().items():
            found[kind] = round(sum(one.memory_full_info().uss for one in those) / 2**20, 1)
        return found

    def _now(self) -> str:
        every = [s for those in list(self.heard.seconds.values()) for s in list(those)]
        return f"{len(every)} answers, {cuts(every)}, errors {dict(self.heard.errors)}"

    def _told(
        self, compare: Compare, memory: dict[str, list[float]], share: float, busy: dict[str, Any]
    ) -> dict[str, Any]:
        from django.db import connection

        from live.compare import consistently

        wrong = [compare.drain(most=FIRST)]
        wrong += consistently(lambda: [*compare.wrong_all(), *compare.unlogged(self.book.logged)])
        wrong += consistently(lambda: self.book.compare(sorted(self.book.entries), compare.look))
        wrong += [told for writer in self.writers for told in writer.broken]
        every = [s for those in self.heard.seconds.values() for s in those]
        return {
            "database": connection.vendor, "minutes": self.minutes, "readers": self.readers,
            "writers": len(self.writers), "answers": len(every), **cuts(every),
            "kinds": {kind: {"n": len(those)} | cuts(those) for kind, those in sorted(self.heard.seconds.items())},
            "errors": dict(self.heard.errors), "written": {type(w).__name__: w.done for w in self.writers},
            "promises": len(self.book.entries), "lost_writes": [told for told in wrong if told],
            "memory_mib": memory, "client_share_of_a_core": round(share, 3), "saturation": busy,
        }  # fmt: skip


def cuts(seconds: list[float]) -> dict[str, float]:
    """50th, 95th and 99th percentile in milliseconds."""
    if len(seconds) < 2:
        return {}
    cut = statistics.quantiles(seconds, n=100)
    return {f"p{p}_ms": round(1000 * cut[p - 1], 1) for p in (50, 95, 99)}


def say(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, flush=True)


def main() -> int:
    """One measurement on the database that DATABASE_URL names, else on SQLite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--case", choices=["demo", "small", "goal"], default="goal", help="how many records")
    parser.add_argument("--think", type=float, default=THINK[0], help="seconds of a reader at a page, the median")
    parser.add_argument("--full", type=float, default=FULL_S, help="seconds at saturation")
    parser.add_argument("--home", type=Path, help="a folder that keeps what was filled for the next time; for SQLite")
    parser.add_argument("--results", type=Path, help="file to which the line of JSON is added")
    given = parser.parse_args()
    folder = given.home or Path(tempfile.mkdtemp(prefix="silian-load-"))
    house = House(folder)
    writer_think = WRITER_THINK * given.think / THINK[0]

    def think(dice: random.Random) -> float:
        return dice.lognormvariate(math.log(given.think), THINK[1])

    say(f"{'PostgreSQL' if os.environ.get('DATABASE_URL', '').startswith('postgres') else 'SQLite'}, {given.case}")
    load = Load(house, given.minutes, given.readers, given.case, think, writer_think, given.full)
    try:
        values = load.run()
    finally:
        house.end_all()
        if not given.home:
            shutil.rmtree(folder, ignore_errors=True)
    line = {"bench": "load", "case": f"{given.case} {values['database']}", "values": values}
    print(json.dumps(line, ensure_ascii=False), flush=True)
    if given.results:
        keep_line(given.results, line)
    return 1 if values["errors"] or values["lost_writes"] or values["saturation"]["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
