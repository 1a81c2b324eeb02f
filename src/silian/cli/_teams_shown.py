"""What `silian team` shows: the teams and their cost, the reasons, why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.cli._speech import language, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.table import Table as Grid

    from silian.engines.team import Teams
    from silian.pipeline.teams import Base, Posed

FIGURES: Final = (  # headings of columns of figures
    ("技能数", "skills"), ("需要", "wanted"), ("可选", "who can"), ("人员", "people"), ("距离", "distance"),
    ("磨合", "no history"), ("多花（元）", "more (CNY)"),
)  # fmt: skip


def show_challenges(console: Console, found: pl.DataFrame) -> None:
    if found.is_empty():
        told = say(
            "区域中没有列出技能的需求：请在 challenge_skills 表中逐行填写攻关任务所需技能。",
            "No need states skills: list those that a challenge needs in the table challenge_skills, one row a skill.",
        )
        console.print(told)
        return
    grid = _grid(say("编号", "id"), say("攻关任务", "challenge"), say("技能数", "skills"))
    for need, title, skills in found.iter_rows():
        grid.add_row(need, _safe(title), f"{skills}")
    console.print(grid)


def show_teams(console: Console, base: Base, asked: Posed, found: Teams) -> None:
    """The challenge, the teams, what each member is worth, and why others are not in it; or why there is no team."""
    names = _Names(base)
    need = base.region["needs"].filter(need_id=asked.need_id)
    console.print(f"[bold]{_safe(asked.need_id)} {_safe(need['title'][0])}[/]", highlight=False)
    console.print(_skill_grid(asked))
    if found.teams.is_empty():
        _show_blocks(console, names, asked, found)
        return
    for row in found.teams.iter_rows(named=True):
        told = say(
            "团队 {rank}：{members} 人，{cost:,.0f} 元 = 人员 {people_cost:,.0f} + 距离 {distance_cost:,.0f} "
            "+ 磨合 {history_cost:,.0f}",
            "Team {rank}: {members} members, {cost:,.0f} CNY = people {people_cost:,.0f} + distance "
            "{distance_cost:,.0f} + no history {history_cost:,.0f}",
        )
        console.print(f"\n[bold]{told.format(**row)}[/]", highlight=False)
        console.print(_member_grid(names, found, row["rank"]))
    _show_worth(console, names, asked, found)
    _show_named(console, names, asked, found)
    told = say(
        "人员 = 日费用 × {days:g} 天；距离 = 公里 × {km_cny:g} 元；磨合 = 每对从未合作者 {stranger_cny:,.0f} 元",
        "people = fee × {days:g} days; distance = km × {km_cny:g} CNY; no history = {stranger_cny:,.0f} CNY a pair of "
        "strangers",
    )
    plan = base.plan.team
    words = {"days": plan.days, "km_cny": plan.km_cny, "stranger_cny": plan.stranger_cny}
    console.print("\n" + told.format(**words), style="dim", highlight=False)


def show_proof(console: Console, found: Teams, *, asked: int, seconds: float) -> None:
    proof = found.proof.row(0, named=True)
    if not proof["is_optimal"]:
        if proof["gap"] is None:
            told = say(
                "用时已到（{seconds:g} 秒）：没有找到团队，也未证明没有。可加大 --seconds。",
                "Time is up ({seconds:g} s): no team was found, nor proved that there is none. Try a larger --seconds.",
            )
        elif proof["gap"] > 0:
            told = say(
                "用时已到（{seconds:g} 秒）：这是已找到的最好团队，至多还能省 {gap:,.0f} 元（{share:.1%}）。"
                "可加大 --seconds。",
                "Time is up ({seconds:g} s): the best found; none can save more than {gap:,.0f} CNY ({share:.1%}). "
                "Try a larger --seconds.",
            )
        else:
            told = say(
                "用时已到（{seconds:g} 秒）：第一个团队已证明成本最低，其余未证明。可加大 --seconds。",
                "Time is up ({seconds:g} s): the first team is proved cheapest, the others are not. "
                "Try a larger --seconds.",
            )
        share = proof["gap"] / proof["cost"] if proof["gap"] else 0.0
        console.print(told.format(**proof, seconds=seconds, share=share), style="yellow", highlight=False)
    elif 0 < proof["teams"] < asked:
        told = say(
            "已证明：满足条件且不含多余成员的团队只有以上 {teams} 个。",
            "Proved: there is no other team that keeps the rules with nobody to spare ({teams} in all).",
        )
        console.print(told.format(**proof), style="green", highlight=False)
    elif proof["teams"]:
        console.print(say("已证明：没有成本更低的团队。", "Proved: no team costs less."), style="green")
    if proof["is_optimal"] and (found.reasons["outcome"] == "time").any():
        told = say(
            "用时已到（{seconds:g} 秒），以上理由未全部查明。可加大 --seconds。",
            "Time is up ({seconds:g} s): not every reason is known for sure. Try a larger --seconds.",
        )
        console.print(told.format(seconds=seconds), style="yellow", highlight=False)


class _Names:
    """How people are called on the screen."""

    def __init__(self, base: Base) -> None:
        self.expert = dict(base.region["experts"].select("expert_id", "name").rows())
        self.employer = dict(base.region["experts"].select("expert_id", "org_id").rows())
        self.organisation = dict(base.region["organisations"].select("org_id", "name").rows())

    def of(self, expert: str) -> str:
        return _safe(f"{expert} {self.expert.get(expert) or ''}".strip())

    def several(self, experts: Sequence[str]) -> str:
        return say("、", ", ").join(self.of(expert) for expert in experts)

    def org(self, expert: str) -> str:
        org = self.employer.get(expert)
        return _safe(self.organisation.get(org) or org or "")


def _holders(asked: Posed) -> pl.DataFrame:
    """skill_id, expert_id, is_barred of everybody who has a skill."""
    held = asked.skills.join(asked.challenge, on="skill_id", suffix="_wanted")
    held = held.filter(pl.col("level") >= pl.col("level_wanted"))
    is_barred = pl.col("expert_id").is_in(asked.barred["expert_id"].implode())
    return held.select("skill_id", "expert_id", is_barred=is_barred)


def _short(asked: Posed) -> pl.DataFrame:
    """skill_id, wanted, who: the skills that enough people have, but too few who may come; and who may not."""
    counts = _holders(asked).group_by("skill_id").agg(
        all=pl.len(), can=(~pl.col("is_barred")).sum(), who=pl.col("expert_id").filter("is_barred").sort()
    )  # fmt: skip
    wanted = asked.challenge.join(counts, on="skill_id")
    short = wanted.filter(pl.col("all") >= pl.col("wanted"), pl.col("can") < pl.col("wanted"))
    return short.select("skill_id", "wanted", "who").sort("skill_id")


def _skill_grid(asked: Posed) -> Grid:
    count = dict(_holders(asked).filter(~pl.col("is_barred")).group_by("skill_id").len().rows())
    grid = _grid(say("技能", "skill"), say("名称", "name"), say("需要", "wanted"), say("可选", "who can"))
    for skill, title, wanted in asked.challenge.select("skill_id", "title", "wanted").rows():
        grid.add_row(_safe(skill), _safe(title), f"{wanted}", f"{count.get(skill, 0)}")
    return grid


def _member_grid(names: _Names, found: Teams, rank: int) -> Grid:
    grid = _grid(
        say("成员", "member"), say("单位", "organisation"), say("人员", "people"), say("距离", "distance"),
        say("磨合", "no history"), say("覆盖技能（得分）", "covers (score)"),
    )  # fmt: skip
    covers = found.covers.filter(rank=rank)
    for row in found.members.filter(rank=rank).iter_rows(named=True):
        expert = row["expert_id"]
        held = covers.filter(expert_id=expert).select("skill_id", "level").rows()
        skills = " ".join(f"{_safe(skill)}({level:.2f})" for skill, level in held)
        costs = (f"{row[name]:,.0f}" for name in ("people_cost", "distance_cost", "history_cost"))
        grid.add_row(names.of(expert), names.org(expert), *costs, skills)
    return grid


def _show_worth(console: Console, names: _Names, asked: Posed, found: Teams) -> None:
    told = say(
        "若团队 1 缺少一人：还能怎样组队（＋换上，－换下）", "Team 1 without a member: who would come (+) and go (-)"
    )
    console.print(f"\n[bold]{told}[/]", highlight=False)
    grid = _grid(say("缺少", "without"), say("多花（元）", "more (CNY)"), say("变动", "changes"))
    best, held = _best(found), asked.groups.filter(column="expert_id")["value"].to_list()
    for row in found.reasons.filter(asked="without").filter(~pl.col("expert_id").is_in(held)).iter_rows(named=True):
        grid.add_row(names.of(row["expert_id"]), *_instead(names, row, best))
    console.print(grid)


def _best(found: Teams) -> list[str]:
    return found.members.filter(rank=1)["expert_id"].to_list()


def _instead(names: _Names, row: Mapping[str, Any], best: Sequence[str]) -> tuple[str, str]:
    """What the best team that a reason tells of costs more, and who comes and goes beside the one it is about."""
    if row["outcome"] == "no_team":
        return "–", say("无人可替代", "nobody can stand in")
    if row["extra"] is None:
        return "–", say("用时已到，未查明", "time is up: not known")
    found, about, members = f"{row['extra']:,.0f}", row["expert_id"], row["members"]
    come = [expert for expert in members if expert not in best and expert != about]
    gone = [expert for expert in best if expert not in members and expert != about]
    signs = say("＋", "+ "), say("－", "- ")
    told = "  ".join(sign + names.several(who) for sign, who in zip(signs, (come, gone), strict=True) if who)
    is_sure = row["outcome"] == "proved" or row["extra"] <= 0  # nothing is cheaper than the best team
    return (found if is_sure else f"≤ {found}"), told


def _show_named(console: Console, names: _Names, asked: Posed, found: Teams) -> None:
    rows = found.reasons.filter(asked="with").to_dicts()
    if rows:
        console.print(f"\n[bold]{say('为何未入选', 'Why not')}[/]", highlight=False)
    for row in rows:
        expert = row["expert_id"]
        if row["outcome"] == "conflict":
            told = _barring(asked, expert)
        elif row["outcome"] == "no_skill":
            told = _nearest(asked, expert)
        elif expert in _best(found):
            told = say("已在团队 1 中", "is in team 1")
        elif row["outcome"] == "no_team":
            told = say("没有哪个团队需要此人", "no team has use for them")
        else:
            extra, changes = _instead(names, row, _best(found))
            told = say(f"选用此人则多花 {extra} 元：{changes}", f"a team with them costs {extra} CNY more: {changes}")
        console.print(f"{names.of(expert)}{say('：', ': ')}{told}", highlight=False)


def _nearest(asked: Posed, expert: str) -> str:
    held = asked.skills.filter(expert_id=expert).sort("level", "skill_id", descending=[True, False])
    if held.is_empty():
        return say("与各项技能均不相符", "fits none of the skills")
    skill, level = held.select("skill_id", "level").row(0)
    least = asked.challenge["level"][0]
    return say(
        f"各项技能均未达到 {least:g} 分；最接近 {_safe(skill)}，{level:.2f} 分",
        f"reaches {least:g} in no skill; nearest is {_safe(skill)} with {level:.2f}",
    )


def _barring(asked: Posed, expert: str) -> str:
    """Why a person must not be in the team."""
    from silian.tables.schema import codes

    position = 0 if language() == "zh" else 1
    told = []
    for kind, evidence in asked.barred.filter(expert_id=expert).select("kind", "evidence").rows():
        if kind == "without":
            told.append(say("已要求不入选", "left out as asked"))
        elif kind == "free":
            told.append(say("已无可承接名额（可承接数为 0）", "can take no further need (free is 0)"))
        elif kind == "veto":
            told.append(say(f"规则否决 {_safe(evidence)}", f"vetoed by rule {_safe(evidence)}"))
        else:
            label = codes()["conflict_kind"][kind][position]
            told.append(
                say(f"利益冲突：{label}（{_safe(evidence)}）", f"conflict of interest: {label} ({_safe(evidence)})")
            )
    return say("；", "; ").join(told)


# ── why there is none ───────────────────────────────────────────────────────────────────────────────────────────────


def _show_blocks(console: Console, names: _Names, asked: Posed, found: Teams) -> None:
    if found.blocks.is_empty():
        return
    console.print(
        "\n" + say("没有符合条件的团队，因为以下各项不能同时满足：", "There is no team: these cannot all be kept."),
        style="bold red", highlight=False,
    )  # fmt: skip
    title = dict(asked.challenge.select("skill_id", "title").rows())
    for row in found.blocks.iter_rows(named=True):
        console.print("  " + _block(names, asked, title, row), highlight=False)
    told = set(found.blocks["subject"])
    for skill, wanted, who in _short(asked).rows():
        if skill not in told:
            barred = say("；", "; ").join(f"{names.of(e)}{say('：', ': ')}{_barring(asked, e)}" for e in who)
            named = _safe(f"{skill} {title[skill]}")
            line = say(
                f"技能 {named}：需 {wanted} 人，不得入选者 —— {barred}", f"skill {named}: {wanted} wanted, but {barred}"
            )
            console.print("  " + line, highlight=False)


def _block(names: _Names, asked: Posed, title: Mapping[str, str], row: Mapping[str, Any]) -> str:
    subject, wanted, found = row["subject"], row["wanted"], row["found"]
    value = subject.partition(" = ")[2]
    match row["rule"]:
        case "skill":
            named = _safe(f"{subject} {title[subject]}")
            told = say(
                f"技能 {named}：需 {wanted} 人，具备者 {found} 人", f"skill {named}: {wanted} wanted, {found} have it"
            )
            return told + _nearest_of(names, asked, row)
        case "at_least":
            told = say(f"{names.of(value)} 必须入选", f"{names.of(value)} must be in")
        case "at_most":
            org = _safe(names.organisation.get(value) or value)
            told = say(f"{org} 至多 {wanted} 人", f"{org}: at most {wanted}")
        case "largest":
            would_do = "" if found is None else say(f"（至少需要 {found} 人）", f" ({found} would do)")
            told = say(f"团队至多 {wanted} 人", f"at most {wanted} members") + would_do
        case "apart":
            both = names.several(subject.split(", "))
            told = say(f"{both} 不得同组", f"{both} must not serve together")
        case _:
            told = f"{names.of(subject)}{say('：', ': ')}{_barring(asked, subject)}"
    return told


def _nearest_of(names: _Names, asked: Posed, row: Mapping[str, Any]) -> str:
    if row["nearest_id"] is None or row["found"] >= row["wanted"]:
        return ""
    near, level, least = names.of(row["nearest_id"]), row["nearest_level"], asked.challenge["level"][0]
    return say(
        f"；最接近的是 {near}（{level:.2f} 分，要求 {least:g}）", f"; nearest is {near} ({level:.2f}, {least:g} wanted)"
    )


def _grid(*headings: str) -> Grid:
    from rich.table import Table

    figures = {say(*words) for words in FIGURES}
    grid = Table(show_edge=False)
    for heading in headings:
        grid.add_column(heading, overflow="fold", justify="right" if heading in figures else "left")
    return grid


def _safe(text: str) -> str:
    from rich.markup import escape

    return escape(text)
