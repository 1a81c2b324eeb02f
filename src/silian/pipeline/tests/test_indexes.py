"""An index that is kept follows its region, and nothing that stands at its place is lost unasked."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian import pipeline
from silian.engines import match
from silian.errors import MatchError, StoreError
from silian.pipeline import Plan
from silian.pipeline.asking import ask, ask_index
from silian.pipeline.indexes import index_of, keep_index
from silian.tables import Region
from silian.tables.array_file import write_arrays

TITLES = {"a1": "锂电池隔膜涂覆工艺", "a2": "锂电池隔膜陶瓷涂层", "a3": "轴承降噪齿形", "a4": "氧化铝陶瓷烧结"}
WORDS = Plan.of({"match": {"encoder": "words"}})


def region_of(**titles):
    achievements = {"achievement_id": list(titles), "title": list(titles.values()), "trl": [6] * len(titles)}
    experts = {"expert_id": ["e1", "e2"], "name": ["王伟", "李敏"], "profile": ["轴承", "陶瓷"]}
    works = {"expert_id": ["e1"], "work_id": ["w1"], "title": ["轴承降噪"], "year": [2020]}
    return Region.of(
        {n: pl.DataFrame(t) for n, t in (("achievements", achievements), ("experts", experts), ("works", works))}
    )


@pytest.fixture
def kept(tmp_path):
    keep_index(region_of(**TITLES), tmp_path / "a.index", plan=WORDS)
    return tmp_path / "a.index"


def test_keep_index_saves_what_the_region_is_asked_by(kept):
    region = region_of(**TITLES)

    found = ask_index(pipeline.open_index(kept), "隔膜涂覆", region=region)

    assert_frame_equal(found, ask(region, "隔膜涂覆", plan=WORDS))
    assert found["name"][0] == "锂电池隔膜涂覆工艺"


def test_keep_index_brings_in_what_is_new_or_edited_and_keeps_the_rest(kept):
    now = region_of(**{n: TITLES[n] for n in ("a1", "a2")}, a3="减速器降噪", a5="机器人减速器")

    done = keep_index(now, kept, plan=WORDS)

    assert done.is_written
    assert dict(done.changes.rows()) == {"a1": "same", "a2": "same", "a3": "edited", "a4": "gone", "a5": "new"}
    assert match.growth(done.index) == (4, 2, 1)  # what was not edited still counts as learnt from
    index = pipeline.open_index(kept)
    assert index.target_ids.to_list() == ["a1", "a2", "a3", "a4", "a5"]
    assert index.ask("减速器")["target_id"].to_list() == ["a3", "a5"]


def test_keep_index_leaves_the_file_alone_where_nothing_is_new(kept):
    before = (kept.read_bytes(), kept.stat().st_mtime_ns)

    done = keep_index(region_of(**TITLES), kept)

    assert not done.is_written
    assert set(done.changes["change"]) == {"same"}
    assert (kept.read_bytes(), kept.stat().st_mtime_ns) == before


def test_keep_index_of_experts_follows_their_works(tmp_path):
    path, region = tmp_path / "e.index", region_of(**TITLES)
    keep_index(region, path, of="experts", plan=WORDS)
    works = pl.concat([region["works"], region["works"].with_columns(expert_id=pl.lit("e2"), title=pl.lit("陶瓷烧结"))])

    done = keep_index(Region.of(dict(region.tables) | {"works": works}), path, of="experts", plan=WORDS)

    assert dict(done.changes.rows()) == {"e1": "same", "e2": "edited"}
    assert pipeline.open_index(path).basis["basis"].to_list() == ["works", "works"]


def test_keep_index_builds_anew_where_it_shall_replace(kept):
    done = keep_index(region_of(a9="机器人减速器"), kept, plan=WORDS, replace=True)

    assert done.changes is None
    assert pipeline.open_index(kept).target_ids.to_list() == ["a9"]


def test_ask_index_without_a_region_has_ids_and_no_names(kept):
    found = ask_index(pipeline.open_index(kept), "隔膜涂覆")

    assert found["target_id"][0] == "a1"
    assert found["name"].null_count() == found.height


def test_index_of_reads_by_the_terms_of_the_region():
    terms = pl.DataFrame({"term_id": ["t"], "zh": ["降噪齿形"], "en": [["quiet tooth shape"]]})
    region = Region.of(dict(region_of(**TITLES).tables) | {"terms": terms})

    assert ask_index(index_of(region, "achievements", WORDS), "quiet tooth shape")["target_id"][0] == "a3"


# ── refused ──


def test_keep_index_refuses_the_index_of_the_other_kind(kept):
    with pytest.raises(MatchError, match=r"match\.kind.*experts.*achievements"):
        keep_index(region_of(**TITLES), kept, of="experts", plan=WORDS)


def test_keep_index_refuses_another_encoder_than_that_of_the_index(kept):
    before = kept.read_bytes()

    with pytest.raises(MatchError, match=r"match\.encoder.*words.*corpus"):
        keep_index(region_of(**TITLES), kept, plan=Plan.of({"match": {"encoder": "corpus"}}))

    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("store.broken", lambda path: path.write_bytes(path.read_bytes()[:-70] + b"x" + path.read_bytes()[-69:])),
        ("store.length", lambda path: path.write_bytes(path.read_bytes()[:-100])),
        ("store.version", lambda path: write_arrays(path, {}, kind="index", version=99, header={})),
    ],
)
def test_an_index_that_cannot_be_opened_is_replaced_only_when_asked(kept, code, spoil):
    spoil(kept)
    before = kept.read_bytes()

    with pytest.raises(StoreError, match=code.replace(".", r"\.")):
        keep_index(region_of(**TITLES), kept, plan=WORDS)
    assert kept.read_bytes() == before

    keep_index(region_of(**TITLES), kept, plan=WORDS, replace=True)
    assert len(pipeline.open_index(kept)) == 4


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_index_is_never_replaced(tmp_path, replace):
    (tmp_path / "thesis.docx").write_bytes(b"years of work " * 9)
    write_arrays(tmp_path / "levels.grader", {}, kind="grader", version=1, header={})

    with pytest.raises(StoreError, match=r"store\.foreign.*thesis"):
        keep_index(region_of(**TITLES), tmp_path / "thesis.docx", plan=WORDS, replace=replace)
    with pytest.raises(StoreError, match=r"store\.kind.*grader"):
        keep_index(region_of(**TITLES), tmp_path / "levels.grader", plan=WORDS, replace=replace)
    with pytest.raises(StoreError, match=r"store\.foreign.*no regular file"):
        keep_index(region_of(**TITLES), tmp_path, plan=WORDS, replace=replace)


def test_keep_index_of_a_region_without_any_says_so(tmp_path):
    with pytest.raises(MatchError, match=r"match\.empty"):
        keep_index(Region.of({}), tmp_path / "a.index", plan=WORDS)

    assert not (tmp_path / "a.index").exists()
