"""The command line: what each command leaves, says and returns."""

import re
import shutil
import signal
import subprocess
import sys
import tomllib

import click
import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner
from places import ROOT, TINY

from silian import __version__, cli
from silian.cli import _options, _shown
from silian.pipeline import Plan, Run
from silian.tables import schema

pytestmark = pytest.mark.long


@pytest.fixture(params=["zh", "en"])
def language(request, monkeypatch):
    monkeypatch.setenv("SILIAN_LANG", request.param)
    return request.param


def call(*arguments):
    return CliRunner().invoke(cli.cli, [str(a) for a in arguments])


def test_version_is_that_of_the_package():
    assert __version__ in call("--version").output


def test_help_loads_nothing_heavy():
    script = "import sys; from silian import cli; print([m for m in ('polars', 'numpy', 'rich') if m in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_plan_prints_a_plan_that_can_be_read():
    assert Plan.of(tomllib.loads(call("plan").output)) == Plan()


def test_template_is_a_workbook_that_opens(tmp_path):
    done = call("template", tmp_path / "book.xlsx")

    assert done.exit_code == 0
    assert len(openpyxl.load_workbook(tmp_path / "book.xlsx").sheetnames) > 16


def test_synth_then_check_finds_nothing_grave(tmp_path, language):
    made = call("synth", "--size", "tiny", "--out", tmp_path / "region")
    checked = call("check", tmp_path / "region", "--out", tmp_path / "problems.csv")

    assert (made.exit_code, checked.exit_code) == (0, 0), made.output + checked.output
    assert pl.read_csv(tmp_path / "problems.csv")["grave"].cast(pl.String).is_in(["false"]).all()
    assert ("严重 0 个" if language == "zh" else "0 of them grave") in checked.output


def test_check_of_a_region_with_grave_problems_exits_with_3(tmp_path, language):
    region = shutil.copytree(TINY, tmp_path / "region")
    (region / "needs.csv").unlink()

    done = call("check", region)

    assert done.exit_code == 3
    assert "needs" in done.output


def test_run_prints_a_summary_and_where_the_report_lies(tmp_path, language):
    done = call("run", TINY, "--plan", TINY / "plan.toml", "--out", tmp_path / "run")

    assert done.exit_code == 0, done.output
    assert ("断档" if language == "zh" else "Breaks") in done.output
    assert "report.html" in done.output.replace("\n", "")
    again = call("report", TINY, "--plan", TINY / "plan.toml", "--out", tmp_path / "run")
    assert ("沿用" if language == "zh" else "taken over") in again.output


@pytest.mark.parametrize(("command", "leaves"), [("match", "expert_pairs"), ("allocate", "assigned"), ("gaps", "gaps")])
def test_single_steps_leave_their_tables(tmp_path, command, leaves):
    done = call(command, TINY, "--out", tmp_path / "run")

    assert done.exit_code == 0, done.output
    assert (tmp_path / "run" / f"{leaves}.parquet").exists()
    assert not (tmp_path / "run" / "report.html").exists()


@pytest.mark.cluster
def test_run_option_says_where_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("SILIAN_LANG", "en")

    done = call("match", TINY, "--out", tmp_path / "run", "--run", "ray:local:1")

    assert done.exit_code == 0, done.output
    assert "runs on ray:local:1: 1 machine(s), 1 worker(s)" in done.output
    assert (tmp_path / "run" / "expert_pairs.parquet").exists()


def test_run_option_refuses_a_place_that_does_not_exist(tmp_path, language):
    done = call("match", TINY, "--out", tmp_path / "run", "--run", "the moon")

    assert done.exit_code == 1
    assert "[compute.name]" in done.output
    assert ("没有名为 'the moon' 的运行位置" if language == "zh" else "no place 'the moon' to run") in done.output
    assert not (tmp_path / "run").exists()


def test_report_needs_a_finished_run(tmp_path, language):
    done = call("report", TINY, "--out", tmp_path / "run")

    assert done.exit_code == 1
    assert "[run.missing]" in done.output


def test_run_of_a_region_with_grave_problems_exits_with_3(tmp_path, language):
    region = shutil.copytree(TINY, tmp_path / "region")
    (region / "needs.csv").write_text("need_id\n", encoding="utf-8")

    done = call("run", region, "--out", tmp_path / "run")

    assert done.exit_code == 3, done.output
    assert "[run.grave]" in done.output
    assert (tmp_path / "run.problems.csv").exists()


