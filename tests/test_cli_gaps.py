"""`silian gaps` and `silian chain map` on the region small enough to check by hand."""

import polars as pl
import pytest
from click.testing import CliRunner
from places import TINY

from silian.cli import cli


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("SILIAN_LANG", "en")


def call(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def test_gaps_clean_lists_every_rule_and_leaves_the_links_of_a_clean_region(tmp_path):
    done = call("gaps", "clean", TINY, "--out", tmp_path)

    assert done.exit_code == 0, done.output
    links, rules = pl.read_csv(tmp_path / "product_links.csv"), pl.read_csv(tmp_path / "link_rules.csv")
    assert links.height == pl.read_csv(TINY / "product_links.csv").height
    assert rules["links"].sum() == 0
    assert pl.read_csv(tmp_path / "link_changes.csv").is_empty()


def test_gaps_what_if_shows_what_a_new_maker_closes(tmp_path):
    done = call("gaps", "what-if", TINY, "--fill", "new", "P005", "--out", tmp_path)

    assert done.exit_code == 0, done.output
    assert "Breaks" in done.output
    changed = pl.read_csv(tmp_path / "what_if_gaps.csv").filter(product_id="P005")
    assert changed.select("kind_before", "kind_after").rows() == [("break", "single")]
    figures = {name: (was, now) for name, was, now in pl.read_csv(tmp_path / "what_if_figures.csv").rows()}
    assert figures["break"] == (2, 1)


def test_gaps_what_if_says_what_it_cannot_do():
    assert call("gaps", "what-if", TINY).exit_code == 2
    unknown = call("gaps", "what-if", TINY, "--lose", "ghost")
    assert unknown.exit_code == 1
    assert "ghost" in unknown.output


def test_gaps_brief_writes_a_page_for_each_gap(tmp_path):
    run, out = tmp_path / "run", tmp_path / "briefs.html"
    assert call("gaps", TINY, "--out", run).exit_code == 0

    done = call("gaps", "brief", TINY, run, "P005", "--language", "en", "--out", out)

    assert done.exit_code == 0, done.output
    assert out.read_text(encoding="utf-8").count("<article>") == 1


def test_chain_map_draws_the_products_and_writes_their_levels(tmp_path):
    done = call("chain", "map", TINY, "--out", tmp_path)

    assert done.exit_code == 0, done.output
    assert {p.name for p in tmp_path.iterdir()} == {
        "chain_levels.csv", "chain_parts.csv", "chain_map.svg", "chain_map.png"
    }  # fmt: skip
    levels = pl.read_csv(tmp_path / "chain_levels.csv")
    assert levels.filter(product_id="P017")["layer"].item() > levels.filter(product_id="P001")["layer"].item()
