"""Swaps: two neighbouring grids exchange a cell each, where that is better.

Where grids are at their limits no single flip is allowed, and annealing stops short of what one exchange would gain.
Pairs are chosen by the same first-order change as flips and then weighed exactly, so the energy only falls.
"""

import numpy as np
from numba import njit

from mapgrid.partition.search.arrays import (
    AREA,
    BASE,
    CELL,
    CELLS,
    EDGE,
    EFFORT,
    FROZEN,
    LOAD,
    OUTLINE,
    TOUCH,
    WALL,
    WEIGHT,
    WORK,
    Model,
    Net,
)
from mapgrid.partition.search.pieces import stays_connected
from mapgrid.partition.search.refine import Labels, Table, change_of_shape, change_of_way, move_cell, shared_border
from mapgrid.partition.search.tally import beyond, count_up, pull_of, too_far, way

_GAIN = 1e-9  # less is rounding


@njit(cache=True)
def _members(label: Labels, count: int) -> tuple[Labels, Labels]:
    """Return where the cells of each grid begin in the second array, and the cells."""
    begin = np.zeros(count + 1, dtype=np.int64)
    for g in label:
        begin[g + 1] += 1
    for g in range(count):
        begin[g + 1] += begin[g]
    filled = begin[:-1].copy()
    listed = np.empty(len(label), dtype=np.int64)
    for i in range(len(label)):
        listed[filled[label[i]]] = i
        filled[label[i]] += 1
    return begin, listed


@njit(cache=True)
def _can_go(i: int, g: int, model: Model, label: Labels, grids: Table) -> bool:
    """Return whether cell i has a way to grid g and may leave its own."""
    if model.cells[i, BASE] <= FROZEN or grids[label[i], CELLS] == 1:
        return False
    start, links, _ = model.net
    ways = 0
    for e in range(start[i], start[i + 1]):
        ways += links[e, TOUCH] < WALL and label[links[e, CELL]] == g
    return ways > 0


@njit(cache=True)
def _outlines(i: int, h: int, model: Model, label: Labels, grids: Table) -> tuple[float, float, int]:
    """Return the outlines of its grid and of h when cell i goes to h, and by how much barriers within grids rise."""
    with_g, with_h, pairs = shared_border(i, h, model.net.start, model.net.links, model.net.border, label)
    own = model.cells[i, OUTLINE]
    return grids[label[i], EDGE] - own + 2 * with_g, grids[h, EDGE] + own - 2 * with_h, pairs


@njit(cache=True)
def _change(i: int, h: int, model: Model, label: Labels, grids: Table) -> float:
    """Return to the first order by how much the energy of ways and outlines rises when cell i goes to grid h."""
    cells, prices, g = model.cells, model.prices, label[i]
    change = change_of_way(i, g, h, cells, grids, prices)
    if prices.compact > 0:
        one, other, _ = _outlines(i, h, model, label, grids)
        change += prices.compact * change_of_shape(i, g, h, (one, other), cells, grids)
    return float(change)


@njit(cache=True)
def _energy(g: int, model: Model, label: Labels, grids: Table, members: Labels) -> float:
    """Return the energy of one grid, all of whose cells are among the members."""
    cells, prices = model.cells, model.prices
    total = prices.beyond * beyond(grids[g, LOAD], model.limits) + prices.even * grids[g, EFFORT] ** 2
    for i in members:
        if label[i] == g:
            metres = way(cells, i, grids, g)
            total += cells[i, WEIGHT] * (prices.metre * metres + too_far(metres, prices))
    return float(total - prices.compact * 4 * np.pi * grids[g, AREA] / grids[g, EDGE] ** 2)


@njit(cache=True)
def _go(i: int, h: int, model: Model, label: Labels, grids: Table) -> int:
    """Move cell i to grid h; return by how many the barriers within grids rise."""
    one, other, pairs = _outlines(i, h, model, label, grids)
    move_cell(i, label[i], h, (one, other), model.cells, grids)
    label[i] = h
    return pairs


