"""Which rows of organisations are one body: codes first, then names."""

from __future__ import annotations

from typing import Final

import polars as pl

from silian.engines import _inputs
from silian.engines.link.binding import PLACE, codes, joined, merged
from silian.engines.link.names import name_key
from silian.tables import uscc
from silian.tables.schema import results

_COMPARED: Final[dict[str, _inputs.Kind]] = {
    "uscc": "id",
    "name": "id",
    "former_names": "list",
    "kind": "id",
    "region": "id",
    "parent_org_id": "id",
}


def same(organisations: pl.DataFrame) -> pl.DataFrame:
    """Which rows of organisations are one body, and by which shared code or name.

    Parameters
    ----------
    organisations : org_id[, uscc, name, former_names (list), kind, region, parent_org_id]; one row per organisation
        Other columns count only as filled or empty. A uscc that is not valid counts as absent.

    Returns
    -------
    org_id, canonical_id, by, why; one row per organisation, sorted by org_id
        canonical_id stands for the body: of its rows the one with a valid uscc, then the one with the most columns
        filled, then the smallest org_id. by tells what binds this row to another of the body (uscc, else name, else
        former_name; none where the body has one row), why the shared code or the shared name as compared.

    Raises
    ------
    TableError : table.columns, table.type, table.value (a null org_id), table.duplicate (an org_id given twice)

    Notes
    -----
    Rows are one body if they share a valid code; then if they share a name (see `name_key`); then if the name of one
    is a former name of the other; and so on from row to row. Never by name where that would bring two codes
    together: then no row with a code is joined by that name; nor across prefectures (first four digits of region) where
    a name stands in several. A branch (kind branch, or a row with a parent) is never
    joined with a body of its own right, and with another branch only under one parent; branches may all carry the
    code of their parent, so a code binds two of them only together with the name.
    The order of the rows does not matter. Deterministic. Splits: no, any two rows may be one.
    Cost: 5,000 rows 0.05 s, 300,000 rows 1.5 s and 440 MiB on 2 cores (bench_link).
    Source: docs/methods/link.md.

    Examples
    --------
    >>> names = ["四链（苏州）有限公司", "四链(苏州)有限公司", "四链(苏州)股份有限公司"]
    >>> for row in same(pl.DataFrame({"org_id": ["o1", "o2", "o3"], "name": names})).rows():
    ...     print(row)
    ('o1', 'o1', 'name', '四链苏州有限公司')
    ('o2', 'o1', 'name', '四链苏州有限公司')
    ('o3', 'o3', 'none', None)
    """
    rows = _prepared(organisations)
    heads = rows.filter(~pl.col("is_branch")).with_columns(space=pl.lit(""))
    bodies = _bodies(heads)
    parents = bodies.select(parent_org_id="org_id", head="canonical_id")
    branches = rows.filter("is_branch").join(parents, on="parent_org_id", how="left", maintain_order="left")
    branches = branches.with_columns(space=pl.coalesce("head", "parent_org_id").fill_null("?")).drop("head")
    # a branch's code may be its parent's: it binds two branches only together with the name
    branches = branches.with_columns(bond=pl.concat_str("code", "space", "key", separator=" "))
    joined = pl.concat([bodies, _bodies(branches)]).sort("org_id")
    return joined.select(list(results()["same"].polars))


def _prepared(organisations: pl.DataFrame) -> pl.DataFrame:
    """Rows sorted by org_id with what they are compared by.

    is_branch; code: valid, else null; bond: what binds two rows at once; key: of the name, "" if there is none; former:
    keys of former names; filled: count of filled columns.
    """
    rows = _inputs.columns(
        organisations,
        "organisations",
        {"org_id": "id"},
        optional=_COMPARED,
    )
    _inputs.refuse_duplicates(rows, "organisations", ["org_id"])
    given = rows["uscc"].str.normalize("NFKC").str.replace_all(r"\s", "").str.to_uppercase()
    now = rows.select("org_id", "region", name="name")
    names = rows.select("org_id", "region", name="former_names").explode("name").drop_nulls("name")
    keys = _placed(pl.concat([now, names]))
    former = keys[rows.height :].filter(pl.col("key") != "").select("org_id", former="key")
    prepared = rows.select(
        "org_id",
        "parent_org_id",
        is_branch=(pl.col("kind") == "branch").fill_null(value=False) | pl.col("parent_org_id").is_not_null(),
        code=given.set(~uscc.valid(given), None),
        key=keys["key"].head(rows.height),
        filled=organisations.select(filled=pl.sum_horizontal(pl.all().is_not_null()))["filled"],
    )
    former = former.group_by("org_id", maintain_order=True).agg("former")
    joined = prepared.join(former, on="org_id", how="left", maintain_order="left")
    return joined.with_columns(bond="code").sort("org_id")


