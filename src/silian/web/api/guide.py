"""The documentation of the API as a page of the site, made from its OpenAPI document, in the language of the reader."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.shortcuts import render
from django.utils.translation import gettext_lazy

from silian.errors import MESSAGES
from silian.tables import schema
from silian.web.api import limits, problems, shapes
from silian.web.api.scopes import SCOPES
from silian.web.api.surface import OFFERS
from silian.web.api.versions import NEWEST, VERSIONS
from silian.web.base.languages import page_language
from silian.web.catalog.rules import default_tiers

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request

# What the operations of every noun do; those of other addresses by their names.
VERBS: Final = {
    "list": gettext_lazy("列表，可筛选、检索、排序"), "read": gettext_lazy("读取一条"), "create": gettext_lazy("新建"),
    "change": gettext_lazy("修改"), "publish": gettext_lazy("发布或续期"), "withdraw": gettext_lazy("撤回"),
    "history": gettext_lazy("历次变更"), "ask": gettext_lazy("表达意向"),
}  # fmt: skip
DEEDS: Final = {
    "read_root": gettext_lazy("各类地址"), "read_me": gettext_lazy("当前令牌的身份与范围"),
    "list_interests": gettext_lazy("收到或发出的意向"), "answer_interest": gettext_lazy("答复意向"),
    "withdraw_interest": gettext_lazy("撤回意向"), "list_runs": gettext_lazy("运行列表"),
    "read_run": gettext_lazy("运行的进度"), "read_matches": gettext_lazy("需求的匹配结果"),
    "read_achievements_matches": gettext_lazy("成果适合的需求"), "read_experts_matches": gettext_lazy("专家适合的需求"),
    "start_run": gettext_lazy("发起运行"), "cancel_run": gettext_lazy("取消运行"),
    "read_figures": gettext_lazy("四链总览的指标"),
    "bring_import": gettext_lazy("上传导入文件"), "list_imports": gettext_lazy("导入列表"),
    "read_import": gettext_lazy("导入的进度"), "list_import_rows": gettext_lazy("导入将带来的逐行变动"),
    "list_import_problems": gettext_lazy("导入文件中的问题"), "apply_import": gettext_lazy("写入"),
    "cancel_import": gettext_lazy("取消导入"), "undo_import": gettext_lazy("撤销导入"),
    "take_export": gettext_lazy("生成导出文件"), "list_exports": gettext_lazy("导出列表"),
    "read_export": gettext_lazy("导出文件是否就绪"), "read_export_file": gettext_lazy("下载导出文件"),
}  # fmt: skip


class Row(NamedTuple):
    """One operation."""

    name: str
    method: str
    path: str
    told: str
    scope: str
    is_open: bool
    parameters: list[dict[str, Any]]
    statuses: list[str]


def api_page(request: Request) -> HttpResponse:
    """How programs use the site."""
    language = page_language()
    tables = schema.tables()
    columns = [
        (noun, tables[noun].label(language), [
            (c, c.label(language), c.meaning_zh if language == "zh" else c.meaning, c.unit_label(language),
             default_tiers(noun).get(c.name, "public")) for c in tables[noun].columns
        ]) for noun in shapes.NOUNS
    ]  # fmt: skip
    codes = [
        (code, status, re.sub(r"\{[^}]*\}", "…", MESSAGES[code][language == "zh"]))
        for code, status in problems.STATUS.items()
    ]
    shared = {
        "groups": _groups(language), "scopes": SCOPES, "columns": columns, "codes": codes, "versions": VERSIONS,
        "newest": NEWEST, "of_token": limits.OF_TOKEN, "of_visitor": limits.OF_VISITOR, "most": shapes.MOST,
        "host": request.build_absolute_uri("/").rstrip("/"),
    }  # fmt: skip
    return render(request, "api/guide.html", shared)


def _groups(language: schema.Language) -> list[tuple[str, list[Row]]]:
    """The operations by chain, each in the words of the reader."""
    made: dict[str, list[Row]] = {}
    for path, method, told in _operations():
        tag, name = told["tags"][0], told["operationId"]
        parts = tag.split(" ")
        heading = parts[-1] if language == "zh" else " ".join(parts[:-1])
        statuses = sorted(str(status) for status in told["responses"])
        parameters = [p for p in told.get("parameters", []) if p["in"] != "path"]
        offer = OFFERS[name]
        row = Row(
            name, method.upper(), path, _told(name, path, told["summary"], language), offer.scope, offer.is_open,
            parameters, statuses,
        )  # fmt: skip
        made.setdefault(heading, []).append(row)
    return list(made.items())


@cache
def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    from silian.web.api.site import api

    paths = api.get_openapi_schema()["paths"]
    return [(path, method, told) for path, methods in paths.items() for method, told in methods.items()]


def _told(name: str, path: str, summary: str, language: schema.Language) -> str:
    if name in DEEDS:
        return str(DEEDS[name])
    noun = path.removeprefix("/api/v1/").partition("/")[0]
    verb = name.partition("_")[0]
    if noun in shapes.NOUNS and verb in VERBS:
        return f"{schema.tables()[noun].label(language)} · {VERBS[verb]}"
    return summary
