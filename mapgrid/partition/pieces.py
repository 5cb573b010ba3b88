"""Connectedness of grids on the cell graph: repairing it, and keeping it when a cell leaves."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.arrays import WALL, Net


@njit(cache=True)
def _flood(
    root: int, number: int, net: Net, label: NDArray[np.int64], piece: NDArray[np.int64], queue: NDArray[np.int64]
) -> int:
    """Return how many cells of its class hang together with `root`: listed in `queue`, numbered in `piece`."""
    piece[root] = number
    queue[0] = root
    head, tail = 0, 1
    while head < tail:
        i = queue[head]
        head += 1
        for e in range(net.start[i], net.start[i + 1]):
            j = net.neighbour[e]
            if net.touch[e] < WALL and piece[j] < 0 and label[j] == label[i]:
                piece[j] = number
                queue[tail] = j
                tail += 1
    return tail


@njit(cache=True)
def _heaviest_pieces(net: Net, weight: NDArray[np.int64], label: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the labels with -1 for cells outside the heaviest piece of their class."""
    n = len(weight)
    piece = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    best = np.full(count, -1, dtype=np.int64)
    heaviest = np.full(count, -1, dtype=np.int64)
    for root in range(n):
        if piece[root] < 0:
            size = _flood(root, root, net, label, piece, queue)
            load = weight[queue[:size]].sum()
            if load > heaviest[label[root]]:
                heaviest[label[root]] = load
                best[label[root]] = root
    kept = label.copy()
    for i in range(n):
        if piece[i] != best[label[i]]:
            kept[i] = -1
    return kept


@njit(cache=True)
def _lightest_neighbour(net: Net, load: NDArray[np.int64], kept: NDArray[np.int64]) -> tuple[int, int]:
    """Return a cell without class that touches one, and the class: the lightest there is; -1 when all have one."""
    chosen, to = -1, -1
    for i in range(len(kept)):
        if kept[i] >= 0:
            continue
        for e in range(net.start[i], net.start[i + 1]):
            g = kept[net.neighbour[e]]
            if net.touch[e] < WALL and g >= 0 and (to < 0 or load[g] < load[to]):
                chosen, to = i, g
    return chosen, to


@njit(cache=True)
def join_pieces(net: Net, weight: NDArray[np.int64], label: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return labels whose every class is connected: the heaviest piece stays, the rest joins the lightest neighbour.

    Needs a graph that is connected over its ways, and at least one cell in each class.
    """
    kept = _heaviest_pieces(net, weight, label, count)
    load = np.zeros(count, dtype=np.int64)
    for i in range(len(kept)):
        if kept[i] >= 0:
            load[kept[i]] += weight[i]
    chosen, to = _lightest_neighbour(net, load, kept)
    while chosen >= 0:
        kept[chosen] = to
        load[to] += weight[chosen]
        chosen, to = _lightest_neighbour(net, load, kept)
    return kept


@njit(cache=True, inline="always")
def _mark_neighbours(i: int, net: Net, label: NDArray[np.int64], seen: NDArray[np.int64], mark: int) -> tuple[int, int]:
    """Mark the neighbours of cell i in its class; return how many there are and one of them."""
    wanted, first = 0, -1
    for e in range(net.start[i], net.start[i + 1]):
        j = net.neighbour[e]
        if net.touch[e] < WALL and label[j] == label[i]:
            seen[j] = mark
            wanted += 1
            first = j
    return wanted, first


@njit(cache=True, inline="always")
def stays_connected(
    i: int, net: Net, label: NDArray[np.int64], seen: NDArray[np.int64], queue: NDArray[np.int64], mark: int
) -> bool:
    """Return whether the class of cell i stays one piece without it. `mark` and `mark + 1` are new to `seen`."""
    wanted, first = _mark_neighbours(i, net, label, seen, mark)
    if wanted <= 1:
        return wanted == 1
    reached = mark + 1
    seen[i] = reached
    seen[first] = reached
    queue[0] = first
    head, tail, missing = 0, 1, wanted - 1
    while head < tail and missing > 0:
        a = queue[head]
        head += 1
        for e in range(net.start[a], net.start[a + 1]):
            j = net.neighbour[e]
            if net.touch[e] < WALL and label[j] == label[i] and seen[j] != reached:
                missing -= seen[j] == mark
                seen[j] = reached
                queue[tail] = j
                tail += 1
    return missing == 0
