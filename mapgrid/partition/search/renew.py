"""Renewal: some neighbouring grids at a time are divided anew from scratch, and kept when that is better.

Annealed flips move borders; they hardly ever move a whole grid to another place. Dividing a handful of neighbouring
grids anew does (large neighbourhood search: Shaw 1998), and costs the same wherever in a village, however large.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.arrays import CELL, CENTRE_X, CENTRE_Y, TOUCH, WALL, Model, Net
from mapgrid.partition.search.chance import next_word, pick
from mapgrid.partition.search.pieces import join_pieces
from mapgrid.partition.search.refine import anneal
from mapgrid.partition.search.seeds import bisect, settle
from mapgrid.partition.search.tally import count_up, weigh

Labels = NDArray[np.int64]
Table = NDArray[np.float64]


@njit(cache=True)
def _flood(net: Net, label: Labels, root: int, place: Labels, listed: Labels, size: int) -> int:
    """Append the cells of the grid of `root` to `listed`, and their places in it to `place`; return the new length."""
    start, links, _ = net
    place[root] = size
    listed[size] = root
    head = size
    size += 1
    while head < size:
        i = listed[head]
        head += 1
        for e in range(start[i], start[i + 1]):
            j = links[e, CELL]
            if links[e, TOUCH] < WALL and place[j] < 0 and label[j] == label[root]:
                place[j] = size
                listed[size] = j
                size += 1
    return size


@njit(cache=True)
def _note_root(j: int, far: float, label: Labels, roots: Labels, away: NDArray[np.float64], found: int) -> int:
    """Note a cell of a grid at a distance, if the grid is new and among the nearest; return how many are noted."""
    for at in range(found):
        if label[roots[at]] == label[j]:
            return found
    wanted = len(roots)
    if found == wanted and far >= away[wanted - 1]:
        return found
    at = min(found, wanted - 1)
    while at > 0 and away[at - 1] > far:
        away[at] = away[at - 1]
        roots[at] = roots[at - 1]
        at -= 1
    away[at] = far
    roots[at] = j
    return min(found + 1, wanted)


@njit(cache=True)
def _roots_beside(net: Net, label: Labels, listed: Labels, grids: Table, wanted: int) -> Labels:
    """Return a cell of each of the grids beside the listed one whose centres are nearest to its own."""
    start, links, _ = net
    roots = np.empty(wanted, dtype=np.int64)
    away = np.empty(wanted)
    g, found = label[listed[0]], 0
    for i in listed:
        for e in range(start[i], start[i + 1]):
            j = links[e, CELL]
            h = label[j]
            if h != g and links[e, TOUCH] < WALL:
                dx, dy = grids[h, CENTRE_X] - grids[g, CENTRE_X], grids[h, CENTRE_Y] - grids[g, CENTRE_Y]
                found = _note_root(j, dx * dx + dy * dy, label, roots, away, found)
    return roots[:found]


@njit(cache=True)
def _part(model: Model, place: Labels, listed: Labels) -> Model:
    """Return the model of the listed cells alone."""
    start, links, border = model.net
    degree = 0
    for i in listed:
        degree += start[i + 1] - start[i]
    own_start = np.zeros(len(listed) + 1, dtype=np.int64)
    own_links = np.empty((degree, 2), dtype=np.int32)
    own_border = np.empty(degree)
    cells = np.empty((len(listed), model.cells.shape[1]))
    size = 0
    for at in range(len(listed)):
        i = listed[at]
        cells[at] = model.cells[i]
        for e in range(start[i], start[i + 1]):
            if place[links[e, CELL]] >= 0:
                own_links[size, CELL] = place[links[e, CELL]]
                own_links[size, TOUCH] = links[e, TOUCH]
                own_border[size] = border[e]
                size += 1
        own_start[at + 1] = size
    return Model(Net(own_start, own_links[:size], own_border[:size]), cells, model.limits, model.prices)


@njit(cache=True)
def _shuffled(count: int, state: NDArray[np.uint64]) -> Labels:
    order = np.arange(count)
    for at in range(count - 1, 0, -1):
        other = pick(next_word(state), at + 1)
        order[at], order[other] = order[other], order[at]
    return order


@njit(cache=True)
def _divide_anew(
    part: Model,
    old: Labels,
    count: int,
    turns: tuple[int, tuple[int, float]],
    heats: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> tuple[bool, Labels]:
    """Return whether a division from scratch is better than the old one, and its labels."""
    label = np.zeros(len(part.cells), dtype=np.int64)
    bisect(part.cells, np.arange(len(part.cells)), count, part.limits, (1.0, 0.2, state), label, 0)
    settle(part.cells, label, count, part.limits, turns[0])
    label = join_pieces(part.net, part.cells, label, count)
    label = anneal(part, label, count, heats, turns[1], state)
    before, after = weigh(part, old, count), weigh(part, label, count)
    return after[0] < before[0] or (after[0] == before[0] and after[1] < before[1]), label


@njit(cache=True)
def _gather(net: Net, label: Labels, roots: Labels, grids: Table, place: Labels, listed: Labels) -> tuple[int, Labels]:
    """List the cells of a grid and of those beside it; `roots` begins with a cell of the grid.

    Returns how many cells there are, and the grids.
    """
    size = _flood(net, label, roots[0], place, listed, 0)
    beside = _roots_beside(net, label, listed[:size], grids, len(roots) - 1)
    names = np.empty(len(beside) + 1, dtype=np.int64)
    names[0] = label[roots[0]]
    for at in range(len(beside)):
        names[at + 1] = label[beside[at]]
        size = _flood(net, label, beside[at], place, listed, size)
    return size, names


@njit(cache=True)
def _numbered(label: Labels, names: Labels) -> Labels:
    """Return the place of each label among the names."""
    number = np.zeros(len(label), dtype=np.int64)
    for at in range(len(label)):
        for name in range(len(names)):
            if names[name] == label[at]:
                number[at] = name
    return number


@njit(cache=True, nogil=True)
def renew(
    model: Model,
    first_label: Labels,
    count: int,
    turns: tuple[int, int, int, tuple[int, float]],
    heats: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> Labels:
    """Return labels no worse than the first ones: around each grid in turn, a few grids are divided anew.

    Parameters
    ----------
    first_label
        Connected grids 0 … count − 1, none empty.
    turns
        How often each grid's surroundings are renewed; grids in one renewal; rounds of k-means in it, and the pace of
        annealing in it.
    heats
        Temperatures of the annealing in one renewal.
    """
    label = first_label.copy()
    place = np.full(len(label), -1, dtype=np.int64)
    listed = np.empty(len(label), dtype=np.int64)
    roots = np.empty(turns[1], dtype=np.int64)
    for _ in range(turns[0]):
        grids = count_up(model.net, model.cells, label, count)
        root = np.empty(count, dtype=np.int64)
        for i in range(len(label)):
            root[label[i]] = i
        for g in _shuffled(count, state):
            roots[0] = root[g]
            size, names = _gather(model.net, label, roots, grids, place, listed)
            chosen = listed[:size]
            part = _part(model, place, chosen)
            for i in chosen:
                place[i] = -1
            old = _numbered(label[chosen], names)
            better, new = _divide_anew(part, old, len(names), turns[2:], heats, state)
            if better:
                for at in range(size):
                    label[chosen[at]] = names[new[at]]
                    root[names[new[at]]] = chosen[at]
    return label
