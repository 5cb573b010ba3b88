"""Connectedness of grids on the cell graph: repairing it, and keeping it when a cell leaves."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.arrays import CELL, TOUCH, WALL, WEIGHT, Net


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
            j = net.links[e, CELL]
            if net.links[e, TOUCH] < WALL and piece[j] < 0 and label[j] == label[i]:
                piece[j] = number
                queue[tail] = j
                tail += 1
    return tail


@njit(cache=True)
def _heaviest_pieces(net: Net, cells: NDArray[np.float64], label: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the labels with -1 for cells outside the heaviest piece of their class."""
    n = len(cells)
    piece = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    best = np.full(count, -1, dtype=np.int64)
    heaviest = np.full(count, -1.0)
    for root in range(n):
        if piece[root] < 0:
            size = _flood(root, root, net, label, piece, queue)
            load = 0.0
            for i in queue[:size]:
                load += cells[i, WEIGHT]
            if load > heaviest[label[root]]:
                heaviest[label[root]] = load
                best[label[root]] = root
    kept = label.copy()
    for i in range(n):
        if piece[i] != best[label[i]]:
            kept[i] = -1
    return kept


@njit(cache=True)
def _lightest_beside(i: int, net: Net, load: NDArray[np.float64], kept: NDArray[np.int64]) -> int:
    """Return the lightest class that cell i has a way to, -1 when there is none."""
    to = -1
    for e in range(net.start[i], net.start[i + 1]):
        g = kept[net.links[e, CELL]]
        if net.links[e, TOUCH] < WALL and g >= 0 and (to < 0 or load[g] < load[to]):
            to = g
    return to


@njit(cache=True)
def _widest_beside(i: int, net: Net, kept: NDArray[np.int64]) -> int:
    """Return the class that cell i shares the longest border with, among those it has a way to; -1 without any."""
    to, widest = -1, -1.0
    for e in range(net.start[i], net.start[i + 1]):
        g = kept[net.links[e, CELL]]
        if g < 0 or net.links[e, TOUCH] >= WALL:
            continue
        metres = 0.0
        for other in range(net.start[i], net.start[i + 1]):
            if kept[net.links[other, CELL]] == g and net.links[other, TOUCH] < WALL:
                metres += net.border[other]
        if metres > widest or (metres == widest and g < to):
            to, widest = g, metres
    return to


@njit(cache=True, nogil=True)
def adopt(
    net: Net,
    cells: NDArray[np.float64],
    label: NDArray[np.int64],
    count: int,
    widest: bool,  # noqa: FBT001  kernels take no keywords
) -> NDArray[np.int64]:
    """Return labels with each cell of label -1 given to a class that it has a way to; one without any keeps -1.

    The class with the longest border beside the cell if `widest`, else the lightest one.
    """
    kept = label.copy()
    load = np.zeros(count)
    loose = np.empty(len(kept), dtype=np.int64)
    left = 0
    for i in range(len(kept)):
        if kept[i] >= 0:
            load[kept[i]] += cells[i, WEIGHT]
        else:
            loose[left] = i
            left += 1
    before = left + 1
    while 0 < left < before:
        before, left = left, 0
        for at in range(before):
            i = loose[at]
            to = _widest_beside(i, net, kept) if widest else _lightest_beside(i, net, load, kept)
            if to >= 0:
                kept[i] = to
                load[to] += cells[i, WEIGHT]
            else:
                loose[left] = i
                left += 1
    return kept


@njit(cache=True, nogil=True)
def join_pieces(net: Net, cells: NDArray[np.float64], label: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return labels whose every class is connected: the heaviest piece stays, the rest joins the lightest neighbour.

    Needs a graph that is connected over its ways, and at least one cell in each class.
    """
    return adopt(net, cells, _heaviest_pieces(net, cells, label, count), count, False)  # noqa: FBT003


@njit(cache=True)
def stays_connected(
    i: int,
    start: NDArray[np.int64],
    links: NDArray[np.int32],
    label: NDArray[np.int64],
    scratch: NDArray[np.int64],
    mark: int,
) -> bool:
    """Return whether the class of cell i stays one piece without it.

    `scratch` has two rows of one place per cell: marks, to which `mark` and `mark + 1` are new, and a queue.
    """
    wanted, first = 0, -1
    for e in range(start[i], start[i + 1]):
        j = links[e, CELL]
        if links[e, TOUCH] < WALL and label[j] == label[i]:
            scratch[0, j] = mark
            wanted += 1
            first = j
    if wanted <= 1:
        return wanted == 1
    reached = mark + 1
    scratch[0, i] = reached
    scratch[0, first] = reached
    scratch[1, 0] = first
    head, tail, missing = 0, 1, wanted - 1
    while head < tail and missing > 0:
        a = scratch[1, head]
        head += 1
        for e in range(start[a], start[a + 1]):
            j = links[e, CELL]
            if links[e, TOUCH] < WALL and label[j] == label[i] and scratch[0, j] != reached:
                missing -= scratch[0, j] == mark
                scratch[0, j] = reached
                scratch[1, tail] = j
                tail += 1
    return missing == 0
