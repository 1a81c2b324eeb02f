"""Rules that cannot all be kept: a smallest set that clashes, and the cheapest way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from silian.engines.allocate.limits import NAMES
from silian.engines.allocate.rules import Case, Rules, case_of
from silian.errors import ArgumentError, TableError
from silian.tables.schema import Language, codes, phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Rules by what is relaxed first where two ways out cost the same.
_ORDER: Final = (
    "free", "at_most", "at_least", "need_at_least", "expert_at_least", "apart", "wanted", "veto", "pin",
)  # fmt: skip
_TIE: Final = 1e-4  # the last of them costs by this part more than the first
_ZERO: Final = 1e-6
_PAIR: Final = 1e-5  # what a pair costs beside a unit of slack: answers with few pairs are whole more often
_NODES: Final = 2_000  # branches looked at in one programme: sums of odd amounts could take for ever
_FEW: Final = 2_000  # pairs up to which branch and bound looks at all of them at once
_SEARCHES: Final = 40  # programmes over the whole that are spent on proving the first clash to be a smallest one
_TRIED: Final = 2_000  # pairs of rules about sums that are tried for a clash of two
_CLASHES: Final = 20  # clashes told of one rule set
_SHOWN: Final = 3


class Model(NamedTuple):
    """Every rule, room, pin and veto as one row over the pairs that something asks for."""

    names: pl.DataFrame  # NAMES
    matrix: csr_array  # (rules, pairs), weights >= 0
    low: Real  # -inf: none
    high: Real  # inf: none
    cost: Real  # of one unit of slack; inf: never relaxed


def clashes(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
) -> pl.DataFrame:
    """Sets of rules that cannot be kept together, the smallest first; none of the sets can spare a rule.

    Parameters
    ----------
    pairs, demand, capacity, conflicts, rules : as in `assign`

    Returns
    -------
    clash, rule, name, need, expert, other, limit, is_sum, is_smallest; one row per rule of a clash, no row where all
        can be kept. clash counts from 1; the clashes share no pair. rule is a code of `rule`: pin, veto, wanted and
        free (the rooms of a need and an expert), need_at_least and expert_at_least (the columns at_least), at_most
        and at_least (quotas), apart. name is that of the quota, need and expert the id or the value of the group
        (null: all), limit the count or, with is_sum, the sum. is_smallest: proved that no clash has fewer rules.
        Conflicts of interest are no rule that could give way: they hold whatever clashes.

    Raises
    ------
    TableError : as `assign`, but for allocate.clash

    Notes
    -----
    Rules that ask for something (pins, at_least) can only clash over the pairs that they ask for, so all else is left
    out. The dual of the elastic linear programme points at rows that clash, in parts that share no pair; in each, the
    deletion filter takes rule after rule out while the rest still clashes, by halves (QuickXplain): what is left is
    irreducible. For the smallest: every clash meets every relaxation, so a smallest set that meets all relaxations
    found so far either clashes, and is a smallest clash, or gives a further relaxation.
    Source: J. W. Chinneck (2008), Feasibility and Infeasibility in Optimization; U. Junker (2004), QuickXplain,
    AAAI; A. Ignatiev, A. Previti, M. Liffiton, J. Marques-Silva (2015), Smallest MUS extraction with minimal hitting
    set dualization, CP.

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n2"], "expert_id": ["e1", "e1"], "score": [0.9, 0.4]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [1, 1], "at_least": [1, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1"], "free": [1]})
    >>> found = clashes(pairs, demand, capacity)
    >>> worded(found, language="en").to_list()
    ['e1 serves at most 1', 'n1 gets at least 1', 'n2 gets at least 1']
    """
    return _clashes(_model(case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules), {}))


def relax(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
    costs: Mapping[str, float] | None = None,
) -> pl.DataFrame:
    """The cheapest change of the rules that makes it possible to keep them all.

    Parameters
    ----------
    pairs, demand, capacity, conflicts, rules : as in `assign`
    costs : code of `rule` → cost of one unit, > 0; inf: never give way; 1 where nothing is said
        A unit is one expert, place or pin; of a sum it is the mean of what a pair adds to it.

    Returns
    -------
    rule, name, need, expert, other, limit, is_sum, by, cost; one row per rule that gives way, no row where all can
        be kept. by is how much: places more (free, wanted, at_most), experts fewer (at_least), 1 for a pin that goes,
        a veto that is lifted or two people who may meet. cost is by in units times the cost of one. Who had no place
        and gets one brings the lower limits of the own group into force: ask again when the rules are changed.

    Raises
    ------
    ArgumentError : argument.value if a cost is no number above 0 or its rule does not exist
    TableError : as `assign`; allocate.clash where costs leave no way out

    Notes
    -----
    The elastic programme: every rule gets a slack, and the weighted sum of the slacks is made smallest, over whole
    pairs (scipy's HiGHS, up to 2,000 branches; beyond, it is the cheapest that was found). Of equal costs the way
    that changes free, at_most, at_least, apart, wanted, veto, pin in this order is preferred, at the price of one part
    in ten thousand.
    Source: J. W. Chinneck (2008), Feasibility and Infeasibility in Optimization, ch. 6.

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n2"], "expert_id": ["e1", "e1"], "score": [0.9, 0.4]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [1, 1], "at_least": [1, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1"], "free": [1]})
    >>> worded(relax(pairs, demand, capacity), language="en").to_list()
    ['give e1 1 more place(s)']
    """
    costs = costs or {}
    for rule, cost in costs.items():
        if rule not in codes()["rule"] or not cost > 0:
            wanted = f"a number above 0 for one of {', '.join(codes()['rule'])}"
            raise ArgumentError("argument.value", name="costs", found=f"{cost!r} for {rule!r}", wanted=wanted)
    model = _model(case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules), costs)
    found = _relaxation(model)
    if found is None:
        raise _clash(_clashes(model), None)
    return found


def worded(table: pl.DataFrame, *, language: Language = "zh") -> pl.Series:
    """The rows of `clashes` or `relax` in words, one sentence each.

    Examples
    --------
    >>> table = pl.DataFrame({"rule": ["pin"], "name": [None], "need": ["n3"], "expert": ["e9"], "other": [None],
    ...     "limit": [1.0], "is_sum": [False]})
    >>> worded(table, language="en").to_list(), worded(table).to_list()
    (['n3 must get e9'], ['需求 n3 必须由专家 e9 服务'])
    """
    code = "rule_relaxed" if "by" in table.columns else "rule_says"
    everywhere = "全部" if language == "zh" else "all"
    said = []
    for row in table.to_dicts():
        at = " · ".join(v for v in (row["need"], row["expert"]) if v is not None) or everywhere
        amounts = {k: f"{row[k]:.10g}" for k in ("limit", "by") if k in row}
        said.append(phrase(code, row["rule"], language, **(row | amounts | {"at": at})))
    return pl.Series("words", said, pl.String)


def refuse_clash(case: Case) -> TableError:
    """The error that tells which rules clash, and the cheapest way out."""
    model = _model(case, {})
    return _clash(_clashes(model), _relaxation(model))


def _clash(found: pl.DataFrame, relaxation: pl.DataFrame | None) -> TableError:
    first = found.filter(clash=1)
    way = relaxation if relaxation is not None else found.clear().with_columns(by=0.0, cost=0.0)
    told: dict[str, object] = {
        "count": first.height,
        "sets": found["clash"].n_unique(),
        "cost": float(way["cost"].sum()),
    }
    for language in ("en", "zh"):
        told[f"rules_{language}"] = _listed(worded(first, language=language), language)
        told[f"ways_{language}"] = _listed(worded(way, language=language), language)
    problems = pl.concat(
        [found.with_columns(part=pl.lit("clash")), way.with_columns(part=pl.lit("relaxation"))], how="diagonal"
    )
    return TableError("allocate.clash", problems=problems, **told)


def _listed(words: pl.Series, language: Language) -> str:
    """The first few sentences, and how many there are more."""
    shown = "; ".join(words.head(_SHOWN)) if language == "en" else "；".join(words.head(_SHOWN))
    more = words.len() - _SHOWN
    return shown + (f" (+{more})" if more > 0 else "") if words.len() else "–"


def _model(case: Case, costs: Mapping[str, float]) -> Model:
    """The rules over the pairs that pins and lower limits ask for; the rest can stay out, and then breaks nothing."""
    from scipy.sparse import csr_array, vstack

    pairs, sides = case.pairs, case.limits.sides
    is_pin, is_veto = pairs["pin"].to_numpy(), (pairs["veto"] & ~pairs["conflict"]).to_numpy()
    can_come = is_pin | ((pairs["score"] > 0) & ~pairs["conflict"]).to_numpy()
    rule = np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))
    is_asked = is_pin.copy()
    is_asked[sides.pair[(sides.low > 0)[rule]]] = True
    kept = np.flatnonzero(is_asked & can_come)
    here = pairs[kept]
    count = kept.size

    def rows(of: Whole, at: Whole, height: int) -> csr_array:
        return csr_array((np.ones(of.size), (of, at)), shape=(height, count))

    names, parts, low, high = [], [], [], []
    for flag, kind, bounds in ((is_pin, "pin", (1.0, np.inf)), (is_veto, "veto", (-np.inf, 0.0))):
        at = np.flatnonzero(flag[kept])
        parts.append(rows(np.arange(at.size), at, at.size))
        names.append(_row_names(here[at], kind, bounds[0] if kind == "pin" else bounds[1]))
        low.append(np.full(at.size, bounds[0]))
        high.append(np.full(at.size, bounds[1]))
    for side, table, kind in (("need", case.demand, "wanted"), ("expert", case.capacity, "free")):
        parts.append(rows(here[side].to_numpy().astype(np.int64), np.arange(count), table.height))
        names.append(_row_names(table, kind, table[kind]))
        low.append(np.full(table.height, -np.inf))
        high.append(table[kind].to_numpy().astype(np.float64))
    whole = csr_array((sides.weight, sides.pair, sides.ptr), shape=(sides.low.size, pairs.height))
    matrix = vstack([*parts, whole[:, kept]], format="csr")
    return _trimmed(
        pl.concat([*names, case.limits.names]),
        matrix,
        np.concatenate([*low, sides.low]),
        np.concatenate([*high, sides.high]),
        costs,
    )


def _trimmed(names: pl.DataFrame, matrix: csr_array, low: Real, high: Real, costs: Mapping[str, float]) -> Model:
    """The model without the rules that nothing can break, with the cost of a unit of each."""
    most = np.asarray(matrix.sum(axis=1)).ravel()
    can_bind = (low > 0) | (most > high)
    names, matrix, most = names.filter(pl.Series(can_bind)), matrix[can_bind], most[can_bind]
    size = np.maximum(np.diff(matrix.indptr), 1)
    unit = np.where(names["is_sum"].to_numpy() & (most > 0), most / size, 1.0)
    each = {rule: costs.get(rule, 1.0) for rule in _ORDER}
    cost = names["rule"].replace_strict(each, return_dtype=pl.Float64).to_numpy() / unit
    return Model(names, matrix, low[can_bind], high[can_bind], cost)


def _row_names(table: pl.DataFrame, kind: str, limit: float | pl.Series) -> pl.DataFrame:
    given = {"need": "need_id", "expert": "expert_id"}
    told = {
        key: pl.col(given[key]) if given.get(key) in table.columns else pl.lit(None, of) for key, of in NAMES.items()
    }
    value = pl.lit(limit) if isinstance(limit, float) else limit
    return table.select(**(told | {"rule": pl.lit(kind), "is_sum": pl.lit(value=False)})).with_columns(
        limit=value.cast(pl.Float64)
    )


def _relaxation(model: Model) -> pl.DataFrame | None:
    """The rules that give way, and by how much; None where those that may do not suffice."""
    if not _asks(model):
        return model.names.clear().with_columns(by=0.0, cost=0.0)
    order = {rule: place for place, rule in enumerate(_ORDER)}
    tie = 1 + _TIE * model.names["rule"].replace_strict(order, return_dtype=pl.Float64).to_numpy() / len(_ORDER)
    slack = _elastic(model, np.isinf(model.cost), model.cost * tie)
    if slack is None:
        return None
    told = model.names.with_columns(by=pl.Series(slack), cost=pl.Series(model.cost)).filter(pl.col("by") > 0)
    told = told.with_columns(cost=pl.col("by") * pl.col("cost"))
    return told.sort(pl.col("rule").cast(pl.Enum(_ORDER)), "name", "need", "expert", "other")


def _asks(model: Model) -> bool:
    """Whether any rule asks for something: those that only forbid cannot clash."""
    return bool((model.low > 0).any())


def _elastic(model: Model, is_hard: Flags, cost: Real) -> Real | None:
    """The slack of each rule in the cheapest way to keep those that are hard; None where they clash.

    Where there are many pairs, the linear programme comes first. What is whole in it stays, and branch and bound
    decides the rest; then only what it takes whole stays; at last all is open. The first answer that costs no more
    than the linear programme is the cheapest.
    """
    count = model.matrix.shape[1]
    every = np.full(count, -1.0)  # -1: open
    starts = [every]
    least = np.inf
    if count > _FEW:
        relaxed = _linear(model, is_hard, cost)
        if relaxed is None:
            return None
        least, held, _ = relaxed
        near = np.rint(held)
        is_whole = np.abs(held - near) < _ZERO
        starts = [np.where(is_whole, near, -1.0), np.where(is_whole & (near > 0), near, -1.0), every]
    for fixed in starts:
        found = _branched(model, is_hard, cost, fixed)
        if found is not None and found[1] <= least * (1 + _ZERO) + _ZERO:
            break
    return None if found is None else found[0]


def _branched(model: Model, is_hard: Flags, cost: Real, fixed: Real) -> tuple[Real, float] | None:
    """Slack and its cost over whole pairs, some of them fixed at 0 or 1; None where the hard rules clash."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, hstack

    is_open = fixed < 0
    given = model.matrix @ np.where(is_open, 0.0, fixed)
    soft = np.flatnonzero(~is_hard)
    count, rules = int(is_open.sum()), model.low.size
    sign = np.where(model.low[soft] > -np.inf, 1.0, -1.0)
    slack = csr_array((sign, (soft, np.arange(soft.size))), shape=(rules, soft.size))
    matrix = hstack([model.matrix[:, np.flatnonzero(is_open)], slack], format="csr")
    found = milp(
        np.concatenate([np.full(count, _PAIR), cost[soft]]),
        integrality=np.concatenate([np.ones(count), np.zeros(soft.size)]),
        bounds=Bounds(0, np.concatenate([np.ones(count), np.full(soft.size, np.inf)])),
        constraints=LinearConstraint(matrix, model.low - given, model.high - given),
        options={"mip_rel_gap": 0.0, "node_limit": _NODES},
    )
    if found.x is None:
        return None
    held = fixed.copy()
    held[is_open] = np.rint(found.x[:count])
    added = model.matrix @ held
    by = np.maximum(np.maximum(model.low - added, added - model.high), 0.0)
    by = np.where(by > _ZERO * np.maximum(1.0, np.abs(added)), by, 0.0)
    return by, float((by * np.where(is_hard, 0.0, cost)).sum())


