"""The index of the search: what stands in it of a record, and how it is kept in step with the database.

Every change leaves a row in `Unindexed`, in its own transaction. One process at a time, the keeper, takes these rows
in: it reads the records as they are now, writes them into the index, commits it, and only then deletes the rows. Who
is killed anywhere in between leaves the rows for the next.

The index lies in a folder of its own under `settings.SEARCH_FOLDER`; the file `current` names it, with a print of the
fields and of the database that it was made from. It is built anew beside the old one, and `current` then names the new.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tantivy
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from silian.errors import WebError
from silian.tables import schema
from silian.text.words import normalise_all
from silian.web.catalog.faces import FACES
from silian.web.catalog.models import MODELS, IndexState, Record, Unindexed
from silian.web.catalog.rules import PERSONAL, always_public, tiers_of
from silian.web.catalog.search.asking import atoms, compact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

HEADINGS: Final = ("title", "name", "name_en", "former_names")  # texts of these names a record
CODES: Final = ("uscc", "orcid", "doi", "ip_numbers", "contract_no")
FACETS: Final = tuple(sorted({"noun", "state", "field", "kind"} | {f for face in FACES.values() for f in face.facets}))
SORTS: Final = tuple(sorted({f"by_{name}" for face in FACES.values() for name in face.sorts}))
BATCH: Final = 2_000  # records a commit
HEAP: Final = 64_000_000  # bytes that the writer may hold
LETTERS: Final = 24  # of a name, to be found by pinyin
PAUSE: Final = 0.3  # seconds between two looks at what has changed
BETWEEN: Final = " ¦ "  # two texts: no row of words reaches over it
VERSION: Final = 2  # grows when documents are made in another way


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the index has not taken in yet."""

    count: int
    seconds: float  # since the oldest of it


def index_schema() -> tantivy.Schema:
    """The fields of the index."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("heading", "body", "kept", "mutual"):
        builder.add_text_field(name, tokenizer_name="whitespace")
    for name in ("initials", "pinyin"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in ("codes", "audience"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in FACETS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("updated", fast=True, indexed=True)
    for name in SORTS:
        builder.add_float_field(name, fast=True)
    return builder.build()


# ── where it lies ──


def folder() -> Path:
    """The folder of the index and of what is built beside it."""
    return Path(settings.SEARCH_FOLDER)


def fingerprint() -> str:
    """A print of what the index holds of a record: another one needs another index."""
    told = [VERSION, FACETS, SORTS, [(t.name, [(c.name, c.type) for c in t.columns]) for t in schema.tables().values()]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


class _Open:
    """The index as this process has it open, shared by its threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pointer: tuple[str, int] | None = None
        self.index: tantivy.Index | None = None
        self.written = 0


_open = _Open()


def reader() -> tantivy.Index:
    """The index, as it was last written.

    Raises
    ------
    WebError : web.index_missing if there is none; web.index_old if it was made for other fields; web.index_broken if
        its files cannot be read. The keeper builds it anew in each case.
    """
    pointer = folder() / "current"
    try:
        told = (str(pointer), pointer.stat().st_mtime_ns)
        with _open.lock:
            if _open.index is None or _open.pointer != told:
                _open.index, _open.written = tantivy.Index.open(str(_current())), 0
                _open.index.config_reader("manual")
                _open.pointer = told
            written = (_current() / "meta.json").stat().st_mtime_ns
            if written != _open.written:
                _open.index.reload()
                _open.written = written
            return _open.index
    except FileNotFoundError:
        raise WebError("web.index_missing") from None
    except (ValueError, OSError) as problem:
        raise WebError("web.index_broken", found=str(problem)[:200]) from None


def _current(*, database: str = "") -> Path:
    """The folder that `current` names.

    Parameters
    ----------
    database : token of the database that it must be of; any where empty
    """
    told = json.loads((folder() / "current").read_text(encoding="utf-8"))
    if told["fingerprint"] != fingerprint() or (database and told["database"] != database):
        raise WebError("web.index_old")
    return folder() / str(told["folder"])


