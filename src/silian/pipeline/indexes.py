"""The indexes of a region's achievements and experts, made in one way wherever they are needed, and kept up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from silian.engines import match
from silian.errors import MatchError
from silian.pipeline.keep import check_replaceable, open_index, save_index
from silian.pipeline.plan import Plan
from silian.tables import district_centres
from silian.text import Terms, encoder

if TYPE_CHECKING:
    from pathlib import Path

    from silian.tables import Region

Of = Literal["achievements", "experts"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What `keep_index` did."""

    index: match.Index
    changes: pl.DataFrame | None  # target_id, change (new | edited | same | gone); None where it was built anew
    is_written: bool  # false where the file already held all of it


def index_of(region: Region, of: Of, plan: Plan) -> match.Index:
    """The index of a region's achievements, or of its experts by their works, read by the terms of the region.

    Raises
    ------
    MatchError : match.empty where the region has none.
    """
    if of == "experts":
        return match.build_experts(
            region["works"],
            _held(region, "experts"),
            encoder=plan.match.encoder,
            terms=terms_of(region),
            seed=plan.seed,
        )
    return match.build(_targets(region), encoder=plan.match.encoder, terms=terms_of(region), seed=plan.seed)


def keep_index(
    region: Region, path: Path, *, of: Of = "achievements", plan: Plan | None = None, replace: bool = False
) -> Kept:
    """Build the index of a region and save it, or bring what is new or edited in the region into the one that is kept.

    Parameters
    ----------
    region : what it has of `of` is indexed
    path : the file; an index that stands there is extended, and what the region no longer has stays in it
    of : achievements or experts
    plan : its encoder and seed build the index; an index that is extended keeps its own, and None asks for no other
    replace : build anew, whatever index stands at the path

    Raises
    ------
    StoreError : of `open_index`, where another thing than an index of this version stands at the path: with `replace`
        only store.foreign and store.kind; of `save_index`.
    MatchError : match.empty where the region has none; match.kind where the index at the path is of the other kind;
        match.encoder where the plan names another encoder than that of the index.
    TableError : as for `match.build` and `match.build_experts`.

    Notes
    -----
    The file is written whole or not at all; where nothing is new or edited it is left alone. Cost: that of
    `match.build`: every text of the region is read, to see what was edited.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from silian.tables import synth
    >>> region = synth.make("tiny").region
    >>> with TemporaryDirectory() as folder:
    ...     first, again = (keep_index(region, Path(folder) / "achievements.index") for _ in range(2))
    >>> len(first.index), first.is_written, again.is_written, again.changes["change"].unique().to_list()
    (30, True, False, ['same'])
    """
    if path.exists() and not replace:
        return _kept_up(region, path, of, plan)
    check_replaceable(path)
    index = index_of(region, of, plan or Plan())
    save_index(index, path)
    return Kept(index, None, is_written=True)


def _kept_up(region: Region, path: Path, of: Of, plan: Plan | None) -> Kept:
    """The index at a path, with what is new or edited in the region."""
    index = open_index(path)
    check_kind(index, of)
    wanted = index.encoder if plan is None else encoder(plan.match.encoder, seed=plan.seed)
    if wanted.name != index.encoder.name:
        raise MatchError("match.encoder", what=f"index {path}", found=index.encoder.name, wanted=wanted.name)
    if of == "experts":
        works, experts = region["works"], _held(region, "experts")
        changes = match.expert_changes(index, works, experts)
        is_news = pl.col("expert_id").is_in(_news(changes).implode())
        later = match.extend_experts(index, works.filter(is_news), experts.filter(is_news))
    else:
        targets = _targets(region)
        changes = match.changes(index, targets)
        later = match.extend(index, targets.filter(pl.col("target_id").is_in(_news(changes).implode())))
    is_written = later is not index
    if is_written:
        save_index(later, path)
    return Kept(later, changes, is_written=is_written)


def check_kind(index: match.Index, of: Of) -> None:
    """Raise match.kind where an index holds the other kind."""
    if index.kind != of:
        builder = "build_experts" if of == "experts" else "build"
        raise MatchError("match.kind", name=f"--of {of}", found=index.kind, wanted=of, builder=builder)


def _news(changes: pl.DataFrame) -> pl.Series:
    return changes.filter(pl.col("change").is_in(["new", "edited"]))["target_id"]


def _targets(region: Region) -> pl.DataFrame:
    return _held(region, "achievements").rename({"achievement_id": "target_id"})


def _held(region: Region, of: Of) -> pl.DataFrame:
    """The table with where each row is and what its organisation is qualified for: what conditions look at."""
    organisations = region["organisations"]
    placed = match.locate(region[of], organisations=organisations, districts=district_centres(region))
    return match.holders(placed, organisations)


def terms_of(region: Region) -> Terms:
    """The region's own terms, and beside them the list that comes with the project."""
    return Terms.of(region["terms"].drop_nulls("zh")).over(Terms.shipped())
