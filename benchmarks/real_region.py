"""Build a region folder from the real data beside the project, so that the main job can be tried on it.

`python benchmarks/real_region.py FOLDER`. The data lies in `../shared/data` or where SILIAN_REAL_DATA says; where it
is absent this says so and ends cleanly. What it makes stays outside the project: nothing of it is committed.

Sources: 371 real needs and 12,272 achievement titles with officers' relevance levels; 3,210 listed companies,
95,554 products, 110,153 product relations and who makes what.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polars as pl

from silian.tables import Region, write_region

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SILIAN_REAL_DATA", ROOT.parent / "shared" / "data"))
DIRECT = {"upstream": "material", "downstream": "material", "subclass": "kind_of"}


def needs_and_achievements() -> dict[str, pl.DataFrame]:
    """Needs in full text; achievements by the words of their titles; how officers graded their pairs."""
    folder = DATA / "needs_achievements"
    needs = pl.read_csv(folder / "needs.csv").with_columns(kind=pl.lit("technology"), district_id=pl.lit("河南省"))
    achievements = pl.read_csv(folder / "achievements.csv").rename({"title_words": "title"})
    labels = pl.read_csv(folder / "labels.csv").rename({"achievement_id": "target_id"})
    return {"needs": needs, "achievements": achievements, "labels": labels}


def products_by_name() -> pl.DataFrame:
    """One product per name that occurs anywhere; product_id is stable for the same data."""
    folder = DATA / "chain"
    links = pl.read_parquet(folder / "product_relations.parquet")
    made = pl.read_parquet(folder / "company_product.parquet")
    listed = pl.read_parquet(folder / "products.parquet")
    names = pl.concat([listed["name"], links["src"], links["dst"], made["product"]]).unique().drop_nulls().sort()
    ids = pl.int_range(1, names.len() + 1, eager=True).cast(pl.String).str.zfill(6)
    return pl.DataFrame({"product_id": "P" + ids, "name": names})


def companies() -> pl.DataFrame:
    """Listed companies as organisations, the province as their district."""
    rows = pl.read_parquet(DATA / "chain" / "companies.parquet").unique("key", keep="first", maintain_order=True)
    founded = pl.col("listed").cast(pl.String).str.to_date(strict=False)
    return rows.select(
        org_id="key",
        name=pl.coalesce("fullname", "name"),
        kind=pl.lit("enterprise"),
        district_id=pl.when(pl.col("province") != "").then("province"),
        founded_on=founded,
    )


def who_makes_what(organisations: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Makers and products; shares are normalised to a sum of 1 a company, the filler 0.001 counts as unknown."""
    ids = dict(products.select("name", "product_id").iter_rows())
    made = pl.read_parquet(DATA / "chain" / "company_product.parquet")
    weight = pl.when(pl.col("weight").is_between(0.001, 1, closed="right")).then("weight")
    made = made.select(org_id="key", product_id=pl.col("product").replace_strict(ids), weight=weight)
    made = made.filter(pl.col("org_id").is_in(organisations["org_id"].implode()))
    made = made.group_by("org_id", "product_id", maintain_order=True).agg(pl.col("weight").max())
    share = pl.col("weight") / pl.col("weight").sum().over("org_id")
    return made.with_columns(share=share).drop("weight")


def what_is_made_of_what(products: pl.DataFrame) -> pl.DataFrame:
    """Product links. `upstream`: dst is a material of src; `downstream`: the reverse; `subclass`: dst is a kind."""
    ids = dict(products.select("name", "product_id").iter_rows())
    links = pl.read_parquet(DATA / "chain" / "product_relations.parquet").with_columns(
        pl.col("src", "dst").replace_strict(ids)
    )
    is_turned = pl.col("kind").is_in(["upstream", "subclass"])
    links = links.select(
        upstream_id=pl.when(is_turned).then("dst").otherwise("src"),
        downstream_id=pl.when(is_turned).then("src").otherwise("dst"),
        kind=pl.col("kind").replace_strict(DIRECT),
    )
    return links.unique(maintain_order=True)


def build() -> Region:
    """The real data as one region."""
    products, organisations = products_by_name(), companies()
    places = (
        pl.concat([organisations["district_id"], pl.Series("district_id", ["河南省"])]).unique().drop_nulls().sort()
    )
    given = needs_and_achievements() | {
        "products": products,
        "organisations": organisations,
        "makes": who_makes_what(organisations, products),
        "product_links": what_is_made_of_what(products),
        "districts": pl.DataFrame({"district_id": places, "name": places}),
    }
    return Region.of(given)


def main() -> int:
    """Write the region, or say that the data is not here."""
    target = Path(sys.argv[1])
    if not (DATA / "needs_achievements").is_dir():
        print(f"the real data is not here ({DATA}); nothing was done. SILIAN_REAL_DATA=folder names another place.")
        return 0
    region = build()
    write_region(region, target, form="parquet")
    rows = {name: table.height for name, table in region.tables.items() if table.height}
    print(f"the real region lies in {target}: {rows}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
