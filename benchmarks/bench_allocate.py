"""Assignment: seconds and memory beside OR-tools on the same pairs; conflicts of a city.

Each solver runs in a process of its own, so that the peak of memory is its own; "seconds" leaves out reading and
making the pairs. `ours` is the whole of `allocate.assign`: checks, codes, solving, prices, ties, reasons, proof, from
tables to tables. `kernel` is its solver alone, with prices and ties, on arrays; OR-tools gets the same arrays and does
neither. Peer: OR-tools SimpleMinCostFlow on whole millionths of a score. The totals are compared before a line is
printed: equal within half a millionth a pair. `ratio` is the least time of the kernel over the least of the peer,
`ratio_whole` that of the whole.

Experts are drawn at random for each need (seed 7). Scores: `even` uniform; `liking` a product of eight hidden traits,
so that neighbours want the same experts; `fame` mostly the expert's own fame, so that all want the same few.

`fair`: the largest floor under every need's score, then the best total above it. No free solver does this at that size;
on the published case plain HiGHS is told the floor and asked for the total alone. `fairness curve`: five points.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

CORES = os.cpu_count()
MIDL = Path(__file__).resolve().parents[1] / "../shared/data/assignment_midl"
# needs, experts, candidates of a need, wanted, free from, free to, scores, repeats
CASES = {
    "city": (2_000, 3_000, 20, 2, 1, 5, "liking", 5),
    "city, one place each": (2_000, 3_000, 20, 2, 1, 1, "liking", 5),
    "scarce": (20_000, 5_000, 50, 3, 1, 12, "even", 5),
    "scarce, liking": (20_000, 5_000, 50, 3, 1, 12, "liking", 5),
    "equal, even": (20_000, 5_000, 50, 3, 12, 12, "even", 5),
    "equal, liking": (20_000, 5_000, 50, 3, 12, 12, "liking", 5),
    "ample, fame": (20_000, 5_000, 50, 3, 10, 18, "fame", 5),
    "two decimals": (20_000, 5_000, 50, 3, 1, 12, "coarse", 5),
}
FAIR = ("scarce", "scarce, liking", "ample, fame")
CURVES = ("city", "city, one place each")
LARGE = {"100,000 x 20,000": (100_000, 20_000, 50, 3, 1, 27, "liking", 1)}


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "allocate", "case": case, "values": rounded, "cores": CORES}), flush=True)


def arrays(case: str) -> tuple[np.ndarray, ...]:
    """Row, column and score of each pair, wanted of each need, free of each expert."""
    needs, experts, candidates, wanted, low, high, kind, _ = (CASES | LARGE)[case]
    rng = np.random.default_rng(7)
    row = np.repeat(np.arange(needs), candidates)
    column = np.concatenate([np.sort(rng.choice(experts, candidates, replace=False)) for _ in range(needs)])
    score = rng.random(row.size)
    if kind in ("liking", "fame"):
        own, other = rng.normal(size=(needs, 8)), rng.normal(size=(experts, 8))
        score = 1 / (1 + np.exp(-(own[row] * other[column]).sum(1) / 3 + 0.1 * rng.normal(size=row.size)))
    if kind == "fame":
        score = 0.3 * score + 0.7 * (rng.random(experts) ** 3)[column]
    if kind == "coarse":
        score = np.round(score, 2) + 0.01
    return row, column, score, np.full(needs, wanted), rng.integers(low, high + 1, experts)


def tables_of(case: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs, demand and capacity of a case."""
    row, column, score, wanted, free = arrays(case)
    needs = pl.select("N" + pl.int_range(wanted.size).cast(pl.String).str.zfill(6)).to_series()
    experts = pl.select("E" + pl.int_range(free.size).cast(pl.String).str.zfill(6)).to_series()
    pairs = pl.DataFrame({"need_id": needs.gather(row), "expert_id": experts.gather(column), "score": score})
    demand = pl.DataFrame({"need_id": needs, "wanted": wanted})
    return pairs, demand, pl.DataFrame({"expert_id": experts, "free": free})


def ours(case: str, repeat: int) -> dict[str, object]:
    """`assign` from tables to tables."""
    from silian.engines.allocate import assign

    pairs, demand, capacity = tables_of(case)
    assign(pairs.head(50), demand, capacity)  # compiled or read from the cache before the clock runs
    seconds, result = timed(lambda: assign(pairs, demand, capacity), repeat)
    assert result.proof["is_optimal"][0]
    return {"seconds": seconds, "total": result.proof["total"][0], "gap": result.proof["gap"][0]}


def kernel(case: str, repeat: int) -> dict[str, object]:
    """The solver alone, with prices and ties."""
    from silian.engines.allocate import _flow

    row, column, score, wanted, free = arrays(case)
    start = np.searchsorted(row, np.arange(wanted.size + 1))
    graph = _flow.Graph(start, column, row, np.rint(score * 10**12).astype(np.int64), wanted, free)
    one = np.array([1])
    _flow.best(_flow.Graph(np.array([0, 1]), one - 1, one - 1, one, one, one))
    seconds, (chosen, _, _) = timed(lambda: _flow.best(graph), repeat)
    return {"seconds": seconds, "total": float(graph.gain[chosen].sum() / 10**12)}


