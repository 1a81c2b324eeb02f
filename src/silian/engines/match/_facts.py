"""What the tables say of a pair: codes shared, distances, the past. One small table for each kind of fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.engines import _inputs
from silian.engines.match.whereabouts import kilometres, locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from silian.engines._inputs import Kind

FACTS: Final = {
    "need_id": pl.String(),
    "target_id": pl.String(),
    "fact": pl.String(),
    "place": pl.Int64(),
    "need_says": pl.String(),
    "target_says": pl.String(),
    "shared": pl.String(),
    "value": pl.Float64(),
    "in_table": pl.String(),
    "in_id": pl.String(),
}
FOUND: Final = {c: kind for c, kind in FACTS.items() if c not in ("need_id", "target_id", "place")}
KINDS: Final = (
    *("sentence", "field", "product", "industry", "ipc", "trl", "distance"),
    *("past_pair", "past_target", "past_organisations", "past_sales", "nice_to_have", "not_wanted", "example"),
)
PAST: Final = ("past_pair", "past_target", "past_organisations")
INDUSTRY_LENGTHS: Final = (1, 3, 4, 5)  # of a GB/T 4754 code by level: C, C39, C391, C3914
_IPC: Final = re.compile(r"([A-H])(?:(\d{2})(?:([A-Z])(?:\s*(\d{1,4})(?:/(\d{2,6}))?)?)?)?")
NEED: Final[dict[str, Kind]] = {
    "org_id": "id",
    "district_id": "id",
    "field": "id",
    "product_id": "id",
    "trl_wanted": "number",
    "ipc": "list",
}
TARGET: Final[dict[str, Kind]] = {
    "org_id": "id",
    "district_id": "id",
    "field": "id",
    "trl": "number",
    "ipc": "list",
}


def both_sides(
    pairs: pl.DataFrame,
    needs: pl.DataFrame,
    targets: pl.DataFrame,
    *,
    organisations: pl.DataFrame | None,
    districts: pl.DataFrame | None,
) -> pl.DataFrame:
    """Pairs with what both sides say: the need's columns begin with n_, the target's with t_; `pair` counts rows."""
    wanted: dict[str, Kind] = {"industry": "id", "industry_edition": "id"}
    sides = []
    for side, key, table, name, columns in (
        ("n", "need_id", needs, "needs", NEED),
        ("t", "target_id", targets, "targets", TARGET),
    ):
        told = _inputs.columns(table, name, {key: "id"}, optional=columns)
        told = locate(told, organisations=organisations, districts=districts)
        of = pl.DataFrame(schema={"org_id": pl.String}) if organisations is None else organisations
        kinds = _inputs.columns(of, "organisations", {"org_id": "id"}, optional=wanted)
        told = told.join(kinds, on="org_id", how="left", maintain_order="left")
        sides.append(told.rename({c: f"{side}_{c}" for c in told.columns if c != key}))
    left, right = sides
    return (
        pairs.select("need_id", "target_id")
        .with_row_index("pair")
        .join(left, on="need_id", how="left", maintain_order="left")
        .join(right, on="target_id", how="left", maintain_order="left")
    )


def codes_shared(both: pl.DataFrame, makes: pl.DataFrame | None) -> Iterator[pl.DataFrame]:
    """The same field, a product that the target's organisation makes, industries by level."""
    same = both.filter(pl.col("n_field") == pl.col("t_field"))
    yield same.select("pair", fact=pl.lit("field"), need_says="n_field", target_says="t_field", shared="n_field")
    if makes is not None:
        wanted: dict[str, Kind] = {"org_id": "id", "product_id": "id"}
        made = _inputs.columns(makes, "makes", wanted).unique(maintain_order=True)
        maker = both.join(made, left_on=["t_org_id", "n_product_id"], right_on=["org_id", "product_id"], how="semi")
        yield maker.select(
            "pair", fact=pl.lit("product"), need_says="n_product_id", target_says="t_org_id", shared="n_product_id"
        )
    one, other = pl.col("n_industry"), pl.col("t_industry")
    alike = [(one.str.len_chars() >= n) & (one.str.head(n) == other.str.head(n)) for n in INDUSTRY_LENGTHS]
    level = pl.sum_horizontal(a.fill_null(value=False).cast(pl.Int64) for a in alike)
    other_edition = (pl.col("n_industry_edition") != pl.col("t_industry_edition")).fill_null(value=False)
    found = both.filter(~other_edition).with_columns(level=level).filter(pl.col("level") > 0)
    lengths = dict(enumerate(INDUSTRY_LENGTHS, start=1))
    yield found.select(
        "pair",
        fact=pl.lit("industry"),
        need_says="n_industry",
        target_says="t_industry",
        shared=pl.col("n_industry").str.head(pl.col("level").replace_strict(lengths, return_dtype=pl.Int64)),
        value=pl.col("level").cast(pl.Float64),
    )


def ipc_shared(both: pl.DataFrame, of_units: pl.DataFrame) -> pl.DataFrame:
    """The finest IPC symbol that a need and a target share; of_units: pair, ipc (a list), in_table, in_id."""
    asked = dict(both.filter(pl.col("n_ipc").list.len() > 0).select("pair", "n_ipc").rows())
    best: dict[int, tuple[int, tuple[object, ...]]] = {}
    for pair, symbols, table, row in of_units.select("pair", "ipc", "in_table", "in_id").rows():
        for one in asked.get(pair, ()):
            for other in symbols or ():
                level = shared_ipc(one, other)
                if level and (pair not in best or level > best[pair][0]):
                    shared = _ipc_levels(one)[level - 1]
                    best[pair] = level, (pair, "ipc", one, other, shared, float(level), table, row)
    schema: dict[str, pl.DataType] = {"pair": pl.UInt32(), **FOUND}
    return pl.DataFrame([row for _, row in best.values()], schema=schema, orient="row")


