"""The whole main job as one process: seconds, peak memory, and how much of the planted truth it finds.

Cases: county, city (synthetic, seed 7), real (where the data is beside the project). The first encoding is included:
the cache of word vectors is a fresh folder for each case.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from silian.pipeline import Run

HERE = Path(__file__).resolve().parent


def call(*arguments: object, cache: Path) -> float:
    """Seconds of one call of the command line."""
    began = time.perf_counter()
    environment = os.environ | {"SILIAN_CACHE": str(cache), "SILIAN_LANG": "en"}
    command = [sys.executable, "-m", "silian.cli", *map(str, arguments)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def found_share(region: Path, run: Run) -> dict[str, float]:
    """How much of the planted truth the run found: shares between 0 and 1."""
    truth = {path.stem: pl.read_csv(path, infer_schema_length=None) for path in (region / "truth").glob("*.csv")}
    good = truth["matches"].filter(pl.col("level") >= 3)
    pairs = run.table("achievement_pairs").select("need_id", achievement_id="target_id", rank="rank")
    hit = good.join(pairs, on=["need_id", "achievement_id"], how="left")
    best = hit.group_by("need_id").agg(pl.col("rank").min())
    missing = truth["missing_products"].join(run.table("gaps"), on=["product_id", "kind"], how="semi")
    conflicts = truth["conflicts"].join(run.table("conflicts"), on=["need_id", "expert_id"], how="semi")
    pair = ["org_id", "canonical_id"]
    joined = run.table("same").filter(pl.col("org_id") != pl.col("canonical_id"))
    planted = truth["same"].filter(pl.col("org_id") != pl.col("canonical_id"))
    return {
        "recall_at_10": hit["rank"].is_not_null().mean(),
        "needs_with_a_good_first": (best["rank"] == 1).mean(),
        "missing_products_found": missing.height / max(truth["missing_products"].height, 1),
        "conflicts_found": conflicts.height / max(truth["conflicts"].height, 1),
        "duplicates_found": planted.join(joined, on=pair, how="semi").height / max(planted.height, 1),
        "duplicates_right": joined.join(planted, on=pair, how="semi").height / max(joined.height, 1),
    }


def bench(case: str, folder: Path) -> None:
    """One case: build the region, run the job, check it, print its line."""
    region, out, plan = folder / case, folder / f"{case}-run", []
    if case == "real":
        subprocess.run([sys.executable, str(HERE / "real_region.py"), str(region)], check=True)
        if not region.exists():
            return
        plan = ["--plan", HERE / "real_plan.toml"]
    else:
        call("synth", "--size", case, "--seed", 7, "--out", region, cache=folder / "cache")
        plan = ["--plan", region / "plan.toml"]
    seconds = call("run", region, *plan, "--out", out, cache=folder / f"cache-{case}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    run = Run.open(out)
    steps = {step["name"]: step["seconds"] for step in run.receipt["steps"]}
    counts = dict(run.table("summary").iter_rows())
    truth = {} if case == "real" else {k: round(v, 4) for k, v in found_share(region, run).items()}
    again = call("run", region, *plan, "--out", folder / f"{case}-again", cache=folder / f"cache-{case}")
    assert Run.open(folder / f"{case}-again").receipt["files"] == run.receipt["files"], "the same inputs, other bytes"
    values = {"seconds": round(seconds, 2), "seconds_cached": round(again, 2), "peak_mib": round(peak)}
    page = round((out / "report.html").stat().st_size / 2**20, 2)
    line = {
        "bench": "job",
        "case": case,
        "values": values | truth | {"page_mib": page},
        "steps": steps,
        "counts": counts,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main() -> None:
    """Every case named by BENCH_CASES, in a process of its own, so that each peak is its own."""
    if len(sys.argv) == 3:
        bench(sys.argv[1], Path(sys.argv[2]))
        return
    for case in os.environ.get("BENCH_CASES", "county city real").split():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, __file__, case, folder], check=True)


if __name__ == "__main__":
    main()
