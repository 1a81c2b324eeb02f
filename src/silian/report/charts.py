"""Result tables turned into Vega-Lite specs: one pure function a picture, in Chinese or English.

Every spec carries its own rows, a title that states quantity and unit, and a description for screen readers, so a
notebook can draw it, a page embed it, and a test compare it as JSON.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.report import chain_charts, views
from silian.report._spec import BAR, PALETTE, RAMP, WIDTH, Spec, bars, colour, count, spec, tips, totals
from silian.report._words import check_language, check_results, code_label, names, say
from silian.report.chain_map import COLOURS, chain_map
from silian.report.maps import label_points, prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from silian.tables.region import Region
    from silian.tables.schema import Language

MAX_DISTRICTS: Final = 24  # rows and columns of the heatmap
REASONS: Final[Mapping[str, str]] = {
    "no_candidate": PALETTE["neutral"],
    "conflict": PALETTE["break"],
    "capacity": PALETTE["main"],
    "at_most": PALETTE["second"],
    "apart": PALETTE["blank"],
    "veto": PALETTE["ink"],
}


def all_charts(region: Region, results: Mapping[str, pl.DataFrame], *, language: Language = "zh") -> dict[str, Spec]:
    """Every picture of a run by name; those with nothing to show are left out.

    Parameters
    ----------
    region : the region that the run was made from
    results : every table of `tables.schema.results()`; any may be empty
    language : zh or en

    Returns
    -------
    name → Vega-Lite spec, in the order of the page.

    Raises
    ------
    ReportError : report.results if a result table is absent
    TableError : table.columns if one lacks columns
    ArgumentError : argument.value if the language is another
    """
    check_language(language)
    check_results(results)
    needs, experts, districts, products = (region[n] for n in ("needs", "experts", "districts", "products"))
    achievement_pairs, expert_pairs, loads = (results[n] for n in ("achievement_pairs", "expert_pairs", "loads"))
    found, shares, borders = results["gaps"], results["district_balance"], region.geojson or {}
    chains = (products, region["makes"], region["product_links"], found)
    bodies = (region["organisations"], products)
    has_map = not shares.is_empty() and bool(prepared(borders, districts)["features"])
    # name: whether there is anything to show, and the picture
    pictures: dict[str, tuple[bool, Callable[..., Spec]]] = {
        "needs_by_field": (bool(needs.height), partial(needs_by_field, needs, achievement_pairs)),
        "best_scores": (
            bool(achievement_pairs.height or expert_pairs.height),
            partial(best_scores, achievement_pairs, expert_pairs),
        ),
        "served_between": (
            bool(results["assigned"].height),
            partial(served_between, needs, experts, results["assigned"], districts),
        ),
        "load_spread": (bool(loads.height), partial(load_spread, loads)),
        "busiest_experts": (bool(loads["assigned"].sum()), partial(busiest_experts, loads, experts)),
        "worst_served": (
            bool(views.worst_served(results["served"]).height),
            partial(worst_served, results["served"], needs),
        ),
        "fairness_curve": (
            results["fairness_curve"].height > 1,
            partial(fairness_curve, results["fairness_curve"], results["proof"]),
        ),
        "exposure_curve": (bool(results["exposure_curve"].height), partial(exposure_curve, results["exposure_curve"])),
        "unmet": (bool(results["unmet"].height), partial(unmet, needs, results["unmet"])),
        "chain_map": (bool(products.height), partial(chain_map, *chains)),
        "gap_ranking": (bool(found.height), partial(gap_ranking, found, products)),
        "district_chains": (
            bool(chain_charts.makers_by_district(region["makes"], *bodies).height),
            partial(chain_charts.district_chains, region["makes"], *bodies, districts),
        ),
        "district_map": (has_map, partial(district_map, shares, districts, borders)),
        "district_balance": (bool(shares.height), partial(district_balance, shares, districts)),
        "problems": (bool(results["problems"].height), partial(problems, results["problems"])),
    }
    return {name: draw(language=language) for name, (has_rows, draw) in pictures.items() if has_rows}


def needs_by_field(needs: pl.DataFrame, achievement_pairs: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of needs by technology field, those with an achievement apart from those without.

    Examples
    --------
    >>> import polars as pl
    >>> needs = pl.DataFrame({"need_id": ["n1"], "field": ["laser"]})
    >>> needs_by_field(needs, pl.DataFrame({"need_id": ["n1"]}), language="en")["title"]["text"]
    'Needs by technology field (count of needs)'
    """
    table = views.needs_by_field(needs, achievement_pairs)
    order = [code_label("field", f, language) for f in table["field"]]
    states = {k: say(f"answered.{k}", language) for k in ("matched", "unmatched")}
    values = [
        {"field": name, "state": states[k], "needs": row[k], "order": n}
        for name, row in zip(order, table.to_dicts(), strict=True)
        for n, k in enumerate(states)
    ]
    sums = [{"field": name, "needs": n} for name, n in zip(order, table["needs"], strict=True)]
    across = bars("field", "needs", order, say("axis.needs", language))
    shade = colour("state", list(states.values()), [PALETTE["main"], PALETTE["neutral"]])
    stacked = {"order": {"field": "order", "type": "quantitative"}}
    layer = [
        {
            "mark": {"type": "bar"},
            "encoding": across | {"color": shade} | stacked | tips("field", "state", "needs", language=language),
        },
        totals(sums, across, "needs"),
    ]
    return spec("needs_by_field", language, rows=values, height=BAR * len(order), layer=layer)


