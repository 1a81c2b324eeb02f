"""Chinese and English: whether a need finds the achievement that is written in the other language.

`terms_pairs.csv`: pairs of titles of one meaning, written by us. `listed`: frames around a form of the list of terms;
`composed`: several terms and other words; `held_out`: about a thing (`term_zh`, `term_en`) that the list does not have.
Each title is asked for among those of all pairs in the other language and 6,400 others: achievements and works of the
synthetic county in Chinese, its methods and objects in English. Figures: recall in the first ten, and the mean of
1 / rank (0 beyond the tenth).
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from silian import text
from silian.engines import match
from silian.tables import synth
from silian.tables.synth._vocabulary import rows, vocabulary
from silian.text import Terms

PAIRS = Path(__file__).resolve().parent / "terms_pairs.csv"
KINDS = ("listed", "composed", "held_out")
CORES = os.cpu_count()


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
    print(
        json.dumps({"bench": "terms", "case": case, "values": rounded, "cores": CORES}, ensure_ascii=False), flush=True
    )


@dataclass(frozen=True)
class Way:
    """How texts are read and compared."""

    name: str
    encoder: str
    terms: Terms | None


def others() -> pl.DataFrame:
    """target_id, title, text: what must not come before the answer."""
    county = synth.make("county").region
    chinese = [(f"a{i}", *row) for i, row in enumerate(county["achievements"].select("title", "text").rows())]
    works = county["works"].unique("title", maintain_order=True)["title"].to_list()
    chinese += [(f"w{i}", title, "") for i, title in enumerate(works)]
    words = vocabulary()
    both = [(m, t) for t, methods in enumerate(words.methods_of) for m in methods]
    told = [f"{words.methods[m].name_en} for {words.things[t].name_en}" for m, t in both]
    told += [m.name_en for m in words.methods] + [t.name_en for t in words.things]
    told += [r["name_en"] for r in rows("products")]
    english = [(f"e{i}", title, "") for i, title in enumerate(dict.fromkeys(told))]
    return pl.DataFrame([*chinese, *english], schema=["target_id", "title", "text"], orient="row")


def found_at(way: Way, asked: Literal["zh", "en"], pairs: pl.DataFrame, rest: pl.DataFrame) -> pl.DataFrame:
    """pair_id, kind, rank (null beyond the tenth) of the answer in the other language."""
    answer = "en" if asked == "zh" else "zh"
    answers = pairs.select(target_id="pair_id", title=f"title_{answer}", text=pl.lit(""))
    index = match.build(pl.concat([rest, answers]), encoder=way.encoder, terms=way.terms)
    needs = pairs.select(need_id="pair_id", title=f"title_{asked}", text=pl.lit(""))
    ranked = match.rank(needs, index, top_k=10).filter(pl.col("need_id") == pl.col("target_id"))
    return pairs.select("pair_id", "kind").join(
        ranked.select(pair_id="need_id", rank="rank"), on="pair_id", how="left", maintain_order="left"
    )


def check(pairs: pl.DataFrame, rest: pl.DataFrame) -> None:
    """What the pairs promise: the held-out ones are not in the list, the others stand once."""
    listed = {form.lower() for c in Terms.shipped().concepts for form in c.forms}
    held = pairs.filter(kind="held_out")
    assert not (set(held["term_zh"]) | set(held["term_en"].str.to_lowercase())) & listed
    assert pairs.height >= 200
    assert rest.height >= 5_000
    assert not set(pairs["title_zh"]) & set(rest["title"])
    assert pairs["title_zh"].n_unique() == pairs["title_en"].n_unique() == pairs.height


def ways(pairs: pl.DataFrame) -> list[Way]:
    """With and without terms; with half of the list; with what a corpus teaches of the held-out terms."""
    full = Terms.shipped()
    half = Terms.made(full.concepts[::2])
    held = pairs.filter(kind="held_out").select("term_zh", "term_en").rows()
    corpus = [t for zh, en in held for t in (f"采用{zh}（{en}）的装置", f"对{zh}({en})进行分析", f"含有{zh}（{en}）")]
    learnt = Terms.of(text.learn_terms(corpus)).over(full)
    return [
        Way("words", "words", None),
        Way("words, terms", "words", full),
        Way("static", "static", None),
        Way("static, half of the terms", "static", half),
        Way("static, terms", "static", full),
        Way("static, terms, held-out ones learnt from brackets", "static", learnt),
    ]


def bench_recall() -> None:
    """Recall in the first ten and mean of 1 / rank, both directions, by kind of pair."""
    with PAIRS.open(encoding="utf-8") as file:
        pairs = pl.DataFrame(list(csv.DictReader(file)))
    rest = others()
    check(pairs, rest)
    for way in ways(pairs):
        for asked in ("zh", "en"):
            found = found_at(way, asked, pairs, rest)
            figures = {}
            for kind in (*KINDS, "all"):
                ranks = found.filter((pl.col("kind") == kind) | (kind == "all"))["rank"]
                figures[f"recall_{kind}"] = ranks.is_not_null().mean()
                figures[f"mrr_{kind}"] = (1 / ranks).fill_null(0.0).mean()
            line(f"{way.name}, {asked} asks", others=rest.height, pairs=pairs.height, **figures)
            if "-v" in sys.argv:
                missed = found.filter(pl.col("rank").is_null()).join(pairs, on="pair_id")
                print(missed.select("kind_right", f"title_{asked}").rows())


def bench_speed() -> None:
    """200,000 titles, half of them with Latin letters, cut with and without terms."""
    chinese = ["锂离子电池隔膜的陶瓷涂层制备", "基于深度学习的轴承故障诊断", "CBN刀具的研制", "废水脱氮除磷"]
    english = ["Preparation of ceramic coatings for lithium-ion battery separators", "Bearing fault diagnosis"]
    texts = [f"{(chinese + english)[i % 6]} {i}" for i in range(200_000)]
    text.segment(texts[:6], terms=Terms.shipped())
    seconds = {}
    for name, terms in (("without", None), ("with_terms", Terms.shipped())):
        began = time.perf_counter()
        text.segment(texts, terms=terms)
        seconds[f"{name}_seconds"] = time.perf_counter() - began
    line("200000 titles cut", **seconds)


def main() -> None:
    """Everything."""
    bench_recall()
    bench_speed()


if __name__ == "__main__":
    main()
