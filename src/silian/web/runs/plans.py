"""Plans that come from the site: read as the command line reads them, without a way to the files of the server."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext

from silian.errors import PlanError, WebError
from silian.pipeline import Plan, settings
from silian.text.encoders import NAMES
from silian.web.base.languages import first_clause, page_language

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LONGEST: Final = 10_000  # characters


def read_plan(text: str) -> Plan:
    r"""The plan that a text in TOML states.

    Raises
    ------
    PlanError : as `Plan.of`; plan.syntax
    WebError : web.run_long; web.run_path where it names a file or folder

    Examples
    --------
    >>> read_plan("[match]\ntop_k = 3").match.top_k
    3
    """
    if len(text) > LONGEST:
        raise WebError("web.run_long", found=len(text), most=LONGEST)
    try:
        given = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError("plan.syntax", path="plan", found=str(error)) from error
    plan = Plan.of(given)
    if plan.allocate.beside:
        raise WebError("web.run_path", name="allocate.beside", found=plan.allocate.beside[0])
    known = {"default", *(name for name in NAMES if ":" not in name)}
    if not set(plan.match.encoder.split("+")) <= known:
        raise WebError("web.run_path", name="match.encoder", found=plan.match.encoder)
    return plan


def stated(plan: Plan) -> dict[str, Any]:
    """The settings of a plan that are not as by default: dotted name → value.

    Examples
    --------
    >>> stated(Plan.of({"match": {"top_k": 3}}))
    {'match.top_k': 3}
    """
    return {name: value for name, _field, default in settings() if (value := _value(plan, name)) != default}


def called(name: str) -> str:
    """What a setting is for, in short, in the language of the page; its name where it is of an older version.

    Examples
    --------
    >>> called("match.same_district")
    '只保留同一区县的配对'
    """
    notes = next((field.metadata for one, field, _default in settings() if one == name), None)
    if notes is None:
        return name
    return first_clause(notes["meaning" if page_language() == "en" else "meaning_zh"])


def shown(value: Any) -> str:
    """The value of a setting as people read it.

    Examples
    --------
    >>> shown(True), shown(None), shown(0.25), shown([])
    ('是', '—', '0.25', '—')
    """
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if isinstance(value, list | tuple):
        return gettext("、").join(map(str, value)) or "—"
    return "—" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)


def joined(text: str, more: Mapping[str, Any]) -> str:
    r"""The plan of a text and of settings beside it, as TOML with what differs from the default, settings in order.

    Parameters
    ----------
    more : dotted name → value; what the text states too counts as the text has it

    Raises
    ------
    PlanError, WebError : of `read_plan`

    Examples
    --------
    >>> print(joined("[match]\nexperts = 5", {"match.top_k": 3, "allocate.goal": "total"}))
    [match]
    top_k = 3
    experts = 5
    """
    own = stated(read_plan(text))
    given = {name: value for name, value in more.items() if name not in own}
    nested: dict[str, Any] = {}
    for name, value in (own | given).items():
        section, _dot, key = name.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[key] = value
    return to_text(Plan.of(nested))


def to_text(plan: Plan, *, leaving: Collection[str] = ()) -> str:
    """The settings of a plan that are not as by default, as TOML.

    Parameters
    ----------
    leaving : dotted names of settings that are told elsewhere
    """
    lines, last = [], ""
    for name, value in stated(plan).items():
        section, _dot, key = name.rpartition(".")
        if name in leaving:
            continue
        if section != last:
            lines.append(f"[{section}]")
            last = section
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def _value(plan: Plan, name: str) -> Any:
    found: Any = plan
    for part in name.split("."):
        found = getattr(found, part)
    return found
