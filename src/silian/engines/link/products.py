"""Which nodes of a product graph the product names of firms mean."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from silian.engines import _inputs
from silian.engines.link import likeness, phrases
from silian.engines.link.candidates import Candidate, class_of, exact, of_reading, signs
from silian.engines.link.index import Index, indexed
from silian.errors import ArgumentError
from silian.tables import schema
from silian.text import Terms, normalise_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A link less sure than this is not given. Chosen on 1,820 names judged by hand, see docs/methods/link.md.
LEAST: Final = 0.8
# Log odds of a right link, fitted to the same names; in the order of `candidates.SIGNS`.
_WEIGHTS: Final = (
    *(3.9, -0.5, -1.5, -1.7, -0.15, 0.08, 0.5, -1.4, 0.26),
    *(0.4, -1.7, 0.7, -2.8, -1.6, -0.9, -1.4, 0.0),
)
# Of candidates that are sure enough: the thing itself, then what it is a kind of, then what is done with it.
_RANK: Final = {"equal": 3, "cleaned": 3, "alias": 3, "kind_of": 2, "gapped": 2, "last": 1}
_LONGER: Final = 0.03  # of confidence that a character more is worth: 锂离子电池 says more than 电池
_CLASS: Final = 0.95  # 58 of 60 classes that were read were right
# Log odds that the name with the most character pairs in common is right, and what the cosine adds; on the same names.
_ALIKE: Final = (-5.3, 8.2)
_ALIKE_MOST: Final = 0.75  # too few names had a cosine above 0.8 to tell


@dataclass(frozen=True, slots=True)
class ProductLinks:
    """What the names were linked to, and what is left; together every part of every name once.

    Both tables have the columns name, part, product_id, confidence, why, activity; see `silian.tables.schema.linking`.
    """

    links: pl.DataFrame  # sorted by name, part
    unlinked: pl.DataFrame  # with the nearest guess; sorted by name, part


class _Part(NamedTuple):
    """A part of a name before it is linked."""

    name: str
    part: str
    readings: tuple[str, ...]
    is_piece: bool  # of a list
    is_books: bool


class _Guess(NamedTuple):
    """What a part was found to be."""

    nodes: tuple[int, ...]
    confidence: float
    why: str
    activity: str | None = None


def products(
    names: pl.DataFrame,
    catalogue: pl.DataFrame,
    *,
    terms: Terms | None = None,
    least: float = LEAST,
) -> ProductLinks:
    """Link product names, as firms write them, to the products of a catalogue.

    Parameters
    ----------
    names : name[, industry]; a name may stand in several rows and counts once
        industry is the GB/T 4754 code of the firm; it decides between products of one name.
    catalogue : product_id, name[, aliases (list), name_en, industry]; one row per product
    terms : other names of one thing; the list that comes with the project if not given
    least : links of a smaller confidence are not given but stay among the unlinked as guesses; in [0, 1]

    Returns
    -------
    ProductLinks : links and unlinked, both (name, part, product_id, confidence, why, activity)
        part is the piece of the name that the row is about: a list inside a name gives several. why tells how the
        product was found (equal: the same name; cleaned: but for brackets, marks, script or words around it; alias:
        by another name; kind_of: the name is a kind of the product; class: it is some such thing, but that says too
        little to be a link; alike: most characters in common) or why there is none (books: the name speaks of
        accounts; empty: no letter in it; none: nothing in common). activity is
        what the name says the firm does with the product: making, trading, service, or null. confidence is the
        chance that the link is right. A row of unlinked holds the best guess, without product_id where there is none.

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls), table.duplicate (a product_id given twice)
    ArgumentError : argument.value if least is not in [0, 1]

    Notes
    -----
    A Chinese name ends in its head: 高速锦纶纱线 is a kind of 锦纶纱线. The longest end of the name that the catalogue
    has is taken; an end that says too little (设备, 服务; `wording.GENERIC`) counts only where it is the whole name.
    Products of one name are told apart by the industry that they share with the firm; where that leaves k, each has
    1/k of the confidence and the first is named. Each name is linked by itself. Deterministic. Splits: by names.
    Cost: 100,000 names to 100,000 products 16 s and 0.9 GiB on 2 cores (bench_link_products).
    Source: docs/methods/link.md.

    Examples
    --------
    >>> names = pl.DataFrame({"name": ["高速锦纶纱线", "轴承、齿轮类产品", "分部间抵销"]})
    >>> catalogue = pl.DataFrame({"product_id": ["p1", "p2", "p3"], "name": ["锦纶纱线", "轴承", "齿轮"]})
    >>> found = products(names, catalogue)
    >>> found.links.select("name", "part", "product_id", "why").rows()  # doctest: +NORMALIZE_WHITESPACE
    [('轴承、齿轮类产品', '轴承', 'p2', 'equal'), ('轴承、齿轮类产品', '齿轮类产品', 'p3', 'cleaned'),
     ('高速锦纶纱线', '高速锦纶纱线', 'p1', 'kind_of')]
    >>> found.unlinked.select("name", "product_id", "why").rows()
    [('分部间抵销', None, 'books')]
    """
    if not 0 <= least <= 1:
        raise ArgumentError("argument.value", name="least", found=least, wanted="0 to 1")
    asked = _inputs.columns(names, "names", {"name": "id"}, optional={"industry": "id"})
    nodes = _catalogue(catalogue)
    index = indexed(nodes, terms or Terms.shipped())
    parts = _parts(asked["name"].unique().sort().to_list(), index)
    guesses = _with_alike(parts, _guesses(parts, index), index)
    classes = _classes(asked)
    industries = nodes["industry"].to_list()
    told = pl.DataFrame(
        [
            (p.name, p.part, *_chosen(g, index.ids, industries, classes.get(p.name, ())), g.why, g.activity)
            for p, g in zip(parts, guesses, strict=True)
        ],
        schema=schema.linking()["linked_products"].polars,
        orient="row",
    )
    told = told.sort("name", "part", maintain_order=True)
    is_linked = pl.col("product_id").is_not_null() & (pl.col("confidence") >= least) & (pl.col("why") != "class")
    return ProductLinks(told.filter(is_linked), told.filter(~is_linked))


def _catalogue(catalogue: pl.DataFrame) -> pl.DataFrame:
    given: dict[str, _inputs.Kind] = {"aliases": "list", "name_en": "id", "industry": "id"}
    nodes = _inputs.columns(catalogue, "catalogue", {"product_id": "id", "name": "id"}, optional=given)
    _inputs.refuse_duplicates(nodes, "catalogue", ["product_id"])
    return nodes.sort("product_id")


def _parts(names: Sequence[str], index: Index) -> list[_Part]:
    """The parts of all names, each once a name."""
    found = []
    for name, told in zip(names, normalise_all(names), strict=True):
        if phrases.is_books(told) and told not in index.written:
            found.append(_Part(name, name, (), is_piece=False, is_books=True))
            continue
        parts = dict.fromkeys(phrases.parts(told, index.named))
        is_piece = len(parts) > 1
        found += [_Part(name, part, phrases.readings(part), is_piece, is_books=False) for part in parts]
    return found


def _guesses(parts: Sequence[_Part], index: Index) -> list[_Guess]:
    """The best candidate of each part."""
    keys = list(dict.fromkeys(key for part in parts for key in part.readings))
    starts = dict(zip(keys, phrases.word_starts(keys), strict=True))
    return [_guess(part, starts, index) for part in parts]


def _guess(part: _Part, starts: Mapping[str, set[int]], index: Index) -> _Guess:
    if not part.readings:
        return _Guess((), 0.0, "books" if part.is_books else "empty")
    found = [
        (_confidence(c, index), len(c.form), c)
        for c in _candidates(part, starts, index)
        if not (part.is_piece and phrases.is_generic(c.form))
    ]
    if not found:
        bare = list(phrases.peeled(part.readings[0]))[-1][0]
        some = class_of(part.readings[0], index) or class_of(bare, index)
        return _Guess(some.nodes, _CLASS, "class") if some else _Guess((), 0.0, "none")
    sure, _, best = max(found, key=lambda f: (f[0] >= LEAST and _RANK[f[2].why], round(f[0] + _LONGER * f[1], 6)))
    why = "kind_of" if best.why in ("gapped", "last") else best.why
    return _Guess(best.nodes, sure, why, best.taken if best.taken in ("making", "trading", "service") else None)


def _candidates(part: _Part, starts: Mapping[str, set[int]], index: Index) -> list[Candidate]:
    same = exact(part.part, phrases.squeezed(part.part), index)
    if same:
        return [same]
    return [c for number, key in enumerate(part.readings) for c in of_reading(key, starts[key], number, index)]


def _confidence(found: Candidate, index: Index) -> float:
    return 1 / (1 + exp(-sum(w * s for w, s in zip(_WEIGHTS, signs(found, index), strict=True))))


def _with_alike(parts: Sequence[_Part], guesses: Sequence[_Guess], index: Index) -> list[_Guess]:
    """The guesses, and where there is none the node with the most character pairs in common."""
    open_rows = [row for row, guess in enumerate(guesses) if guess.why == "none"]
    keys = [parts[row].readings[0] for row in open_rows]
    place, cosine = likeness.nearest(keys, index.keys)
    found = list(guesses)
    for row, node, alike in zip(open_rows, place.tolist(), cosine.tolist(), strict=True):
        if node >= 0:
            sure = 1 / (1 + exp(-(_ALIKE[0] + _ALIKE[1] * alike)))
            found[row] = _Guess(index.named[index.keys[node]], min(sure, _ALIKE_MOST), "alike")
    return found


def _classes(asked: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """The industries of the firms that use a name, as digits."""
    told = asked.drop_nulls("industry").group_by("name").agg(pl.col("industry").unique().sort())
    return {name: tuple(map(_digits, codes)) for name, codes in told.iter_rows()}


def _digits(code: str) -> str:
    """A GB/T 4754 code without the letter of its section, which the digits imply; a section alone stays."""
    return code[1:] if len(code) > 1 and code[0].isalpha() else code


def _chosen(
    guess: _Guess, ids: Sequence[str], industries: Sequence[str | None], classes: Sequence[str]
) -> tuple[str | None, float]:
    """The product among those of one name, and the confidence in it."""
    if not guess.nodes:
        return None, 0.0
    shared = {
        node: max((_shared(_digits(industries[node] or ""), c) for c in classes), default=0) for node in guess.nodes
    }
    best = max(shared.values())
    left = [node for node in guess.nodes if shared[node] == best]
    return ids[left[0]], guess.confidence / len(left)


def _shared(one: str, other: str) -> int:
    """Length of the common beginning of two codes; less than a division (two digits) counts as none."""
    common = 0
    while common < min(len(one), len(other)) and one[common] == other[common]:
        common += 1
    return common if common >= 2 or (common and one == other) else 0
