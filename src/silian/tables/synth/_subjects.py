"""What each need and achievement is about, drawn before any text, and how well they answer each other.

A need is a kind of an object, a problem and perhaps a setting of use; an achievement is a kind, a method and perhaps a
setting. The level of a pair follows from these alone:

- 4: same kind, the method answers the problem, and the settings do not differ;
- 3: one step off: another setting, or the method answers another problem of the group, or a sibling kind of the object;
- 2: same object otherwise, or a method of the family that answers the problem on another object;
- 1: everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.tables.synth._dice import generator
from silian.tables.synth._vocabulary import ANSWERS, RELATED, Vocabulary

if TYPE_CHECKING:
    from silian.tables.synth._sizes import Size

NONE: Final = -1  # no problem (a need for money), or no setting named
DEMANDED_SHARE: Final = 0.6  # of the objects; laboratories also work on what no enterprise here asks for
BARREN_SHARE: Final = 0.08  # of the demanded objects; nobody here works on them, so nothing answers
PLANTED_PER_THING: Final = 20  # most achievements made for the needs of one object, in the mean
FREE_PER_THING: Final = 20  # most achievements that happen to be about a demanded object, in the mean


@dataclass(frozen=True, slots=True)
class Subjects:
    """What rows are about, by number in the vocabulary. int64, all of one length.

    `what` is the problem of a need or the method of an achievement.
    """

    kind: np.ndarray
    what: np.ndarray
    setting: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)

    def put(self, rows: np.ndarray, other: Subjects) -> None:
        """Replace some rows."""
        self.kind[rows], self.what[rows], self.setting[rows] = other.kind, other.what, other.setting


@dataclass(frozen=True, slots=True)
class Demand:
    """The subjects of a region."""

    needs: Subjects
    achievements: Subjects
    things: np.ndarray  # numbers of the objects of the region's fields
    asked: np.ndarray  # those that needs are about
    answered: np.ndarray  # those of them that laboratories work on
    matches: pl.DataFrame  # need, achievement (row numbers), level


@dataclass(frozen=True, slots=True)
class _Maps:
    """The vocabulary as arrays."""

    thing_of: np.ndarray  # by kind
    family_of: np.ndarray  # by thing
    settings: np.ndarray  # by thing
    grade: np.ndarray

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> _Maps:
        return cls(
            thing_of=np.array([k.thing for k in vocabulary.kinds]),
            family_of=np.array([t.family for t in vocabulary.things]),
            settings=np.array([len(vocabulary.family(t).settings) for t in range(len(vocabulary.things))]),
            grade=vocabulary.grade,
        )


def draw(size: Size, seed: int, vocabulary: Vocabulary) -> Demand:
    """The subjects of the needs and achievements of a region, with every pair of level 3 or 4 and some of 1 and 2."""
    rng = generator(seed, "subjects")
    maps = _Maps.of(vocabulary)
    fields = size.fields or tuple(vocabulary.fields)
    things = np.array([t for t in range(len(vocabulary.things)) if vocabulary.field(t) in fields])
    demanded = _demanded(rng, things, maps)
    barren = rng.choice(demanded, size=max(1, round(BARREN_SHARE * len(demanded))), replace=False)
    quiet = np.setdiff1d(things, demanded)
    needs = _needs(rng, size.needs, demanded, vocabulary, maps)
    orphan = np.isin(maps.thing_of[needs.kind], barren) | (needs.what == NONE)
    planted = _planted(rng, needs, orphan, size, len(demanded), vocabulary, maps)
    answered = np.setdiff1d(demanded, barren)
    free = _free(rng, size.achievements - len(planted), answered, quiet, vocabulary, maps)
    both = [np.concatenate(pair) for pair in zip(_parts(planted), _parts(free), strict=True)]
    achievements = Subjects(*both)
    _thin(rng, needs, achievements, quiet, size.answers_max, vocabulary, maps)
    order = rng.permutation(len(achievements))
    achievements = Subjects(*(part[order] for part in _parts(achievements)))
    good = good_pairs(needs, achievements, maps)
    matches = pl.concat([good, _poor_pairs(rng, needs, achievements, maps)]).sort("need", "achievement")
    asked = np.unique(maps.thing_of[needs.kind])
    return Demand(needs, achievements, things, asked, np.setdiff1d(asked, barren), matches)


def levels(needs: Subjects, achievements: Subjects, maps: _Maps) -> np.ndarray:
    """The level of each pair; the two are of one length. int64."""
    thing_n, thing_a = maps.thing_of[needs.kind], maps.thing_of[achievements.kind]
    same_kind, same_thing = needs.kind == achievements.kind, thing_n == thing_a
    same_family = maps.family_of[thing_n] == maps.family_of[thing_a]
    fits = (needs.setting == achievements.setting) | (needs.setting == NONE) | (achievements.setting == NONE)
    grade = np.where(needs.what == NONE, 0, maps.grade[achievements.what, needs.what])
    answers, related = grade == ANSWERS, grade == RELATED
    fair = (same_kind & answers) | (same_kind & related & fits) | (same_thing & answers & fits)
    level = np.ones(len(needs), dtype=np.int64)
    level[same_thing | (same_family & answers)] = 2
    level[fair & (needs.what != NONE)] = 3
    level[same_kind & answers & fits] = 4
    return level


def good_pairs(needs: Subjects, achievements: Subjects, maps: _Maps) -> pl.DataFrame:
    """Every pair of level 3 or 4: need, achievement (row numbers), level. Only pairs of one object can be."""
    left = pl.DataFrame({"thing": maps.thing_of[needs.kind]}).with_row_index("need")
    right = pl.DataFrame({"thing": maps.thing_of[achievements.kind]}).with_row_index("achievement")
    pairs = left.join(right, on="thing").sort("need", "achievement").select("need", "achievement")
    return _graded(pairs, needs, achievements, maps).filter(pl.col("level") >= 3)


def maps_of(vocabulary: Vocabulary) -> _Maps:
    """The vocabulary as arrays, for levels and good_pairs."""
    return _Maps.of(vocabulary)


def _parts(subjects: Subjects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return subjects.kind, subjects.what, subjects.setting


def _take(subjects: Subjects, rows: np.ndarray) -> Subjects:
    return Subjects(*(part[rows] for part in _parts(subjects)))


def _graded(pairs: pl.DataFrame, needs: Subjects, achievements: Subjects, maps: _Maps) -> pl.DataFrame:
    n, a = (pairs[name].to_numpy().astype(np.int64) for name in ("need", "achievement"))
    return pl.DataFrame({"need": n, "achievement": a, "level": levels(_take(needs, n), _take(achievements, a), maps)})


def _demanded(rng: np.random.Generator, things: np.ndarray, maps: _Maps) -> np.ndarray:
    """The objects that needs are about: a share of each family."""
    chosen = []
    families = maps.family_of[things]
    for family in np.unique(families):
        own = things[families == family]
        count = max(1, round(DEMANDED_SHARE * len(own) + rng.uniform(-0.3, 0.3)))
        chosen.append(rng.choice(own, size=min(count, len(own)), replace=False))
    return np.sort(np.concatenate(chosen))


def _needs(rng: np.random.Generator, n: int, demanded: np.ndarray, vocabulary: Vocabulary, maps: _Maps) -> Subjects:
    weights = rng.gamma(2.0, size=len(demanded))
    thing = rng.choice(demanded, size=n, p=weights / weights.sum())
    if n <= len(demanded):
        thing = rng.choice(demanded, size=n, replace=False)
    kind = _one_of(rng, thing, [t.kinds for t in vocabulary.things])
    problem = _one_of(rng, thing, list(vocabulary.problems_of))
    problem[rng.random(n) < 0.03] = NONE
    return Subjects(kind, problem, _settings(rng, thing, maps, share=0.75))


def _one_of(rng: np.random.Generator, thing: np.ndarray, choices: list[tuple[int, ...]]) -> np.ndarray:
    """For each object one of its choices."""
    longest = max(len(c) for c in choices)
    table = np.array([(*c, *[c[0] if c else NONE] * (longest - len(c))) for c in choices])
    count = np.array([max(1, len(c)) for c in choices])
    chosen: np.ndarray = table[thing, (rng.random(len(thing)) * count[thing]).astype(np.int64)]
    return chosen


def _settings(rng: np.random.Generator, thing: np.ndarray, maps: _Maps, *, share: float) -> np.ndarray:
    drawn = (rng.random(len(thing)) * maps.settings[thing]).astype(np.int64)
    return np.where(rng.random(len(thing)) < share, drawn, NONE)


def _planted(
    rng: np.random.Generator,
    needs: Subjects,
    orphan: np.ndarray,
    size: Size,
    things: int,
    vocabulary: Vocabulary,
    maps: _Maps,
) -> Subjects:
    """Achievements made for a need: its kind and a method that answers it, or one step off."""
    mean = min(2.0, 0.5 * size.achievements / size.needs, PLANTED_PER_THING * things / size.needs)
    times = np.where(orphan, 0, rng.poisson(mean, size=len(needs)))
    if size.needs < 50:  # in a region to be followed by hand every need but the orphans has an answer
        times = np.where(orphan, 0, np.clip(times, 1, 2))
    able = _answering(needs, vocabulary, maps)
    need = np.repeat(np.arange(len(needs)), np.where([bool(methods) for methods in able], times, 0))
    first = np.r_[True, need[1:] != need[:-1]][: len(need)]
    marks = rng.random(len(need)).tolist()
    what = np.array([able[n][int(u * len(able[n]))] for n, u in zip(need.tolist(), marks, strict=True)], dtype=np.int64)
    kind, setting = needs.kind[need].copy(), needs.setting[need].copy()
    setting[rng.random(len(need)) < 0.35] = NONE
    sibling = ~first & (rng.random(len(need)) < 0.25)
    kind[sibling] = _one_of(rng, maps.thing_of[kind[sibling]], [t.kinds for t in vocabulary.things])
    return Subjects(kind, what, setting)


def _answering(needs: Subjects, vocabulary: Vocabulary, maps: _Maps) -> list[list[int]]:
    """For each need the methods that answer its problem and can be used on its object."""
    thing = maps.thing_of[needs.kind].tolist()
    solving = [np.flatnonzero(column == ANSWERS).tolist() for column in vocabulary.grade.T]
    return [
        [m for m in solving[p] if t in vocabulary.methods[m].things] if p != NONE else []
        for p, t in zip(needs.what.tolist(), thing, strict=True)
    ]


def _free(
    rng: np.random.Generator, n: int, demanded: np.ndarray, quiet: np.ndarray, vocabulary: Vocabulary, maps: _Maps
) -> Subjects:
    """Achievements made for their own sake: where there are many, most are on objects that no need is about."""
    few = FREE_PER_THING * len(demanded)
    even = n / (len(demanded) + len(quiet))
    scale = 1.0 if even <= FREE_PER_THING else FREE_PER_THING * len(quiet) / (n - few)
    things = np.concatenate([demanded, quiet])
    weights = rng.gamma(2.0, size=len(things)) * np.where(np.arange(len(things)) < len(demanded), scale, 1.0)
    return _about(rng, rng.choice(things, size=n, p=weights / weights.sum()), vocabulary, maps)


def _about(rng: np.random.Generator, thing: np.ndarray, vocabulary: Vocabulary, maps: _Maps) -> Subjects:
    kind = _one_of(rng, thing, [t.kinds for t in vocabulary.things])
    return Subjects(kind, _one_of(rng, thing, list(vocabulary.methods_of)), _settings(rng, thing, maps, share=0.55))


def _thin(
    rng: np.random.Generator,
    needs: Subjects,
    achievements: Subjects,
    quiet: np.ndarray,
    most: int,
    vocabulary: Vocabulary,
    maps: _Maps,
) -> None:
    """Move achievements that most of their needs could do without to objects that no need is about.

    Changes `achievements` in place. Earlier rows are kept longer.
    """
    limit = rng.integers(min(4, most), most + 1, size=len(needs))
    good = good_pairs(needs, achievements, maps)
    place = good.select(pl.int_range(1, pl.len() + 1).over("need")).to_series().to_numpy()
    over = np.bincount(good["achievement"], weights=place > limit[good["need"].to_numpy()], minlength=len(achievements))
    count = np.bincount(good["achievement"], minlength=len(achievements))
    moved = np.flatnonzero(over * 2 > count)
    achievements.put(moved, _about(rng, rng.choice(quiet, size=len(moved)), vocabulary, maps))


def _poor_pairs(rng: np.random.Generator, needs: Subjects, achievements: Subjects, maps: _Maps) -> pl.DataFrame:
    """For each need some achievements of its family and some of any field, of level 1 or 2."""
    family_n = maps.family_of[maps.thing_of[needs.kind]]
    family_a = maps.family_of[maps.thing_of[achievements.kind]]
    order = np.argsort(family_a, kind="stable")
    starts = np.searchsorted(family_a[order], np.arange(len(maps.family_of) + 1))
    first, count = starts[family_n], starts[family_n + 1] - starts[family_n]
    near = order[
        np.minimum(first[:, None] + (rng.random((len(needs), 6)) * count[:, None]).astype(np.int64), len(order) - 1)
    ]
    far = rng.integers(len(achievements), size=(len(needs), 2))
    both = np.concatenate([near, far], axis=1)
    pairs = pl.DataFrame({"need": np.repeat(np.arange(len(needs)), both.shape[1]), "achievement": both.ravel()})
    pairs = pairs.unique(maintain_order=True)
    return _graded(pairs, needs, achievements, maps).filter(pl.col("level") <= 2)