@pytest.mark.parametrize("arguments", [["run"], ["synth", "--size", "huge", "--out", "x"], ["nothing"]])
def test_wrong_usage_exits_with_2(arguments):
    assert call(*arguments).exit_code == 2


def test_real_says_where_the_data_is_absent(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "real_region.py", tmp_path / "region"],
        env={"SILIAN_REAL_DATA": str(tmp_path / "nowhere"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "is not here" in done.stdout
    assert not (tmp_path / "region").exists()


@pytest.mark.parametrize(("of", "first"), [("achievements", "A28"), ("experts", "E")])
def test_match_ask_lists_what_fits_a_text(language, of, first):
    done = call("match", "ask", TINY, "单晶镍钴锰酸锂一压就碎", "--of", of, "--top", 2)

    assert done.exit_code == 0, done.output
    rows = [line for line in done.output.splitlines() if line.strip().startswith(("1 ", "2 "))]
    assert len(rows) == 2
    assert first in rows[0]


def test_match_ask_says_when_nothing_fits(language):
    done = call("match", "ask", TINY, "，，！！")

    assert done.exit_code == 0, done.output
    assert ("没有找到" if language == "zh" else "Nothing fits") in done.output


@pytest.fixture
def region(tmp_path):
    return shutil.copytree(TINY, tmp_path / "region")


def test_match_index_builds_then_extends_then_leaves_alone(region, tmp_path, language):
    kept, told = tmp_path / "a.index", []
    for edit in (None, ("A28", "A99"), None):
        if edit:
            lines = (region / "achievements.csv").read_text(encoding="utf-8").splitlines(keepends=True)
            lines += [line.replace(*edit) for line in lines if line.startswith(edit[0])]
            (region / "achievements.csv").write_text("".join(lines), encoding="utf-8")
        done = call("match", "index", region, "--out", kept)
        assert done.exit_code == 0, done.output
        told.append(done.output)

    said = {"zh": ("索引已建立：30 项成果", "新增 1，改动 0，未变 30", "索引已是最新"),
            "en": ("Index of 30 achievements built", "1 new, 0 edited, 30 unchanged", "Index up to date")}  # fmt: skip
    for output, words in zip(told, said[language], strict=True):
        assert words in output.replace("\n", "")


def test_match_index_says_what_stays_and_when_to_build_anew(region, tmp_path, language):
    kept, half = tmp_path / "a.index", region / "achievements.csv"
    assert call("match", "index", region, "--out", kept).exit_code == 0
    lines = half.read_text(encoding="utf-8").splitlines(keepends=True)
    half.write_text(
        "".join([lines[0], *(line.replace("A", "B", 1) for line in lines[1:] if line[0] == "A")]), encoding="utf-8"
    )

    done = call("match", "index", region, "--out", kept)
    anew = call("match", "index", region, "--out", kept, "--replace")

    told = done.output.replace("\n", "")
    assert ("30 项不在此区域中" if language == "zh" else "30 of them are not in this region") in told
    assert ("50% 与建立时不同" if language == "zh" else "50% is not what the words were weighed by") in told
    assert anew.exit_code == 0
    assert ("索引已建立" if language == "zh" else "built") in anew.output


def test_match_ask_of_a_saved_index_needs_no_region_and_names_with_one(tmp_path, language):
    kept, text = tmp_path / "a.index", "单晶镍钴锰酸锂一压就碎"
    call("match", "index", TINY, "--out", kept)

    alone, named = call("match", "ask", text, "--index", kept), call("match", "ask", TINY, text, "--index", kept)

    built = call("match", "ask", TINY, text)
    assert (alone.exit_code, named.exit_code) == (0, 0), alone.output + named.output
    assert named.output == built.output
    assert [line.split()[2] for line in alone.output.splitlines()[2:4]] == [
        line.split()[2] for line in named.output.splitlines() if line.strip()[:1].isdigit()
    ][:2]
    assert ("索引只存编号" if language == "zh" else "holds ids only") in alone.output


def test_match_ask_knows_whom_a_saved_index_holds(tmp_path):
    kept = tmp_path / "e.index"
    call("match", "index", TINY, "--of", "experts", "--out", kept)

    assert " E" in call("match", "ask", "正极材料", "--index", kept).output
    refused = call("match", "ask", "正极材料", "--index", kept, "--of", "achievements")
    assert refused.exit_code == 1
    assert "[match.kind]" in refused.output


def test_match_ask_and_index_refuse_a_broken_file(tmp_path):
    kept = tmp_path / "a.index"
    call("match", "index", TINY, "--out", kept)
    content = bytearray(kept.read_bytes())
    content[-70] ^= 0x40
    kept.write_bytes(bytes(content))

    for arguments in (["ask", "正极材料", "--index", kept], ["index", TINY, "--out", kept]):
        done = call("match", *arguments)
        assert done.exit_code == 1
        assert "[store.broken]" in done.output
    assert call("match", "index", TINY, "--out", kept, "--replace").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [["text"], ["one", "two", "three"], ["text", "--index", "a.index", "--plan", "plan.toml"], []]
)
def test_match_ask_wants_a_region_or_an_index(arguments, language):
    assert call("match", "ask", *arguments).exit_code == 2


def test_match_evaluate_prints_measures_and_leaves_pictures(tmp_path, language):
    done = call("match", "evaluate", TINY, "--folds", 3, "--out", tmp_path / "quality")

    assert done.exit_code == 0, done.output
    assert "1/(1+" in done.output
    assert sorted(p.name for p in (tmp_path / "quality").iterdir()) == [
        "measures.csv", "need_quality.csv", "reliability-pair.png", "reliability-pair.svg", "reliability-title.png",
        "reliability-title.svg", "reliability.csv",
    ]  # fmt: skip


def test_match_evaluate_says_when_there_are_too_few_labels(tmp_path, language):
    done = call("match", "evaluate", TINY, "--split", "title", "--folds", 9)

    assert done.exit_code == 1
    assert "[match.folds]" in done.output


@pytest.fixture(scope="module")
def assigned(tmp_path_factory):
    """A run of the tiny region up to the assignment."""
    out = tmp_path_factory.mktemp("assigned") / "run"
    assert call("allocate", TINY, "--plan", TINY / "plan.toml", "--out", out).exit_code == 0
    return Run.open(out)


def test_allocate_repair_replaces_an_expert_who_drops_out_and_leaves_the_run_alone(assigned, tmp_path, language):
    pairs = assigned.table("assigned")
    gone = pairs["expert_id"].value_counts(sort=True)["expert_id"][0]

    done = call("allocate", "repair", TINY, assigned.path, "--free", gone, 0, "--out", tmp_path / "after")

    assert done.exit_code == 0, done.output
    assert ("撤下" if language == "zh" else "Removed") in done.output
    after = pl.read_csv(tmp_path / "after" / "assigned.csv")
    moved = pl.read_csv(tmp_path / "after" / "changes.csv")
    assert gone not in after["expert_id"]
    assert moved.filter(what="removed").height >= pairs.filter(expert_id=gone).height
    kept = pairs.join(moved.filter(what="removed"), on=["need_id", "expert_id"], how="anti").select(pairs.columns[:2])
    assert kept.join(after, on=["need_id", "expert_id"], how="anti").is_empty()
    assert assigned.table("assigned").equals(pairs)


def test_allocate_edit_tells_what_a_move_costs_and_what_forbids_it(assigned, tmp_path, language):
    taken = assigned.table("assigned").row(0)
    barred = assigned.table("conflicts").row(0)

    cost = call("allocate", "edit", TINY, assigned.path, "--remove", taken[0], taken[1], "--out", tmp_path / "after")
    never = call("allocate", "edit", TINY, assigned.path, "--add", barred[0], barred[1])

    assert cost.exit_code == 0, cost.output
    assert pl.read_csv(tmp_path / "after" / "figures.csv")["removed"].item() == 1
    assert re.search(rf"[(（]-{taken[2]:.2f}[)）]", cost.output)
    assert never.exit_code == 1
    assert ("利益冲突" if language == "zh" else "Conflict of interest") in never.output


def test_allocate_why_lists_the_candidates_of_a_need(assigned, language):
    need, expert, _ = assigned.table("assigned").row(0)

    every = call("allocate", "why", TINY, assigned.path, need)
    one = call("allocate", "why", TINY, assigned.path, need, expert)

    assert every.exit_code == one.exit_code == 0, every.output
    assert expert in one.output
    assert ("门槛" if language == "zh" else "Threshold") in every.output


def test_allocate_names_what_it_cannot_do(assigned, tmp_path, language):
    nobody = call("allocate", "why", TINY, assigned.path, "N999")
    nothing = call("allocate", "repair", TINY, assigned.path)
    no_run = call("allocate", "why", TINY, tmp_path, "N1")

    assert re.search(r"run\.unknown.*N999", nobody.output)
    assert nothing.exit_code == 2
    assert "run.missing" in no_run.output


def test_allocate_repair_keeps_the_quotas_of_the_run(tmp_path):
    (tmp_path / "plan.toml").write_text("[allocate]\nper_organisation = 1\n", encoding="utf-8")
    out = tmp_path / "run"
    assert call("allocate", TINY, "--plan", tmp_path / "plan.toml", "--out", out).exit_code == 0
    gone = Run.open(out).table("assigned")["expert_id"][0]

    done = call("allocate", "repair", TINY, out, "--free", gone, 0, "--out", tmp_path / "after")

    assert done.exit_code == 0, done.output
    employer = pl.read_csv(TINY / "experts.csv").select("expert_id", "org_id")
    after = pl.read_csv(tmp_path / "after" / "assigned.csv").join(employer, on="expert_id")
    assert (after.drop_nulls("org_id").group_by("need_id", "org_id").len()["len"] == 1).all()
    assert gone not in after["expert_id"]


def test_allocate_sets_out_from_the_worst_served_need_where_the_plan_says_so(tmp_path):
    totals = {}
    for goal in ("total", "fair"):
        (tmp_path / "plan.toml").write_text(f'[allocate]\ngoal = "{goal}"\n', encoding="utf-8")
        assert call("allocate", TINY, "--plan", tmp_path / "plan.toml", "--out", tmp_path / goal).exit_code == 0
        totals[goal] = Run.open(tmp_path / goal).table("proof").row(0, named=True)

    assert totals["fair"]["goal"] == "fair"
    assert totals["fair"]["total"] <= totals["total"]["total"] + 1e-9
    assert totals["fair"]["floor"] > 0


def test_what_is_asked_beside_a_run_leaves_out_the_rows_that_the_run_left_out(tmp_path):
    shutil.copytree(TINY, tmp_path / "region")
    lines = (TINY / "experts.csv").read_text(encoding="utf-8-sig").splitlines()
    with (tmp_path / "region" / "experts.csv").open("a", encoding="utf-8") as file:
        file.write(lines[-1] + "\n")  # one expert typed twice
    region, out = tmp_path / "region", tmp_path / "run"
    assert call("allocate", region, "--out", out).exit_code == 0
    need, expert, _ = Run.open(out).table("assigned").row(0)

    asked = [
        call("allocate", "why", region, out, need),
        call("allocate", "repair", region, out, "--free", expert, 0),
        call("match", "ask", region, "电池", "--of", "experts"),
        call("match", "index", region, "--of", "experts", "--out", tmp_path / "experts.index"),
        call("match", "evaluate", region, "--folds", 2),
    ]

    assert [done.exit_code for done in asked] == [0] * 5, [done.output for done in asked]


def test_allocate_edit_names_the_rule_that_a_move_would_break_and_writes_nothing(tmp_path, language):
    shutil.copytree(TINY, tmp_path / "region")
    (tmp_path / "region" / "assignment_rules.csv").write_text(
        "rule_id,kind,name,at_most\nr1,quota,入企总量,1\n", encoding="utf-8"
    )
    region, out = tmp_path / "region", tmp_path / "run"
    assert call("allocate", region, "--out", out).exit_code == 0
    run = Run.open(out)
    taken = run.table("assigned")
    assert taken.height == 1
    free = run.table("expert_pairs").select("need_id", expert_id="target_id")
    free = free.join(run.table("conflicts"), on=["need_id", "expert_id"], how="anti")
    other = free.filter(pl.col("need_id") != taken["need_id"][0]).row(0)

    done = call("allocate", "edit", region, out, "--add", *other, "--out", tmp_path / "after")

    assert done.exit_code == 1
    assert "入企总量" in done.output
    assert not (tmp_path / "after").exists()


# ── teams ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def challenged(tmp_path_factory):
    """The tiny region and a run of it up to the assignment."""
    out = tmp_path_factory.mktemp("team") / "run"
    assert call("allocate", TINY, "--out", out).exit_code == 0
    return TINY, out


def test_team_without_a_need_lists_the_challenges(challenged, language):
    done = call("team", *challenged)

    assert done.exit_code == 0
    assert {"N01", "N04"} <= set(re.findall(r"N\d{2}", done.output))


def test_team_shows_teams_their_cost_and_reasons_and_writes_its_tables(challenged, tmp_path, language):
    before = (challenged[1] / "receipt.json").read_bytes()
    done = call("team", *challenged, "N01", "--best", 2, "--out", tmp_path / "out")
    best = pl.read_csv(tmp_path / "out" / "team_members.csv").filter(rank=1)["expert_id"].to_list()
    others = pl.read_csv(TINY / "experts.csv").filter(~pl.col("expert_id").is_in(best))["expert_id"].to_list()
    again = call("team", *challenged, "N01", "--why", others[0], "--with", best[0], "--apart", best[0], others[0])

    assert done.exit_code == 0, done.output
    assert ("已证明" if language == "zh" else "Proved") in done.output
    assert all(expert in done.output for expert in best)
    assert {path.stem for path in (tmp_path / "out").iterdir()} == set(schema.team())
    assert again.exit_code == 0
    assert ("为何未入选" if language == "zh" else "Why not") in again.output
    assert (challenged[1] / "receipt.json").read_bytes() == before


def test_team_says_why_there_is_none_and_exits_with_1(challenged, language):
    done = call("team", *challenged, "N01", "--largest", 1)

    assert done.exit_code == 1
    assert ("团队至多 1 人" if language == "zh" else "at most 1 members") in done.output


def test_team_says_that_the_time_is_up(challenged, language):
    done = call("team", *challenged, "N01", "--seconds", 1e-9)

    assert done.exit_code == 1
    assert ("用时已到" if language == "zh" else "Time is up") in done.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["N99"], "team.need"), (["N02"], "team.skills"), (["N01", "--why", "E99"], "team.expert")],
)
def test_team_names_what_it_does_not_know(challenged, arguments, code):
    done = call("team", *challenged, *arguments)

    assert done.exit_code == 1
    assert f"[{code}]" in done.output


