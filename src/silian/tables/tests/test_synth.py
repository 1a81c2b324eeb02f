"""The synthetic region: sizes, keys, texts, determinism, and its truth recomputed slowly."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.errors import ArgumentError
from silian.tables import check, read_region, uscc
from silian.tables.schema import tables
from silian.tables.synth import SIZES, make, write
from silian.tables.synth._vocabulary import vocabulary

TINY = Path(__file__).parents[4] / "examples" / "tiny"
TODAY = date(2026, 9, 1)
# Shares of different titles and texts that a page of rows needs so as not to look stamped from one mould.
DISTINCT = {"needs": (0.8, 0.98), "achievements": (0.8, 0.97), "works": (0.5, 0.9)}


@pytest.fixture(scope="module")
def tiny():
    return make("tiny", seed=7)


@pytest.fixture(scope="module")
def county():
    return make("county", seed=7)


@pytest.fixture(scope="module", params=["tiny", "county"])
def any_size(request, tiny, county):
    return {"tiny": tiny, "county": county}[request.param]


def test_make_gives_the_size_that_is_asked_for(any_size):
    size = SIZES["tiny" if any_size.region["districts"].height == 3 else "county"]
    region = any_size.region

    for noun in ("needs", "achievements", "experts", "districts"):
        assert region[noun].height == getattr(size, noun)
    canonical = any_size.truth["same"].filter(pl.col("org_id") == pl.col("canonical_id"))["org_id"]
    bodies = region["organisations"].filter(pl.col("org_id").is_in(canonical.implode()))
    assert bodies.filter(pl.col("kind") == "enterprise").height == size.enterprises
    assert region["works"].height == pytest.approx(size.experts * size.works_per_expert, rel=0.15)
    assert size.products <= region["products"].height <= size.products + 100
    decided = {"assignment_rules"}  # what officers decide: nothing until somebody does
    assert all(region[noun].is_empty() == (noun in decided) for noun in tables())


def test_make_gives_a_city():
    city = make("city", seed=7)

    counts = {noun: city.region[noun].height for noun in ("needs", "achievements", "experts", "products", "districts")}
    assert counts == {"needs": 2_000, "achievements": 20_000, "experts": 3_000, "products": 1_500, "districts": 8}
    assert 23_000 <= city.region["works"].height <= 27_000
    assert city.region["organisations"].filter(pl.col("kind") == "enterprise").height == 5_000 + 62
    assert not check(city.region, on=TODAY)["grave"].any()
    assert city.truth["matches"].filter(pl.col("level") >= 3).group_by("need_id").len()["len"].max() <= 25


def test_make_names_an_unknown_size():
    with pytest.raises(ArgumentError, match=r"synth\.size.*'village'.*tiny, county, city, province"):
        make("village", seed=7)


def test_make_names_a_negative_seed():
    with pytest.raises(ArgumentError, match=r"argument\.value.*seed.*-1"):
        make("tiny", seed=-1)


def test_make_is_the_same_for_the_same_seed(tiny):
    again = make("tiny", seed=7)

    for noun in tables():
        assert_frame_equal(tiny.region[noun], again.region[noun])
    for name in tiny.truth:
        assert_frame_equal(tiny.truth[name], again.truth[name])
    assert tiny.region.geojson == again.region.geojson


def test_make_differs_between_seeds(tiny):
    other = make("tiny", seed=8)

    for noun in ("needs", "achievements", "works"):
        assert set(tiny.region[noun]["title"]) != set(other.region[noun]["title"])
    assert tiny.region.geojson != other.region.geojson


@pytest.mark.parametrize("seed", range(12))
def test_make_holds_for_any_seed(seed):
    made = make("tiny", seed=seed)

    assert not check(made.region, on=TODAY)["grave"].any()
    assert made.truth["matches"].filter(pl.col("level") >= 3).height >= 8
    assert set(made.truth["missing_products"]["kind"]) == {"break", "blank"}


def test_make_has_only_the_planted_faults(any_size):
    found = check(any_size.region, on=TODAY)

    assert not found["grave"].any()
    planted = any_size.truth["faults"].group_by("table", "column", "code").len().sort("table", "column", "code")
    assert found.group_by("table", "column", "code").len().sort("table", "column", "code").rows() == planted.rows()


def test_make_keeps_every_reference(any_size):
    region = any_size.region
    for table in tables().values():
        for column in table.columns:
            if not column.targets:
                continue
            values = region[table.name][column.name].drop_nulls()
            values = values.explode().drop_nulls() if column.type == "list" else values
            known = set().union(*(set(region[t][c]) for t, c in column.targets))
            assert set(values) <= known, f"{table.name}.{column.name}"


def test_make_gives_valid_codes_but_for_the_planted_faults(any_size):
    organisations = any_size.region["organisations"]
    wrong = organisations.filter(~uscc.valid(organisations["uscc"]))

    faults = any_size.truth["faults"].filter(pl.col("column") == "uscc")
    assert set(wrong["org_id"]) == set(faults["id"])


def test_make_uses_most_fields(county):
    for noun in ("needs", "achievements", "experts"):
        assert county.region[noun]["field"].drop_nulls().n_unique() >= 20


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def texts_of(region):
    for table in tables().values():
        for column in table.columns:
            if column.type == "text":
                for text in region[table.name][column.name].drop_nulls():
                    yield f"{table.name}.{column.name}", text


def test_texts_have_no_leftovers_of_templates(any_size):
    leftover = re.compile(
        r"[{}]|None|\bnan\b|。。|，，|，。|。，|：。|；。|技术技术|方法方法|策略方法|^[，。；]|\s$|^\s"
    )
    bad = [(where, text) for where, text in texts_of(any_size.region) if leftover.search(text)]

    assert bad == []


@pytest.mark.parametrize("noun", DISTINCT)
def test_texts_differ_from_each_other(county, noun):
    rows = county.region[noun]
    rows = rows.unique("work_id") if noun == "works" else rows
    titles, texts = DISTINCT[noun]

    assert rows["title"].n_unique() >= titles * rows.height
    assert rows["text"].drop_nulls().n_unique() >= texts * rows["text"].count()


def test_texts_of_needs_start_in_many_ways(county):
    starts = Counter(text[:4] for text in county.region["needs"]["text"])

    assert starts.most_common(1)[0][1] <= 0.12 * county.region["needs"].height


def test_texts_differ_in_length(county):
    lengths = county.region["needs"]["text"].str.len_chars()

    assert lengths.quantile(0.1) < 50
    assert lengths.quantile(0.9) > 140


@pytest.mark.parametrize(("noun", "name"), [("needs", "name"), ("achievements", "lab_name")])
def test_texts_say_which_kind_they_are_about(county, noun, name):
    """Two kinds of one object differ in the truth, so a reader must be able to tell them."""
    names = sorted({getattr(k, n) for k in vocabulary().kinds for n in ("name", name)}, key=len)

    for title, text in county.region[noun].select("title", "text").rows():
        assert any(kind in title + text for kind in names), title


def test_needs_and_their_answers_share_less_than_the_whole_name(county):
    """Laboratories call most things by other names: the need's object is seldom in the achievement's title."""
    needs = county.region["needs"].select("need_id", need="title")
    strong = (
        county.truth["matches"]
        .filter(pl.col("level") == 4)
        .join(needs, on="need_id")
        .join(county.region["achievements"].select("achievement_id", answer="title"), on="achievement_id")
    )
    shared = [longest_common(n, a) / len(n) for n, a in strong.select("need", "answer").rows()]

    assert sum(shared) / len(shared) < 0.5
    assert min(shared) < 0.15


def longest_common(left: str, right: str) -> int:
    best = 0
    for i in range(len(left)):
        while left[i : i + best + 1] in right and i + best < len(left):
            best += 1
    return best


# ── truth, by a slow sure way ───────────────────────────────────────────────────────────────────────────────────


def test_truth_of_matches_names_rows_once(any_size):
    matches, region = any_size.truth["matches"], any_size.region

    assert set(matches["level"]) == {1, 2, 3, 4}
    assert matches.select("need_id", "achievement_id").is_unique().all()
    assert set(matches["need_id"]) <= set(region["needs"]["need_id"])
    assert set(matches["achievement_id"]) <= set(region["achievements"]["achievement_id"])


def test_truth_of_matches_leaves_some_needs_alone_and_none_with_too_many(county):
    good = county.truth["matches"].filter(pl.col("level") >= 3).group_by("need_id").len()
    alone = county.region["needs"].height - good.height

    assert 0.03 <= alone / county.region["needs"].height <= 0.25
    assert good["len"].max() <= 25
    assert 2 <= good["len"].median() <= 12


def test_truth_of_matches_follows_from_field(county):
    pairs = (
        county.truth["matches"]
        .join(county.region["needs"].select("need_id", need_field="field"), on="need_id")
        .join(county.region["achievements"].select("achievement_id", "field"), on="achievement_id")
        .drop_nulls()
    )

    assert (pairs.filter(pl.col("level") >= 2)["need_field"] == pairs.filter(pl.col("level") >= 2)["field"]).all()


def test_truth_of_missing_products_is_what_nobody_makes(any_size):
    region = any_size.region
    made = set(region["makes"]["product_id"])
    # a product is here also where a kind of it is made
    kinds = [r for r in region["product_links"].iter_rows(named=True) if r["kind"] == "kind_of"]
    made |= {r["downstream_id"] for r in kinds if r["upstream_id"] in made}
    inputs = [r for r in region["product_links"].iter_rows(named=True) if r["kind"] != "kind_of"]
    segment = {r["product_id"]: (r["chain"], r["segment"]) for r in region["products"].iter_rows(named=True)}
    alive = {segment[p] for p in made}
    expected = {}
    for product, own in segment.items():
        if product in made:
            continue
        above = {r["upstream_id"] for r in inputs if r["downstream_id"] == product}
        below = {r["downstream_id"] for r in inputs if r["upstream_id"] == product}
        if above & made and below & made:
            expected[product] = "break"
        elif own not in alive:
            expected[product] = "blank"

    assert dict(any_size.truth["missing_products"].rows()) == expected
    assert set(segment) - made == set(expected)


def test_product_links_share_at_most_the_whole(any_size):
    links = any_size.region["product_links"].filter(pl.col("weight").is_not_null())

    assert links.group_by("downstream_id").agg(pl.col("weight").sum())["weight"].max() <= 1.0 + 1e-9


def test_product_links_go_downstream_only(any_size):
    links = any_size.region["product_links"].filter(pl.col("kind") != "kind_of")
    above: dict[str, set[str]] = {}
    for up, down in links.select("upstream_id", "downstream_id").rows():
        above.setdefault(down, set()).add(up)
    done: set[str] = set()
    while left := {p for p in above if p not in done and above[p] & set(above) <= done}:
        done |= left

    assert done == set(above)  # whoever is left stands in a circle


def test_truth_of_conflicts_follows_from_relations(any_size):
    region = any_size.region
    earliest = TODAY.replace(year=TODAY.year - 3)
    held = [r for r in region["relations"].iter_rows(named=True) if not r["until_on"] or r["until_on"] >= earliest]
    sides = [(r["kind"], r["left_id"], r["right_id"]) for r in held]
    sides += [(kind, right, left) for kind, left, right in sides]
    staff = {(r["expert_id"], r["org_id"]) for r in region["experts"].iter_rows(named=True) if r["org_id"]}
    experts = set(region["experts"]["expert_id"])
    staff |= {(a, b) for kind, a, b in sides if kind == "employment" and a in experts}
    bound = {("employment", e, o) for e, o in staff}
    bound |= {(kind, a, b) for kind, a, b in sides if a in experts and kind in ("shareholding", "contract")}
    for kind, a, b in sides:
        if kind in ("family", "adviser", "coauthor"):
            bound |= {(kind, a, o) for e, o in staff if e == b}
        if kind == "shareholding" and a not in experts:
            bound |= {(kind, e, b) for e, o in staff if o == a}
    order = ("employment", "shareholding", "contract", "family", "adviser", "coauthor")
    expected: dict[tuple[str, str], str] = {}
    for need in region["needs"].iter_rows(named=True):
        for kind, expert, org in sorted(bound, key=lambda b: order.index(b[0])):
            if org == need["org_id"]:
                expected.setdefault((need["need_id"], expert), kind)

    found = {(n, e): kind for n, e, kind in any_size.truth["conflicts"].rows()}
    assert found == expected
    assert found


def test_truth_of_same_joins_rows_of_one_code_or_name(any_size):
    same = any_size.truth["same"].join(any_size.region["organisations"], on="org_id")
    names = {r["org_id"]: r for r in any_size.region["organisations"].iter_rows(named=True)}

    copies = [r for r in same.iter_rows(named=True) if r["org_id"] != r["canonical_id"]]
    assert copies
    for copy in copies:
        first = names[copy["canonical_id"]]
        plain = first["name"].replace("（", "(").replace("）", ")")
        assert copy["uscc"] == first["uscc"] or copy["name"] == plain or copy["name"] in first["former_names"]
    single = same.filter(pl.col("org_id") == pl.col("canonical_id"))["uscc"].drop_nulls()
    assert single.is_unique().all()


# ── map and figures ─────────────────────────────────────────────────────────────────────────────────────────────


def test_districts_share_their_borders_exactly(county):
    rings = [f["geometry"]["coordinates"][0] for f in county.region.geojson["features"]]
    pieces = Counter()
    for ring in rings:
        assert ring[0] == ring[-1]
        for a, b in pairwise(ring):
            pieces[frozenset((tuple(a), tuple(b)))] += 1

    # a piece of border belongs to one district (the outside) or to two, never more; neighbours exist
    assert set(pieces.values()) == {1, 2}
    assert sum(n == 2 for n in pieces.values()) >= 32


def test_districts_lie_around_their_centres(county):
    for row, feature in zip(
        county.region["districts"].iter_rows(named=True), county.region.geojson["features"], strict=True
    ):
        ring = feature["geometry"]["coordinates"][0]
        assert row["district_id"] == feature["properties"]["district_id"]
        assert inside((row["longitude"], row["latitude"]), ring)
        assert row["area_km2"] > 100


def inside(point, ring):
    """Whether a ray from the point crosses the ring an odd number of times."""
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossings += 1
    return crossings % 2 == 1


def test_indicators_are_whole_and_grow(county):
    table = county.region["indicators"]
    growth = (
        table.sort("year").group_by("district_id", "indicator").agg(pl.col("value").last() / pl.col("value").first())
    )

    assert table.height == 4 * 10 * 15
    assert (table["value"] > 0).all()
    assert growth["value"].median() > 1.5


# ── writing, and the example ────────────────────────────────────────────────────────────────────────────────────


def test_write_is_read_back_the_same(tiny, tmp_path):
    write(tiny, tmp_path / "region")

    again = read_region(tmp_path / "region")
    for noun in tables():
        assert_frame_equal(again[noun], tiny.region[noun])
    for name, table in tiny.truth.items():
        assert_frame_equal(pl.read_csv(tmp_path / "region" / "truth" / f"{name}.csv"), table)


def test_write_gives_the_same_bytes(tiny, tmp_path):
    for name in ("one", "two"):
        write(tiny, tmp_path / name)

    for file in sorted((tmp_path / "one").rglob("*")):
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_cards_ask_for_what_the_other_side_can_be(county):
    needs, achievements = county.region["needs"], county.region["achievements"]

    both = needs.drop_nulls(["must_have", "nice_to_have"])
    wishes = needs.filter(pl.col("nice_to_have").list.len() > 0)
    assert not any(set(m) & set(n) for m, n in both.select("must_have", "nice_to_have").rows())
    assert 0.1 < wishes.height / needs.height < 0.35
    assert not set(wishes["kind"]) & {"talent", "funding"}
    seeking = achievements.drop_nulls("partners_wanted")
    assert 0.3 < seeking.height / achievements.height < 0.6
    assert seeking.filter(offer_kind="shares")["partners_wanted"].str.contains("共建").all()


def test_the_checked_in_example_is_what_the_code_makes(tiny):
    region = read_region(TINY)

    for noun in tables():
        assert_frame_equal(region[noun], tiny.region[noun])
    for name, table in tiny.truth.items():
        assert_frame_equal(pl.read_csv(TINY / "truth" / f"{name}.csv"), table)
    assert json.loads((TINY / "districts.geojson").read_text(encoding="utf-8")) == tiny.region.geojson


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_example_tells_the_truth(tiny, readme):
    """Every id that the example's page names is there, and what it says of pairs is in the truth."""
    text = (TINY / readme).read_text(encoding="utf-8")
    known = set().union(*(set(tiny.region[t.name][t.key[0]]) for t in tables().values() if t.key))

    assert set(re.findall(r"\b[NAEOPR]\d{2,3}\b", text)) <= known
    matches = {(n, a): level for n, a, level in tiny.truth["matches"].rows()}
    for need, achievement in re.findall(r"(N\d{2}) → (A\d{2})", text):
        assert matches[need, achievement] == 4
    conflicts = {(n, e) for n, e, _ in tiny.truth["conflicts"].rows()}
    assert set(re.findall(r"(N\d{2}) × (E\d{2})", text)) <= conflicts
    missing = dict(tiny.truth["missing_products"].rows())
    for product, kind in re.findall(r"(P\d{3}) \((break|blank)\)", text):
        assert missing[product] == kind
    assert all(fault in text for fault in tiny.truth["faults"]["id"])
    same = dict(tiny.truth["same"].rows())
    assert all(copy in text and first in text for copy, first in same.items() if copy != first)
