"""Conflicts of interest: which expert must not serve which need, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.errors import ArgumentError
from silian.tables.schema import codes, results

if TYPE_CHECKING:
    from datetime import date

_KINDS: Final = ["employment", "shareholding", "contract", "family", "adviser", "coauthor", "cooperation", "identity"]


@dataclass(frozen=True, slots=True)
class ConflictRules:
    """Which relations count as a conflict of interest; the names are kinds of the table relations.

    An expert's own employer always counts. A contract between two organisations does not: it binds their offices,
    not the expert, and would shut a university out of every enterprise that it ever served. Earlier cooperation does
    not either: to bring it about is what a region wants.
    """

    direct: tuple[str, ...] = ("employment", "shareholding", "contract")  # expert – the need's organisation
    personal: tuple[str, ...] = ("family", "adviser", "coauthor")  # expert – a person employed there
    corporate: tuple[str, ...] = ("shareholding",)  # the expert's employer – the need's organisation
    one_body: bool = True  # branches, parents and merged rows of an organisation count as one body
    unresolved: bool = True  # what binds an expert binds everybody who may be the same person


def conflicts(
    needs: pl.DataFrame,
    experts: pl.DataFrame,
    relations: pl.DataFrame,
    *,
    organisations: pl.DataFrame | None = None,
    works: pl.DataFrame | None = None,
    on: date | None = None,
    years: int = 3,
    rules: ConflictRules | None = None,
) -> pl.DataFrame:
    """Every pair of need and expert with a conflict of interest, with its evidence.

    Parameters
    ----------
    needs : need_id, org_id (null where nobody is named: no conflict)
    experts : expert_id, org_id (main employer; null where none)[, canonical_id, likely_id, is_known]
        Rows of one canonical_id are one person and share what binds them. Rows of one likely_id may be one person,
        unless both are known: an identity that nobody has resolved counts as a conflict.
    relations : relation_id, kind, left_noun, left_id, right_noun, right_id[, until_on]
        The two sides are alike. A relation that starts later than `on` counts: it is known to come.
    organisations : org_id[, parent_org_id, canonical_id]; makes branch, parent and merged rows one body
    works : expert_id, work_id[, year]; two experts with one work are co-authors, as far back as `years` says
    on : the day of the allocation; None counts relations and works of any time
    years : a relation that ended before `on` minus so many years is no conflict; one without an end is; a work counts
        from the year of `on` minus so many years, one without a year counts
    rules : which kinds count, see ConflictRules

    Returns
    -------
    need_id, expert_id, kind, evidence; one row per pair, sorted by the two ids
        kind is the first of those that bind the two, in the order employment, shareholding, contract, family,
        adviser, coauthor, cooperation, identity. evidence lists all, joined by "; ", each as steps from the expert to
        the need's organisation: kind, id of the relation or work (absent where the column org_id says it), id that it
        leads to; `same` leads to another row of the person, `identity` to a row that may be the person.

    Raises
    ------
    TableError : table.columns, table.type, table.value (a null id), table.duplicate (an id given twice)
    ArgumentError : argument.value if years is below 0 or a kind of the rules does not exist

    Notes
    -----
    Cost: joins over relations and employees, then one row per pair found, not needs × experts: a city 0.02 s.
    Source: the kinds are those that research funders ask for, see docs/methods/allocate.md.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n1"], "org_id": ["o1"]})
    >>> experts = pl.DataFrame({"expert_id": ["e1", "e2"], "org_id": ["o1", None]})
    >>> relations = pl.DataFrame({"relation_id": ["r1"], "kind": ["shareholding"], "left_noun": ["expert"],
    ...     "left_id": ["e2"], "right_noun": ["organisation"], "right_id": ["o1"]})
    >>> for row in conflicts(needs, experts, relations).rows():
    ...     print(row)
    ('n1', 'e1', 'employment', 'employment o1')
    ('n1', 'e2', 'shareholding', 'shareholding r1 o1')
    """
    rules = rules or ConflictRules()
    _check_rules(rules, years)
    needs = _inputs.columns(needs, "needs", {"need_id": "id"}, nullable={"org_id": "id"})
    experts, persons = _checked_experts(experts)
    _inputs.refuse_duplicates(needs, "needs", ["need_id"])
    bonds = _bonds(_checked_relations(relations), on, years)
    bodies = _bodies(organisations) if rules.one_body else _bodies(None)
    written = _coauthors(works, on, years) if "coauthor" in rules.personal else None
    ties = _shared(
        _ties(experts.drop_nulls("org_id"), bonds, bodies, rules, persons, written),
        persons,
        unresolved=rules.unresolved,
    )
    kinds = pl.Enum(_KINDS)
    bound = (
        ties.with_columns(kind=pl.col("kind").cast(kinds))
        .sort("expert_id", "body", "kind", "evidence")
        .group_by("expert_id", "body", maintain_order=True)
        .agg(pl.col("kind").first().cast(pl.String), pl.col("evidence").unique(maintain_order=True).str.join("; "))
    )
    asked = _with_body(needs.drop_nulls("org_id"), "org_id", bodies).select("need_id", "body")
    known = bound.join(experts.select("expert_id"), on="expert_id", how="semi")
    found = asked.join(known, on="body").select(list(results()["conflicts"].polars))
    return found.sort("need_id", "expert_id")


def _check_rules(rules: ConflictRules, years: int) -> None:
    if years < 0:
        raise ArgumentError("argument.value", name="years", found=years, wanted="0 or more")
    for kind in (*rules.direct, *rules.personal, *rules.corporate):
        if kind not in codes()["relation_kind"]:
            known = ", ".join(codes()["relation_kind"])
            raise ArgumentError("argument.value", name="rules", found=f"{kind!r}", wanted=f"kinds among {known}")


def _checked_experts(experts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """expert_id and org_id; expert_id, person (the id that stands for it), likely_id and is_known."""
    named: dict[str, _inputs.Kind] = {"canonical_id": "id", "likely_id": "id", "is_known": "flag"}
    rows = _inputs.columns(experts, "experts", {"expert_id": "id"}, nullable={"org_id": "id"}, optional=named)
    _inputs.refuse_duplicates(rows, "experts", ["expert_id"])
    rows = rows.with_columns(pl.coalesce("canonical_id", "expert_id"), pl.col("is_known").fill_null(value=False))
    return rows.select("expert_id", "org_id"), rows.rename({"canonical_id": "person"}).drop("org_id")


def _coauthors(works: pl.DataFrame | None, on: date | None, years: int) -> pl.DataFrame | None:
    """expert_id, work_id of works that count."""
    if works is None:
        return None
    rows = _inputs.columns(works, "works", {"expert_id": "id", "work_id": "id"}, optional={"year": "count"})
    if on is not None:
        rows = rows.filter(pl.col("year").is_null() | (pl.col("year") >= on.year - years))
    return rows.select("expert_id", "work_id").unique()


def _checked_relations(relations: pl.DataFrame) -> pl.DataFrame:
    sides = ("left_noun", "left_id", "right_noun", "right_id")
    wanted: dict[str, _inputs.Kind] = {"relation_id": "id", "kind": "id", **dict.fromkeys(sides, "id")}
    relations = _inputs.columns(relations, "relations", wanted, optional={"until_on": "date"})
    _inputs.refuse_duplicates(relations, "relations", ["relation_id"])
    return relations


def _bonds(relations: pl.DataFrame, on: date | None, years: int) -> pl.DataFrame:
    """Relations that count on the day, each from both sides: relation_id, kind, noun, id, other_noun, other_id."""
    if on is not None:
        oldest = pl.lit(on).dt.offset_by(f"-{years}y")
        relations = relations.filter(pl.col("until_on").is_null() | (pl.col("until_on") >= oldest))
    left = relations.select(
        "relation_id", "kind", noun="left_noun", id="left_id", other_noun="right_noun", other_id="right_id"
    )
    right = relations.select(
        "relation_id", "kind", noun="right_noun", id="right_id", other_noun="left_noun", other_id="left_id"
    )
    return pl.concat([left, right])


def _bodies(organisations: pl.DataFrame | None) -> pl.DataFrame:
    """org_id, body: rows bound by parent or canonical id, over any number of steps, share the smallest id."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if organisations is None:
        return pl.DataFrame(schema={"org_id": pl.String, "body": pl.String})
    rows = _inputs.columns(
        organisations, "organisations", {"org_id": "id"}, optional={"parent_org_id": "id", "canonical_id": "id"}
    )
    _inputs.refuse_duplicates(rows, "organisations", ["org_id"])
    links = pl.concat(rows.select("org_id", other=column) for column in ("parent_org_id", "canonical_id")).drop_nulls()
    names = pl.concat([rows["org_id"], links["other"]]).unique().sort()
    code = pl.DataFrame({"org_id": names}).with_row_index("code")
    ends = [
        links.join(code, left_on=side, right_on="org_id", how="left", maintain_order="left")["code"].to_numpy()
        for side in ("org_id", "other")
    ]
    graph = coo_array((np.ones(links.height), (ends[0], ends[1])), shape=(names.len(), names.len()))
    _, label = connected_components(graph, directed=False)
    return code.select("org_id", label=pl.Series(label)).select("org_id", body=pl.col("org_id").min().over("label"))


