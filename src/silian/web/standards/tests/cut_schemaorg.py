"""Cut `schemaorg.csv` out of schema.org's own table of properties.

    python cut_schemaorg.py schemaorg-current-https-properties.csv schemaorg-current-https-types.csv

The two files are of release 12.0 of the vocabulary (CC BY-SA 3.0), as they lie in the Python package schemaorg 0.1.1
under schemaorg/data/releases/12.0. Kept are the types that the site uses with all that they are kinds of, and the
properties that it uses, with the types that may have them and the types of their values.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = (HERE.parent / "linked.py").read_text(encoding="utf-8")
AT = "https://schema.org/"


def rows(path: str) -> dict[str, dict[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        return {row["id"].removeprefix(AT): row for row in csv.DictReader(file)}


def names(cell: str) -> list[str]:
    return [part.strip().removeprefix(AT) for part in cell.split(",") if part.strip()]


def cut(properties: dict[str, dict[str, str]], types: dict[str, dict[str, str]]) -> list[tuple[str, str, str, str]]:
    words = set(re.findall(r'"([A-Za-z]+)"', SOURCE))
    wanted = [name for name in types if name in words]
    above: dict[str, set[str]] = {}
    while wanted:
        name = wanted.pop()
        if name not in above:
            above[name] = set(names(types[name]["subTypeOf"])) if name in types else set()
            wanted += above[name]
    made = [("type", name, " ".join(sorted(over)), "") for name, over in sorted(above.items())]
    for name in sorted(words & set(properties)):
        one = properties[name]
        made.append(("property", name, " ".join(names(one["domainIncludes"])), " ".join(names(one["rangeIncludes"]))))
    return made


if __name__ == "__main__":
    with (HERE / "schemaorg.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["what", "name", "of", "values"])
        writer.writerows(cut(*map(rows, sys.argv[1:3])))