def test_team_takes_a_kept_index_and_the_settings_of_a_plan(challenged, tmp_path):
    kept = tmp_path / "experts.index"
    assert call("match", "index", TINY, "--of", "experts", "--out", kept).exit_code == 0
    (tmp_path / "plan.toml").write_text("[team]\ndays = 0\nkm_cny = 0\nstranger_cny = 0\n", encoding="utf-8")

    done = call("team", *challenged, "N01", "--index", kept, "--plan", tmp_path / "plan.toml")

    assert done.exit_code == 0
    assert re.search(r"团队 1：\d+ 人，0 元", done.output)


def test_team_refuses_an_index_of_achievements(challenged, tmp_path):
    kept = tmp_path / "achievements.index"
    assert call("match", "index", TINY, "--out", kept).exit_code == 0

    done = call("team", *challenged, "N01", "--index", kept)

    assert done.exit_code == 1
    assert "[match.kind]" in done.output


def region_with_rules(folder, *lines):
    """The tiny region with a table of rules, with Chinese headings."""
    shutil.copytree(TINY, folder)
    heading = "规则编号,规则类型,需求编号,专家编号,规则名称,需求分组,需求组值,专家分组,专家组值,合计对象,至少,至多"
    (folder / "assignment_rules.csv").write_text("\n".join((heading, *lines)) + "\n", encoding="utf-8")
    return folder