@njit(cache=True)
def _exchange(pair: tuple[int, int], model: Model, label: Labels, grids: Table, both: Labels, scratch: Labels) -> bool:
    """Exchange two cells when their grids stay connected and the energy falls; return whether they were."""
    i, j = pair
    g, h = label[i], label[j]
    start, links, _ = model.net
    scratch[2, 0] += 4  # marks new to it
    mark = scratch[2, 0]
    if not stays_connected(i, start, links, label, scratch, mark):
        return False
    before = _energy(g, model, label, grids, both) + _energy(h, model, label, grids, both) - _GAIN
    row_g, row_h = grids[g].copy(), grids[h].copy()
    pairs = _go(i, h, model, label, grids)
    if _can_go(j, g, model, label, grids) and stays_connected(j, start, links, label, scratch, mark + 2):
        pairs += _go(j, g, model, label, grids)
        after = _energy(g, model, label, grids, both) + _energy(h, model, label, grids, both)
        if after + model.prices.pair * pairs < before:
            pull_of(g, model.cells, label, grids, both)
            pull_of(h, model.cells, label, grids, both)
            return True
    label[i], label[j] = g, h
    grids[g], grids[h] = row_g, row_h
    return False


@njit(cache=True)
def _partner(i: int, h: int, model: Model, label: Labels, grids: Table, members: Labels) -> int:
    """Return the cell of grid h that cell i is best exchanged for, to the first order; -1 when that gains nothing."""
    g, cells, prices = label[i], model.cells, model.prices
    gone = _change(i, h, model, label, grids)
    best, chosen = -_GAIN, -1
    now = beyond(grids[g, LOAD], model.limits) + beyond(grids[h, LOAD], model.limits)
    for j in members:
        if label[j] != h or not _can_go(j, g, model, label, grids):
            continue
        more = cells[j, WEIGHT] - cells[i, WEIGHT]
        missed = beyond(grids[g, LOAD] + more, model.limits) + beyond(grids[h, LOAD] - more, model.limits) - now
        work = cells[j, WORK] - cells[i, WORK]
        even = prices.even * 2 * work * (grids[g, EFFORT] - grids[h, EFFORT] + work)
        change = gone + _change(j, g, model, label, grids) + prices.beyond * missed + even
        if change < best:
            best, chosen = change, j
    return chosen


@njit(cache=True)
def _fits(i: int, h: int, model: Model, label: Labels, grids: Table) -> bool:
    """Return whether cell i alone may go to grid h by the limits."""
    w = model.cells[i, WEIGHT]
    return bool(grids[label[i], LOAD] - w >= model.limits[0] and grids[h, LOAD] + w <= model.limits[1])


@njit(cache=True)
def _grids_beside(i: int, net: Net, label: Labels) -> Labels:
    """Return the other grids that cell i has a way to."""
    found = np.empty(net.start[i + 1] - net.start[i], dtype=np.int64)
    size = 0
    for e in range(net.start[i], net.start[i + 1]):
        h = label[net.links[e, CELL]]
        if net.links[e, TOUCH] < WALL and h != label[i] and h not in found[:size]:
            found[size] = h
            size += 1
    return found[:size]


@njit(cache=True)
def _swap_one(
    i: int,
    model: Model,
    label: Labels,
    grids: Table,
    lists: tuple[Labels, Labels],
    scratch: Labels,
) -> int:
    """Exchange cell i for one of a grid beside it where that is better; return the cell it was exchanged for, or -1."""
    begin, listed = lists
    g = label[i]
    for h in _grids_beside(i, model.net, label):
        members = listed[begin[h] : begin[h + 1]]
        if _fits(i, h, model, label, grids) or not _can_go(i, h, model, label, grids):
            continue
        j = _partner(i, h, model, label, grids, members)
        if j >= 0:
            both = np.concatenate((listed[begin[g] : begin[g + 1]], members))
            if _exchange((i, j), model, label, grids, both, scratch):
                return j
    return -1


@njit(cache=True, nogil=True)
def swap(model: Model, first_label: Labels, count: int, rounds: int) -> Labels:
    """Return labels whose energy no exchange of two cells lowers, or what some rounds of exchanges led to.

    Parameters
    ----------
    first_label
        Connected grids 0 … count − 1, none empty.
    rounds
        How often each cell at a border is tried at most. One round costs cells × cells of a grid.
    """
    label = first_label.copy()
    grids = count_up(model.net, model.cells, label, count)
    begin, listed = _members(label, count)
    place = np.empty(len(label), dtype=np.int64)
    place[listed] = np.arange(len(label))
    scratch = np.zeros((3, len(label)), dtype=np.int64)
    for _ in range(rounds):
        kept = 0
        for i in range(len(label)):
            j = _swap_one(i, model, label, grids, (begin, listed), scratch)
            if j >= 0:
                kept += 1
                listed[place[i]], listed[place[j]] = j, i
                place[i], place[j] = place[j], place[i]
        if kept == 0:
            break
    return label
