"""Organisations of a file with a code that another one has: told in the dry run, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.tables.problems import places, problems
from silian.web.catalog.models import MODELS
from silian.web.catalog.rules import visible

if TYPE_CHECKING:
    from silian.tables import Region
    from silian.web.base.actors import Actor

NOUN, CODE, KEY = "organisations", "uscc", "org_id"


def shared(region: Region, actor: Actor, known: pl.DataFrame) -> list[pl.DataFrame]:
    """Problems of rows that would give an organisation a code which another one, of the file or not, has too.

    Nobody is hindered: the person sees them and decides, row by row. Of a record that the person may not see, the
    code alone is told.

    Parameters
    ----------
    known : the organisations of the registry
    """
    if NOUN not in region.columns or CODE not in region.columns[NOUN]:
        return []
    own = region[NOUN].select(KEY, CODE)
    rest = known.select(KEY, CODE).join(own.select(KEY), on=KEY, how="anti")
    before = dict(known.select(KEY, CODE).iter_rows())
    holders: dict[str, list[str]] = {}
    for key, code in pl.concat([own, rest]).drop_nulls().iter_rows():
        holders.setdefault(code, []).append(key)
    several = {key for keys in holders.values() if len(set(keys)) > 1 for key in keys}
    seen = set(visible(actor, MODELS[NOUN].objects.filter(pk__in=several)).values_list("pk", flat=True))
    seen |= set(own[KEY])  # the person's own file tells of these
    told = []
    for key, code in own.iter_rows():
        others = sorted(set(holders.get(code, ())) - {key}) if code and before.get(key) != code else []
        named = next((other for other in others if other in seen), "")
        told.append(f"{code} = {named}" if named else code if others else None)
    cells = places(region, NOUN).with_columns(found=pl.Series(told, dtype=pl.String))
    return [problems("web.import_code", cells.filter(pl.col("found").is_not_null()), table=NOUN, column=CODE)]