def best_scores(achievement_pairs: pl.DataFrame, expert_pairs: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Distribution of the score of each need's best achievement and best expert."""
    table = views.best_scores(achievement_pairs, expert_pairs)
    given = {"achievement": achievement_pairs, "expert": expert_pairs}
    nouns = {n: code_label("filler_noun", n, language) for n, pairs in given.items() if pairs.height}
    colours = {"achievement": PALETTE["main"], "expert": PALETTE["second"]}
    values = [
        {
            "from": f"{r['bin_from']:.2f}",
            "range": f"{r['bin_from']:.2f}–{r['bin_to']:.2f}",
            "noun": nouns[r["noun"]],
            "needs": r["needs"],
        }
        for r in table.to_dicts()
        if r["noun"] in nouns
    ]
    axis = {"labelAngle": 0, "labelPadding": 8, "ticks": False, "values": [f"{tenth / 10:.2f}" for tenth in range(10)]}
    encoding = {
        "x": {"field": "from", "type": "ordinal", "title": say("axis.best_score", language), "axis": axis},
        "xOffset": {"field": "noun", "sort": list(nouns.values())},
        "y": count("needs", say("axis.needs", language)),
        "color": colour("noun", list(nouns.values()), [colours[n] for n in nouns]),
    } | tips("noun", "range", "needs", language=language)
    return spec("best_scores", language, rows=values, height=260, mark={"type": "bar"}, encoding=encoding)


def exposure_curve(curve: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Lorenz curves of the places in the lists, of achievements and experts, by target and by organisation."""
    nouns = {n: code_label("filler_noun", n, language) for n in ("achievement", "expert")}
    ways = {b: code_label("exposure_by", b, language) for b in ("target", "organisation")}
    values = [
        {
            "noun": nouns[r["noun"]],
            "by": ways[r["by"]],
            "share": round(r["share"], 4),
            "shown_share": round(r["shown_share"], 4),
            "held": f"{r['share']:.0%} → {r['shown_share']:.1%}",
        }
        for r in curve.to_dicts()
    ]
    axis = {"format": ".0%", "tickCount": 5, "grid": True}
    place = {
        "x": {"field": "share", "type": "quantitative", "title": say("axis.exposed", language), "axis": axis},
        "y": {"field": "shown_share", "type": "quantitative", "title": say("axis.places", language), "axis": axis},
    }
    dash = {
        "field": "by",
        "type": "nominal",
        "scale": {"domain": list(ways.values()), "range": [[1, 0], [5, 4]]},
        "legend": {"symbolType": "stroke", "symbolStrokeColor": PALETTE["muted"]},
        "title": None,
    }
    shade = colour("noun", list(nouns.values()), [PALETTE["main"], PALETTE["second"]]) | {
        "legend": {"symbolType": "stroke", "symbolStrokeWidth": 3}
    }
    even = {
        "data": {"values": [{"share": 0, "shown_share": 0}, {"share": 1, "shown_share": 1}]},
        "mark": {"type": "line", "color": PALETTE["neutral"], "strokeWidth": 1},
        "encoding": place,
    }
    lines = {
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": place | {"color": shade, "strokeDash": dash},
    }
    points = {
        "mark": {"type": "point", "filled": True, "opacity": 0, "size": 160},
        "encoding": place | {"color": shade} | tips("noun", "by", "held", language=language),
    }
    return spec("exposure_curve", language, rows=values, height=320, layer=[even, lines, points])


def served_between(
    needs: pl.DataFrame,
    experts: pl.DataFrame,
    assigned: pl.DataFrame,
    districts: pl.DataFrame,
    *,
    language: Language = "zh",
) -> Spec:
    """Heatmap of assignments: district of the expert across, district of the need down."""
    table = views.served_between(needs, experts, assigned)
    order = _districts_shown(table, districts)
    shown = names(districts, language) | {"": say("not_stated", language)}
    label = {d: shown.get(d, d) for d in order}
    values = [
        {"need": label[r["need_district_id"]], "expert": label[r["expert_district_id"]], "assigned": r["assigned"]}
        for r in table.to_dicts()
        if r["need_district_id"] in label and r["expert_district_id"] in label
    ]
    top = max((v["assigned"] for v in values), default=1)
    # level names where they fit side by side, in the width of the page's half column
    is_short = sum(len(name) * (7 if name.isascii() else 13) + 16 for name in label.values()) < WIDTH // 2
    place = {
        "x": {
            "field": "expert",
            "type": "ordinal",
            "sort": list(label.values()),
            "title": say("axis.expert_district", language),
            "axis": {"labelAngle": 0 if is_short else -40, "orient": "bottom", "domain": False, "ticks": False},
        },
        "y": {
            "field": "need",
            "type": "ordinal",
            "sort": list(label.values()),
            "title": say("axis.need_district", language),
            "axis": {"domain": False, "ticks": False},
        },
    }
    shade = {
        "field": "assigned",
        "type": "quantitative",
        "scale": {"range": list(RAMP), "domain": [0, top]},
        "legend": None,
    }
    ink = {"condition": {"test": f"datum.assigned > {0.6 * top:g}", "value": PALETTE["paper"]}, "value": PALETTE["ink"]}
    text = {"text": {"field": "assigned", "format": ","}, "color": ink}
    layer = [
        {
            "mark": {"type": "rect", "cornerRadius": 2},
            "encoding": {"color": shade} | tips("need", "expert", "assigned", language=language),
        },
        {"mark": {"type": "text", "fontSize": 12}, "encoding": text},
    ]
    height = max(3, len(label)) * 34
    body = spec("served_between", language, rows=values, height=height, encoding=place, layer=layer)
    return body | {"usermeta": {"min_width": 44 * len(label) + 130}}


def load_spread(loads: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Histogram of experts by the number of needs they serve, full ones apart from those with room."""
    table = views.load_spread(loads)
    states = {s: say(f"load.{s}", language) for s in ("full", "room")}
    values = [
        {"assigned": r["assigned"], "state": states[r["state"]], "experts": r["experts"]} for r in table.to_dicts()
    ]
    encoding = {
        "x": {
            "field": "assigned",
            "type": "ordinal",
            "title": say("axis.needs_served", language),
            "axis": {"labelAngle": 0},
        },
        "y": count("experts", say("axis.people", language)),
        "color": colour("state", list(states.values()), [PALETTE["second"], PALETTE["main"]]),
    } | tips("assigned", "state", "experts", language=language)
    return spec("load_spread", language, rows=values, height=260, mark={"type": "bar"}, encoding=encoding)


def busiest_experts(loads: pl.DataFrame, experts: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of the experts who serve most needs, with the places that they offer behind."""
    table = views.busiest_experts(loads)
    shown = names(experts, language)
    # two people may have one name: the id tells them apart
    label = [f"{shown.get(i, i)} {i}" for i in table["expert_id"]]
    values = [
        {"expert": name, "assigned": r["assigned"], "free": r["free"]}
        for name, r in zip(label, table.to_dicts(), strict=True)
    ]
    across = bars("expert", "assigned", label, say("axis.needs_served", language))
    hover = tips("expert", "assigned", "free", language=language)
    layer = [
        {
            "mark": {"type": "bar", "color": PALETTE["grid"]},
            "encoding": across | {"x": across["x"] | {"field": "free"}} | hover,
        },
        {"mark": {"type": "bar", "color": PALETTE["main"], "height": {"band": 0.5}}, "encoding": across | hover},
    ]
    return spec("busiest_experts", language, rows=values, height=BAR * len(label), layer=layer)


def worst_served(served: pl.DataFrame, needs: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of the needs that got the smallest share of what they would get alone, with that behind."""
    table = views.worst_served(served)
    shown = names(needs, language)
    # the place tells needs of one title apart
    label = [f"{r['rank']}. {shown.get(r['need_id'], r['need_id'])}" for r in table.to_dicts()]
    values = [
        {
            "title": name,
            "need_id": r["need_id"],
            "experts": f"{r['assigned']} / {r['wanted']}",
            "score": round(r["score"], 4),
            "reachable": round(r["reachable"], 4),
            "reached": f"{r['reached_share']:.0%}",
        }
        for name, r in zip(label, table.to_dicts(), strict=True)
    ]
    across = bars("title", "score", label, say("axis.need_score", language), whole=False)
    across["y"]["axis"]["labelLimit"] = WIDTH // 2 - 20  # titles are sentences
    across["x"]["axis"] |= {"tickCount": 6, "labelFlush": False}
    alone = across | {"x": across["x"] | {"field": "reachable"}}
    hover = tips("title", "need_id", "experts", "score", "reachable", "reached", language=language)
    layer = [
        {"mark": {"type": "bar", "color": PALETTE["grid"]}, "encoding": alone | hover},
        {"mark": {"type": "bar", "color": PALETTE["break"], "height": {"band": 0.5}}, "encoding": across | hover},
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": PALETTE["muted"]},
            "encoding": alone | {"text": {"field": "reached"}},
        },
    ]
    return spec("worst_served", language, rows=values, height=(BAR + 4) * len(label), layer=layer)


def fairness_curve(curve: pl.DataFrame, proof: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Line of the best total above each floor under every need's score; the place of the run is marked."""
    table = views.fairness_curve(curve, proof)
    values = [
        {
            "worst": round(r["worst"], 4),
            "total": round(r["total"], 4),
            "lost": f"{r['price']:,.2f} ({r['price_share']:.2%})",
            "is_run": r["is_run"],
        }
        for r in table.to_dicts()
    ]
    totals = [v["total"] for v in values]
    # room above and below; a curve without a price is a level line, not noise at full height
    room = max(0.15 * (max(totals) - min(totals)), 0.002 * max(totals), 1e-6)
    axis = {"format": ".2f", "tickCount": 6, "grid": True}
    place = {
        "x": {"field": "worst", "type": "quantitative", "title": say("axis.worst_score", language), "axis": axis},
        "y": {
            "field": "total",
            "type": "quantitative",
            "title": say("axis.total_score", language),
            "scale": {"zero": False, "nice": False, "domain": [min(totals) - room, max(totals) + room]},
            "axis": {"format": ",.4~r", "tickCount": 5, "grid": True},
        },
    }
    hover = tips("worst", "total", "lost", language=language)
    here = {"transform": [{"filter": "datum.is_run"}], "encoding": place | hover}
    # the name of the point stays inside the frame: the run stands at the left end, or a fair one at the right
    side = {"align": "right", "dx": -12} if values[-1]["is_run"] else {"align": "left", "dx": 12}
    layer = [
        {"mark": {"type": "line", "color": PALETTE["main"], "strokeWidth": 2.5}, "encoding": place},
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 70, "color": PALETTE["main"]},
            "encoding": place | hover,
        },
        here | {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 220, "color": PALETTE["second"]}},
        here | {"mark": {"type": "text", "text": say("here.run", language), "dy": -14, "fontWeight": 600} | side},
    ]
    return spec("fairness_curve", language, rows=values, height=300, layer=layer)


