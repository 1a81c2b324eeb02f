"""An index: targets made ready to be ranked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
import polars as pl

from silian import text
from silian.engines.match._checks import check_known, check_number, check_range, check_table
from silian.engines.match._coding import codes_of, lists, whole
from silian.engines.match._kernels import Groups, Sets, Side, Vectors
from silian.engines.match.conditions import TARGET_FACTS, facts
from silian.engines.match.why import Touches, marks_of
from silian.errors import MatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.engines.match._topk import Codes
    from silian.engines.match.conditions import Conditions
    from silian.text import Bags, Encoder, Terms, WordSpace

TITLE_SHARE: Final = 0.5  # of a title's words beside those of the text, each scaled to length 1; an encoder has its own
BEST_WORKS: Final = 3
UNITS_AT_ONCE: Final = 8_000  # that are read and encoded together: a matter of memory only
# A role's weight: who led a work knows it best.
ROLE_WEIGHT: Final = {"first": 1.0, "corresponding": 1.0, "leader": 1.0, "member": 0.85}
UNKNOWN_ROLE_WEIGHT: Final = 0.9
OLD_WEIGHT, HALF_LIFE_YEARS = 0.8, 5.0  # a work's weight falls from 1 towards 0.8 and is half-way after five years
PROFILE_WEIGHT: Final = 0.8  # what a person says of their own work counts less than a work


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the words of an index were weighed by when it was built; records that came later change none of it."""

    targets: int  # when it was built
    units: int  # the same: n of every idf
    year: float | None  # that the recency of works counts from
    features: np.ndarray  # bool (features,): false for those that came with later records
    is_later: np.ndarray  # bool (targets,): added or replaced since it was built


@dataclass(frozen=True, slots=True)
class Index:
    """Targets made ready: their words, their vectors, and what conditions look at.

    A target rests on one or more units: an achievement on itself, an expert on works (or on the profile where there are
    none). Made by `build` or `build_experts`; the same index serves `rank`, `score` and `why_not`.
    """

    kind: Literal["achievements", "experts"]
    target_ids: pl.Series  # sorted
    facts: pl.DataFrame  # TARGET_FACTS, row by row with target_ids
    organisation: pl.Series  # org_id, row by row with target_ids; null where it is not stated
    basis: pl.DataFrame  # target_id, basis (own text | works | profile | nothing), units: how many
    encoder: Encoder
    terms: Terms | None  # by which the texts of units and needs are read
    space: WordSpace
    place: Mapping[str, int]  # words of the units and their places in alphabetical order
    rows: Any  # csr_array float32 (units, features), unit rows
    vectors: Vectors  # of the units, as whole numbers
    codes: Codes  # the same two once more, as the fast pass wants them; made by `codes_of`
    alone: Sets  # the features of each unit that are words of one character
    touches: Touches  # which words touch each other in each unit
    groups: Groups  # where the units of each target begin, their weights, how many a score rests on
    meaning: float  # share of the vectors in a score
    learnt: Learnt

    @property
    def side(self) -> Side:
        """The units as arrays."""
        return Side(lists(self.rows), self.vectors)

    def __len__(self) -> int:
        return len(self.target_ids)

    def ask(
        self,
        question: str,
        top_k: int = 10,
        *,
        title: str | None = None,
        facts: Mapping[str, object] | None = None,
        conditions: Conditions | None = None,
        excluded: pl.Series | None = None,
        per_organisation: int | None = None,
        why: bool = True,
    ) -> pl.DataFrame:
        """The best targets for one question, with exactly the scores that `rank` gives to the same need.

        Parameters
        ----------
        question : any text; it is read as the text of a need, which counts alone where there is no title
        top_k, conditions, per_organisation, why : as for `rank`
        title : read as the title of the need
        facts : what conditions look at, e.g. {"trl_wanted": 6, "district_id": "d1"}
        excluded : ids of targets that must not come out

        Returns
        -------
        The columns of `rank`; need_id is "question".

        Raises
        ------
        ArgumentError : argument.value where top_k or per_organisation is below 1.
        TextError : text.type where question or title is no string.
        TableError : table.type, table.value of facts.

        Examples
        --------
        >>> targets = pl.DataFrame({"target_id": ["a", "b"], "title": ["轴承钢热处理", "锂电池隔膜"], "text": ["", ""]})
        >>> build(targets, encoder="words").ask("锂电池防爆")["target_id"].to_list()
        ['b']
        """
        from silian.engines.match.ranking import answer

        return answer(
            self, question, top_k, title=title, stated=facts or {}, conditions=conditions, excluded=excluded,
            per_organisation=per_organisation, why=why,
        )  # fmt: skip


