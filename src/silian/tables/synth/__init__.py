"""A synthetic region: invented in every name and figure, real in form, with the truth that quality is measured against.

Its texts come from a vocabulary written by hand (`data/`): objects with their kinds, what goes wrong with them, and
the methods that answer it, for 28 fields of technology. Enterprises and laboratories use different words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from silian.errors import ArgumentError
from silian.tables.region import Region
from silian.tables.synth import _support as support
from silian.tables.synth._achievements import achievements
from silian.tables.synth._cards import complete
from silian.tables.synth._challenges import challenges
from silian.tables.synth._dirt import soil
from silian.tables.synth._experts import experts
from silian.tables.synth._labels import labels
from silian.tables.synth._needs import TODAY, needs
from silian.tables.synth._organisations import STEM, STEM_EN, organisations
from silian.tables.synth._places import places
from silian.tables.synth._products import graph, products
from silian.tables.synth._qualifications import qualify
from silian.tables.synth._relations import conflicts, relations
from silian.tables.synth._sizes import SIZES, size_named
from silian.tables.synth._subjects import Demand, draw
from silian.tables.synth._terms import terms
from silian.tables.synth._vocabulary import Vocabulary, vocabulary
from silian.tables.synth._works import works

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from silian.tables.synth._products import Graph, Products

SizeName = Literal["tiny", "county", "city", "province"]
NAME: Final = f"{STEM}市（虚构）"
NAME_EN: Final = f"{STEM_EN} City (invented)"
DAY: Final[date] = TODAY.astype(date)  # the day that everything in the region is told on

__all__ = ["DAY", "NAME", "NAME_EN", "SIZES", "SizeName", "Synthetic", "make", "write"]


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A region and what is true of it.

    `truth` has matches (need_id, achievement_id, level 1 to 4: every pair of level 3 and 4, some of 1 and 2),
    missing_products (product_id, kind: break or blank), conflicts (need_id, expert_id, kind), same (org_id,
    canonical_id of every organisation) and faults (table, id, column, code: what `check` must find).
    """

    region: Region
    truth: Mapping[str, pl.DataFrame]


def make(size: SizeName, *, seed: int = 7) -> Synthetic:
    """Make a synthetic region of a size.

    Parameters
    ----------
    size : tiny (to be followed by hand), county, city or province
    seed : whole number, 0 or more; the same size and seed give the same region

    Returns
    -------
    Synthetic : region with every noun of the schema, and its truth

    Raises
    ------
    ArgumentError : synth.size if the size is not known; argument.value if the seed is negative.

    Notes
    -----
    A pair that `matches` does not list is of level 1 or 2. A product made only as one of its kinds counts as made.
    Each table has its own stream of draws, so one may change without the others.
    Cost, one core: county .2 s, city 2 s, province 12 s and .5 GiB.

    Examples
    --------
    >>> tiny = make("tiny", seed=7)
    >>> tiny.region["needs"].height, sorted(tiny.truth)
    (12, ['conflicts', 'faults', 'matches', 'missing_products', 'same'])
    """
    wanted = size_named(size)
    if seed < 0:
        raise ArgumentError("argument.value", name="seed", found=seed, wanted="a whole number, 0 or more")
    words = vocabulary()
    demand = draw(wanted, seed, words)
    map_ = places(wanted, seed)
    drawn = graph(wanted, seed, words, _asked(demand, words))
    firms = organisations(wanted, seed, words, map_, demand, absent=drawn.absent)
    goods = products(drawn, seed, firms)
    people = experts(wanted, seed, words, firms, demand)
    need_table = needs(
        demand.needs, seed, words, firms, products=drawn.id_of, buyers=_buyers(demand, seed, words, drawn, goods)
    )
    achievement_table = achievements(demand.achievements, seed, words, firms, people)
    work_table = works(wanted, seed, words, people)
    bonds = relations(seed, need_table, firms, people, work_table)
    barred = conflicts(need_table, people.table, bonds)
    matches = _matches(demand, need_table, achievement_table)
    fields = list(dict.fromkeys(words.field(int(t)) for t in demand.things))
    fund_table = support.funds(seed, map_, firms, fields)
    project_table = support.projects(
        seed, wanted.needs // 4, need_table, achievement_table, matches, fund_table["fund_id"].to_list()
    )
    tables = {
        "districts": map_.districts,
        "organisations": firms.table,
        "experts": people.table,
        "works": work_table,
        "needs": need_table,
        "challenge_skills": challenges(
            seed, words, need_table, demand.needs, people=people, works=work_table, conflicts=barred
        ),
        "achievements": achievement_table,
        "facilities": support.facilities(max(6, wanted.experts // 10), seed, words, firms, people),
        "products": goods.products,
        "makes": goods.makes,
        "product_links": goods.links,
        "funds": fund_table,
        "policies": support.policies(seed, map_, fields),
        "projects": project_table,
        "outcomes": support.outcomes(seed, project_table),
        "relations": bonds,
        "indicators": support.indicators(seed, map_),
        "labels": labels(wanted, seed, matches, need_table, achievement_table),
        "terms": terms(map(int, demand.things), words),
    }
    tables, faults = soil(seed, complete(seed, words, demand, qualify(seed, tables)))
    truth = {
        "matches": matches,
        "missing_products": goods.missing,
        "conflicts": barred,
        "same": firms.same,
        "faults": faults,
    }
    return Synthetic(Region.of(tables, geojson=map_.geojson), MappingProxyType(truth))


def write(synthetic: Synthetic, path: Path) -> None:
    """Write a synthetic region as a folder of CSV tables, its truth in `truth/`.

    Parameters
    ----------
    path : folder, made where it is missing

    Raises
    ------
    OSError : if the folder cannot be written.
    """
    from silian.tables import write_region

    write_region(synthetic.region, path)
    (path / "truth").mkdir(exist_ok=True)
    for name, table in synthetic.truth.items():
        table.write_csv(path / "truth" / f"{name}.csv")


def _asked(demand: Demand, words: Vocabulary) -> frozenset[str]:
    """Names of the objects and kinds that needs are about."""
    kinds = [words.kinds[k] for k in demand.needs.kind.tolist()]
    return frozenset([k.name for k in kinds] + [words.things[k.thing].name for k in kinds])


def _buyers(demand: Demand, seed: int, words: Vocabulary, drawn: Graph, goods: Products) -> dict[int, tuple[str, str]]:
    """Needs about a product that nobody here makes: row of the need → product and an enterprise that would buy it."""
    from silian.tables.synth._dice import Dice

    dice = Dice(seed, "buyers")
    chosen = {}
    for i, k in enumerate(demand.needs.kind.tolist()):
        kind = words.kinds[k]
        for name in (kind.name, words.things[kind.thing].name):
            if name in goods.buyers and demand.needs.what[i] >= 0:
                chosen[i] = (drawn.id_of[name], dice.pick(goods.buyers[name]))
                break
    return chosen


def _matches(demand: Demand, need_table: pl.DataFrame, achievement_table: pl.DataFrame) -> pl.DataFrame:
    """The pairs of the demand with the ids of the tables."""
    need, achievement = (demand.matches[name].to_numpy().astype(np.int64) for name in ("need", "achievement"))
    return pl.DataFrame(
        {
            "need_id": need_table["need_id"].gather(need),
            "achievement_id": achievement_table["achievement_id"].gather(achievement),
            "level": demand.matches["level"],
        }
    ).sort("need_id", "achievement_id")
