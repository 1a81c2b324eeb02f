"""The nodes of a product graph as they are looked up: by every form of their names, by their ends and beginnings."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from silian.engines.link.phrases import is_generic, product_key, readings, squeezed
from silian.engines.link.wording import CHANGING, SHORT_HEADS
from silian.text import Terms, normalise_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_FORM = 40  # characters; a longer name of a node is found only as a whole


@dataclass(frozen=True, slots=True)
class Index:
    """Nodes by the forms of their names, all as keys.

    A form that is a name belongs to the nodes of that name; a form that is only another name of nodes, to those.
    """

    ids: tuple[str, ...]  # ascending
    written: Mapping[str, tuple[int, ...]]  # names as they stand → nodes
    named: Mapping[str, tuple[int, ...]]  # keys of names → nodes
    other: Mapping[str, tuple[int, ...]]  # keys of other names → nodes
    ends: Mapping[str, int]  # form → longer names that end in it
    begins: Mapping[str, int]  # form → longer names that begin with it
    openings: frozenset[str]  # every beginning of a name
    keys: tuple[str, ...]  # of each node's name

    def nodes(self, key: str) -> tuple[int, ...]:
        """The nodes of a form; none where it is no form."""
        return self.named.get(key) or self.other.get(key, ())

    def heads(self, key: str) -> list[int]:
        """Where a form that may be a head begins, longest first: not the whole and not generic."""
        first = max(len(key) - LONGEST_FORM, 1)
        return [
            at
            for at in range(first, len(key))
            if self.nodes(key[at:])
            and _is_head(key[at:])
            and key[at - 1] not in CHANGING
            and not (key[at - 1].isascii() and key[at].isascii())
        ]


def indexed(catalogue: pl.DataFrame, terms: Terms) -> Index:
    """The index of product_id, name, aliases, name_en; sorted by product_id."""
    names = catalogue["name"].to_list()
    clean = normalise_all(names)
    keys = [squeezed(name) for name in clean]
    written, named = defaultdict(list), defaultdict(list)
    for node, (name, key) in enumerate(zip(clean, keys, strict=True)):
        written[name].append(node)
        if key:
            named[key].append(node)
    for key, nodes in named.items():  # who bears the bare name goes before who bears it with brackets or marks
        bare = [node for node in nodes if clean[node].lower() == key]
        named[key] = bare or nodes
    other = _other_names(catalogue, clean, named, terms)
    forms = named.keys() | other.keys()
    ends, begins = Counter[str](), Counter[str]()
    openings = set()
    for key in keys:
        for at in range(1, min(len(key), LONGEST_FORM)):
            openings.add(key[:at])
            if key[at:] in forms:
                ends[key[at:]] += 1
            if key[:at] in forms:
                begins[key[:at]] += 1
    return Index(
        ids=tuple(catalogue["product_id"].to_list()),
        written=_fixed(written),
        named=_fixed(named),
        other=_fixed(other),
        ends=ends,
        begins=begins,
        openings=frozenset(openings),
        keys=tuple(keys),
    )


def _is_head(form: str) -> bool:
    return form in SHORT_HEADS if len(form) == 1 else not is_generic(form)


def _fixed(found: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(dict.fromkeys(nodes)) for key, nodes in found.items()}


def _other_names(
    catalogue: pl.DataFrame, clean: Sequence[str], named: Mapping[str, Sequence[int]], terms: Terms
) -> dict[str, list[int]]:
    """Keys of aliases, English names, bracketed names and terms, of nodes; none that is the name of a node."""
    other: dict[str, list[int]] = defaultdict(list)
    numbered = catalogue.select("aliases", english="name_en").with_row_index("node")
    both = [
        numbered.select("node", name="aliases").explode("name"),
        numbered.select("node", name="english"),
    ]
    told = pl.concat(both).drop_nulls("name")
    for node, key in zip(told["node"].to_list(), product_key(told["name"].to_list()), strict=True):
        other[key].append(node)
    for node, name in enumerate(clean):
        if "(" in name or "（" in name:
            for key in readings(name)[1:]:
                if not is_generic(key):
                    other[key].append(node)
    forms = [concept.forms for concept in terms.concepts]
    spelt = iter(product_key([form for several in forms for form in several]))
    for several in forms:
        keys = [next(spelt) for _ in several]
        nodes = [node for key in keys for node in named.get(key, ())]
        for key in keys:
            other[key] += nodes
    return {key: sorted(set(nodes)) for key, nodes in other.items() if nodes and len(key) > 1 and key not in named}
