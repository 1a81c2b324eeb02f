"""Linking product names: the labelled names, 100,000 made-up names to 100,000 products, and the real names.

The peer is what one would reach for first: TF-IDF of runs of one to three characters, and of all products the one with
the largest cosine. On the labelled names its threshold is the best that it could have for a precision of 0.9, found on
these names themselves, so it is flattered. The made-up names are built from a product (one or two modifiers before it,
words around it, lists of two), so it is known what they mean; a longer end of the name that is a product too is right
as well. The real names (`../shared/data/chain`, left out where they are absent) are counted only: whether their links
are right was judged by reading, see docs/methods/link.md.
"""

from __future__ import annotations

import json
import os
import resource
import time
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from silian.engines.link import products
from silian.tables import synth

CORES = os.cpu_count()
SIZE = 100_000
HERE = Path(__file__).resolve().parent
LABELS = HERE.parent / "src/silian/engines/tests/data/product_names.csv"
REAL = HERE.parent.parent / "shared" / "data" / "chain"
GENERAL = [
    *("轴承", "齿轮", "电机", "阀门", "纱线", "面料", "服装", "家具", "钢材", "玻璃", "陶瓷", "涂料"),
    *("食品", "饮料", "啤酒", "药品", "软件", "汽车", "轮胎", "电缆", "变压器", "玩具", "化妆品", "蒸汽"),
    *("茶叶", "LED", "租赁", "维修", "运输", "咨询", "培训", "设计", "施工", "检测", "物流", "零售"),
    *("批发", "系统集成", "配件", "设备", "服务", "系统", "材料", "产品", "销售", "制造"),
]  # fmt: skip
MODIFIERS = [
    *("高速", "精密", "耐磨", "环保", "轻型", "重型", "柔性", "便携", "防爆", "防水", "低温", "高温"),
    *("高压", "低压", "大功率", "小型", "船用", "车载", "矿用", "医用", "家用", "农用", "航空", "海洋"),
    *("户外", "工业", "纳米", "复合", "改性", "特种", "超细", "再生", "双层", "多层", "三相", "单相"),
    *("全自动", "半自动", "数字", "光学", "磁性", "导电", "绝缘", "隔热", "阻燃", "抗菌", "静音", "节能"),
    *("立式", "卧式", "手持", "模块化", "分布式", "集中式", "一体化", "组合", "仿生", "有机", "无机", "合成"),
    *("天然", "生物", "电子级"),
]  # fmt: skip
OTHER = ["山庄", "花园", "广场", "航线", "抵销", "投资", "收益", "门票", "演出", "林场"]


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "link_products", "case": case, "values": rounded, "cores": CORES}), flush=True)


