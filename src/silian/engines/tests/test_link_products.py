"""Facts of linking product names: what is one product, what a kind of one, what none, and how sure that is."""

from __future__ import annotations

from importlib.resources import files
from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.link import likeness, phrases, products
from silian.errors import ArgumentError, TableError
from silian.tables import schema, synth
from silian.text import Concept, Terms

GENERAL = [
    *("轴承", "齿轮", "电机", "阀门", "纱线", "面料", "服装", "家具", "钢材", "玻璃", "陶瓷", "涂料"),
    *("食品", "饮料", "啤酒", "药品", "软件", "汽车", "轮胎", "电缆", "变压器", "玩具", "化妆品", "蒸汽"),
    *("茶叶", "LED", "租赁", "维修", "运输", "咨询", "培训", "设计", "施工", "检测", "物流", "零售"),
    *("批发", "系统集成", "配件", "设备", "服务", "系统", "材料", "产品", "销售", "制造", "管理", "业务"),
]  # fmt: skip


def catalogue_of(*names):
    """Products p1, p2 … of these names."""
    return pl.DataFrame({"product_id": [f"p{i}" for i, _ in enumerate(names, 1)], "name": list(names)})


def linked(name, *catalogue, **options):
    """The links of one name: (product's name, why, activity)."""
    nodes = catalogue_of(*catalogue)
    found = products(pl.DataFrame({"name": [name]}), nodes, **options).links.join(nodes, on="product_id")
    return found.select("name_right", "why", "activity").rows()


def guessed(name, *catalogue, **options):
    """What stays unlinked of one name: (part, product_id, why)."""
    found = products(pl.DataFrame({"name": [name]}), catalogue_of(*catalogue), **options)
    return found.unlinked.select("part", "product_id", "why").rows()


# ── what is found ──


@pytest.mark.parametrize(
    ("name", "catalogue", "wanted"),
    [
        ("轴承", ["轴承"], ("轴承", "equal", None)),
        ("軸承", ["轴承"], ("轴承", "equal", None)),
        ("ＲＶ减速器", ["RV减速器"], ("RV减速器", "equal", None)),
        ("rv减速器", ["RV减速器"], ("RV减速器", "cleaned", None)),
        ("轴承系列产品", ["轴承"], ("轴承", "cleaned", None)),
        ("轴承（滚动）", ["轴承"], ("轴承", "cleaned", None)),
        ("1)轴承", ["轴承"], ("轴承", "cleaned", None)),
        ("轴承制造", ["轴承"], ("轴承", "cleaned", "making")),
        ("生产轴承", ["轴承"], ("轴承", "cleaned", "making")),
        ("轴承销售业务", ["轴承"], ("轴承", "cleaned", "trading")),
        ("轴承销售业务", ["轴承", "轴承销售业务"], ("轴承销售业务", "equal", None)),
        ("运输劳务", ["运输"], ("运输", "cleaned", "service")),
        ("滚动轴承", ["轴承"], ("轴承", "kind_of", None)),
        ("高速锦纶纱线", ["纱线", "锦纶纱线"], ("锦纶纱线", "kind_of", None)),
        ("圆锥滚子轴承批发", ["轴承"], ("轴承", "kind_of", "trading")),
        ("橡胶轮胎设备", ["轮胎设备", "设备"], ("轮胎设备", "kind_of", None)),
        ("石油钻采设备", ["石油设备", "设备"], ("石油设备", "kind_of", None)),
        ("日用杂品零售", ["零售"], ("零售", "kind_of", None)),
        ("建筑物拆除工程承包", ["工程"], ("工程", "kind_of", "service")),
        ("设备", ["设备"], ("设备", "equal", None)),
    ],
)
def test_products_finds_the_product_and_says_how(name, catalogue, wanted):
    assert linked(name, *catalogue) == [wanted]


def test_products_prefers_the_longest_end_that_is_a_product():
    nodes = ["器", "传感器", "压力传感器", "陶瓷压力传感器"]

    assert linked("车用陶瓷压力传感器", *nodes) == [("陶瓷压力传感器", "kind_of", None)]
    assert linked("车用陶瓷压力传感器", *nodes[:3]) == [("压力传感器", "kind_of", None)]
    assert linked("车用陶瓷压力传感器", *nodes[:2]) == [("传感器", "kind_of", None)]
    assert linked("车用陶瓷压力传感器", *nodes[:1]) == []


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("轴承、齿轮", ["轴承", "齿轮"]),
        ("轴承，齿轮；阀门", ["轴承", "阀门", "齿轮"]),
        ("轴承和齿轮", ["轴承", "齿轮"]),
        ("轴承及其配件", ["轴承", "配件"]),
        ("轴承以及齿轮", ["轴承", "齿轮"]),
        ("轴承&齿轮", ["轴承", "齿轮"]),
        ("轴承/齿轮", ["轴承", "齿轮"]),
        ("轴承（含保持架、滚子）", ["轴承（含保持架、滚子）"]),
        ("和田玉", ["和田玉"]),
        ("饱和蒸汽", ["饱和蒸汽"]),
        ("轴承、轴承", ["轴承"]),
    ],
)
def test_products_takes_lists_apart_and_words_not(name, parts):
    found = products(pl.DataFrame({"name": [name]}), catalogue_of("轴承", "齿轮", "阀门", "配件", "蒸汽"))

    told = pl.concat([found.links, found.unlinked])
    assert sorted(told["part"]) == sorted(parts)
    assert told["name"].unique().to_list() == [name]