def _point(name: str, database: str) -> None:
    """Let `current` name another folder, at once or not at all, and take the others away."""
    told = json.dumps({"folder": name, "fingerprint": fingerprint(), "database": database})
    beside = folder() / "current.new"
    beside.write_text(told, encoding="utf-8")
    beside.replace(folder() / "current")
    for other in folder().iterdir():
        if other.is_dir() and other.name != name:
            shutil.rmtree(other, ignore_errors=True)


@contextlib.contextmanager
def writing(*, is_patient: bool = True) -> Iterator[None]:
    """Be the only process that writes the index; the lock goes with the process, however it ends.

    Raises
    ------
    WebError : web.index_busy if another process writes it and nobody wants to wait
    """
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if is_patient else fcntl.LOCK_NB))
        except BlockingIOError:
            raise WebError("web.index_busy") from None
        yield


# ── how it is kept ──


def rebuild() -> int:
    """Build the index anew beside the one that is read, then let it take its place; the number of records."""
    with writing():
        state = IndexState.only()
        seen = list(Unindexed.objects.values_list("pk", flat=True))  # all that is committed now is read below
        name = f"index-{secrets.token_hex(4)}"
        place = folder() / name
        place.mkdir()
        index = tantivy.Index(index_schema(), path=str(place), reuse=False)
        count = 0
        with index.writer(2 * HEAP) as writer:
            for noun in FACES:
                records = MODELS[noun].objects.select_related("place").order_by("pk")
                for batch in _batches(records.iterator(chunk_size=BATCH)):
                    for document in documents(batch):
                        writer.add_document(document)
                    count += len(batch)
            writer.commit()
        _point(name, state.token)
        forget(seen)
        IndexState.objects.filter(pk=state.pk).update(rebuilt_at=timezone.now())
    return count


def take_in(*, is_patient: bool = True) -> int:
    """Take what has changed into the index, at most BATCH records; build it anew where that is needed.

    Returns
    -------
    The number of changes that were taken in; 0: there is nothing to do.
    """
    if must_rebuild():
        return max(rebuild(), 1)
    if not Unindexed.objects.exists():
        return 0
    with writing(is_patient=is_patient):
        rows = list(Unindexed.objects.order_by("pk").values_list("pk", "noun", "record_id")[:BATCH])
        write(rows)
        forget([pk for pk, _, _ in rows])
    return len(rows)


def must_rebuild() -> bool:
    """Whether the index is missing, broken, made for other fields or another database, or everything has changed."""
    try:
        _current(database=IndexState.only().token)
        reader()
    except (WebError, OSError, ValueError, KeyError):
        return True
    return Unindexed.objects.filter(noun="").exists()


def write(rows: Sequence[tuple[int, str, str]]) -> None:
    """Write records as they are now into the index: those that are gone leave it."""
    changed: dict[str, set[str]] = {}
    for _, noun, record_id in rows:
        if noun in FACES:
            changed.setdefault(noun, set()).add(record_id)
    index = tantivy.Index.open(str(_current()))
    with index.writer(HEAP, 1) as writer:
        for noun, ids in sorted(changed.items()):
            for record_id in sorted(ids):
                writer.delete_documents_by_term("key", f"{noun}/{record_id}")
            records = list(MODELS[noun].objects.select_related("place").filter(pk__in=ids))
            for document in documents(records):
                writer.add_document(document)
        writer.commit()


def forget(numbers: Sequence[int]) -> None:
    """Delete rows of changes that the index holds."""
    for start in range(0, len(numbers), 500):
        Unindexed.objects.filter(pk__in=numbers[start : start + 500]).delete()


def keep(is_over: Callable[[], bool], *, beside: Callable[[], None] = lambda: None) -> None:
    """Keep the index in step until it is over.

    Parameters
    ----------
    beside : done between two looks
    """
    while not is_over():
        try:
            taken = take_in(is_patient=False)
        except WebError as problem:
            if problem.code != "web.index_busy":
                raise
            taken = 0  # `reindex` is at it
        if not taken:
            beside()
            time.sleep(PAUSE)


def waiting() -> Waiting:
    """What the index has not taken in yet. Cost: one query."""
    told = Unindexed.objects.aggregate(count=Count("pk"), oldest=Min("at"))
    seconds = (timezone.now() - told["oldest"]).total_seconds() if told["oldest"] else 0.0
    return Waiting(told["count"], max(0.0, seconds))


