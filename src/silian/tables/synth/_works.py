"""Works of experts: papers, patents, projects and the like, with short abstracts, some in English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.tables.synth import _texts as texts
from silian.tables.synth._dice import Dice, generator
from silian.tables.synth._frames import frame

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from silian.tables.synth._experts import Experts
    from silian.tables.synth._sizes import Size
    from silian.tables.synth._vocabulary import Method, Problem, Vocabulary

KINDS: Final = ("paper", "patent", "project", "standard", "software", "award")
SHARES: Final = (0.50, 0.29, 0.13, 0.03, 0.03, 0.02)
ENGLISH_SHARE: Final = 0.12  # of papers
TRIES: Final = 4  # at a title that is not taken yet
LAST_YEAR: Final = 2026


def works(size: Size, seed: int, vocabulary: Vocabulary, people: Experts) -> pl.DataFrame:
    """Works of experts, one row for each expert of each work."""
    dice, rng = Dice(seed, "works"), generator(seed, "work counts")
    total = round(size.experts * size.works_per_expert)
    weight = rng.gamma(1.6, size=size.experts) + 0.25
    leaders = np.sort(rng.choice(size.experts, size=int(total / 1.33), p=weight / weight.sum()))
    if size.experts < 50:  # everyone has works in a region to be followed by hand
        leaders = np.sort(np.arange(int(total / 1.15)) % size.experts)
    width = len(str(total))
    made: list[dict[str, Any]] = []
    taken: set[str] = set()
    for number, leader in enumerate(leaders.tolist(), start=1):
        work = _work(dice, vocabulary, people.things[leader].tolist(), taken)
        work["work_id"] = f"W{number:0{width}d}"
        lead = "leader" if work["kind"] == "project" else "first" if dice.chance(0.7) else "corresponding"
        made.append({"expert_id": people.ids[leader]} | work | {"role": lead})
        if people.team[leader] and dice.chance(0.22):
            others = dice.sample(people.team[leader], dice.between(1, 2))
            made += [{"expert_id": people.ids[o]} | work | {"role": "member"} for o in others]
    return frame("works", made).sort("expert_id", "work_id")


def _work(dice: Dice, vocabulary: Vocabulary, things: list[int], taken: set[str]) -> dict[str, Any]:
    t = things[0] if dice.chance(0.7) else things[1]
    thing = vocabulary.things[t]
    method = vocabulary.methods[dice.pick(vocabulary.methods_of[t])]
    kind = dice.weighted(KINDS, SHARES)
    year = LAST_YEAR - int(14 * dice.random() ** 1.4)
    if kind == "paper" and dice.chance(ENGLISH_SHARE):
        title, text = _english(dice, thing.name_en, method.name_en, taken)
    else:
        title, text = _chinese(dice, vocabulary, kind, t, method, taken)
    has_doi = kind == "paper" and dice.chance(0.5)
    return {
        "kind": kind,
        "title": title,
        "text": text if dice.chance(0.9) else None,
        "year": year if dice.chance(0.99) else None,
        # 10.5555 is the prefix kept for examples
        "doi": f"10.5555/{year}.{dice.between(1, 99_999):05d}.{dice.between(1, 999):03d}" if has_doi else None,
        "ipc": [thing.ipc] if kind == "patent" and dice.chance(0.8) else None,
    }


def _english(dice: Dice, thing: str, method: str, taken: set[str]) -> tuple[str, str]:
    slots = {"o": thing, "o_": thing[0].upper() + thing[1:], "m": method, "M": method[0].upper() + method[1:]}
    title = _free_title(lambda: dice.pick(_TITLES_EN).format_map(slots), taken)
    return title, " ".join(dice.pick(shapes).format_map(slots) for shapes in _TEXTS_EN)


_TITLES_EN: Final = (
    "{M} for {o} applications",
    "A study of {m} in {o} production",
    "{M} and its effect on {o} performance",
    "Towards better {o} design: {m}",
    "On the use of {m} in {o} development",
    "{M}: mechanism and {o} case study",
)
_TEXTS_EN: Final = (
    (
        "This paper reports {m} for {o} applications.",
        "{o_} performance is still limited in service; {m} is proposed to improve it.",
        "We investigate {m}, with {o} production as the case.",
        "Industrial {o} applications call for better consistency and longer life.",
    ),
    (
        "Experiments and simulation agree well.",
        "The mechanism is analysed and the main parameters are ranked by their influence.",
        "A model is built and verified against test data.",
        "Samples were prepared by {m} and compared with a commercial reference.",
    ),
    (
        "The results offer guidance for design and process control.",
        "The approach has been tried in a production environment.",
        "Limits of the approach and further work are discussed.",
        "A clear improvement over the reference is found.",
    ),
)


def _chinese(dice: Dice, vocabulary: Vocabulary, kind: str, t: int, method: Method, taken: set[str]) -> tuple[str, str]:
    nature = vocabulary.family(t).nature
    problem = texts.problem_of(dice, vocabulary, method, t)
    own = problem or vocabulary.problems[dice.pick(vocabulary.problems_of[t])]
    slots = _slots(dice, vocabulary, t, method, own)
    part = f"work.{kind}"
    if kind == "patent" and not texts.is_recipe(nature):
        part = "work.patent_hard"
    if problem is None and kind in ("paper", "patent", "project", "award"):
        part = "work.general"
    title = _free_title(lambda: texts.phrase(dice, vocabulary, part, nature).format_map(slots), taken)
    slots["title"] = title
    slots["eff"] = texts.effect(dice, own, nature) if dice.chance(0.75) else texts.plain_effect(dice, own)
    about = "work.text"
    if kind in ("standard", "software"):
        about = f"work.text_{kind}"
    elif problem is None:
        about = "work.text_plain"
    elif kind == "patent":
        about = "work.claims"
    elif kind == "award":
        about = "work.text_award"
    text = texts.phrase(dice, vocabulary, about, nature).format_map(slots)
    return title, texts.tidy(text)


def _free_title(draw: Callable[[], str], taken: set[str]) -> str:
    """A title that is not taken, if one is found in a few draws; it is taken from then on."""
    for _ in range(TRIES):
        title = draw()
        if title not in taken:
            break
    taken.add(title)
    return title


def _slots(dice: Dice, vocabulary: Vocabulary, t: int, method: Method, problem: Problem) -> dict[str, str]:
    thing, kind = vocabulary.things[t], vocabulary.kinds[dice.pick(vocabulary.things[t].kinds)]
    name = dice.weighted((kind.lab_name, kind.name, thing.name), (0.5, 0.3, 0.2))
    return {
        "x": name,
        "b": thing.name,
        "s": dice.pick(vocabulary.family(t).settings),
        "m": method.name,
        "mt": texts.named(method.name, "技术"),
        "mm": texts.named(method.name, "方法"),
        "how": method.how,
        "p": problem.name,
        "aim": problem.aim,
        "ver": f"{dice.between(1, 3)}.{dice.between(0, 9)}",
    }