def test_products_leaves_a_list_whole_that_is_itself_a_product():
    assert linked("电机与变压器", "电机", "变压器", "电机与变压器") == [("电机与变压器", "equal", None)]


@pytest.mark.parametrize("name", ["专用设备", "配套产品", "技术服务", "其他材料", "新型材料"])
def test_products_does_not_link_what_says_too_little(name):
    assert linked(name, "设备", "产品", "服务", "材料") == []


@pytest.mark.parametrize("name", ["出租汽车", "维修家具", "安装电缆", "回收轮胎"])
def test_products_does_not_take_a_service_on_a_thing_for_the_thing(name):
    assert linked(name, "汽车", "家具", "电缆", "轮胎") == []


@pytest.mark.parametrize("name", ["发光二极管", "LED（发光二极管）"])
def test_products_knows_other_names_from_terms_and_brackets(name):
    assert [row[0] for row in linked(name, "LED")] == ["LED"]


def test_products_knows_aliases_and_english_names():
    nodes = catalogue_of("电机", "轴承").with_columns(
        aliases=pl.Series([["马达"], None]), name_en=pl.Series([None, "Bearing"])
    )
    found = products(pl.DataFrame({"name": ["步进马达", "BEARING", "马达"]}), nodes, terms=Terms.made([]))

    assert found.links.select("name", "product_id", "why").rows() == [
        ("BEARING", "p2", "alias"),
        ("步进马达", "p1", "kind_of"),
        ("马达", "p1", "alias"),
    ]


def test_products_takes_the_terms_that_are_given():
    own = Terms.made([Concept("轴承", (), ("培林",))])

    assert linked("培林", "轴承", terms=own) == [("轴承", "alias", None)]
    assert linked("培林", "轴承", terms=Terms.made([])) == []


# ── the labelled names ──


def test_products_is_right_on_names_that_people_labelled():
    told = pl.read_csv(files("silian.engines.tests") / "data" / "product_names.csv").fill_null("")
    nodes = pl.concat([
        synth.make("county", seed=7).region["products"].select("name"), pl.DataFrame({"name": GENERAL})
    ]).unique().sort("name")  # fmt: skip
    nodes = nodes.with_columns(product_id=pl.col("name"))
    truth = told.with_columns(pl.col("products").str.split(";")).explode("products").filter(pl.col("products") != "")

    found = products(told.select("name"), nodes).links

    right = found.join(truth, left_on=["name", "product_id"], right_on=["name", "products"], how="semi")
    missed = truth.join(found, left_on=["name", "products"], right_on=["name", "product_id"], how="anti")
    assert told.height >= 300
    wrong = found.join(right, on=["name", "part"], how="anti")
    assert right.height / found.height >= 0.98, wrong.rows()
    assert right.height / truth.height >= 0.98, missed.rows()


# ── how sure ──


def test_products_confidence_halves_between_two_products_of_one_name():
    twins = pl.DataFrame({"product_id": ["b", "a"], "name": ["轴承", "轴承"]})
    alone = products(pl.DataFrame({"name": ["滚动轴承"]}), twins[:1]).links.row(0, named=True)

    found = products(pl.DataFrame({"name": ["滚动轴承"]}), twins)

    assert found.links.is_empty()
    (guess,) = found.unlinked.rows(named=True)
    assert (guess["product_id"], guess["confidence"]) == ("a", pytest.approx(alone["confidence"] / 2))


@pytest.mark.parametrize("other", ["轴 承", "轴承（", "「轴承」"])
def test_products_prefers_the_twin_that_bears_the_bare_name(other):
    twins = pl.DataFrame({"product_id": ["a", "b"], "name": [other, "轴承"]})

    found = products(pl.DataFrame({"name": ["滚动轴承", "轴承", other, "轴-承"]}), twins).links

    assert dict(found.select("name", "product_id").rows()) == {"滚动轴承": "b", "轴承": "b", other: "a", "轴-承": "b"}


