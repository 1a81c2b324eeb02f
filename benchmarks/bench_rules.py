"""Assignment under all rules of the officer's journey at once: seconds and quality beside plain HiGHS.

1,000 needs × 300 experts, 40 candidates each (seed 7): pins, vetoes, conflicts, loads taken elsewhere, couples who are
kept apart, at most one expert of a school for a need, at least one professor for a key need, at least one expert for a
key need and one need for every tenth expert, at most five contacts for an enterprise, at least 100 experts for a
district; `money` has a budget for every need and one for all besides. `ours` is the whole of `allocate.assign`, from
tables to tables. Peer: HiGHS (scipy's milp) over the whole model, to the same gap, stopped after 60 s; its time leaves
out the tables and the matrix. Before a line is printed every rule is checked on the tables, in plain polars, and
neither total exceeds the other's bound. `clash` is a case that cannot be kept: the error with the smallest set of
rules that clash and the cheapest way out. Seconds are of the wall, `cpu` of the processor.
"""

from __future__ import annotations

import json
import os
import time

import numpy as np
import polars as pl

from silian.engines.allocate import Allocation, Rules, assign, core
from silian.engines.allocate.rules import Network, case_of, network_of
from silian.errors import TableError

CORES = os.cpu_count()
NEEDS, EXPERTS, CANDIDATES = 1_000, 300, 40
STOP = 60.0  # seconds that the peer may take


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "rules", "case": case, "values": rounded, "cores": CORES}), flush=True)


