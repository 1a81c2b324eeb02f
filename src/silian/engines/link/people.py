"""Which rows of experts are one person."""

from __future__ import annotations

import polars as pl

from silian.engines import _inputs
from silian.engines.link.binding import PLACE, codes, joined, merged
from silian.engines.link.names import name_key
from silian.tables import formats
from silian.tables.schema import results


def people(experts: pl.DataFrame, works: pl.DataFrame | None = None) -> pl.DataFrame:
    """Which rows of experts are one person, and which may be and cannot be told apart.

    Parameters
    ----------
    experts : expert_id[, name, orcid, org_id, field]; one row per expert
        An orcid whose check character is wrong counts as absent.
    works : expert_id, work_id; without them two rows are joined by their ORCID iD alone

    Returns
    -------
    expert_id, canonical_id, by, why, likely_id, is_known; one row per expert, sorted by expert_id
        canonical_id stands for the person: of the rows the one with an ORCID iD, then the smallest expert_id. by tells
        what binds this row to another (orcid, else work; none where the person has one row), why the shared iD or work.
        likely_id is shared by all rows that may be one person (null where there is one person only), is_known tells
        whether the person has an ORCID iD: two persons who have one are never the same.

    Raises
    ------
    TableError : table.columns, table.type, table.value (a null id), table.duplicate (an expert given twice)

    Notes
    -----
    Rows are one person if they share an ORCID iD; or if they share name and work, for one work rarely has two authors
    of one name; never where that would bring two iDs together. Rows of one name may be one person unless both
    employer and field are stated for both and both differ. The order of the rows does not matter. Splits: no.
    Cost: joins and one pass per name. Source: docs/methods/link.md.

    Examples
    --------
    >>> experts = pl.DataFrame({"expert_id": ["e1", "e2", "e3"], "name": ["王伟", "王 伟", "李娜"]})
    >>> works = pl.DataFrame({"expert_id": ["e1", "e2"], "work_id": ["w1", "w1"]})
    >>> people(experts, works).select("expert_id", "canonical_id", "by", "why").rows()
    [('e1', 'e1', 'work', 'w1'), ('e2', 'e1', 'work', 'w1'), ('e3', 'e3', 'none', None)]
    >>> people(experts).select("expert_id", "canonical_id", "likely_id").rows()
    [('e1', 'e1', 'e1'), ('e2', 'e2', 'e1'), ('e3', 'e3', None)]
    """
    rows = _persons(experts)
    shared = _shared_works(rows, works)
    rows = merged(rows, rows.select("body", key="code").drop_nulls())
    links = shared.join(rows.select("expert_id", "body"), on="expert_id").select("body", "key").unique()
    links = links.join(codes(rows), on="body")
    # over several works two iDs could still come together: then none of these works binds
    links = links.with_columns(whole=joined(links, rows.height).gather(links["body"]))
    rows = merged(rows, links.filter(pl.col("code").drop_nulls().n_unique().over("whole") <= 1).select("body", "key"))
    rows = rows.with_columns(is_known=pl.col("code").is_not_null().any().over("body"))
    told = _people_told(rows, shared).join(_likely(rows), on="expert_id", how="left")
    return told.sort("expert_id").select(list(results()["same_people"].polars))


def _persons(experts: pl.DataFrame) -> pl.DataFrame:
    """expert_id, name (as compared, null where empty), code (a valid ORCID iD), org_id, field, body; by expert_id."""
    given: dict[str, _inputs.Kind] = {"name": "id", "orcid": "id", "org_id": "id", "field": "id"}
    rows = _inputs.columns(experts, "experts", {"expert_id": "id"}, optional=given).sort("expert_id")
    _inputs.refuse_duplicates(rows, "experts", ["expert_id"])
    written = rows["orcid"].str.strip_chars().str.to_uppercase().str.replace(r"^(?:HTTPS?://)?(?:ORCID\.ORG/)?", "")
    names = pl.Series(name_key(rows["name"].to_list()), dtype=pl.String)
    return rows.with_columns(
        name=names.set(names == "", None),
        code=written.set(formats.failures(written, "orcid").is_not_null(), None),
        body=pl.int_range(pl.len(), dtype=pl.Int64),
    ).drop("orcid")


def _shared_works(rows: pl.DataFrame, works: pl.DataFrame | None) -> pl.DataFrame:
    """expert_id, work_id, key: of rows that share name and work with another row; key holds both."""
    empty = pl.DataFrame(schema={"expert_id": pl.String, "work_id": pl.String, "key": pl.String})
    if works is None:
        return empty
    held = _inputs.columns(works, "works", {"expert_id": "id", "work_id": "id"}).unique()
    named = held.join(rows.select("expert_id", "name").drop_nulls(), on="expert_id")
    shared = named.with_columns(key=pl.concat_str("work_id", "name", separator=PLACE))
    return shared.filter(pl.len().over("key") > 1).select(empty.columns)


def _people_told(rows: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """expert_id, canonical_id, by, why, is_known of rows whose persons are found."""
    first = shared.join(rows.select("expert_id", "body"), on="expert_id")
    first = first.filter(pl.len().over("key", "body") > 1).group_by("expert_id").agg(work=pl.col("work_id").min())
    rows = rows.join(first, on="expert_id", how="left", maintain_order="left").with_columns(
        canonical_id=pl.col("expert_id").sort_by(pl.col("code").is_null(), "expert_id").first().over("body")
    )
    by_code = pl.col("code").is_not_null() & (pl.len().over("body", "code") > 1)
    by = pl.when(by_code).then(pl.lit("orcid")).when(pl.col("work").is_not_null()).then(pl.lit("work"))
    why = pl.when(by_code).then("code").otherwise("work")
    return rows.select("expert_id", "canonical_id", "is_known", by=by.otherwise(pl.lit("none")), why=why)


def _likely(rows: pl.DataFrame) -> pl.DataFrame:
    """expert_id, likely_id: of rows of one name whose persons cannot all be told apart."""
    named = rows.drop_nulls("name")
    is_vague = (pl.col("org_id").is_null() | pl.col("field").is_null()).any().over("name")
    keys = [
        named.select("body", key=pl.concat_str(pl.lit("org"), "org_id", "name", separator=PLACE)),
        named.select("body", key=pl.concat_str(pl.lit("field"), "field", "name", separator=PLACE)),
        named.filter(is_vague).select("body", key=pl.concat_str(pl.lit("name"), "name", separator=PLACE)),
    ]
    groups = joined(pl.concat(keys).drop_nulls().unique(), rows.height)
    held = rows.select("expert_id", "body", "is_known", group=groups.gather(rows["body"]))
    many = held.filter((pl.col("body").n_unique().over("group") > 1) & ~pl.col("is_known").all().over("group"))
    return many.select("expert_id", likely_id=pl.col("expert_id").min().over("group"))
