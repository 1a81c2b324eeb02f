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
    "report.results": (
        "{count} result table(s) are missing: {missing}. Give every table of the run; an empty one may be empty.",
        "缺少 {count} 张结果表：{missing}。请提供本次运行的全部结果表；没有内容的可为空表。",
    ),
    "report.draw": (
        "A picture cannot be drawn as {form}: {found}. Check that it is a Vega-Lite spec that names no outside data.",
        "图形无法绘制为 {form}：{found}。请确认它是不引用外部数据的 Vega-Lite 规格。",
    ),
    "report.write": (
        "{path} cannot be written: {found}. Close it where it is open, or choose another place.",
        "无法写入 {path}：{found}。请先关闭打开该文件的程序，或换一个位置。",
    ),
    # ── plan and run ────────────────────────────────────────────────────────────────────────────────────────
    "plan.missing": (
        "there is no plan file {path}. Name one that exists, or leave --plan out for the default plan.",
        "方案文件 {path} 不存在。请指定已有文件，或省略 --plan 使用默认方案。",
    ),
    "plan.syntax": (
        "{path} is not a TOML file: {found}. Start from `silian plan > plan.toml`.",
        "{path} 不是有效的 TOML 文件：{found}。可先运行 `silian plan > plan.toml`。",
    ),
    "plan.unknown": (
        "{where} has an unknown setting {name}; nearest: {hint}. Correct or remove it; `silian plan` lists all.",
        "{where} 中的设置 {name} 未知；相近的有：{hint}。请更正或删除；`silian plan` 列出全部设置。",
    ),
    "plan.type": (
        "{where}: {name} is {found}, wanted {wanted}.",
        "{where}：{name} 为 {found}，应为 {wanted}。",
    ),
    "plan.value": (
        "{where}: {name} is {found}, wanted {wanted}.",
        "{where}：{name} 为 {found}，应在 {wanted} 之内。",
    ),
    "plan.day": (
        "the plan's day `on` is {found!r}, wanted a day such as 2026-09-01, or empty.",
        "方案中的基准日 on 为 {found!r}，应为 2026-09-01 这样的日期，或留空。",
    ),
    "run.grave": (
        "{count} grave problem(s) in {region}, e.g. {shown}. Correct them (all are listed in {listed}), then run again.",
        "{region} 中有 {count} 个严重问题，例如 {shown}。请更正（全部列于 {listed}）后重新运行。",
    ),
    "run.busy": (
        "another run is writing {out} now. Wait for it, or choose another --out.",
        "另有运行正在写入 {out}。请等待其结束，或换一个 --out。",
    ),
    "run.not_a_run": (
        "{out} exists and is not a run folder (it lacks receipt.json). Choose another --out, or move it away.",
        "{out} 已存在且不是运行结果文件夹（缺少 receipt.json）。请换一个 --out，或先移走它。",
    ),
    "run.inside": (
        "{out} lies inside the region {region}, or the region inside it. Choose an --out beside the region.",
        "{out} 与区域文件夹 {region} 互相包含。请选择区域之外的 --out。",
    ),
    "run.disk": (
        "could not write {path}: {found}. Free space or choose another --out, then run again: finished steps are kept.",
        "无法写入 {path}：{found}。请腾出空间或换一个 --out 后重新运行：已完成的步骤会保留。",
    ),
    "run.missing": (
        "{path} is not a finished run: it lacks {lacks}. Run `silian run` first.",
        "{path} 不是已完成的运行结果：缺少 {lacks}。请先执行 `silian run`。",
    ),
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