def peer(case: str, repeat: int) -> dict[str, object]:
    """OR-tools: the network with an idle arc for each need."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    row, column, score, wanted, free = arrays(case)
    needs, experts = wanted.size, free.size
    source, sink = needs + experts, needs + experts + 1
    cost, none = -np.rint(score * 10**6).astype(np.int64), np.zeros(max(needs, experts), np.int64)

    def solve() -> SimpleMinCostFlow:
        solver = SimpleMinCostFlow()
        add = solver.add_arcs_with_capacity_and_unit_cost
        add(row, needs + column, np.ones_like(row), cost)
        add(np.full(needs, source), np.arange(needs), wanted, none[:needs])
        add(np.arange(needs), np.full(needs, sink), wanted, none[:needs])
        add(needs + np.arange(experts), np.full(experts, sink), free, none[:experts])
        total = int(wanted.sum())
        solver.set_nodes_supplies(np.array([source, sink]), np.array([total, -total]))
        assert solver.solve() == solver.OPTIMAL
        return solver

    seconds, solver = timed(solve, repeat)
    return {"seconds": seconds, "total": -solver.optimal_cost() / 10**6}


def timed(work, repeat: int):
    """Least seconds of so many runs (other work on the machine only adds) and the last answer."""
    seconds = []
    for _ in range(repeat):
        began = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - began)
    return min(seconds), answer


def apart(who: str, case: str, repeat: int) -> dict[str, float]:
    """Run one solver in a process of its own."""
    asked = [sys.executable, __file__, "--one", who, case, str(repeat)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def beside(case: str) -> None:
    """The kernel, the whole and the peer on one case, answers compared first."""
    sizes = (CASES | LARGE)[case]
    repeat = sizes[-1]
    core, rival, whole = (apart(who, case, repeat) for who in ("kernel", "peer", "ours"))
    pairs = min(sizes[0] * sizes[3], sizes[1] * sizes[5])
    assert abs(core["total"] - rival["total"]) <= pairs * 0.5e-6, (core, rival)
    assert abs(core["total"] - whole["total"]) <= 1e-9 * whole["total"], (core, whole)
    line(
        case,
        needs=sizes[0],
        experts=sizes[1],
        pairs=sizes[0] * sizes[2],
        seconds_kernel=core["seconds"],
        seconds_whole=whole["seconds"],
        seconds_ortools=rival["seconds"],
        ratio=core["seconds"] / rival["seconds"],
        ratio_whole=whole["seconds"] / rival["seconds"],
        mib_whole=whole["mib"],
        mib_ortools=rival["mib"],
        total=whole["total"],
        gap=whole["gap"],
    )


def conflicts_of_a_city() -> None:
    """Conflicts of the synthetic city, checked against what was planted."""
    from silian.engines.allocate import conflicts
    from silian.tables import synth

    made = synth.make("city", seed=7)
    region, on = made.region, date(2026, 9, 1)
    organisations = region["organisations"].join(made.truth["same"], on="org_id")
    tables = region["needs"], region["experts"], region["relations"]
    found = conflicts(*tables, organisations=organisations, on=on)
    assert found.drop("evidence").equals(made.truth["conflicts"])
    seconds, found = timed(lambda: conflicts(*tables, organisations=organisations, on=on), 5)
    line("conflicts of a city", seconds=seconds, conflicts=found.height, relations=region["relations"].height)


def fair(case: str) -> None:
    """The largest floor and the best total above it: checked against rooms, floor and bounds before it is told."""
    from silian.engines.allocate import assign

    pairs, demand, capacity = tables_of(case)
    assign(pairs.head(50), demand, capacity, goal="fair")
    spent = time.process_time()
    seconds, result = timed(lambda: assign(pairs, demand, capacity, goal="fair"), 1)
    spent = time.process_time() - spent
    proof = checked(result, demand, capacity)
    sizes = {"needs": demand.height, "experts": capacity.height, "pairs": pairs.height}
    line(f"fair: {case}", **sizes, seconds=seconds, seconds_processor=spent, **proof)


def curve(case: str, steps: int = 4) -> None:
    """The price of fairness: every floor kept, totals that fall as floors rise."""
    from silian.engines.allocate import fairness_curve

    tables = tables_of(case)
    fairness_curve(tables[0].head(50), *tables[1:])
    spent = time.process_time()
    seconds, found = timed(lambda: fairness_curve(*tables, steps=steps), 3)
    spent = (time.process_time() - spent) / 3
    assert (found["total"] <= found["bound"] + 1e-9).all()
    assert (found["price"] >= -1e-9).all()
    gap = ((found["bound"] - found["total"]) / found["total"]).max()
    line(f"fairness curve: {case}", points=found.height, seconds=seconds, seconds_processor=spent, gap_share=gap)


def checked(result, demand: pl.DataFrame, capacity: pl.DataFrame) -> dict[str, object]:
    """The figures of a fair answer that keeps the rooms, its floor and its bounds."""
    proof = result.proof.row(0, named=True)
    per_need = result.assigned.group_by("need_id").agg(pl.len(), pl.col("score").sum()).join(demand, on="need_id")
    per_expert = result.assigned.group_by("expert_id").agg(pl.len()).join(capacity, on="expert_id")
    assert (per_need["len"] <= per_need["wanted"]).all()
    assert (per_expert["len"] <= per_expert["free"]).all()
    assert (per_need["score"] >= proof["floor"] - 1e-9).sum() >= proof["protected"]
    assert proof["floor"] <= proof["floor_bound"]
    assert proof["total"] <= proof["bound"]
    shown = ("floor", "floor_bound", "protected", "total", "bound", "is_optimal")
    return {name: proof[name] for name in shown} | {
        "gap_share": proof["gap"] / proof["total"],
        "floor_gap_share": proof["floor_bound"] / proof["floor"] - 1,
    }


def plain_milp(tables: list[pl.DataFrame], floor: float) -> float:
    """The best total above a floor by scipy's HiGHS alone, as one integer programme."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    pairs, demand, capacity = tables
    count = pairs.height
    codes = [{v: i for i, v in enumerate(t[c])} for t, c in ((demand, "need_id"), (capacity, "expert_id"))]
    at = [[code[v] for v in pairs[c]] for code, c in zip(codes, ("need_id", "expert_id"), strict=True)]
    needs, experts = (
        csr_array((np.ones(count), (a, np.arange(count))), shape=(len(code), count))
        for a, code in zip(at, codes, strict=True)
    )
    scored = csr_array((pairs["score"].to_numpy(), (at[0], np.arange(count))), shape=needs.shape)
    low = np.concatenate([np.zeros(len(codes[0]) + len(codes[1])), np.full(len(codes[0]), floor - 1e-9)])
    high = np.concatenate([demand["wanted"], capacity["free"], np.full(len(codes[0]), np.inf)])
    rows = LinearConstraint(vstack([needs, experts, scored]), low, high)
    score = pairs["score"].to_numpy()
    found = milp(-score, integrality=np.ones(count), bounds=Bounds(0, 1), constraints=rows, options={"mip_rel_gap": 0})
    return -found.fun


