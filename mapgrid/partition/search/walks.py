"""Numbers of groups along a walk through each grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.cells.land import Touch

if TYPE_CHECKING:
    from mapgrid.partition.search.graph import Graph

Labels = NDArray[np.int64]

_PATIENCE = 3000
"""Steps of the search for a walk through one grid."""


def walking_order(graph: Graph, grid: Labels, label: Labels) -> Labels:
    """Return labels renumbered grid by grid, and in each along a walk from its north-western group.

    Parameters
    ----------
    graph
        The cells.
    grid
        The grid 0… of each cell.
    label
        The group of each cell, any numbers ≥ 0, in one grid each.

    Notes
    -----
    The walk goes from group to neighbouring group wherever the search finds such a walk: depth first, to the neighbour
    with the fewest ways on (Warnsdorff 1823), then to the nearest. Where it finds none, the longest walk found is taken
    up again at the nearest group not yet visited.
    """
    grid_of_first = np.full(int(label.max()) + 1, -1, dtype=np.int64)
    grid_of_first[label] = grid
    used = np.flatnonzero(grid_of_first >= 0)
    by_grid = used[np.argsort(grid_of_first[used], kind="stable")]
    number = np.full(len(grid_of_first), -1, dtype=np.int64)
    number[by_grid] = np.arange(len(by_grid))
    own = number[label]
    count = len(by_grid)
    begin = np.searchsorted(grid_of_first[by_grid], np.arange(int(grid.max()) + 2))
    load = np.bincount(own, weights=graph.weight, minlength=count)
    centre = [np.bincount(own, weights=graph.weight * axis, minlength=count) / load for axis in graph.xy.T]
    tail = np.repeat(np.arange(len(own)), np.diff(graph.start))
    way = (graph.touch < Touch.WALL) & (grid[tail] == grid[graph.neighbour]) & (own[tail] != own[graph.neighbour])
    pairs = np.unique(own[tail[way]] * count + own[graph.neighbour[way]])
    start = np.searchsorted(pairs, np.arange(count + 1) * count)
    rank = _walk_all(np.round(np.stack(centre, axis=1), 3).astype(np.float64), begin, start, pairs % count)
    return rank[own]


@njit(cache=True)
def _walk_all(centre: NDArray[np.float64], begin: Labels, start: Labels, beside: Labels) -> Labels:
    """Return the rank of each group; those of grid g are `begin[g]` … `begin[g + 1] − 1`."""
    rank = np.empty(len(centre), dtype=np.int64)
    for g in range(len(begin) - 1):
        first, count = begin[g], begin[g + 1] - begin[g]
        joined = np.zeros((count, count), dtype=np.bool_)
        for a in range(count):
            for e in range(start[first + a], start[first + a + 1]):
                joined[a, beside[e] - first] = True
        order = _walk(centre[first : first + count], joined)
        for at in range(count):
            rank[first + order[at]] = first + at
    return rank


@njit(cache=True)
def _away(centre: NDArray[np.float64], a: int, b: int) -> float:
    return (centre[a, 0] - centre[b, 0]) ** 2 + (centre[a, 1] - centre[b, 1]) ** 2  # type: ignore[no-any-return]


@njit(cache=True)
def _next(
    here: int,
    centre: NDArray[np.float64],
    joined: NDArray[np.bool_],
    visited: NDArray[np.bool_],
    barred: NDArray[np.bool_],
) -> int:
    """Return the best neighbour to go on to: fewest ways on, then nearest, then first; -1 when there is none."""
    chosen, fewest, nearest = -1, 0, 0.0
    for b in range(len(centre)):
        if not joined[here, b] or visited[b] or barred[b]:
            continue
        ways = 0
        for c in range(len(centre)):
            ways += joined[b, c] and not visited[c]
        away = _away(centre, here, b)
        if chosen < 0 or ways < fewest or (ways == fewest and away < nearest):
            chosen, fewest, nearest = b, ways, away
    return chosen


@njit(cache=True)
def _walk(centre: NDArray[np.float64], joined: NDArray[np.bool_]) -> Labels:
    """Return the groups of one grid in the order of a walk."""
    count = len(centre)
    here = 0
    for b in range(1, count):
        if centre[b, 0] - centre[b, 1] < centre[here, 0] - centre[here, 1]:
            here = b
    order, longest = _deepest(here, centre, joined)
    visited = np.zeros(count, dtype=np.bool_)
    for at in range(longest):
        visited[order[at]] = True
    none = np.zeros(count, dtype=np.bool_)
    for at in range(longest, count):
        on = _next(order[at - 1], centre, joined, visited, none)
        if on < 0:
            for b in range(count):
                if not visited[b] and (on < 0 or _away(centre, order[at - 1], b) < _away(centre, order[at - 1], on)):
                    on = b
        order[at] = on
        visited[on] = True
    return order


@njit(cache=True)
def _deepest(root: int, centre: NDArray[np.float64], joined: NDArray[np.bool_]) -> tuple[Labels, int]:
    """Return the longest walk found from a group, and how many groups it visits: all of them as a rule."""
    count = len(centre)
    barred = np.zeros((count + 1, count), dtype=np.bool_)
    visited = np.zeros(count, dtype=np.bool_)
    path, best = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    path[0], best[0] = root, root
    visited[root] = True
    depth, longest = 1, 1
    for _ in range(_PATIENCE):
        if longest == count or depth == 0:
            break
        on = _next(path[depth - 1], centre, joined, visited, barred[depth])
        if on < 0:
            barred[depth] = False
            depth -= 1
            visited[path[depth]] = False
            barred[depth, path[depth]] = True
            continue
        path[depth] = on
        visited[on] = True
        depth += 1
        if depth > longest:
            longest = depth
            best[:depth] = path[:depth]
    return best, longest
