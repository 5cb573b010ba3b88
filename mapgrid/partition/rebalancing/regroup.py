"""Ten-household groups after a grid has changed: kept where they can be, joined or divided where they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition.cells.land import WAYS
from mapgrid.partition.cells.shapes import distinct_rows
from mapgrid.partition.search.groups import divide_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.search.graph import Graph
    from mapgrid.village import Limits

MOST_GROUPS = 99
"""A group has two digits in its grid."""


def keep_groups(graph: Graph, former: NDArray[np.int64], limits: Limits, seed: int) -> NDArray[np.int64]:
    """Return a group label for each cell of one grid, near to the groups there were.

    Parameters
    ----------
    graph
        The cells of the grid.
    former
        The group of each cell before, any number ≥ 0; -1 for a cell that had none: it joins the nearest group.
    limits
        A group that is too small joins its lightest neighbour; one that is too large is divided.
    seed
        Of the division of groups that are too large.
    """
    if (former < 0).all():
        return divide_grid(graph, limits, seed)
    label = graph.components(_with_newcomers(graph, former), WAYS)
    heavy = graph.weight > limits.group_max
    for number in _small_first(graph, label, limits):
        mates = label == number
        if mates.any() and graph.weight[mates].sum() < limits.group_min:
            to = _lightest_beside(graph, label, mates, heavy)
            if to >= 0:
                label[mates] = to
    for number in np.unique(label):
        mates = np.flatnonzero(label == number)
        if graph.weight[mates].sum() > limits.group_max and not heavy[mates].any():
            label[mates] = label.max() + 1 + divide_grid(graph.part(mates), limits, seed)
    return np.unique(label, return_inverse=True)[1].astype(np.int64).reshape(-1)


def number_groups(label: NDArray[np.int64], weight: NDArray[np.int64], serial: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the serial (1–99) of the group of each cell: that of most of its households, else the next one free.

    Parameters
    ----------
    label
        Group 0… of each cell of one grid.
    weight
        Households of each cell.
    serial
        The serial of the cell's group in this grid before; 0 where it was in none.
    """
    shared, at = distinct_rows(np.stack([label, serial], axis=1))
    load = np.bincount(at, weights=weight)
    chosen: dict[int, int] = {}
    taken: set[int] = {0}
    for pair in np.lexsort((shared[:, 0], shared[:, 1], -load)):
        group, number = int(shared[pair, 0]), int(shared[pair, 1])
        if group not in chosen and number not in taken:
            chosen[group] = number
            taken.add(number)
    free = _free_serials(max(taken.union(serial.tolist())), taken)
    for group in range(int(label.max()) + 1):
        if group not in chosen:
            chosen[group] = free.pop()
    return np.array([chosen[group] for group in range(len(chosen))], dtype=np.int64)[label]


def _free_serials(last: int, taken: set[int]) -> list[int]:
    """Return serials to take from the end: those after the last, then the gaps."""
    after = range(last + 1, MOST_GROUPS + 1)
    gaps = [number for number in range(1, last) if number not in taken]
    free = [*after, *gaps][::-1]
    if not free:
        raise EditRefusedError(
            Refusal.NO_NUMBER_LEFT, f"at most {MOST_GROUPS} groups in a grid", "more", "divide the grid first"
        )
    return free


def _with_newcomers(graph: Graph, former: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the former groups with each cell that had none in the group of the nearest cell beside it."""
    label = former.copy()
    if (label >= 0).all():
        return label
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    way = np.isin(graph.touch, WAYS)
    apart = graph.xy[one] - graph.xy[graph.neighbour]
    away = np.round(np.hypot(apart[:, 0], apart[:, 1]), 3)
    while (label < 0).any():
        usable = np.flatnonzero(way & (label[one] < 0) & (label[graph.neighbour] >= 0))
        if not len(usable):
            label[label < 0] = label.max() + 1
            break
        nearest = usable[np.lexsort((graph.neighbour[usable], one[usable], away[usable]))[0]]
        label[one[nearest]] = label[graph.neighbour[nearest]]
    return label


def _small_first(graph: Graph, label: NDArray[np.int64], limits: Limits) -> list[int]:
    load = np.bincount(label, weights=graph.weight)
    small = np.flatnonzero(load < limits.group_min)
    order: list[int] = small[np.lexsort((small, load[small]))].tolist()
    return order


def _lightest_beside(graph: Graph, label: NDArray[np.int64], mates: NDArray[np.bool_], heavy: NDArray[np.bool_]) -> int:
    """Return the lightest group beside these cells, one with a heavy point only when there is no other; -1: none."""
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    beside = np.unique(label[graph.neighbour[np.isin(graph.touch, WAYS) & mates[one] & ~mates[graph.neighbour]]])
    if not len(beside):
        return -1
    load = np.bincount(label, weights=graph.weight)
    is_heavy = np.isin(beside, label[heavy])
    return int(beside[np.lexsort((beside, load[beside], is_heavy))[0]])