def region(seed: int = 7) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs, demand, capacity and conflicts, with the columns that the rules look at."""
    rng = np.random.default_rng(seed)
    needs, experts = [f"N{i:04}" for i in range(NEEDS)], [f"E{j:03}" for j in range(EXPERTS)]
    row = np.repeat(np.arange(NEEDS), CANDIDATES)
    column = np.concatenate([rng.choice(EXPERTS, CANDIDATES, replace=False) for _ in range(NEEDS)])
    own, other = rng.normal(size=(NEEDS, 8)), rng.normal(size=(EXPERTS, 8))
    score = 1 / (1 + np.exp(-(own[row] * other[column]).sum(1) / 3 + 0.1 * rng.normal(size=row.size)))
    pairs = pl.DataFrame({"need_id": np.array(needs)[row], "expert_id": np.array(experts)[column], "score": score})
    is_key = rng.random(NEEDS) < 0.3
    demand = pl.DataFrame(
        {
            "need_id": needs,
            "wanted": np.where(is_key, np.maximum(2, rng.integers(1, 4, NEEDS)), rng.integers(1, 4, NEEDS)),
            "at_least": is_key.astype(np.int64),
            "key": [need if key else None for need, key in zip(needs, is_key, strict=True)],
            "org_id": [f"O{k:03}" for k in rng.integers(0, NEEDS * 7 // 10, NEEDS)],
            "district_id": [f"D{k:02}" for k in rng.integers(0, 12, NEEDS)],
            "budget_cny": rng.choice([6_000.0, 12_000.0, 18_000.0], NEEDS),
        }
    )
    capacity = pl.DataFrame(
        {
            "expert_id": experts,
            "free": rng.integers(2, 11, EXPERTS),
            "at_least": (rng.random(EXPERTS) < 0.1).astype(np.int64),
            "school": [f"S{k:02}" for k in rng.zipf(1.6, EXPERTS) % 25],
            "title": rng.choice(["professor", "associate_professor", "lecturer"], EXPERTS, p=[0.3, 0.4, 0.3]),
            "fee_cny": np.round(rng.choice([0, 1_000, 2_000, 3_000, 5_000], EXPERTS) * (1 + 0.1 * rng.random(EXPERTS))),
        }
    )
    return pairs, demand, capacity, pairs.sample(pairs.height // 100, seed=seed).select("need_id", "expert_id")


def rules_of(pairs: pl.DataFrame, demand: pl.DataFrame, capacity: pl.DataFrame, conflicts: pl.DataFrame) -> Rules:
    """All rules but the budgets."""
    rng = np.random.default_rng(11)
    free = pairs.join(conflicts, on=["need_id", "expert_id"], how="anti")
    plain = free.join(demand.filter(pl.col("key").is_null()), on="need_id", how="semi")
    pins = plain.sample(20, seed=1).unique("need_id", maintain_order=True).select("need_id", "expert_id")
    vetoes = free.join(pins, on=["need_id", "expert_id"], how="anti").sample(60, seed=2).select("need_id", "expert_id")
    first, second = rng.integers(0, EXPERTS, (2, 60))
    ids = capacity["expert_id"].to_numpy()
    apart = pl.DataFrame({"expert_id": ids[first], "other_id": ids[second]}).filter(
        pl.col("expert_id") != pl.col("other_id")
    )
    quotas = pl.DataFrame(
        [
            {"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 1.0},
            {
                "name": "senior",
                "need_group": "key",
                "expert_group": "title",
                "expert_value": "professor",
                "at_least": 1.0,
            },
            {"name": "contacts", "need_group": "org_id", "at_most": 5.0},
            {"name": "district", "need_group": "district_id", "at_least": 100.0},
        ]
    )
    taken = pl.DataFrame({"expert_id": rng.choice(ids, 50, replace=False), "assigned": 1})
    return Rules(pins=pins, vetoes=vetoes, apart=apart, quotas=quotas, taken=taken)


def with_money(rules: Rules, demand: pl.DataFrame, all_cny: float) -> Rules:
    """The rules with a budget for every need and one for all."""
    each = demand.select(
        name=pl.lit("budget of a need"),
        need_group=pl.lit("need_id"),
        need_value="need_id",
        sum_of=pl.lit("fee_cny"),
        at_most="budget_cny",
    )
    whole = pl.DataFrame({"name": ["budget"], "sum_of": ["fee_cny"], "at_most": [all_cny]})
    quotas = pl.concat([rules.quotas, each, whole], how="diagonal")
    return Rules(pins=rules.pins, vetoes=rules.vetoes, apart=rules.apart, quotas=quotas, taken=rules.taken)


def check(result: Allocation, tables: tuple[pl.DataFrame, ...], rules: Rules) -> None:
    """Every rule on the tables, without the code that made the answer."""
    _, demand, capacity, conflicts = tables
    pair = ["need_id", "expert_id"]
    got = result.assigned.join(demand, on="need_id").join(capacity.drop("at_least"), on="expert_id")
    assert got.select(pair).is_unique().all()
    assert not got.join(pl.concat([conflicts, rules.vetoes]), on=pair, how="semi").height
    assert rules.pins.join(got, on=pair, how="anti").is_empty()
    counts = demand.join(got.group_by("need_id").agg(got=pl.len()), on="need_id", how="left").fill_null(0)
    assert counts.select((pl.col("got") <= pl.col("wanted")) & (pl.col("got") >= pl.col("at_least")))["got"].all()
    load = (
        capacity.join(got.group_by("expert_id").agg(got=pl.len()), on="expert_id", how="left")
        .join(rules.taken, on="expert_id", how="left")
        .fill_null(0)
    )
    assert load.select(pl.col("got") + pl.col("assigned") <= pl.col("free"))["got"].all()
    assert load.select(pl.col("got") >= pl.col("at_least"))["got"].all()
    assert got.group_by("need_id", "school").len()["len"].max() <= 1
    assert got.group_by("org_id").len()["len"].max() <= 5
    assert got.group_by("district_id").len()["len"].min() >= 100
    senior = got.filter(title="professor")["need_id"]
    assert demand["key"].drop_nulls().is_in(senior.implode()).all()
    serving = got.select("need_id", "expert_id")
    both = serving.join(rules.apart, on="expert_id").join(serving, left_on=["need_id", "other_id"], right_on=pair)
    assert both.is_empty()
    if "sum_of" in rules.quotas.columns:
        assert got["fee_cny"].sum() <= rules.quotas.filter(name="budget")["at_most"][0] + 1e-6
        spent = got.group_by("need_id", "budget_cny").agg(pl.col("fee_cny").sum())
        assert (spent["fee_cny"] <= spent["budget_cny"] + 1e-6).all()


def peer(network: Network) -> tuple[float, float | None, float]:
    """Seconds, total (None: nothing found) and bound of HiGHS over every pair and every rule."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    problem, sides = network.problem, network.sides
    count = problem.gain.size
    one, at = np.ones(count), np.arange(count)
    score = problem.pairs["score"].to_numpy()
    matrix = vstack(
        [
            csr_array((one, (problem.row, at)), shape=(problem.row_room.size, count)),
            csr_array((one, (problem.column, at)), shape=(problem.column_room.size, count)),
            csr_array((sides.weight, sides.pair, sides.ptr), shape=(sides.low.size, count)),
        ],
        format="csr",
    )
    rooms = np.concatenate([problem.row_room, problem.column_room])
    low = np.concatenate([np.full(rooms.size, -np.inf), sides.low])
    began = time.perf_counter()
    found = milp(
        -score,
        integrality=one,
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, low, np.concatenate([rooms, sides.high])),
        options={"mip_rel_gap": core.GAP, "time_limit": STOP},
    )
    seconds = time.perf_counter() - began
    return seconds, None if found.x is None else float(-found.fun), float(-found.mip_dual_bound)


