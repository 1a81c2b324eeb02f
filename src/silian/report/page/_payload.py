"""What the page carries: the columns it shows, packed so that a city fits into a few megabytes.

A column with few different values is a dictionary and a list of places in it. Texts are cut to a stated length and
long tables to a stated number of rows; what was left out is counted, and the page says so.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.report import chain_charts, chain_layout, chain_map, views
from silian.report._words import names
from silian.report.charts import all_charts
from silian.tables.schema import results as result_tables
from silian.tables.schema import tables as nouns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.report._spec import Spec
    from silian.tables.region import Region

MAX_PAIRS: Final = 80_000  # of needs with achievements and experts together; a city has 40,000
MIN_RANKS: Final = 3  # a need keeps this many of each, however many needs there are
MAX_PARTS: Final = 7  # parts of a score shown one by one; the rest is summed
MIN_PART: Final = 0.005  # of a part shown by itself: what rounds to 0.00 joins the rest
MAX_TEXT: Final = 600  # characters of one text
TEXT_BUDGET: Final = 4_000_000  # characters of all texts; beyond, each is cut shorter
MIN_TEXT: Final = 80
MAX_ROWS: Final = 20_000  # of any other table
MAX_GAPS: Final = 2_000
MAX_MAKERS: Final = 8  # organisations named for a product; the picture counts all
MAX_EXPOSED: Final = 200  # of those most shown, for each noun and way of counting
MAX_SAID: Final = 160  # characters of one side of a fact
MAX_PROBLEMS: Final = 200  # rows of one code
MAX_CHAINS: Final = 40  # chains that can be opened as a graph
REST: Final = "…"  # term of a part of a score that sums up further shared terms
SCORE_UNIT: Final = 10_000  # scores are whole numbers of this part

KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "districts": ("district_id", "name", "name_en", "population", "area_km2"),
    "organisations": ("org_id", "name", "name_en", "kind", "size", "industry", "district_id", "is_high_tech"),
    "experts": ("expert_id", "name", "name_en", "org_id", "title", "field", "profile", "district_id", "free"),
    "works": ("expert_id", "work_id", "kind", "title", "year"),
    "needs": tuple(c.name for c in nouns()["needs"].columns),
    "achievements": (
        *("achievement_id", "org_id", "title", "text", "field", "trl", "ip_status", "offer_kind"),
        *("price_cny", "valid_until_on", "district_id"),
    ),
    "products": ("product_id", "name", "name_en", "chain", "segment"),
}
PAIRS: Final = ("achievement_pairs", "expert_pairs")
TERMS: Final[Mapping[str, str]] = {"achievement_pairs": "achievement_terms", "expert_pairs": "expert_terms"}
APART: Final = (
    *TERMS.values(),
    "exposure_curve",
    "fairness_curve",
    "grades",
)  # the page has these in a form of their own
TEXTS: Final[Mapping[str, str]] = {"needs": "text", "achievements": "text", "experts": "profile"}


def packed(payload: Mapping[str, Any]) -> str:
    """The payload as base64 of gzip of JSON; the same payload gives the same text."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode("ascii")


