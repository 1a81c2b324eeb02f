"""How ids of records stand in addresses: an imported id may hold anything, a slash or nothing but dots too."""

from __future__ import annotations

import re
from typing import Final

_WRITTEN: Final = {"!": "!!", "/": "!s", "\\": "!b"}
_READ: Final = {written: sign for sign, written in _WRITTEN.items()} | {"!d": "."}


class RecordId:
    """`<record:record_id>`: one part of an address, whatever the id holds.

    Examples
    --------
    >>> RecordId().to_url("国发〔2026〕1/2号"), RecordId().to_python("国发〔2026〕1!s2号")
    ('国发〔2026〕1!s2号', '国发〔2026〕1/2号')
    >>> RecordId().to_url("..")
    '!d!d'
    """

    regex = r"[^/]+"

    def to_url(self, value: str) -> str:
        """An id as it stands in an address; dots alone would mean a folder there."""
        if set(value) == {"."}:
            return "!d" * len(value)
        return "".join(_WRITTEN.get(sign, sign) for sign in value)

    def to_python(self, value: str) -> str:
        """The id that an address names.

        Raises
        ------
        ValueError : if `to_url` writes no id so; the address is then none
        """
        found = re.sub(r"!(.?)", lambda m: _READ.get(m[0], "\0"), value)
        if "\0" in found:
            raise ValueError(value)
        return found
