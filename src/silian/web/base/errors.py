"""Pages for what went wrong. Each says what happened and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from silian.web.base.requests import NUMBER

if TYPE_CHECKING:
    from django.http import HttpRequest


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400; 413 where too much was sent."""
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent | TooManyFieldsSent):
        return too_large(request)
    return _page(request, 400, _("网址或提交的内容有误"), _("请返回上一页再试；网址请从首页重新进入。"))


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is not this session's: the page was open too long, or it is not ours."""
    del reason
    advice = _("多半是页面打开过久，或期间退出、重新登录过。请重新打开该页再提交，刚才的内容没有保存。")
    return _page(request, 403, _("表单已失效"), advice, again=request.path)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    del exception
    return _page(request, 403, _("您没有这项权限"), _("如工作需要，请联系本单位管理员或主管部门开通。"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing, or nothing for this person."""
    del exception
    return _page(request, 404, _("没有这个页面"), _("网址可能有误，内容可能已撤回，或登录后才能查看。"))


def too_large(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """413."""
    del exception
    return _page(request, 413, _("提交的内容过大"), _("请缩小文件或分几次提交。"))


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """429."""
    del exception
    return _page(request, 429, _("操作过于频繁"), _("请过几分钟再试。"))


def broken(request: HttpRequest) -> HttpResponse:
    """500: a page that needs neither the database nor a session."""
    del request
    shown = {"number": NUMBER.get(), "language": get_language() or "zh-hans"}
    return HttpResponse(loader.render_to_string("500.html", shown), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _page(request: HttpRequest, status: int, title: str, advice: str, **more: Any) -> HttpResponse:
    shown = {"heading": title, "advice": advice, "number": NUMBER.get(), "status": status, **more}
    return render(request, "base/error.html", shown, status=status)
