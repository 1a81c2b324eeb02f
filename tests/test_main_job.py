"""The main job on the example that can be followed by hand: what comes out, again and again, whatever happens."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from places import TINY
from polars.testing import assert_frame_equal

from silian import pipeline, tables
from silian.errors import RunError
from silian.pipeline import STEPS, Plan, Run
from silian.tables import schema, synth
from silian.tables.schema import results as result_tables

pytestmark = pytest.mark.long

PLAN = Plan.read(TINY / "plan.toml")
WITHOUT_CHARTS = Plan.of(PLAN.as_dict() | {"report": {"charts": False}})


def contents(run: Run) -> dict[str, bytes]:
    """Every file of a run but the receipt, which holds the seconds."""
    files = [p for p in run.path.rglob("*") if p.is_file() and p.name != "receipt.json"]
    return {p.relative_to(run.path).as_posix(): p.read_bytes() for p in files}


def resumed(run: Run) -> set[str]:
    return {step["name"] for step in run.receipt["steps"] if step["resumed"]}


def silian(*arguments, errors) -> subprocess.Popen:
    """A call of the command line in a process of its own; what it says goes to the file `errors`."""
    environment = os.environ | {"SILIAN_LANG": "en", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "silian.cli", *map(str, arguments)]
    with errors.open("w") as said:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment)


def truth(name: str) -> pl.DataFrame:
    return pl.read_csv(TINY / "truth" / f"{name}.csv")


def needs() -> pl.DataFrame:
    is_over = pl.col("deadline_on").str.to_date() < PLAN.day
    return pl.read_csv(TINY / "needs.csv").with_columns(is_over=is_over.fill_null(value=False))


def test_run_leaves_every_promised_table_with_its_schema(tiny_run):
    for name, table in result_tables().items():
        assert tiny_run.table(name).schema == table.polars, name


def test_run_finds_the_planted_answers(tiny_run):
    open_needs = needs().filter(~pl.col("is_over"))
    strong = truth("matches").filter(pl.col("level") == 4).join(open_needs, on="need_id", how="semi")
    pairs = tiny_run.table("achievement_pairs").select("need_id", "target_id", "rank")

    found = strong.join(pairs, left_on=["need_id", "achievement_id"], right_on=["need_id", "target_id"])

    best = found.group_by("need_id").agg(pl.col("rank").min())
    assert best.height == strong["need_id"].n_unique()
    assert (best["rank"] <= 3).mean() >= 0.9


def test_run_never_assigns_an_expert_in_conflict(tiny_run):
    planted = truth("conflicts").select("need_id", "expert_id")
    assigned = tiny_run.table("assigned")

    assert planted.height > 0
    assert planted.join(tiny_run.table("conflicts"), on=["need_id", "expert_id"], how="anti").is_empty()
    assert assigned.join(planted, on=["need_id", "expert_id"], how="semi").is_empty()
    assert tiny_run.table("expert_pairs").rename({"target_id": "expert_id"}).join(
        planted, on=["need_id", "expert_id"], how="semi"
    ).is_empty()  # fmt: skip


def test_run_stays_within_demand_and_capacity(tiny_run):
    assigned, unmet, loads = (tiny_run.table(name) for name in ("assigned", "unmet", "loads"))
    wanted = pl.when("is_over").then(0).otherwise(pl.col("experts_wanted").fill_null(PLAN.allocate.wanted))

    got = (
        needs()
        .with_columns(wanted=wanted)
        .join(assigned.group_by("need_id").len("got"), on="need_id", how="left")
        .fill_null(0)
    )
    got = got.join(unmet, on="need_id", how="left").fill_null(0)

    assert (got["got"] + got["missing"] == got["wanted"]).all()
    assert (loads["assigned"] <= loads["free"]).all()


def test_run_finds_the_planted_missing_products(tiny_run):
    found = tiny_run.table("gaps").select("product_id", "kind")

    assert truth("missing_products").join(found, on=["product_id", "kind"], how="anti").is_empty()


def test_run_joins_the_planted_duplicates(tiny_run):
    same = tiny_run.table("same")
    clusters = dict(same.select("org_id", "canonical_id").iter_rows())
    planted = truth("same")

    assert all(clusters[one] == clusters[other] for one, other in planted.select("org_id", "canonical_id").iter_rows())
    assert same.filter(pl.col("org_id") != pl.col("canonical_id")).height == planted.filter(
        pl.col("org_id") != pl.col("canonical_id")
    ).height  # fmt: skip


def test_run_parts_of_every_score_add_up(tiny_run):
    for name in ("achievement_pairs", "expert_pairs"):
        pairs = tiny_run.table(name)
        parts = pairs["why"].list.eval(pl.element().struct.field("part")).list.sum()
        assert (parts - pairs["score"]).abs().max() < 1e-5


def test_run_again_gives_the_same_bytes(tiny_run, tmp_path):
    again = pipeline.run(TINY, tmp_path / "again", plan=PLAN)

    assert contents(again) == contents(tiny_run)
    assert again.receipt["files"] == tiny_run.receipt["files"]


def test_run_again_at_the_same_place_takes_over_what_did_not_change(tmp_path):
    first = pipeline.run(TINY, tmp_path / "run", plan=WITHOUT_CHARTS)
    second = pipeline.run(TINY, tmp_path / "run", plan=Plan.of(WITHOUT_CHARTS.as_dict() | {"allocate": {"free": 1}}))
    third = pipeline.run(TINY, tmp_path / "run", plan=WITHOUT_CHARTS, fresh=True)

    assert resumed(first) == set()
    assert resumed(second) == {"link", "achievements"}
    assert resumed(third) == set()


def test_run_of_changed_data_takes_nothing_over(tmp_path):
    region = shutil.copytree(TINY, tmp_path / "region")
    pipeline.run(region, tmp_path / "run", plan=WITHOUT_CHARTS, only=("link",))
    experts = (region / "experts.csv").read_text(encoding="utf-8-sig")
    (region / "experts.csv").write_text(experts + "\n", encoding="utf-8")

    assert resumed(pipeline.run(region, tmp_path / "run", plan=WITHOUT_CHARTS, only=("link",))) == set()


def test_run_of_single_steps_leaves_only_what_they_rest_on(tmp_path):
    run = pipeline.run(TINY, tmp_path / "run", plan=WITHOUT_CHARTS, only=("allocate",))

    assert {step["name"] for step in run.receipt["steps"]} == {
        "load", "check", "link", "conflicts", "experts", "allocate"
    }  # fmt: skip
    assert not (run.path / "report.html").exists()
    with pytest.raises(RunError, match=r"run\.missing.*gaps\.parquet"):
        run.table("gaps")


def test_run_stops_at_grave_problems_and_leaves_the_old_run(tmp_path):
    region = shutil.copytree(TINY, tmp_path / "region")
    before = contents(pipeline.run(region, tmp_path / "run", plan=WITHOUT_CHARTS))
    (region / "needs.csv").unlink()

    with pytest.raises(RunError, match=r"run\.grave") as caught:
        pipeline.run(region, tmp_path / "run", plan=WITHOUT_CHARTS)

    assert caught.value.problems.filter("grave").height >= 1
    assert contents(Run.open(tmp_path / "run")) == before
    assert (tmp_path / "run.problems.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["region", "run", "run.problems.csv"]
    shutil.copy(TINY / "needs.csv", region)
    pipeline.run(region, tmp_path / "run", plan=WITHOUT_CHARTS)
    assert not (tmp_path / "run.problems.csv").exists()


def test_run_that_may_drop_nothing_stops_at_any_problem(tmp_path):
    strict = Plan.of(WITHOUT_CHARTS.as_dict() | {"check": {"drop": False}})

    with pytest.raises(RunError, match=r"run\.grave") as caught:
        pipeline.run(TINY, tmp_path / "run", plan=strict)

    assert caught.value.problems["code"].sort().to_list() == truth("faults")["code"].sort().to_list()


def test_run_reads_a_workbook_as_it_reads_a_folder(tmp_path):
    tables.write_region(tables.read_region(TINY), tmp_path / "四链 #1.xlsx", form="xlsx")
    shutil.copy(TINY / "districts.geojson", tmp_path)

    run = pipeline.run(tmp_path / "四链 #1.xlsx", tmp_path / "run", plan=WITHOUT_CHARTS, only=("allocate",))

    assert "四链 #1.xlsx" in run.receipt["inputs"]
    whole = pipeline.run(TINY, tmp_path / "folder", plan=WITHOUT_CHARTS, only=("allocate",))
    assert_frame_equal(run.table("assigned"), whole.table("assigned"))


@pytest.mark.parametrize("inside", ["run", "."])
def test_run_refuses_to_write_into_the_region(tmp_path, inside):
    region = shutil.copytree(TINY, tmp_path / "region")

    with pytest.raises(RunError, match=r"run\.inside"):
        pipeline.run(region, region / inside)


def test_run_open_says_what_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"run\.missing.*receipt\.json"):
        Run.open(tmp_path)


def test_receipt_tells_what_was_done(tiny_run):
    receipt = tiny_run.receipt

    assert [step["name"] for step in receipt["steps"]] == [
        "load", "check", *(step.name for step in STEPS), "report"
    ]  # fmt: skip
    assert receipt["plan"] == PLAN.as_dict()
    assert "needs.csv" in receipt["inputs"]
    assert all(step["seconds"] >= 0 for step in receipt["steps"])


def test_run_killed_at_any_moment_leaves_the_old_run_and_goes_on(tmp_path):
    out, said = tmp_path / "run", tmp_path / "said.txt"
    began = time.monotonic()
    assert silian("run", TINY, "--plan", TINY / "plan.toml", "--out", out, errors=said).wait() == 0, said.read_text()
    whole = time.monotonic() - began
    old = contents(Run.open(out))
    changed = tmp_path / "changed.toml"
    changed.write_text(Plan.of(PLAN.as_dict() | {"allocate": {"free": 2}}).to_toml(), encoding="utf-8")
    undisturbed = contents(pipeline.run(TINY, tmp_path / "other", plan=Plan.read(changed)))

    for share in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        process = silian("run", TINY, "--plan", changed, "--out", out, errors=said)
        time.sleep(whole * share)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert contents(Run.open(out)) in (old, undisturbed)

    last = silian("run", TINY, "--plan", changed, "--out", out, errors=said)
    assert last.wait() == 0, said.read_text()
    assert contents(Run.open(out)) == undisturbed
    assert sorted(p.name for p in tmp_path.iterdir()) == ["changed.toml", "other", "run", "said.txt"]


def test_run_interrupted_says_so_and_keeps_what_was_finished(tmp_path):
    said = tmp_path / "said.txt"
    process = silian("run", TINY, "--out", tmp_path / "run", errors=said)
    while "match achievements" not in said.read_text() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)

    assert process.wait() == 130, said.read_text()
    assert "Stopped. Finished steps are kept" in said.read_text()
    assert not (tmp_path / "run").exists()
    assert "achievements" in resumed(pipeline.run(TINY, tmp_path / "run"))


def test_run_interrupted_while_a_solver_searches_ends_at_once_with_nothing_half_written(tmp_path):
    county = synth.make("county").region
    needs, fees = county["needs"].head(60), np.random.default_rng(3).integers(10**5, 10**6, county["experts"].height)
    experts = county["experts"].with_columns(fee_cny=pl.Series(2.0 * fees), free=pl.lit(4))
    # no sum of even fees is odd, but a search has to go through them all to see it
    odd = {"rule_id": "r1", "kind": "quota", "sum_of": "fee_cny", "at_least": 9_000_000.5, "at_most": 9_000_001.5}
    rules = pl.DataFrame([odd | {"name": "odd"}], schema=schema.tables()["assignment_rules"].polars)
    made = tables.Region.of({**county.tables, "needs": needs, "experts": experts, "assignment_rules": rules})
    tables.write_region(made, tmp_path / "region")
    (tmp_path / "plan.toml").write_text("[allocate]\nseconds = 100\n", encoding="utf-8")
    out, said = tmp_path / "run", tmp_path / "said.txt"
    process = silian("allocate", tmp_path / "region", "--plan", tmp_path / "plan.toml", "--out", out, errors=said)
    while "match experts" not in said.read_text() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(1.5)  # into the search
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=20) == 130, said.read_text()  # the search alone would last far longer
    assert "Stopped. Finished steps are kept" in said.read_text()
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"region", "plan.toml", "said.txt", ".run.work"}
    assert not list((tmp_path / ".run.work").glob("assigned*"))


def test_page_holds_the_receipt_without_the_seconds(tiny_run):
    page = (tiny_run.path / "report.html").read_text(encoding="utf-8")
    boot = json.loads(re.search(r'<script type="application/json" id="boot">(.*?)</script>', page, re.DOTALL)[1])

    assert boot["receipt"]["inputs"] == tiny_run.receipt["inputs"]
    assert all("seconds" not in step for step in boot["receipt"]["steps"])