def test_products_names_the_class_where_nothing_more_is_known():
    found = products(pl.DataFrame({"name": ["办公设备", "专用设备业务"]}), catalogue_of("设备", "办公桌"), least=0.0)

    assert found.links.is_empty()
    assert found.unlinked.select("name", "product_id", "why").rows() == [
        ("专用设备业务", "p1", "class"),
        ("办公设备", "p1", "class"),
    ]


@pytest.mark.parametrize(("industry", "wanted"), [("C3451", "a"), ("3452", "a"), ("C26", "b"), ("2651", "b")])
def test_products_takes_the_twin_that_shares_the_industry(industry, wanted):
    twins = pl.DataFrame({"product_id": ["a", "b"], "name": ["填料", "填料"], "industry": ["C3459", "C2651"]})

    found = products(pl.DataFrame({"name": ["高效填料"], "industry": [industry]}), twins)

    assert found.links["product_id"].to_list() == [wanted]


def test_products_leaves_twins_open_where_the_industry_says_nothing():
    twins = pl.DataFrame({"product_id": ["a", "b"], "name": ["填料", "填料"], "industry": ["C3459", "C2651"]})

    for industry in (["C3", "C3499"], ["I65"], [None]):
        asked = pl.DataFrame(
            {"name": ["填料"] * len(industry), "industry": industry}, schema={"name": pl.String, "industry": pl.String}
        )
        found = products(asked, twins)
        linked_to = found.links["product_id"].to_list()
        assert linked_to == (["a"] if industry == ["C3", "C3499"] else [])


@pytest.mark.parametrize("least", [0.0, 0.5, 0.9, 0.97, 1.0])
def test_products_gives_no_link_below_the_least_confidence_and_drops_none(least):
    names = pl.DataFrame({"name": ["轴承", "滚动轴承", "专用轴", "分部间抵销", "石油钻采设备", ""]})

    found = products(names, catalogue_of("轴承", "石油设备"), least=least)

    assert all(value >= least for value in found.links["confidence"])
    assert all(value < least for value in found.unlinked.drop_nulls("product_id")["confidence"])
    assert pl.concat([found.links, found.unlinked])["name"].n_unique() == 6


# ── bad input ──


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("", [("", None, "empty")]),
        ("   ", [("", None, "empty")]),
        ("——", [("——", None, "empty")]),
        ("、；", [("、；", None, "empty")]),
        ("分部间抵销", [("分部间抵销", None, "books")]),
        ("其他", [("其他", None, "books")]),
        ("Ω", [("Ω", None, "none")]),
        ("XYZ", [("XYZ", None, "none")]),
        ("茶", [("茶", None, "none")]),
    ],
)
def test_products_lists_what_names_no_product(name, wanted):
    assert guessed(name, "轴承", "承轴") == wanted


def test_products_reads_one_character_only_as_a_whole_or_as_a_sure_head():
    assert linked("纸", "纸", "铁") == [("纸", "equal", None)]
    assert linked("牛皮纸", "纸", "铁", least=0.6) == [("纸", "kind_of", None)]
    assert linked("高铁", "纸", "铁", least=0.6) == []


def test_products_takes_names_of_300_characters():
    long = "高" * 296 + "滚动轴承"

    assert linked(long, "轴承") == [("轴承", "kind_of", None)]
    assert linked("轴承" * 150, "轴承" * 150) == [("轴承" * 150, "equal", None)]
    assert guessed("长" * 300, "轴承") == [("长" * 300, None, "none")]


def test_products_reads_latin_names_as_wholes():
    assert linked("PCB", "pcb") == [("pcb", "cleaned", None)]
    assert linked("EPC", "PC") == []
    assert linked("LED display", "display") == []


def test_products_of_nothing_is_nothing():
    empty = pl.DataFrame({"name": []})

    for found in (products(empty, catalogue_of("轴承")), products(empty, catalogue_of())):
        assert found.links.is_empty()
        assert found.unlinked.is_empty()
    assert guessed("轴承") == [("轴承", None, "none")]


def test_products_has_the_columns_of_the_schema():
    found = products(pl.DataFrame({"name": ["轴承", "x"]}), catalogue_of("轴承"))

    assert found.links.schema == schema.linking()["linked_products"].polars
    assert found.unlinked.schema == schema.linking()["unlinked_products"].polars
    codes = schema.codes()
    assert set(found.links["why"]) | set(found.unlinked["why"]) <= set(codes["link_why"])


