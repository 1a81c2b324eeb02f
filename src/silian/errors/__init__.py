"""Every error silian raises on purpose: its class, its stable code, its wording in English and Chinese.

A code is public interface: it is documented in the reference, tested by name, and never reused with another
meaning. The wording says what was found, where, how much, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from silian.errors import _api, _operation, _runs, _tables, _web, _work

if TYPE_CHECKING:
    import polars as pl

Language = Literal["zh", "en"]

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    **_tables.MESSAGES,
    **_work.MESSAGES,
    **_web.MESSAGES,
    **_api.MESSAGES,
    **_operation.MESSAGES,
    **_runs.MESSAGES,
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

    def __reduce__(self) -> tuple[Any, ...]:
        """An error raised in another process arrives as it was."""
        return _error_again, (type(self), self.code, self.problems, self.found)

    def message(self, language: Language = "en") -> str:
        """The wording in one language, without the code."""
        english, chinese = MESSAGES[self.code]
        return (chinese if language == "zh" else english).format(**self.found)


def _error_again(
    kind: type[SilianError], code: str, problems: pl.DataFrame | None, found: dict[str, object]
) -> SilianError:
    return kind(code, problems=problems, **found)


class TableError(SilianError):
    """A table handed to a function is not what its contract promises."""


class ArgumentError(SilianError):
    """An argument is outside what it may be."""


class ReadError(SilianError):
    """A file of a region cannot be read, or must not be."""


class StoreError(SilianError):
    """What is kept in a file cannot be written, or the file is not what it should be."""


class TextError(SilianError):
    """A text cannot be turned into words or vectors as asked."""


class MatchError(SilianError):
    """A match cannot be made, or an index is broken, of another version, or not made for this call."""


class ComputeError(SilianError):
    """A place to run cannot be opened, or was lost in the middle."""


class ReportError(SilianError):
    """A chart, sheet or page cannot be made."""


class PlanError(SilianError):
    """A plan file is wrong."""


class TeamError(SilianError):
    """A team cannot be asked for: the challenge, its skills or a person is not known."""


class RunError(SilianError):
    """A run cannot start, or had to stop."""


class WebError(SilianError):
    """The site cannot start as it is set up, or cannot do what it was asked."""
