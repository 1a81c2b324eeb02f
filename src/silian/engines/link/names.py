"""Names of bodies and people as they are compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from silian.text import normalise_all

if TYPE_CHECKING:
    from collections.abc import Sequence

# One legal form in two spellings: the Company Law lets a name end in either (arts. 7 of 2023, 8 of 2018).
# 有限公司 and 股份有限公司 are two forms and stay two.
_FORMS: Final = ((re.compile("有限责任公司"), "有限公司"), (re.compile("(?<!有限)股份公司"), "股份有限公司"))
_MARKS: Final = re.compile(r"[\W_]+")


def name_key(names: Sequence[str | None]) -> list[str]:
    """What is left of a name for comparing: simplified, half-width, small letters, no blanks, brackets or marks.

    The region in brackets stays as text. The legal form stays; 有限责任公司 reads 有限公司, 股份公司 股份有限公司.

    Examples
    --------
    >>> name_key(["四鏈（蘇州）科技有限責任公司 ", "ＡＢＣ-Tech Co., Ltd.", None])
    ['四链苏州科技有限公司', 'abctechcoltd', '']
    """
    keys = [_MARKS.sub("", name).lower() for name in normalise_all(names)]
    for form, reading in _FORMS:
        keys = [form.sub(reading, key) for key in keys]
    return keys
