"""One HTML file that holds the whole run: no server, no network, Chinese and English, light and dark, print."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from silian.report._spec import PALETTE, RAMP
from silian.report._words import check_results, words
from silian.report.page._payload import SCORE_UNIT, packed, payload, rows_of
from silian.report.render import VERSION
from silian.tables.schema import codes
from silian.tables.schema import results as result_tables
from silian.tables.schema import tables as nouns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from silian.tables.region import Region
    from silian.tables.schema import Table

__all__ = ["page"]

CARD_VALUES: Final = (  # that the cards may name
    *("needs", "experts_wanted", "breaks", "blanks", "outflows", "singles", "problems_grave"),
)
SECTIONS: Final = (
    *("matches", "serves", "fairness", "unmet", "exposure", "chain", "districts", "problems", "registers", "made"),
)
SCRIPTS: Final = (
    "core",
    "data",
    "table",
    "picture",
    "because",
    "grade",
    "hindered",
    "matches",
    "serves",
    "who",
    "fairness",
    "exposure",
    "chain",
    "places",
    "start",
)
# Colours of charts in the dark, by their light ones; #ffffff is the paper of labels on the map and in the heatmap.
DARK: Final[Mapping[str, str]] = {
    PALETTE["main"]: "#5fb3cc",
    PALETTE["second"]: "#f0a35e",
    PALETTE["neutral"]: "#71808c",
    PALETTE["break"]: "#f07f6c",
    PALETTE["blank"]: "#e3b341",
    PALETTE["outflow"]: "#b7a3e6",
    PALETTE["single"]: "#3f8aa1",
    PALETTE["ink"]: "#e6ebef",
    PALETTE["muted"]: "#a4b0ba",
    PALETTE["grid"]: "#2e3a44",
    PALETTE["paper"]: "#182027",
    PALETTE["pale"]: "#202a32",
    RAMP[0]: "#1d3440",
    RAMP[1]: "#24505f",
    RAMP[2]: "#35788c",
    RAMP[3]: "#5fb3cc",
    RAMP[4]: "#bfe3ee",
}
# What stands behind each picture: column, word of its heading, kind of value.
VIEWS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "needs_by_field": (
        ("field", "tip.field", "codes:field"),
        ("needs", "tip.needs", "count"),
        ("matched", "answered.matched", "count"),
        ("unmatched", "answered.unmatched", "count"),
    ),
    "best_scores": (
        ("noun", "tip.noun", "codes:filler_noun"),
        ("bin_from", "tip.from", "score"),
        ("bin_to", "tip.to", "score"),
        ("needs", "tip.needs", "count"),
    ),
    "served_between": (
        ("need_district_id", "axis.need_district", "noun:districts"),
        ("expert_district_id", "axis.expert_district", "noun:districts"),
        ("assigned", "tip.assigned", "count"),
    ),
    "load_spread": (
        ("assigned", "axis.needs_served", "count"),
        ("state", "tip.state", "words:load"),
        ("experts", "tip.experts", "count"),
    ),
    "busiest_experts": (
        ("expert_id", "tip.expert", "id:experts"),
        ("assigned", "tip.assigned", "count"),
        ("free", "tip.free", "count"),
    ),
    "exposure_curve": (
        ("noun", "tip.noun", "codes:filler_noun"),
        ("by", "tip.by", "codes:exposure_by"),
        ("share", "tip.exposed", "share"),
        ("shown_share", "tip.places", "share"),
    ),
    "worst_served": (
        ("rank", "tip.rank", "count"),
        ("need_id", "tip.title", "id:needs"),
        ("wanted", "tip.experts_wanted", "count"),
        ("assigned", "tip.assigned", "count"),
        ("score", "tip.score", "score"),
        ("reachable", "tip.reachable", "score"),
        ("reached_share", "tip.reached", "share"),
    ),
    "fairness_curve": (
        ("worst", "axis.worst_score", "score"),
        ("total", "axis.total_score", "number"),
        ("bound", "tip.bound", "number"),
        ("price", "tip.price", "number"),
        ("price_share", "tip.price_share", "share"),
        ("is_run", "tip.is_run", "here"),
    ),
    "unmet": (
        ("field", "tip.field", "codes:field"),
        ("reason", "tip.reason", "codes:unmet_reason"),
        ("needs", "tip.needs", "count"),
        ("missing", "tip.missing", "count"),
    ),
    "chain_map": (
        ("chain", "tip.chain", "text"),
        ("segment", "tip.segment", "text"),
        ("place", "tip.place", "count"),
        ("products", "tip.products", "count"),
        ("made", "state.made", "count"),
        ("single", "state.single", "count"),
        ("break", "state.break", "count"),
        ("blank", "state.blank", "count"),
        ("outflow", "state.outflow", "count"),
        ("other", "state.other", "count"),
    ),
    "district_chains": (
        ("chain", "tip.chain", "text"),
        ("district_id", "tip.district", "noun:districts"),
        ("makers", "tip.makers", "count"),
    ),
    "gap_ranking": (
        ("rank", "tip.rank", "count"),
        ("product_id", "tip.product", "noun:products"),
        ("kind", "tip.kind", "codes:gap_kind"),
        ("chain", "tip.chain", "text"),
        ("segment", "tip.segment", "text"),
        ("score", "tip.score", "score"),
    ),
    "problems": (
        ("code", "tip.code", "text"),
        ("grave", "tip.state", "flag"),
        ("rows", "tip.rows", "count"),
        ("tables", "tip.tables", "text"),
    ),
}
BALANCE: Final = (
    ("district_id", "tip.district", "noun:districts"),
    ("needs", "tip.needs", "count"),
    ("experts_wanted", "tip.experts_wanted", "count"),
    ("experts_assigned", "tip.experts_assigned", "count"),
    ("served_share", "tip.share", "share"),
)


def page(region: Region, results: Mapping[str, pl.DataFrame], *, receipt: Mapping[str, Any]) -> str:
    """The whole run as one HTML file.

    Parameters
    ----------
    region : the region that the run was made from
    results : every table of `tables.schema.results()`; any may be empty
    receipt : silian (version), region (name), on (day), seed, code, plan (mapping), inputs (file → digest), steps
        (name, rows: table → count); all may be absent. Seconds and times are left out, so equal runs give equal pages.

    Returns
    -------
    HTML that makes no request: styles, scripts, data and pictures are inside, and its content security policy lets
    nothing else run. Chinese by default, English on a switch.

    Raises
    ------
    ReportError : report.results if a result table is absent
    TableError : table.columns if one lacks columns

    Notes
    -----
    Data is gzip of columns, unpacked in the browser (Chromium 86, Firefox 113, Safari 16.4 or newer). Texts are cut to
    600 characters, long tables to 20,000 rows, gaps to 2,000; the page says where. Pictures are drawn by Vega, BSD
    licence, whose text the page carries. Cost: city about 3 s and 5 MB, on 2 cores.
    """
    check_results(results)
    figures = dict(results["summary"].select("name", "value").rows())
    facts = _facts(receipt)
    scripts = {"early": _file("js/early.js"), "page": _page_script(), "vega": _vega()}
    style = _file("style.css")
    parts = {
        "policy": _policy(style, *scripts.values()),
        "title": _text(f"{facts['region']} · {words()['title'][0]}" if facts["region"] else words()["title"][0]),
        "region": _text(facts["region"]),
        "style": style,
        "nav": _nav(results, figures),
        "lead": _lead(figures),
        "headline": _headline(figures),
        "sections": "\n".join(_section(name) for name in SECTIONS),
        "boot": _script_json(_boot(facts)),
        "payload": packed(payload(region, results)),
        **scripts,
    }
    return _filled(_file("template.html"), parts)


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with {{part}}, {{t:word}} (a text that switches) and {{s:word}} (a plain text) filled in, once."""

    def value(match: re.Match[str]) -> str:
        kind, _, key = match[1].rpartition(":")
        if kind == "t":
            return _said(key)
        return _text(words()[key][0]) if kind == "s" else parts[key]

    return re.sub(r"\{\{([\w:.]+)\}\}", value, template)