# ── what stands in it ──


def documents(records: Sequence[Record]) -> list[tantivy.Document]:
    """What the index holds of some records. What is not public stands apart, for those who see the whole record.

    What mutual interest opens stands there, and once more by itself.
    """
    flat = normalise_all([text for record in records for text in _texts(record)])
    made = []
    for number, record in enumerate(records):
        heading, body, kept, mutual = map(_spaced, flat[4 * number : 4 * number + 4])
        document = tantivy.Document(
            key=f"{record.noun}/{record.record_id}", heading=heading, body=body, kept=kept, mutual=mutual,
            noun=record.noun, state=record.state,
        )  # fmt: skip
        document.add_unsigned("updated", int(record.updated_at.timestamp()))
        _add_names(document, record)
        _add_values(document, record)
        for token in seen_by(record):
            document.add_text("audience", token)
        made.append(document)
    return made


def seen_by(record: Record) -> Iterable[str]:
    """The tokens of those who may see a record: of all, or of those who also see the whole of it."""
    if record.state == Record.State.PUBLISHED:
        yield "public"
    if record.owner_id:
        yield f"{'led' if record.noun in PERSONAL else 'org'}:{record.owner_id}"
    if record.noun in PERSONAL:
        yield f"expert:{getattr(record, 'expert_id', '')}"
    parts = record.place.path.strip("/").split("/")
    yield from (f"place:/{'/'.join(parts[: i + 1])}/" for i in range(len(parts)))


def _texts(record: Record) -> tuple[str, str, str, str]:
    """The texts of a record: its names, what is public beside them, what is not; of that, what is mutual."""
    tiers = tiers_of(record)
    heading, body, kept, mutual = [], [], [], []
    for column in record.table.columns:
        text = _text(getattr(record, column.name), column)
        if not text:
            continue
        if tiers[column.name] != "public":
            kept.append(text)
            mutual += [text] if tiers[column.name] == "mutual" else []
        elif column.name in HEADINGS and not column.codes:
            heading.append(text)
        else:
            body.append(text)
    return BETWEEN.join(heading), BETWEEN.join(body), BETWEEN.join(kept), BETWEEN.join(mutual)


def _spaced(text: str) -> str:
    return BETWEEN.join(" ".join(atoms(part)) for part in text.split(BETWEEN.strip()))


def _text(value: Any, column: schema.Column) -> str:
    if value in (None, "", []) or column.type not in ("text", "list", "code"):
        return ""
    parts = value if isinstance(value, list) else [value]
    if column.codes:
        names = schema.codes()[column.codes]
        return BETWEEN.join(BETWEEN.join(names[part]) if part in names else part for part in map(str, parts))
    return BETWEEN.join(map(str, parts))


def _add_names(document: tantivy.Document, record: Record) -> None:
    """The name by its pinyin, from every syllable on, and the codes by which a record is found as a whole."""
    from pypinyin import Style, lazy_pinyin  # most processes of a site never need its large dictionary

    tiers = tiers_of(record)
    name = str(getattr(record, FACES[record.noun].heading) or "")[:LETTERS]
    for field, style in (("initials", Style.FIRST_LETTER), ("pinyin", Style.NORMAL)):
        letters = lazy_pinyin(name, style=style, errors="ignore")
        document.add_text(field, " ".join("".join(letters[start:]) for start in range(len(letters) - 1)))
    codes = [record.record_id]
    for column in record.table.columns:
        if column.name in CODES and tiers[column.name] == "public":
            value = getattr(record, column.name) or ""
            codes += value if isinstance(value, list) else [value]
    for code in filter(None, map(compact, map(str, codes))):
        document.add_text("codes", code)


def _add_values(document: tantivy.Document, record: Record) -> None:
    """The values by which lists are counted and put in order."""
    face, tiers, fixed = FACES[record.noun], tiers_of(record), always_public(record.noun)
    for name in {*face.facets, "field", "kind", "district_id"} & fixed:
        value = getattr(record, name, None)
        if value not in (None, "", []):
            document.add_text(name, str(value))
    for name in face.sorts:
        value = getattr(record, name)
        if value is not None and tiers[name] == "public":
            document.add_float(f"by_{name}", float(value.toordinal() if isinstance(value, date) else value))


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
