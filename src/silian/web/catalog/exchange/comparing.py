"""What a file would change in the registry, row by row, and what is wrong in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
from django.utils import timezone

from silian import tables
from silian.tables import Region, Source, schema
from silian.tables.problems import listed, places
from silian.tables.references import EITHER, broken, ids_of
from silian.web.catalog.exchange.forwarding import forwarded, merged_ids, refused
from silian.web.catalog.exchange.import_rights import deletable, permitted
from silian.web.catalog.exchange.sharing import shared
from silian.web.catalog.fields import ID_LENGTH, LINE, LINE_LENGTH, record_id
from silian.web.catalog.models import MODELS
from silian.web.catalog.tables import BESIDE, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from silian.tables.schema import Column, Table
    from silian.web.base.actors import Actor

HERE: Final = "\x00registry"  # where rows stand that are the registry's own
FILE, ROW, NOW, DIFFERS = "\x00file", "\x00row", "\x00now", "\x00differs"
FAULT: Final = ("问题", "Problem")  # the column that says what is wrong in the rows to be repaired
NOTES: Final = ("read.merged",)  # said of a row, which stays good
ALWAYS: Final = ("check.type", "check.unknown")  # the cell as it stands was not read
CLOSE: Final = 1e-14  # numbers that differ by less, in parts of the larger one, are the same: Excel keeps 15 digits
# Signs that turn the direction of what follows: a name with one shows as another.
TURNS: Final = r"[\x{202A}-\x{202E}\x{2066}-\x{2069}]"


def _order() -> tuple[str, ...]:
    """Every noun after those that it refers to."""
    left, made = dict(schema.tables()), []
    while left:
        for name, table in left.items():
            named = {target for column in table.columns for target, _ in column.targets} - {name}
            if not named & left.keys():
                made.append(name)
                break
        else:  # a circle: there is none in the schema, and one would have no order
            raise AssertionError(sorted(left))
        del left[made[-1]]
    return tuple(made)


ORDER: Final = _order()


class Found(NamedTuple):
    """What one row comes to."""

    noun: str
    record_id: str
    what: str  # add, change, delete
    row: int | None
    values: dict[str, Any]
    before: dict[str, Any]
    version: int
    why: str  # it cannot be; empty: it can


@dataclass(slots=True)
class Comparison:
    """A file beside the registry."""

    problems: pl.DataFrame  # schema results/problems and is_blocking
    own: dict[str, pl.DataFrame]  # noun → its rows that differ and are right, joined with those of the registry
    gone: dict[str, pl.DataFrame]  # noun → records that the file lacks
    barred: dict[str, dict[str, str]]  # noun → record id → why it cannot be
    read: int = 0
    same: int = 0
    blocked: int = 0
    scope: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Rows that `rows` gives."""
        return sum(frame.height for frame in (*self.own.values(), *self.gone.values()))

    def rows(self) -> Iterator[Found]:
        """Every addition, change and deletion: parents before what refers to them, of those that go after it."""
        for noun in ORDER:
            if noun in self.own:
                yield from _changes(noun, self.own[noun], self.barred.get(noun, {}))
        for noun in reversed(ORDER):
            if noun in self.gone:
                yield from _deletions(noun, self.gone[noun], self.barred.get(noun, {}))


