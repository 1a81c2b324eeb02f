"""What a program does with the registry: read, make, change, see that somebody was faster.

Run as `SILIAN_SITE=http://127.0.0.1:8000 SILIAN_TOKEN=silian_… python example.py`. The token is of somebody who acts
for an organisation and has the scopes read:registry and write:registry.
"""

from __future__ import annotations

import os
import sys

from silian_client import Client, ConflictError


def main() -> None:
    """Tell how it went, a line for each thing."""
    client = Client(os.environ["SILIAN_SITE"], token=os.environ["SILIAN_TOKEN"])
    me = client.ask("GET", "me")
    tell(f"acting for {', '.join(me['organisations'])} with {', '.join(me['scopes'])}")

    needs = list(client.records("needs", limit=5))
    tell(f"{len(needs)} needs, of which {sum('budget_cny' in need['values'] for need in needs)} show their budget")

    values = {"title": "接口示例：固态电池界面改性", "kind": "technology", "org_id": me["organisations"][0]}
    made = client.create("needs", values)
    tell(f"made {made['id']}, version {made['version']}, {made['state']}")

    changed = client.change(made, {"experts_wanted": 2})
    tell(f"changed to version {changed['version']}")
    try:
        client.change(made, {"experts_wanted": 3})  # with the version that was seen first
    except ConflictError as conflict:
        both = conflict.told["conflicts"][0]
        tell(f"somebody was faster: {both['column']} is {both['theirs']}, we want {both['mine']}")
    client.withdraw(changed)
    tell("withdrawn")


def tell(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
