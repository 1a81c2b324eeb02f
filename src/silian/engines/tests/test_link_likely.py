"""Facts of likely duplicates: what makes two organisations likely one, what speaks against it, and how sure it is."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.link import LEAST_LIKELY, likely, same
from silian.engines.link.likely import CHANCE, LONGEST, OTHER_BRAND
from silian.errors import ArgumentError, TableError
from silian.tables import schema, synth, uscc

CODES = [uscc.make("9", "1", "110105", f"A000000{i}") for i in range(3)]
SCHEMA = {
    "org_id": pl.String,
    "uscc": pl.String,
    "name": pl.String,
    "former_names": pl.List(pl.String),
    "kind": pl.String,
    "region": pl.String,
    "parent_org_id": pl.String,
}


def rows_of(*names, **columns):
    """Organisations o1, o2 … of these names, and columns with one value each."""
    given = [{"org_id": f"o{i}", "name": n} for i, n in enumerate(names, 1)]
    for column, values in columns.items():
        for row, value in zip(given, values, strict=True):
            row[column] = value
    return pl.DataFrame(given, schema=SCHEMA)


def pairs(*names, **columns):
    """The reasons by pair."""
    return {
        (a, b): why
        for a, b, why in likely(rows_of(*names, **columns), least=0.5).select("org_id", "other_id", "why").rows()
    }


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("四链科技有限公司", "四链科技股份有限公司", "form"),
        ("四链科技有限公司", "四链科技", "form"),
        ("苏州四链科技有限公司", "四链科技有限公司", "place"),
        ("四链（苏州）科技有限公司", "四链科技有限公司", "place"),
        ("四链科技（集团）有限公司", "四链科技有限公司", "place"),
        ("江苏省苏州市四链科技有限公司", "苏州四链科技股份有限公司", "place"),
        ("四链（苏州）科技有限公司", "苏州四链科技有限公司", "order"),
        ("苏州恒远星科有限公司", "苏州恒远兴科有限公司", "sound"),
        ("苏州四链精密机电有限公司", "苏州四链精蜜机电有限公司", "sound"),
        ("苏州恒远精密机电有限公司", "苏州恒远精细机电有限公司", "spelling"),
        ("苏州恒远精密机电有限公司", "苏州恒远密机电有限公司", "spelling"),
        ("苏州恒远精密机电有限公司", "苏州恒远密精机电有限公司", "order"),
        ("恒远机电", "恒远机电设备制造有限公司", "short"),
    ],
)
def test_likely_offers_names_that_are_nearly_one_with_the_reason(one, other, why):
    assert pairs(one, other) == {("o1", "o2"): why}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("四链科技有限公司", "四链（科技）有限责任公司"),  # `same` joins them
        ("苏州四链科技有限公司", "杭州四链科技有限公司"),  # two places
        ("四链（苏州）科技有限公司", "四链（杭州）科技有限公司"),
        ("四链（能源）科技有限公司", "四链（生物）科技有限公司"),
        ("苏州第一精密机电有限公司", "苏州第二精密机电有限公司"),
        ("苏州东方精密机电有限公司", "苏州南方精密机电有限公司"),
        ("苏州四链12精密有限公司", "苏州四链21精密有限公司"),
        ("苏州恒远精密机电有限公司", "苏州恒达精密机电有限公司"),  # two brands
        ("苏州恒远机电有限公司", "苏州恒达机电有限公司"),  # so short that firms differ in one character by right
        ("恒远机电有限公司", "恒远机电设备制造有限公司"),  # a full name that begins another is a body of its own
        ("恒远科技有限公司", "恒远集团科技有限公司"),
        ("四链科技有限公司", ""),
        ("四链科技有限公司", None),
        ("公司", "有限公司"),
    ],
)
def test_likely_leaves_what_is_one_already_or_rightly_two(one, other):
    assert pairs(one, other) == {}


@pytest.mark.parametrize(
    "against",
    [
        {"uscc": CODES[:2]},
        {"region": ["320505", "330105"]},
        {"kind": ["branch", None]},
        {"parent_org_id": ["o9", None]},
        {"parent_org_id": ["o8", "o9"]},
    ],
)
def test_likely_heeds_what_speaks_against_it(against):
    names = ("四链科技有限公司", "四链科技股份有限公司")

    assert pairs(*names) == {("o1", "o2"): "form"}
    assert pairs(*names, **against) == {}


@pytest.mark.parametrize(
    "for_it", [{"uscc": [CODES[0], None]}, {"region": ["320505", "320506"]}, {"parent_org_id": ["o9", "o9"]}]
)
def test_likely_needs_no_more_than_that_nothing_speaks_against_it(for_it):
    assert pairs("四链科技有限公司", "四链科技股份有限公司", **for_it) == {("o1", "o2"): "form"}


def test_likely_halves_the_chance_where_the_kinds_differ():
    names = ("四链科技有限公司", "四链科技股份有限公司")

    alike = likely(rows_of(*names, kind=["enterprise", "enterprise"]), least=0.0)["probability"].item()
    other = likely(rows_of(*names, kind=["enterprise", "society"]), least=0.0)["probability"].item()

    assert (alike, other) == (CHANCE["form"], CHANCE["form"] / 2)


def test_likely_shares_the_chance_among_all_that_have_the_key():
    found = likely(rows_of("四链科技有限公司", "四链科技股份有限公司", "四链科技"), least=0.0)

    assert found.select("org_id", "other_id", "probability").rows() == [
        ("o1", "o2", CHANCE["form"] / 2),
        ("o1", "o3", CHANCE["form"] / 2),
        ("o2", "o3", CHANCE["form"] / 2),
    ]


def test_likely_is_less_sure_where_the_brands_differ():
    found = likely(
        rows_of("恒远精密机电有限公司", "恒元精密机电有限公司", "四链精密机电有限公司", "四连精密机电厂有限公司"),
        least=0.0,
    )

    assert found.select("org_id", "other_id", "why", "probability").rows() == [
        ("o1", "o2", "sound", CHANCE["sound"] * OTHER_BRAND["sound"])
    ]


def test_likely_takes_what_many_names_begin_with_for_a_place():
    many = [
        f"栖川{a}{b}有限公司" for a in "恒远精密机" for b in ("电机", "阀门", "轴承", "齿轮", "水泵", "电缆", "涂料")
    ]

    found = likely(rows_of("栖川四链科技有限公司", "四链科技有限公司", *many))

    assert ("o1", "o2", "place") in found.select("org_id", "other_id", "why").rows()


def test_likely_finds_a_slip_in_a_code_where_the_names_are_alike():
    code = CODES[0]
    slip = code[:10] + ("1" if code[10] != "1" else "2") + code[11:]
    names = ("四链科技有限公司", "四链新材科技公司")

    assert not uscc.valid(pl.Series([slip])).item()
    assert pairs(*names, uscc=[code, slip]) == {("o1", "o2"): "code"}
    assert pairs("四链科技有限公司", "恒远机电厂", uscc=[code, slip]) == {}
    assert pairs(*names, uscc=[code, slip[:17]]) == {}


def test_likely_looks_at_former_names_too():
    rows = rows_of("恒远机电有限公司", "四链科技股份有限公司", former_names=[["四链科技有限公司"], None])

    assert likely(rows).select("org_id", "other_id", "why", "shared").rows() == [("o1", "o2", "form", "四链科技")]


def test_likely_speaks_of_bodies_and_not_of_rows():
    rows = rows_of("四链科技有限公司", "四链科技有限责任公司", "四链科技股份有限公司", uscc=[None, CODES[0], None])

    assert likely(rows).select("org_id", "other_id").rows() == [("o2", "o3")]


@pytest.mark.parametrize("least", [0.0, LEAST_LIKELY, 0.95, 1.0])
def test_likely_leaves_out_what_is_less_likely_than_asked(least):
    rows = rows_of(
        "四链科技有限公司", "四链科技股份有限公司", "苏州四链科技集团", "苏州恒远精密机电厂", "苏州恒达精密机电厂"
    )

    found, every = likely(rows, least=least), likely(rows, least=0.0)

    assert_frame_equal(found, every.filter(pl.col("probability") >= least))


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_likely_refuses_a_threshold_that_is_no_chance(least):
    with pytest.raises(ArgumentError, match=r"argument\.value.*least"):
        likely(rows_of("四链"), least=least)


def test_likely_names_what_is_wrong_with_its_input():
    with pytest.raises(TableError, match=r"table\.duplicate.*org_id"):
        likely(pl.DataFrame({"org_id": ["o1", "o1"]}))
    with pytest.raises(TableError, match=r"table\.columns.*org_id"):
        likely(pl.DataFrame({"name": ["四链"]}))


def test_likely_of_nothing_has_the_columns_of_the_schema():
    for rows in (pl.DataFrame({"org_id": []}), rows_of("四链科技"), rows_of("长" * 300, "长" * 299)):
        found = likely(rows)
        assert found.is_empty()
        assert found.schema == schema.linking()["likely_same"].polars


def test_likely_finds_few_pairs_among_bodies_that_are_two():
    made = synth.make("county", seed=7)
    truth = made.truth["same"].select("org_id", "canonical_id")
    bodies = dict(truth.rows())

    found = likely(made.region["organisations"])

    assert all(
        bodies[a] != bodies[b] for a, b in found.select("org_id", "other_id").rows()
    )  # `same` joined the planted
    assert found.height <= made.region["organisations"].height / 100


NAME = st.text(alphabet="四链苏州恒远精密机电科技兴星一二", min_size=0, max_size=9)
FORM = st.sampled_from(["", "有限公司", "股份有限公司", "集团", "（苏州）有限公司"])
NAMES = st.lists(st.builds(str.__add__, NAME, FORM), max_size=9)


@given(NAMES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_likely_does_not_depend_on_the_order_of_rows_and_joins_nothing_that_is_joined(names, dice):
    rows = rows_of(*names)
    bodies = dict(same(rows).select("org_id", "canonical_id").rows())

    found = likely(rows, least=0.0)

    assert_frame_equal(likely(rows.sample(fraction=1, shuffle=True, seed=dice.randint(0, 99)), least=0.0), found)
    assert not found.select("org_id", "other_id").is_duplicated().any()
    for one, other in found.select("org_id", "other_id").rows():
        assert one < other
        assert bodies[one] == one
        assert bodies[other] == other
    assert found["probability"].is_between(0, 1).all()


def apart(one, other):
    """Whether one is the other but for one character more, one other, or two neighbours that changed places."""
    if abs(len(one) - len(other)) == 1:
        long, short = max(one, other, key=len), min(one, other, key=len)
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    differ = [i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(one) != len(other) or not differ:
        return False
    i, j = differ[0], differ[-1]
    return len(differ) == 1 or (len(differ) == 2 and j == i + 1 and one[i] == other[j] and one[j] == other[i])


@given(st.lists(st.text(alphabet="链恒远精密机电", min_size=6, max_size=9), min_size=2, max_size=7, unique=True))
@settings(max_examples=80, deadline=None)
def test_likely_finds_every_pair_that_is_one_slip_apart(names):
    found = likely(rows_of(*(f"{n}有限公司" for n in names)), least=0.0)

    told = set(found.filter(pl.col("why") != "short").select("org_id", "other_id").rows())
    slow = {
        (f"o{i}", f"o{j}")
        for i, one in enumerate(names, 1)
        for j, other in enumerate(names, 1)
        if i < j and (apart(one, other) or sorted(one) == sorted(other))
    }
    assert told == slow
    assert max(map(len, names)) <= LONGEST
