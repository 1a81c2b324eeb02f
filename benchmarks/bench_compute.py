"""Blocks on a Ray cluster of this machine: one worker against two of one thread each, `local` beside them.

Random words (seed 7, those of bench_match). The pairs are compared with those of `local` before the clock counts. Each
figure is the best of two rounds; `first` is the round in which a worker takes the index out of shared memory and
loads its compiled loops. Memory of a worker is what it alone holds (USS); the index is counted once, by the bytes of
its arrays (`index_mib`) and of all else that is pickled with them (`other_mib`). `overhead` maps a verb that does
nothing. Cases by BENCH_CASES, as needs x targets: "2000x20000 2000x200000" if not set.

`prefilter`: how many targets hold one of the heaviest word features of a need, and how many of the exact first ten are
among them. On the real needs and achievements beside the project; left out with a sentence where they are absent.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import psutil
from bench_match import random_tables

from silian import compute
from silian.compute.ray import THREADS
from silian.engines import match
from silian.engines.match import index as indexing

DATA = Path(__file__).resolve().parents[1] / "../shared/data/needs_achievements"
CORES = os.cpu_count()
ROWS = 250  # needs of a block, as in the default plan
MIB, ROUNDS = 2**20, 2


def line(case: str, **values: float) -> None:
    """One measurement."""
    rounded = {name: round(value, 4) for name, value in values.items()}
    print(json.dumps({"bench": "compute", "case": case, "values": rounded, "cores": CORES}), flush=True)


def nothing(block: pl.DataFrame) -> pl.DataFrame:
    """The block as it is."""
    return block


def seconds(call: object) -> tuple[float, object]:
    """How long a call takes, and what it gives."""
    began = time.perf_counter()
    given = call()
    return time.perf_counter() - began, given


def sizes(index: match.Index) -> dict[str, float]:
    """MiB of the arrays of an index, which workers share, and of all else, which each of them holds."""
    arrays: list[pickle.PickleBuffer] = []
    other = len(pickle.dumps(index, protocol=5, buffer_callback=arrays.append))
    return {"index_mib": sum(a.raw().nbytes for a in arrays) / MIB, "other_mib": other / MIB}


def workers() -> list[psutil.Process]:
    """The processes of the cluster that have worked on blocks."""
    found = psutil.Process().children(recursive=True)
    return [p for p in found if p.cmdline()[:1] and p.cmdline()[0].startswith(("ray::IDLE", "ray::_work"))]


def cpu_seconds() -> float:
    """Seconds that the workers have computed so far, all together; tells more than the clock on a busy machine."""
    return sum(sum(p.cpu_times()[:2]) for p in workers())


def bench_case(needs_count: int, targets_count: int) -> None:
    """Local, one worker, two workers: seconds of the same blocks, memory beside."""
    needs, targets = random_tables(needs_count, targets_count, vocabulary=20_000, words=11, seed=7)
    built, index = seconds(lambda: match.build(targets, encoder="corpus"))
    size = f"{needs_count}x{targets_count}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line(f"index {size}", build_seconds=built, peak_mib=peak, **sizes(index))
    how = {"rows": ROWS, "shared": {"index": index}}
    verb = partial(match.rank, top_k=10)
    with compute.runner("local") as runner:
        runner.map_blocks(verb, needs[:ROWS], **how)  # compiled before the clock counts
        local, pairs = seconds(lambda: runner.map_blocks(verb, needs, **how))
    table_mib = pairs.estimated_size() / MIB
    line(f"local, {os.environ.get('NUMBA_NUM_THREADS', CORES)} thread(s) {size}", seconds=local,
         microseconds_a_pair=1e6 * local / needs_count / targets_count, pairs_mib=table_mib)  # fmt: skip
    if "NUMBA_NUM_THREADS" in os.environ:
        return
    took = {}
    for count in (1, 2):
        opening = time.perf_counter()
        with compute.runner(f"ray:local:{count}") as runner:
            opened = time.perf_counter() - opening
            map_all = partial(runner.map_blocks, verb, needs, **how)
            first, split = seconds(map_all)
            assert split.equals(pairs), "other pairs than local"
            before = cpu_seconds()
            took[count] = min(seconds(map_all)[0] for _ in range(ROUNDS))
            worked = (cpu_seconds() - before) / ROUNDS
            held = max(p.memory_full_info().uss for p in workers()) / MIB
        line(f"ray, {count} worker(s) of 1 thread {size}", seconds=took[count], cpu_seconds=worked,
             first_seconds=first, open_seconds=opened, worker_uss_mib=held)  # fmt: skip
    line(f"two workers against one {size}", times=took[1] / took[2])


def bench_overhead() -> None:
    """What a block costs where the verb does nothing."""
    table = pl.DataFrame({"n": range(2_000)})
    for name in ("local", "ray:local:1", "ray:local:2"):
        with compute.runner(name) as runner:
            runner.map_blocks(nothing, table[:10], rows=1)
            took, split = seconds(partial(runner.map_blocks, nothing, table, rows=1))
        assert split.equals(table)
        line(f"overhead {name}", milliseconds_a_block=1e3 * took / table.height)


def bench_prefilter() -> None:
    """Share of the targets that would be scored, and of the exact first ten that would be kept."""
    if not DATA.is_dir():
        print(f"bench_compute: no real needs in {DATA.name} beside the project, the prefilter is left out")
        return
    needs = pl.read_csv(DATA / "needs.csv").unique("need_id", maintain_order=True)
    columns = {"target_id": "achievement_id", "title": "title_words", "text": pl.lit("")}
    targets = pl.read_csv(DATA / "achievements.csv").select(**columns)
    index = match.build(targets)
    pairs = match.rank(needs, index, top_k=10, why=False)
    best = dict(pairs.group_by("need_id").agg("target_id").iter_rows())
    asked = indexing.word_rows(index.space, *indexing.fields(needs, index.terms))
    held, ids = index.rows.tocsc(), index.target_ids.to_numpy()
    for most in (4, 8, 16, 32, 64):
        scored, kept, wanted = 0, 0, 0
        for place, need in enumerate(needs["need_id"]):
            features = asked.indices[asked.indptr[place] : asked.indptr[place + 1]]
            weights = asked.data[asked.indptr[place] : asked.indptr[place + 1]]
            heaviest = features[np.argsort(-weights, kind="stable")[:most]]
            found = set(ids[np.unique(held[:, heaviest].indices)])
            first = best.get(need, [])
            scored, kept, wanted = scored + len(found), kept + len(found.intersection(first)), wanted + len(first)
        share = scored / needs.height / targets.height
        line(f"prefilter {most} heaviest features", share_scored=share, first_ten_kept=kept / wanted)


def main() -> None:
    """Overhead and prefilter, then each case; local with one thread in a process of its own."""
    if len(sys.argv) == 3:
        bench_case(int(sys.argv[1]), int(sys.argv[2]))
        return
    bench_overhead()
    bench_prefilter()
    for case in os.environ.get("BENCH_CASES", "2000x20000 2000x200000").split():
        for threads in (THREADS, {}):
            subprocess.run([sys.executable, __file__, *case.split("x")], check=True, env=os.environ | threads)


if __name__ == "__main__":
    main()
