"""Every operation asked as every role with what schemathesis makes up, in a registry full of secrets.

Asked of each answer: no server error, a status and headers that the document names, a body as it says; nothing that the
role may not see; and no change of a record that the role may not change.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from silian.web.catalog.models import MODELS, Change
from silian.web.catalog.rules import may
from silian.web.tests.leaks.planted import told
from silian.web.wsgi import application

if TYPE_CHECKING:
    from silian.web.api.tests.conftest import Caller
    from silian.web.tests.leaks.planted import Planted

CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance,
]  # fmt: skip
NOUN_IDS = {"needs": ("N01", "N-secret", "N-far", "N-closed", "N-open"), "experts": ("E01", "E-secret"),
            "organisations": ("O04", "O-secret")}  # fmt: skip
NUMBERS = (1, 2, 3)
PLAIN = {"Accept-Encoding": "identity"}  # the WSGI client does not unpack


@dataclass
class Found:
    """What was asked, and what was wrong."""

    cases: int = 0
    operations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # answers that are not as the document says
    errors: list[str] = field(default_factory=list)  # server errors
    holes: list[str] = field(default_factory=list)  # secrets told, records changed without a right


def fuzz(callers: dict[str, Caller], planted: Planted, *, examples: int, each: int = 1, roles: Any = None) -> Found:
    """Ask every operation as every role.

    Parameters
    ----------
    examples : cases of an operation for each role and way of making them (right, wrong)
    each : of the operations only every so many, another one for each role: all are asked, not all by all
    """
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=SchemathesisConfig())
    operations = [result.ok() for result in document.get_all_operations()]
    found = Found(operations=len(operations))
    for place, operation in enumerate(operations):
        for number, role in enumerate(roles or callers):
            if (place + number) % each == 0:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    _ask(operation, mode, callers[role], planted, examples, found)
    return found


def _ask(operation: Any, mode: GenerationMode, caller: Caller, planted: Planted, examples: int, found: Found) -> None:
    place = [0]

    @seed(7)
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate], derandomize=False,
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        place[0] += 1
        _aim(case, place[0])
        _judge(case, caller, planted, found)

    try:
        one()
    except Exception as error:  # noqa: BLE001 – what cannot be made up is told, and the rest goes on
        if "Unsatisfiable" not in type(error).__name__ and "Unable to" not in str(error):
            found.wrong.append(f"{operation.label}: {type(error).__name__} {str(error)[:300]}")


def _aim(case: Any, place: int) -> None:
    """Let most cases name a record that is there, and the version that it has."""
    noun = case.operation.path.removeprefix("/api/v1/").partition("/")[0]
    if "record_id" in (case.path_parameters or {}) and place % 4:
        known = NOUN_IDS.get(noun) or tuple(MODELS[noun].objects.order_by("pk").values_list("pk", flat=True)[:2])
        if known:
            case.path_parameters["record_id"] = known[place % len(known)]
            if place % 3 and isinstance(case.body, dict) and "version" in case.body:
                record = MODELS[noun].objects.filter(pk=case.path_parameters["record_id"]).first()
                case.body["version"] = record.version if record else 1
    if "number" in (case.path_parameters or {}) and place % 4:
        case.path_parameters["number"] = NUMBERS[place % len(NUMBERS)]


def _judge(case: Any, caller: Caller, planted: Planted, found: Found) -> None:
    last = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    before = _records(case)
    response = case.call(headers=caller.headers | PLAIN)
    found.cases += 1
    found.statuses[response.status_code] += 1
    what = f"{caller.role} {case.method} {response.request.url if response.request else case.operation.path}"
    if response.status_code >= 500 and response.status_code != 503:
        found.errors.append(f"{what}: {response.status_code}")
    try:
        case.validate_response(response, checks=CHECKS, headers=caller.headers | PLAIN)
    except (FailureGroup, AssertionError) as error:
        found.wrong.append(f"{what} {case.body!r:.200}: {getattr(error, 'exceptions', [error])!s:.600}")
    text = response.text or ""
    for secret in planted.secrets:
        is_history = "/history" in case.operation.path and secret.history_by(caller.actor)
        if not secret.seen_by(caller.actor) and not is_history:
            found.holes += [f"{what}: {word}" for word in told(text, secret) if word not in str(case.body) + what]
    for row in Change.objects.filter(pk__gt=last).select_related("changes"):
        was = before.get((row.noun, row.record_id))
        now = MODELS[row.noun].objects.select_related("place").filter(pk=row.record_id).first()
        for record in filter(None, (was, now)):
            if not may(caller.actor, "edit", record):
                found.holes.append(f"{what}: changed {row.noun} {row.record_id}")


def _records(case: Any) -> dict[tuple[str, str], Any]:
    noun = case.operation.path.removeprefix("/api/v1/").partition("/")[0]
    pk = str((case.path_parameters or {}).get("record_id", ""))
    if noun not in MODELS or not pk or "\0" in pk or any("\ud800" <= c <= "\udfff" for c in pk):
        return {}
    record = MODELS[noun].objects.select_related("place").filter(pk=pk).first()
    return {(noun, pk): record} if record else {}
