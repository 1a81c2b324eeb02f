"""Every error silian raises on purpose: its class, its stable code, its wording in English and Chinese.

A code is public interface: it is documented in the reference, tested by name, and never reused with another
meaning. The wording says what was found, where, how much, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import polars as pl

Language = Literal["zh", "en"]

# code: (English, Chinese). Keep the sections in the order of the rooms; one line a language.
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    # ── tables: columns of a table handed to a function ─────────────────────────────────────────────────────
    "table.columns": (
        "{table} lacks column(s) {missing}; it has {present}. Add them, or rename the columns as the schema says.",
        "{table} 缺少列 {missing}；现有列 {present}。请补充，或按数据字典改列名。",
    ),
    "table.type": (
        "{table}.{column} is {found}, wanted {wanted}. Convert the column before the call.",
        "{table}.{column} 的类型为 {found}，应为 {wanted}。请先转换该列。",
    ),
    "table.value": (
        "{count} value(s) of {table}.{column} are {found}, e.g. {shown}; wanted {wanted}. Correct or drop those rows.",
        "{table}.{column} 有 {count} 个值{found}，例如 {shown}；应为{wanted}。请更正或删除这些行。",
    ),
    "table.unknown": (
        "{count} value(s) of {table}.{column} do not exist in {where}, e.g. {shown}. "
        "Add them to {where}, or drop those rows.",
        "{table}.{column} 有 {count} 个值在 {where} 中不存在，例如 {shown}。请在 {where} 中补充，或删除这些行。",
    ),
    "table.duplicate": (
        "{count} key(s) of {table} ({column}) stand more than once, e.g. {shown}. Keep one row a key.",
        "{table} 有 {count} 个主键（{column}）重复，例如 {shown}。每个主键只保留一行。",
    ),
    # ── arguments ───────────────────────────────────────────────────────────────────────────────────────────
    "argument.value": (
        "{name} is {found}, wanted {wanted}.",
        "参数 {name} 为 {found}，应为 {wanted}。",
    ),
    # ── read: files of a region ─────────────────────────────────────────────────────────────────────────────
    # ── check: what is wrong inside the data ────────────────────────────────────────────────────────────────
    # ── synth ───────────────────────────────────────────────────────────────────────────────────────────────
    # ── text ────────────────────────────────────────────────────────────────────────────────────────────────
    # ── match ───────────────────────────────────────────────────────────────────────────────────────────────
    # ── allocate, link, chain ───────────────────────────────────────────────────────────────────────────────
    # ── compute ─────────────────────────────────────────────────────────────────────────────────────────────
    # ── report ──────────────────────────────────────────────────────────────────────────────────────────────
    # ── plan and run ────────────────────────────────────────────────────────────────────────────────────────
}


class SilianError(Exception):
    """Base of every error silian raises on purpose.

    Parameters
    ----------
    code : a key of MESSAGES
    problems : the bad rows, where there are any
    **found : what the wording of the code names

    Examples
    --------
    >>> error = TableError("table.columns", table="needs", missing=["need_id"], present=["title"])
    >>> error.code
    'table.columns'
    >>> error.message("zh")[:15]
    "needs 缺少列 ['nee"
    """

    def __init__(self, code: str, *, problems: pl.DataFrame | None = None, **found: object) -> None:
        self.code, self.problems, self.found = code, problems, found
        super().__init__(f"[{code}] {self.message('en')}")

    def message(self, language: Language = "en") -> str:
        """The wording in one language, without the code."""
        english, chinese = MESSAGES[self.code]
        return (chinese if language == "zh" else english).format(**self.found)


class TableError(SilianError):
    """A table handed to a function is not what its contract promises."""


class ArgumentError(SilianError):
    """An argument is outside what it may be."""


class ReadError(SilianError):
    """A file of a region cannot be read, or must not be."""


class CheckError(SilianError):
    """The data of a region has grave problems; they ride along as `problems`."""


class TextError(SilianError):
    """A text cannot be turned into words or vectors as asked."""


class MatchError(SilianError):
    """A match cannot be made, or an index is broken, of another version, or not made for this call."""


class SolveError(SilianError):
    """An assignment cannot be solved as posed."""


class ReportError(SilianError):
    """A chart, sheet or page cannot be made."""


class PlanError(SilianError):
    """A plan file is wrong."""


class RunError(SilianError):
    """A run cannot start, or had to stop."""
