"""Experts: who they are, where they work and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.tables.synth import _texts as texts
from silian.tables.synth._dice import Dice, generator
from silian.tables.synth._frames import frame
from silian.tables.synth._subjects import NONE
from silian.tables.synth._vocabulary import rows

if TYPE_CHECKING:
    import polars as pl

    from silian.tables.synth._organisations import Organisations
    from silian.tables.synth._sizes import Size
    from silian.tables.synth._subjects import Demand
    from silian.tables.synth._vocabulary import Vocabulary

EMPLOYER_SHARES: Final = {"university": 0.56, "institute": 0.25, "hospital": 0.08, "enterprise": 0.11}
FREE_SHARES: Final = (0.08, 0.2, 0.3, 0.2, 0.12, 0.06, 0.04)  # of experts free for 0 to 6 needs
TITLES: Final = {
    "university": (
        ("professor", "associate_professor", "lecturer", "researcher", "academician"),
        (0.36, 0.40, 0.18, 0.055, 0.005),
    ),
    "institute": (
        ("researcher", "associate_researcher", "senior_engineer", "professor_engineer", "engineer"),
        (0.25, 0.34, 0.24, 0.10, 0.07),
    ),
    "hospital": (("chief_physician", "professor", "associate_professor"), (0.7, 0.15, 0.15)),
    "enterprise": (("senior_engineer", "professor_engineer", "engineer"), (0.55, 0.2, 0.25)),
}


@dataclass(frozen=True, slots=True)
class Experts:
    """The table, and by row what other tables need."""

    table: pl.DataFrame
    ids: tuple[str, ...]
    org: np.ndarray  # row of the organisation
    things: np.ndarray  # the two objects that the person works on, int64 (n, 2)
    by_thing: dict[int, list[int]]
    by_field: dict[str, list[int]]
    team: list[list[int]]  # for each expert the others of the same organisation and field, at most 12


def experts(size: Size, seed: int, vocabulary: Vocabulary, organisations: Organisations, demand: Demand) -> Experts:
    """Experts of universities, institutes, hospitals and, one in nine, enterprises."""
    dice, rng = Dice(seed, "experts"), generator(seed, "expert subjects")
    org = _employers(rng, size.experts, organisations)
    main = _subjects(rng, org, vocabulary, organisations, demand)
    names = {part: [r for r in rows("people") if r["part"] == part] for part in ("surname", "given")}
    by_family: dict[int, list[int]] = {}
    for t in demand.things.tolist():
        by_family.setdefault(vocabulary.things[t].family, []).append(t)
    pairs, made = [], []
    width = len(str(size.experts))
    district = organisations.table["district_id"].to_list()
    for i in range(size.experts):
        t = int(main[i])
        near = by_family[vocabulary.things[t].family]
        pairs.append((t, dice.pick(near)))
        row = {"expert_id": f"E{i + 1:0{width}d}"} | _person(dice, names)
        row |= {"org_id": organisations.ids[org[i]] if dice.chance(0.99) else None}
        row |= _post(dice, vocabulary, str(organisations.kind[org[i]]), pairs[-1])
        row |= {"district_id": district[org[i]]}
        made.append(row)
    table = frame("experts", made)
    for i, row in enumerate(made):  # who left the employer out belongs to none
        org[i] = org[i] if row["org_id"] is not None else NONE
    both = np.array(pairs)
    return Experts(table, tuple(table["expert_id"]), org, both, *_groups(org, both, vocabulary))


def _groups(
    org: np.ndarray, things: np.ndarray, vocabulary: Vocabulary
) -> tuple[dict[int, list[int]], dict[str, list[int]], list[list[int]]]:
    by_thing: dict[int, list[int]] = {}
    by_field: dict[str, list[int]] = {}
    by_team: dict[tuple[int, str], list[int]] = {}
    for i, (first, second) in enumerate(things.tolist()):
        for t in dict.fromkeys((first, second)):
            by_thing.setdefault(t, []).append(i)
        by_field.setdefault(vocabulary.field(first), []).append(i)
        by_team.setdefault((int(org[i]), vocabulary.field(first)), []).append(i)
    team = []
    for i, (first, _) in enumerate(things.tolist()):
        members = by_team[int(org[i]), vocabulary.field(first)]
        at = members.index(i) if len(members) < 200 else i % len(members)
        around = [members[(at + j) % len(members)] for j in range(1, 13)]
        team.append([m for m in dict.fromkeys(around) if m != i])
    return by_thing, by_field, team


def _employers(rng: np.random.Generator, n: int, organisations: Organisations) -> np.ndarray:
    """Row of the employer of each expert: big universities have many."""
    parts = []
    for kind, share in EMPLOYER_SHARES.items():
        among = organisations.rows_of(kind)
        if not len(among):
            continue
        weight = 1 / np.arange(1, len(among) + 1) ** (0.6 if kind == "university" else 0.15)
        parts.append(rng.choice(among, size=max(1, round(share * n)), p=weight / weight.sum()))
    everyone = np.concatenate(parts)
    return rng.permutation(np.resize(everyone, n)).astype(np.int64)


def _subjects(
    rng: np.random.Generator, org: np.ndarray, vocabulary: Vocabulary, organisations: Organisations, demand: Demand
) -> np.ndarray:
    """Main object of each expert: the employer's own where it has one, one of its field, else any, rather one asked."""
    things = demand.things
    field = np.array([vocabulary.field(t) for t in things])
    own = {name: things[field == name] for name in np.unique(field).tolist()}
    weight = np.where(np.isin(things, demand.answered), 2.5, 1.0)
    main = rng.choice(things, size=len(org), p=weight / weight.sum())
    if len(org) <= 2 * len(demand.answered):  # few people: as many of the objects asked about as can be
        main[: len(demand.answered)] = rng.permutation(demand.answered)[: len(org)]
    for i, row in enumerate(org.tolist()):
        if organisations.thing[row] >= 0:
            main[i] = organisations.thing[row]
        elif str(organisations.field[row]) in own:
            main[i] = rng.choice(own[str(organisations.field[row])])
    return main


