"""Why there is no team: a smallest set of rules that cannot be kept together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.engines.team.billing import table
from silian.engines.team.searching import arena_of, search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from silian.engines.team.case import Case, Rule
    from silian.engines.team.searching import Watch

_WANTS: Final = ("skill", "at_least")


def blocks_of(case: Case, watch: Watch) -> pl.DataFrame:
    """A row for each rule of the clash: what it wants, what there is, who is nearest.

    A skill or group that wants more than there are, conflicts aside, is a clash of its own, and all of these are told.
    Else one set of rules is told, of which none can be left out.
    """
    rules = [rule for rule in case.rules if _can_matter(case, rule)]
    clash = [rule for rule in rules if rule.kind in _WANTS and _holders(case, rule) < rule.members]
    if not clash:
        tried = (kept for kept in _attempts(case, rules) if not _is_possible(case, kept, watch))
        clash = _clash(case, [], next(tried, rules), watch, is_checked=True)
    rows: list[tuple[object, ...]] = [(rule.kind, rule.subject, *_figures(case, rule, rules, watch)) for rule in clash]
    return table("team_blocks", rows)


def _attempts(case: Case, rules: list[Rule]) -> Iterator[list[Rule]]:
    """Sets of rules in which a clash is looked for, the simplest first."""
    wants = [rule for rule in rules if rule.kind in _WANTS]
    conflicts = [rule for rule in rules if rule.kind == "conflict"]
    for rule in wants:
        yield [rule, *(other for other in conflicts if case.items[other.code] >> rule.code & 1)]
    for kind in ("largest", "at_most", "apart"):
        yield [*wants, *(rule for rule in rules if rule.kind == kind)]


def _can_matter(case: Case, rule: Rule) -> bool:
    """Whether a rule about persons is about somebody who holds something that is wanted, or who fills up a team."""
    if rule.kind not in ("apart", "conflict") or any(other.kind == "smallest" for other in case.rules):
        return True
    persons = case.apart[rule.code] if rule.kind == "apart" else [rule.code]
    return bool((case.items[persons] > 0).all())


def _holders(case: Case, rule: Rule, barred: frozenset[int] = frozenset()) -> int:
    holds = (case.items >> rule.code & 1).nonzero()[0].tolist()
    return len(set(holds) - barred)


def _clash(case: Case, base: list[Rule], rules: list[Rule], watch: Watch, *, is_checked: bool) -> list[Rule]:
    """Those of the rules that clash with the base, none of which can be left out (QuickXplain).

    is_checked : it is known that there is a team under the base alone
    """
    if not is_checked and not _is_possible(case, base, watch):
        return []
    if len(rules) <= 1:
        return rules
    half = len(rules) // 2
    last = _clash(case, base + rules[:half], rules[half:], watch, is_checked=False)
    first = _clash(case, base + last, rules[:half], watch, is_checked=not last)
    return first + last


def _is_possible(case: Case, rules: list[Rule], watch: Watch) -> bool:
    """Whether some team keeps these rules; where the time is over before that is known, it counts as possible."""
    if not any(rule.kind in (*_WANTS, "smallest") for rule in rules):
        return True
    found = search(arena_of(case, rules, counts="nothing"), 1, watch, is_any_enough=True)
    return bool(found.teams) or not found.is_proved


def _figures(
    case: Case, rule: Rule, rules: list[Rule], watch: Watch
) -> tuple[int | None, int | None, str | None, float | None]:
    """wanted, found, nearest_id, nearest_level of a rule."""
    barred = frozenset(other.code for other in case.rules if other.kind == "conflict")
    if rule.kind == "largest":
        others = [other for other in rules if other.kind != "largest"]
        arena = arena_of(case, others, counts="heads")
        least = search(arena, 1, watch)
        return rule.members, len(least.teams[0]) if least.teams and least.is_proved else None, None, None
    if rule.kind == "smallest":
        return rule.members, case.own.size - len(barred), None, None
    if rule.kind in _WANTS:
        ids = case.people["expert_id"].gather(sorted(barred))
        below = case.below.filter(pl.col("skill_id") == rule.subject, ~pl.col("expert_id").is_in(ids.implode()))
        ranked = below.sort(["level", "expert_id"], descending=[True, False], nulls_last=True)
        nearest = ranked.row(0, named=True) if rule.kind == "skill" and ranked.height else {}
        return rule.members, _holders(case, rule, barred), nearest.get("expert_id"), nearest.get("level")
    return (rule.members if rule.kind == "at_most" else None), None, None, None