def _linear(model: Model, is_hard: Flags, cost: Real) -> tuple[float, Real, Real] | None:
    """The elastic linear programme: its cost, how much of each pair it takes, and the dual of each rule."""
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, hstack

    is_low = model.low > -np.inf
    sign = np.where(is_low, -1.0, 1.0)
    matrix = model.matrix.multiply(sign[:, None]).tocsr()
    rules, count = model.matrix.shape
    most = np.concatenate([np.ones(count), np.where(is_hard, 0.0, np.inf)])
    found = linprog(
        np.concatenate([np.full(count, _PAIR), np.where(is_hard, 0.0, cost)]),
        A_ub=hstack([matrix, -eye_array(rules)], format="csr"),
        b_ub=np.where(is_low, -model.low, model.high),
        bounds=np.column_stack([np.zeros(count + rules), most]),
        method="highs-ds" if count <= _FEW else "highs-ipm",
    )
    return (found.fun, found.x[:count], np.abs(found.ineqlin.marginals)) if found.status == 0 else None


def _clashes(model: Model) -> pl.DataFrame:
    """The clashes of a model: irreducible, the smallest first."""
    found = []
    for part in _parts(model):
        found.append(_irreducible(model, part))
        if len(found) == _CLASHES:
            break
    found.sort(key=lambda rules: (rules.size, tuple(rules)))
    is_smallest = False
    if found:
        first, is_smallest = _smallest(model, found[0])
        found = [first, *(rules for rules in found[1:] if not np.isin(rules, first).any())]
    schema = {"clash": pl.Int64(), **NAMES, "is_smallest": pl.Boolean()}
    told = [
        model.names[rules].with_columns(
            clash=pl.lit(place, pl.Int64), is_smallest=pl.lit(rules.size <= found[0].size and is_smallest)
        )
        for place, rules in enumerate(found, start=1)
    ]
    order = pl.col("rule").cast(pl.Enum(_ORDER))
    table = pl.concat([pl.DataFrame(schema=schema), *(t.select(list(schema)) for t in told)])
    return table.sort("clash", order, "name", "need", "expert", "other")


