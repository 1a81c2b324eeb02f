"""Kill the site again and again while people write, and hold it by what it has promised.

`make torture KILLS=500 SEED=7`; half of the kills on SQLite, half on PostgreSQL. A campaign ends at the first broken
promise and keeps the folder of the site, the database, the log and the seed.

What the site has acknowledged must be there after the kill, whole and once; what it has not acknowledged is there
whole or not at all; what it has refused is not there. See docs/methods/torture.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from live.book import Book, Gate
from live.house import GoneError, House, Postgres

if TYPE_CHECKING:
    from live.compare import Compare
    from live.writers import Writer

# How often each is killed, relative to the others.
TARGETS: Final = {
    "server worker": 5, "server master": 2, "task worker": 5, "keeper of the index": 2, "supervisor": 1,
    "everything": 2, "worker of runs": 2, "pipeline of a run": 4,
}  # fmt: skip
DATABASE_TARGETS: Final = {"PostgreSQL backend": 3, "PostgreSQL": 2}
LONGEST: Final = 1.5  # seconds that writers write before a kill
OLD: Final = 200  # promises of earlier rounds that are compared again after each kill
WHOLE_EVERY: Final = 25  # kills after which everything is compared with everything


class BrokenError(Exception):
    """The site does not keep what it has promised."""


@dataclass
class Campaign:
    """Writers at work, one kill after the other."""

    house: House
    kills: int
    seed: int
    postgres: Postgres | None
    book: Book = field(default_factory=Book)
    gate: Gate = field(default_factory=Gate)
    writers: list[Writer] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    ready_s: list[float] = field(default_factory=list)  # from the kill until the site answers with all its processes
    drain_s: list[float] = field(default_factory=list)  # from then until nothing waits in the background
    compare_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def run(self) -> dict[str, Any]:
        """Start, kill, compare; what was found.

        Raises
        ------
        BrokenError : at the first promise that is not kept
        """
        began = time.monotonic()
        self.house.wait()
        compare = compare_in(self.house)
        self._people()
        if broken := compare.drain(runs=False, tend=self.house.tend):  # the first run of the site may be killed, too
            raise BrokenError(broken)
        for number in range(1, self.kills + 1):
            self._one(number, compare)
            if number % 10 == 0 or number == self.kills:
                self._say(number, began)
        self._end()
        self._whole(compare)
        return self._told(round(time.monotonic() - began))

    # ── one kill ──

    def _one(self, number: int, compare: Compare) -> None:
        target = self._target()
        moment = self.dice.uniform(0.05, LONGEST)
        self.house.note(f"kill {number}: {target} after {moment:.3f} s")
        for writer in self.writers:
            if not writer.is_alive():
                writer.start()
        opened_at = time.monotonic()
        self.gate.open()
        time.sleep(moment)
        killed_at = time.monotonic()
        while not self._kill(target):
            target = self._target()
        self.killed[target] += 1
        self.house.wait()
        self.ready_s.append(time.monotonic() - killed_at)
        self.gate.shut()
        crashes = [told for writer in self.writers for at, told in writer.crashes if opened_at < at < killed_at]
        if crashes:
            told = f"the site broke though nothing was killed: {crashes}"
            raise BrokenError(told)
        self._compare(compare, number)

    def _target(self) -> str:
        targets = TARGETS | (DATABASE_TARGETS if self.postgres else {})
        return self.dice.choices(list(targets), weights=list(targets.values()))[0]

    def _kill(self, target: str) -> bool:
        if target.startswith("PostgreSQL"):
            assert self.postgres is not None
            return self.postgres.kill(target, self.dice)
        if target == "pipeline of a run" and not _is_computing():  # one that waits for a run has nothing to lose
            return False
        return self.house.kill(target, self.dice)

    def _compare(self, compare: Compare, number: int) -> None:
        from django.db import connections

        from live.compare import consistently, settle

        self.house.wait()
        connections.close_all()
        began = time.monotonic()
        settle()
        runs = number % WHOLE_EVERY == 0 or number == self.kills
        if stuck := compare.drain(runs=runs, tend=self.house.tend):
            raise BrokenError(stuck)
        drained = time.monotonic()
        self.drain_s.append(drained - began)
        keys = sorted(self.book.touched)
        old = sorted(self.book.entries.keys() - self.book.touched)
        keys += self.dice.sample(old, min(OLD, len(old)))
        logged, self.book.logged, self.book.touched = self.book.logged, set(), set()

        def all_of() -> list[str]:
            wrong = compare.wrong()
            return [*wrong, *self.book.compare(keys, compare.look), *compare.unlogged(logged)]

        broken = consistently(all_of)
        broken += compare.found_wrong(self.house.person("visitor"), self._titles())
        broken += [told for writer in self.writers for told in writer.broken]
        if broken:
            raise BrokenError("\n".join(broken))
        if number % WHOLE_EVERY == 0:
            self._whole(compare)
        connections.close_all()
        self.compare_s.append(time.monotonic() - drained)

    def _titles(self) -> list[tuple[str, str, str]]:
        """A few records that were made, by the words of their titles."""
        from live.writers import Creator

        made = [one for writer in self.writers if isinstance(writer, Creator) for one in writer.made]
        return [("achievements", number, title.split()[-1]) for number, title in made[-3:]]

    def _whole(self, compare: Compare) -> None:
        """Every promise, and everything that is there."""
        from live.compare import consistently

        def all_of() -> list[str]:
            return [*compare.wrong_all(), *self.book.compare(sorted(self.book.entries), compare.look)]

        if broken := consistently(all_of):
            raise BrokenError("\n".join(broken))

    # ── people ──

    def _people(self) -> None:
        """Two editors, and one of each other kind, with records to work on."""
        from live.writers import KINDS, Editor, Runner

        choose_records(self.dice)
        runs = (Runner,) if "worker of runs" in self.house.parts else ()  # a site may have none
        for seed, kind in enumerate((Editor, *KINDS, *runs)):
            person = self.house.person(kind.role)
            self.writers.append(kind(person, self.book, self.gate, self.seed * 100 + seed, think=0.05))

    def _end(self) -> None:
        for writer in self.writers:
            writer.is_over.set()
        self.gate.open()
        for writer in self.writers:
            writer.join(60)

    # ── telling ──

    def _say(self, number: int, began: float) -> None:
        done = sum(writer.done for writer in self.writers)
        lost = sum(writer.lost for writer in self.writers)
        told = f"{number}/{self.kills} kills in {time.monotonic() - began:.0f} s; {self.book.kept} promises held, "
        print(f"{told}{self.book.open} of them open; {done} pieces of work, {lost} requests lost", flush=True)

    def _told(self, seconds: int) -> dict[str, Any]:
        from live.compare import litter
        from silian.web.catalog.models import Import

        return {
            "kills": self.kills, "seed": self.seed, "killed": dict(self.killed), "broken": 0,
            "promises": len(self.book.entries), "held": self.book.kept, "answers_lost": self.book.open,
            "work": {writer.name.split()[0]: writer.done for writer in self.writers},
            "refused": sum((Counter(writer.refused) for writer in self.writers), Counter()),
            "ready_p50_s": _cut(self.ready_s, 50), "ready_p95_s": _cut(self.ready_s, 95),
            "drain_p50_s": _cut(self.drain_s, 50), "drain_p95_s": _cut(self.drain_s, 95),
            "compare_p50_s": _cut(self.compare_s, 50), "seconds": seconds, "orphan_files": litter(),
            "starts_of_all": self.house.starts,
            "imports_given_up": Import.objects.filter(code="web.import_stopped").count(),
        }  # fmt: skip


def _is_computing() -> bool:
    from django.db import connections

    from silian.web.runs.models import Run

    connections.close_all()  # the server of the database may be another one since
    is_computing = Run.objects.filter(state=Run.State.RUNNING).exists()
    connections.close_all()
    return is_computing


def choose_records(dice: random.Random) -> None:
    """Give each kind of writer records of its own, so that what each is promised can be told."""
    from live.writers import Attacher, Booker, Editor, Importer, Seeker
    from silian.web.base.models import Membership
    from silian.web.catalog.models import Achievement, Facility, Interest

    own = Membership.objects.filter(user__email="enterprise@demo.invalid").values_list("org_id", flat=True)
    published = Achievement.objects.filter(state="published").exclude(owner_id__in=own).order_by("pk")
    ids = list(published.values_list("pk", flat=True))
    dice.shuffle(ids)
    Editor.records, Importer.known, Attacher.records = ids[:4], ids[4:14], ids[14:16]
    known = set(Interest.objects.filter(noun="achievements").values_list("record_id", flat=True))  # of the demo
    Seeker.records = [number for number in ids[16:] if number not in known][:14]
    Booker.facilities = list(Facility.objects.filter(state="published").order_by("pk").values_list("pk", flat=True))[:3]


def compare_in(house: House) -> Compare:
    """Django on the database of the site, in this process."""
    os.environ |= {name: house.environment[name] for name in ("SILIAN_HOME", "SILIAN_MODE", "DJANGO_SETTINGS_MODULE")}
    import django

    from silian.web import settings

    options: dict[str, Any] = settings.DATABASES["default"]["OPTIONS"]  # type: ignore[assignment]
    options.pop("pool", None)  # a connection that is shut is shut
    if "transaction_mode" in options:
        options["transaction_mode"] = "DEFERRED"  # who reads keeps nobody waiting
    django.setup()
    from live.compare import Compare

    return Compare()


def _cut(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100)[percent - 1], 2) if len(values) > 1 else round(sum(values), 2)


def main() -> int:
    """One campaign on one database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, default=Path("torture"), help="where a broken site is kept")
    parser.add_argument("--results", type=Path, help="file to which the line of JSON is added")
    given = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "")
    postgres = Postgres.of(url) if url.startswith("postgres") else None
    home = Path(tempfile.mkdtemp(prefix="silian-torture-"))
    house = House(home)
    campaign = Campaign(house, given.kills, given.seed, postgres)
    name = "PostgreSQL" if postgres else "SQLite"
    print(f"{name}: {given.kills} kills, seed {given.seed}, the site lies in {home}", flush=True)
    try:
        values = campaign.run()
    except (BrokenError, GoneError) as error:
        house.note(f"BROKEN: {error}")
        house.end_all()
        kept = _keep(given.keep, house, campaign, postgres)
        print(f"BROKEN after {sum(campaign.killed.values())} kills, seed {given.seed}: {error}\nkept in {kept}")
        return 1
    finally:
        house.end_all()
        shutil.rmtree(home, ignore_errors=True)
    line = {"bench": "torture", "case": name, "values": values}
    print(json.dumps(line, ensure_ascii=False), flush=True)
    if given.results:
        keep_line(given.results, line)
    return 0


def keep_line(results: Path, line: dict[str, Any]) -> None:
    """Add a line to the kept results, with the day, the commit and the machine."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
    from run import facts

    with results.open("a", encoding="utf-8") as kept:
        kept.write(json.dumps(line | facts(), ensure_ascii=False) + "\n")


def _keep(where: Path, house: House, campaign: Campaign, postgres: Postgres | None) -> Path:
    """The folder of a broken site with its database, its log, and the book of promises."""
    where = where / time.strftime("%Y%m%d-%H%M%S")
    shutil.copytree(house.home, where)
    if postgres is not None:
        shutil.copytree(postgres.folder, where / "postgresql", ignore=shutil.ignore_patterns(".s.*"))
    lines = [f"{key}: {sorted(map(str, entry.allowed))}" for key, entry in sorted(campaign.book.entries.items())]
    (where / "promises.txt").write_text("\n".join(lines), encoding="utf-8")
    return where


if __name__ == "__main__":
    sys.exit(main())
