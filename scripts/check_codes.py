"""Every error code is spelt alike everywhere: worded once, raised somewhere, tested by name.

Run as `python scripts/check_codes.py`; prints what is wrong and exits 1, or says that all is well.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from silian.errors import MESSAGES
from silian.pipeline.plan import settings

ROOT = Path(__file__).resolve().parent.parent
ROOMS = "|".join(sorted({code.split(".")[0] for code in MESSAGES}))
RAISED = re.compile(rf"""["']((?:{ROOMS})\.[a-z0-9_]+)["']""")
NOT_CODES = re.compile(r"\.(csv|toml|html|xlsx|json|parquet|geojson|md|py|txt)$")


def main() -> int:
    """Compare the codes that are worded, raised and tested."""
    source = [p for p in (ROOT / "src").rglob("*.py") if "tests" not in p.parts and p.parent.name != "errors"]
    tests = [*(ROOT / "src").rglob("tests/*.py"), *(ROOT / "tests").rglob("*.py")]
    raised = {code for p in source for code in RAISED.findall(p.read_text(encoding="utf-8"))}
    tested = "\n".join(p.read_text(encoding="utf-8") for p in tests).replace("\\", "")
    wrong = [f"{code}: worded, but raised nowhere" for code in MESSAGES if code not in raised]
    wrong += [f"{code}: worded, but no test names it" for code in MESSAGES if code not in tested]
    wrong += [
        f"{code}: raised, but not worded in errors/"
        for code in sorted(raised - set(MESSAGES) - {name for name, _, _ in settings()})
        if not NOT_CODES.search(code)
    ]
    sys.stdout.write("\n".join(wrong or [f"error codes: {len(MESSAGES)} ok"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
