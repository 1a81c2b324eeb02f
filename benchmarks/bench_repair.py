"""Repair, hand-made moves, why, and the lottery: seconds beside a fresh solve of the same case in the same run.

`assign` is the whole of `allocate.assign`, from tables to tables; `repair`, `edit` and `why` begin with an allocation
that is open (`reopen`, measured on its own) and end with tables. Wall time and processor time are
the least of so many runs. Checked before the clock counts: a repair keeps demand and capacity, has no pair of an
expert who left, fills as many due places and keeps as many pairs as scipy's HiGHS says is possible (small case), and
its total is at most that of the fresh solve; a threshold is checked by solving again just above and below it; the
expected total of the lottery is that of HiGHS. Experts are drawn at random for each need (seed 7).
"""

from __future__ import annotations

import json
import os
import time

import numpy as np
import polars as pl
from bench_allocate import arrays
from bench_rules import region, rules_of, with_money

from silian.engines.allocate import Rules, assign, edit, lottery, reopen, repair, why

CORES = os.cpu_count()
# needs, experts, candidates of a need, as bench_allocate; "county" is that of the officer's journey
CASES = ("county", "scarce", "equal, liking", "ample, fame")
IDS = {"need_id": pl.String, "expert_id": pl.String}
REPEAT = 7


def line(case: str, what: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "repair", "case": case, "what": what, "values": rounded, "cores": CORES}), flush=True)


def timed(work, repeat: int = REPEAT):
    """Least wall seconds and least processor seconds of so many runs, and the last answer."""
    wall, busy = [], []
    for _ in range(repeat):
        began = time.perf_counter(), time.process_time()
        answer = work()
        wall.append(time.perf_counter() - began[0])
        busy.append(time.process_time() - began[1])
    return min(wall), min(busy), answer


