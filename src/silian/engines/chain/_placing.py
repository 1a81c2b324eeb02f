"""Where the nodes of the product space stand: its tree, its strongest links, its groups, its places on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Matrix = NDArray[np.float64]
    Links = tuple[Numbers, Numbers, Matrix]  # first < other, proximity > 0

AXES: Final = 24  # vectors that groups are told apart by
SWEEPS: Final = 300  # of the layout
PER_NODE: Final = 2  # links at most, the tree among them
DIGITS: Final = 12  # proximities that differ by less are alike, so that ties go by id on every machine


def kept(count: int, links: Links, strong: float) -> tuple[Links, NDArray[np.bool_]]:
    """The maximum spanning forest and the strongest other links, strongest first, and which of them are the forest.

    Cost: O(e log e) for e links.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    first, other, near = links
    order = np.lexsort((other, first, -near.round(DIGITS)))
    first, other, near = first[order], other[order], near[order]
    rank = np.arange(1, near.size + 1, dtype=np.float64)  # all differ, so there is one tree
    tree = minimum_spanning_tree(coo_array((rank, (first, other)), shape=(count, count)).tocsr())
    is_tree = np.zeros(near.size, dtype=np.bool_)
    is_tree[tree.data.astype(np.int64) - 1] = True
    more = np.flatnonzero(~is_tree & (near >= strong))[: max(0, PER_NODE * count - int(is_tree.sum()))]
    wanted = np.sort(np.concatenate([np.flatnonzero(is_tree), more]))
    return (first[wanted], other[wanted], near[wanted]), is_tree[wanted]


def groups(count: int, links: Links, most: int) -> Numbers:
    """The group of every activity: Ward's clusters of the leading vectors of the normalised proximity.

    Numbers go by the first activity of each group. Cost: 3,000 activities about 3 s.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import eigsh

    first, other, near = links
    half = coo_array((near, (first, other)), shape=(count, count)).tocsr()
    degree = np.asarray((half + half.T).sum(axis=0)).ravel()
    scale = np.divide(1.0, np.sqrt(degree), out=np.zeros(count), where=degree > 0)
    even = coo_array((near * scale[first] * scale[other], (first, other)), shape=(count, count)).tocsr()
    start = np.linspace(1.0, 2.0, count)  # not random: the same vectors each time
    values, vectors = eigsh(even + even.T, k=min(AXES, count - 1), which="LA", v0=start)
    vectors = vectors * np.maximum(values, 0.0)  # what tells little counts little: noise must not part what is alike
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    points = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    label = fcluster(linkage(points.round(8), "ward"), most, criterion="maxclust")
    _, at, back = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(at))[back], dtype=np.int64)


def between(group: Numbers, links: Links) -> Links:
    """The mean proximity of the pairs of two groups, pairs that never go together counted as 0."""
    first, other, near = links
    count = int(group.max()) + 1
    low, high = np.minimum(group[first], group[other]), np.maximum(group[first], group[other])
    total: Matrix = np.zeros((count, count))
    np.add.at(total, (low, high), near)
    size = np.bincount(group, minlength=count)
    total /= (size[:, None] * size[None, :]).astype(np.float64)
    a, b = np.nonzero(np.triu(total, 1))
    return a, b, total[a, b]


def placed(count: int, links: Links, is_tree: NDArray[np.bool_]) -> Matrix:
    """Places in [0, 1] × [0, 1]: stress majorisation of the steps between nodes, begun from the tree drawn in rings.

    What hangs on nothing stands in rows below. Cost: O(n²) a sweep; 120 nodes 0.3 s.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    first, other, _ = links
    at = np.zeros((count, 2))
    tied = np.zeros(count, dtype=np.bool_)
    tied[first] = tied[other] = True
    inner = np.flatnonzero(tied)
    rows_below = -(-int((~tied).sum()) // 20)
    height = 1.0 - min(0.5, 0.06 * rows_below)
    if inner.size:
        renumbered = np.cumsum(tied) - 1
        a, b = renumbered[first], renumbered[other]
        graph = coo_array((np.ones(a.size), (a, b)), shape=(inner.size, inner.size)).tocsr()
        steps = shortest_path(graph, directed=False, unweighted=True)
        steps[np.isinf(steps)] = np.max(steps, initial=1.0, where=np.isfinite(steps)) * 0.6 + 1.0
        points = _stressed(_rings(inner.size, a[is_tree], b[is_tree]), steps)
        low, high = points.min(axis=0), points.max(axis=0)
        at[inner] = (points - low) / np.maximum(high - low, 1e-9) * (1.0, height)
    alone = np.flatnonzero(~tied)
    at[alone, 0] = 0.5 if alone.size == 1 else (np.arange(alone.size) % 20) / 19
    at[alone, 1] = height + (np.arange(alone.size) // 20 + 1) * (1 - height) / max(1, rows_below)
    return at.round(6)


def _rings(count: int, first: Numbers, other: Numbers) -> Matrix:
    """The trees of a forest drawn in rings: a node's angle amid its leaves, its ring by its steps from the root."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in zip(first.tolist(), other.tolist(), strict=True):
        near[a].append(b)
        near[b].append(a)
    ring, angle = np.zeros(count), np.full(count, np.nan)
    leaves, order, parent = 0, [], np.full(count, -1)
    for root in sorted(range(count), key=lambda i: (-len(near[i]), i)):
        stack = [root] if parent[root] < 0 and np.isnan(angle[root]) else []
        parent[root] = root if stack else parent[root]
        while stack:
            here = stack.pop()
            order.append(here)
            below = [i for i in sorted(near[here], reverse=True) if parent[i] < 0]
            for i in below:
                parent[i], ring[i] = here, ring[here] + 1
            stack += below
            if not below:
                angle[here], leaves = leaves, leaves + 1
    total, times = np.zeros(count), np.zeros(count)
    for here in reversed(order):
        if np.isnan(angle[here]):
            angle[here] = total[here] / times[here]
        total[parent[here]] += angle[here]
        times[parent[here]] += 1
    turn = 2 * np.pi * angle / max(1, leaves)
    return np.column_stack([(ring + 0.2) * np.cos(turn), (ring + 0.2) * np.sin(turn)])


def _stressed(points: Matrix, steps: Matrix) -> Matrix:
    """Nearer and nearer to paper distances equal to the steps, near pairs weighing most (Gansner and others 2004)."""
    weight = np.divide(1.0, steps**2, out=np.zeros_like(steps), where=steps > 0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.pinv(laplacian)
    for _ in range(SWEEPS):
        gap = np.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))
        pull = np.divide(weight * steps, gap, out=np.zeros_like(gap), where=gap > 1e-9)
        points = inverse @ (np.diag(pull.sum(axis=1)) - pull) @ points
    return points
