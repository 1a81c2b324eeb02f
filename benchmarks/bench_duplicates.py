"""Likely duplicates of the site: what is found of planted copies, how much else is shown, and how long it takes.

Copies are planted into the synthetic city by hand-written rules that are not those of the comparison: marks, widths,
order, a homophone, a dropped or an added word, a shortened text, another id. A pair of a copy and its source is right,
every other pair is counted as wrong (also where the synthetic region happens to say nearly the same twice).
`python benchmarks/bench_duplicates.py [city | large]`; large: times at 100,000 organisations of made-up names.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HOME = tempfile.mkdtemp(prefix="silian-bench-")
os.environ |= {"SILIAN_HOME": HOME, "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings"}

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from silian import tables  # noqa: E402
from silian.tables import synth  # noqa: E402
from silian.web.base.actors import Actor  # noqa: E402
from silian.web.base.models import Place  # noqa: E402
from silian.web.catalog.changing import Edit, change, plain  # noqa: E402
from silian.web.catalog.duplicates import likely, reports  # noqa: E402
from silian.web.catalog.duplicates.blocking import HEADINGS, build_keys  # noqa: E402
from silian.web.catalog.models import MODELS, DuplicatePair, DuplicateReport, MatchKey  # noqa: E402
from silian.web.catalog.tables import write_region  # noqa: E402

CORES = os.cpu_count()
COPIES = 200
NOUNS = ("organisations", "experts", "needs", "achievements", "facilities", "products")
HOMOPHONES = dict(zip("华兴星明鸣科新鑫成诚东冬海金锦", "骅星兴鸣明棵鑫新诚成冬东嗨锦金", strict=True))
ADDED = {
    "organisations": ("集团",),
    "needs": ("（急）", "技术需求"),
    "achievements": ("的应用", "及产业化"),
    "products": ("组件",),
}


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "duplicates", "case": case, "values": rounded, "cores": CORES}), flush=True)


def altered(noun: str, name: str, dice: random.Random) -> str:
    """A name as another clerk would write it."""
    way = dice.randrange(6)
    if way == 0:
        return name.replace("（", "(").replace("）", ")")
    if way == 1:
        return f"{name[:4]} {name[4:]}"
    if way == 2 and any(sign in HOMOPHONES for sign in name):
        at = next(i for i, sign in enumerate(name) if sign in HOMOPHONES)
        return name[:at] + HOMOPHONES[name[at]] + name[at + 1 :]
    if way == 3 and len(name) > 8:
        at = dice.randrange(2, len(name) - 3)
        return name[:at] + name[at + 2 :]
    if way == 4 and noun in ADDED:
        return name + dice.choice(ADDED[noun])
    return name


def copy_of(noun: str, record: object, dice: random.Random) -> dict[str, object]:
    """A record again, as another list has it: fewer columns, another spelling, a shortened text, rarely a code."""
    values = plain(record)  # type: ignore[arg-type]
    heading = HEADINGS[noun]
    table = MODELS[noun].table
    kept = {c.name: values[c.name] for c in table.columns if c.is_required or dice.random() < 0.6}
    kept |= {heading: values[heading] if noun == "experts" else altered(noun, values[heading], dice)}
    if noun in ("needs", "achievements") and values.get("text") and dice.random() < 0.7:
        text = values["text"]
        kept["text"] = text[: int(len(text) * dice.uniform(0.5, 1))]
    for code in ("uscc", "orcid", "ip_numbers"):
        if code in values and dice.random() < 0.7:
            kept.pop(code, None)
    kept.pop("parent_org_id", None)
    kept[table.key[0]] = f"copy-{record.pk}"  # type: ignore[attr-defined]
    return kept


def warned(actor: Actor, noun: str, copies: dict[str, dict[str, object]]) -> None:
    """What is shown while the copies are typed, before they are there."""
    hits = shown = 0
    took = []
    for source, values in copies.items():
        began = time.perf_counter()
        found = likely.warn(actor, noun, values).found
        took.append(time.perf_counter() - began)
        shown += len(found)
        hits += source in {one.record.record_id for one in found}
    line(
        f"warn {noun}",
        copies=len(copies),
        recall=hits / len(copies),
        shown_each=shown / len(copies),
        p50=float(np.quantile(took, 0.5)),
        p95=float(np.quantile(took, 0.95)),
    )


def reported(noun: str, copies: dict[str, dict[str, object]], twins: set[tuple[str, str]]) -> None:
    """The whole report, with the copies in the registry."""
    report = DuplicateReport.objects.create(noun=noun, place=Place.root())
    began = time.perf_counter()
    reports.find(report)
    seconds = time.perf_counter() - began
    report.refresh_from_db()
    right = {(min(s, f"copy-{s}"), max(s, f"copy-{s}")) for s in copies}
    found = {(p.left_id, p.right_id): p.confidence for p in DuplicatePair.objects.filter(noun=noun)}
    told = {}
    for least in (0.6, 0.75, 0.9):
        above = {pair for pair, confidence in found.items() if confidence >= least}
        true = above & (right | twins)
        told[f"at_{int(100 * least)}"] = {
            "recall": round(len(above & right) / max(1, len(right)), 3),
            "precision": round(len(true) / max(1, len(above)), 3),
            "pairs": len(above),
        }
    line(f"report {noun}", records=MODELS[noun].objects.count(), candidates=report.total, seconds=seconds, **told)


def planted(region: tables.Region) -> set[tuple[str, str]]:
    """The organisations that the synthetic region itself holds twice, as the engine's own test counts them."""
    from silian.engines import link

    rows = link.same(region["organisations"]).rows(named=True)
    return {
        (min(r["org_id"], r["canonical_id"]), max(r["org_id"], r["canonical_id"]))
        for r in rows
        if r["org_id"] != r["canonical_id"]
    }