def _said(key: str, **values: float) -> str:
    """A text of the page in Chinese that the page's script can say in English."""
    shown = {k: f"{v:,.0f}" for k, v in values.items()}
    given = f' data-v="{_text(json.dumps(values, ensure_ascii=False))}"' if values else ""
    return f'<span data-t="{key}"{given}>{_text(words()[key][0].format(**shown))}</span>'


def _nav(results: Mapping[str, pl.DataFrame], figures: Mapping[str, float]) -> str:
    counts = {
        "matches": figures.get("needs"),
        "serves": results["assigned"].height,
        "unmet": results["unmet"].height,
        "chain": results["gaps"].height,
        "districts": results["district_balance"].height,
        "problems": results["problems"].height,
    }
    items = []
    for name in ("overview", *SECTIONS):
        count = counts.get(name)
        number = "" if count is None else f'<span class="n">{count:,.0f}</span>'
        items.append(f'<li><a href="#{name}">{_said(f"nav.{name}")}{number}</a></li>')
    return "".join(items)


def _section(name: str) -> str:
    heading, intro = _text(words()[f"nav.{name}"][0]), _text(words()[f"intro.{name}"][0])
    return (
        f'<section id="{name}" aria-labelledby="{name}-h">'
        f'<h2 id="{name}-h" data-t="nav.{name}">{heading}</h2><p class="intro" data-t="intro.{name}">{intro}</p>'
        f'<div data-part="{name}"><p class="wait">{_said("wait")}</p></div></section>'
    )


