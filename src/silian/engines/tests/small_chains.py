"""Small tables of a chain, written in a line."""

from __future__ import annotations

import polars as pl
from hypothesis import strategies as st

INPUTS = ("material", "component", "equipment")
NO_NEEDS = pl.DataFrame(schema={"need_id": pl.String, "product_id": pl.String})
NO_PAIRS = pl.DataFrame(schema={"need_id": pl.String, "target_id": pl.String, "score": pl.Float64})


def links_of(*rows):
    """Links from "up>down" or ("up>down", kind) or ("up>down", kind, weight)."""
    given = []
    for row in rows:
        arrow, kind, weight = (row if isinstance(row, tuple) else (row,)) + ("material", None)[
            len(row) - 1 if isinstance(row, tuple) else 0 :
        ]
        given.append((*arrow.split(">"), kind, weight))
    schema = {"upstream_id": pl.String, "downstream_id": pl.String, "kind": pl.String, "weight": pl.Float64}
    return pl.DataFrame(given, schema=schema, orient="row")


def makes_of(**products):
    """Who makes what: o1="a b"."""
    rows = [(org, p) for org, ps in products.items() for p in ps.split()]
    return pl.DataFrame(rows, schema={"org_id": pl.String, "product_id": pl.String}, orient="row")


def needs_of(**products):
    return pl.DataFrame({"need_id": list(products), "product_id": list(products.values())}, schema=NO_NEEDS.schema)


def products_of(*ids, **segments):
    """Products without a segment, and with one: gear="machines/parts"."""
    rows = [(i, None, None) for i in ids] + [(i, *place.split("/")) for i, place in segments.items()]
    schema = {"product_id": pl.String, "chain": pl.String, "segment": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


IDS = list("abcdef")


@st.composite
def regions(draw):
    """Up to 6 products with links of every kind, 4 organisations, needs."""
    arrow = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.sampled_from([*INPUTS, "kind_of", "odd"]))
    arrows = draw(st.lists(arrow, unique=True, max_size=14))
    weight = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])
    links = links_of(*((f"{a}>{b}", k, draw(weight)) for a, b, k in arrows))
    pair = st.tuples(st.sampled_from(["o1", "o2", "o3", "o4"]), st.sampled_from(IDS))
    makes = pl.DataFrame(draw(st.lists(pair, unique=True, max_size=7)), schema=makes_of().schema, orient="row")
    needs = needs_of(**{f"n{i}": p for i, p in enumerate(draw(st.lists(st.none() | st.sampled_from(IDS), max_size=4)))})
    place = st.sampled_from([(None, None), ("c", None), ("c", "s"), ("c", "t")])
    products = pl.DataFrame([(i, *draw(place)) for i in IDS], schema=products_of().schema, orient="row")
    return makes, links, needs, products


def kinds(found):
    return dict(found.gaps.select("product_id", "kind").rows())


def missing(found):
    """The gaps that nobody here makes."""
    return dict(found.gaps.filter(pl.col("kind").is_in(["break", "blank"])).select("product_id", "kind").rows())
