"""Reference pages made from the code at build time: schema, code lists, plan, errors, command line, Python.

`pages()` gives every page as Markdown by its path; mkdocs-gen-files runs this file and writes them into the site.
What is declared once in the code is thus described nowhere else.
"""

from __future__ import annotations

import ast
import json
import os
import pkgutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import silian
from silian import errors
from silian.pipeline import Plan, settings
from silian.tables import schema
from silian.web import environment as site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCE = Path(silian.__file__).resolve().parent

# Types of the schema: how they are written in a file. The keys are those of schema.POLARS_TYPES.
TYPES = {
    "id": ("Text; unique where it is the key", "文本；作主键时唯一", "`N0042`"),
    "text": ("Any text", "任意文本", "`高温合金叶片`"),
    "code": (
        "A code of the list, or its label in either language",
        "代码表中的代码，或其中英文名称",
        "`granted`, `已授权`",
    ),
    "list": (
        "Values separated by `;`, `；` or a bar; a backslash before a separator keeps it",
        "用 `;`、`；` 或竖线分隔的多个值；分隔符前加反斜杠表示原样",
        "`H01M; C01B`",
    ),
    "count": ("Whole number", "整数", "`12`, `1,200`"),
    "year": ("Year of four digits", "四位年份", "`2024`, `2024年`"),
    "number": ("Decimal number", "小数", "`3.5`"),
    "share": ("From 0 to 1, or a percentage", "0 至 1 的小数，或百分数", "`0.25`, `25%`"),
    "money": ("In yuan; 万 and 亿 are understood", "以元计；可写“万”“亿”", "`1500000`, `150万元`"),
    "date": (
        "A day; a time of day is dropped",
        "日期；时刻略去",
        "`2026-09-01`, `2026/9/1`, `2026年9月1日`, `20260901`",
    ),
    "flag": ("Yes or no", "是或否", "`true`, `yes`, `1`, `是`"),
    "parts": ("Only in results: the parts of a score; kind, term and part each", "仅用于结果：得分的各组成部分", ""),
}

# Formats of the schema: what they are and where they are laid down.
FORMATS = {
    "uscc": (
        "Unified social credit code, GB 32100-2015 with its amendment: 18 characters and both check characters",
        "统一社会信用代码，GB 32100-2015 及其修改单：18 位，含两个校验位",
    ),
    "gbt2260": (
        "Code of an administrative division, GB/T 2260: six digits; codes of earlier years are known too",
        "行政区划代码，GB/T 2260：六位数字；历年曾用代码亦可识别",
    ),
    "gbt4754": (
        "Industry, GB/T 4754: section letter, or with two to four digits",
        "行业代码，GB/T 4754：门类字母，或加二至四位数字",
    ),
    "ipc": (
        "International Patent Classification: a section, class, subclass or group, such as `H01M 10/0525`",
        "国际专利分类号：部、大类、小类或组，如 `H01M 10/0525`",
    ),
    "orcid": ("ORCID iD: sixteen characters with their check character", "ORCID 标识：16 位，含校验位"),
    "doi": ("Digital object identifier: begins with `10.`", "数字对象标识符：以 `10.` 开头"),
    "url": ("Address of a page: begins with `http://` or `https://`", "网址：以 `http://` 或 `https://` 开头"),
}