def test_allocate_keeps_a_pin_of_an_expert_who_did_not_match_the_need(assigned, tmp_path):
    pairs = assigned.table("expert_pairs").select("need_id", expert_id="target_id")
    every = pairs.select("need_id").unique().join(assigned.table("loads").select("expert_id"), how="cross")
    barred = assigned.table("conflicts").select("need_id", "expert_id")
    free = every.join(pairs, on=pairs.columns, how="anti").join(barred, on=pairs.columns, how="anti").sort(pl.all())
    need, expert = free.row(0)
    region = region_with_rules(tmp_path / "region", f"r1,指定,{need},{expert}")

    made = call("allocate", region, "--out", tmp_path / "run")
    again = call("allocate", "why", region, tmp_path / "run", need, expert)
    by_hand = call("allocate", "edit", TINY, assigned.path, "--add", need, expert)

    assert made.exit_code == again.exit_code == by_hand.exit_code == 0, made.output + again.output + by_hand.output
    told = Run.open(tmp_path / "run").table("assigned").filter(need_id=need, expert_id=expert)
    assert 0 < told["score"].item() < 1


def test_allocate_never_makes_a_pinned_pair_that_is_in_conflict(assigned, tmp_path):
    need, expert = assigned.table("conflicts").select("need_id", "expert_id").row(0)
    region = region_with_rules(tmp_path / "region", f"r1,指定,{need},{expert}")

    done = call("allocate", region, "--out", tmp_path / "run")

    assert done.exit_code == 1
    assert "[allocate.pin_conflict]" in done.output
    assert f"{need} {expert}" in done.output
    assert not (tmp_path / "run").exists()