def _placed(names: pl.DataFrame) -> pl.DataFrame:
    """org_id, key of each name (org_id, region, name), with the prefecture where one name stands in several of them."""
    places = pl.when(pl.col("region").str.len_chars() >= 4).then(pl.col("region").str.head(4))
    keys = names.select("org_id", place=places, key=pl.Series(name_key(names["name"].to_list()), dtype=pl.String))
    is_split = pl.col("place").drop_nulls().n_unique().over("key") > 1
    placed = pl.concat_str("key", pl.col("place").fill_null("?"), separator=PLACE)
    return keys.select("org_id", key=pl.when(is_split & (pl.col("key") != "")).then(placed).otherwise("key"))


def _bodies(rows: pl.DataFrame) -> pl.DataFrame:
    """org_id, canonical_id, by, why of rows that may be joined with each other; a name counts within one `space`."""
    in_space = pl.concat_str("space", "key", separator=" ")
    rows = rows.with_columns(
        body=pl.int_range(pl.len(), dtype=pl.Int64), name=pl.when(pl.col("key") != "").then(in_space)
    )
    rows = merged(rows, rows.select("body", key="bond").drop_nulls())
    rows = merged(rows, _named(rows))
    rows = merged(rows, _renamed(rows))
    return _told(rows)


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Bodies that a shared name binds: body, key. Where a name would bring codes together, only bodies without one."""
    links = rows.select("body", key="name").drop_nulls().unique().join(codes(rows), on="body")
    held = pl.col("code").drop_nulls().n_unique().over("key")
    return links.filter((held <= 1) | pl.col("code").is_null()).select("body", "key")


def _renamed(rows: pl.DataFrame) -> pl.DataFrame:
    """Bodies that are bound because the name of one is a former name of another: body, key."""
    now = rows.select("body", key="name").drop_nulls().unique()
    once = _former(rows).select("body", "key").unique()
    links = pl.concat([now.join(once, on="key", how="semi"), once.join(now, on="key", how="semi")]).unique()
    links = links.join(codes(rows), on="body")
    links = links.filter(pl.col("code").drop_nulls().n_unique().over("key") <= 1)
    # over several steps codes could still come together: then none of these names binds
    links = links.with_columns(whole=joined(links, rows.height).gather(links["body"]))
    return links.filter(pl.col("code").drop_nulls().n_unique().over("whole") <= 1).select("body", "key")


def _former(rows: pl.DataFrame) -> pl.DataFrame:
    """org_id, body, key: one row per former name, within the space of the row."""
    former = rows.select("org_id", "body", "space", "former").explode("former").drop_nulls("former")
    return former.select("org_id", "body", key=pl.concat_str("space", "former", separator=" "))


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """org_id, canonical_id, by, why of rows whose bodies are known."""
    order = [pl.col("code").is_null(), -pl.col("filled").cast(pl.Int64), pl.col("org_id")]
    now, once = rows.select("org_id", "body", key="name").drop_nulls(), _former(rows)
    bound = pl.concat([now.join(once, on=["body", "key"], how="semi"), once.join(now, on=["body", "key"], how="semi")])
    bound = bound.group_by("org_id").agg(renamed=pl.col("key").min())
    rows = rows.join(bound, on="org_id", how="left", maintain_order="left").with_columns(
        canonical_id=pl.col("org_id").sort_by(order).first().over("body")
    )
    by_code = pl.col("code").is_not_null() & (pl.len().over("body", "code") > 1)
    by_name = pl.col("name").is_not_null() & (pl.len().over("body", "name") > 1)
    renamed = pl.col("renamed").str.strip_prefix(pl.col("space") + " ")
    many = pl.len().over("body") > 1
    by = pl.when(by_code).then(pl.lit("uscc")).when(by_name).then(pl.lit("name")).when(many).then(pl.lit("former_name"))
    why = pl.when(by_code).then("code").when(by_name).then("key").when(many).then(renamed)
    plain = why.str.split(PLACE).list.first()
    return rows.select("org_id", "canonical_id", by=by.otherwise(pl.lit("none")), why=plain)
