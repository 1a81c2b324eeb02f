"""The 统一社会信用代码 (unified social credit code) of GB 32100-2015 with its amendment no. 1: check and make.

A code has 18 characters: department (1), kind of body (1), region of the registering office (6, GB/T 2260), body (9, of
which the last is the check character of GB 11714), check character (1).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import polars as pl

from silian.errors import ArgumentError
from silian.tables.schema import rows

LENGTH: Final = 18
# Digits and capital letters without I, O, S, V and Z, which are easily misread.
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Department and the kinds of body that it registers. A (military), N (rural collectives) came with the amendment.
KINDS: Final = {
    "1": "1239",  # 机构编制: organs, public institutions, mass organisations, others
    "2": "19",  # 外交: resident foreign news agencies, others
    "3": "123459",  # 司法行政: law firms, notaries, legal services, forensic bodies, arbitration, others
    "4": "19",  # 文化: foreign cultural centres, others
    "5": "1239",  # 民政: social organisations, private non-enterprise units, foundations, others
    "6": "129",  # 旅游: resident offices of foreign, Hong Kong, Macao and Taiwan tourism, others
    "7": "129",  # 宗教: places of worship, religious schools, others
    "8": "19",  # 工会: grass-roots trade unions, others
    "9": "1239",  # 市场监管: enterprises, individual businesses, farmers' cooperatives, others
    "A": "19",  # 中央军委改革和编制办公室: military institutions, others
    "N": "1239",  # 农业农村: collectives of a group, a village, a town, others
    "Y": "1",  # 其他
}
# Why a code fails, in the order of looking; the first that holds is given.
REASONS: Final = ("length", "alphabet", "department", "region", "inner", "check")

_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)  # GB 32100-2015, annex A: 3^(i-1) mod 31
_INNER_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)  # GB 11714-1997
_INNER_CHECKS = "0X987654321"  # of (sum mod 11): 11 - sum, where 10 is X and 11 is 0


@cache
def regions() -> pl.DataFrame:
    """Every GB/T 2260 code listed since 1980, in force or not.

    Returns
    -------
    code, name_zh (the last name), from_year and until_year (first and last year of listing; until_year is empty
    while in force; 1980 is the first list, so from_year 1980 means 1980 or earlier). Sorted by code.

    Notes
    -----
    Source: yearly lists of the Ministry of Civil Affairs and the National Bureau of Statistics, 1980 to 2019, and the
    Ministry's list at the end of 2025; with 100000, which offices of the State Council use.

    Examples
    --------
    >>> regions().filter(pl.col("code") == "110103").rows()
    [('110103', '崇文区', 1980, 2009)]
    """
    given = pl.DataFrame(rows("regions"))
    return given.with_columns(pl.col("from_year", "until_year").replace("", None).cast(pl.Int64))


def problem(code: str) -> str | None:
    """Why a code is not valid, as one of REASONS, or None where it is.

    Examples
    --------
    >>> problem("91110000600037341L"), problem("91110000600037341M"), problem("91999999600037341L")
    (None, 'check', 'region')
    """
    reason: str | None = problems(pl.Series([code], dtype=pl.String)).item()
    return reason


def problems(codes: pl.Series) -> pl.Series:
    """Why each code is not valid, as one of REASONS; null where it is valid or empty.

    Parameters
    ----------
    codes : text, capital letters, no spaces

    Notes
    -----
    A region passes when GB/T 2260 lists or listed its prefecture (first four digits), see `is_region`.
    Cost: one million codes 1.1 s (bench_tables). Source: GB 32100-2015 with amendment no. 1, GB 11714-1997, GB/T 2260.

    Examples
    --------
    >>> problems(pl.Series(["91110000600037341L", None, "9111"])).to_list()
    [None, None, 'length']
    """
    reasons = np.full(len(codes), -1, dtype=np.int8)
    given = codes.is_not_null().to_numpy()
    long_enough = (codes.str.len_chars() == LENGTH).fill_null(value=False).to_numpy()
    # eighteen characters in more bytes: some are outside ASCII
    is_ascii = long_enough & (codes.str.len_bytes() == LENGTH).fill_null(value=False).to_numpy()
    reasons[given & ~long_enough] = 0
    reasons[long_enough & ~is_ascii] = 1
    reasons[is_ascii] = _reasons(codes.filter(pl.Series(is_ascii)))
    names = pl.Series([*REASONS, None], dtype=pl.String)
    return names.gather(pl.Series(np.where(reasons < 0, len(REASONS), reasons))).alias(codes.name)


def valid(codes: pl.Series) -> pl.Series:
    """Whether each code is valid, as flags; null where the code is empty.

    Examples
    --------
    >>> valid(pl.Series("uscc", ["91110000600037341L", "91110000600037341M", None])).to_list()
    [True, False, None]
    """
    passed = problems(codes).is_null()
    return pl.select(pl.when(codes.is_not_null()).then(passed)).to_series().alias(codes.name)


def check_character(code17: str) -> str:
    """The 18th character that belongs to the first 17.

    Raises
    ------
    ArgumentError : argument.value if there are not 17 characters of ALPHABET.

    Examples
    --------
    >>> check_character("91110000600037341")
    'L'
    """
    if len(code17) != LENGTH - 1 or not set(code17) <= set(ALPHABET):
        raise ArgumentError("argument.value", name="code17", found=repr(code17), wanted=f"17 characters of {ALPHABET}")
    total = sum(ALPHABET.index(c) * int(w) for c, w in zip(code17, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def inner_check_character(body8: str) -> str:
    """The check character of the body code (GB 11714) that belongs to its first 8 characters.

    Raises
    ------
    ArgumentError : argument.value if there are not 8 digits or capital letters.

    Examples
    --------
    >>> inner_check_character("60003734")
    '1'
    """
    if len(body8) != 8 or not all(c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" for c in body8):
        raise ArgumentError("argument.value", name="body8", found=repr(body8), wanted="8 digits or capital letters")
    return _INNER_CHECKS[sum(int(c, 36) * int(w) for c, w in zip(body8, _INNER_WEIGHTS, strict=True)) % 11]


def make(department: str, kind: str, region: str, body8: str) -> str:
    """A valid code from its parts, with both check characters.

    Raises
    ------
    ArgumentError : argument.value if the parts cannot make a valid code.

    Examples
    --------
    >>> make("9", "1", "110000", "60003734")
    '91110000600037341L'
    """
    parts = {
        "department": department in KINDS,
        "kind": kind in KINDS.get(department, ""),
        "region": region.isdecimal() and len(region) == 6 and region[:4] in _prefecture_set(),
        "body8": len(body8) == 8 and set(body8) <= set(ALPHABET),
    }
    for name, is_right in parts.items():
        if not is_right:
            found = repr({"department": department, "kind": kind, "region": region, "body8": body8}[name])
            raise ArgumentError("argument.value", name=name, found=found, wanted="a part of a valid code")
    first = department + kind + region + body8 + inner_check_character(body8)
    return first + check_character(first)


def is_region(codes: pl.Expr) -> pl.Expr:
    """Whether codes are six digits that GB/T 2260 lists or listed, or that lie in a prefecture which it lists.

    Parks and development zones number themselves within their prefecture, such as 320594 of 苏州工业园区, and stand in
    no list; their registering offices and statistics use these codes all the same.

    Examples
    --------
    >>> pl.Series("region", ["320594", "110103", "999999", "1101"]).to_frame().select(is_region(pl.col("region")))[
    ...     "region"
    ... ].to_list()
    [True, True, False, False]
    """
    return codes.str.contains(r"^[0-9]{6}$") & codes.str.head(4).is_in(_prefectures().implode())


@cache
def _prefectures() -> pl.Series:
    return regions()["code"].str.head(4).unique(maintain_order=True)


@cache
def _prefecture_set() -> frozenset[str]:
    return frozenset(_prefectures())


@cache
def _values() -> tuple[np.ndarray, np.ndarray]:
    """Byte → value in the code's alphabet (255 where none), and byte → value in GB 11714 (0 where none)."""
    outer, inner = np.full(256, 255, dtype=np.int64), np.zeros(256, dtype=np.int64)
    for value, character in enumerate(ALPHABET):
        outer[ord(character)], inner[ord(character)] = value, int(character, 36)
    return outer, inner