def test_run_with_rules_that_clash_says_which_and_leaves_them_in_a_file(tmp_path, language):
    region = region_with_rules(
        tmp_path / "region", "r1,限额,,,总经费,,,,,日费用（元）,,0", "r2,限额,,,至少十位,,,每个区县,D01,,90,"
    )

    done = call("allocate", region, "--out", tmp_path / "run")

    assert done.exit_code == 1
    assert "[run.clash]" in done.output
    assert ("代价最小的放宽办法" if language == "zh" else "The cheapest way out") in done.output
    assert ("至少 90" if language == "zh" else "at least 90") in done.output
    listed = pl.read_csv(tmp_path / "run.clash.csv")
    assert set(listed["part"]) == {"clash", "relaxation"}
    assert listed["says_zh"].str.contains("至少十位").any()
    assert not (tmp_path / "run").exists()
    (region / "assignment_rules.csv").unlink()
    assert call("allocate", region, "--out", tmp_path / "run").exit_code == 0
    assert not (tmp_path / "run.clash.csv").exists()


@pytest.mark.parametrize("rule", ["r1,否决,N01,E9999", "r1,E9999,N01,E01"])
def test_a_rule_with_an_unknown_id_or_kind_stops_the_job(tmp_path, rule):
    region = region_with_rules(tmp_path / "region", rule)

    done = call("allocate", region, "--out", tmp_path / "run")

    assert done.exit_code == 3
    assert "E9999" in done.output