class Way(NamedTuple):
    """How texts of units are read and weighed."""

    encoder: str | Encoder
    terms: Terms | Literal["default"] | None
    meaning: float | None  # what suits the encoder where None
    seed: int
    base: Index | None  # the index that has learnt how; None where that is to be learnt from the units

    @classmethod
    def of(cls, index: Index) -> Way:
        """As an index reads and weighs."""
        return cls(index.encoder, index.terms, index.meaning, 0, index)


def build(
    targets: pl.DataFrame,
    *,
    encoder: str | Encoder = "default",
    terms: Terms | Literal["default"] | None = "default",
    meaning: float | None = None,
    seed: int = 7,
) -> Index:
    """An index of targets that are ranked by their own text.

    Parameters
    ----------
    targets : target_id, title, text; one row per target
        Nulls count as empty. Columns that conditions look at may stand beside: trl, district_id, ip_status, price_cny
        (CNY), valid_until_on; and org_id, of which a list may be limited to a few.
    encoder : name of an encoder, which then learns from the targets, or one that has learnt already
    terms : by which texts are read, so that Chinese and English meet; "default" is the list that comes with the project
    meaning : share of the vectors in a score, 0–1; words have the rest; what suits the encoder where None
    seed : of an encoder that is named and draws at random

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate, table.value (an id is empty, a number is NaN).
    MatchError : match.empty where there are no targets.
    ArgumentError : argument.value where meaning lies outside 0–1.
    TextError : of the encoder.

    Notes
    -----
    Deterministic; the order of the rows does not matter. Cost: docs/methods/match.md.

    Examples
    --------
    >>> index = build(pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""]}), encoder="words")
    >>> len(index), index.basis.row(0)
    (1, ('a', 'own text', 1))
    """
    return of_targets(targets, way=Way(encoder, terms, meaning, seed, None))


def of_targets(targets: pl.DataFrame, *, way: Way) -> Index:
    """`build` in a given way."""
    check_table(targets, "targets", key=["target_id"], text=["title", "text"])
    if targets.is_empty():
        raise MatchError("match.empty", table="targets")
    ordered = targets.sort("target_id")
    n = ordered.height
    basis = ordered.select("target_id", basis=pl.lit("own text"), units=pl.lit(1, pl.Int64))
    return _ready(
        "achievements", "target_id", ordered, basis, ordered, start=np.arange(n + 1), weight=np.ones(n), best=1,
        year=None, way=way,
    )  # fmt: skip