def _with_body(table: pl.DataFrame, column: str, bodies: pl.DataFrame) -> pl.DataFrame:
    """The table with a column `body`: of an organisation that is not listed, its own id."""
    joined = table.join(bodies, left_on=column, right_on="org_id", how="left", maintain_order="left")
    return joined.with_columns(body=pl.coalesce("body", column))


def _shared(ties: pl.DataFrame, persons: pl.DataFrame, *, unresolved: bool) -> pl.DataFrame:
    """The ties, and those of the other rows of a person; unresolved: of rows that may be the person too."""
    named = ties.rename({"expert_id": "other"}).join(persons, left_on="other", right_on="expert_id")
    same = named.join(persons.select("expert_id", "person"), on="person").filter(pl.col("expert_id") != pl.col("other"))
    parts = [ties, same.with_columns(evidence=pl.format("same {} > {}", "other", "evidence")).select(ties.columns)]
    if unresolved:
        likely = named.drop_nulls("likely_id").join(persons, on="likely_id", suffix="_own")
        apart = likely.filter(
            (pl.col("person") != pl.col("person_own")) & ~(pl.col("is_known") & pl.col("is_known_own"))
        )
        told = apart.with_columns(kind=pl.lit("identity"), evidence=pl.format("identity {} > {}", "other", "evidence"))
        parts.append(told.select(ties.columns))
    return pl.concat(parts)


