"""The command line: what each command leaves, says and returns."""

import shutil
import subprocess
import sys
import tomllib

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner
from places import ROOT, TINY

from silian import __version__, cli
from silian.pipeline import Plan


@pytest.fixture(params=["zh", "en"])
def language(request, monkeypatch):
    monkeypatch.setattr(cli, "LANGUAGE", request.param)
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
    monkeypatch.setattr(cli, "LANGUAGE", "en")

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