def build_experts(
    works: pl.DataFrame,
    experts: pl.DataFrame | None = None,
    *,
    encoder: str | Encoder = "default",
    terms: Terms | Literal["default"] | None = "default",
    meaning: float | None = None,
    year: int | None = None,
    seed: int = 7,
) -> Index:
    """An index of experts, who are ranked by the mean of their best three works for each need.

    Parameters
    ----------
    works : expert_id, work_id, title, text; year and role where known; one row per expert and work
    experts : expert_id; profile, org_id and the columns that conditions look at where known; one row per expert
        The experts that works name where None. An expert without works that hold a word is ranked by the profile, with
        weight 0.8; `index.basis` says so. One with fewer than three works is ranked by the mean of those.
    encoder, terms, meaning, seed : as for `build`
    year : the year that recency counts from; the latest year of works where None

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate, table.value; table.unknown where a work names an expert
        that experts lacks.
    MatchError : match.empty where there are no experts; without a table of experts, where there are no works.

    Notes
    -----
    A work weighs role × recency: 1 for first, corresponding and leader, 0.85 for member, 0.9 where unknown; recency
    0.8 + 0.2 × 0.5^(age / 5 years), 0.9 where the year is unknown. Source: docs/methods/match.md.

    Examples
    --------
    >>> works = pl.DataFrame({"expert_id": ["e1"], "work_id": ["w1"], "title": ["锂电池隔膜"], "text": [""]})
    >>> experts = pl.DataFrame({"expert_id": ["e1", "e2"], "profile": [None, "轴承钢热处理"]})
    >>> build_experts(works, experts, encoder="words").basis.rows()
    [('e1', 'works', 1), ('e2', 'profile', 1)]
    >>> build_experts(works, encoder="words").basis.rows()
    [('e1', 'works', 1)]
    """
    return of_works(works, experts, year=year, way=Way(encoder, terms, meaning, seed, None))


def of_works(works: pl.DataFrame, experts: pl.DataFrame | None, *, year: float | None, way: Way) -> Index:
    """`build_experts` in a given way."""
    check_table(works, "works", key=["expert_id", "work_id"], text=["title", "text"])
    given = works.select("expert_id").unique() if experts is None else experts
    check_table(given, "experts", key=["expert_id"], text=[])
    if given.is_empty():
        raise MatchError("match.empty", table="works" if experts is None else "experts")
    check_known(works, "works", "expert_id", given["expert_id"], "experts")
    people = given.sort("expert_id")
    since = _latest(works) if year is None and way.base is None else year
    units = units_of(works, people, since)
    number = units.group_by("expert_id").len()
    basis = (
        people.select(target_id="expert_id")
        .join(units.select("expert_id", "basis").unique(), left_on="target_id", right_on="expert_id", how="left")
        .join(number, left_on="target_id", right_on="expert_id", how="left")
        .select("target_id", pl.col("basis").fill_null("nothing"), units=pl.col("len").fill_null(0).cast(pl.Int64))
        .sort("target_id")
    )
    start = np.concatenate([[0], np.cumsum(basis["units"].to_numpy())]).astype(np.int64)
    return _ready(
        "experts", "expert_id", people, basis, units,
        start=start, weight=units["weight"].to_numpy().astype(np.float64), best=BEST_WORKS,
        year=since, way=way,
    )  # fmt: skip


def _told() -> pl.Expr:
    """Whether a work says anything."""
    return (pl.col("title").fill_null("").str.len_chars() + pl.col("text").fill_null("").str.len_chars()) > 0


def _latest(works: pl.DataFrame) -> float | None:
    if "year" not in works.columns:
        return None
    check_number(works, "works", "year")
    latest: float | None = works.filter(_told())["year"].cast(pl.Float64).max()  # type: ignore[assignment]
    return latest


def units_of(works: pl.DataFrame, people: pl.DataFrame, year: float | None) -> pl.DataFrame:
    """expert_id, work_id, title, text, weight, basis; by expert and work; profiles (work_id null) where no works."""
    if "year" in works.columns:
        check_number(works, "works", "year")
    when = pl.col("year").cast(pl.Float64) if "year" in works.columns else pl.lit(None, pl.Float64)
    role = pl.col("role").cast(pl.String) if "role" in works.columns else pl.lit(None, pl.String)
    recency = OLD_WEIGHT + (1 - OLD_WEIGHT) * 0.5 ** ((pl.lit(year, pl.Float64) - when).clip(0) / HALF_LIFE_YEARS)
    from_works = (
        works.filter(_told())
        .sort("expert_id", "work_id")
        .select(
            "expert_id",
            "work_id",
            "title",
            "text",
            weight=recency.fill_null((1 + OLD_WEIGHT) / 2)
            * role.replace_strict(ROLE_WEIGHT, default=UNKNOWN_ROLE_WEIGHT, return_dtype=pl.Float64),
            basis=pl.lit("works"),
        )
    )
    profile = pl.col("profile").cast(pl.String) if "profile" in people.columns else pl.lit(None, pl.String)
    stated = (
        people.select("expert_id", work_id=pl.lit(None, pl.String), title=pl.lit(None, pl.String), text=profile)
        .filter(pl.col("text").fill_null("") != "")
        .join(from_works, on="expert_id", how="anti")
        .with_columns(weight=pl.lit(PROFILE_WEIGHT), basis=pl.lit("profile"))
    )
    return pl.concat([from_works.cast({"title": pl.String, "text": pl.String}), stated]).sort(
        "expert_id", maintain_order=True
    )


