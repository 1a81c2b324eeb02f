"""What stands beside needs and achievements: facilities, funds, policies, projects with outcomes, yearly figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.tables.schema import codes
from silian.tables.synth._dice import Dice, generator
from silian.tables.synth._frames import frame
from silian.tables.synth._needs import TODAY
from silian.tables.synth._organisations import STEM
from silian.tables.synth._vocabulary import rows

if TYPE_CHECKING:
    from silian.tables.synth._experts import Experts
    from silian.tables.synth._organisations import Organisations
    from silian.tables.synth._places import Places
    from silian.tables.synth._vocabulary import Vocabulary

FIRST_YEAR, LAST_YEAR = 2016, 2025
STAGES: Final = ("lead", "talk", "contract", "delivery", "acceptance", "outcome", "lost")
STAGE_SHARES: Final = (0.12, 0.16, 0.17, 0.22, 0.10, 0.15, 0.08)
# indicator: (a figure of a district of 400,000 people in 2016, growth a year, how unequal districts are)
INDICATORS: Final = {
    "gdp_cny": (2.6e10, 0.072, 0.35),
    "rd_spend_cny": (4.2e8, 0.125, 0.6),
    "rd_spend_enterprise_cny": (3.2e8, 0.13, 0.6),
    "rd_spend_government_cny": (7.0e7, 0.10, 0.4),
    "rd_staff_fte": (1300.0, 0.09, 0.55),
    "talents": (260.0, 0.08, 0.6),
    "papers": (420.0, 0.085, 0.9),
    "patents_granted": (150.0, 0.14, 0.7),
    "patents_valid": (520.0, 0.17, 0.7),
    "tech_contract_cny": (1.6e8, 0.22, 0.8),
    "high_tech_firms": (28.0, 0.19, 0.6),
    "new_product_revenue_cny": (2.4e9, 0.12, 0.6),
    "high_tech_revenue_cny": (1.9e9, 0.115, 0.7),
    "venture_capital_cny": (6.0e7, 0.15, 1.0),
    "loans_science_cny": (5.5e8, 0.18, 0.7),
}
COUNTS: Final = ("rd_staff_fte", "talents", "papers", "patents_granted", "patents_valid", "high_tech_firms")


def facilities(
    n: int, seed: int, vocabulary: Vocabulary, organisations: Organisations, people: Experts
) -> pl.DataFrame:
    """Laboratories, instruments, pilot lines and test sites of universities, institutes and some enterprises."""
    dice = Dice(seed, "facilities")
    listed = {kind: [r for r in rows("facilities") if r["kind"] == kind] for kind in codes()["facility_kind"]}
    district = organisations.table["district_id"].to_list()
    members: dict[int, list[int]] = {}
    for i, org in enumerate(people.org.tolist()):
        if org >= 0:
            members.setdefault(org, []).append(i)
    owners = sorted(members)
    width = len(str(n))
    made = []
    for i in range(n):
        org = dice.pick(owners)
        t = int(people.things[dice.pick(members[org])][0])
        kind = dice.weighted(list(listed), (0.25, 0.4, 0.14, 0.18, 0.03))
        shape = dice.pick(listed[kind])
        slots = {"b": vocabulary.things[t].name, "f": vocabulary.family(t).name}
        row: dict[str, Any] = {"facility_id": f"F{i + 1:0{width}d}", "org_id": organisations.ids[org], "kind": kind}
        row |= {"name": shape["name"].format_map(slots), "text": shape["text"].format_map(slots)}
        row |= {"field": vocabulary.field(t), "district_id": district[org]}
        row |= {"is_open": dice.chance(0.82), "booking": dice.pick(BOOKING) if dice.chance(0.8) else None}
        row["fee_cny"] = float(dice.pick((50, 80, 100, 150, 200, 300, 500, 800, 1200))) if dice.chance(0.6) else None
        made.append(row)
    return frame("facilities", made)


EFFECTS: Final = ("用户复购，产线满负荷", "已通过客户验收并批量供货", "节省成本明显，准备扩大应用", None)
BOOKING: Final = (
    "提前三个工作日网上预约，优先服务本市中小企业",
    "对外开放，按机时收费，首次使用需培训",
    "凭创新券可抵扣费用",
    "工作日开放，样品可邮寄",
    "面向合作企业开放，需签订使用协议",
    "全年开放，重大项目可安排夜间机时",
)


def funds(seed: int, places: Places, organisations: Organisations, fields: list[str]) -> pl.DataFrame:
    """Funds, loans, grants and insurance that can be applied for."""
    dice = Dice(seed, "funds")
    runners = [organisations.ids[r] for r in organisations.rows_of("investor").tolist()]
    whole = [(r, None) for r in rows("funds")]
    local = [(r, d) for d in range(len(places.ids)) for r in rows("funds") if r["local"] and dice.chance(0.35)]
    made = []
    for i, (r, d) in enumerate([*whole, *local]):
        low, high = float(r["ticket_min"]), float(r["ticket_max"])
        share = 1.0 if d is None else 0.3
        place = f"{STEM}市" if d is None else places.names[d]
        chosen = dice.sample(fields, dice.between(3, 6)) if r["by_field"] else None
        made.append(
            {
                "fund_id": f"K{i + 1:03d}",
                "org_id": dice.pick(runners) if runners else None,
                "name": r["name"].format(place=place),
                "kind": r["kind"],
                "amount_cny": round(float(r["amount"]) * share * (0.7 + 0.6 * dice.random()), -6),
                "ticket_min_cny": low,
                "ticket_max_cny": high,
                "fields": chosen,
                "trl_min": int(r["trl_min"]),
                "trl_max": int(r["trl_max"]),
                "district_id": None if d is None else places.ids[d],
                "text": r["text"],
            }
        )
    return frame("funds", made)


def policies(seed: int, places: Places, fields: list[str]) -> pl.DataFrame:
    """Policy documents of the city, its districts and above, with their clauses."""
    dice = Dice(seed, "policies")
    whole = [(r, None) for r in rows("policies")]
    local = [(r, d) for d in range(len(places.ids)) for r in rows("policies") if r["local"] and dice.chance(0.4)]
    made = []
    for i, (r, d) in enumerate([*whole, *local]):
        amount = float(r["amount_max"]) * (1.0 if d is None else 0.5) if r["amount_max"] else None
        year = dice.between(2021, 2026)
        starts = np.datetime64(f"{year}-01-01") + dice.between(0, 200)
        place, head = (f"{STEM}市", f"{STEM[0]}政") if d is None else (places.names[d], f"{places.names[d][:2]}政")
        is_ours = r["level"] == "city"
        made.append(
            {
                "policy_id": f"Z{i + 1:03d}",
                "title": r["title"].format(place=place),
                "level": r["level"] if d is None else ("park" if "新区" in place or "高新" in place else "county"),
                "kind": r["kind"],
                "department": r["department"].format(place=place),
                "document_no": f"{head}办发〔{year}〕{dice.between(2, 68)}号" if is_ours else None,
                "valid_from_on": starts.astype(object),
                "valid_until_on": (starts + 365 * dice.between(2, 5)).astype(object) if dice.chance(0.8) else None,
                "amount_max_cny": amount,
                "fields": dice.sample(fields, dice.between(2, 5)) if r["by_field"] else None,
                "text": r["text"].format(
                    place=place, amount=f"{amount / 10_000:g}万元" if amount else "", year=starts.astype(object).year
                ),
            }
        )
    return frame("policies", made)


def projects(
    seed: int,
    n: int,
    needs: pl.DataFrame,
    achievements: pl.DataFrame,
    matches: pl.DataFrame,
    fund_ids: list[str],
) -> pl.DataFrame:
    """Cooperation that grew from needs and achievements that match."""
    dice = Dice(seed, "projects")
    pairs = matches.filter(pl.col("level") >= 3).select("need_id", "achievement_id").rows()
    need = {r["need_id"]: r for r in needs.iter_rows(named=True)}
    achievement = {r["achievement_id"]: r for r in achievements.iter_rows(named=True)}
    chosen = dice.sample(pairs, n) if len(pairs) < 20_000 else [dice.pick(pairs) for _ in range(n)]
    made: list[dict[str, Any]] = []
    for i, (need_id, achievement_id) in enumerate(dict.fromkeys(chosen)):
        asks, offers = need[need_id], achievement[achievement_id]
        stage = dice.weighted(STAGES, STAGE_SHARES) if made else "outcome"  # at least one took effect
        signed = stage in ("contract", "delivery", "acceptance", "outcome")
        started = TODAY - (dice.between(60, 900) if made else 800)
        over = stage in ("acceptance", "outcome", "lost")
        year = started.astype(object).year
        made.append(
            {
                "project_id": f"X{i + 1:05d}",
                "title": offers["title"] + dice.pick(("合作开发", "成果转化", "工程化应用", "转化项目")),
                "need_id": need_id,
                "achievement_id": achievement_id,
                "org_id": asks["org_id"],
                "partner_org_id": offers["org_id"],
                "expert_ids": offers["expert_ids"],
                "fund_id": dice.pick(fund_ids) if fund_ids and signed and dice.chance(0.4) else None,
                "stage": stage,
                "contract_kind": dice.pick(("development", "development", "licence", "transfer", "service"))
                if signed
                else None,
                "contract_no": f"{year}52{dice.between(1, 999_999):06d}" if signed else None,
                "amount_cny": float(dice.pick((10, 20, 30, 50, 80, 120, 200, 350)) * 10_000) if signed else None,
                "started_on": started.astype(object),
                "ended_on": min(started + (dice.between(180, 720) if made else 300), TODAY - 5).astype(object)
                if over
                else None,
            }
        )
    return frame("projects", made)


def outcomes(seed: int, given: pl.DataFrame) -> pl.DataFrame:
    """Follow-ups of projects that took effect."""
    dice = Dice(seed, "outcomes")
    made: list[dict[str, Any]] = []
    for project in given.filter(pl.col("stage") == "outcome").iter_rows(named=True):
        sales = float(dice.pick((20, 50, 80, 150, 300, 600, 1200)) * 10_000)
        for months in (6, 12, 24)[: dice.between(1, 3)]:
            on = np.datetime64(project["ended_on"]) + 30 * months
            if on > TODAY:
                break
            sales = round(sales * (1.0 + 0.5 * dice.random()), -4)
            made.append(
                {
                    "outcome_id": f"Y{len(made) + 1:05d}",
                    "project_id": project["project_id"],
                    "measured_on": on.astype(object),
                    "months_after": months,
                    "sales_cny": sales if dice.chance(0.9) else None,
                    "jobs": dice.between(0, 25),
                    "patents": dice.between(0, 4),
                    "trl_reached": dice.between(7, 9),
                    "text": dice.pick(EFFECTS),
                }
            )
    return frame("outcomes", made)


def indicators(seed: int, places: Places) -> pl.DataFrame:
    """Figures of each district and year: smooth growth, some noise, districts of differing level."""
    rng = generator(seed, "indicators")
    years = np.arange(FIRST_YEAR, LAST_YEAR + 1)
    people = places.districts["population"].to_numpy() / 4e5
    strength = rng.normal(size=len(people))
    tables = []
    for name in codes()["indicator"]:
        base, growth, spread = INDICATORS[name]
        level = base * people * np.exp(spread * (0.8 * strength + 0.6 * rng.normal(size=len(people))))
        pace = growth + rng.normal(0, 0.018, size=len(people))
        bend = rng.normal(0, 0.0025, size=len(people))
        t = (years - FIRST_YEAR)[None, :]
        noise = np.cumsum(rng.normal(0, 0.012, size=(len(people), len(years))), axis=1)
        value = level[:, None] * np.exp(pace[:, None] * t + bend[:, None] * t**2 + noise)
        value = np.round(value) if name in COUNTS else np.round(value, -4)
        tables.append(
            pl.DataFrame(
                {
                    "district_id": np.repeat(places.ids, len(years)),
                    "year": np.tile(years, len(people)),
                    "indicator": name,
                    "value": value.ravel(),
                    "source": [f"{y + 1}年统计年鉴" for y in np.tile(years, len(people)).tolist()],
                }
            )
        )
    return pl.concat(tables).sort("district_id", "year", "indicator")