def shared_ipc(one: str, other: str) -> int:
    """Levels of the International Patent Classification that two symbols share, from the coarsest.

    0 none, 1 section, 2 class, 3 subclass, 4 main group, 5 the whole symbol.

    Examples
    --------
    >>> shared_ipc("H01M10/0525", "H01M 4/38"), shared_ipc("H01M10/0525", "H01M10/0525"), shared_ipc("G06F", "?")
    (3, 5, 0)
    """
    level = 0
    for a, b in zip(_ipc_levels(one), _ipc_levels(other), strict=False):
        if a != b:
            break
        level += 1
    return level


def _ipc_levels(symbol: str) -> list[str]:
    found = _IPC.match(symbol.strip().upper())
    parts = [p for p in found.groups() if p is not None] if found else []
    levels = ["".join(parts[: n + 1]) for n in range(min(len(parts), 4))]
    return [*levels, f"{levels[3]}/{parts[4]}"] if len(parts) == 5 else levels


def distances(both: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """How far the target's readiness level is above what is wanted, and kilometres between the two."""
    stated = both.drop_nulls(["n_trl_wanted", "t_trl"])
    yield stated.select(
        "pair",
        fact=pl.lit("trl"),
        need_says=pl.col("n_trl_wanted").cast(pl.Int64).cast(pl.String),
        target_says=pl.col("t_trl").cast(pl.Int64).cast(pl.String),
        value=pl.col("t_trl") - pl.col("n_trl_wanted"),
    )
    known = both.drop_nulls(["n_longitude", "t_longitude"])
    here, there = ((known[f"{s}_longitude"].to_numpy(), known[f"{s}_latitude"].to_numpy()) for s in "nt")
    yield known.select(
        "pair",
        fact=pl.lit("distance"),
        need_says="n_place_of",
        target_says="t_place_of",
        value=pl.Series(kilometres(here, there), dtype=pl.Float64),
    )


def past(
    both: pl.DataFrame, projects: pl.DataFrame, outcomes: pl.DataFrame | None, *, of_experts: bool
) -> Iterator[pl.DataFrame]:
    """Earlier projects by stage: of the very pair, of the target, between the two organisations; the sales since."""
    wanted: dict[str, Kind] = {"need_id": "id", "achievement_id": "id", "org_id": "id", "partner_org_id": "id"}
    told = _inputs.columns(
        projects, "projects", {"project_id": "id", "stage": "id"}, optional={**wanted, "expert_ids": "list"}
    )
    _inputs.refuse_duplicates(told, "projects", ["project_id"])
    one = told.explode("expert_ids", empty_as_null=True, keep_nulls=True) if of_experts else told
    of_target = one.select("project_id", "stage", "need_id", target_id="expert_ids" if of_experts else "achievement_id")
    ends = ("org_id", "partner_org_id")
    between = told.drop_nulls(ends).select(
        "project_id", "stage", low=pl.min_horizontal(*ends), high=pl.max_horizontal(*ends)
    )
    ends = ("n_org_id", "t_org_id")
    sides = both.drop_nulls(ends).with_columns(low=pl.min_horizontal(*ends), high=pl.max_horizontal(*ends))
    found = {
        "past_pair": both.join(of_target, on=["need_id", "target_id"]),
        "past_target": both.join(of_target.drop("need_id"), on="target_id"),
        "past_organisations": sides.join(between, on=["low", "high"]),
    }
    for fact, rows in found.items():
        counted = rows.group_by("pair", "stage", "n_org_id", "t_org_id").agg(value=pl.len().cast(pl.Float64))
        counted = counted.sort(["pair", "value", "stage"], descending=[False, True, False])
        yield counted.select(
            "pair", "value", fact=pl.lit(fact), need_says="n_org_id", target_says="t_org_id", shared="stage"
        )
    if outcomes is not None:
        yield _sales(pl.concat([rows.select("pair", "project_id") for rows in found.values()]).unique(), outcomes)


def _sales(projects: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Added sales of the projects of each pair, as last measured."""
    required: dict[str, Kind] = {"project_id": "id", "measured_on": "date"}
    told = _inputs.columns(outcomes, "outcomes", required, optional={"outcome_id": "id", "sales_cny": "number"})
    last = told.drop_nulls("sales_cny").sort("measured_on", "outcome_id").unique("project_id", keep="last")
    sums = projects.join(last, on="project_id").sort("pair", "project_id").group_by("pair", maintain_order=True)
    return sums.agg(value=pl.col("sales_cny").sum()).select("pair", "value", fact=pl.lit("past_sales"))


def gathered(pairs: pl.DataFrame, found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All facts as one table: pairs in their order, kinds in the order of KINDS, places as the facts came."""
    whole = pl.concat(
        [
            pl.DataFrame(schema={"pair": pl.UInt32, **FOUND}),
            *(
                t.select(
                    pl.col("pair").cast(pl.UInt32),
                    *(pl.col(c).cast(k) if c in t.columns else pl.lit(None, k).alias(c) for c, k in FOUND.items()),
                )
                for t in found
                if t.height
            ),
        ]
    )
    order = pl.col("fact").replace_strict({k: i for i, k in enumerate(KINDS)}, return_dtype=pl.Int64)
    ordered = whole.with_columns(order=order).sort("pair", "order", maintain_order=True)
    ids = pairs.select("need_id", "target_id").with_row_index("pair")
    return (
        ordered.with_columns(place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("pair", "fact"))
        .join(ids, on="pair", how="left", maintain_order="left")
        .select(list(FACTS))
    )
