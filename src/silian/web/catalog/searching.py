"""Search over all nouns: an index beside the database, kept in step with it by the log of changes.

Chinese is indexed by characters with their places, so that a word is found wherever it stands; a query is cut into
words, each of which must stand there as it is. Pinyin initials find names; codes and ids are found as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import tantivy
from pypinyin import Style, lazy_pinyin

from silian.text.words import HAN, normalise, words
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.rules import HIDDEN, PERSONAL, STEWARDS, tiers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from silian.web.base.actors import Actor

SEARCHED: Final = ("needs", "achievements", "experts", "organisations", "facilities", "products", "funds", "policies")
FACETS: Final = ("noun", "field", "kind", "district_id")
HEADINGS: Final = ("title", "name", "name_en", "former_names")
CODES: Final = ("uscc", "orcid", "doi", "ip_numbers")
HEAP: Final = 64_000_000  # bytes that the writer may hold
_PIECE: Final = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_RUN: Final = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found."""

    keys: list[tuple[str, str]]  # noun, record_id; best first
    count: int
    facets: Mapping[str, list[tuple[str, int]]]  # facet → values with their counts, most first


def index_schema() -> tantivy.Schema:
    """The fields of the index."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("heading", "body"):
        builder.add_text_field(name, tokenizer_name="whitespace")
    for name in ("initials", "codes", "audience"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in FACETS:
        builder.add_text_field(name, tokenizer_name="raw", fast=True, index_option="basic")
    return builder.build()


def opened(folder: Path) -> tantivy.Index:
    """The index in a folder, made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    return tantivy.Index(index_schema(), path=str(folder), reuse=True)


def rebuild(index: tantivy.Index) -> int:
    """Index every record of the database anew; the number of records."""
    writer = index.writer(HEAP)
    writer.delete_all_documents()
    count = 0
    for noun in SEARCHED:
        for record in MODELS[noun].objects.select_related("place").iterator(chunk_size=2000):
            writer.add_document(_document(record))
            count += 1
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return count


def search(
    index: tantivy.Index, actor: Actor, asked: str, *, chosen: Mapping[str, str], limit: int, start: int = 0
) -> Hits:
    """Records that a person may see and that hold every word asked for."""
    schema = index.schema
    must = [(tantivy.Occur.Must, _word(schema, piece)) for piece in _pieces(asked)]
    must += [(tantivy.Occur.Must, _term(schema, name, value)) for name, value in chosen.items()]
    audience = [(tantivy.Occur.Should, _term(schema, "audience", token)) for token in audiences(actor)]
    must.append((tantivy.Occur.Must, tantivy.Query.const_score_query(tantivy.Query.boolean_query(audience), 0.0)))
    query = tantivy.Query.boolean_query(must)
    searcher = index.searcher()
    found = searcher.search(query, limit, offset=start)
    keys = [tuple(searcher.doc(place)["key"][0].split("/", 1)) for _, place in found.hits]
    counted = searcher.aggregate(query, {name: {"terms": {"field": name, "size": 100}} for name in FACETS})
    facets = {name: [(b["key"], b["doc_count"]) for b in counted[name]["buckets"] if b["key"]] for name in FACETS}
    return Hits(keys, found.count, facets)  # type: ignore[attr-defined]


def audiences(actor: Actor) -> list[str]:
    """The tokens of which one must stand on a record that a person may see."""
    tokens = ["public", *(f"org:{org}" for org in sorted(actor.orgs)), *(f"led:{org}" for org in sorted(actor.led))]
    tokens += [f"expert:{actor.expert_id}"] if actor.expert_id else []
    tokens += [f"place:{path}" for path in actor.paths(STEWARDS)]
    return tokens


def _document(record: Record) -> tantivy.Document:
    tiers = tiers_of(record)  # what is not public is not found: a hit would tell what stands there
    values = {c.name: getattr(record, c.name) for c in record.table.columns if tiers[c.name] == "public"}
    texts = [c.name for c in record.table.columns if c.name in values and c.type in ("text", "list") and not c.codes]
    heading = " ".join(_text(values.get(name)) for name in HEADINGS)
    body = " ".join(_text(values[name]) for name in texts if name not in HEADINGS)
    codes = " ".join([record.record_id, *(_text(values.get(name)) for name in CODES)]).lower()
    document = tantivy.Document(
        key=f"{record.noun}/{record.record_id}", heading=_spaced(heading), body=_spaced(body), codes=codes,
        initials=" ".join(_initials(_text(values.get("name") or values.get("title")))),
        audience=" ".join(_seen_by(record)), noun=record.noun,
    )  # fmt: skip
    for name in FACETS[1:]:
        if values.get(name):
            document.add_text(name, str(values[name]))
    return document


def _seen_by(record: Record) -> Iterable[str]:
    """The tokens of those who may see a record."""
    if record.state == Record.State.PUBLISHED and record.noun not in HIDDEN:
        yield "public"
    if record.owner_id:
        yield f"{'led' if record.noun in PERSONAL else 'org'}:{record.owner_id}"
    if record.noun in PERSONAL:
        yield f"expert:{getattr(record, 'expert_id', '')}"
    parts = record.place.path.strip("/").split("/")
    yield from (f"place:/{'/'.join(parts[: i + 1])}/" for i in range(len(parts)))


def _pieces(asked: str) -> list[str]:
    """The words of a query: Chinese cut into words, the rest at spaces."""
    clean = normalise(asked)
    return list(dict.fromkeys(words([clean])[0] or _RUN.findall(clean)))[:20]


def _word(schema: tantivy.Schema, word: str) -> tantivy.Query:
    parts = _PIECE.findall(word.lower())
    either = []
    for name, weight in (("heading", 3.0), ("body", 1.0)):
        one = (
            tantivy.Query.phrase_query(schema, name, parts)
            if len(parts) > 1
            else _term(schema, name, parts[0] if parts else word)
        )
        either.append((tantivy.Occur.Should, tantivy.Query.boost_query(one, weight)))
    either.append((tantivy.Occur.Should, tantivy.Query.boost_query(_term(schema, "codes", word.lower()), 10.0)))
    if word.isascii() and word.isalpha():
        either.append((tantivy.Occur.Should, _term(schema, "initials", word.lower())))
    return tantivy.Query.boolean_query(either)


def _term(schema: tantivy.Schema, name: str, value: str) -> tantivy.Query:
    return tantivy.Query.term_query(schema, name, value, "basic")


def _spaced(text: str) -> str:
    return " ".join(_PIECE.findall(normalise(text).lower()))


def _initials(name: str) -> Iterable[str]:
    """Beginnings of the pinyin initials of a name, from two letters on."""
    letters = "".join(lazy_pinyin(name[:30], style=Style.FIRST_LETTER, errors="ignore"))
    return (
        letters[start:end]
        for start in range(min(len(letters), 12))
        for end in range(start + 2, min(len(letters), start + 6) + 1)
    )


def _text(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value or "")
