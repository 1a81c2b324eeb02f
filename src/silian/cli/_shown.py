"""What commands show when they are done: tables and lines on the screen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from silian.cli._speech import language, say
from silian.errors import RunError, SilianError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl
    from rich.console import Console

    from silian.engines.allocate import Edit, Lottery, Repair, Standing
    from silian.pipeline import Run
    from silian.pipeline.indexes import Kept
    from silian.pipeline.replies import Replies
    from silian.tables.schema import Table

STALE = 0.4  # share of an index that is not what it learnt from; above, it is time to build anew (methods/match.md)
ROOMS_APART = 3  # rooms of experts or needs in a clash that are told one by one; more share a sentence
SHOWN_IDS = 12


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=False)


def show_run(console: Console, done: Run) -> None:
    from rich.table import Table

    from silian.tables.schema import codes, results

    position = 0 if language() == "zh" else 1
    table = Table(title=say("运行结果", "Results"), title_justify="left", show_header=False)
    if "summary.parquet" in done.receipt["files"]:
        for name, value in done.table("summary").iter_rows():
            table.add_row(codes()["summary"][name][position], f"{value:,.1f}" if value % 1 else f"{value:,.0f}")
    else:
        for step in done.receipt["steps"]:
            for name, rows in step["rows"].items():
                if name in results():
                    table.add_row(results()[name].label(language()), f"{rows:,}")
    table.columns[1].justify = "right"
    console.print(table)
    if "proof.parquet" in done.receipt["files"]:
        show_proof(console, done.table("proof").row(0, named=True), done.receipt["plan"]["allocate"]["seconds"])
    page = done.path / "report.html"
    shown = page if page.exists() else done.path
    console.print(
        say(f"报告：{shown}", f"Report: {shown}") if page.exists() else say(f"结果：{shown}", f"Results: {shown}")
    )


def show_proof(console: Console, proof: dict[str, float], seconds: float) -> None:
    """How far the assignment may be from the best, where it is not proved to be that."""
    lines = []
    if not proof["is_optimal"]:
        share = math.ceil(1e4 * proof["gap"] / proof["total"]) / 1e4 if proof["total"] else 0.0  # up: a bound stays one
        told = say(
            "指派未证明最优：总得分 {total:,.2f}，任何方案至多再高 {share:.2%}。",
            "Not proved to be the best assignment: its total is {total:,.2f}; none is more than {share:.2%} higher.",
        )
        lines.append(told.format(total=proof["total"], share=share))
    if proof["floor"] is not None and proof["floor_bound"] > proof["floor"] * (1 + 1e-9):
        told = say(
            "受保护需求的得分均不低于 {floor:.3f}；能否更高尚未证明，至多 {bound:.3f}。",
            "Every protected need scores {floor:.3f} or more; more is not ruled out, up to {bound:.3f}.",
        )
        lines.append(told.format(floor=proof["floor"], bound=proof["floor_bound"]))
    if lines and seconds:
        told = say(
            "搜索限时 {:g} 秒（allocate.seconds）；延长时限或可更好。",
            "The search had {:g} s (allocate.seconds); with more it may get better.",
        )
        lines.append(told.format(seconds))
    for line in lines:
        console.print(line, style="yellow", highlight=False)


def show_kept(console: Console, kept: Kept, out: Path) -> None:
    from silian.engines.match import growth

    index, size = kept.index, f"{out.stat().st_size / 1e6:,.1f} MB"
    noun = say("项成果", "achievements") if index.kind == "achievements" else say("位专家", "experts")
    held = f"{len(index):,} {noun}"
    if kept.changes is None:
        told = say("索引已建立：{}（编码器 {}），写入 {}（{}）", "Index of {} built (encoder {}); it lies in {} ({})")
        console.print(told.format(held, index.encoder.name, out, size))
        return
    counts = dict.fromkeys(("new", "edited", "same", "gone"), 0) | dict(kept.changes["change"].value_counts().rows())
    if kept.is_written:
        told = say(
            "索引已更新：新增 {new:,}，改动 {edited:,}，未变 {same:,}；现有 {held}，写入 {out}（{size}）",
            "Index extended: {new:,} new, {edited:,} edited, {same:,} unchanged; {held} now, in {out} ({size})",
        )
    else:
        told = say("索引已是最新：{out} 现有 {held}，未作改动", "Index up to date: {out} holds {held}, left as it was")
    console.print(told.format(held=held, out=out, size=size, **counts))
    if counts["gone"]:
        told = say(
            "其中 {gone:,} 项不在此区域中，仍予保留；如要去掉，请用 --replace 重新建立",
            "{gone:,} of them are not in this region and stay; build anew with --replace to be rid of them",
        )
        console.print(told.format(**counts))
    moved = growth(index).share
    if moved > STALE:
        told = say(
            "{:.0%} 与建立时不同，词语权重已不相称；请用 --replace 重新建立",
            "{:.0%} is not what the words were weighed by; build anew with --replace",
        )
        console.print(told.format(moved))


def show_answers(console: Console, found: pl.DataFrame, *, is_named: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    if found.is_empty():
        console.print(
            say(
                "没有找到相关内容；换个说法，或写得更具体些。",
                "Nothing fits; say it in other words, or in more detail.",
            )
        )
        return
    table = Table(show_edge=False)
    named = [say("名称", "name")] if is_named else []
    for heading in ("#", say("编号", "id"), *named, say("得分", "score"), say("共有词语", "shared terms")):
        table.add_column(heading, overflow="fold")
    for rank, target, name, score, terms in found.iter_rows():
        shown = (target, name) if is_named else (target,)
        table.add_row(str(rank), *(escape(str(v or "")) for v in shown), f"{score:.2f}", escape("、".join(terms)))
    console.print(table)
    if not is_named:
        console.print(
            say("索引只存编号；同时给出 REGION 可显示名称。", "An index holds ids only; give REGION too to see names.")
        )


def show_verdict(console: Console, done: Edit) -> None:
    """Why moves may not be made, and which rules they would break."""
    from silian.engines.allocate import worded
    from silian.tables.schema import codes

    reasons, position = codes()["move_reason"], 0 if language() == "zh" else 1
    for what, need, expert, is_allowed, reason in done.verdict.iter_rows():
        if not is_allowed:
            told = say("不能{what} {need} {expert}：{why}", "{need} {expert} cannot be {what}: {why}")
            action = {"add": say("指派", "added"), "remove": say("撤下", "removed")}[what]
            line = told.format(what=action, need=need, expert=expert, why=reasons[reason][position])
            console.print(line, style="red", highlight=False, markup=False)
    for rule in worded(done.broken, language=language()):
        console.print(f"  {rule}", highlight=False, markup=False)


def show_replies(console: Console, replies: Replies) -> None:
    told = say(
        "答复：接受 {} 对，谢绝 {} 对，减少名额 {} 人", "Replies: {} accepted, {} declined, {} with fewer places"
    )
    console.print(told.format(*(part.height for part in replies[:3])), highlight=False)
    if replies.notes.height:
        show_problems(console, replies.notes, rows=10)


def show_draw(console: Console, done: Lottery, *, seed: int) -> None:
    figures = done.figures.row(0, named=True)
    lines = (
        say(
            "抽中 {drawn:,} 对，总得分 {total:.2f}（种子 {seed}；换一个种子即另抽一次）",
            "{drawn:,} pairs were drawn, total {total:.2f} (seed {seed}; another seed, another draw)",
        ),
        say(
            "全部抽签平均总得分 {expected_total:.2f}，不抽签时最高 {best_total:.2f}："
            "随机的代价 {cost:.2f}（{cost_share:.1%}）",
            "Mean total of all draws {expected_total:.2f}, best without chance {best_total:.2f}: "
            "chance costs {cost:.2f} ({cost_share:.1%})",
        ),
        say(
            "任何一对出现的概率不超过 {largest_probability:.0%}；可能出现的共 {possible:,} 对",
            "No pair is more probable than {largest_probability:.0%}; {possible:,} pairs may come out",
        ),
    )
    counts = {"drawn": done.assigned.height, "possible": done.probabilities.height, "seed": seed}
    for line in lines:
        console.print(line.format(**figures, **counts), highlight=False)
    missing = int(done.unmet["missing"].sum())
    if missing:
        told = say("本次抽签尚缺专家 {:,} 人次", "{:,} places stay open in this draw")
        console.print(told.format(missing), highlight=False)


def show_changes(console: Console, done: Repair | Edit, before: Standing) -> None:
    from silian.tables.schema import repair

    figures = done.figures.row(0, named=True)
    if done.changes.is_empty():
        console.print(say("没有变动。", "Nothing moves."))
    else:
        _show_table(console, done.changes, repair()["changes"])
    told = say(
        "保留 {kept:,} 对，撤下 {removed:,}，新增 {added:,}；总得分 {before} → {after}（{difference:+.2f}）",
        "{kept:,} pairs stay, {removed:,} go, {added:,} come; total {before} → {after} ({difference:+.2f})",
    )
    totals = {"before": f"{figures['total_before']:.2f}", "after": f"{figures['total']:.2f}"}
    console.print(told.format(**figures, **totals), highlight=False)
    if not figures["is_optimal"]:
        told = say(
            "用时已到：这是已找到的最好方案，未证明变动最少。可加大 --seconds 再试。",
            "Time is up: the best that was found, not proved to move the fewest. Try a larger --seconds.",
        )
        if figures["gap"] is not None:
            told = say(
                "已证明变动最少；变动同样少的方案总得分至多还能高出 {gap:.2f}。可加大 --seconds 再试。",
                "Proved to move the fewest; the total could be {gap:.2f} better at most. Try a larger --seconds.",
            ).format(**figures)
        console.print(told, style="yellow")
    missing, lacked = (int(s.unmet["missing"].sum()) for s in (done.standing, before))
    if missing != lacked:
        told = say("尚缺专家 {} 人次（原 {}）", "{} places stay open ({} before)")
        console.print(told.format(missing, lacked), highlight=False)


def show_why(console: Console, found: pl.DataFrame, standing: Standing, need: str) -> None:
    from silian.tables.schema import codes, repair

    wanted = standing.problem.demand.filter(need_id=need)["wanted"].item()
    told = say("需求 {need}：需要 {wanted} 位专家，已指派 {got} 位", "Need {need}: wants {wanted}, has {got}")
    line = told.format(need=need, wanted=wanted, got=standing.assigned.filter(need_id=need).height)
    for reason in standing.unmet.filter(need_id=need)["reason"]:
        line += say("；尚缺：", "; short: ") + codes()["unmet_reason"][reason][0 if language() == "zh" else 1]
    console.print(line, highlight=False, markup=False)
    if found.is_empty():
        told = say(
            "没有候选专家：无人匹配，也无人有利益冲突。仍可用 silian allocate edit --add 试派。",
            "No candidates: nobody matched it, nor is anybody in conflict. Try one with silian allocate edit --add.",
        )
        console.print(told)
        return
    _show_table(console, found.drop("need_id", "margin", "need_price", "expert_price"), repair()["why"])


def _show_table(console: Console, found: pl.DataFrame, schema: Table) -> None:
    """A table of the schema with its labels, codes in words."""
    from rich.markup import escape
    from rich.table import Table as Grid

    from silian.tables.schema import codes

    position = 0 if language() == "zh" else 1
    known = {column.name: column for column in schema.columns}
    columns = [known[name] for name in found.columns]
    grid = Grid(show_edge=False)
    for column in columns:
        grid.add_column(column.label(language()), overflow="fold")

    def shown(value: object, values: str | None) -> str:
        if isinstance(value, bool):
            return say("是", "yes") if value else say("否", "no")
        if isinstance(value, float):
            return f"{value:.3f}"
        named = codes()[values][str(value)][position] if values and value is not None else value
        return escape(str("" if named is None else named))

    for row in found.iter_rows():
        grid.add_row(*(shown(v, c.codes) for v, c in zip(row, columns, strict=True)))
    console.print(grid)


def show_measures(console: Console, measures: pl.DataFrame) -> None:
    from rich.table import Table

    from silian.tables.schema import codes

    position = 0 if language() == "zh" else 1
    for (split, titles, pairs), own in measures.group_by("split", "titles", "pairs", maintain_order=True):
        name = codes()["quality_split"][str(split)][position]
        told = say(f"{name}：{titles:,} 个需求名称，{pairs:,} 对", f"{name}: {titles:,} titles, {pairs:,} pairs")
        table = Table(title=told, title_justify="left")
        for heading in (say("指标", "measure"), say("数值", "value"), say("95% 区间", "95 % interval")):
            table.add_column(heading, justify="left" if not table.columns else "right")
        for measure, value, low, high in own.select("measure", "value", "low", "high").iter_rows():
            table.add_row(codes()["quality_measure"][measure][position], f"{value:.3f}", f"{low:.3f} – {high:.3f}")
        console.print(table)


def show_problems(console: Console, found: pl.DataFrame, *, rows: int) -> None:
    import polars as pl
    from rich.markup import escape
    from rich.table import Table

    counts = found.group_by("code", "grave").agg(pl.len(), first=pl.format("{}:{}", "file", "row").first())
    table = Table(show_edge=False)
    for heading in (
        say("位置", "where"),
        say("列", "column"),
        say("代码", "code"),
        say("内容", "found"),
        say("处理办法", "what to do"),
    ):
        table.add_column(heading, overflow="fold")
    remedy = "remedy_zh" if language() == "zh" else "remedy"
    for r in found.sort("grave", descending=True, maintain_order=True).head(rows).iter_rows(named=True):
        style = "red" if r["grave"] else None
        where = r["file"] + (f":{r['row']}" if r["row"] else "")
        table.add_row(
            *(escape(str(v or "")) for v in (where, r["column"], r["code"], r["found"], r[remedy])), style=style
        )
    console.print(table)
    if found.height > rows:
        for code, grave, count, first in counts.sort("len", "code", descending=[True, False]).iter_rows():
            console.print(f"{count:>8,}  {code}{' !' if grave else ''}  {escape(first or '')}", highlight=False)


def _show_clash(console: Console, error: SilianError) -> None:
    """The smallest set of rules that clash, and the cheapest way out, one sentence a line."""
    from silian.pipeline.assignment import clash_rows

    rows = error.problems if error.code == "run.clash" else clash_rows(error)
    if rows is None:
        return
    clash, way = rows.filter(part="clash", clash=1), rows.filter(part="relaxation")
    sets = rows["clash"].drop_nulls().n_unique()
    which = say("如下", "as follows")
    if sets > 1:
        which = say(f"最小的一组（共 {sets} 组）", f"the smallest of {sets} sets")
    headings = (
        say(f"相互冲突的规则，{which}；至少放宽其中一条：", f"Rules that clash, {which}; one of them has to give way:"),
        say("代价最小的放宽办法：", "The cheapest way out:"),
    )
    for heading, table in zip(headings, (clash, way), strict=True):
        if table.height:
            console.print(heading, highlight=False)
            for words in _sentences(table):
                console.print(f"  · {words}", highlight=False, markup=False)


def _sentences(table: pl.DataFrame) -> Iterator[str]:
    """A sentence for each rule; experts whose places are all needed, or needs that are full, share one."""
    import polars as pl

    is_way = table["part"][0] == "relaxation"
    rooms = {
        "free": say("这些专家的名额合计 {:g} 个：{}", "these experts have {:g} places in all: {}"),
        "wanted": say("这些需求合计只需 {:g} 位专家：{}", "these needs want {:g} experts in all: {}"),
    }
    if is_way:
        rooms = {
            "free": say("以下专家共增加 {:g} 个名额：{}", "give these experts {:g} more places in all: {}"),
            "wanted": say("以下需求共多接受 {:g} 位专家：{}", "let these needs take {:g} experts more in all: {}"),
        }
    alike = {rule: table.filter(rule=rule) for rule in rooms}
    alike = {rule: rows for rule, rows in alike.items() if rows.height > ROOMS_APART}
    yield from table.filter(~pl.col("rule").is_in(list(alike)))[f"says_{language()}"]
    for rule, rows in alike.items():
        who = rows["expert" if rule == "free" else "need"].to_list()
        ids = say("、", ", ").join(who[:SHOWN_IDS])
        if len(who) > SHOWN_IDS:
            ids += say(f" 等 {len(who)} 个", f" and {len(who) - SHOWN_IDS} more")
        yield rooms[rule].format(rows["by" if is_way else "limit"].sum(), ids)


def show_error(error: SilianError) -> None:
    click.secho(f"[{error.code}] {error.message(language())}", fg="red", err=True)
    if error.code in ("run.clash", "allocate.clash"):
        _show_clash(console(stderr=True), error)
    elif isinstance(error, RunError) and error.problems is not None:
        show_problems(console(stderr=True), error.problems, rows=10)
