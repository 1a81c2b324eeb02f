"""A program of its own that opens a runner: `python -m silian.compute.tests.caller <runner> [<folder> [<Ray>]]`.

It compares the runner with one call of the verb and prints what it found. With a folder it works for minutes before
that, and each worker leaves its number there. With a version it takes that for the version of its Ray. An error of
silian is its last word.
"""

import json
import sys
from pathlib import Path

import polars as pl

from silian import compute
from silian.compute.tests import verbs
from silian.errors import SilianError

NUMBERS = pl.DataFrame({"n": range(1000)})


def main(name: str, folder: str = "", version: str = "") -> None:
    if version:
        import ray

        ray.__version__ = version
    with compute.runner(name) as runner:
        if folder:
            runner.map_blocks(verbs.write_pid, NUMBERS, rows=1, shared={"folder": Path(folder)})
        split = runner.map_blocks(verbs.double, NUMBERS, rows=30)
        found = [runner.machines, runner.workers, split.equals(verbs.double(NUMBERS))]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SilianError as error:
        sys.exit(str(error))