def beside(name: str, tables: tuple[pl.DataFrame, ...], rules: Rules) -> None:
    """Ours and the peer on one case."""
    pairs, demand, capacity, conflicts = tables
    best = [np.inf, np.inf]
    for _ in range(3):
        began = time.perf_counter(), time.process_time()
        result = assign(pairs, demand, capacity, conflicts=conflicts, rules=rules)
        best = [min(best[0], time.perf_counter() - began[0]), min(best[1], time.process_time() - began[1])]
    check(result, tables, rules)
    case = case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    seconds, total, bound = peer(network_of(case))
    pinned = float(case.pinned["score"].sum())
    proof = result.proof.row(0, named=True)
    assert proof["total"] <= bound + pinned + 1e-6
    assert total is None or total + pinned <= proof["bound"] + 1e-6
    line(
        name,
        needs=NEEDS,
        experts=EXPERTS,
        pairs=pairs.height,
        rules=case.limits.names.height,
        seconds=best[0],
        cpu=best[1],
        total=proof["total"],
        gap=proof["gap"] / proof["total"],
        is_optimal=proof["is_optimal"],
        seconds_highs=seconds,
        total_highs=None if total is None else total + pinned,
        gap_highs=None if total is None else (bound - total) / (total + pinned),
        ratio=best[0] / seconds,
    )


def clash(tables: tuple[pl.DataFrame, ...], rules: Rules) -> None:
    """Two pins for a need that wants one beside its professor: what clashes, and the way out."""
    pairs, demand, capacity, conflicts = tables
    title = capacity.select("expert_id", "title")
    key = demand.filter(pl.col("key").is_not_null(), pl.col("wanted") == 2)["need_id"][:3]
    free = pairs.join(pl.concat([conflicts, rules.vetoes]), on=["need_id", "expert_id"], how="anti")
    others = free.join(title, on="expert_id").filter(
        pl.col("need_id").is_in(key.implode()), pl.col("title") != "professor"
    )
    pins = others.sort("need_id", "expert_id").group_by("need_id", maintain_order=True).head(2)
    pins = pl.concat([rules.pins, pins.select("need_id", "expert_id")])
    rules = Rules(pins=pins, vetoes=rules.vetoes, quotas=rules.quotas, taken=rules.taken)
    began = time.perf_counter(), time.process_time()
    try:
        assign(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    except TableError as error:
        seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
        told = error.problems
        first, way = told.filter(clash=1), told.filter(part="relaxation")
        line("clash", seconds=seconds, cpu=cpu, rules=first.height, sets=told["clash"].max(), cost=way["cost"].sum())
    else:
        raise AssertionError


def main() -> None:
    """All rules without and with budgets, and a clash."""
    tables = region()
    pairs, demand, capacity, conflicts = tables
    rules = rules_of(*tables)
    plain = assign(pairs, demand.drop("at_least"), capacity.drop("at_least"), conflicts=conflicts)
    spent = plain.assigned.join(capacity, on="expert_id")["fee_cny"].sum()
    beside("all rules", tables, rules)
    beside("all rules, money", tables, with_money(rules, demand, 0.9 * spent))
    clash(tables, rules)


if __name__ == "__main__":
    main()
