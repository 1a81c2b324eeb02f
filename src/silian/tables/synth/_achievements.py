"""Achievements in the words of laboratories: methods rather than problems, and other names of the same things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.tables.synth import _texts as texts
from silian.tables.synth._dice import Dice
from silian.tables.synth._frames import frame
from silian.tables.synth._needs import TODAY

if TYPE_CHECKING:
    import polars as pl

    from silian.tables.synth._experts import Experts
    from silian.tables.synth._organisations import Organisations
    from silian.tables.synth._subjects import Subjects
    from silian.tables.synth._vocabulary import Method, Vocabulary

IP: Final = ("granted", "pending", "secret", "software", "none", "expired")
IP_SHARES: Final = (0.56, 0.20, 0.09, 0.05, 0.07, 0.03)
OFFERS: Final = ("licence", "transfer", "joint_development", "shares", "consulting", "service")
OFFER_SHARES: Final = (0.24, 0.2, 0.32, 0.08, 0.05, 0.11)
TRIES: Final = 4  # at a title that is not taken yet
TRL_SHARES: Final = (0.01, 0.03, 0.10, 0.18, 0.20, 0.18, 0.14, 0.11, 0.05)  # TRL 1 to 9


def achievements(
    subjects: Subjects, seed: int, vocabulary: Vocabulary, organisations: Organisations, people: Experts
) -> pl.DataFrame:
    """The table of achievements."""
    dice = Dice(seed, "achievements")
    district = organisations.table["district_id"].to_list()
    by_thing, by_field, everyone = _makers(people, organisations)
    width = len(str(len(subjects)))
    made = []
    taken: set[str] = set()
    columns = (subjects.kind.tolist(), subjects.what.tolist(), subjects.setting.tolist())
    for i, (kind, what, setting) in enumerate(zip(*columns, strict=True)):
        t = vocabulary.kinds[kind].thing
        field = vocabulary.field(t)
        first = dice.pick(by_thing.get(t) or by_field.get(field) or everyone)
        org = int(people.org[first])
        trl = dice.weighted(range(1, 10), TRL_SHARES)
        title, text = _write(dice, vocabulary, kind, vocabulary.methods[what], setting, trl=trl, taken=taken)
        row: dict[str, Any] = {"achievement_id": f"A{i + 1:0{width}d}", "title": title, "text": text, "field": field}
        row |= {"org_id": organisations.ids[org] if org >= 0 else None, "trl": trl if dice.chance(0.94) else None}
        row |= {"district_id": district[org] if org >= 0 else None}
        makers = [first, *dice.sample(people.team[first], dice.between(0, 2))]
        row["expert_ids"] = [people.ids[m] for m in makers] if dice.chance(0.75) else None
        made.append(row | _terms(dice, vocabulary.things[t].ipc, trl))
    return frame("achievements", made)


def _makers(
    people: Experts, organisations: Organisations
) -> tuple[dict[int, list[int]], dict[str, list[int]], list[int]]:
    """Experts by object, by field, and all: those of universities, institutes and hospitals."""
    of_firm = organisations.kind[people.org] == "enterprise"
    outside = [not (firm and org >= 0) for firm, org in zip(of_firm.tolist(), people.org.tolist(), strict=True)]
    by_thing = {t: [i for i in own if outside[i]] for t, own in people.by_thing.items()}
    by_field = {f: [i for i in own if outside[i]] for f, own in people.by_field.items()}
    return by_thing, by_field, [i for i, is_outside in enumerate(outside) if is_outside]


def _terms(dice: Dice, ipc: str, trl: int) -> dict[str, Any]:
    status = dice.weighted(IP, IP_SHARES)
    published = TODAY - int(1500 * dice.random() ** 1.3)
    numbers = [_patent_number(dice) for _ in range(dice.between(1, 3))] if status in ("granted", "pending") else None
    offer = dice.weighted(OFFERS, OFFER_SHARES)
    priced = offer in ("licence", "transfer", "service") and dice.chance(0.45)
    price = dice.pick((5, 10, 20, 30, 50, 80, 100, 150, 200, 300, 500)) * 10_000 * (2 if trl >= 8 else 1)
    return {
        "ipc": [ipc] if dice.chance(0.8) else None,
        "ip_status": status if dice.chance(0.97) else None,
        "ip_numbers": numbers,
        "offer_kind": offer,
        "price_cny": float(price) if priced else None,
        "published_on": published.astype(object),
        "valid_until_on": (np.maximum(published + 365, TODAY - 60) + dice.between(20, 1000)).astype(object)
        if dice.chance(0.4)
        else None,
    }


def _patent_number(dice: Dice) -> str:
    """A Chinese patent number with its check digit."""
    body = f"{dice.between(2014, 2025)}1{dice.between(0, 1_999_999):07d}"
    total = sum(int(d) * w for d, w in zip(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True))
    return f"ZL{body}.{'0123456789X'[total % 11]}"


def _write(
    dice: Dice, vocabulary: Vocabulary, kind: int, method: Method, setting: int, *, trl: int, taken: set[str]
) -> tuple[str, str]:
    """Title and text; the title is one that is not `taken`, if it can be, and joins them."""
    k = vocabulary.kinds[kind]
    thing, nature = vocabulary.things[k.thing], vocabulary.family(k.thing).nature
    name = dice.weighted((k.lab_name, k.name), (0.72, 0.28))
    slots = {
        "x": name,
        "b": thing.name,
        "m": method.name,
        "mt": texts.named(method.name, "技术"),
        "mm": texts.named(method.name, "方法"),
        "how": method.how,
        "s": texts.setting_name(vocabulary, k.thing, setting),
        "m_few": dice.between(2, 9),
        "money": dice.pick((300, 500, 800, 1200, 2000, 3500, 5000, 8000)),
    }

    def say(part: str) -> str:
        return texts.phrase(dice, vocabulary, part, nature)

    problem = texts.problem_of(dice, vocabulary, method, k.thing)
    general = "" if problem else "_general"
    in_title = bool(slots["s"]) and dice.chance(0.45)
    for _ in range(TRIES):
        title = say(f"ach.title{general}{'_s' if in_title else ''}").format_map(slots)
        if title not in taken:
            break
    taken.add(title)
    opening = say(f"ach.open{general}{'_s' if slots['s'] and not in_title else ''}")
    if problem is None:
        result = say("ach.plain")
    elif dice.chance(0.7):
        slots["eff"], result = texts.effect(dice, problem, nature), say("ach.eff")
    else:
        slots["eff"], result = texts.plain_effect(dice, problem), say("ach.eff_plain")
    stage = f"ach.stage{1 if trl <= 3 else 2 if trl <= 5 else 3 if trl <= 7 else 4}"
    parts = [opening, say("ach.how"), result]
    parts += [say(part) for part in (stage, "ach.ip", "ach.coop") if dice.chance(0.62)]
    if dice.chance(0.12):  # some say little
        parts = [opening, "{how}。"] if slots["s"] else ["{how}。"]
    text = texts.tidy("".join(parts).format_map(slots))
    return title, text if name in title + text else f"{text}适用于{name}。"
