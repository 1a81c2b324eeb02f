"""Indexes in files: saving, a cold start to the first answer, ten records more; beside building again.

200,000 targets, an answer checked before a figure counts, each step in a process of its own. `random` has the tables
of bench_match (few features: random characters), `wide` 300,000 words of letters, so that dictionaries are large.
Peers: building the index again; for the file itself numpy's .npz, Arrow tensors and, where it is installed,
safetensors, on three arrays of 467 MB. `cold start` counts from the start of Python; `from disk` after the file has
been put out of the machine's memory; `of_the_processor` is the same in seconds of the processor, which
another load on the machine hardly changes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

CORES = os.cpu_count()
TARGETS, QUESTIONS = 200_000, 50
CASES = (("random", "words"), ("random", "corpus"), ("random", "static"), ("wide", "corpus"))


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "store", "case": case, "values": rounded, "cores": CORES}), flush=True)


def timed(call: Callable[[], object]) -> tuple[object, float]:
    """What a call gives and its seconds."""
    began = time.perf_counter()
    return call(), time.perf_counter() - began


def worked(call: Callable[[], object]) -> tuple[object, float, float]:
    """What a call gives, its seconds, and its seconds of the processor."""
    began = time.process_time()
    made, seconds = timed(call)
    return made, seconds, time.process_time() - began


def peak_mib() -> int:
    """The most memory that this process held, pages of mapped files included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def tables(kind: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Needs and targets; ten targets more than the index has."""
    from bench_match import random_tables

    if kind == "random":
        return random_tables(QUESTIONS, TARGETS + 10, vocabulary=20_000, words=30, seed=7)
    rng = np.random.default_rng(7)
    letters = np.asarray(list("bcdfghjklmnpqrtvwx"))
    spelled = np.asarray(["".join(row) for row in letters[rng.integers(0, len(letters), (300_000, 6))]])
    weight = np.arange(1, len(spelled) + 1) ** -0.9

    def table(name: str, rows: int) -> pl.DataFrame:
        drawn = spelled[rng.choice(len(spelled), (rows, 36), p=weight / weight.sum())]
        return pl.DataFrame(
            {
                f"{name}_id": [f"{name}{i:06d}" for i in range(rows)],
                "title": [" ".join(row[:6]) for row in drawn],
                "text": [" ".join(row[6:]) for row in drawn],
            }
        )

    return table("need", QUESTIONS), table("target", TARGETS + 10)


def write(folder: Path, kind: str, encoder: str) -> None:
    """Build and save; the tables, and the answers that are wanted, lie beside."""
    from silian import pipeline
    from silian.engines import match

    needs, targets = tables(kind)
    needs.write_parquet(folder / "needs")
    targets.write_parquet(folder / "targets")
    index, building, processor = worked(lambda: match.build(targets[:TARGETS], encoder=encoder))
    match.rank(needs, index).write_parquet(folder / "answers")
    _, saving = timed(lambda: pipeline.save_index(index, folder / "index"))
    line(
        f"{kind} {encoder} save", build_seconds=building, of_the_processor=processor, save_seconds=saving,
        features=len(index.space.features), file_mb=(folder / "index").stat().st_size / 1e6, peak_mib=peak_mib(),
    )  # fmt: skip


def start(folder: Path, kind: str, encoder: str) -> None:
    """Cold start to the first answer, in this fresh process."""
    began = float(os.environ["BENCH_BEGAN"])
    from silian import pipeline

    imported = time.time() - began
    index, opening = timed(lambda: pipeline.open_index(folder / "index"))
    needs = pl.read_parquet(folder / "needs")
    _, first = timed(lambda: index.ask(needs["text"][0], title=needs["title"][0]))
    whole, processor = time.time() - began, time.process_time()
    from silian.engines import match

    asked = [timed(lambda i=i: index.ask(needs["text"][i], title=needs["title"][i]))[1] for i in range(QUESTIONS)]
    assert match.rank(needs, index).equals(pl.read_parquet(folder / "answers"))
    line(
        f"{kind} {encoder} start", import_seconds=imported, open_seconds=opening, first_answer_seconds=first,
        cold_start_seconds=whole, of_the_processor=processor, p50_ms=1000 * float(np.median(asked)),
        peak_mib=peak_mib(),
    )  # fmt: skip


def grow(folder: Path, kind: str, encoder: str) -> None:
    """Ten targets more, ten edited, ten fewer, of an index that was opened; drift of the answers."""
    from silian import pipeline
    from silian.engines import match

    index = pipeline.open_index(folder / "index")
    needs, targets = pl.read_parquet(folder / "needs"), pl.read_parquet(folder / "targets")
    match.extend(index, targets[-1:])  # compiled and read into memory before the clock counts
    longer, extending, processor = worked(lambda: match.extend(index, targets[-10:]))
    edited, editing = timed(lambda: match.extend(index, targets[:10].with_columns(text=pl.lit(""))))
    shorter, shortening = timed(lambda: match.shorten(longer, targets["target_id"][-10:]))
    assert (len(longer), len(edited), len(shorter)) == (TARGETS + 10, TARGETS, TARGETS)
    assert match.rank(needs, shorter).equals(pl.read_parquet(folder / "answers"))
    _, saving = timed(lambda: pipeline.save_index(longer, folder / "longer"))
    line(
        f"{kind} {encoder} grow", extend_10_seconds=extending, of_the_processor=processor, edit_10_seconds=editing,
        shorten_10_seconds=shortening, save_seconds=saving, peak_mib=peak_mib(),
    )  # fmt: skip


def drift() -> None:
    """How answers move when an index grows instead of being built again, on the graded pairs of bench_match.

    Of the first ten of each need, the share that agrees with an index of all targets; Spearman of score and level.
    """
    from bench_match import DATA, Graded, spearman

    from silian.engines import match

    if not DATA.is_dir():
        print(f"bench_store: no graded pairs in {DATA.name} beside the project, drift is left out")
        return
    graded = Graded()
    targets = graded.targets.sample(fraction=1.0, shuffle=True, seed=7)
    for encoder in ("words", "static"):
        whole = match.rank(graded.needs, match.build(targets, encoder=encoder), why=False)
        for share in (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8):
            base = match.build(targets[: round(len(targets) * (1 - share))], encoder=encoder)
            grown = match.extend(base, targets[len(base) :])
            found = match.rank(graded.needs, grown, why=False)
            agree = found.join(whole, on=["need_id", "target_id"], how="semi").height / whole.height
            scores = match.score(graded.pairs, graded.needs, grown)["score"].to_numpy()
            line(f"drift {encoder}", growth_share=match.growth(grown).share, first_ten_that_agree=agree,
                 spearman=spearman(scores, graded.level))  # fmt: skip


def formats() -> None:
    """Our file beside others: three arrays of 467 MB."""
    import pyarrow as pa

    from silian.tables.array_file import open_arrays, write_arrays

    rng = np.random.default_rng(0)
    arrays = {
        "vectors": rng.random((200_000, 384), dtype=np.float32),
        "codes": rng.integers(0, 1 << 20, 20_000_000, dtype=np.int32),
        "values": rng.random(20_000_000, dtype=np.float32),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def write_tensors() -> None:
            with pa.OSFile(str(folder / "arrow"), "wb") as sink:
                for array in arrays.values():
                    pa.ipc.write_tensor(pa.Tensor.from_numpy(array), sink)

        def read_tensors() -> list[np.ndarray]:
            mapped = pa.memory_map(str(folder / "arrow"))
            return [pa.ipc.read_tensor(mapped).to_numpy() for _ in arrays]

        def read_npz() -> dict[str, np.ndarray]:
            with np.load(folder / "npz.npz") as file:
                return {n: file[n] for n in file.files}

        rivals: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "ours": (lambda: write_arrays(folder / "ours", arrays, kind="a", version=1, header={}),
                     lambda: open_arrays(folder / "ours", kind="a", version=1)),
            "ours unverified": (lambda: None, lambda: open_arrays(folder / "ours", kind="a", version=1, verify=False)),
            "npz": (lambda: np.savez(folder / "npz", **arrays), read_npz),
            "arrow tensors": (write_tensors, read_tensors),
        }  # fmt: skip
        if find_spec("safetensors"):
            from safetensors.numpy import load_file, save_file

            rivals["safetensors"] = (lambda: save_file(arrays, folder / "st"), lambda: load_file(folder / "st"))
        for rival, (writing, reading) in rivals.items():
            wrote = timed(writing)[1]
            line(f"format {rival}", write_seconds=wrote, open_seconds=min(timed(reading)[1] for _ in range(5)))


def main() -> None:
    """Every step in a process of its own, so that each start is cold and each peak its own."""
    if sys.argv[1:]:
        step, *rest = sys.argv[1:]
        {"formats": formats, "drift": drift}[step]() if not rest else STEPS[step](Path(rest[0]), *rest[1:])
        return
    for step in ("formats", "drift"):
        subprocess.run([sys.executable, __file__, step], check=True)
    for kind, encoder in CASES:
        with tempfile.TemporaryDirectory() as folder:
            run("write", folder, kind, encoder)
            run("start", folder, kind, encoder)  # loops are compiled for read-only arrays: once an installation
            run("start", folder, kind, f"{encoder} again")
            put_out(Path(folder) / "index")
            run("start", folder, kind, f"{encoder} from disk")
            run("grow", folder, kind, encoder)


def put_out(path: Path) -> None:
    """Put a file out of the machine's memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(step: str, folder: str, kind: str, encoder: str) -> None:
    """One step in a process of its own, which is told when it began."""
    environment = os.environ | {"BENCH_BEGAN": str(time.time())}
    subprocess.run([sys.executable, __file__, step, folder, kind, encoder], check=True, env=environment)


STEPS = {"write": write, "start": start, "grow": grow}

if __name__ == "__main__":
    main()