def _parts(model: Model) -> Iterator[Whole]:
    """Sets of rules that clash, no two with a pair in common; the fewest rules first."""
    from scipy.sparse.csgraph import connected_components

    if not _asks(model):
        return
    marked = _dual(model)
    if marked is None:  # fractions could keep the rules, whole pairs cannot
        every = np.arange(model.low.size)
        if not _is_kept(model, every):
            yield every
        return
    inside = model.matrix[marked]
    _, label = connected_components(inside @ inside.T, directed=False)
    groups = sorted((marked[label == k] for k in range(label.max() + 1)), key=lambda g: (g.size, g[0]))
    yield from (group for group in groups if not _is_kept(model, group))


def _dual(model: Model) -> Whole | None:
    """The rules that the dual of the elastic linear programme holds against each other; None where it is content."""
    found = _linear(model, np.zeros(model.low.size, np.bool_), np.ones(model.low.size))
    if found is None or found[0] <= _ZERO:
        return None
    return np.flatnonzero(found[2] > _ZERO)


def _is_kept(model: Model, rules: Whole) -> bool:
    """Whether some choice of pairs keeps all these rules, or none was ruled out in _NODES branches."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    part, low, high = model.matrix[rules], model.low[rules], model.high[rules]
    asked = np.unique(part[low > 0].indices)
    part = part[:, asked]
    if not asked.size:
        return bool((low <= 0).all())
    if (np.asarray(part.sum(axis=1)).ravel() < low).any():
        return False
    found = milp(
        np.zeros(asked.size),
        integrality=np.ones(asked.size),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(part, low, high),
        options={"node_limit": _NODES},
    )
    return bool(found.status != 2)


def _irreducible(model: Model, rules: Whole) -> Whole:
    """A clash among these rules that can spare none (QuickXplain)."""

    def needed(base: Whole, has_new: bool, asked: Whole) -> Whole:  # noqa: FBT001
        if has_new and not _is_kept(model, base):
            return asked[:0]
        if asked.size == 1:
            return asked
        half = asked.size // 2
        left, right = asked[:half], asked[half:]
        of_right = needed(np.concatenate([base, left]), True, right)  # noqa: FBT003
        of_left = needed(np.concatenate([base, of_right]), of_right.size > 0, left)
        return np.concatenate([of_left, of_right])

    return np.sort(needed(rules[:0], False, rules))  # noqa: FBT003


def _smallest(model: Model, best: Whole) -> tuple[Whole, bool]:
    """A smallest clash, and whether it is proved to be one; best: an irreducible one.

    One rule, or two, are looked for directly. For more, where the pairs are few: every clash meets every relaxation.
    So a smallest set of rules that meets all relaxations found so far bounds the size of a clash from below, and if
    it clashes it is a smallest one; if not, keeping it hard gives one more.
    """
    if best.size <= 1:
        return best, True
    two, is_proved = _up_to_two(model)
    if two is not None:
        return two, is_proved or two.size == 1
    if best.size <= 3 or model.matrix.shape[1] > _FEW:
        return best, is_proved and best.size <= 3
    rules = model.low.size
    uses = np.zeros(rules)
    ways: list[Whole] = []
    hard = np.zeros(rules, np.bool_)
    for _ in range(_SEARCHES):
        slack = _elastic(model, hard, 1.0 + uses)
        if slack is None:
            return np.flatnonzero(hard), True
        way = np.flatnonzero(slack)
        ways.append(way)
        uses[way] += rules
        meeting = _meeting(ways, rules)
        if meeting.size >= best.size:
            return best, True
        hard[:] = False
        hard[meeting] = True
    return best, False


def _up_to_two(model: Model) -> tuple[Whole | None, bool]:
    """One rule that cannot be kept, or two that clash; None where there are none, and whether that is proved.

    Two lower limits never clash, for more pairs break neither; so one is lower and the other upper. Of counts, the
    upper one leaves the lower one its other pairs and `high` of those that they share. Of sums each two are tried.
    """
    asked, most = np.flatnonzero(model.low > 0), np.asarray(model.matrix.sum(axis=1)).ravel()
    alone = asked[most[asked] < model.low[asked]]
    if alone.size:
        return alone[:1], True
    bound = np.flatnonzero(model.low <= 0)
    is_sum = model.names["is_sum"].to_numpy()
    shared = (model.matrix[asked] != 0).astype(np.float64) @ (model.matrix[bound] != 0).astype(np.float64).T
    shared = shared.tocoo()
    lower, upper = asked[shared.row], bound[shared.col]
    left = most[lower] - shared.data + np.minimum(model.high[upper], shared.data)
    is_count = ~is_sum[lower] & ~is_sum[upper]
    clash = np.flatnonzero(is_count & (left < model.low[lower]))
    if clash.size:
        return np.sort([lower[clash[0]], upper[clash[0]]]), True
    tried = np.flatnonzero(~is_count)
    for place in tried[:_TRIED]:
        two = np.sort([lower[place], upper[place]])
        if not _is_kept(model, two):
            return two, True
    return None, tried.size <= _TRIED


def _meeting(ways: list[Whole], rules: int) -> Whole:
    """A smallest set of rules with one in each of the ways (hitting set)."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    ptr = np.cumsum([0, *(way.size for way in ways)])
    matrix = csr_array((np.ones(ptr[-1]), np.concatenate(ways), ptr), shape=(len(ways), rules))
    found = milp(
        np.ones(rules),
        integrality=np.ones(rules),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, 1.0, np.inf),
        options={"mip_rel_gap": 0.0},
    )
    return np.flatnonzero(found.x > 0.5)