def midl() -> None:
    """The published case: 118 papers, 177 reviewers, every pair; beside plain HiGHS, which is told the floor."""
    from silian.engines.allocate import assign

    if not MIDL.exists():
        print(f"midl: left out, {MIDL} is not there")
        return
    scores, wanted, free = (np.load(MIDL / f"{name}.npy") for name in ("scores", "covs", "loads"))
    reviewer, paper = (code.ravel() for code in np.indices(scores.shape))
    pairs = pl.DataFrame({"need_id": paper, "expert_id": reviewer, "score": scores.ravel()})
    demand = pl.DataFrame({"need_id": np.arange(wanted.size), "wanted": wanted.astype(np.int64)})
    capacity = pl.DataFrame({"expert_id": np.arange(free.size), "free": free.astype(np.int64)})
    tables = [t.with_columns(pl.col("^.*_id$").cast(pl.String)) for t in (pairs, demand, capacity)]
    seconds, result = timed(lambda: assign(*tables), 5)
    proof = result.proof.row(0, named=True)
    assert proof["is_optimal"]
    line("midl", seconds=seconds, total=proof["total"], smallest_score=proof["smallest_score"], published=201.88)
    seconds, result = timed(lambda: assign(*tables, goal="fair"), 5)
    proof = checked(result, *tables[1:])
    rival, total = timed(lambda: plain_milp(tables, proof["floor"]), 3)
    assert abs(total - proof["total"]) <= 1e-3, (total, proof)
    line("fair: midl", seconds=seconds, seconds_highs=rival, ratio=seconds / rival, **proof, published=201.83)


def main() -> None:
    """Everything, or with --large the largest case alone, with --fair the fair ones."""
    if sys.argv[1:2] == ["--one"]:
        who, case, repeat = sys.argv[2:]
        found = {"ours": ours, "kernel": kernel, "peer": peer}[who](case, int(repeat))
        print(json.dumps(found | {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    elif sys.argv[1:] == ["--large"]:
        for case in LARGE:
            beside(case)
    elif sys.argv[1:] == ["--fair"]:
        midl()
        for case in FAIR:
            fair(case)
        for case in CURVES:
            curve(case)
    else:
        for case in CASES:
            beside(case)
        conflicts_of_a_city()
        midl()
        for case in FAIR:
            fair(case)
        for case in CURVES:
            curve(case)


if __name__ == "__main__":
    main()