def compare(region: Region, actor: Actor, *, deletes: bool) -> Comparison:
    """Everything that a file would change, and what is wrong in it.

    Parameters
    ----------
    region : as it was read from the file
    deletes : records of the file's nouns that the file lacks are to go, as far as the person may let them go

    Notes
    -----
    A column that the file lacks stays as it is; an empty cell empties. A row with a problem in a cell that would
    change is left out as a whole, and so is one that would refer to it; a problem that the registry has already does
    not hinder other cells. What a person may not change shows nothing of what it is now. An old id that was merged
    into another record is read as that one where a row refers to it; a row of its own under an old id is left out.
    """
    merged = merged_ids(region)
    region = forwarded(region, merged)
    known = {noun: _known(noun, is_whole=noun in region.columns) for noun in schema.tables()}
    problems = pl.concat([_problems(region, known), *refused(region, merged)])
    joined = {noun: _joined(region, noun, known[noun]) for noun in region.columns}
    is_blocking = pl.Series("is_blocking", [False], dtype=pl.Boolean).new_from_index(0, problems.height)
    blocked: dict[str, pl.Series] = {}
    for noun, rows in joined.items():
        is_blocking, blocked[noun] = _blocking(rows, noun, problems, is_blocking)
    problems = problems.with_columns(is_blocking)
    more = _refers_to_blocked(joined, blocked, known)
    if more:
        problems = pl.concat([problems, *(p.with_columns(is_blocking=pl.lit(value=True)) for p in more)])
    if told := shared(region, actor, known["organisations"]):
        problems = pl.concat([problems, *(p.with_columns(is_blocking=pl.lit(value=False)) for p in told)])
    differs = {noun: rows[DIFFERS].list.len() > 0 for noun, rows in joined.items()}
    good = {noun: rows.filter(~blocked[noun]) for noun, rows in joined.items()}
    own, barred = {}, {}
    for noun in ORDER:
        if noun in good:
            barred[noun] = permitted(actor, noun, good)
            is_barred = good[noun].select(_id(noun).is_in(list(barred[noun]))).to_series()
            own[noun] = good[noun].filter((good[noun][DIFFERS].list.len() > 0) | is_barred)
    made = Comparison(problems, own, {}, barred)
    made.read = sum(rows.height for rows in joined.values())
    made.blocked = sum(int(b.sum()) for b in blocked.values())
    made.same = sum(int((~differs[n] & ~blocked[n]).sum()) for n in joined)
    if deletes:
        stay = {noun: set(into.values()) for noun, into in merged.items()}
        made.gone, made.scope = _gone(actor, joined, known, barred, stay)
    return made


# ── the registry, and what is wrong ─────────────────────────────────────────────────────────────────────────


def _known(noun: str, *, is_whole: bool) -> pl.DataFrame:
    """The records of a noun: all of each, or only ids to which others may refer."""
    table = schema.tables()[noun]
    if is_whole:
        return table_of(noun, states=None, beside=BESIDE)
    frame = table.empty()
    if len(table.key) > 1:
        return frame
    ids = pl.Series(table.key[0], list(MODELS[noun].objects.values_list("pk", flat=True)), dtype=pl.String)
    rest = [pl.lit(None, dtype=kind).alias(name) for name, kind in table.polars.items() if name != table.key[0]]
    return ids.to_frame().select(table.key[0], *rest).select(frame.columns)