def _ready(
    kind: Literal["achievements", "experts"], key: str, targets: pl.DataFrame, basis: pl.DataFrame,
    units: pl.DataFrame, *, start: np.ndarray, weight: np.ndarray, best: int, year: float | None,
    way: Way,
) -> Index:  # fmt: skip
    base = way.base
    if way.meaning is not None:
        check_range("meaning", way.meaning, low=0.0, high=1.0, wanted="a share from 0 to 1")
    name = "targets" if key == "target_id" else "experts"
    stated = facts(targets, name, TARGET_FACTS)
    organisation = facts(targets, name, {"org_id": pl.String()})["org_id"]
    read_by = facing(way.terms, units) if base is None else base.terms
    read = [fields(units[at : at + UNITS_AT_ONCE], read_by) for at in range(0, max(units.height, 1), UNITS_AT_ONCE)]
    fitted = way.encoder
    if isinstance(fitted, str):
        fitted = text.encoder(fitted, seed=way.seed).fit(text.stack(*(t for t, _ in read), *(b for _, b in read)))
    space = text.WordSpace.fit_blocks(read) if base is None else _widened(base, read)
    place, alone, touches = marks_of(read, space.place)
    rows, vectors = _rows(read, space, fitted)
    meaning = fitted.share if way.meaning is None else way.meaning
    return Index(
        kind=kind, target_ids=targets[key].alias("target_id"), facts=stated, organisation=organisation, basis=basis,
        encoder=fitted, terms=read_by, space=space, place=place, rows=rows, vectors=vectors,
        codes=codes_of(rows, vectors), alone=alone, touches=touches,
        groups=Groups(start.astype(np.int64), weight, best), meaning=meaning if vectors.codes.shape[1] else 0.0,
        learnt=_learnt(space, targets.height, units.height, year, base),
    )  # fmt: skip


def _rows(read: list[tuple[Bags, Bags]], space: WordSpace, encoder: Encoder) -> tuple[Any, Vectors]:
    """Rows of words and vectors of units that were read in blocks; each block is let go when it is done."""
    import scipy.sparse as sp

    words, codes, scale, at = [], np.zeros((0, 0), np.int16), np.zeros(sum(len(t) for t, _ in read)), 0
    while read:
        title, body = read.pop(0)
        words.append(word_rows(space, title, body))
        part = meaning_rows(encoder, title, body)
        if not codes.size:
            codes = np.zeros((len(scale), part.codes.shape[1]), np.int16)
        codes[at : at + len(title)], scale[at : at + len(title)] = part
        at += len(title)
    rows = sp.vstack(words, format="csr")
    narrow = (rows.indices.astype(np.int32), rows.indptr.astype(np.int32))
    return sp.csr_array((rows.data, *narrow), shape=rows.shape), Vectors(codes, scale)


def _widened(base: Index, read: list[tuple[Bags, Bags]]) -> WordSpace:
    """The base's features and those of later texts, which weigh as one that stood in a single unit of the base."""
    return base.space.widened(*(b for block in read for b in block), idf=text.idf_of(1, base.learnt.units))


def _learnt(space: WordSpace, targets: int, units: int, year: float | None, base: Index | None) -> Learnt:
    if base is None:
        return Learnt(targets, units, year, np.ones(len(space.features), np.bool_), np.zeros(targets, np.bool_))
    features = np.zeros(len(space.features), np.bool_)
    features[space.places_of(base.space)] = base.learnt.features
    return replace(base.learnt, features=features, is_later=np.ones(targets, np.bool_))


