"""Chain gaps: the synthetic city, and the real product graph in `../shared/data/chain` (left out where it is absent).

The real graph has 95,554 products, 110,153 links and 45,090 makers by name. It is cleaned and levelled first; then the
names of what firms make are linked to its products (`link.products`; only the clock after that counts for the goal of
10 s for 31 provinces). `country` takes every maker as here; `provinces` takes each province's makers as here and all
others as elsewhere. Peer: plain Python loops over dictionaries. Answers are compared before the clock counts.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

import polars as pl

from silian.engines import link
from silian.engines.chain import cleaned, fillers, gaps, levels, what_if
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


def by_loops(makes: pl.DataFrame, links: pl.DataFrame) -> dict[str, tuple[object, ...]]:
    """product → kind, upstream here and all, downstream here and all, buyers, of every break and single point."""
    rows = [r for r in links.select("upstream_id", "downstream_id", "kind").rows() if r[0] != r[1]]
    makers = makers_by_loops(makes, rows)
    above: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    for up, down, kind in rows:
        if kind != "kind_of":
            above.setdefault(down, set()).add(up)
            below.setdefault(up, set()).add(down)
    found = {}
    for product, wholes in below.items():
        own, parts = makers.get(product, set()), above.get(product, set())
        up = {p for p in parts if p in makers}
        down = {p for p in wholes if p in makers}
        buyers = len(set().union(*(makers[p] for p in down)) - own)
        is_break = not own and up and down and len(up | down) > 1
        if is_break or (len(own) == 1 and buyers):
            kind = "break" if is_break else "single"
            found[product] = (kind, len(up), len(parts), len(down), len(wholes), buyers)
    return found


def linked(makes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Who makes which product of the graph, by the names that firms write."""
    nodes = pl.concat([links["upstream_id"], links["downstream_id"]]).unique().sort()
    catalogue = pl.DataFrame({"product_id": nodes, "name": nodes})
    found = link.products(makes.select(name="product_id").unique(), catalogue).links
    meant = found.select(product_id="name", meant="product_id").unique()
    joined = makes.join(meant, on="product_id").select("org_id", "province", product_id="meant")
    return joined.unique(["org_id", "product_id"]).sort("org_id", "product_id")


def measured(case: str, makes: pl.DataFrame, links: pl.DataFrame, products: pl.DataFrame) -> None:
    """Gaps and fillers of one region of the real graph, beside the loops."""
    seconds, found = timed(lambda: gaps(makes, links, NO_NEEDS, products=products))
    rival, slow = timed(lambda: by_loops(makes, links))
    columns = ["kind", "upstream_here", "upstream_all", "downstream_here", "downstream_all", "buyers"]
    assert {r[0]: r[1:] for r in found.gaps.select("product_id", *columns).rows()} == slow
    filling, listed = timed(
        lambda: fillers(found.gaps, makes, links, needs=NO_NEEDS, achievement_pairs=NO_PAIRS, expert_pairs=NO_PAIRS)
    )
    line(
        case,
        products=products.height,
        links=links.height,
        makes=makes.height,
        **dict(found.gaps.group_by("kind", maintain_order=True).len().rows()),
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
    missing = found.gaps.filter(pl.col("kind") != "single")
    assert dict(missing.select("product_id", "kind").rows()) == dict(truth.rows())
    line("city", seconds=seconds, gaps=found.gaps.height, products=region["products"].height, makes=tables[0].height)
    if not DATA.exists():
        print(f"country, provinces: left out, {DATA} is not there")
        return
    makes, links, products = real()
    seconds, done = timed(lambda: cleaned(links, products=products.with_columns(name="product_id"), makes=makes))
    dropped = dict(done.rules.filter(pl.col("links") > 0, action="dropped").select("rule", "links").rows())
    line("clean", links=links.height, left=done.product_links.height, **dropped, seconds=seconds)
    seconds, layered = timed(lambda: levels(done.product_links))
    first = layered.parts.row(0, named=True)
    line("levels", products=layered.products.height, seconds=seconds, rings=first["rings"], layers=first["layers"])
    measured("country by equal names", makes, done.product_links, products)
    seconds, made = timed(lambda: linked(makes, done.product_links))
    line("link", names=makes["product_id"].n_unique(), makes=made.height, seconds=seconds)
    measured("country", made, done.product_links, products)
    provinces(made, done.product_links, products)


def provinces(makes: pl.DataFrame, links: pl.DataFrame, products: pl.DataFrame) -> None:
    """Every province with the others as elsewhere, and what losing the most frequent only maker would do."""
    regions = (
        makes.drop_nulls("province").filter(pl.col("province") != "").partition_by("province", maintain_order=True)
    )
    names = [m["province"][0] for m in regions]

    def every():
        for name, here in zip(names, regions, strict=True):
            far = makes.filter(pl.col("province").ne_missing(name))
            yield gaps(here, links, NO_NEEDS, products=products, elsewhere=far).gaps

    seconds, found = timed(lambda: list(every()))
    kinds = dict(pl.concat(found).group_by("kind").len().sort("kind").rows())
    line("provinces", regions=len(regions), seconds=seconds, goal=10, **kinds)
    here = max(regions, key=lambda m: m.height)
    found = gaps(here, links, NO_NEEDS, products=products)
    lost = found.evidence.filter(side="maker")["other_id"].mode().sort()[0]  # who is most often the only maker
    seconds, done = timed(lambda: what_if(here, links, NO_NEEDS, products=products, lose=[lost]))
    line("what if", makes=here.height, seconds=seconds, changed=done.gaps.height)


if __name__ == "__main__":
    main()
