"""Linking organisations: a synthetic city, copies in it, and a made-up country of 300,000 rows beside plain loops.

Copies: 500 organisations of the city once more, each written in another way (a character replaced, left out or swapped
with its neighbour; without place or legal form; another form; the place in brackets; 集团 in brackets), without code.
Pairs of a copy and its source are right, all others wrong. The peer takes pairs by the share of common characters and
pairs of characters (Jaccard), at the best threshold it could have for a precision of 0.9 on these very pairs.

Rows of the country: names over few parts, so that many coincide; four tenths have a code; a twentieth carries a former
name; a tenth is spelt otherwise (full-width brackets, blanks). The rival does the same for rows without parents: keys
in dictionaries, joined by union–find, once the names are compared letters. Both answers are compared first.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from itertools import combinations

import numpy as np
import polars as pl

from silian.engines.link import likely, name_key, same
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


def altered(name: str, dice: random.Random) -> str:
    """A name as somebody else would write it."""
    at, way = dice.randrange(1, max(2, len(name) - 6)), dice.randrange(8)
    bare = name.removesuffix("有限公司").removesuffix("股份")
    place = name[:2]
    return [
        name[:at] + dice.choice("鑫宏瑞博凯盛") + name[at + 1 :],
        name[:at] + name[at + 1 :],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        name[2:],
        bare,
        f"{bare}股份有限公司" if name == f"{bare}有限公司" else f"{bare}有限公司",
        f"{bare[2:]}（{place}）有限公司",
        f"{bare}（集团）有限公司",
    ][way]


def jaccard(names: dict[str, str], truth: set[tuple[str, str]]) -> float:
    """Recall of the peer at a precision of 0.9."""
    signs = {i: {*n, *(n[k : k + 2] for k in range(len(n) - 1))} for i, n in names.items()}
    holders: dict[str, list[str]] = {}
    for i, several in signs.items():
        for sign in several:
            if len(sign) == 2:
                holders.setdefault(sign, []).append(i)
    pairs = {pair for ids in holders.values() if len(ids) <= 60 for pair in combinations(sorted(ids), 2)}
    scored = sorted(((len(signs[a] & signs[b]) / len(signs[a] | signs[b]), (a, b)) for a, b in pairs), reverse=True)
    right, best = 0, 0.0
    for count, (_, pair) in enumerate(scored, 1):
        right += pair in truth
        if right >= 0.9 * count:
            best = right / len(truth)
    return best


def copies(organisations: pl.DataFrame) -> None:
    """Likely duplicates among copies, beside the peer."""
    dice = random.Random(7)
    heads = organisations.filter((pl.col("kind") == "enterprise") & pl.col("parent_org_id").is_null())
    rows = heads.select("org_id", "name").unique("name", keep="first", maintain_order=True).sort("org_id")
    picked = rows.sample(500, seed=7)
    made = picked.select(
        org_id="copy-" + pl.col("org_id"), name=pl.Series([altered(n, dice) for n in picked["name"]]), of="org_id"
    ).filter(~pl.col("name").is_in(rows["name"].implode()))
    truth = {(min(a, b), max(a, b)) for a, b in made.select("org_id", "of").rows()}
    every = pl.concat([rows, made.select("org_id", "name")])
    began = time.perf_counter()
    found = likely(every)
    seconds = time.perf_counter() - began
    bodies = dict(same(every).select("org_id", "canonical_id").rows())
    joined = {pair for pair in truth if bodies[pair[0]] == bodies[pair[1]]}
    told = set(found.select("org_id", "other_id").rows())
    line(
        "copies",
        rows=every.height,
        copies=len(truth),
        joined=len(joined),
        seconds=seconds,
        offered=len(told),
        precision=len(told & truth) / max(1, len(told)),
        recall=len((told | joined) & truth) / len(truth),
        peer_recall_at_precision_90=jaccard(dict(every.rows()), truth),
    )


def main() -> None:
    """City, copies and country."""
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

    copies(made.region["organisations"])

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
    began = time.perf_counter()
    offered = likely(rows)
    line(
        "country, likely",
        rows=ROWS,
        seconds=time.perf_counter() - began,
        mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        offered=offered.height,
    )


if __name__ == "__main__":
    main()
