"""Which rows of organisations may be one body though nothing proves it."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.engines import _inputs
from silian.engines.link.names import name_key
from silian.engines.link.same import same
from silian.errors import ArgumentError
from silian.tables import schema, uscc
from silian.text import normalise_all

if TYPE_CHECKING:
    from collections.abc import Mapping

# Share of pairs that were right among made copies of real and of synthetic names, see docs/methods/link.md; that of
# `code` is set by hand, for no such pairs were at hand.
CHANCE: Final = {
    "code": 0.9,
    "form": 0.95,
    "order": 0.96,
    "place": 0.97,
    "short": 0.9,
    "sound": 0.7,
    "spelling": 0.55,
}
# What is left of the chance where the two names do not begin with the same two characters behind the place: there the
# brand stands, in which firms of one trade differ by right.
OTHER_BRAND: Final = {"order": 0.9, "sound": 0.4, "spelling": 0.1}
# From here on nine of ten pairs were right.
LEAST_LIKELY: Final = 0.6
# Rows that share a key; where there are more, the key says nothing of a body.
MOST_ROWS: Final = 12
# Characters of a name without place and form that a slip is looked for in; shorter names differ so by right.
SHORTEST: Final = {"sound": 4, "missing": 5, "spelling": 6}
LONGEST: Final = 40
_COMMON_ROWS: Final = 30
_COMMON_SHARE: Final = 0.01
_FORM: Final = re.compile("(?:股份有限公司|有限公司|总公司|公司)$")
_MARKS: Final = re.compile(r"[\W_]+")
_BRACKETS: Final = re.compile(r"[(（\[【〔][^)）\]】〕]*[)）\]】〕]")
# What tells bodies of one kind apart: numbers, directions, letters.
TELLING: Final = "0-9a-z〇零一二三四五六七八九十百甲乙丙丁东南西北中上下新老大小前后左右"
_ONE_BRAND: Final = pl.col("brand") == pl.col("brand_right")
_TELLS: Final = re.compile(f"[{TELLING}]")
_OTHER_KIND: Final = 0.5  # of the chance is left where both kinds are stated and differ


def likely(organisations: pl.DataFrame, *, least: float = LEAST_LIKELY) -> pl.DataFrame:
    """Pairs of organisations that are likely one body and that `same` does not join.

    Parameters
    ----------
    organisations : as for `same`
    least : pairs of a smaller probability are left out; in [0, 1]

    Returns
    -------
    org_id, other_id, probability, why, shared; one row per pair of bodies, likeliest first, then by the ids
        The ids are those that stand for the bodies, org_id the smaller one. why: code (one character of the code
        differs and the names are alike), sound (one character of the name differs but not its sound), form (only the
        legal form differs), order (the same characters in another order), place (one leaves out the place or what
        stands in brackets), spelling
        (one character differs, is missing or changed places), short (one name begins the other). shared: what both
        have. probability: share of pairs with that reason that were right where it was measured; half of it where the
        kinds of the two differ; divided by the number of other rows where more than two share it.

    Raises
    ------
    As `same`; ArgumentError : argument.value if least is not in [0, 1]

    Notes
    -----
    Never a pair of two valid codes, of two prefectures, of a branch and a head, of branches of two parents, nor one
    whose names differ in a number, a direction or a letter only (第一, 第二). Nothing is joined: a person decides.
    The order of the rows does not matter. Deterministic. Splits: no, any two rows may be one.
    Cost: 5,289 rows 0.3 s, 300,000 rows 11 s and 1.0 GiB on 2 busy cores (bench_link). Source: docs/methods/link.md.

    Examples
    --------
    >>> names = ["苏州恒远机电有限公司", "恒远机电有限公司", "苏州恒远机械有限公司", "杭州恒远机床有限公司"]
    >>> rows = pl.DataFrame({"org_id": ["o1", "o2", "o3", "o4"], "name": names})
    >>> likely(rows).select("org_id", "other_id", "why", "shared").rows()
    [('o1', 'o2', 'place', '恒远机电')]
    """
    if not 0 <= least <= 1:
        raise ArgumentError("argument.value", name="least", found=least, wanted="0 to 1")
    rows = _prepared(organisations).join(same(organisations).select("org_id", "canonical_id"), on="org_id")
    rows = rows.with_columns(row=pl.col("row").min().over("canonical_id")).sort("org_id")
    named = _named(rows)
    found = pl.concat([
        _sharing(named, "form", "stem"),
        _sharing(named, "place", "core"),
        _sharing(named, "order", "sorted"),
        _spelt(named),
        _short(named),
        _coded(rows, named),
    ])  # fmt: skip
    return _told(found, rows, least)


def _prepared(organisations: pl.DataFrame) -> pl.DataFrame:
    """Rows by org_id: name, former_names, given (the code as written), code (valid, else null), kind, place, parent."""
    optional: dict[str, _inputs.Kind] = {
        **dict.fromkeys(("uscc", "name", "kind", "region", "parent_org_id"), "id"),
        "former_names": "list",
    }
    rows = _inputs.columns(organisations, "organisations", {"org_id": "id"}, optional=optional).sort("org_id")
    given = rows["uscc"].str.normalize("NFKC").str.replace_all(r"\s", "").str.to_uppercase()
    is_branch = (pl.col("kind") == "branch").fill_null(value=False) | pl.col("parent_org_id").is_not_null()
    return rows.select(
        "org_id",
        "name",
        "former_names",
        "kind",
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        given=given,
        code=given.set(~uscc.valid(given), None),
        place=pl.when(pl.col("region").str.len_chars() >= 4).then(pl.col("region").str.head(4)),
        space=pl.when(is_branch).then(pl.col("parent_org_id").fill_null("?")).otherwise(pl.lit("")),
    )


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Every name and former name of the rows, taken apart.

    row (of the body), key, stem (without the legal form), core (without place and brackets too), sorted (its
    characters, those that tell in their order behind), where (the places), inside (what else stands in brackets), brand
    (how the core begins); "" where there is nothing.
    """
    every = pl.concat([
        rows.select("row", "name"),
        rows.select("row", name="former_names").explode("name"),
    ]).drop_nulls("name")  # fmt: skip
    names = normalise_all(every["name"].to_list())
    keys = name_key(every["name"].to_list())
    bare = [_FORM.sub("", key) or key for key in name_key([_BRACKETS.sub("", name) for name in names])]
    known = _places() | _openings(bare)
    split = [_place_and_rest(stem, known) for stem in bare]
    inside = [_place_and_rest("".join(text), known, left=0) for text in map(_BRACKETS.findall, names)]
    stems = [_FORM.sub("", key) or key for key in keys]
    parts = {
        "key": keys,
        "stem": stems,
        "core": [rest for _, rest in split],
        "where": [one + other for (one, _), (other, _) in zip(split, inside, strict=True)],
        "inside": [rest for _, rest in inside],
        "sorted": ["".join([*sorted(_TELLS.sub("", s)), *_TELLS.findall(s)]) for s in stems],
    }
    named = every.select("row", *(pl.Series(name, values, dtype=pl.String) for name, values in parts.items()))
    named = named.with_columns(brand=pl.col("core").str.head(2))
    return named.filter(pl.col("core").str.len_chars() >= 2).sort("row", "key")


