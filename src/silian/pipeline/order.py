"""The steps of the main job and their order: what each rests on and gives; what they do stands in `steps`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """One step: it runs after `after`, gives the tables `gives`, and depends on these sections of the plan."""

    name: str
    after: tuple[str, ...]
    gives: tuple[str, ...]
    sections: tuple[str, ...]


STEPS: Final[tuple[Step, ...]] = (
    Step("link", (), ("same", "same_people"), ()),
    Step("conflicts", ("link",), ("conflicts",), ("allocate",)),
    Step("achievements", (), ("achievement_pairs", "grades", "achievement_terms", "achievement_facts"), ("match",)),
    Step("experts", ("conflicts",), ("expert_pairs", "expert_terms", "expert_facts"), ("match",)),
    Step("exposure", ("achievements", "experts"), ("exposure", "exposure_summary", "exposure_curve"), ("match",)),
    Step(
        "allocate",
        ("link", "experts"),
        ("assigned", "unmet", "unmet_reasons", "prices", "proof", "loads", "contacts", "served"),
        ("allocate",),
    ),
    Step("fairness", ("allocate",), ("fairness_curve",), ("allocate",)),
    Step(
        "chain", ("link", "achievements", "experts"), ("gaps", "gap_parts", "gap_evidence", "gap_fillers"), ("chain",)
    ),
    Step("summary", ("allocate", "chain"), ("summary", "district_balance"), ()),
)


def needed_for(names: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps that these steps rest on, themselves included, in the order of the job.

    Examples
    --------
    >>> [step.name for step in needed_for(("experts",))]
    ['link', 'conflicts', 'experts']
    """
    wanted = set(names)
    for step in reversed(STEPS):
        if step.name in wanted:
            wanted.update(step.after)
    return tuple(step for step in STEPS if step.name in wanted)