def large(rows: int = 100_000) -> None:
    """Times at 100,000 organisations of made-up names; a tenth stands twice, in another spelling."""
    dice = random.Random(7)
    signs = "华兴星明鸣科新鑫成诚东冬海金锦宏宇泰安达瑞丰凯博远航天祥力源通汇联创智云"
    trades = ("机电", "软件", "新材料", "生物科技", "光电", "轴承", "模具", "食品", "精密制造", "环保设备")
    places = ("苏州", "杭州", "贵阳", "成都")
    model, root = MODELS["organisations"], Place.root()
    names = [
        f"（{dice.choice(places)}）{''.join(dice.choices(signs, k=3))}{dice.choice(trades)}有限公司"
        for _ in range(rows)
    ]
    names[-rows // 10 :] = [altered("organisations", name, dice) for name in names[: rows // 10]]
    model.objects.bulk_create(
        [
            model(org_id=f"L{n}", name=name, kind="enterprise", owner_id=f"L{n}", place=root)
            for n, name in enumerate(names)
        ],
        batch_size=500,
    )  # type: ignore[call-arg]
    began = time.perf_counter()
    keys = build_keys(["organisations"])
    line("keys large", records=rows, keys=keys, seconds=time.perf_counter() - began)
    actor = Actor(user_id=None, posts=frozenset({("administrator", f"/{Place.ROOT}/")}))
    warned(
        actor,
        "organisations",
        {f"L{n}": {"name": altered("organisations", names[n], dice)} for n in dice.sample(range(rows), 300)},
    )
    reported("organisations", {}, set())


def main() -> None:
    """Fill a site, measure what is shown while the copies are typed, plant them, measure the report."""
    size = sys.argv[1] if len(sys.argv) > 1 else "city"
    call_command("migrate", verbosity=0)
    if size == "large":
        large()
        return
    with tempfile.TemporaryDirectory() as folder:
        synth.write(synth.make(size, seed=7), Path(folder))  # type: ignore[arg-type]
        region = tables.read_region(Path(folder))
    region = tables.drop_problem_rows(region, tables.check(region))
    began = time.perf_counter()
    write_region(region)
    line("fill", seconds=time.perf_counter() - began, records={noun: region[noun].height for noun in NOUNS})
    began = time.perf_counter()
    keys = build_keys()
    line("keys", seconds=time.perf_counter() - began, keys=keys)
    actor = Actor(user_id=None, posts=frozenset({("administrator", f"/{Place.ROOT}/")}))
    for noun in NOUNS:
        dice = random.Random(7)
        ids = dice.sample(
            sorted(MODELS[noun].objects.values_list("pk", flat=True)), min(COPIES, MODELS[noun].objects.count() // 2)
        )
        if noun == "organisations":
            ids = [i for i in ids if MODELS[noun].objects.filter(pk=i, kind="enterprise", parent_org_id=None).exists()]
        copies = {i: copy_of(noun, MODELS[noun].objects.get(pk=i), dice) for i in ids}
        warned(actor, noun, copies)
        change(actor, noun, [Edit(str(v[MODELS[noun].table.key[0]]), v) for v in copies.values()])
        reported(noun, copies, planted(region) if noun == "organisations" else set())
    line("table", keys=MatchKey.objects.count(), mebibytes=Path(HOME, "silian.sqlite3").stat().st_size / 2**20)


if __name__ == "__main__":
    main()