def payload(region: Region, results: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Everything that the page shows below its first screen."""
    shown, chains = _shown(region, results), _chains(region, results)
    drawn = [node["product_id"] for chain in chains["list"] for node in chain["nodes"]]
    terms: dict[tuple[str, str], int] = {}
    body: dict[str, Any] = {"nouns": {}, "results": {}, "kept": {}}
    for name, table in _nouns(region, shown, drawn).items():
        body["nouns"][name] = columns(table)
        body["kept"][name] = [table.height, region[name].height]
    for name, table in shown.items():
        if name in APART:
            continue
        is_pairs = name in PAIRS
        body["results"][name] = columns(table.drop("why")) if is_pairs else columns(table)
        body["kept"][name] = [table.height, results[name].height]
        if is_pairs:
            body["results"][name] |= _why(table, terms)
    body["spots"] = {pairs: columns(_spots(results[terms], shown[pairs])) for pairs, terms in TERMS.items()}
    body["terms"] = {"kind": [k for k, _ in terms], "term": [t for _, t in terms]}
    body["views"] = {name: columns(table) for name, table in _views(region, results).items()}
    body["charts"] = charts(region, results)
    body["chains"] = chains
    return body


def columns(table: pl.DataFrame) -> dict[str, Any]:
    """A table by column: {"n": rows, "cols": {name: {"v": values} or {"d": distinct values, "v": places}}}."""
    return {"n": table.height, "cols": {name: _column(table[name]) for name in table.columns}}


def charts(region: Region, results: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Every picture in both languages; rows that are the same in both (borders) stand once, under "shared"."""
    zh, en = (all_charts(region, results, language=language) for language in ("zh", "en"))
    shared: dict[str, Any] = {}
    for name, spec in zh.items():
        other: Spec = en[name]
        for rows in list(spec["datasets"]):
            if spec["datasets"][rows] == other["datasets"][rows]:
                shared[f"{name}.{rows}"] = spec["datasets"].pop(rows)
                other["datasets"].pop(rows)
    return {"zh": zh, "en": en, "shared": shared}


def _column(values: pl.Series) -> dict[str, Any]:
    if values.dtype == pl.Date:
        values = values.cast(pl.String())
    elif values.dtype == pl.Boolean:
        return {"v": values.cast(pl.Int8()).to_list()}
    elif values.dtype == pl.Float64:
        whole = values.round(4)
        return {"v": [int(v) if v is not None and v == int(v) else v for v in whole.fill_nan(None).to_list()]}
    if values.dtype != pl.String:
        return {"v": values.to_list()}
    distinct = values.unique(maintain_order=True).drop_nulls()
    if distinct.len() > 0.6 * values.len():
        return {"v": values.to_list()}
    places = values.replace_strict(distinct, pl.int_range(distinct.len(), eager=True), default=-1)
    return {"d": distinct.to_list(), "v": places.fill_null(-1).to_list()}


def _shown(region: Region, results: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The rows of each result table that the page carries, in the order of the page."""
    ranks = max(MIN_RANKS, MAX_PAIRS // (2 * max(1, region["needs"].height)))
    gaps = results["gaps"].sort("rank", "product_id").head(MAX_GAPS)
    of_gaps = pl.col("product_id").is_in(pl.Series(gaps["product_id"]).implode())
    order = pl.DataFrame({"need_id": region["needs"]["need_id"]}).with_row_index("place")
    chosen = {
        name: results[name]
        .filter(pl.col("rank") <= ranks)
        .join(order, on="need_id", how="left")
        .sort("place", "rank", "target_id", nulls_last=True)
        .drop("place")
        for name in PAIRS
    }
    chosen |= {
        "achievement_pairs": views.with_grades(chosen["achievement_pairs"], results["grades"]),
        "summary": results["summary"],
        "problems": results["problems"].filter(pl.int_range(pl.len()).over("code") < MAX_PROBLEMS),
        "same": results["same"].filter(pl.col("org_id") != pl.col("canonical_id")).sort("canonical_id", "org_id"),
        "same_people": results["same_people"]
        .filter((pl.col("expert_id") != pl.col("canonical_id")) | pl.col("likely_id").is_not_null())
        .sort(pl.coalesce("likely_id", "canonical_id"), "canonical_id", "expert_id"),
        "gaps": gaps,
        "gap_evidence": results["gap_evidence"].filter(of_gaps),
        "gap_fillers": results["gap_fillers"].filter(of_gaps).sort("product_id", "rank", "filler_id"),
        "prices": results["prices"]
        .filter(pl.col("price") > 0)
        .sort(["price", "side", "id"], descending=[True, False, False]),
        "district_balance": views.balance(results["district_balance"]),
        "exposure": results["exposure"]
        .filter(pl.col("shown") > 0)
        .filter(pl.int_range(pl.len()).over("noun", "by") < MAX_EXPOSED),
        **{name: _cut_facts(results[name]) for name in ("achievement_facts", "expert_facts")},
        "loads": results["loads"].sort(["assigned", "free", "expert_id"], descending=[True, False, False]),
    }
    whole = {name: chosen.get(name, results[name]) for name in result_tables()}
    long = (*PAIRS, "achievement_facts", "expert_facts")
    return {name: table if name in long else table.head(MAX_ROWS) for name, table in whole.items()}


def _cut_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """Facts with what each side says cut short."""
    said = [
        pl.when(pl.col(c).str.len_chars() > MAX_SAID).then(pl.col(c).str.slice(0, MAX_SAID) + "…").otherwise(c).alias(c)
        for c in ("need_says", "target_says")
    ]
    return facts.with_columns(said)


def _spots(terms: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Pair (row among the pairs), where (table.column), work, item, start, end of what is to be marked."""
    rows = pairs.select("need_id", "target_id").with_row_index("pair").with_columns(pl.col("pair").cast(pl.Int64))
    is_work = pl.col("in_table") == "works"
    # of works the page carries the title alone
    return (
        terms.filter(~is_work | (pl.col("in_column") == "title"))
        .join(rows, on=["need_id", "target_id"], how="inner", maintain_order="left")
        .select(
            "pair",
            pl.concat_str("in_table", "in_column", separator=".").alias("where"),
            pl.when(is_work).then("in_id").alias("work"),
            "item",
            "start",
            "end",
        )
        .unique(maintain_order=True)
    )


def _nouns(region: Region, shown: Mapping[str, pl.DataFrame], drawn: Sequence[str]) -> dict[str, pl.DataFrame]:
    """The nouns that the page names; texts only of what was matched. `drawn` are products of the graphs."""
    fillers = shown["gap_fillers"]
    used = {
        "needs": region["needs"]["need_id"],
        "achievements": pl.concat(
            [shown["achievement_pairs"]["target_id"], fillers.filter(noun="achievement")["filler_id"]]
        ),
        "experts": pl.concat([shown["expert_pairs"]["target_id"], fillers.filter(noun="expert")["filler_id"]]),
    }
    count = sum(ids.n_unique() for ids in used.values())
    length = max(MIN_TEXT, min(MAX_TEXT, TEXT_BUDGET // max(1, count)))
    used["products"] = pl.concat(
        [shown["gaps"]["product_id"], shown["gap_evidence"]["other_id"], pl.Series(drawn, dtype=pl.String())]
    )
    chosen = {}
    for name, kept in KEPT.items():
        table = region[name].select(kept)
        if name in used:
            is_used = pl.col(kept[0]).is_in(used[name].unique().implode())
            # what is shown elsewhere comes first, so that it is never cut off
            table = table.sort(~is_used, maintain_order=True)
        if name in TEXTS:
            text = pl.col(TEXTS[name])
            cut = pl.when(text.str.len_chars() > length).then(text.str.slice(0, length) + "…").otherwise(text)
            table = table.with_columns(pl.when(is_used).then(cut).alias(TEXTS[name]))
        chosen[name] = table.head(3 * MAX_ROWS)
    return chosen


def _why(pairs: pl.DataFrame, terms: dict[tuple[str, str], int]) -> dict[str, Any]:
    """The parts of every score: how many parts a pair has, the term of each and its size; `terms` grows."""
    parts = (
        pairs.select("why")
        .with_row_index("pair")
        .explode("why", empty_as_null=False, keep_nulls=False)
        .unnest("why")
        .filter(pl.col("part").is_not_null())
        .with_columns(pl.col("term").fill_null(""), pl.col("kind").fill_null("word"))
        .with_columns(is_rest=pl.col("term") == REST)
        .sort(["pair", "is_rest", "part", "kind", "term"], descending=[False, False, True, False, False])
    )
    place = pl.int_range(pl.len()).over("pair")
    is_rest = pl.col("is_rest") | (place >= MAX_PARTS) | (pl.col("part") < MIN_PART)
    rest = parts.filter(is_rest).group_by("pair", maintain_order=True).agg(pl.col("part").sum())
    kept = pl.concat(
        [
            parts.filter(~is_rest).select("pair", "kind", "term", "part", last=pl.lit(value=False)),
            rest.select("pair", kind=pl.lit("rest"), term=pl.lit(""), part="part", last=pl.lit(value=True)),
        ]
    ).sort("pair", "last", maintain_order=True)
    keys = kept.select("kind", "term").unique(maintain_order=True)
    for kind, term in keys.rows():
        terms.setdefault((kind, term), len(terms))
    code = keys.with_columns(code=pl.Series([terms[key] for key in keys.rows()], dtype=pl.Int64))
    coded = kept.join(code, on=["kind", "term"], how="left", maintain_order="left")
    counts = dict(kept.group_by("pair", maintain_order=True).len().rows())
    return {
        "why_n": [counts.get(n, 0) for n in range(pairs.height)],
        "why_t": coded["code"].to_list(),
        "why_p": (coded["part"] * SCORE_UNIT).round(0).cast(pl.Int64).to_list(),
    }


def _views(region: Region, results: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The table behind each picture, by the name of the picture."""
    needs, loads = region["needs"], results["loads"]
    states = _states(region, results)
    layers = chain_layout.depths(views.inputs(region["product_links"]), states=states)
    return {
        "needs_by_field": views.needs_by_field(needs, results["achievement_pairs"]),
        "best_scores": views.best_scores(results["achievement_pairs"], results["expert_pairs"]),
        "exposure_curve": results["exposure_curve"],
        "served_between": views.served_between(needs, region["experts"], results["assigned"]),
        "load_spread": views.load_spread(loads),
        "busiest_experts": views.busiest_experts(loads),
        "worst_served": views.worst_served(results["served"]),
        "fairness_curve": views.fairness_curve(results["fairness_curve"], results["proof"]),
        "unmet": views.unmet_by_field(needs, results["unmet"]),
        "chain_map": views.segments(states, layers),
        "gap_ranking": views.gap_ranking(results["gaps"]),
        "district_chains": chain_charts.makers_by_district(
            region["makes"], region["organisations"], region["products"]
        ),
        "makers": views.makers_of(region["makes"], region["product_links"], most=MAX_MAKERS).head(MAX_ROWS),
        "district_map": views.balance(results["district_balance"]),
        "district_balance": views.balance(results["district_balance"]),
        "problems": views.problems_by_code(results["problems"]),
    }


def _chains(region: Region, results: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Each chain as a graph that the page can open: rows of boxes and curves, and how many products were left out."""
    states, inputs = _states(region, results), views.inputs(region["product_links"])
    if states.height <= chain_map.MAX_NODES:
        return {"list": [], "spec": {}}
    order = views.segments(states, {})["chain"].unique(maintain_order=True).to_list()[:MAX_CHAINS]
    shown = names(region["products"], "zh")
    opened: list[dict[str, Any]] = []
    for chain in order:
        inside = states.filter(chain=chain)
        boxes, curves = chain_map.graph_rows(inside, inputs, shown, language="zh")
        ink = chain_map.edge_ink(len(curves) // 4)
        opened.append({"chain": chain, "products": inside.height, "nodes": boxes, "edges": curves, "ink": ink})
    spec = {language: chain_map.graph_spec([], [], language=language) for language in ("zh", "en")}
    return {"list": opened, "spec": spec}


def _states(region: Region, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return views.product_states(region["products"], region["makes"], region["product_links"], results["gaps"])


def rows_of(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a receipt without what differs between two equal runs (seconds, times)."""
    return [{"name": str(step.get("name", "")), "rows": dict(step.get("rows", {}))} for step in steps]