def _ties(
    experts: pl.DataFrame, bonds: pl.DataFrame, bodies: pl.DataFrame, rules: ConflictRules,
    persons: pl.DataFrame, written: pl.DataFrame | None,
) -> pl.DataFrame:  # fmt: skip
    """expert_id, body, kind, evidence: every way in which a row of an expert is bound to an organisation's body."""
    step = pl.format("{} {} {}", "kind", "relation_id", "other_id")
    of_expert = bonds.filter(pl.col("noun") == "expert")
    outward = of_expert.filter(pl.col("other_noun") == "organisation")
    direct = outward.select("kind", expert_id="id", org_id="other_id", evidence=step)
    employer = experts.select("expert_id", "org_id", kind=pl.lit("employment"), evidence=_employed("org_id"))
    staff = _reached(pl.concat([employer, direct.filter(kind="employment").select(employer.columns)]), bodies)

    colleagues = _shared(staff.select("expert_id", "body", "kind", "evidence"), persons, unresolved=False)
    people = of_expert.filter((pl.col("other_noun") == "expert") & pl.col("kind").is_in(rules.personal))
    near = [people.select("kind", expert_id="id", other="other_id", evidence=step)]
    if written is not None:
        both = written.join(written.join(colleagues, on="expert_id", how="semi"), on="work_id", suffix="_other")
        both = both.filter(pl.col("expert_id") != pl.col("expert_id_other")).rename({"expert_id_other": "other"})
        told = pl.format("coauthor {} {}", "work_id", "other")
        near.append(both.select("expert_id", "other", kind=pl.lit("coauthor"), evidence=told).select(near[0].columns))
    personal = pl.concat(near).join(colleagues.select("body", other="expert_id", then="evidence"), on="other")
    firms = bonds.filter(
        (pl.col("noun") == "organisation")
        & (pl.col("other_noun") == "organisation")
        & pl.col("kind").is_in(rules.corporate)
    )
    held = _reached(firms.select("kind", org_id="other_id", evidence=step, other="id"), bodies)
    owner = _with_body(held.rename({"body": "far"}), "other", bodies).filter(pl.col("body") != pl.col("far"))
    corporate = staff.select("expert_id", "body", then="evidence").join(owner, on="body")

    chained = pl.format("{} > {}", "evidence", "then")
    turned = pl.format("{} > {}", "then", "evidence")
    own = _reached(direct.filter(pl.col("kind").is_in(rules.direct)), bodies)
    order = ["expert_id", "body", "kind", "evidence"]
    return pl.concat(
        [
            _reached(employer, bodies).select(order),
            own.select(order),
            personal.select("expert_id", "body", "kind", evidence=chained),
            corporate.select("expert_id", "kind", body="far", evidence=turned).select(order),
        ]
    )


def _employed(column: str) -> pl.Expr:
    return pl.format("employment {}", column)


def _reached(ties: pl.DataFrame, bodies: pl.DataFrame) -> pl.DataFrame:
    """The ties with the body of org_id; where the body has another name, the evidence says so."""
    named = _with_body(ties, "org_id", bodies)
    further = (
        pl.when(pl.col("body") == pl.col("org_id"))
        .then("evidence")
        .otherwise(pl.format("{} > body {}", "evidence", "body"))
    )
    return named.with_columns(evidence=further)
