"""Joint challenges: needs that state the skills which nobody here has alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.tables.synth._dice import Dice
from silian.tables.synth._frames import frame
from silian.tables.synth._subjects import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.tables.synth._experts import Experts
    from silian.tables.synth._subjects import Subjects
    from silian.tables.synth._vocabulary import Vocabulary

SHARE: Final = 0.03  # of the needs, but at least two
KINDS: Final = ("technology", "cooperation")  # needs of these kinds may be joint challenges
SKILLS: Final = (3, 6)  # of a challenge, from and to
TWICE_SHARE: Final = 0.15  # of the skills that many here have: two members must have it
MANY: Final = 4
UNHELD_SHARE: Final = 0.02  # of the skills: drawn among all methods, so that perhaps nobody here has it
QUALIFIED_SHARE: Final = 0.04  # of the skills: whoever has it must be a registered engineer


def challenges(
    seed: int,
    vocabulary: Vocabulary,
    needs: pl.DataFrame,
    subjects: Subjects,
    *,
    people: Experts,
    works: pl.DataFrame,
    conflicts: pl.DataFrame,
) -> pl.DataFrame:
    """The table of skills: methods on the need's own object, then on others of its field that somebody works on."""
    dice = Dice(seed, "challenges")
    able = [i for i, kind in enumerate(needs["kind"].to_list()) if kind in KINDS and subjects.what[i] != NONE]
    chosen = sorted(dice.sample(able, max(2, round(SHARE * needs.height))))
    titles = dict(works.group_by("expert_id").agg(pl.col("title").str.join("\n")).rows())
    busy = set(people.table.filter(pl.col("free") == 0)["expert_id"])
    made: list[dict[str, Any]] = []
    for row in chosen:
        need_id = needs["need_id"][row]
        barred = busy | set(conflicts.filter(need_id=need_id)["expert_id"])

        def holders(thing: int, method: int, barred: set[str] = barred) -> int:
            name, ids = vocabulary.methods[method].name, {people.ids[i] for i in people.by_thing.get(thing, [])}
            return sum(name in titles.get(expert, "") for expert in ids - barred)

        skills = _skills(dice, vocabulary, people, int(subjects.kind[row]), holders)
        for number, (thing, method) in enumerate(skills, start=1):
            made.append(
                {
                    "need_id": need_id,
                    "skill_id": f"S{number}",
                    "title": f"{vocabulary.things[thing].name}{vocabulary.methods[method].name}",
                    "text": vocabulary.methods[method].how,
                    "qualifications_wanted": ["registered_engineer"] if dice.chance(QUALIFIED_SHARE) else None,
                    "wanted": 2 if dice.chance(TWICE_SHARE) and holders(thing, method) >= MANY else None,
                }
            )
    return frame("challenge_skills", made)


def _skills(
    dice: Dice, vocabulary: Vocabulary, people: Experts, kind: int, holders: Callable[[int, int], int]
) -> list[tuple[int, int]]:
    """Pairs of object and method, each method once; the need's own object first."""
    own = vocabulary.kinds[kind].thing
    near = [t for t in sorted(people.by_thing) if t != own and vocabulary.field(t) == vocabulary.field(own)]
    count, chosen = dice.between(*SKILLS), dict[int, int]()  # method → object
    for thing in [own, own, *dice.sample(near, len(near))]:
        free = [m for m in vocabulary.methods_of[thing] if m not in chosen]
        if not dice.chance(UNHELD_SHARE):
            free = [m for m in free if holders(thing, m)]
        if free and len(chosen) < count:
            chosen[dice.pick(free)] = thing
    return [(thing, method) for method, thing in chosen.items()]
