"""Run the benchmarks and keep what they measured.

`python benchmarks/run.py [name …]` runs `bench_<name>.py` (all without a name). A benchmark checks its answer first,
then prints one JSON line per measurement: {"bench", "case", "values", …}. The lines are kept, with the day, the
version, the commit and the machine, in `benchmarks/results/<name>.jsonl`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    cpu = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": os.cpu_count(), "cpu": cpu, "memory_gib": round(memory, 1), "python": platform.python_version()}


def facts() -> dict[str, object]:
    """When, of what, and on what figures were measured."""
    return {"on": datetime.now(UTC).date().isoformat(), "commit": _commit(), "machine": machine()}


def run(name: str) -> bool:
    """Run one benchmark; keep its lines; say whether it ended well."""
    script = HERE / f"bench_{name}.py"
    lines = []
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                lines.append(json.loads(line))
    if lines:
        told = facts()
        with (HERE / "results" / f"{name}.jsonl").open("a", encoding="utf-8") as kept:
            kept.writelines(json.dumps(line | told, ensure_ascii=False) + "\n" for line in lines)
    return process.returncode == 0


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=HERE
    )
    return asked.stdout.strip()


def main() -> int:
    """Run what the arguments name, or everything."""
    names = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    results = {name: run(name) for name in names}
    for name, well in results.items():
        print(f"{'ok  ' if well else 'FAIL'} {name}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