@pytest.mark.parametrize(
    ("names", "catalogue", "code"),
    [
        (pl.DataFrame({"title": ["轴承"]}), catalogue_of("轴承"), r"table\.columns.*names"),
        (pl.DataFrame({"name": [1]}), catalogue_of("轴承"), r"table\.type.*name"),
        (pl.DataFrame({"name": ["轴承", None]}), catalogue_of("轴承"), r"table\.value.*name"),
        (pl.DataFrame({"name": ["轴承"]}), pl.DataFrame({"name": ["轴承"]}), r"table\.columns.*catalogue"),
        (
            pl.DataFrame({"name": ["轴承"]}),
            pl.DataFrame({"product_id": ["a", "a"], "name": ["轴承", "齿轮"]}),
            r"table\.duplicate.*catalogue.*product_id",
        ),
        (pl.DataFrame({"name": ["轴承"]}), pl.DataFrame({"product_id": ["a"], "name": [None]}), r"table\.value.*name"),
    ],
)
def test_products_names_what_is_wrong_with_its_input(names, catalogue, code):
    with pytest.raises(TableError, match=code):
        products(names, catalogue)


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_products_refuses_a_threshold_that_is_no_chance(least):
    with pytest.raises(ArgumentError, match=r"argument\.value.*least"):
        products(pl.DataFrame({"name": ["轴承"]}), catalogue_of("轴承"), least=least)


# ── laws ──

NAMES = st.lists(
    st.one_of(
        st.text(alphabet="轴承齿轮滚动和、及类产品销售设备（）()-abA1 　其他纸", max_size=12),
        st.text(max_size=8),
    ),
    max_size=12,
)


@given(NAMES, NAMES, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_products_keeps_every_name_and_each_by_itself(names, nodes, dice):
    catalogue = catalogue_of(*nodes)
    asked = pl.DataFrame({"name": names}, schema={"name": pl.String})

    found = products(asked, catalogue)

    both = pl.concat([found.links, found.unlinked])
    assert set(both["name"]) == set(names)
    assert not both.select("name", "part").is_duplicated().any()
    assert both["confidence"].is_between(0, 1).all()
    assert set(both["product_id"].drop_nulls()) <= set(catalogue["product_id"])
    shuffled = products(asked.sample(fraction=1, shuffle=True, seed=dice.randint(0, 99)), catalogue[::-1])
    assert_frame_equal(shuffled.links, found.links)
    assert_frame_equal(shuffled.unlinked, found.unlinked)
    for name in names[:2]:
        alone = products(pl.DataFrame({"name": [name]}), catalogue)
        assert_frame_equal(alone.links, found.links.filter(name=name))
        assert_frame_equal(alone.unlinked, found.unlinked.filter(name=name))


@given(NAMES)
@settings(max_examples=50, deadline=None)
def test_products_links_every_name_with_a_letter_to_itself(names):
    named = [n for n in dict.fromkeys(names) if phrases.product_key([n])[0]]
    catalogue = pl.DataFrame({"product_id": named, "name": named}, schema={"product_id": pl.String, "name": pl.String})

    found = products(catalogue.select("name"), catalogue, least=0.0)

    clean = dict(zip(named, phrases.product_key(named), strict=True))
    for name, product_id, why in found.links.select("name", "product_id", "why").rows():
        if why in ("equal", "cleaned") and name == product_id:
            continue
        assert why != "equal" or clean[name] == clean[product_id]


@given(
    st.lists(st.text(alphabet="轴承齿轮滚", min_size=1, max_size=5), min_size=1, max_size=8),
    st.text(alphabet="轴承齿轮滚动", min_size=1, max_size=6),
)
@settings(max_examples=80, deadline=None)
def test_nearest_equals_the_cosine_of_each_pair(nodes, key):
    from math import log, sqrt

    def pairs(word):
        return {f"^{word}$"[i : i + 2] for i in range(len(word) + 1)}

    seen = {gram: sum(gram in pairs(n) for n in nodes) for n in nodes for gram in pairs(n)}
    weight = {gram: log(1 + len(nodes) / count) for gram, count in seen.items()}
    rarest = max(weight.values())

    def length(grams):
        return sqrt(sum(weight.get(g, rarest) ** 2 for g in grams))

    slow = [sum(weight[g] ** 2 for g in pairs(key) & pairs(n)) / length(pairs(key)) / length(pairs(n)) for n in nodes]
    place, cosine = likeness.nearest([key], nodes)

    if max(slow) == 0:
        assert place.tolist() == [-1]
    else:
        assert cosine[0] == pytest.approx(max(slow))
        assert slow[place[0]] == pytest.approx(max(slow))


@pytest.mark.parametrize(
    ("opening", "thing", "frame"), list(product(["", "其他", "各类"], ["轴承", "压力传感器"], ["", "系列", "类产品"]))
)
def test_products_sees_through_frames(opening, thing, frame):
    ((found, _, _),) = linked(f"{opening}{thing}{frame}", "轴承", "传感器", "压力传感器", "产品", "系列")

    assert found == thing