# Rooms of the error codes, by the part before the dot.
ERROR_ROOMS = {
    "table": ("A table handed to a function", "传入函数的表"),
    "argument": ("An argument of a function", "函数参数"),
    "read": ("Files of a region", "区域的文件"),
    "check": ("What stands inside the data; the code column of the problems table", "数据内容；即问题表中的代码"),
    "write": ("Writing a region", "写出区域数据"),
    "store": ("Files that are kept: an index, a grader", "保存的文件：索引、评级器"),
    "synth": ("The synthetic region", "虚构区域"),
    "text": ("Words and vectors", "分词与向量"),
    "match": ("Matching", "匹配"),
    "allocate": ("Assignment", "专家指派"),
    "team": ("Teams for joint challenges", "联合攻关组队"),
    "chain": ("Industrial chains, complexity and forecasts", "产业链、复杂度与预测"),
    "compute": ("Where work runs", "运行位置"),
    "report": ("Page, sheets and charts", "网页、表格与图"),
    "plan": ("The plan file", "方案文件"),
    "run": ("The main job", "主流程"),
    "web": ("The site", "网站"),
    "attachment": ("Files of a record", "记录的附件"),
    "booking": ("Booking of facilities", "设施预约"),
    "claim": ("Experts and their accounts", "专家认领"),
    "api": ("The programming interface", "编程接口"),
    "snapshot": ("Monthly figures that are frozen", "按月冻结的数据"),
    "backup": ("Backup and restore", "备份与恢复"),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable."""

    name: str
    meaning: str
    meaning_zh: str
    default: str


VARIABLES = (
    Variable("SILIAN_LANG", "Language of the command line: `zh` or `en`", "命令行语言：`zh` 或 `en`", "`zh`"),
    Variable(
        "SILIAN_CACHE",
        "Folder that keeps what was computed once for all runs, such as word vectors; may be removed at any time",
        "保存可重复使用的计算结果（如词向量）的文件夹；可随时删除",
        "the user's cache folder of the system 系统的用户缓存目录",
    ),
    Variable(
        "SILIAN_REAL_DATA",
        "Folder of the real data that `make real` and the benchmarks read",
        "`make real` 与基准测试所读取的真实数据文件夹",
        "`../shared/data`",
    ),
)

EXIT_CODES = (
    (0, "Done", "成功"),
    (1, "An error that says what to do", "有说明的错误"),
    (2, "Wrong usage: an unknown command, option or value", "用法错误：未知的命令、选项或取值"),
    (3, "Grave problems in the data; they are listed", "数据有严重问题，已列出"),
    (130, "Stopped by Ctrl-C; finished steps are kept", "被 Ctrl-C 中断；已完成的步骤保留"),
)


def pages() -> dict[str, str]:
    """Every generated page: path under docs/ → Markdown."""
    made = {
        "reference/index.md": _index(),
        "reference/data/index.md": _data_index(),
        "reference/results/index.md": _results_index(),
        "reference/codes.md": _codes(),
        "reference/plan.md": _plan(),
        "reference/command-line.md": _command_line(),
        "reference/errors.md": _errors(),
        "reference/environment.md": _environment(),
        "reference/python/index.md": _python_index(),
    }
    made |= {f"reference/data/{name}.md": _noun(table) for name, table in schema.tables().items()}
    made |= {f"reference/results/{name}.md": _noun(table) for name, table in schema.results().items()}
    made |= {f"reference/quality/{name}.md": _noun(table) for name, table in schema.quality().items()}
    made |= {f"reference/repair/{name}.md": _noun(table) for name, table in schema.repair().items()}
    made |= {f"reference/team/{name}.md": _noun(table) for name, table in schema.team().items()}
    made |= {f"reference/chain/{name}.md": _noun(table) for name, table in schema.chain().items()}
    made |= {f"reference/linking/{name}.md": _noun(table) for name, table in schema.linking().items()}
    made |= {f"reference/python/{room}.md": _python_room(room) for room in rooms()}
    return made


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _data_index() -> str:
    rows = [
        (f"[`{t.name}`]({t.name}.md)", f"{t.label_zh}<br>{t.label_en}", t.chain, _yes(wanted=t.is_required),
         f"{t.meaning}<br>{t.meaning_zh}")
        for t in schema.tables().values()
    ]  # fmt: skip
    types = [(f"`{name}`", f"{en}<br>{zh}", example) for name, (en, zh, example) in TYPES.items()]
    formats = [(f"<a id='{name}'></a>`{name}`", f"{en}<br>{zh}") for name, (en, zh) in FORMATS.items()]
    return "\n\n".join([
        "# Tables of a region 区域数据表",
        "A region is a folder with one file (or several) for each table, or one workbook with one sheet for each. "
        "Only the required tables must be there. See [bring your data](../../how-to/bring-your-data.md).",
        "一个区域就是一个文件夹（每张表一个或多个文件），或一个工作簿（每张表一个工作表）。只有必备的表必须提供。"
        "参见[准备数据](../../zh/how-to/bring-your-data.md)。",
        _table(("table 表", "name 名称", "chain 链", "required 必备", "meaning 含义"), rows),
        "## Types 类型",
        _table(("type 类型", "as written in a file 写法", "example 例"), types),
        "## Formats 格式",
        _table(("format 格式", "meaning 含义"), formats),
    ])  # fmt: skip


def _results_index() -> str:
    def listed(nouns: Mapping[str, schema.Table], folder: str) -> str:
        rows = [
            (f"[`{t.name}`]({folder}{t.name}.md)", f"{t.label_zh}<br>{t.label_en}", f"{t.meaning}<br>{t.meaning_zh}")
            for t in nouns.values()
        ]
        return _table(("table 表", "name 名称", "meaning 含义"), rows)

    return "\n\n".join([
        "# Tables of a run 运行结果表",
        "A run leaves each of these tables as `<table>.parquet` in its folder, and those that people read as sheets of "
        "`results.xlsx`. 一次运行把下列各表写成 `<表名>.parquet`，供人阅读的各表并汇入 `results.xlsx` 的各工作表。",
        listed(schema.results(), ""),
        "## Tables of measured quality 质量评估表",
        "`silian match evaluate` leaves these as CSV. `silian match evaluate` 把下列各表写成 CSV。",
        listed(schema.quality(), "../quality/"),
        "## Tables of a changed assignment 指派调整表",
        "`silian allocate repair` and `silian allocate edit` leave the changes and their figures as CSV, beside "
        "`assigned` and `unmet`; `silian allocate why` shows the reasons. "
        "`silian allocate repair` 与 `silian allocate edit` 把变动及其概要写成 CSV，"
        "并附 `assigned` 与 `unmet`；`silian allocate why` 显示理由。",
        listed(schema.repair(), "../repair/"),
        "## Tables of a team 团队组建表",
        "`silian team --out` leaves these as CSV; `silian.engines.team.form` gives them. "
        "`silian team --out` 写出下列各表（CSV），由 `silian.engines.team.form` 给出。",
        listed(schema.team(), "../team/"),
        "## Tables of chains, complexity and forecasts 产业链、复杂度与预测表",
        "`silian gaps clean`, `silian gaps what-if`, `silian chain map`, `silian chain complexity`, `silian chain "
        "forecast` and `silian chain backtest` leave these as CSV; `silian.engines.chain` gives them. "
        "`silian gaps clean`、`silian gaps what-if`、`silian chain map`、`silian chain complexity`、"
        "`silian chain forecast` 与 `silian chain backtest` 写出下列各表（CSV），由 `silian.engines.chain` 给出。",
        listed(schema.chain(), "../chain/"),
        "## Tables of linked names 名称关联表",
        "`silian.engines.link.products` gives these: which product each name means, and what stays open. "
        "由 `silian.engines.link.products` 给出：每个名称对应的产品，以及尚未对应的名称。",
        listed(schema.linking(), "../linking/"),
    ])  # fmt: skip


def _noun(table: schema.Table) -> str:
    rows = [
        (f"<a id='{c.name}'></a>`{c.name}`", f"{c.label_zh}<br>{c.label_en}",
         f"{c.type}<br>{c.unit}".removesuffix("<br>"), _required(c), _allowed(c), f"{c.meaning}<br>{c.meaning_zh}")
        for c in table.columns
    ]  # fmt: skip
    parts = [
        "---\nhide: [toc]\n---",
        f"# {table.name} {table.label_zh}",
        f"**{table.label_en}.** {table.meaning}. {table.meaning_zh}。",
        f"Key 主键: {', '.join(f'`{name}`' for name in table.key) or '–'}",
        _table(
            ("column 列", "label 列名", "type, unit 类型、单位", "required 必填", "allowed 允许值", "meaning 含义"),
            rows,
        ),
    ]
    return "\n\n".join(parts)


def _required(column: schema.Column) -> str:
    return {"key": "key 主键", "yes": "yes 是", "no": ""}[column.required]


def _allowed(column: schema.Column) -> str:
    said = []
    if column.min is not None or column.max is not None:
        low, high = (("" if bound is None else f"{bound:g}") for bound in (column.min, column.max))
        said.append(f"{low} … {high}".strip())
    if column.codes:
        said.append(f"[codes 代码表: {column.codes}](../codes.md#{column.codes})")
    if column.format:
        said.append(f"[format 格式: {column.format}](../data/index.md#{column.format})")
    said += [f"exists in 存在于 [{noun}.{name}](../data/{noun}.md#{name})" for noun, name in column.targets]
    return "<br>".join(said)


def _codes() -> str:
    used: dict[str, list[str]] = {}
    every = {
        "data": schema.tables(),
        "results": schema.results(),
        "quality": schema.quality(),
        "repair": schema.repair(),
        "team": schema.team(),
        "chain": schema.chain(),
        "linking": schema.linking(),
    }
    for folder, nouns in every.items():
        for table in nouns.values():
            for column in table.columns:
                if column.codes:
                    link = f"[{table.name}.{column.name}]({folder}/{table.name}.md#{column.name})"
                    used.setdefault(column.codes, []).append(link)
    parts = [
        "# Code lists 代码表",
        "A column of type `code` holds one of these codes. In a file the Chinese or English label may stand instead. "
        "`code` 类型的列取下列代码之一；文件中也可写中文或英文名称。",
    ]
    for name, codes in schema.codes().items():
        parts += [f"## {name} {{ #{name} }}", f"Used by 用于: {', '.join(used.get(name, ['–']))}"]
        rows = [(f"`{code}`", zh, en) for code, (zh, en) in codes.items()]
        parts.append(_table(("code 代码", "中文", "English"), rows))
    return "\n\n".join(parts)


# ── plan, errors, environment ───────────────────────────────────────────────────────────────────────────────────


def _plan() -> str:
    sections: dict[str, list[tuple[str, ...]]] = {}
    for dotted, field, default in settings():
        notes = field.metadata
        allowed = ", ".join(f"`{value}`" for value in notes["of"])
        if notes["low"] is not None or notes["high"] is not None:
            allowed = f"{notes['low']:,} … {notes['high']:,}"
        row = (f"<a id='{dotted}'></a>`{dotted}`", f"`{json.dumps(default, ensure_ascii=False)}`", allowed,
               f"{notes['meaning']}<br>{notes['meaning_zh']}")  # fmt: skip
        sections.setdefault(dotted.rpartition(".")[0], []).append(row)
    parts = [
        "# Plan 方案",
        "Every setting of the main job. A plan file names only what it changes; a setting that is unknown or out of "
        "range is refused. 主流程的全部设置。方案文件只需写出要改的项；未知或超出范围的设置会被拒绝。"
        "See 参见 [change the plan](../how-to/change-the-plan.md)、[修改方案](../zh/how-to/change-the-plan.md)。",
    ]
    for section, rows in sections.items():
        parts += [f"## {f'[{section}]' if section else 'The whole job 全局'} {{ #{section or 'job'} }}"]
        parts.append(_table(("setting 设置", "default 默认", "allowed 允许值", "meaning 含义"), rows))
    return "\n\n".join([*parts, "## Default plan 默认方案", f"```toml\n{Plan().to_toml()}```"])


def _errors() -> str:
    parts = [
        "# Error codes 错误代码",
        "A code is a promise: it keeps its meaning. The words in braces are filled in with what was found. In Python "
        '`error.code`, `error.found` and `error.problems` (the bad rows) can be asked; `error.message("zh")` words it '
        "in Chinese. 错误代码含义固定不变；花括号处填入实际内容。",
    ]
    groups: dict[str, list[str]] = {}
    for code in errors.MESSAGES:
        groups.setdefault(code.partition(".")[0], []).append(code)
    for room, codes in groups.items():
        en, zh = ERROR_ROOMS[room]
        parts.append(f"## {room}: {en} {zh} {{ #{room} }}")
        for code in codes:
            english, chinese = (escaped(text) for text in errors.MESSAGES[code])
            parts.append(f"### {code} {{ #{code} }}\n\n{english}\n\n{chinese}")
    kinds = [
        (f"`{kind.__name__}`", (kind.__doc__ or "").splitlines()[0]) for kind in errors.SilianError.__subclasses__()
    ]
    parts += ["## Classes 错误类", "Each of them is a `SilianError`.", _table(("class", "meaning"), kinds)]
    return "\n\n".join(parts)


def _environment() -> str:
    rows, of_site = (
        [(f"`{v.name}`", v.default, f"{v.meaning}<br>{v.meaning_zh}") for v in variables]
        for variables in (VARIABLES, site.VARIABLES)
    )
    return "\n\n".join([
        "# Environment 环境变量",
        "Nothing else in the environment changes what silian does. 除下列变量外，环境不影响运行。",
        _table(("variable 变量", "default 默认", "meaning 含义"), rows),
        "## The site 网站 { #site }",
        "Read once when the site starts, see [run the site](../how-to/run-the-site.md). "
        "网站启动时读取一次，见[运行网站](../zh/how-to/run-the-site.md)。",
        _table(("variable 变量", "default 默认", "meaning 含义"), of_site),
    ])  # fmt: skip


# ── command line ────────────────────────────────────────────────────────────────────────────────────────────────

_DUMP = """
import json, click
from silian.cli import cli
def told(command, name, parent=None):
    context = click.Context(command, parent=parent, info_name=name, **command.context_settings)
    inner = getattr(command, "commands", {})
    records = [p.get_help_record(context) for p in command.get_params(context)]
    return {"name": name, "usage": command.get_usage(context), "help": command.help,
            "options": [r for r in records if r], "commands": [told(c, n, context) for n, c in inner.items()]}
print(json.dumps(told(cli, "silian")))
"""


@cache
def command_tree(language: str) -> dict[str, Any]:
    """The commands with their options, as the command line words them in one language."""
    environment = os.environ | {"SILIAN_LANG": language, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    asked = subprocess.run([sys.executable, "-c", _DUMP], env=environment, capture_output=True, text=True, check=True)
    tree: dict[str, Any] = json.loads(asked.stdout)
    return tree


def _command_line() -> str:
    english, chinese = command_tree("en"), command_tree("zh")
    exits = [(str(code), en, zh) for code, en, zh in EXIT_CODES]
    pairs = list(zip(english["commands"], chinese["commands"], strict=True))
    commands = [(f"[{en['name']}](#{en['name']})", en["help"], zh["help"]) for en, zh in pairs]
    parts = [
        "# Command line 命令行",
        "`SILIAN_LANG=en` sets the language to English; the default is Chinese. Results go to standard output, "
        "progress and errors to standard error. 默认中文；`SILIAN_LANG=en` 切换为英文。",
        _command(english, chinese),
        _table(("command 命令", "does", "做什么"), commands),
        "## Exit codes 退出码",
        _table(("code 退出码", "meaning", "含义"), exits),
    ]
    for one, other in pairs:
        parts += [f"## silian {one['name']} {{ #{one['name']} }}", _command(one, other)]
        for inner, same in zip(one["commands"], other["commands"], strict=True):
            parts += [f"### silian {one['name']} {inner['name']}", _command(inner, same)]
    return "\n\n".join(parts)


def _command(english: Mapping[str, Any], chinese: Mapping[str, Any]) -> str:
    usage = english["usage"].removeprefix("Usage: ")
    parts = [escaped(english["help"]), escaped(chinese["help"]), f"```text\n{usage}\n```"]
    pairs = zip(english["options"], chinese["options"], strict=True)
    rows = [(f"`{en[0]}`", f"{_cell(en[1])}<br>{_cell(zh[1])}" if en[1] != zh[1] else _cell(en[1])) for en, zh in pairs]
    return "\n\n".join([*parts, _table(("option 选项", "meaning 含义"), rows)])


# ── Python ──────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def modules() -> tuple[str, ...]:
    """Public modules: no name in their path begins with an underscore; tests, the command line and the site apart."""
    found = ["silian.errors"]
    for room in pkgutil.iter_modules([str(SOURCE)]):
        if room.name in ("cli", "web"):  # to look into the packages of the site is to import them, without a site
            continue
        inside = pkgutil.walk_packages([str(SOURCE / room.name)], f"silian.{room.name}.") if room.ispkg else ()
        for name in (f"silian.{room.name}", *(module.name for module in inside)):
            parts = name.split(".")
            if "tests" not in parts and not any(part.startswith("_") for part in parts):
                found.append(name)
    return tuple(dict.fromkeys(found))


def rooms() -> dict[str, list[str]]:
    """Public modules by the page that describes them; the engines have a page each."""
    made: dict[str, list[str]] = {}
    for name in modules():
        parts = name.split(".")
        room = parts[2] if parts[1] == "engines" and len(parts) > 2 else parts[1]
        made.setdefault(room, []).append(name)
    return made


def public_names(module: str) -> Iterator[str]:
    """Names that a public module offers: what it lists in __all__, else what it defines without an underscore."""
    loaded = import_module(module)
    listed = getattr(loaded, "__all__", None)
    if listed is not None:
        yield from listed
        return
    for name, value in vars(loaded).items():
        if not name.startswith("_") and getattr(value, "__module__", None) == module and callable(value):
            yield name


def _python_index() -> str:
    rows = [
        (f"[{room}]({room}.md)", "<br>".join(f"`{m}`" for m in found), _first_line(found[0]))
        for room, found in rooms().items()
    ]
    return "\n\n".join([
        "# Python",
        "Tables go in and come out as [polars](https://docs.pola.rs) data frames. What a room offers can be imported "
        "from the room; see [use it from Python](../../how-to/python.md).",
        _table(("page", "modules", "what it is"), rows),
    ])  # fmt: skip


def _python_room(room: str) -> str:
    """What can be imported from the room first, then the rest of its modules; no object stands twice."""
    found = rooms()[room]
    offered = {name: home(found[0], name) for name in public_names(found[0])}
    again = {f"{module}.{name}": name for name, module in offered.items() if module != found[0]}
    parts = [f"# {found[0]}"]
    if again:
        parts += [f"## Offered by {found[0]}", f"`from {found[0]} import {', '.join(again.values())}`"]
        parts += [
            f"::: {path}\n    options:\n      heading_level: 3\n      show_root_full_path: false" for path in again
        ]
        parts.append("## Inside the room")
    for module in found:
        homes = {name: home(module, name) for name in public_names(module)}
        own = [name for name, home in homes.items() if home == module and f"{home}.{name}" not in again]
        members = json.dumps(own) if own else "false"
        parts.append(f"::: {module}\n    options:\n      heading_level: {3 if again else 2}\n      members: {members}")
        inner = [path for name, home in homes.items() if "._" in home and (path := f"{home}.{name}") not in again]
        again |= dict.fromkeys(inner, module)
        parts += [
            f"::: {path}\n    options:\n      heading_level: 4\n      show_root_full_path: false" for path in inner
        ]
    return "\n\n".join(parts)


def home(module: str, name: str) -> str:
    """The module that an object of a public module was written in."""
    value = getattr(import_module(module), name)
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) and home.startswith("silian.") else module


def _first_line(module: str) -> str:
    path = SOURCE.parent / Path(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""


def _index() -> str:
    return "\n\n".join([
        "# Reference 参考",
        "Made from the code and the schema when the pages are built: what stands here is what the program does.",
        _table(("page", "what it holds", "内容"), (
            ("[Tables of a region](data/index.md)", "Every table and column that silian reads", "读取的全部表与列"),
            ("[Tables of a run](results/index.md)", "Every table that a run leaves behind", "运行产生的全部表"),
            ("[Code lists](codes.md)", "Codes and their labels", "代码及其中英文名称"),
            ("[Plan](plan.md)", "Every setting of the main job", "主流程的全部设置"),
            ("[Command line](command-line.md)", "Commands, options, exit codes", "命令、选项、退出码"),
            ("[Error codes](errors.md)", "What each error says and what to do", "每个错误的含义与处理办法"),
            ("[Environment](environment.md)", "Variables that silian reads", "读取的环境变量"),
            ("[Python](python/index.md)", "Every public function", "全部公开函数"),
        )),
    ])  # fmt: skip


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def escaped(text: str) -> str:
    """Text that Markdown must not take for markup."""
    return "".join(f"\\{letter}" if letter in "\\[]{}<>*_" else letter for letter in text)


def _yes(*, wanted: bool) -> str:
    return "yes 是" if wanted else ""


def write() -> None:
    """Write every page into the site that is being built."""
    import mkdocs_gen_files

    for path, text in pages().items():
        with mkdocs_gen_files.open(path, "w", encoding="utf-8") as page:
            page.write(text + "\n")


if __name__ == "<run_path>":  # as mkdocs-gen-files runs it
    write()
