"""Small cases with rules, and what the rules say in plain Python: the sure and slow side of the tests of rules."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
from hypothesis import strategies as st

from silian.engines.allocate import Rules

SCHOOLS = ["s1", "s2"]
PAIR = {"need_id": pl.String, "expert_id": pl.String}
QUOTA = {
    "name": pl.String,
    "need_group": pl.String,
    "need_value": pl.String,
    "expert_group": pl.String,
    "expert_value": pl.String,
    "sum_of": pl.String,
    "at_least": pl.Float64,
    "at_most": pl.Float64,
}


def pairs_table(rows, schema=PAIR):
    return pl.DataFrame(rows, schema=schema, orient="row")


def quotas(*rows):
    """A table of quotas from dicts."""
    return pl.DataFrame([dict.fromkeys(QUOTA) | row for row in rows], schema=QUOTA)


@st.composite
def small_case(draw, *, lower=True, sums=True):
    """Pairs, demand, capacity, conflicts and rules of at most 3 needs, 4 experts and 9 pairs."""
    needs = [f"n{i}" for i in range(draw(st.integers(1, 3)))]
    experts = [f"e{i}" for i in range(draw(st.integers(1, 4)))]
    every = list(itertools.product(needs, experts))
    kept = draw(st.lists(st.sampled_from(every), unique=True, max_size=9))
    scores = st.integers(-1, 6).map(lambda k: k / 10)
    pairs = pl.DataFrame(
        [(n, e, draw(scores), draw(st.sampled_from([0.0, 1.5, 2.0]))) for n, e in kept],
        schema=PAIR | {"score": pl.Float64, "fee": pl.Float64},
        orient="row",
    )
    wanted, free = ([draw(st.integers(0, 3)) for _ in ids] for ids in (needs, experts))
    at_least = [draw(st.integers(0, min(1, w))) if lower else 0 for w in wanted]
    demand = pl.DataFrame(
        {"need_id": needs, "wanted": wanted, "at_least": at_least, "org": [draw(st.sampled_from("ab")) for _ in needs]}
    )
    labels = [draw(st.sampled_from([[], ["senior"], ["senior", "local"], ["local"]])) for _ in experts]
    capacity = pl.DataFrame(
        {
            "expert_id": experts,
            "free": free,
            "at_least": [draw(st.integers(0, min(1, f))) if lower else 0 for f in free],
            "school": [draw(st.sampled_from([*SCHOOLS, None])) for _ in experts],
            "labels": pl.Series(labels, dtype=pl.List(pl.String)),
        },
        schema_overrides={"school": pl.String},
    )
    some = st.lists(st.sampled_from(kept), unique=True, max_size=2) if kept else st.just([])
    conflicts = draw(some)
    pins = [p for p in draw(some) if lower and p not in conflicts]
    vetoes = [p for p in draw(some) if p not in pins]
    couples = list(itertools.combinations(experts, 2))
    apart = draw(st.lists(st.sampled_from(couples), unique=True, max_size=2)) if couples else []
    rules = Rules(
        pins=pairs_table(pins),
        vetoes=pairs_table(vetoes),
        apart=pairs_table(apart, {"expert_id": pl.String, "other_id": pl.String}),
        quotas=draw(_quotas(demand, capacity, lower, sums)),
        taken=pl.DataFrame({"expert_id": experts[:1], "assigned": [draw(st.integers(0, 1))]}),
    )
    return pairs, demand, capacity, pairs_table(conflicts), rules


@st.composite
def _quotas(draw, demand, capacity, lower, sums):
    rows = []
    for name in draw(st.lists(st.sampled_from(["A", "B", "C"]), unique=True)):
        need_group = draw(st.sampled_from([None, "need_id", "org"]))
        expert_group = draw(st.sampled_from([None, "school", "labels", "expert_id"]))
        known = {
            "need": [] if need_group is None else demand[need_group].to_list(),
            "expert": [] if expert_group is None else sorted(set(_values(capacity, expert_group))),
        }
        values = {side: draw(st.sampled_from([None, *ids])) for side, ids in known.items()}
        is_low = lower and draw(st.booleans())
        rows.append(
            {
                "name": name,
                "need_group": need_group,
                "need_value": values["need"],
                "expert_group": expert_group,
                "expert_value": values["expert"],
                "sum_of": draw(st.sampled_from([None, "fee"] if sums else [None])),
                "at_least": float(draw(st.integers(0, 2))) if is_low else None,
                "at_most": None if is_low else float(draw(st.integers(0, 3))),
            }
        )
    return quotas(*rows)


def _values(table, column):
    held = table[column].to_list()
    return [v for value in held for v in (value if isinstance(value, list) else [value]) if v is not None]


def limits_of(case):
    """Every rule of a case as (what it is, its pairs with weights, low, high), in plain Python."""
    pairs, demand, capacity, _, rules = case
    rows, needs, experts = pairs.to_dicts(), demand.to_dicts(), capacity.to_dicts()
    taken, nothing = dict(rules.taken.rows()), float("inf")
    for expert in experts:
        expert["free"] = max(0, expert["free"] - taken.get(expert["expert_id"], 0))
    found = []
    for key, table, room in (("need_id", needs, "wanted"), ("expert_id", experts, "free")):
        for row in table:
            mine = {(r["need_id"], r["expert_id"]): 1.0 for r in rows if r[key] == row[key]}
            found.append((("room", row[key]), mine, -nothing, row[room]))
            found.append((("least", row[key]), mine, row["at_least"], nothing))
    found += [(("pin", *pin), {pin: 1.0}, 1, nothing) for pin in rules.pins.rows()]
    found += [(("veto", *veto), {veto: 1.0}, -nothing, 0) for veto in rules.vetoes.rows()]
    for need in demand["need_id"]:
        mine = {r["expert_id"] for r in rows if r["need_id"] == need}
        met = [couple for couple in rules.apart.rows() if set(couple) <= mine]
        found += [(("apart", need, *couple), {(need, one): 1.0 for one in couple}, -nothing, 1) for couple in met]
    return found + [limit for quota in rules.quotas.to_dicts() for limit in _quota_limits(quota, rows, needs, experts)]


def _quota_limits(quota, rows, needs, experts):
    is_open = {n["need_id"]: n["wanted"] > 0 for n in needs} | {e["expert_id"]: e["free"] > 0 for e in experts}
    low = float("-inf") if quota["at_least"] is None else quota["at_least"]
    high = float("inf") if quota["at_most"] is None else quota["at_most"]
    for need_value, of_needs in _grouped(needs, "need", quota, is_open):
        for expert_value, of_experts in _grouped(experts, "expert", quota, is_open):
            met = [r for r in rows if r["need_id"] in of_needs and r["expert_id"] in of_experts]
            members = {(r["need_id"], r["expert_id"]): 1.0 if quota["sum_of"] is None else r["fee"] for r in met}
            yield (quota["name"], need_value, expert_value), members, low, high


def _grouped(rows, side, quota, is_open):
    """Group and its members, for those that a quota holds for."""
    group, asked, key = quota[f"{side}_group"], quota[f"{side}_value"], f"{side}_id"
    members = {}
    for row in rows:
        value = None if group is None else row[group]
        for one in value if isinstance(value, list) else [value]:
            if group is None or one is not None:
                members.setdefault(one, set()).add(row[key])
    if asked is not None:
        return [(asked, members[asked])]
    return [(v, ids) for v, ids in members.items() if quota["at_least"] is None or any(is_open[i] for i in ids)]


def choices(case):
    """Every set of pairs that may come out at all: those that help, those that are pinned; none in conflict."""
    pairs, _, _, conflicts, rules = case
    barred, pinned = set(conflicts.rows()), set(rules.pins.rows())
    rows = {(n, e): s for n, e, s in pairs.select("need_id", "expert_id", "score").rows()}
    usable = [p for p, s in rows.items() if p not in barred and (s > 0 or p in pinned)]
    for mask in itertools.product((True, False), repeat=len(usable)):
        taken = set(itertools.compress(usable, mask))
        yield taken, sum(rows[p] for p in taken)


def is_kept(limit, taken):
    _, members, low, high = limit
    held = sum(weight for pair, weight in members.items() if pair in taken)
    return low <= held <= high


def best_total(case):
    """The best total of a choice that keeps all rules, None if there is none, by trying all."""
    limits = limits_of(case)
    kept = (total for taken, total in choices(case) if all(is_kept(limit, taken) for limit in limits))
    return max(kept, default=None)


def smallest_clash(case):
    """How many rules the smallest clash has, by trying all; 0 if there is none."""
    limits = limits_of(case)
    broken = {frozenset(k for k, limit in enumerate(limits) if not is_kept(limit, taken)) for taken, _ in choices(case)}
    least = [one for one in broken if not any(other < one for other in broken)]
    if frozenset() in broken:
        return 0
    touched = sorted(frozenset().union(*least))
    for size in range(1, len(touched) + 1):
        if any(all(set(some) & one for one in least) for some in itertools.combinations(touched, size)):
            return size
    raise AssertionError


def cheapest_relaxation(case):
    """The least sum of slacks, by trying all; for cases without sums of fees."""
    limits = limits_of(case)
    costs = []
    for taken, _ in choices(case):
        held = [(sum(w for pair, w in members.items() if pair in taken), low, high) for _, members, low, high in limits]
        costs.append(sum(max(0.0, low - one, one - high) for one, low, high in held))
    return min(costs)


def ruled_case(seed, needs=40, experts=15, candidates=8):
    """A case with quotas of counts and of money that bind."""
    rng = np.random.default_rng(seed)
    names = [f"n{i:03}" for i in range(needs)], [f"e{i:02}" for i in range(experts)]
    rows = [
        (names[0][i], names[1][j], float(rng.random()))
        for i in range(needs)
        for j in rng.choice(experts, candidates, replace=False)
    ]
    pairs = pl.DataFrame(rows, schema={"need_id": pl.String, "expert_id": pl.String, "score": pl.Float64}, orient="row")
    demand = pl.DataFrame({"need_id": names[0], "wanted": rng.integers(1, 4, needs), "org": rng.integers(0, 60, needs)})
    capacity = pl.DataFrame(
        {
            "expert_id": names[1],
            "free": rng.integers(2, 8, experts),
            "school": rng.integers(0, 5, experts),
            "fee": rng.integers(0, 6, experts).astype(float),
        }
    )
    rules = Rules(
        quotas=quotas(
            {"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 1.0},
            {"name": "contacts", "need_group": "org", "at_most": 3.0},
            {"name": "fees", "sum_of": "fee", "at_most": 110.0},
            {"name": "money", "need_group": "need_id", "sum_of": "fee", "at_most": 7.0},
            {"name": "share", "expert_group": "school", "at_least": 1.0},
        )
    )
    return pairs, demand, capacity, None, rules