def tables(case: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs, demand and capacity of a case."""
    if case == "county":
        rng = np.random.default_rng(7)
        row = np.repeat(np.arange(1_000), 50)
        column = np.concatenate([np.sort(rng.choice(300, 50, replace=False)) for _ in range(1_000)])
        score, wanted, free = rng.random(row.size), np.full(1_000, 2), rng.integers(3, 10, 300)
    else:
        row, column, score, wanted, free = arrays(case)
    needs = pl.select("N" + pl.int_range(wanted.size).cast(pl.String).str.zfill(6)).to_series()
    experts = pl.select("E" + pl.int_range(free.size).cast(pl.String).str.zfill(6)).to_series()
    pairs = pl.DataFrame({"need_id": needs.gather(row), "expert_id": experts.gather(column), "score": score})
    return pairs, pl.DataFrame({"need_id": needs, "wanted": wanted}), pl.DataFrame({"expert_id": experts, "free": free})


def changes_of(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"kind": pl.String, **IDS, "value": pl.Float64}, orient="row")


def stories(assigned, experts) -> dict[str, pl.DataFrame]:
    """One change of each kind."""
    busiest = assigned["expert_id"].value_counts().sort("count", "expert_id", descending=[True, False])["expert_id"][0]
    loaded = assigned.filter(expert_id=busiest).height
    need, expert = assigned.select("need_id", "expert_id").row(assigned.height // 2)
    others = experts.filter(experts != busiest).gather_every(max(experts.len() // 50, 1)).head(50)
    rated = [("score", "N000100+", e, 0.5 + 0.005 * i) for i, e in enumerate(others)]
    return {
        "the busiest expert drops out": changes_of(("free", None, busiest, 0)),
        "the busiest expert has two places more": changes_of(("free", None, busiest, loaded + 2)),
        "a need is withdrawn": changes_of(("wanted", need, None, 0)),
        "a pair is vetoed": changes_of(("veto", need, expert, None)),
        "a need with 50 candidates comes": changes_of(("wanted", "N000100+", None, 3), *rated),
    }


def changed(parts, changes):
    """The tables with the changes made, for the fresh solve."""
    pairs, demand, capacity = parts
    for kind, need, expert, value in changes.rows():
        if kind == "free":
            capacity = pl.concat(
                [
                    capacity.filter(pl.col("expert_id") != expert),
                    pl.DataFrame({"expert_id": [expert], "free": [int(value)]}),
                ]
            )
        elif kind == "wanted":
            demand = pl.concat(
                [demand.filter(pl.col("need_id") != need), pl.DataFrame({"need_id": [need], "wanted": [int(value)]})]
            )
        elif kind == "veto":
            pairs = pairs.filter((pl.col("need_id") != need) | (pl.col("expert_id") != expert))
        else:
            pairs = pl.concat([pairs, pl.DataFrame({"need_id": [need], "expert_id": [expert], "score": [value]})])
    return pairs, demand, capacity


def check(result, before, parts, fresh) -> None:
    """Rooms, conflicts with what is gone, and that the fresh best is not beaten."""
    pairs, demand, capacity = parts
    for key, table, count in (("need_id", demand, "wanted"), ("expert_id", capacity, "free")):
        load = table.join(result.assigned.group_by(key).len(), on=key, how="left").with_columns(
            pl.col("len").fill_null(0)
        )
        assert (load["len"] <= load[count]).all()
    keys = ["need_id", "expert_id"]
    assert result.assigned.join(pairs, on=keys, how="anti").is_empty()
    assert result.figures["total"].item() <= fresh.proof["bound"].item() + 1e-9
    moved = (
        result.assigned.join(before, on=keys, how="anti").height
        + before.join(result.assigned, on=keys, how="anti").height
    )
    assert moved == result.changes.height


def beside(case: str) -> None:
    """Every change beside the fresh solve."""
    parts = tables(case)
    first = assign(*parts)
    fresh_wall, fresh_busy, _ = timed(lambda: assign(*parts), 3)
    wall, busy, standing = timed(lambda: reopen(first.assigned, *parts, prices=first.prices), 3)
    line(
        case,
        "reopen",
        pairs=parts[0].height,
        seconds=wall,
        busy=busy,
        assign=fresh_wall,
        assign_busy=fresh_busy,
        ratio=busy / fresh_busy,
    )
    for what, changes in stories(first.assigned, parts[2]["expert_id"]).items():
        wall, busy, result = timed(lambda changes=changes: repair(standing, changes))
        new = changed(parts, changes)
        fresh = assign(*new)
        check(result, first.assigned, new, fresh)
        keys = ["need_id", "expert_id"]
        of_fresh = fresh.assigned.join(first.assigned, on=keys, how="anti").height
        line(
            case,
            what,
            seconds=wall,
            busy=busy,
            assign_busy=fresh_busy,
            ratio=busy / fresh_busy,
            added=result.figures["added"].item(),
            removed=result.figures["removed"].item(),
            added_by_assign=of_fresh,
            total=result.figures["total"].item(),
            best=fresh.proof["total"].item(),
        )
    taken = parts[0].join(first.assigned, on=["need_id", "expert_id"], how="anti").select("need_id", "expert_id")
    move = taken[[taken.height // 2]].select(pl.lit("add").alias("what"), "need_id", "expert_id")
    wall, busy, result = timed(lambda: edit(standing, move))
    assert result.standing.assigned.join(move, on=["need_id", "expert_id"], how="semi").height == 1
    line(case, "a pair put in by hand", seconds=wall, busy=busy, ratio=busy / fresh_busy, moved=result.changes.height)
    one = parts[0]["need_id"][parts[0].height // 2]
    for what, asked in {
        "why of one pair": parts[0].sample(1, seed=7),
        "why of a need's 50 candidates": parts[0].filter(need_id=one),
        "why of 50 pairs at random": parts[0].sample(50, seed=7),
    }.items():
        wall, busy, told = timed(lambda asked=asked: why(standing, asked), 2)
        line(case, what, seconds=wall, busy=busy, ratio=busy / fresh_busy)
    for row in told.head(3).to_dicts():
        for step in (-1e-9, 1e-9):
            is_here = (pl.col("need_id") == row["need_id"]) & (pl.col("expert_id") == row["expert_id"])
            score = pl.when(is_here).then(row["threshold"] + step).otherwise("score")
            again = assign(parts[0].with_columns(score=score), *parts[1:])
            assert again.assigned.filter(is_here).height == (step > 0)


def under_rules() -> None:
    """At most one expert of a school and one junior for a need, five contacts for an enterprise, a budget."""
    pairs, demand, capacity = tables("county")
    rng = np.random.default_rng(11)
    demand = demand.with_columns(org_id=pl.Series(rng.integers(0, 700, demand.height)).cast(pl.String))
    capacity = capacity.with_columns(
        school=pl.Series(rng.integers(0, 12, capacity.height)).cast(pl.String),
        title=pl.Series(np.where(rng.random(capacity.height) < 0.4, "senior", "junior")),
        fee=pl.Series(rng.integers(1, 6, capacity.height) * 100),
    )
    quotas = pl.DataFrame(
        [
            {"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 1.0},
            {
                "name": "juniors",
                "need_group": "need_id",
                "expert_group": "title",
                "expert_value": "junior",
                "at_most": 1.0,
            },
            {"name": "contacts", "need_group": "org_id", "at_most": 5.0},
            {"name": "budget", "sum_of": "fee", "at_most": 600_000.0},
        ],
        schema_overrides={"expert_value": pl.String, "sum_of": pl.String},
    )
    ruled("county, rules", (pairs, demand, capacity), None, Rules(quotas=quotas))


def journey() -> None:
    """All rules of the officer's journey, as in bench_rules, without and with budgets."""
    *parts, conflicts = region()
    rules = rules_of(*parts, conflicts)
    ruled("journey", tuple(parts), conflicts, rules)
    plain = assign(parts[0], parts[1].drop("at_least"), parts[2].drop("at_least"), conflicts=conflicts)
    spent = plain.assigned.join(parts[2], on="expert_id")["fee_cny"].sum()
    ruled("journey, money", tuple(parts), conflicts, with_money(rules, parts[1], 0.9 * spent))


def ruled(case: str, parts, conflicts, rules: Rules) -> None:
    """Every change under rules; who drops out is the busiest who is neither pinned nor asked for by a lower bound."""
    fresh_wall, fresh_busy, first = timed(lambda: assign(*parts, conflicts=conflicts, rules=rules, seconds=20), 1)
    standing = reopen(first.assigned, *parts, conflicts=conflicts, rules=rules)
    free = first.assigned
    if rules.pins is not None:
        free = free.join(rules.pins, on="expert_id", how="anti")
        free = free.join(parts[2].filter(at_least=0), on="expert_id", how="semi")
    for what, changes in stories(free, parts[2]["expert_id"]).items():
        wall, busy, result = timed(lambda changes=changes: repair(standing, changes, seconds=5), 1)
        held = result.standing.ruled
        tables = held.pairs, held.demand, held.capacity
        reopen(result.assigned, *tables, conflicts=conflicts, rules=held.rules)  # refuses a broken rule
        kept = result.figures.select("kept", "removed", "added").row(0)
        line(
            case,
            what,
            seconds=wall,
            busy=busy,
            assign=fresh_wall,
            ratio=busy / fresh_busy,
            moved=kept,
            is_optimal=result.figures["is_optimal"].item(),
            gap=result.figures["gap"].item(),
        )


def lotteries(case: str) -> None:
    """The lottery with several caps, its expectation beside HiGHS on the small case."""
    parts = tables(case)
    for cap in (0.5, 0.8, 0.33) if case == "county" else (0.5,):
        wall, busy, result = timed(lambda cap=cap: lottery(*parts, cap=cap), 3)
        figures = result.figures.row(0, named=True)
        peer = {}
        if case == "county":
            seconds, bound = by_highs(*parts, cap=cap)
            assert abs(bound - figures["expected_total"]) < 1e-6, (bound, figures)
            peer = {"highs": seconds, "ratio": wall / seconds}
        names = ("expected_total", "best_total", "cost_share", "total", "parts")
        line(case, f"lottery, cap {cap}", seconds=wall, busy=busy, **peer, **{k: figures[k] for k in names})


def by_highs(pairs, demand, capacity, *, cap: float) -> tuple[float, float]:
    """Seconds and optimum of the linear program of the lottery."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    sides, room = [], []
    for key, table, count in (("need_id", demand, "wanted"), ("expert_id", capacity, "free")):
        at = table[key].search_sorted(pairs[key]).to_numpy().astype(np.int64)
        sides.append(csr_array((np.ones(at.size), (at, np.arange(at.size))), shape=(table.height, at.size)))
        room.append(table[count].to_numpy())
    began = time.perf_counter()
    found = linprog(-pairs["score"].to_numpy(), A_ub=vstack(sides), b_ub=np.concatenate(room), bounds=(0, cap))
    return time.perf_counter() - began, -found.fun


def main() -> None:
    for case in CASES:
        beside(case)
    under_rules()
    journey()
    for case in ("county", "scarce"):
        lotteries(case)


if __name__ == "__main__":
    main()