def _lead(figures: Mapping[str, float]) -> str:
    """The run in three sentences."""
    whole = {k: round(v) for k, v in figures.items()}
    said = []
    if "needs" in whole:
        said.append(_said("lead.needs", needs=whole["needs"], matched=whole.get("needs_matched", 0)))
    if whole.get("experts_wanted"):
        assigned = whole.get("experts_assigned", 0)
        said.append(
            _said("lead.experts", wanted=whole["experts_wanted"], assigned=assigned, unmet=whole.get("needs_unmet", 0))
        )
    if whole.get("products"):
        said.append(_said("lead.chain", **{k: whole.get(k, 0) for k in ("breaks", "blanks", "outflows", "singles")}))
    return " ".join(said)


def _headline(figures: Mapping[str, float]) -> str:
    """The six figures that matter most, each a link to its list."""
    get = {k: round(v) for k, v in figures.items()}
    gaps = sum(get.get(k, 0) for k in ("breaks", "blanks", "outflows"))
    cards = (
        ("matched", "#matches=matched", get.get("needs_matched", 0), get.get("needs", 0), ""),
        ("assigned", "#serves/assigned", get.get("experts_assigned", 0), get.get("experts_wanted", 0), ""),
        ("unmet", "#unmet", get.get("needs_unmet", 0), get.get("needs", 0), "warn"),
        ("gaps", "#chain", gaps, get.get("products", 0), "warn"),
        ("conflicts", "#serves/conflicts", get.get("conflicts", 0), 0, ""),
        ("problems", "#problems", get.get("problems", 0), 0, ""),
    )
    values = get | {"gaps": gaps}
    return "".join(_card(*card, values) for card in cards)


def _card(name: str, link: str, value: int, of: int, style: str, values: Mapping[str, int]) -> str:
    share = f" <small>{value / of:.1%}</small>" if of and name in ("matched", "assigned") else ""
    # the length of the bar is an attribute of its own: the policy lets no style attribute through
    frame = '<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
    meter = f'{frame}<rect width="{100 * min(1, value / of):.2f}" height="4"/></svg>' if of else ""
    shown = {k: values.get(k, 0) for k in CARD_VALUES}
    sub = _said(f"card.{name}.sub", **shown)
    return (
        f'<a class="figure {style}" href="{link}"><span class="label">{_said(f"card.{name}")}</span>'
        f'<span class="value">{value:,}{share}</span>{meter}<span class="sub">{sub}</span></a>'
    )


def _boot(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the page's script needs before the data: words, labels, colours, the receipt."""
    schema = {
        "nouns": {name: _schema(noun) for name, noun in nouns().items()},
        "results": {name: _schema(noun) for name, noun in result_tables().items()},
    }
    views = {**VIEWS, "district_map": BALANCE, "district_balance": BALANCE}
    said = {key: pair for key, pair in words().items() if not key.startswith(("brief.", "chart.", "sheets.", "unit."))}
    return {
        "words": said,
        "codes": {name: dict(values) for name, values in codes().items()},
        "schema": schema,
        "views": views,
        "dark": dict(DARK),
        "unit": SCORE_UNIT,
        "receipt": dict(facts),
    }


def _schema(noun: Table) -> dict[str, Any]:
    columns = {
        c.name: {
            "type": c.type,
            "label": [c.label_zh, c.label_en],
            "codes": c.codes,
            "refers": [table for table, _ in c.targets],
        }
        for c in noun.columns
    }
    return {"label": [noun.label_zh, noun.label_en], "columns": columns}


def _facts(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of the run: nothing that differs between two equal runs."""
    plain = {key: receipt.get(key, "") for key in ("silian", "code", "region", "on", "seed")}
    return {
        **{key: value if isinstance(value, int) else str(value) for key, value in plain.items()},
        "plan": json.loads(json.dumps(receipt.get("plan") or {}, default=str)),
        "inputs": {str(k): str(v) for k, v in (receipt.get("inputs") or {}).items()},
        "steps": rows_of(receipt.get("steps") or ()),
    }


def _policy(style: str, *scripts: str) -> str:
    """A content security policy that lets exactly these scripts and this style run, and nothing be fetched."""
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'sha256-{_digest(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def _file(name: str) -> str:
    return files("silian.report.page").joinpath(name).read_text(encoding="utf-8")


@cache
def _page_script() -> str:
    return _own_scope("\n".join(_file(f"js/{name}.js") for name in SCRIPTS))


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, with their licence."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VERSION)
    # a script element ends at the first "</script", wherever it stands
    return _file("js/vega-licence.js") + _own_scope(bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--"))


def _own_scope(script: str) -> str:
    """The script with names that no other script sees."""
    return f"(() => {{\n{script}\n}})();"


def _script_json(value: Mapping[str, Any]) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _text(value: str) -> str:
    return html.escape(value, quote=True)
