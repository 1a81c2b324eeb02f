"""Which rows of organisations are one body, which rows of experts one person: codes first, then names.

See docs/methods/link.md for the rules and what they were measured at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.tables import formats, uscc
from silian.tables.schema import results
from silian.text import normalise_all

if TYPE_CHECKING:
    from collections.abc import Sequence

# One legal form in two spellings: the Company Law lets a name end in either (arts. 7 of 2023, 8 of 2018).
# 有限公司 and 股份有限公司 are two forms and stay two.
_FORMS: Final = ((re.compile("有限责任公司"), "有限公司"), (re.compile("(?<!有限)股份公司"), "股份有限公司"))
_MARKS: Final = re.compile(r"[\W_]+")
_PLACE: Final = "@"  # before the place in a key; name_key leaves no such sign
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
    rows = _merged(rows, rows.select("body", key="code").drop_nulls())
    links = shared.join(rows.select("expert_id", "body"), on="expert_id").select("body", "key").unique()
    links = links.join(_codes(rows), on="body")
    # over several works two iDs could still come together: then none of these works binds
    links = links.with_columns(whole=_joined(links, rows.height).gather(links["body"]))
    rows = _merged(rows, links.filter(pl.col("code").drop_nulls().n_unique().over("whole") <= 1).select("body", "key"))
    rows = rows.with_columns(is_known=pl.col("code").is_not_null().any().over("body"))
    told = _people_told(rows, shared).join(_likely(rows), on="expert_id", how="left")
    return told.sort("expert_id").select(list(results()["same_people"].polars))


def name_key(names: Sequence[str | None]) -> list[str]:
    """What is left of a name for comparing: simplified, half-width, small letters, no blanks, brackets or marks.

    The region in brackets stays as text. The legal form stays; 有限责任公司 reads 有限公司, 股份公司 股份有限公司.

    Examples
    --------
    >>> name_key(["四鏈（蘇州）科技有限責任公司 ", "ＡＢＣ-Tech Co., Ltd.", None])
    ['四链苏州科技有限公司', 'abctechcoltd', '']
    """
    keys = [_MARKS.sub("", name).lower() for name in normalise_all(names)]
    for form, reading in _FORMS:
        keys = [form.sub(reading, key) for key in keys]
    return keys


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
    placed = pl.concat_str("key", pl.col("place").fill_null("?"), separator=_PLACE)
    return keys.select("org_id", key=pl.when(is_split & (pl.col("key") != "")).then(placed).otherwise("key"))


def _bodies(rows: pl.DataFrame) -> pl.DataFrame:
    """org_id, canonical_id, by, why of rows that may be joined with each other; a name counts within one `space`."""
    in_space = pl.concat_str("space", "key", separator=" ")
    rows = rows.with_columns(
        body=pl.int_range(pl.len(), dtype=pl.Int64), name=pl.when(pl.col("key") != "").then(in_space)
    )
    rows = _merged(rows, rows.select("body", key="bond").drop_nulls())
    rows = _merged(rows, _named(rows))
    rows = _merged(rows, _renamed(rows))
    return _told(rows)


def _merged(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Rows with the bodies that the links (body, key) bind made one; a body is known by its first row."""
    return rows.with_columns(body=_joined(links, rows.height).gather(rows["body"]))


def _joined(links: pl.DataFrame, count: int) -> pl.Series:
    """For each of `count` bodies the smallest body that it hangs together with through shared keys."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    keys = links["key"].rank("dense").cast(pl.Int64).to_numpy() - 1 + count
    size = count + links["key"].n_unique()
    graph = coo_array((np.ones(links.height, np.int8), (links["body"].to_numpy(), keys)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    bodies = pl.DataFrame({"body": pl.int_range(count, dtype=pl.Int64, eager=True), "label": label[:count]})
    return bodies.select(pl.col("body").min().over("label"))["body"]


def _codes(rows: pl.DataFrame) -> pl.DataFrame:
    """body, code: the one code of a body, null where it has none."""
    return rows.group_by("body").agg(pl.col("code").drop_nulls().first())


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Bodies that a shared name binds: body, key. Where a name would bring codes together, only bodies without one."""
    links = rows.select("body", key="name").drop_nulls().unique().join(_codes(rows), on="body")
    codes = pl.col("code").drop_nulls().n_unique().over("key")
    return links.filter((codes <= 1) | pl.col("code").is_null()).select("body", "key")


def _renamed(rows: pl.DataFrame) -> pl.DataFrame:
    """Bodies that are bound because the name of one is a former name of another: body, key."""
    now = rows.select("body", key="name").drop_nulls().unique()
    once = _former(rows).select("body", "key").unique()
    links = pl.concat([now.join(once, on="key", how="semi"), once.join(now, on="key", how="semi")]).unique()
    links = links.join(_codes(rows), on="body")
    links = links.filter(pl.col("code").drop_nulls().n_unique().over("key") <= 1)
    # over several steps codes could still come together: then none of these names binds
    links = links.with_columns(whole=_joined(links, rows.height).gather(links["body"]))
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
    plain = why.str.split(_PLACE).list.first()
    return rows.select("org_id", "canonical_id", by=by.otherwise(pl.lit("none")), why=plain)


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    shared = named.with_columns(key=pl.concat_str("work_id", "name", separator=_PLACE))
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
        named.select("body", key=pl.concat_str(pl.lit("org"), "org_id", "name", separator=_PLACE)),
        named.select("body", key=pl.concat_str(pl.lit("field"), "field", "name", separator=_PLACE)),
        named.filter(is_vague).select("body", key=pl.concat_str(pl.lit("name"), "name", separator=_PLACE)),
    ]
    groups = _joined(pl.concat(keys).drop_nulls().unique(), rows.height)
    held = rows.select("expert_id", "body", "is_known", group=groups.gather(rows["body"]))
    many = held.filter((pl.col("body").n_unique().over("group") > 1) & ~pl.col("is_known").all().over("group"))
    return many.select("expert_id", likely_id=pl.col("expert_id").min().over("group"))
