"""What the synthetic texts are about: objects, problems and methods of each field, and how they hang together.

`data/objects.csv` names an object and its kinds, each kind in the words of enterprises and, after "=", of laboratories;
`data/problems.csv` what goes wrong with the objects of a family, with a figure now and wanted; `data/methods.csv` what
laboratories have and which problems it answers. A family is a group of objects of a field that share problems.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

# How far a method goes for a problem.
NOTHING: Final = 0
RELATED: Final = 1  # it answers another problem of the same group
ANSWERS: Final = 2


@dataclass(frozen=True, slots=True)
class Family:
    """Objects of a field that share problems, methods and settings of use."""

    field: str
    name: str
    nature: str  # material | device | system | software | bio | food | agri | process
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of a family, and its kinds."""

    family: int
    name: str
    name_en: str
    output: str  # "3000-30000 吨", with a verb before it where 年产 does not fit
    industry: str
    ipc: str
    kinds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of an object: what needs and achievements are about."""

    thing: int
    name: str  # as enterprises say
    lab_name: str  # as laboratories say


@dataclass(frozen=True, slots=True)
class Problem:
    """What goes wrong with objects of a family."""

    family: int
    name: str
    group: str
    aim: str
    wordings: tuple[str, ...]
    figure: str
    unit: str
    now: tuple[str, str]
    wanted: tuple[str, str]
    things: frozenset[int]

    @property
    def falls(self) -> bool:
        """Whether a lower figure is better."""
        return float(self.wanted[0]) < float(self.now[0])


@dataclass(frozen=True, slots=True)
class Method:
    """What laboratories have for objects of a family."""

    family: int
    name: str
    name_en: str
    answers: tuple[int, ...]
    how: str
    things: frozenset[int]  # objects that it can be used on


@dataclass(frozen=True)
class Vocabulary:
    """Everything by number; the tuples of numbers join them."""

    families: tuple[Family, ...]
    things: tuple[Thing, ...]
    kinds: tuple[Kind, ...]
    problems: tuple[Problem, ...]
    methods: tuple[Method, ...]
    grade: np.ndarray  # int8 (methods, problems): NOTHING, RELATED or ANSWERS
    problems_of: tuple[tuple[int, ...], ...]  # by thing
    methods_of: tuple[tuple[int, ...], ...]  # by thing
    phrases: Mapping[tuple[str, str], tuple[str, ...]]  # (part, nature)

    @property
    def fields(self) -> list[str]:
        """The fields, in the order of the files."""
        return list(dict.fromkeys(f.field for f in self.families))

    def field(self, thing: int) -> str:
        """The field of an object."""
        return self.families[self.things[thing].family].field

    def family(self, thing: int) -> Family:
        """The family of an object."""
        return self.families[self.things[thing].family]


@cache
def rows(name: str) -> list[dict[str, str]]:
    """The rows of a file of `data/`."""
    text = files("silian.tables").joinpath(f"synth/data/{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def vocabulary() -> Vocabulary:
    """Read the files once."""
    families = [Family(r["field"], r["family"], r["nature"], tuple(_split(r["settings"]))) for r in rows("families")]
    family_of = {(f.field, f.name): i for i, f in enumerate(families)}
    things, kinds = _things(family_of)
    problems = _problems(family_of, things)
    methods = _methods(family_of, things, problems)
    grade = _grades(problems, methods)
    problems_of = tuple(
        tuple(p for p, problem in enumerate(problems) if t in problem.things) for t in range(len(things))
    )
    methods_of = tuple(tuple(m for m, method in enumerate(methods) if t in method.things) for t in range(len(things)))
    return Vocabulary(
        families=tuple(families),
        things=tuple(things),
        kinds=tuple(kinds),
        problems=tuple(problems),
        methods=tuple(methods),
        grade=grade,
        problems_of=problems_of,
        methods_of=methods_of,
        phrases=_phrases({f.nature for f in families}),
    )


def _split(text: str) -> list[str]:
    return [part for part in text.split(";") if part]


def _things(family_of: dict[tuple[str, str], int]) -> tuple[list[Thing], list[Kind]]:
    things: list[Thing] = []
    kinds: list[Kind] = []
    for t, r in enumerate(rows("objects")):
        first = len(kinds)
        for text in _split(r["kinds"]):
            name, _, lab_name = text.partition("=")
            kinds.append(Kind(t, name, lab_name or name))
        numbers = tuple(range(first, len(kinds)))
        family = family_of[r["field"], r["family"]]
        things.append(Thing(family, r["object"], r["name_en"], r["output"], r["industry"], r["ipc"], numbers))
    return things, kinds


def _problems(family_of: dict[tuple[str, str], int], things: list[Thing]) -> list[Problem]:
    problems = []
    for r in rows("problems"):
        family = family_of[r["field"], r["family"]]
        concerned = _concerned(things, family, r["objects"])
        now, wanted = (r[k].split("-") for k in ("now", "wanted"))
        problems.append(
            Problem(
                family=family,
                name=r["problem"],
                group=r["group"],
                aim=r["aim"],
                wordings=tuple(_split(r["wordings"])),
                figure=r["figure"],
                unit="" if r["unit"] == "-" else r["unit"],
                now=(now[0], now[1]),
                wanted=(wanted[0], wanted[1]),
                things=concerned,
            )
        )
    return problems


def _concerned(things: list[Thing], family: int, names: str) -> frozenset[int]:
    """The named objects of a family, or all of them."""
    only = _split(names)
    return frozenset(t for t, thing in enumerate(things) if thing.family == family and (not only or thing.name in only))


def _methods(family_of: dict[tuple[str, str], int], things: list[Thing], problems: list[Problem]) -> list[Method]:
    number = {(p.family, p.name): i for i, p in enumerate(problems)}
    methods = []
    for r in rows("methods"):
        family = family_of[r["field"], r["family"]]
        answers = tuple(number[family, name] for name in _split(r["answers"]))
        fits = _concerned(things, family, r["objects"])
        if answers:  # and at least one of its problems is a problem of the object
            fits &= frozenset().union(*(problems[p].things for p in answers))
        methods.append(Method(family, r["method"], r["name_en"], answers, r["how"], fits))
    return methods


def _grades(problems: list[Problem], methods: list[Method]) -> np.ndarray:
    grade = np.zeros((len(methods), len(problems)), dtype=np.int8)
    for m, method in enumerate(methods):
        groups = {problems[p].group for p in method.answers}
        for p, problem in enumerate(problems):
            if problem.family == method.family and problem.group in groups:
                grade[m, p] = RELATED
        for p in method.answers:
            grade[m, p] = ANSWERS
    return grade


def _phrases(natures: set[str]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    phrases: dict[tuple[str, str], list[str]] = {}
    for r in rows("phrases"):
        for nature in sorted(natures) if r["nature"] == "*" else _split(r["nature"]):
            phrases.setdefault((r["part"], nature), []).append(r["text"])
    return MappingProxyType({key: tuple(texts) for key, texts in phrases.items()})