def test_summary_says_how_far_the_assignment_may_be_from_the_best(capsys, language):
    proof = {"total": 200.0, "gap": 0.31, "is_optimal": False, "floor": None, "floor_bound": None}

    _shown.show_proof(_shown.console(), proof, 30.0)

    said = " ".join(capsys.readouterr().out.split())
    assert "0.16%" in said
    assert "allocate.seconds" in said


def replies(path, *rows):
    """A table of replies as a spreadsheet in Chinese saves it."""
    lines = ["需求编号,专家编号,答复,保留名额", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="gb18030")
    return path


def test_allocate_repair_holds_what_is_accepted_and_replaces_what_is_declined(assigned, tmp_path, language):
    pairs = assigned.table("assigned")
    busy = (
        pairs["expert_id"].value_counts(sort=True).sort("count", "expert_id", descending=[True, False])["expert_id"][0]
    )
    kept, given_up = pairs.filter(expert_id=busy).rows()[:2]
    declined = pairs.filter(pl.col("expert_id") != busy).row(0)
    table = replies(
        tmp_path / "答复.csv", (*kept[:2], "接受", ""), (*given_up[:2], "减少", 1), (*declined[:2], "谢绝", "")
    )

    done = call("allocate", "repair", TINY, assigned.path, "--replies", table, "--out", tmp_path / "after")

    assert done.exit_code == 0, done.output
    assert ("接受 1 对，谢绝 1 对" if language == "zh" else "1 accepted, 1 declined, 1 with fewer") in done.output
    after = pl.read_csv(tmp_path / "after" / "assigned.csv")
    assert after.filter(expert_id=busy)["need_id"].to_list() == [kept[0]]
    assert after.filter(need_id=declined[0], expert_id=declined[1]).is_empty()


