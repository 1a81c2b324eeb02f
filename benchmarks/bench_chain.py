"""Chain gaps: the synthetic city, and the real product graph in `../shared/data/chain` (left out where it is absent).

The real graph has 95,554 products, 110,153 links and 45,090 makers by name, nearly all unlinked: it measures speed, not
sense. `country` takes every maker; `provinces` takes each province's makers alone. Peer: plain Python
loops over dictionaries. Answers are compared before the clock counts.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

import polars as pl

from silian.engines.chain import fillers, gaps
from silian.tables import synth

CORES = os.cpu_count()
DATA = Path(__file__).resolve().parents[1] / "../shared/data/chain"
NO_PAIRS = pl.DataFrame(schema={"need_id": pl.String, "target_id": pl.String, "score": pl.Float64})
NO_NEEDS = pl.DataFrame(schema={"need_id": pl.String, "product_id": pl.String})


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "chain", "case": case, "values": rounded, "cores": CORES}), flush=True)


def timed(work):
    """Seconds and the answer."""
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def real() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Makes with the maker's province, links, products; a product is its name."""
    given = pl.read_parquet(DATA / "product_relations.parquet")
    made = pl.read_parquet(DATA / "company_product.parquet").select(org_id="key", product_id="product").unique()
    places = pl.read_parquet(DATA / "companies.parquet").select(org_id="key", province="province")
    turned = pl.col("kind").is_in(["upstream", "subclass"])  # there src is the lower or the more general one
    links = given.select(
        upstream_id=pl.when(turned).then("dst").otherwise("src"),
        downstream_id=pl.when(turned).then("src").otherwise("dst"),
        kind=pl.col("kind").replace_strict({"upstream": "material", "downstream": "material", "subclass": "kind_of"}),
    ).unique()
    names = pl.concat(
        [pl.read_parquet(DATA / "products.parquet")["name"], given["src"], given["dst"], made["product_id"]]
    )
    return made.join(places, on="org_id", how="left"), links, pl.DataFrame({"product_id": names.unique().sort()})


def makers_by_loops(makes: pl.DataFrame, rows: list[tuple[str, str, str]]) -> dict[str, set[str]]:
    """product → organisations that make it or a kind of it."""
    makers: dict[str, set[str]] = {}
    for org, product in makes.select("org_id", "product_id").rows():
        makers.setdefault(product, set()).add(org)
    wholes: dict[str, list[str]] = {}
    for up, down, kind in rows:
        if kind == "kind_of":
            wholes.setdefault(up, []).append(down)
    waiting = list(makers)
    while waiting:
        product = waiting.pop()
        for whole in wholes.get(product, ()):
            known = makers.setdefault(whole, set())
            if not makers[product] <= known:
                known |= makers[product]
                waiting.append(whole)
    return makers


def by_loops(makes: pl.DataFrame, links: pl.DataFrame) -> dict[str, tuple[int, int, int, int, int]]:
    """product → upstream here and all, downstream here and all, buyers, of every break."""
    rows = [r for r in links.select("upstream_id", "downstream_id", "kind").rows() if r[0] != r[1]]
    makers = makers_by_loops(makes, rows)
    above: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    for up, down, kind in rows:
        if kind != "kind_of":
            above.setdefault(down, set()).add(up)
            below.setdefault(up, set()).add(down)
    found = {}
    for product in above.keys() & below.keys() - makers.keys():
        up = {p for p in above[product] if p in makers}
        down = {p for p in below[product] if p in makers}
        if up and down and len(up | down) > 1:
            buyers = len(set().union(*(makers[p] for p in down)))
            found[product] = (len(up), len(above[product]), len(down), len(below[product]), buyers)
    return found


def measured(case: str, makes: pl.DataFrame, links: pl.DataFrame, products: pl.DataFrame) -> None:
    """Gaps and fillers of one region of the real graph, beside the loops."""
    seconds, found = timed(lambda: gaps(makes, links, NO_NEEDS, products=products))
    rival, slow = timed(lambda: by_loops(makes, links))
    columns = ["upstream_here", "upstream_all", "downstream_here", "downstream_all", "buyers"]
    assert {r[0]: r[1:] for r in found.gaps.select("product_id", *columns).rows()} == slow
    filling, listed = timed(
        lambda: fillers(found.gaps, makes, links, needs=NO_NEEDS, achievement_pairs=NO_PAIRS, expert_pairs=NO_PAIRS)
    )
    line(
        case,
        products=products.height,
        links=links.height,
        makes=makes.height,
        breaks=found.gaps.height,
        seconds=seconds,
        seconds_loops=rival,
        ratio=seconds / rival,
        seconds_fillers=filling,
        fillers=listed.height,
        mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def main() -> None:
    """City, country, provinces."""
    made = synth.make("city", seed=7)
    region = made.region
    tables = region["makes"], region["product_links"], region["needs"]
    seconds, found = timed(lambda: gaps(*tables, products=region["products"]))
    truth = made.truth["missing_products"]
    assert dict(found.gaps.select("product_id", "kind").rows()) == dict(truth.rows())
    line("city", seconds=seconds, gaps=found.gaps.height, products=region["products"].height, makes=tables[0].height)
    if not DATA.exists():
        print(f"country, provinces: left out, {DATA} is not there")
        return
    makes, links, products = real()
    measured("country", makes, links, products)
    regions = (
        makes.drop_nulls("province").filter(pl.col("province") != "").partition_by("province", maintain_order=True)
    )
    seconds, found = timed(lambda: [gaps(m, links, NO_NEEDS, products=products).gaps.height for m in regions])
    line("provinces", regions=len(regions), seconds=seconds, breaks=sum(found))


if __name__ == "__main__":
    main()
