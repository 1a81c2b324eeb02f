"""Imports by a worker that is killed at random moments; run by `test_import_kills` on a database of its own.

One import runs undisturbed and shows how long each part takes and what comes of it; the next ones are killed twice in
each part and taken up again. What is printed is JSON: what each import came to, the undisturbed one first.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db.models import Count, Max
from kill_merges import in_child  # sets Django up

from silian.web.base.models import User
from silian.web.catalog.changing import plain
from silian.web.catalog.exchange import imports
from silian.web.catalog.models import Achievement, Change, Import, ImportRow, MatchKey
from silian.web.catalog.tasks import ask

if TYPE_CHECKING:
    from collections.abc import Iterable

imports.PAUSE, imports.STEP, imports.KEPT = 0.002, 25, 25
NEW = 150
KILLS = 2  # a worker gives a task up that has stopped it three times


def work() -> None:
    call_command("work", batch=True)


def bring(known: Iterable[str]) -> Import:
    lines = [f"{pk},改名\n" for pk in known] + [f"K{i:05d},成果{i}\n" for i in range(NEW)]
    made = Import(by=User.objects.get(email="administrator@demo.invalid"), name="achievements.csv")
    made.file.save("file.csv", ContentFile(("achievement_id,title\n" + "".join(lines)).encode()))
    return made


def told(brought: Import) -> list[object]:
    """What stands in the database, as far as two imports of one file come to the same."""
    brought.refresh_from_db()
    rows = dict(brought.rows.values_list("state").annotate(n=Count("pk")))
    records = {a.pk: plain(a) for a in Achievement.objects.order_by("pk")}
    keys = sorted(MatchKey.objects.filter(noun="achievements").values_list("key", "record_id"))
    sets = [made for made in (brought.changes_id, brought.undone_id) if made]
    changes = Change.objects.filter(changes__in=sets)
    each = changes.values("changes", "record_id").annotate(n=Count("pk")).aggregate(most=Max("n"))["most"]
    seal = hashlib.sha256(json.dumps([records, keys], ensure_ascii=False).encode()).hexdigest()
    return [brought.state, rows, seal, changes.count(), each]


def go_through(known: list[str], seconds: list[float], dice: random.Random | None) -> list[list[object]]:
    """Read, apply and undo a file; what stands after each part."""
    brought, made = bring(known), []
    for part, state in enumerate(("reading", "applying", "undoing")):
        ask(brought, state, total=ImportRow.objects.filter(brought=brought).count())
        for _ in range(KILLS if dice else 0):
            in_child(work, kill_after=dice.uniform(0, 0.8 * seconds[part]))
        took = in_child(work)
        if not dice:
            seconds.append(took)
        made.append(told(brought))
    return made


if __name__ == "__main__":
    known = list(Achievement.objects.order_by("pk").values_list("pk", flat=True))
    seconds: list[float] = []
    found = [go_through(known, seconds, None)]
    found += [go_through(known, seconds, random.Random(seed)) for seed in map(int, sys.argv[1:])]
    sys.stdout.write(json.dumps({"records": len(known), "found": found, "seconds": seconds}))