def _problems(region: Region, known: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What is wrong in the file, read beside the registry; nothing of the registry's own."""
    whole, sources = {}, {}
    for noun, table in schema.tables().items():
        columns = list(table.polars)
        rest = known[noun].select(columns)
        own = region[noun]
        if own.height:
            rest = rest.join(own.select(table.key), on=list(table.key), how="anti")
        whole[noun] = pl.concat([own, rest])
        own_sources = region.sources.get(noun, ()) if own.height else ()
        sources[noun] = (*own_sources, Source(file=HERE, first_row=1, rows=rest.height))
    beside = Region(tables=whole, sources=sources, problems=region.problems, columns=region.columns)
    found = tables.check(beside, on=timezone.localdate())
    mine = found.filter((pl.col("file") != HERE) & pl.col("table").is_in(["", *region.columns]))
    is_ours = (pl.col("code") == "read.column_unknown") & pl.col("found").str.strip_chars().is_in(list(FAULT))
    mine = mine.filter(~is_ours)
    return pl.concat([mine, *(p for noun in region.columns for p in _unfit(region, noun))])


def _unfit(region: Region, noun: str) -> Iterator[pl.DataFrame]:
    """Texts that the database or a page cannot hold."""
    frame, where = region[noun], None
    for column in schema.tables()[noun].columns:
        if column.polars != pl.String or not frame.height:
            continue
        cells = frame[column.name]
        limit = _longest(column)
        for code, wrong in (
            ("web.text_long", cells.str.len_chars() > limit if limit else None),
            ("web.text_nul", cells.str.contains("\x00", literal=True)),
            ("web.text_turned", cells.str.contains(TURNS)),
        ):
            if wrong is not None and wrong.any():
                where = places(region, noun) if where is None else where
                bad = where.with_columns(found=cells).filter(wrong.fill_null(value=False))
                yield listed(code, bad, table=noun, column=column.name, words={"limit": limit})


def _longest(column: Column) -> int | None:
    if column.type == "id":
        return ID_LENGTH
    is_line = column.type == "code" or column.format is not None or column.name in LINE
    return LINE_LENGTH if is_line else None


# ── rows of the file beside those of the registry ───────────────────────────────────────────────────────────


def _joined(region: Region, noun: str, now: pl.DataFrame) -> pl.DataFrame:
    """The rows of the file with what the registry has: NOW columns, and under DIFFERS the names of those that differ.

    What is new differs in its key.
    """
    table = schema.tables()[noun]
    key = list(table.key)
    rest = [c for c in table.columns if c.name in region.columns[noun] and not c.is_key]
    given = region[noun].with_columns(places(region, noun).rename({"file": FILE, "row": ROW}))
    given = given.select(FILE, ROW, *key, *(c.name for c in rest))
    beside = now.rename({name: name + NOW for name in now.columns if name not in key})
    rows = given.join(beside, on=key, how="left", maintain_order="left")
    is_new = pl.col("version" + NOW).is_null()
    names = [pl.when(is_new).then(pl.lit(key[0]))]
    names += [pl.when(~is_new & _differs(column)).then(pl.lit(column.name)) for column in rest]
    return rows.with_columns(pl.concat_list(names).list.drop_nulls().alias(DIFFERS))


def _differs(column: Column) -> pl.Expr:
    given, now = pl.col(column.name), pl.col(column.name + NOW)
    if column.polars == pl.Float64:
        largest = pl.max_horizontal(given.abs(), now.abs())
        near = ((given - now).abs() <= CLOSE * largest).fill_null(value=False)
        return given.ne_missing(now) & ~near
    if column.polars == pl.String:  # Excel keeps no carriage returns
        return given.str.replace_all("\r\n", "\n").ne_missing(now.str.replace_all("\r\n", "\n"))
    return given.ne_missing(now)


def _id(noun: str) -> pl.Expr:
    """The id of each row, as `fields.record_id` spells it."""
    key = schema.tables()[noun].key
    if len(key) == 1:
        return pl.col(key[0])
    return pl.concat_str([pl.col(k).cast(pl.String).str.replace_all("~", "~~") for k in key], separator="~")


def _blocking(
    rows: pl.DataFrame, noun: str, problems: pl.DataFrame, is_blocking: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Which problems leave their row out, and which rows are left out."""
    table = schema.tables()[noun]
    is_new = rows["version" + NOW].is_null()
    needed = [c.name for c in table.columns if c.is_required]
    lacking = pl.any_horizontal(pl.col(name).is_null() for name in needed if name in rows.columns)
    absent = any(name not in rows.columns for name in needed)
    out = (rows.select(lacking).to_series() | absent) & is_new
    index = rows.select(FILE, ROW, DIFFERS, is_new.alias("new")).with_row_index("at")
    mine = problems.with_row_index("problem").filter((pl.col("table") == noun) & ~pl.col("code").is_in(NOTES))
    found = mine.join(index, left_on=["file", "row"], right_on=[FILE, ROW], how="inner")
    in_cell = pl.col("column").is_in([c.name for c in table.columns if not c.is_key])
    hinders = pl.col("new") | ~in_cell.fill_null(value=False) | pl.col("code").is_in(ALWAYS[:1])
    hinders |= pl.col(DIFFERS).list.contains(pl.col("column")).fill_null(value=False)
    found = found.filter(hinders)
    is_blocking = is_blocking.scatter(found["problem"].to_list(), values=True) if found.height else is_blocking
    out = out.scatter(found["at"].unique().to_list(), values=True) if found.height else out
    return is_blocking, out.alias("out")


def _refers_to_blocked(
    joined: Mapping[str, pl.DataFrame], blocked: dict[str, pl.Series], known: Mapping[str, pl.DataFrame]
) -> list[pl.DataFrame]:
    """Leave out, too, what would refer to a new row that is left out; the problems of these."""
    found: list[pl.DataFrame] = []
    if not any((blocked[n] & rows["version" + NOW].is_null()).any() for n, rows in joined.items()):
        return found
    again = True
    while again:
        again = False
        frames = {
            noun: pl.concat([known[noun].select(table.key), joined[noun].filter(~blocked[noun]).select(table.key)])
            if noun in joined
            else known[noun]
            for noun, table in schema.tables().items()
        }
        ids = ids_of(frames)
        for noun in ORDER:
            for column in schema.tables()[noun].columns if noun in joined else ():
                if not column.targets or column.name not in joined[noun].columns:
                    continue
                rows = joined[noun]
                bad = _with_noun_columns(rows, noun).pipe(broken, column, ids)
                touched = rows["version" + NOW].is_null() | rows[DIFFERS].list.contains(column.name)
                wrong = (bad.list.len() > 0).fill_null(value=False) & touched & ~blocked[noun]
                if wrong.any():
                    cells = rows.select(file=FILE, row=ROW, found=bad).filter(wrong).explode("found")
                    words = {"wanted": EITHER.join(".".join(target) for target in column.targets)}
                    found.append(listed("check.unknown", cells, table=noun, column=column.name, words=words))
                    blocked[noun], again = blocked[noun] | wrong, True
    return found


def _with_noun_columns(rows: pl.DataFrame, noun: str) -> pl.DataFrame:
    """The rows with every column of their table: what the file lacks as the registry has it."""
    table = schema.tables()[noun]
    lacking = [pl.col(name + NOW).alias(name) for name in table.polars if name not in rows.columns]
    return rows.with_columns(lacking)


# ── what goes ───────────────────────────────────────────────────────────────────────────────────────────────


def _gone(
    actor: Actor, joined: Mapping[str, pl.DataFrame], known: Mapping[str, pl.DataFrame],
    barred: dict[str, dict[str, str]], stay: Mapping[str, set[str]],
) -> tuple[dict[str, pl.DataFrame], list[str]]:  # fmt: skip
    """Records that the file lacks, also under an old id, and the person may let go; what others refer to is barred."""
    gone: dict[str, pl.DataFrame] = {}
    scope: list[str] = []
    for noun, rows in joined.items():
        if rows.is_empty():  # a heading alone must not empty a table
            continue
        lacking = known[noun].join(
            rows.select(schema.tables()[noun].key), on=list(schema.tables()[noun].key), how="anti"
        )
        lacking = lacking.filter(~_id(noun).is_in(sorted(stay.get(noun, ()))))
        gone[noun], scope = deletable(actor, noun, lacking)
    after = {noun: _after(noun, joined.get(noun), known[noun]) for noun in schema.tables()} if gone else {}
    left = {noun: set(frame.select(_id(noun)).to_series()) for noun, frame in gone.items()}
    again = True
    while again:
        again = False
        for noun, frame in gone.items():
            referred = _referred(noun, after, left) & left[noun]
            if referred:
                barred.setdefault(noun, {}).update(dict.fromkeys(sorted(referred), "referred"))
                left[noun] -= referred
                again = True
            if len(frame) and noun == "organisations":
                gone[noun] = _children_first(frame)
    return gone, scope


def _after(noun: str, rows: pl.DataFrame | None, known: pl.DataFrame) -> pl.DataFrame:
    """The records of a noun as they would be, nothing gone yet."""
    table = schema.tables()[noun]
    if rows is None:
        return table_of(noun, states=None)
    own = _with_noun_columns(rows, noun).select(list(table.polars))
    rest = known.select(list(table.polars)).join(own.select(table.key), on=list(table.key), how="anti")
    return pl.concat([own, rest])


def _referred(noun: str, after: Mapping[str, pl.DataFrame], left: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for other, table in schema.tables().items():
        columns = [c for c in table.columns if any(target == noun for target, _ in c.targets)]
        if not columns:
            continue
        stays = after[other]
        if left.get(other):
            stays = stays.filter(~_id(other).is_in(sorted(left[other])))
        for column in columns:
            values = stays[column.name].explode() if column.type == "list" else stays[column.name]
            found |= set(values.drop_nulls().unique())
    return found


def _children_first(frame: pl.DataFrame) -> pl.DataFrame:
    return _parents_first(frame, "parent_org_id").reverse()


def _parents_first(frame: pl.DataFrame, parent: str) -> pl.DataFrame:
    """Organisations in an order in which each comes after the one above it."""
    above = dict(frame.select("org_id", parent).iter_rows())
    depth: dict[str, int] = {}
    for start in above:
        path: list[str] = []
        at: str | None = start
        while at is not None and at in above and at not in depth and at not in path:
            path.append(at)
            at = above[at]
        base = depth.get(at or "", -1)
        depth |= {name: place for place, name in enumerate(reversed(path), start=base + 1)}
    order = pl.Series([depth[name] for name in frame["org_id"]], dtype=pl.Int64)
    return frame.with_columns(order.alias("\x00depth")).sort("\x00depth", maintain_order=True).drop("\x00depth")


# ── rows to be kept ─────────────────────────────────────────────────────────────────────────────────────────


def _changes(noun: str, rows: pl.DataFrame, barred: Mapping[str, str]) -> Iterator[Found]:
    table = schema.tables()[noun]
    names = [c.name for c in table.columns if c.name in rows.columns]
    is_new = pl.col("version" + NOW).is_null()
    new = rows.filter(is_new)
    if noun == "organisations" and "parent_org_id" in rows.columns:
        new = _parents_first(new, "parent_org_id")
    for row in new.iter_rows(named=True):
        own = record_id(table, row)
        values = {name: plain(row[name]) for name in names if row[name] is not None}
        yield Found(noun, own, "add", row[ROW], values, {}, 0, barred.get(own, ""))
    for row in rows.filter(~is_new).iter_rows(named=True):
        own = record_id(table, row)
        version = row["version" + NOW]
        if own in barred:  # nothing of the record as it is, not even whether it differs
            values = {name: plain(row[name]) for name in names if not table[name].is_key}
            yield Found(noun, own, "change", row[ROW], values, {}, version, barred[own])
            continue
        values = {name: plain(row[name]) for name in row[DIFFERS]}
        before = {name: plain(row[name + NOW]) for name in row[DIFFERS]}
        yield Found(noun, own, "change", row[ROW], values, before, version, "")


def _deletions(noun: str, rows: pl.DataFrame, barred: Mapping[str, str]) -> Iterator[Found]:
    table = schema.tables()[noun]
    for row in rows.iter_rows(named=True):
        own = record_id(table, row)
        before = {c.name: plain(row[c.name]) for c in table.columns if row[c.name] is not None}
        yield Found(noun, own, "delete", None, {}, before, row["version"], barred.get(own, ""))


def plain(value: Any) -> Any:
    """A cell as it is kept in a change."""
    return value.isoformat() if isinstance(value, date) else value


def heading_of(table: Table, language: schema.Language) -> str:
    """The heading of the column that says what is wrong; another one where the table has a column of that name."""
    own = FAULT[language == "en"]
    return own if all(own not in (c.name, c.label_zh, c.label_en) for c in table.columns) else f"{own} *"
