"""Reading and checking a region: a million rows of works and makes, from CSV (UTF-8 and GB18030), Parquet and Excel.

Each form is read in a process of its own, so that the peak of memory is its own. Peer for the check of the
统一社会信用代码: python-stdnum, one code after the other. Answers are compared before the clock counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from silian.tables import Region, check, read_region, uscc, write_region

CORES = os.cpu_count()
SIZES = {"csv": 1_000_000, "gb18030": 1_000_000, "parquet": 1_000_000, "xlsx": 100_000}
WORDS = ["高韧性立方氮化硼单晶", "锂离子电池隔膜", "轴承钢热处理工艺", "永磁电机", "废水脱氮除磷", "机器人减速器"]


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
    print(
        json.dumps({"bench": "tables", "case": case, "values": rounded, "cores": CORES}, ensure_ascii=False), flush=True
    )


def region(rows: int) -> Region:
    """Works (six tenths of the rows) and makes (four tenths), with what they refer to; one in a thousand is wrong."""
    rng = np.random.default_rng(7)
    works, makes = rows * 6 // 10, rows * 4 // 10
    experts, orgs, products = works // 8, makes // 2, makes // 10
    drawn = rng.integers(0, len(WORDS), (works, 3))
    titles = pl.Series(["，".join(WORDS[i] for i in row) for row in drawn])
    numbers = pl.Series(rng.integers(10_000_000, 99_999_999, orgs)).cast(pl.String).to_list()
    people = pl.select(expert_id="E" + pl.int_range(experts).cast(pl.String)).with_columns(name="expert_id")
    makers = pl.select(org_id="O" + pl.int_range(orgs).cast(pl.String)).with_columns(
        name="org_id", kind=pl.lit("enterprise"), uscc=pl.Series([uscc.make("9", "1", "110000", n) for n in numbers])
    )
    nodes = pl.select(product_id="P" + pl.int_range(products).cast(pl.String)).with_columns(name="product_id")
    work = pl.select(
        expert_id="E" + (pl.int_range(works) // 8 + (pl.int_range(works) % 1000 == 0) * works).cast(pl.String),
        work_id="W" + pl.int_range(works).cast(pl.String),
        kind=pl.lit("paper"),
        title=titles,
        text=titles + titles + titles,
        year=pl.lit(pl.Series(rng.integers(1990, 2026, works))),
    )
    make = pl.select(
        org_id="O" + (pl.int_range(makes) // 2).cast(pl.String),
        product_id="P" + (pl.int_range(makes) * 7 % products).cast(pl.String),
        share=pl.lit(pl.Series(rng.random(makes) / 2)),
        since_year=2000 + pl.int_range(makes) % 20,
    )
    return Region.of({"experts": people, "organisations": makers, "products": nodes, "works": work, "makes": make})


def peak_mib(*, reset: bool = False) -> float:
    """The most memory that this process has held (Linux), since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) / 1024 for row in status if row.startswith("VmHWM"))


def measure(folder: Path) -> dict[str, float]:
    """Read and check one folder in this process: seconds, and the peak of memory above that of the imports."""
    before = peak_mib(reset=True)
    began = time.perf_counter()
    found = read_region(folder)
    read = time.perf_counter()
    problems = check(found)
    checked = time.perf_counter()
    unknown = problems.filter(pl.col("code") == "check.unknown").height
    return {
        "read_seconds": read - began,
        "check_seconds": checked - read,
        "peak_mib": peak_mib() - before,
        "unknown": unknown,
        "works": found["works"].height,
        "makes": found["makes"].height,
        "memory_mib": sum(table.estimated_size("mb") for table in found.tables.values()),
    }


def bench_region() -> None:
    """Every form: rows right, one in a thousand works found to name nobody, then seconds and MiB."""
    for form, rows in SIZES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_region(region(rows), folder, form="csv" if form == "gb18030" else form)
            if form == "gb18030":
                for path in folder.glob("*.csv"):
                    path.write_bytes(path.read_text(encoding="utf-8-sig").encode("gb18030"))
            size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
            asked = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        values = json.loads(asked.stdout)
        assert (values["works"], values["makes"]) == (rows * 6 // 10, rows * 4 // 10)
        assert values["unknown"] == rows * 6 // 10 // 1000
        line(f"{rows} rows of works and makes {form}", file_mib=size, **values)


def bench_uscc() -> None:
    """One million codes against python-stdnum on 100,000 of them."""
    from stdnum.cn import uscc as stdnum_uscc

    bodies = np.random.default_rng(8).integers(10_000_000, 99_999_999, 100_000)
    codes = pl.Series([uscc.make("9", "1", "440300", str(body)) for body in bodies])
    assert uscc.valid(codes).all()
    assert all(stdnum_uscc.is_valid(code) for code in codes.head(1000))
    million = pl.concat([codes] * 10)
    began = time.perf_counter()
    uscc.problems(million)
    ours = time.perf_counter() - began
    began = time.perf_counter()
    for code in codes.to_list():
        stdnum_uscc.is_valid(code)
    line("1000000 credit codes", seconds=ours, stdnum_seconds=10 * (time.perf_counter() - began))


def main() -> None:
    """Measure one folder where one is named, else everything."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
        return
    bench_region()
    bench_uscc()


if __name__ == "__main__":
    main()
