"""Small tables of a chain, written in a line."""

from __future__ import annotations

import polars as pl

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