def _person(dice: Dice, names: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    surname = names["surname"][int(dice.random() ** 1.6 * len(names["surname"]))]
    given = [dice.pick(names["given"])]
    if dice.chance(0.82):
        given.append(dice.pick(names["given"]))
    english = f"{''.join(g['pinyin'] for g in given).capitalize()} {surname['pinyin']}"
    return {
        "name": surname["zh"] + "".join(g["zh"] for g in given),
        "name_en": english if dice.chance(0.6) else None,
    }


def _post(dice: Dice, vocabulary: Vocabulary, org_kind: str, things: tuple[int, int]) -> dict[str, Any]:
    first, second = (vocabulary.things[t] for t in things)
    own = dice.sample(vocabulary.methods_of[things[0]], 2)
    other = dice.pick(vocabulary.methods_of[things[1]])
    slots = {
        "a": first.name,
        "b": second.name if second is not first else vocabulary.kinds[dice.pick(first.kinds)].name,
        "m": vocabulary.methods[own[0]].name,
        "m2": vocabulary.methods[own[1] if len(own) > 1 else other].name,
        "n": dice.pick((10, 20, 30)),
        "years": dice.between(6, 30),
    }
    family = vocabulary.families[first.family]
    title = dice.weighted(*TITLES[org_kind])
    leads = title in ("academician", "professor", "researcher") and dice.chance(0.4)
    part = "profile.lead" if leads else f"profile.{org_kind}" if dice.chance(0.35) else "profile"
    profile = texts.phrase(dice, vocabulary, part, family.nature).format_map(slots)
    return {
        "title": title if dice.chance(0.98) else None,
        "field": family.field,
        "profile": profile if dice.chance(0.93) else None,
        "orcid": _orcid(dice) if dice.chance(0.4) else None,
        "free": dice.weighted(range(7), FREE_SHARES) if dice.chance(0.9) else None,
        "fee_cny": float(dice.pick((800, 1000, 1500, 2000, 2500, 3000, 5000))) if dice.chance(0.55) else None,
    }


def _orcid(dice: Dice) -> str:
    """An ORCID iD with its check character (ISO 7064, mod 11-2)."""
    body = "0000000" + str(dice.between(1, 3)) + "".join(dice.pick("0123456789") for _ in range(7))
    total = 0
    for digit in body:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    whole = body + ("X" if check == 10 else str(check))
    return "-".join(whole[i : i + 4] for i in range(0, 16, 4))