def nearest(names: list[str], nodes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The peer: for each name the place of the nearest node, and the cosine."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    read = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), dtype=np.float32)
    right = read.fit_transform(nodes).T.tocsr()
    place, cosine = np.zeros(len(names), np.int64), np.zeros(len(names))
    for start in range(0, len(names), 500):
        both = (read.transform(names[start : start + 500]) @ right).tocsr()
        for row in range(both.shape[0]):
            begin, end = both.indptr[row], both.indptr[row + 1]
            if end > begin:
                best = int(np.argmax(both.data[begin:end]))
                place[start + row], cosine[start + row] = both.indices[begin + best], both.data[begin + best]
    return place, cosine


def labelled() -> None:
    """Precision and recall on the labelled names, beside the peer's."""
    told = pl.read_csv(LABELS).fill_null("")
    nodes = pl.concat([synth.make("county", seed=7).region["products"].select("name"), pl.DataFrame({"name": GENERAL})])
    nodes = nodes.unique().sort("name").with_columns(product_id="name")
    truth = told.with_columns(pl.col("products").str.split(";")).explode("products").filter(pl.col("products") != "")
    pairs = set(truth.select("name", "products").rows())

    began = time.perf_counter()
    found = products(told.select("name"), nodes).links.select("name", "product_id").rows()
    seconds = time.perf_counter() - began
    right = len(pairs & set(found))

    began = time.perf_counter()
    place, cosine = nearest(told["name"].to_list(), nodes["name"].to_list())
    rival = time.perf_counter() - began
    is_right = np.asarray([(n, nodes["name"][int(p)]) in pairs for n, p in zip(told["name"], place, strict=True)])
    order = np.argsort(-cosine, kind="stable")
    precise = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    kept = int(np.flatnonzero(precise >= 0.9).max(initial=-1)) + 1
    line(
        "labelled",
        names=told.height,
        products=nodes.height,
        precision=right / len(found),
        recall=right / len(pairs),
        seconds=seconds,
        peer_precision=float(precise[kept - 1]) if kept else 0.0,
        peer_recall=float(is_right[order[:kept]].sum()) / len(pairs),
        peer_seconds=rival,
    )


def made_up(size: int) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Products, names, and what each name was built from (nothing where it means no product)."""
    rng = np.random.default_rng(7)
    base = [n for n in synth.make("county", seed=7).region["products"]["name"].to_list() if len(n) > 1]
    two = ["".join(pair) for pair in product(MODIFIERS, MODIFIERS) if pair[0] != pair[1]]
    nodes = list(
        dict.fromkeys([*base, *(m + b for m, b in product(MODIFIERS, base)), *(m + b for m, b in product(two, base))])
    )
    nodes = nodes[: len(base)] + [
        nodes[i] for i in np.sort(rng.choice(len(nodes), size, replace=False)) if i >= len(base)
    ]
    nodes = nodes[:size]
    names, truth = [], []
    kinds, picked = rng.integers(0, 8, size).tolist(), rng.integers(0, len(nodes), (size, 2)).tolist()
    words = rng.integers(0, len(MODIFIERS), (size, 2)).tolist()
    for kind, (one, other), (word, more) in zip(kinds, picked, words, strict=True):
        a, b, before = nodes[one], nodes[other], MODIFIERS[word]
        built = [
            (a, (a,)), (f"{before}{a}", (a,)), (f"{before}{a}系列产品", (a,)), (f"{a}销售业务", (a,)),
            (f"{a}、{b}", (a, b)), (f"{before}{MODIFIERS[more]}{a}", (a,)), (f"{a}（{before}）", (a,)),
            (f"{before}{MODIFIERS[more]}{OTHER[one % len(OTHER)]}", ()),
        ]  # fmt: skip
        name, means = built[kind]
        names.append(name)
        truth.append(means)
    return nodes, names, truth


def many() -> None:
    """100,000 names to 100,000 products, beside the peer on a fiftieth of the names."""
    nodes, names, truth = made_up(SIZE)
    catalogue, asked = pl.DataFrame({"product_id": nodes, "name": nodes}), pl.DataFrame({"name": names})
    began = time.perf_counter()
    found = products(asked, catalogue)
    seconds = time.perf_counter() - began
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    linked: dict[str, list[str]] = {}
    for name, node in found.links.select("name", "product_id").rows():
        linked.setdefault(name, []).append(node)
    meant = dict(zip(names, truth, strict=True))
    right = sum(any(f.endswith(m) for f in linked.get(n, ())) for n, means in meant.items() for m in means)
    wanted = sum(map(len, meant.values()))
    wrong = sum(not any(f.endswith(m) for m in meant[n]) for n, nodes_of in linked.items() for f in nodes_of)
    total = found.links.height
    assert right / wanted > 0.98
    assert 1 - wrong / total > 0.98
    some = names[:: SIZE // 2_000]
    began = time.perf_counter()
    nearest(some, nodes)
    rival = time.perf_counter() - began
    line(
        "many",
        names=len(set(names)),
        products=len(nodes),
        seconds=seconds,
        mib=mib,
        precision=1 - wrong / total,
        recall=right / wanted,
        peer_names=len(some),
        peer_seconds=rival,
    )


def real() -> None:
    """How many of the real names are linked, and how."""
    relations = pl.read_parquet(REAL / "product_relations.parquet")
    makes = pl.read_parquet(REAL / "company_product.parquet")
    nodes = pl.concat([relations["src"], relations["dst"]]).unique().sort()
    asked = makes.select(name="product").unique().sort("name")
    began = time.perf_counter()
    found = products(asked, pl.DataFrame({"product_id": nodes, "name": nodes}))
    seconds = time.perf_counter() - began
    linked = found.links["name"].unique()
    line(
        "real",
        names=asked.height,
        products=nodes.len(),
        seconds=seconds,
        linked_share=linked.len() / asked.height,
        linked_rows_share=float(makes["product"].is_in(linked.implode()).mean() or 0.0),
        equal_share=float(asked["name"].is_in(nodes.implode()).mean() or 0.0),
        class_only=found.unlinked.filter(why="class").height,
    )


def main() -> None:
    """Labelled, many, real."""
    labelled()
    many()
    if REAL.exists():
        real()


if __name__ == "__main__":
    main()
