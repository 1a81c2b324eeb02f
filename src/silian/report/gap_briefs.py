"""A page for each gap of the chains, to print and take along: what is lacking, what hangs on it, who could fill it."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.errors import ArgumentError
from silian.report._words import check_language, code_label, names, say
from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.tables.region import Region
    from silian.tables.schema import Language

LISTED: Final = 8  # rows of a list; the rest is counted
SIDES: Final = ("upstream", "downstream", "maker", "buyer", "need")
NOUN: Final = {
    "upstream": "products", "downstream": "products", "maker": "organisations", "buyer": "organisations",
    "need": "needs",
}  # fmt: skip
LISTS: Final = (  # heading, noun, reasons
    ("brief.elsewhere", "organisation", ("makes_elsewhere",)),
    ("brief.local", "organisation", ("makes_related",)),
    ("brief.brought", "achievement", ("answers_need", "matches_gap")),
    ("brief.asked", "expert", ("answers_need", "matches_gap")),
)


def briefs(
    region: Region,
    results: Mapping[str, pl.DataFrame],
    *,
    products: Sequence[str] | None = None,
    most: int = 20,
    language: Language = "zh",
) -> str:
    """One printed page a gap, as an HTML file that asks for nothing else.

    Parameters
    ----------
    region : names of products, organisations, needs, achievements and experts
    results : gaps, gap_parts, gap_evidence, gap_fillers of a run
    products : the gaps wanted, in this order; the `most` pressing ones where None
    most : gaps at most, >= 1
    language : zh or en

    Raises
    ------
    ArgumentError : argument.value if a product is no gap, most is below 1, or the language is another

    Notes
    -----
    Lists hold eight rows and say how many more there are. No script and no picture from elsewhere.
    """
    check_language(language)
    if most < 1:
        raise ArgumentError("argument.value", name="most", found=most, wanted="1 or more")
    gaps = results["gaps"].sort("rank")
    if products is not None:
        unknown = sorted(set(products) - set(gaps["product_id"]))
        if unknown:
            raise ArgumentError("argument.value", name="products", found=unknown, wanted="gaps of the run")
        order = pl.DataFrame({"product_id": list(dict.fromkeys(products))})
        gaps = order.join(gaps, on="product_id", how="left", maintain_order="left")
    else:
        gaps = gaps.head(most)
    shown = {noun: names(region[noun], language) for noun in ("products", "organisations", "needs", "achievements")}
    shown["experts"] = names(region["experts"], language)
    parts = {name: _by_product(results[name], gaps) for name in ("gap_parts", "gap_evidence", "gap_fillers")}
    pages = [_page(row, parts, shown, language) for row in gaps.iter_rows(named=True)]
    body = "\n".join(pages) or f"<p>{_text(say('brief.none', language))}</p>"
    style = files("silian.report.page").joinpath("brief.css").read_text(encoding="utf-8")
    title = _text(say("brief.title", language))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>\n{style}</style></head><body>\n{body}\n</body></html>\n"
    )


def _by_product(table: pl.DataFrame, gaps: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.join(gaps.select("product_id"), on="product_id", how="semi").iter_rows(named=True):
        rows.setdefault(row["product_id"], []).append(row)
    return rows


def _page(
    gap: Mapping[str, Any], parts: Mapping[str, dict[str, list[dict[str, Any]]]],
    shown: Mapping[str, Mapping[str, str]], language: Language,
) -> str:  # fmt: skip
    product = gap["product_id"]
    kind = code_label("gap_kind", gap["kind"], language)
    counts = {k: gap[k] for k in ("buyers", "needs")} | {
        side + tail: gap[f"{side}_{which}"]
        for side in ("upstream", "downstream")
        for tail, which in (("", "here"), ("_all", "all"))
    }
    place = " · ".join(filter(None, (gap["chain"], gap["segment"])))
    evidence, fillers = parts["gap_evidence"].get(product, []), parts["gap_fillers"].get(product, [])
    return "\n".join(
        [
            f'<article><header><p class="kind {gap["kind"]}">{_text(kind)}</p>',
            f"<h1>{_text(shown['products'].get(product, product))}</h1><p>{_text(place)}</p></header>",
            f"<p>{_text(say('gap.why_' + gap['kind'], language, **counts))}</p>",
            _figures(gap, language),
            _score(gap, parts["gap_parts"].get(product, []), language),
            f"<h2>{_text(say('brief.evidence', language))}</h2>",
            f'<div class="columns">{"".join(_side(s, evidence, shown, language) for s in SIDES)}</div>',
            f"<h2>{_text(say('brief.who', language))}</h2>",
            *(_fillers(*each, fillers=fillers, shown=shown, language=language) for each in LISTS),
            f"<footer>{_text(product)}</footer></article>",
        ]
    )


def _figures(gap: Mapping[str, Any], language: Language) -> str:
    """What is counted of the gap, with the labels of the schema."""
    columns = result_tables()["gaps"]
    listed = [("rank", f"{gap['rank']:,}"), ("makers", f"{gap['makers']:,}"), ("flow", f"{gap['flow']:,.2f}")]
    if gap["elsewhere"] is not None:
        listed.append(("elsewhere", f"{gap['elsewhere']:,}"))
    if gap["outflow_share"] is not None:
        listed.append(("outflow_share", f"{gap['outflow_share']:.0%}"))
    rows = []
    for name, value in listed:
        column = columns[name]
        unit = f" {column.unit_label(language)}" if column.unit not in ("", "1") else ""
        rows.append(f"<div><dt>{_text(column.label(language))}</dt><dd>{value}<small>{_text(unit)}</small></dd></div>")
    return f"<dl>{''.join(rows)}</dl>"


def _score(gap: Mapping[str, Any], parts: Iterable[Mapping[str, Any]], language: Language) -> str:
    rows = "".join(
        f"<tr><th>{_text(code_label('gap_part', p['part'], language))}</th><td>{p['value']:.3f}</td></tr>"
        for p in parts
    )
    total = f"<tr class='sum'><th>{_text(say('brief.score', language))}</th><td>{gap['score']:.3f}</td></tr>"
    return f"<table>{rows}{total}</table>"


def _side(
    side: str, evidence: Iterable[Mapping[str, Any]], shown: Mapping[str, Mapping[str, str]], language: Language
) -> str:
    """One kind of evidence: its neighbours here with their makers, its buyers, the needs that name it."""
    rows = [r for r in evidence if r["side"] == side]
    if not rows:
        return ""
    rows.sort(key=lambda r: (-(r["makers"] or 0), r["other_id"]))
    said = []
    for row in rows[:LISTED]:
        makers = f" ({say('gap.makers', language, count=row['makers'])})" if row["makers"] else ""
        said.append(f"<li>{_text(shown[NOUN[side]].get(row['other_id'], row['other_id']) + makers)}</li>")
    heading = _text(f"{code_label('gap_side', side, language)} {len(rows):,}")
    return f"<section><h3>{heading}</h3><ul>{''.join(said)}</ul>{_more(rows, language)}</section>"


def _fillers(
    heading: str, noun: str, reasons: Sequence[str], *, fillers: Iterable[Mapping[str, Any]],
    shown: Mapping[str, Mapping[str, str]], language: Language,
) -> str:  # fmt: skip
    rows = sorted((r for r in fillers if r["noun"] == noun and r["reason"] in reasons), key=lambda r: r["rank"])
    title = f"<h3>{_text(say(heading, language))}</h3>"
    if not rows:
        return f"{title}<p class='none'>{_text(say('brief.nobody', language))}</p>"
    said = []
    for row in rows[:LISTED]:
        name = shown[f"{noun}s"].get(row["filler_id"], row["filler_id"])
        because = [code_label("filler_reason", row["reason"], language), _because(row, shown)]
        if row["like_id"]:
            like = shown["organisations"].get(row["like_id"], row["like_id"])
            because.append(say("gap.alike", language, name=like, score=f"{row['likeness']:.2f}"))
        why = " · ".join(filter(None, because))
        said.append(f"<li><b>{_text(name)}</b> {row['score']:.2f}<br><small>{_text(why)}</small></li>")
    return f"{title}<ol>{''.join(said)}</ol>{_more(rows, language)}"


def _because(row: Mapping[str, Any], shown: Mapping[str, Mapping[str, str]]) -> str:
    """The ids that a filler rests on, by their names."""
    known = shown["needs"] if row["reason"] == "answers_need" else shown["products"]
    made, _, rest = (row["evidence"] or "").partition(": ")
    said = ["; ".join(known.get(i, i) for i in part.split("; ")) for part in (made, rest) if part]
    return ": ".join(said)


def _more(rows: Sequence[object], language: Language) -> str:
    left = len(rows) - LISTED
    return f"<p class='none'>{_text(say('brief.more', language, count=left))}</p>" if left > 0 else ""


def _text(value: str) -> str:
    return html.escape(value, quote=True)
