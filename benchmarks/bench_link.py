"""Linking organisations: a synthetic city, and a made-up country of 300,000 rows beside plain Python loops.

Rows of the country: names over few parts, so that many coincide; four tenths have a code; a twentieth carries a former
name; a tenth is spelt otherwise (full-width brackets, blanks). The rival does the same for rows without parents: keys
in dictionaries, joined by union–find, once the names are compared letters. Both answers are compared first.
"""

from __future__ import annotations

import json
import os
import resource
import time

import numpy as np
import polars as pl

from silian.engines.link import name_key, same
from silian.tables import synth, uscc

CORES = os.cpu_count()
ROWS = 300_000


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "link", "case": case, "values": rounded, "cores": CORES}), flush=True)


def country(rows: int) -> pl.DataFrame:
    """Organisations of which about half are duplicates."""
    rng = np.random.default_rng(7)
    body = np.minimum(rng.integers(0, rows, rows), rng.integers(0, rows, rows))  # some bodies stand often
    places, trades = ("苏州", "杭州", "成都", "郑州"), ("机电", "软件", "材料", "生物", "光电")
    plain = [f"{places[b % 4]}{b // 4}{trades[b % 5]}(中国)有限公司" for b in body.tolist()]
    odd = rng.random(rows) < 0.1
    names = [n.replace("(", "（ ").replace(")", "）") if o else n for n, o in zip(plain, odd.tolist(), strict=True)]
    codes = [uscc.make("9", "1", "110105", f"{b:08d}") for b in range(min(rows, 5_000))]
    code = [
        codes[b] if b < len(codes) and c else None
        for b, c in zip(body.tolist(), (rng.random(rows) < 0.4).tolist(), strict=True)
    ]
    former = [[plain[i - 1]] if f else None for i, f in enumerate((rng.random(rows) < 0.05).tolist())]
    ids = pl.select("O" + pl.int_range(rows).cast(pl.String).str.zfill(7)).to_series()
    return pl.DataFrame({"org_id": ids, "uscc": code, "name": names, "former_names": former})


class Groups:
    """Union–find over row numbers; the first row stands for its group."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def join(self, members: set[int]) -> None:
        first = min(members, default=0)
        for i in members:
            low, high = sorted((self.root(first), self.root(i)))
            self.parent[high] = low

    def by_key(self, pairs) -> list[set[int]]:
        found: dict[str, set[int]] = {}
        for key, i in pairs:
            found.setdefault(key, set()).add(self.root(i))
        return list(found.values())

    def codes(self, codes: list[str | None]) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for i, code in enumerate(codes):
            if code:
                found.setdefault(self.root(i), set()).add(code)
        return found


def by_loops(rows: pl.DataFrame) -> list[str]:
    """The first row of each row's group; for rows without a parent."""
    keys, codes = name_key(rows["name"].to_list()), rows["uscc"].to_list()
    former = [(k, i) for i, names in enumerate(rows["former_names"].to_list()) for k in name_key(names or [])]
    groups = Groups(rows.height)
    for members in groups.by_key((c, i) for i, c in enumerate(codes) if c):
        groups.join(members)
    known = groups.codes(codes)
    for members in groups.by_key((k, i) for i, k in enumerate(keys) if k):
        sure = set().union(*(known.get(m, ()) for m in members))
        groups.join(members if len(sure) <= 1 else members - known.keys())
    known, now, once = groups.codes(codes), set(keys), {k for k, _ in former}
    used = groups.by_key([(k, i) for i, k in enumerate(keys) if k in once] + [(k, i) for k, i in former if k in now])
    trial = Groups(rows.height)
    trial.parent = groups.parent.copy()
    for members in used:
        if len(set().union(*(known.get(m, ()) for m in members))) <= 1:
            trial.join(members)
    clash = {r for r, found in trial.codes(codes).items() if len(found) > 1}
    ids = rows["org_id"].to_list()
    return [ids[groups.root(i)] if trial.root(i) in clash else ids[trial.root(i)] for i in range(rows.height)]


def main() -> None:
    """City and country."""
    made = synth.make("city", seed=7)
    rows = made.region["organisations"]
    found = same(rows)
    ids = found.select("org_id", "canonical_id").join(made.truth["same"], on="org_id", suffix="_true")
    groups = [
        ids.group_by(c).agg(pl.col("org_id").sort())["org_id"].sort().to_list()
        for c in ("canonical_id", "canonical_id_true")
    ]
    assert groups[0] == groups[1]
    began = time.perf_counter()
    same(rows)
    line(
        "city",
        rows=rows.height,
        seconds=time.perf_counter() - began,
        duplicates=found.filter(pl.col("org_id") != pl.col("canonical_id")).height,
    )

    rows = country(ROWS)
    began = time.perf_counter()
    found = same(rows)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    slow = by_loops(rows)
    rival = time.perf_counter() - began
    first = found.with_columns(first=pl.col("org_id").min().over("canonical_id"))["first"]
    assert first.to_list() == slow
    line(
        "country",
        rows=ROWS,
        seconds=seconds,
        seconds_loops=rival,
        ratio=seconds / rival,
        mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        duplicates=found.filter(pl.col("org_id") != pl.col("canonical_id")).height,
    )


if __name__ == "__main__":
    main()