def _reasons(codes: pl.Series) -> np.ndarray:
    """Index into REASONS of each code of 18 bytes, -1 where valid. int8, shape (n,)."""
    n = len(codes)
    if not n:
        return np.empty(0, dtype=np.int8)
    letters = np.frombuffer("".join(codes.to_list()).encode(), dtype=np.uint8).reshape(n, LENGTH)
    outer, inner = (table[letters] for table in _values())
    bad_letter = (outer == 255).any(axis=1) | (outer[:, 2:8] > 9).any(axis=1)
    kinds = [d + k for d, allowed in KINDS.items() for k in allowed]
    bad_department = ~codes.str.head(2).is_in(kinds).to_numpy()
    bad_region = ~pl.select(is_region(pl.lit(codes).str.slice(2, 6))).to_series().to_numpy()
    inner_wanted = np.frombuffer(_INNER_CHECKS.encode(), dtype=np.uint8)[inner[:, 8:16] @ _INNER_WEIGHTS % 11]
    wanted = -(np.where(outer == 255, 0, outer)[:, :17] @ _WEIGHTS) % 31
    failures = [bad_letter, bad_department, bad_region, letters[:, 16] != inner_wanted, outer[:, 17] != wanted]
    reasons = np.full(n, -1, dtype=np.int8)
    for index, failed in reversed(list(enumerate(failures, start=1))):
        reasons[failed] = index
    return reasons