def _openings(stems: list[str]) -> dict[str, str]:
    """Two characters that so many names begin with that they are no brand: most often a place that no list has."""
    count = Counter(stem[:2] for stem in stems if len(stem) >= 4)
    return {start: start for start, n in count.items() if n >= max(_COMMON_ROWS, _COMMON_SHARE * len(stems))}


def _place_and_rest(stem: str, known: Mapping[str, str], left: int = 2) -> tuple[str, str]:
    """The places that a name begins with, without 省, 市 and the like, and what follows, at least `left` characters."""
    places, rest = "", _MARKS.sub("", stem)
    while True:
        size = next((n for n in range(8, 1, -1) if len(rest) - n >= left and rest[:n] in known), 0)
        if not size:
            return places, rest
        places, rest = places + known[rest[:size]], rest[size:]


@cache
def _places() -> dict[str, str]:
    """Names of places → their short names. Counties go by their full names only, for 海门 and 新华 are brands too."""
    known = {}
    for code, name in uscc.regions().select("code", "name_zh").iter_rows():
        plain = re.sub(
            r"(?:壮族|回族|维吾尔|朝鲜族|藏族|[^州]{1,3}族)?(?:自治区|自治州|特别行政区|地区|省|市|盟|县|区)$", "", name
        )
        if len(plain) >= 2 and name != plain and name not in ("市辖区", "县级市"):
            known[name] = plain
            if code.endswith("00"):
                known[plain] = plain
    return known


