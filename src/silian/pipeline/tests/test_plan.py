"""Every setting is checked by name, type and range, and a plan survives its own file."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silian.errors import PlanError
from silian.pipeline.plan import Plan, settings


def written(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_plan_read_back_from_its_own_file_is_the_same(tmp_path):
    plan = Plan.of({"on": "2026-09-01", "report": {"title": '"四链" \\ 试点\n二'}, "match": {"min_score": 0.25}})

    assert Plan.read(written(tmp_path, plan.to_toml())) == plan


@given(title=st.text(st.characters(exclude_categories=("Cs",)), max_size=30), top_k=st.integers(1, 1000))
def test_plan_survives_any_title(tmp_path_factory, title, top_k):
    plan = Plan.of({"report": {"title": title}, "match": {"top_k": top_k}})

    assert Plan.read(written(tmp_path_factory.mktemp("plan"), plan.to_toml())) == plan


def test_plan_reads_paths_from_where_it_lies(tmp_path):
    path = written(tmp_path, '[allocate]\nbeside = ["../visits/run"]')

    assert Plan.read(path).allocate.beside == (f"{tmp_path}/../visits/run",)


def test_plan_takes_a_toml_date_as_its_day(tmp_path):
    assert Plan.read(written(tmp_path, "on = 2026-09-01")).day == date(2026, 9, 1)


def test_plan_takes_a_whole_number_for_a_share():
    assert Plan.of({"match": {"min_score": 1}}).match.min_score == 1.0


def test_plan_names_the_nearest_setting_for_a_misspelt_one():
    with pytest.raises(PlanError, match=r"plan\.unknown.*match\.topk; nearest: top_k"):
        Plan.of({"match": {"topk": 3}})


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"seed": "seven"}, "plan.type"),
        ({"match": 3}, "plan.type"),
        ({"match": {"same_district": 1}}, "plan.type"),
        ({"match": {"top_k": True}}, "plan.type"),
        ({"match": {"top_k": 0}}, "plan.value"),
        ({"match": {"min_score": float("nan")}}, "plan.value"),
        ({"report": {"language": "fr"}}, "plan.value"),
        ({"on": "1 September"}, "plan.day"),
        ({"allocate": {"beside": "../visits/run"}}, "plan.type"),
        ({"allocate": {"beside": [3]}}, "plan.type"),
    ],
)
def test_plan_refuses_wrong_values(given, code):
    with pytest.raises(PlanError) as caught:
        Plan.of(given)

    assert caught.value.code == code


def test_plan_read_says_when_the_file_is_missing(tmp_path):
    with pytest.raises(PlanError, match=r"plan\.missing.*nowhere\.toml"):
        Plan.read(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("content", [b"seed = = 7", b"\xff\xfe\x00"])
def test_plan_read_says_when_the_file_is_no_toml(tmp_path, content):
    path = tmp_path / "plan.toml"
    path.write_bytes(content)

    with pytest.raises(PlanError, match=r"plan\.syntax"):
        Plan.read(path)


def test_settings_all_have_a_meaning_in_both_languages():
    assert all(f.metadata["meaning"] and f.metadata["meaning_zh"] for _, f, _ in settings())