def part_of(index: Index, places: np.ndarray) -> Index:
    """The index of some of its targets, at ascending places; words, weights and vectors stay as they were learnt."""
    ends, units = members_of(index.groups.start, places)
    rows = index.rows[units]
    vectors = Vectors(index.vectors.codes[units], index.vectors.scale[units])
    return replace(
        index, target_ids=index.target_ids[places], facts=index.facts[places], organisation=index.organisation[places],
        basis=index.basis[places], rows=rows, vectors=vectors, codes=codes_of(rows, vectors),
        alone=some(index.alone, units), touches=index.touches._replace(units=some(index.touches.units, units)),
        groups=Groups(ends, index.groups.weight[units], index.groups.best),
        learnt=replace(index.learnt, is_later=index.learnt.is_later[places]),
    )  # fmt: skip


def some(given: Sets, rows: np.ndarray) -> Sets:
    """Some rows of sets, in the order given."""
    ends, at = members_of(given.ptr, rows)
    return Sets(ends, given.code[at])


def members_of(start: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of groups that begin at `start`, those at some places: where each begins now, and its units."""
    number = np.diff(start)[places]
    ends = np.concatenate([[0], np.cumsum(number)]).astype(np.int64)
    return ends, np.arange(ends[-1]) + np.repeat(start[places] - ends[:-1], number)


def fit_encoder(
    encoder: str, *tables: pl.DataFrame, terms: Terms | Literal["default"] | None = "default", seed: int = 7
) -> Encoder:
    """One encoder that has learnt from several tables, to be handed to `build` and `build_experts`.

    Parameters
    ----------
    encoder : its name
    *tables : title, text; targets, works or needs
    terms, seed : as for `build`

    Raises
    ------
    TableError : table.columns, table.type.
    TextError : of the encoder.

    Notes
    -----
    The vectors of two indexes may then be compared. It costs time rather than saves it once words are kept: a city's
    two indexes take 20 s of one core instead of 23 s the first time and 8 s instead of 6 s later, for the texts are cut
    twice (20,000 achievements, 25,000 works).

    Examples
    --------
    >>> works = pl.DataFrame({"title": ["锂电池隔膜", "轴承钢热处理"], "text": ["", ""]})
    >>> fit_encoder("corpus", works).name
    'corpus'
    """
    read: list[Bags] = []
    for i, table in enumerate(tables):
        check_table(table, f"table {i + 1}", key=[], text=["title", "text"])
        read += fields(table, facing(terms, table))
    return text.encoder(encoder, seed=seed).fit(text.stack(*read))


def facing(terms: Terms | Literal["default"] | None, units: pl.DataFrame) -> Terms | None:
    """The terms, facing the language that most units are written in."""
    if terms is None:
        return None
    chosen = text.Terms.shipped() if isinstance(terms, str) else terms
    both = pl.concat_str(pl.col("title", "text").cast(pl.String), separator="\n", ignore_nulls=True)
    return chosen.facing(text.main_language(units.select(both).to_series()))


def fields(given: pl.DataFrame, terms: Terms | None) -> tuple[Bags, Bags]:
    """Title and text of a table, cut into words."""
    title, body = (text.segment(given[c].cast(pl.String), terms=terms) for c in ("title", "text"))
    return title, body


def word_rows(space: WordSpace, title: Bags, body: Bags) -> Any:
    """Unit rows of words: title and text mixed."""
    left, right = space.rows(title), space.rows(body)
    mixed = (left * np.float32(TITLE_SHARE) + right * np.float32(1 - TITLE_SHARE)).tocsr()
    mixed.sort_indices()
    return text.unit_rows(mixed)


def meaning_rows(encoder: Encoder, title: Bags, body: Bags) -> Vectors:
    """Vectors: title and text as the encoder reads them."""
    return whole(text.encode_fields(encoder, title, body))