def test_allocate_repair_lists_wrong_replies_by_row_and_changes_nothing(assigned, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    need, expert, _ = assigned.table("assigned").row(0)
    stranger = assigned.table("loads").filter(assigned=0)["expert_id"][0]
    table = replies(
        tmp_path / "replies.csv",
        (need, expert, "减少", 0), (need, stranger, "接受", ""), (need, "E999", "谢绝", ""), (need, expert, "也许", ""),
        *((n, e, "接受", "") for n, e in assigned.table("assigned").filter(expert_id=expert).rows()[1:2]),
    )  # fmt: skip
    other = assigned.table("assigned").filter(pl.col("expert_id") != expert).row(0)
    second = replies(tmp_path / "second.csv", (*other[:2], "减少", ""))
    third = replies(tmp_path / "third.csv", (need, expert, "接受", ""), (need, expert, "减少", 0))

    wrong = [
        call("allocate", "repair", TINY, assigned.path, "--replies", path, "--out", tmp_path / "after")
        for path in (table, second, third)
    ]
    absent = call("allocate", "repair", TINY, assigned.path, "--replies", tmp_path / "nowhere.csv")

    assert [done.exit_code for done in wrong] == [1] * 3
    assert all("[run.replies]" in done.output for done in wrong)
    said = ["".join(done.output.split()) for done in wrong]
    assert all(code in said[0] for code in ("check.reply_pair", "check.unknown", "check.code", "E999"))
    assert "check.reply_free" in said[1]
    assert "check.reply_count" in said[2]
    assert "[read.missing]" in absent.output
    assert not (tmp_path / "after").exists()


def test_allocate_draw_gives_no_pair_more_than_its_cap_and_says_what_chance_costs(assigned, tmp_path, language):
    done = call("allocate", "draw", TINY, assigned.path, "--cap", 0.5, "--seed", 3, "--out", tmp_path / "drawn")

    assert done.exit_code == 0, done.output
    assert ("随机的代价" if language == "zh" else "chance costs") in done.output
    figures = pl.read_csv(tmp_path / "drawn" / "draw.csv").row(0, named=True)
    assert (figures["seed"], figures["cap"]) == (3, 0.5)
    assert figures["best_total"] == pytest.approx(assigned.table("assigned")["score"].sum())
    probable = pl.read_csv(tmp_path / "drawn" / "probabilities.csv")
    assert probable["probability"].max() <= 0.5
    drawn = pl.read_csv(tmp_path / "drawn" / "assigned.csv")
    assert drawn.join(probable, on=["need_id", "expert_id"], how="anti").is_empty()
    assert drawn.join(assigned.table("conflicts"), on=["need_id", "expert_id"], how="semi").is_empty()


def test_allocate_draw_refuses_rules_that_it_would_not_keep(tmp_path):
    region = region_with_rules(tmp_path / "region", "r1,限额,,,入企总量,每家企业,,,,,,3")
    assert call("allocate", region, "--out", tmp_path / "run").exit_code == 0

    done = call("allocate", "draw", region, tmp_path / "run", "--out", tmp_path / "drawn")

    assert done.exit_code == 1
    assert "[allocate.limits]" in done.output
    assert "入企总量" in done.output
    assert not (tmp_path / "drawn").exists()


def test_allocate_why_says_how_many_a_need_lacks_and_when_it_has_no_candidate(assigned, language):
    unmet = assigned.table("unmet")
    alone = unmet.filter(reason="no_candidate").join(assigned.table("conflicts"), on="need_id", how="anti")
    alone = alone.join(assigned.table("expert_pairs"), on="need_id", how="anti")["need_id"][0]

    short = call("allocate", "why", TINY, assigned.path, unmet["need_id"][0])
    nobody = call("allocate", "why", TINY, assigned.path, alone)

    assert short.exit_code == nobody.exit_code == 0, short.output + nobody.output
    assert ("尚缺" if language == "zh" else "short:") in short.output
    assert ("没有候选专家" if language == "zh" else "No candidates") in nobody.output


def test_ctrl_c_that_a_library_turns_into_another_error_still_stops():
    def turned(**_):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise TypeError from None

    group = _options.Group(commands={"turned": click.Command("turned", callback=turned)})

    assert CliRunner().invoke(group, ["turned"]).exit_code == 130
