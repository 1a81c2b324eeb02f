"""Small tables of an assignment, written in a line."""

from __future__ import annotations

import polars as pl

IDS = {"need_id": pl.String, "expert_id": pl.String}


def pairs_of(rows, **more):
    """need_id, expert_id, score and more columns by their types."""
    return pl.DataFrame(rows, schema={**IDS, "score": pl.Float64, **more}, orient="row")


def ids_of(rows):
    return pl.DataFrame(rows, schema=IDS, orient="row")


def demand_of(**wanted):
    counts = {"need_id": list(wanted), "wanted": list(wanted.values())}
    return pl.DataFrame(counts, schema_overrides={"need_id": pl.String, "wanted": pl.Int64})


def capacity_of(**free):
    counts = {"expert_id": list(free), "free": list(free.values())}
    return pl.DataFrame(counts, schema_overrides={"expert_id": pl.String, "free": pl.Int64})


def changes_of(*rows):
    return pl.DataFrame(list(rows), schema={"kind": pl.String, **IDS, "value": pl.Float64}, orient="row")


def moves_of(*rows):
    return pl.DataFrame(list(rows), schema={"what": pl.String, **IDS}, orient="row")
