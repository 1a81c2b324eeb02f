"""Why and exposure of a synthetic city (seed 7): seconds of explaining 6,000 pairs, and what a limit does to the Gini.

`explain`: the best three achievements of each of 1,000 needs and the best three experts, 6,000 pairs, with every table
of the region at hand; wall clock and processor seconds of this process, after one call that warms up, and the rows that
come out. Checked first: every shared term of the scores has a place in both texts (experts: in the need).

`exposure`: the first ten of 2,000 needs, of achievements and of experts, without a limit and with at most three, two
and one of an organisation in a list; Gini coefficient and share of the most shown tenth, by target and by organisation,
and the mean score of the lists: what the spread costs.
"""

from __future__ import annotations

import json
import time

import polars as pl

from silian.engines import match
from silian.tables import synth

NEEDS = 1_000


def main() -> None:
    """Both measurements."""
    region = synth.make("city", seed=7).region
    targets = region["achievements"].rename({"achievement_id": "target_id"})
    works, experts = region["works"], region["experts"]
    sides = {
        "achievements": (match.build(targets), targets, None),
        "experts": (match.build_experts(works, experts), experts, works),
    }
    explaining(region, sides)
    exposing(region, sides)


def explaining(region, sides) -> None:
    """Seconds of explaining the best three of each need."""
    told = {name: region[name] for name in ("organisations", "districts", "makes", "projects", "outcomes")}
    needs = region["needs"].head(NEEDS)
    pairs = {name: match.rank(needs, index, top_k=3) for name, (index, _, _) in sides.items()}

    def once() -> dict[str, match.Explanation]:
        return {
            name: match.explain(pairs[name], needs, index, targets, works=works, **told)
            for name, (index, targets, works) in sides.items()
        }

    found = once()
    for name, given in pairs.items():
        assert lacking(given, found[name].terms, name) == 0, name
    clock, own = time.perf_counter(), time.process_time()
    once()
    seconds = {"seconds": time.perf_counter() - clock, "processor_seconds": time.process_time() - own}
    rows = {f"{part}_{name}": getattr(t, part).height for name, t in found.items() for part in ("terms", "facts")}
    line("explain", "city, 3 of each", {"pairs": sum(p.height for p in pairs.values()), **seconds, **rows})


def lacking(pairs: pl.DataFrame, terms: pl.DataFrame, name: str) -> int:
    """Shared terms without a place."""
    parts = pairs.select("need_id", "target_id", "why").explode("why", empty_as_null=False, keep_nulls=False)
    shared = parts.unnest("why").filter((pl.col("kind") == "word") & (pl.col("term") != "…"))
    tables = ("needs", "achievements") if name == "achievements" else ("needs",)
    key = ["need_id", "target_id", "term"]
    return sum(shared.join(terms.filter(in_table=t), on=key, how="anti").height for t in tables)


def exposing(region, sides) -> None:
    """What a limit for each organisation does to the spread."""
    for name, (index, targets, _) in sides.items():
        held = targets.rename({"expert_id": "target_id"}) if name == "experts" else targets
        for limit in (None, 3, 2, 1):
            pairs = match.rank(region["needs"], index, top_k=10, per_organisation=limit, why=False)
            values = {"mean_score": pairs["score"].mean()}
            for by in ("target_id", "org_id"):
                summary = match.exposure(pairs, held, by=by).summary.row(0, named=True)
                values |= {f"{by}_{k}": summary[k] for k in ("gini", "never_share", "top_10_share")}
            line("exposure", f"{name}, limit {limit}", values)


def line(bench: str, case: str, values: dict[str, object]) -> None:
    """One line of results."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": bench, "case": case, "values": rounded}), flush=True)


if __name__ == "__main__":
    main()
