"""Relations between people and organisations, and the conflicts of interest that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.tables.synth._dice import Dice
from silian.tables.synth._frames import frame
from silian.tables.synth._needs import TODAY

if TYPE_CHECKING:
    from silian.tables.synth._experts import Experts
    from silian.tables.synth._organisations import Organisations

YEARS: Final = 3  # a relation that ended longer ago binds no more
# What binds an expert to an organisation, an expert to a person employed there, and the employer to it. A contract
# between two organisations binds nobody in person.
DIRECT: Final = ("employment", "shareholding", "contract")
PERSONAL: Final = ("family", "adviser", "coauthor")
CORPORATE: Final = ("shareholding",)
EVIDENCE: Final = {
    "employment": ("企业聘任公告", "本人申报", "社保参保记录"),
    "shareholding": ("工商登记信息", "企业年报", "本人申报"),
    "contract": ("技术合同登记", "横向课题台账", "发票与合同"),
    "coauthor": ("论文署名", "专利共同发明人"),
    "adviser": ("学位论文库", "本人申报"),
    "family": ("本人申报",),
    "cooperation": ("孵化协议", "投资协议", "战略合作协议"),
}


def relations(
    seed: int, needs: pl.DataFrame, organisations: Organisations, people: Experts, works: pl.DataFrame
) -> pl.DataFrame:
    """Relations of all kinds, some of them to enterprises that have needs."""
    dice = Dice(seed, "relations")
    firms = [organisations.ids[r] for r in organisations.rows_of("enterprise").tolist()]
    asking = list(dict.fromkeys(needs["org_id"].to_list()))
    made: list[dict[str, Any]] = []
    everyone = range(len(people.ids))
    fields = people.table["field"].to_list()
    by_field = _by_field(asking, organisations)
    for kind, share in (("employment", 0.04), ("shareholding", 0.03), ("contract", 0.10)):
        for expert in dice.sample(everyone, max(1, int(share * len(everyone)))):
            near = by_field.get(fields[expert]) or asking
            firm = dice.pick(near) if dice.chance(0.85) else dice.pick(firms)
            made.append(_relation(dice, kind, ("expert", people.ids[expert]), ("organisation", firm)))
    small = [organisations.ids[r] for r in organisations.rows_of("institute", "hospital").tolist()]
    for kind, share in (("contract", 0.6), ("shareholding", 0.25)):
        chosen = dice.sample(small, max(1, int(share * len(small))))
        made += [_relation(dice, kind, ("organisation", org), ("organisation", dice.pick(asking))) for org in chosen]
    helpers = [organisations.ids[r] for r in organisations.rows_of("platform", "investor").tolist()]
    for org in helpers:
        for _ in range(dice.between(1, 3)):
            kind = dice.pick(("cooperation", "shareholding"))
            made.append(_relation(dice, kind, ("organisation", org), ("organisation", dice.pick(firms))))
    made += _between_people(dice, people, works)
    made = list({(r["kind"], r["left_id"], r["right_id"]): r for r in made}.values())
    width = len(str(len(made)))
    return frame("relations", made).with_columns(
        pl.Series("relation_id", [f"R{i + 1:0{width}d}" for i in range(len(made))])
    )


def _by_field(orgs: list[str], organisations: Organisations) -> dict[str, list[str]]:
    field = dict(zip(organisations.ids, organisations.field.tolist(), strict=True))
    grouped: dict[str, list[str]] = {}
    for org in orgs:
        grouped.setdefault(field[org], []).append(org)
    return grouped


def _relation(dice: Dice, kind: str, left: tuple[str, str], right: tuple[str, str]) -> dict[str, Any]:
    since = TODAY - dice.between(200, 3200)
    until = None
    if kind == "contract" or (kind != "family" and dice.chance(0.35)):
        until = since + dice.between(180, 1500)
    ended = until is not None and until < TODAY
    return {
        "kind": kind,
        "left_noun": left[0],
        "left_id": left[1],
        "right_noun": right[0],
        "right_id": right[1],
        "since_on": since.astype(object),
        "until_on": until.astype(object) if until is not None and (ended or dice.chance(0.8)) else None,
        "share": round(0.01 + 0.3 * dice.random() ** 2, 3) if kind == "shareholding" else None,
        "evidence": dice.pick(EVIDENCE[kind]),
    }


def _between_people(dice: Dice, people: Experts, works: pl.DataFrame) -> list[dict[str, Any]]:
    """Co-authors from shared works, and some advisers and relatives."""
    made = []
    teams = works.group_by("work_id", maintain_order=True).agg("expert_id").filter(pl.col("expert_id").list.len() > 1)
    for members in teams["expert_id"].to_list():
        if dice.chance(0.25):
            left, right = sorted(members)[:2]
            made.append(_relation(dice, "coauthor", ("expert", left), ("expert", right)))
    for kind, share in (("adviser", 0.06), ("family", 0.004)):
        for i in dice.sample(range(len(people.ids)), max(1, int(share * len(people.ids)))):
            others = people.team[i] or [(i + 1) % len(people.ids)]
            right = dice.pick(others)
            made.append(_relation(dice, kind, ("expert", people.ids[i]), ("expert", people.ids[right])))
    return made


def conflicts(needs: pl.DataFrame, experts: pl.DataFrame, bonds: pl.DataFrame) -> pl.DataFrame:
    """Pairs of need and expert that must not come together: need_id, expert_id, kind; sorted.

    An expert conflicts with a need when employed by its organisation, or when a relation that still held within YEARS
    before the day of the region binds them: DIRECT to the organisation, PERSONAL to a person employed there, CORPORATE
    between an employer of the expert and the organisation. Where several do, the first of these kinds is named.
    """
    held = _held(bonds)
    people = experts.select("expert_id")
    main = experts.filter(pl.col("org_id").is_not_null()).select(
        pl.lit("employment").alias("kind"), "expert_id", "org_id"
    )
    direct = (
        held.filter(pl.col("kind").is_in(DIRECT))
        .join(people, left_on="a", right_on="expert_id")
        .select("kind", expert_id="a", org_id="b")
    )
    staff = pl.concat([main, direct.filter(pl.col("kind") == "employment")]).select("expert_id", "org_id")
    personal = (
        held.filter(pl.col("kind").is_in(PERSONAL))
        .join(staff, left_on="b", right_on="expert_id")
        .select("kind", expert_id="a", org_id="org_id")
    )
    corporate = (
        held.filter(pl.col("kind").is_in(CORPORATE))
        .join(staff, left_on="a", right_on="org_id")
        .select("kind", "expert_id", org_id="b")
    )
    order = {kind: i for i, kind in enumerate((*DIRECT, *PERSONAL))}
    return (
        needs.select("need_id", "org_id")
        .join(pl.concat([main, direct, personal, corporate]), on="org_id")
        .sort("need_id", "expert_id", pl.col("kind").replace_strict(order))
        .unique(["need_id", "expert_id"], keep="first", maintain_order=True)
        .select("need_id", "expert_id", "kind")
    )


def _held(bonds: pl.DataFrame) -> pl.DataFrame:
    """Relations that held within YEARS before the day of the region, from both sides: kind, a, b."""
    day = TODAY.astype(object)
    earliest = day.replace(year=day.year - YEARS)
    held = bonds.filter(pl.col("until_on").is_null() | (pl.col("until_on") >= earliest))
    one_way = held.select("kind", a="left_id", b="right_id")
    return pl.concat([one_way, one_way.select("kind", a="b", b="a")])