def _sharing(named: pl.DataFrame, why: str, key: str) -> pl.DataFrame:
    """Pairs of rows whose names share a key: row, row_right, why, shared, rows (that share it)."""
    sharing = named.unique(["row", key]).filter(pl.col("row").n_unique().over(key).is_between(2, MOST_ROWS))
    sharing = sharing.with_columns(rows=pl.col("row").n_unique().over(key).cast(pl.Int64))
    pairs = sharing.join(sharing, on=key, suffix="_right").filter(pl.col("row") < pl.col("row_right"))
    if key == "core":  # two places are two bodies, one place and none may be one
        differ = (pl.col("where") != pl.col("where_right")) | (pl.col("inside") != pl.col("inside_right"))
        pairs = pairs.filter(differ & _fits("where") & _fits("inside"))
    if key == "sorted":
        pairs = pairs.filter(pl.col("stem") != pl.col("stem_right"))
    return pairs.select("row", "row_right", "rows", why=pl.lit(why), shared=key, one_brand=_ONE_BRAND)


def _fits(column: str) -> pl.Expr:
    """Whether a text and that of the other row are one, or one is part of the other or empty."""
    left, right = pl.col(column), pl.col(f"{column}_right")
    return left.str.contains(right, literal=True) | right.str.contains(left, literal=True)


def _spelt(named: pl.DataFrame) -> pl.DataFrame:
    """Pairs of rows whose names differ in one character: as `_sharing`."""
    rows = named.unique(["row", "stem"]).filter(
        (pl.col("core").str.len_chars() >= min(SHORTEST.values())) & (pl.col("stem").str.len_chars() <= LONGEST)
    )
    wide = rows.select("row", "stem", "core", "brand", at=pl.int_ranges(-1, pl.col("stem").str.len_chars())).explode(
        "at"
    )
    before = pl.col("stem").str.head(pl.col("at").clip(0))
    without = pl.when(pl.col("at") < 0).then("stem").otherwise(before + pl.col("stem").str.slice(pl.col("at") + 1))
    wide = wide.with_columns(
        without=without, sign=pl.when(pl.col("at") >= 0).then(pl.col("stem").str.slice(pl.col("at"), 1))
    )
    near = wide.filter(pl.col("row").n_unique().over("without").is_between(2, MOST_ROWS))
    near = near.with_columns(rows=pl.col("row").n_unique().over("without").cast(pl.Int64))
    pairs = near.join(near, on="without", suffix="_right").filter(
        (pl.col("row") < pl.col("row_right")) & (pl.col("stem") != pl.col("stem_right"))
    )
    # one character away at the same place, two that changed places, or one missing
    swapped, left, right = pl.col("at") - pl.col("at_right"), pl.col("at"), pl.col("at_right")
    is_near = ((left < 0) | (right < 0)) | (swapped.abs() <= 1)
    is_telling = pl.any_horizontal(
        pl.col(c).fill_null("").str.contains(f"^[{TELLING}]$") for c in ("sign", "sign_right")
    )
    pairs = pairs.filter(is_near & ~is_telling)
    sounds = pl.Series([_alike(a, b) for a, b in pairs.select("sign", "sign_right").iter_rows()], dtype=pl.Boolean)
    is_other = (left >= 0) & (right >= 0) & (swapped == 0)
    how = pl.when(sounds & is_other).then(pl.lit("sound")).when(is_other).then(pl.lit("spelling"))
    pairs = pairs.with_columns(how=how.otherwise(pl.lit("missing")))
    length = pl.min_horizontal(pl.col("core").str.len_chars(), pl.col("core_right").str.len_chars())
    pairs = pairs.filter(length >= pl.col("how").replace_strict(SHORTEST, return_dtype=pl.Int64))
    why = pl.when(pl.col("how") == "sound").then(pl.lit("sound")).otherwise(pl.lit("spelling"))
    return pairs.select("row", "row_right", "rows", why=why, shared="without", one_brand=_ONE_BRAND)


@cache
def _alike(one: str | None, other: str | None) -> bool:
    """Whether two characters can be read alike, tones aside."""
    from pypinyin import Style, pinyin

    if not one or not other:
        return False
    first, second = (set(pinyin(sign, style=Style.NORMAL, heteronym=True)[0]) for sign in (one, other))
    return bool(first & second)


