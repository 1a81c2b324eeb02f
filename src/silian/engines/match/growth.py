"""A few records more or less in an index, without reading the others again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
import polars as pl

from silian.engines.match._checks import check_known
from silian.engines.match._coding import codes_of
from silian.engines.match._kernels import Groups, Sets, Vectors
from silian.engines.match.index import Index, Way, members_of, of_targets, of_works, part_of, some
from silian.engines.match.why import Touches
from silian.errors import MatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.text import WordSpace

BUILDER: Final = {"achievements": "build", "experts": "build_experts"}


class Growth(NamedTuple):
    """How far an index has moved from the records that it learnt its weights from."""

    built: int  # targets when it was built
    later: int  # targets that were added or replaced since
    gone: int  # targets that were removed or replaced since

    @property
    def share(self) -> float:
        """Of all targets, those of the learning and those of now, the share that are not in both (Jaccard distance).

        0 where nothing has changed, 1 where nothing is left of what the index learnt from.
        """
        return (self.later + self.gone) / (self.built + self.later)


def growth(index: Index) -> Growth:
    """How far an index has moved from what it learnt from.

    At a share of 0.4 of the same kind of records nine of the first ten are those of an index that is built anew, and
    the quality is the same (docs/methods/match.md): above that it is time to build again.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
    >>> index = build(targets, encoder="words")
    >>> growth(extend(index, targets[1:].with_columns(title=pl.lit("锂电池隔膜涂覆")))).share
    0.6666666666666666
    """
    later = int(index.learnt.is_later.sum())
    return Growth(index.learnt.targets, later, index.learnt.targets - (len(index) - later))


def extend(index: Index, targets: pl.DataFrame) -> Index:
    """An index with more targets; one whose id it knows is replaced (an edit).

    Parameters
    ----------
    index : of `build`
    targets : as for `build`

    Returns
    -------
    Index : equal to one that is built of the same records with the encoder, idf and language of the given one. A
        feature (character run or word) that no record had when the index was built gets the idf of one that a single
        unit had: ln((1 + n) / 2) + 1, n the units when it was built. `growth` says how far that is from learning anew.

    Raises
    ------
    MatchError : match.kind where the index holds experts.
    TableError : as for `build`.

    Notes
    -----
    Only the given targets are cut and encoded. The given index stays as it is. The order and number of calls do not
    matter. Cost: copying the index's arrays (docs/methods/match.md).

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
    >>> index = extend(build(targets[:1], encoder="words"), targets[1:])
    >>> index.ask("锂电池防爆")["target_id"].to_list()
    ['b']
    """
    _check_kind(index, "achievements", "extend")
    if targets.is_empty():
        return index
    return _joined(index, of_targets(targets, way=Way.of(index)))


def extend_experts(index: Index, works: pl.DataFrame, experts: pl.DataFrame | None = None) -> Index:
    """An index with more experts; one whose id it knows is replaced, with all works and the profile.

    Parameters
    ----------
    index : of `build_experts`
    works, experts : as for `build_experts`, of the experts that are new or changed: all their works, not only new ones

    Returns
    -------
    Index : as for `extend`; recency counts from the same year as when the index was built.

    Raises
    ------
    MatchError : match.kind where the index holds achievements.
    TableError : as for `build_experts`.

    Examples
    --------
    >>> from silian.engines.match import build_experts
    >>> works = pl.DataFrame({"expert_id": ["e1", "e2"], "work_id": ["w", "w"], "title": ["锂电池", "轴承"]})
    >>> works = works.with_columns(text=pl.lit(""))
    >>> extend_experts(build_experts(works[:1], encoder="words"), works[1:]).basis.rows()
    [('e1', 'works', 1), ('e2', 'works', 1)]
    """
    _check_kind(index, "experts", "extend_experts")
    if works.is_empty() and (experts is None or experts.is_empty()):
        return index
    return _joined(index, of_works(works, experts, year=index.learnt.year, way=Way.of(index)))


def shorten(index: Index, target_ids: pl.Series | Sequence[str]) -> Index:
    """An index without some of its targets.

    Parameters
    ----------
    index : of `build` or `build_experts`
    target_ids : ids of achievements or experts of the index; naming one twice is naming it once

    Returns
    -------
    Index : as for `extend`. What only these targets had brought in after the index was built goes with them; what the
        index had learnt from them when it was built stays.

    Raises
    ------
    TableError : table.unknown where an id is not in the index.
    MatchError : match.nothing_left where no target would stay.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
    >>> shorten(build(targets, encoder="words"), ["b"]).target_ids.to_list()
    ['a']
    """
    named = pl.DataFrame({"target_id": pl.Series(target_ids, dtype=pl.String)})
    check_known(named, "target_ids", "target_id", index.target_ids, "the index")
    stays = ~index.target_ids.is_in(named["target_id"].implode())
    if not stays.any():
        raise MatchError("match.nothing_left", count=len(index))
    return _tidy(part_of(index, np.flatnonzero(stays.to_numpy())))


def changes(index: Index, targets: pl.DataFrame) -> pl.DataFrame:
    """What has become of the targets since an index took them in; `extend` by those that are new or edited.

    Parameters
    ----------
    index : of `build`
    targets : as for `build`: all that there are now

    Returns
    -------
    target_id, change : new (the index lacks it), edited (`extend` by it would change the index), same, gone (only the
        index has it); by target_id.

    Raises
    ------
    MatchError : match.kind where the index holds experts; match.empty where there are no targets.
    TableError : as for `build`.

    Notes
    -----
    Deterministic. Cost: that of `extend` by all targets, whose texts are read and encoded.

    Examples
    --------
    >>> from silian.engines.match import build
    >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
    >>> index = build(targets, encoder="words")
    >>> now = pl.DataFrame({"target_id": ["b", "c"], "title": ["锂电池隔膜", "电解液"], "text": ["耐热", ""]})
    >>> changes(index, now).rows()
    [('a', 'gone'), ('b', 'edited'), ('c', 'new')]
    """
    _check_kind(index, "achievements", "changes")
    return _compared(index, of_targets(targets, way=Way.of(index)))


def expert_changes(index: Index, works: pl.DataFrame, experts: pl.DataFrame | None = None) -> pl.DataFrame:
    """What has become of the experts since an index took them in; `extend_experts` by those that are new or edited.

    Parameters
    ----------
    index : of `build_experts`
    works, experts : as for `build_experts`: all that there are now

    Returns
    -------
    As for `changes`; an expert is edited where the works, the profile or what conditions look at are.

    Raises
    ------
    MatchError : match.kind where the index holds achievements; match.empty where there are no experts.
    TableError : as for `build_experts`.

    Examples
    --------
    >>> from silian.engines.match import build_experts
    >>> works = pl.DataFrame({"expert_id": ["e1", "e2"], "work_id": ["w", "w"], "title": ["锂电池", "轴承"]})
    >>> works = works.with_columns(text=pl.lit(""))
    >>> expert_changes(build_experts(works[:1], encoder="words"), works).rows()
    [('e1', 'same'), ('e2', 'new')]
    """
    _check_kind(index, "experts", "expert_changes")
    return _compared(index, of_works(works, experts, year=index.learnt.year, way=Way.of(index)))


def _compared(index: Index, now: Index) -> pl.DataFrame:
    """Each target of both, and what has become of it."""
    words = _words(index, now)
    old, new = _renumbered(index, now.space, words), _renumbered(now, now.space, words)
    ids = pl.concat([old.target_ids, new.target_ids]).unique().sort()
    known, there = (ids.is_in(i.target_ids.implode()).to_numpy() for i in (old, new))
    both = ids.filter(pl.Series(known & there))
    places = [i.target_ids.search_sorted(both).to_numpy() for i in (old, new)]
    change = np.where(known, "gone", "new").astype(object)
    change[known & there] = np.where(_alike(old, places[0], new, places[1]), "same", "edited")
    return pl.DataFrame({"target_id": ids, "change": pl.Series(change, dtype=pl.String)})


def _alike(old: Index, here: np.ndarray, new: Index, there: np.ndarray) -> np.ndarray:
    """Whether targets are the same, those at places of one index and of another with its words and features: bool."""
    left, right = (
        i.basis[p].hstack(i.facts[p]).with_columns(i.organisation[p]) for i, p in ((old, here), (new, there))
    )
    is_alike: np.ndarray = np.ones(len(here), np.bool_)
    for column in left.columns:  # basis tells the number of units too
        is_alike &= left[column].eq_missing(right[column]).to_numpy()
    number, a = members_of(old.groups.start, here[is_alike])
    _, b = members_of(new.groups.start, there[is_alike])
    owner = np.repeat(np.flatnonzero(is_alike), np.diff(number))
    is_alike[owner[_other_units(old, a, new, b)]] = False
    return is_alike


def _other_units(old: Index, a: np.ndarray, new: Index, b: np.ndarray) -> np.ndarray:
    """Whether units differ, those at places a of one index and at b of another: bool (units,)."""
    differs: np.ndarray = (old.groups.weight[a] != new.groups.weight[b]) | (
        old.vectors.scale[a] != new.vectors.scale[b]
    )
    differs |= (old.vectors.codes[a] != new.vectors.codes[b]).any(axis=1)
    keys, *touches = _with_keys(old.touches, new.touches)
    features = len(old.space.features)
    pairs = [
        (old.rows, new.rows),
        (_as_rows(old.alone, features), _as_rows(new.alone, features)),
        (_as_rows(touches[0], len(keys)), _as_rows(touches[1], len(keys))),
    ]
    for left, right in pairs:
        differs |= np.diff((left[a] != right[b]).indptr) > 0
    return differs


def _as_rows(given: Sets, width: int) -> Any:
    """Sets as a sparse matrix of truth values."""
    import scipy.sparse as sp

    return sp.csr_array((np.ones(len(given.code), np.bool_), given.code, given.ptr), shape=(len(given.ptr) - 1, width))


def _check_kind(index: Index, wanted: Literal["achievements", "experts"], name: str) -> None:
    if index.kind != wanted:
        raise MatchError("match.kind", name=name, found=index.kind, wanted=wanted, builder=BUILDER[wanted])


def _joined(index: Index, later: Index) -> Index:
    """The targets of both, those of `later` before those of the same id; its space holds that of the index."""
    import scipy.sparse as sp

    words = _words(index, later)
    old, new = _renumbered(index, later.space, words), _renumbered(later, later.space, words)
    ids = pl.concat([old.target_ids, new.target_ids])
    stays = np.flatnonzero(~index.target_ids.is_in(later.target_ids.implode()).to_numpy())
    chosen = np.concatenate([stays, len(index) + np.arange(len(later))])
    chosen = chosen[ids[chosen].arg_sort().to_numpy()]
    ends, units = members_of(np.concatenate([old.groups.start, old.groups.start[-1] + new.groups.start[1:]]), chosen)
    rows = sp.vstack([old.rows, new.rows], format="csr")[units]
    vectors = Vectors(*(np.concatenate(both)[units] for both in zip(old.vectors, new.vectors, strict=True)))
    joined = replace(
        new,
        target_ids=ids[chosen],
        facts=pl.concat([old.facts, new.facts])[chosen],
        organisation=pl.concat([old.organisation, new.organisation])[chosen],
        basis=pl.concat([old.basis, new.basis])[chosen],
        rows=rows,
        vectors=vectors,
        codes=codes_of(rows, vectors),
        alone=some(_under(old.alone, new.alone), units),
        touches=_touches(old.touches, new.touches, units),
        groups=Groups(ends, np.concatenate([old.groups.weight, new.groups.weight])[units], new.groups.best),
        learnt=replace(new.learnt, is_later=np.concatenate([old.learnt.is_later, new.learnt.is_later])[chosen]),
    )
    return _tidy(joined)


def _words(index: Index, later: Index) -> Mapping[str, int]:
    """The words of both and their places in alphabetical order."""
    new = later.place.keys() - index.place.keys()
    return {w: i for i, w in enumerate(sorted((*index.place, *new)))} if new else index.place


def _renumbered(index: Index, space: WordSpace, words: Mapping[str, int]) -> Index:
    """An index whose features and words have the numbers of a wider space and list of words. Order stays."""
    if space is not index.space:
        index = _with_features(index, space, space.places_of(index.space))
    if words is not index.place:
        place = np.fromiter(map(words.__getitem__, index.place), np.int64, len(index.place))
        left, right = np.divmod(index.touches.keys, max(len(index.place), 1))
        keys = place[left] * len(words) + place[right] if len(words) else index.touches.keys
        index = replace(index, place=words, touches=index.touches._replace(keys=keys))
    return index


def _with_features(index: Index, space: WordSpace, number: np.ndarray) -> Index:
    """An index with other numbers of its features; `number` keeps their order. Its postings are left as they were."""
    rows = index.rows
    new = number.astype(np.int32)
    rows = type(rows)((rows.data, new[rows.indices], rows.indptr), shape=(rows.shape[0], len(space.features)))
    return replace(index, space=space, rows=rows, alone=index.alone._replace(code=new[index.alone.code]))


def _under(upper: Sets, lower: Sets) -> Sets:
    """Sets with others under them."""
    ptr = np.concatenate([upper.ptr, upper.ptr[-1] + lower.ptr[1:]])
    return Sets(ptr, np.concatenate([upper.code, lower.code]))


def _touches(old: Touches, new: Touches, units: np.ndarray) -> Touches:
    """Which words touch in units of both."""
    keys, *both = _with_keys(old, new)
    return Touches(keys, some(_under(*both), units))


def _with_keys(old: Touches, new: Touches) -> tuple[np.ndarray, Sets, Sets]:
    """The keys of both, and their units with places in these."""
    keys = np.union1d(old.keys, new.keys)
    both = [t.units._replace(code=np.searchsorted(keys, t.keys).astype(np.int32)[t.units.code]) for t in (old, new)]
    return keys, both[0], both[1]


def _tidy(index: Index) -> Index:
    """An index without what came with later targets that are gone again."""
    keys, units = index.touches
    held = np.bincount(units.code, minlength=len(keys)) > 0
    if not held.all():
        index = replace(
            index, touches=Touches(keys[held], units._replace(code=(np.cumsum(held) - 1).astype(np.int32)[units.code]))
        )
    kept = index.learnt.features | (np.bincount(index.rows.indices, minlength=len(index.space.features)) > 0)
    if kept.all():
        return index
    codes, number = index.codes, np.cumsum(kept) - 1
    posts = codes.posts._replace(ptr=np.append(codes.posts.ptr[:-1][kept], codes.posts.ptr[-1]))
    index = _with_features(index, index.space.narrowed(kept), number)
    return replace(
        index,
        codes=codes._replace(posts=posts, most=codes.most[kept], common=number[codes.common]),
        learnt=replace(index.learnt, features=index.learnt.features[kept]),
    )