def unmet(needs: pl.DataFrame, unmet: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of unmet needs by field, stacked by what stands in the way."""
    table = views.unmet_by_field(needs, unmet)
    order = [code_label("field", f, language) for f in table["field"].unique(maintain_order=True)]
    found = [r for r in REASONS if r in set(table["reason"])]
    reasons = {r: code_label("unmet_reason", r, language) for r in found}
    values = [
        {
            "field": code_label("field", r["field"], language),
            "reason": reasons.get(r["reason"], r["reason"]),
            "needs": r["needs"],
            "missing": r["missing"],
        }
        for r in table.to_dicts()
    ]
    across = bars("field", "needs", order, say("axis.needs", language))
    shade = colour("reason", list(reasons.values()), [REASONS[r] for r in found])
    encoding = across | {"color": shade} | tips("field", "reason", "needs", "missing", language=language)
    return spec("unmet", language, rows=values, height=BAR * len(order), mark={"type": "bar"}, encoding=encoding)


def gap_ranking(gaps: pl.DataFrame, products: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of the most pressing gaps by score, each kind in a colour of its own."""
    table = views.gap_ranking(gaps)
    shown = names(products, language)
    label = [f"{r['rank']}. {shown.get(r['product_id'], r['product_id'])}" for r in table.to_dicts()]
    kinds = {k: code_label("gap_kind", k, language) for k in (*views.MISSING, "single") if k in set(table["kind"])}
    values = [
        {
            "product": name,
            "product_id": r["product_id"],
            "kind": kinds.get(r["kind"], r["kind"]),
            "chain": r["chain"] or "",
            "segment": r["segment"] or "",
            "score": round(r["score"], 4),
        }
        for name, r in zip(label, table.to_dicts(), strict=True)
    ]
    across = bars("product", "score", label, say("axis.gap_score", language), whole=False)
    across["x"]["axis"] |= {"tickCount": 6, "labelFlush": False}
    shade = colour("kind", list(kinds.values()), [COLOURS[k] for k in kinds])
    encoding = across | {"color": shade} | tips("product", "kind", "chain", "segment", "score", language=language)
    return spec("gap_ranking", language, rows=values, height=BAR * len(label), mark={"type": "bar"}, encoding=encoding)


def district_map(
    district_balance: pl.DataFrame, districts: pl.DataFrame, geojson: Mapping[str, Any], *, language: Language = "zh"
) -> Spec:
    """Map of the share of wanted experts that each district got, with its needs and its name.

    `geojson` is the region's own map: a FeatureCollection whose properties name the district_id.
    """
    shown = names(districts, language)
    figures = {r["district_id"]: r for r in district_balance.to_dicts()}
    borders = prepared(geojson, districts)
    shares = [r["served_share"] for r in figures.values() if r["served_share"] is not None]
    low = min(9, int(10 * min(shares, default=0))) / 10  # the key begins at a tenth below the worst served
    for feature in borders["features"]:
        district = feature["properties"]["district_id"]
        feature["properties"] = _district_figures(district, shown, figures.get(district, {}))
    points = [
        feature["properties"] | {"lon": lon, "lat": lat}
        for feature, (lon, lat) in zip(borders["features"], label_points(borders), strict=True)
    ]
    legend = {
        "format": ".0%",
        "title": say("axis.served_share", language),
        "orient": "bottom",
        "titleLimit": 320,
        "gradientLength": 220,
        "values": [low, round((low + 1) / 2, 4), 1],
    }
    shade = {
        "field": "properties.served_share",
        "type": "quantitative",
        "scale": {"range": list(RAMP), "domain": [low, 1]},
        "legend": legend,
    }
    unknown = {"condition": shade | {"test": "isValid(datum.properties.served_share)"}, "value": PALETTE["pale"]}
    hover = [
        {"field": f"properties.{k}", "title": say(f"tip.{k}", language)}
        for k in ("name", "needs", "experts_wanted", "experts_assigned", "share")
    ]
    shape = {
        "mark": {"type": "geoshape", "stroke": PALETTE["paper"], "strokeWidth": 1.5},
        "data": {"name": "borders"},
        "encoding": {"color": unknown, "tooltip": hover},
    }
    labels = [_map_label("name", -8, 13, 600, low), _map_label("share", 9, 12, 400, low)]
    sets = {"borders": borders["features"], "labels": points}
    return spec(
        "district_map", language, sets=sets, height=420, projection={"type": "mercator"}, layer=[shape, *labels]
    )


def _district_figures(district: str, shown: Mapping[str, str], found: Mapping[str, Any]) -> dict[str, Any]:
    share = found.get("served_share")
    return {
        "district_id": district,
        "name": shown.get(district, district),
        "needs": found.get("needs", 0),
        "experts_wanted": found.get("experts_wanted", 0),
        "experts_assigned": found.get("experts_assigned", 0),
        "served_share": share,
        "share": "–" if share is None else f"{share:.0%}",
    }


def _map_label(field: str, dy: int, size: int, weight: int, low: float) -> dict[str, Any]:
    """A text at the middle of each district, light on the dark end of the colours."""
    dark = {"test": f"datum.served_share > {low + 0.55 * (1 - low):g}", "value": PALETTE["paper"]}
    return {
        "mark": {"type": "text", "dy": dy, "fontSize": size, "fontWeight": weight},
        "data": {"name": "labels"},
        "encoding": {
            "longitude": {"field": "lon", "type": "quantitative"},
            "latitude": {"field": "lat", "type": "quantitative"},
            "text": {"field": field, "type": "nominal"},
            "color": {"condition": dark, "value": PALETTE["ink"]},
        },
    }


def district_balance(district_balance: pl.DataFrame, districts: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of experts wanted and assigned for each district that wants some, the worst served first."""
    wanting = views.balance(district_balance).filter(pl.col("experts_wanted") > 0)
    table = wanting if wanting.height else views.balance(district_balance)
    shown = names(districts, language)
    label = [shown.get(d, d) for d in table["district_id"]]
    values = [
        {
            "district": name,
            "wanted": r["experts_wanted"],
            "assigned": r["experts_assigned"],
            "needs": r["needs"],
            "share": "–" if r["served_share"] is None else f"{r['served_share']:.0%}",
        }
        for name, r in zip(label, table.to_dicts(), strict=True)
    ]
    across = bars("district", "assigned", label, say("axis.experts", language))
    wanted = across | {"x": across["x"] | {"field": "wanted"}}
    hover = tips("district", "needs", "wanted", "assigned", "share", language=language)
    layer = [
        {"mark": {"type": "bar", "color": PALETTE["grid"]}, "encoding": wanted | hover},
        {"mark": {"type": "bar", "color": PALETTE["main"], "height": {"band": 0.5}}, "encoding": across | hover},
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": PALETTE["muted"]},
            "encoding": wanted | {"text": {"field": "share"}},
        },
    ]
    return spec("district_balance", language, rows=values, height=(BAR + 4) * len(label), layer=layer)


def problems(problems: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Bars of data problems by code, grave ones in a colour of their own."""
    table = views.problems_by_code(problems)
    states = {True: say("problem.grave", language), False: say("problem.minor", language)}
    values = [{"code": r["code"], "state": states[r["grave"]], "rows": r["rows"]} for r in table.to_dicts()]
    order = list(table["code"].unique(maintain_order=True))
    across = bars("code", "rows", order, say("axis.rows", language))
    shade = colour("state", list(states.values()), [PALETTE["break"], PALETTE["neutral"]])
    encoding = across | {"color": shade} | tips("code", "state", "rows", language=language)
    return spec("problems", language, rows=values, height=BAR * len(order), mark={"type": "bar"}, encoding=encoding)


def _districts_shown(table: pl.DataFrame, districts: pl.DataFrame) -> list[str]:
    """Districts in the order of the region, then others, as many as the heatmap holds; the busiest stay."""
    used: dict[str, int] = {}
    for need, expert, times in table.rows():
        used[need] = used.get(need, 0) + times
        used[expert] = used.get(expert, 0) + times
    busiest = set(sorted(used, key=lambda d: (-used[d], d))[:MAX_DISTRICTS])
    known = [d for d in districts["district_id"].to_list() if d in busiest]
    return known + sorted(busiest - set(known))
