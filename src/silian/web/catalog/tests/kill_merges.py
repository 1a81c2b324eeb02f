"""Merges and reports in a process that is killed at random moments; run by `test_merge_kill` on a database of its own.

Every kill hits a forked child with SIGKILL, as the kernel kills a server or a worker. What is printed is JSON: how
often a merge was found whole, how often not at all, and everything that was found half-done.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
from silian.web import settings

settings.DATABASES["default"]["OPTIONS"].pop("pool", None)  # type: ignore[attr-defined]  # its threads do not outlive a fork
django.setup()

from django.db import connection, connections  # noqa: E402

from silian.engines.link import name_key  # noqa: E402
from silian.web.base.actors import VISITOR  # noqa: E402
from silian.web.base.models import Membership, Place, User  # noqa: E402
from silian.web.catalog.changing import undo  # noqa: E402
from silian.web.catalog.duplicates import merging, reports  # noqa: E402
from silian.web.catalog.duplicates.blocking import sound  # noqa: E402
from silian.web.catalog.models import (  # noqa: E402
    MODELS,
    Alias,
    Change,
    ChangeSet,
    DuplicatePair,
    DuplicateReport,
    MatchKey,
    Merge,
    Organisation,
)


def fingerprint() -> str:
    """Everything that a merge touches, down to versions."""
    told = hashlib.sha256()
    for model in (*MODELS.values(), MatchKey, Alias, Merge, Membership, User, ChangeSet, Change):
        for row in model.objects.order_by("pk").values_list():
            told.update(repr(row).encode())
    return told.hexdigest()


def merge(kept_id: str, gone_id: str) -> None:
    kept, gone = Organisation.objects.get(pk=kept_id), Organisation.objects.get(pk=gone_id)
    merging.merge(VISITOR, "organisations", kept_id, gone_id, chosen={}, seal=merging.plan(kept, gone).seal)


def half_done(kept_id: str, gone_id: str, changes: int) -> list[str]:
    """What of a merge is missing that has begun to show."""
    gone = Organisation(pk=gone_id)
    kept = Organisation.objects.get(pk=kept_id)
    made = Merge.objects.filter(gone_id=gone_id).last()
    wrong = {
        "record": Organisation.objects.filter(pk=gone_id).exists(),
        "alias": merging.resolve("organisations", [gone_id]) != {gone_id: kept_id},
        "references": merging._moves(kept, gone) != ([], {}),
        "members": Membership.objects.filter(org_id=gone_id).exists(),
        "keys": MatchKey.objects.filter(noun="organisations", record_id=gone_id).exists(),
        "changes": made is None or made.changes.rows.count() != changes,
    }
    return [name for name, is_wrong in wrong.items() if is_wrong]


def in_child(work, *, kill_after: float | None = None) -> float:
    """Do something in a process of its own; kill it some time after it began. Gives how long it took."""
    connections.close_all()
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        connection.ensure_connection()
        os.write(tell, b".")
        work()
        connections.close_all()
        os._exit(0)
    os.read(ready, 1)
    began = time.monotonic()
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    took = time.monotonic() - began
    for end in (ready, tell):
        os.close(end)
    if kill_after is None and status != 0:
        sys.exit("a process that nobody killed has failed")
    alone()
    return took


def alone() -> None:
    """Wait until the database has noticed that the killed process is gone."""
    while connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.002)


def kill_merges(times: int, dice: random.Random) -> dict[str, object]:
    gone = Organisation.objects.get(pk=Membership.objects.order_by("pk")[0].org_id)
    kept = Organisation.objects.exclude(pk=gone.pk).order_by("pk")[0]
    told: dict[str, object] = {"whole": 0, "not": 0, "half": []}

    def undone() -> None:
        undo(VISITOR, Merge.objects.order_by("-pk")[0].changes)

    sound("四"), name_key(["四鏈"])  # what is read once is read before the first child
    for _ in range(2):  # the first also warms the disk
        took = in_child(lambda: merge(kept.pk, gone.pk))
        changes = Merge.objects.order_by("-pk")[0].changes.rows.count()
        in_child(undone)
    for _ in range(times):
        if not Organisation.objects.filter(pk=gone.pk).exists():
            in_child(undone)
        before = fingerprint()
        in_child(lambda: merge(kept.pk, gone.pk), kill_after=dice.uniform(0, 1.2 * took))
        if fingerprint() == before:
            told["not"] += 1  # type: ignore[operator]
        elif wrong := half_done(kept.pk, gone.pk, changes):
            told["half"].append(wrong)  # type: ignore[attr-defined]
        else:
            told["whole"] += 1  # type: ignore[operator]
    return told


def kill_reports(times: int, dice: random.Random) -> dict[str, object]:
    report = DuplicateReport.objects.create(noun="organisations", place=Place.root())

    def look() -> None:
        reports.find(DuplicateReport.objects.get(pk=report.pk))

    def pairs() -> list[tuple[str, str, float]]:
        return list(
            DuplicatePair.objects.order_by("left_id", "right_id").values_list("left_id", "right_id", "confidence")
        )

    took = in_child(look)
    whole, torn = pairs(), 0
    for _ in range(times):
        DuplicatePair.objects.all().delete()
        DuplicateReport.objects.update(state="running")
        in_child(look, kill_after=dice.uniform(0, took))
        is_done = DuplicateReport.objects.get(pk=report.pk).state == "done"
        torn += pairs() != (whole if is_done else [])
        in_child(look)
        torn += pairs() != whole
    return {"torn": torn, "pairs": len(whole)}


if __name__ == "__main__":
    dice = random.Random(int(sys.argv[1]))
    sys.stdout.write(
        json.dumps({"merges": kill_merges(int(sys.argv[2]), dice), "reports": kill_reports(int(sys.argv[3]), dice)})
    )