def _short(named: pl.DataFrame) -> pl.DataFrame:
    """Pairs of rows where the name of one, without form and place, begins that of the other: as `_sharing`."""
    cores = named.unique(["row", "core"]).filter(pl.col("core").str.len_chars() <= LONGEST)
    bare = cores.filter(pl.col("key") == pl.col("stem"))  # a full name that begins another is a body of its own
    long = cores.select("row", "where", size=pl.int_ranges(3, pl.col("core").str.len_chars()), core="core").explode(
        "size"
    )
    long = long.drop_nulls("size").with_columns(core=pl.col("core").str.head(pl.col("size")))
    pairs = bare.join(long, on="core", suffix="_long").filter(pl.col("row") != pl.col("row_long"))
    pairs = pairs.with_columns(rows=pl.col("row_long").n_unique().over("core").cast(pl.Int64) + 1)
    left, right = pl.col("where"), pl.col("where_long")
    pairs = pairs.filter((pl.col("rows") <= MOST_ROWS) & ((left == "") | (right == "") | (left == right)))
    return pairs.select(
        pl.min_horizontal("row", "row_long").alias("row"),
        pl.max_horizontal("row", "row_long").alias("row_right"),
        "rows",
        why=pl.lit("short"),
        shared="core",
        one_brand=pl.lit(value=True),
    )


def _coded(rows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Pairs of rows whose codes differ in one character and whose names share half of their characters."""
    given = rows.drop_nulls("given").filter(pl.col("given").str.len_chars() == 18)
    wide = given.select("row", "given", at=pl.int_ranges(0, 18)).explode("at")
    hidden = pl.col("given").str.head("at") + "*" + pl.col("given").str.slice(pl.col("at") + 1)
    wide = wide.with_columns(hidden=hidden)
    near = wide.filter(pl.col("row").n_unique().over("hidden").is_between(2, MOST_ROWS))
    near = near.with_columns(rows=pl.col("row").n_unique().over("hidden").cast(pl.Int64))
    pairs = near.join(near, on="hidden", suffix="_right").filter(
        (pl.col("row") < pl.col("row_right")) & (pl.col("given") != pl.col("given_right"))
    )
    signs = named.select("row", signs=pl.col("stem").str.split("")).unique("row", keep="first", maintain_order=True)
    pairs = pairs.join(signs, on="row").join(signs.select(row_right="row", signs_right="signs"), on="row_right")
    common = pl.col("signs").list.set_intersection("signs_right").list.len()
    fewer = pl.min_horizontal(pl.col("signs").list.unique().list.len(), pl.col("signs_right").list.unique().list.len())
    return pairs.filter(common * 2 >= fewer).select(
        "row", "row_right", "rows", why=pl.lit("code"), shared="hidden", one_brand=pl.lit(value=True)
    )


def _told(found: pl.DataFrame, rows: pl.DataFrame, least: float) -> pl.DataFrame:
    """The pairs of bodies that nothing speaks against, each with its best reason."""
    first = (pl.col(c).drop_nulls().first() for c in ("canonical_id", "kind", "place", "space", "code"))
    facts = rows.group_by("row").agg(first)
    both = found.join(facts, on="row").join(facts.select(pl.all().name.suffix("_right")), on="row_right")
    differ = {c: (pl.col(c) != pl.col(f"{c}_right")).fill_null(value=False) for c in ("code", "place", "space", "kind")}
    one, other = pl.col("canonical_id"), pl.col("canonical_id_right")
    both = both.filter((one != other) & ~differ["code"] & ~differ["place"] & ~differ["space"])
    chance = pl.col("why").replace_strict(CHANCE, return_dtype=pl.Float64) / (pl.col("rows") - 1)
    brand = pl.col("why").replace_strict(OTHER_BRAND, default=1.0, return_dtype=pl.Float64)
    chance = pl.when("one_brand").then(chance).otherwise(chance * brand)
    told = both.select(
        org_id=pl.min_horizontal(one, other),
        other_id=pl.max_horizontal(one, other),
        probability=pl.when(differ["kind"]).then(chance * _OTHER_KIND).otherwise(chance),
        why="why",
        shared="shared",
    ).filter(pl.col("probability") >= least)
    order = ["probability", "org_id", "other_id", "why", "shared"]
    told = told.sort(order, descending=[True, False, False, False, False]).unique(
        ["org_id", "other_id"], keep="first", maintain_order=True
    )
    return told.select(list(schema.linking()["likely_same"].polars))
