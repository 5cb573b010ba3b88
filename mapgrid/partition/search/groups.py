"""Ten-household groups: every grid divided again, with the limits of a group.

All grids are divided in one go: borders between grids are no ways, and a metre counts for more in a small grid, so that
one annealing over the whole village is the same as one for each grid.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.cells.land import WAYS, Touch
from mapgrid.partition.reasons import count_near_target
from mapgrid.partition.search import refine
from mapgrid.partition.search.arrays import STRETCH, TOUCH, WEIGHT, Model, Net, Prices
from mapgrid.partition.search.chance import new_state
from mapgrid.partition.search.pieces import join_pieces
from mapgrid.partition.search.presets import Effort, Wishes
from mapgrid.partition.search.seeds import bisect, settle
from mapgrid.partition.search.solve import repair, split
from mapgrid.partition.search.tables import cooling, tables_of
from mapgrid.partition.search.tally import count_up, way
from mapgrid.partition.search.walks import walking_order

if TYPE_CHECKING:
    from mapgrid.partition.search.graph import Graph
    from mapgrid.village import Limits

Labels = NDArray[np.int64]
Table = NDArray[np.float64]

_WISHES = Wishes(compact=0.1, even=0.3)
_RESCUE = Effort(cells=300, most_starts=8, epochs=24, renewals=1)
_PRICES = Prices(metre=1.0, compact=0.1, pair=2.0, beyond=4.0, even=0.003)
_HEATS = cooling(0.03, 0.001, 16)
_SWEEPS, _MEANS = 2, 4
_PER_MOVE = 0.5


def divide_grids(graph: Graph, grid: NDArray[np.int64], limits: Limits, seed: int) -> NDArray[np.int64]:
    """Return the group 0… of each cell: grid by grid, and in walking order in each.

    Parameters
    ----------
    graph
        The cells of the village.
    grid
        The grid 0… of each cell.
    limits
        Of a group. A point heavier than a group may be is a group of its own; neighbours that it cuts off and that are
        too few for a group join it.
    seed
        The same input and seed give the same groups.
    """
    graph = replace(graph, work=None)  # groups are even in households
    heavy = graph.weight > limits.group_max
    apart = np.where(heavy, int(grid.max()) + 1 + np.arange(len(grid)), grid)
    piece = graph.components(apart, WAYS)
    label = _divide_pieces(graph, piece, heavy, limits, seed)
    _join_leftovers(graph, grid, label)
    return walking_order(graph, grid, label)


def divide_grid(graph: Graph, limits: Limits, seed: int) -> NDArray[np.int64]:
    """Return the group 0… of each cell of one grid, in walking order; see `divide_grids`."""
    return divide_grids(graph, np.zeros(len(graph.cells), dtype=np.int64), limits, seed)


def keep(graph: Graph, base: NDArray[np.int64], limits: Limits, seed: int) -> tuple[NDArray[np.int64], int]:
    """Return the groups of one grid near to those there were, and the households beyond the limits of a group.

    Parameters
    ----------
    base
        The group 0… of each cell before, each with a cell; -1 for a new one. A new household joins a group beside it;
        only where that makes a group too large, or one is too small, households change to the group next door, as few
        as possible. Groups are neither founded nor given up: where households remain beyond the limits, that is left to
        the caller.
    seed
        The same input and seed give the same groups.
    """
    return repair(
        replace(graph, work=None), base, (limits.group_min, limits.group_max), _WISHES, per_move=_PER_MOVE, seed=seed
    )


def _divide_pieces(
    graph: Graph, piece: NDArray[np.int64], heavy: NDArray[np.bool_], limits: Limits, seed: int
) -> NDArray[np.int64]:
    """Return a group for each cell in a piece that is enough for one, -1 for the others."""
    bounds = (limits.group_min, limits.group_max)
    load = np.bincount(piece, weights=graph.weight).astype(np.int64)
    cells = np.bincount(piece)
    is_heavy = np.bincount(piece, weights=heavy) > 0
    counts = np.zeros(len(load), dtype=np.int64)
    for total in np.unique(load[(load >= bounds[0]) & ~is_heavy]).tolist():
        fitting = count_near_target(total, *bounds, limits.group_size) or [max(1, -(-total // bounds[1]))]
        counts[(load == total) & ~is_heavy] = fitting[0]
    counts = np.where(is_heavy, 1, np.minimum(counts, cells))
    first = np.concatenate([[0], np.cumsum(counts)])
    label = _anneal_pieces(graph, piece, counts, first[:-1], bounds, seed)
    group_load = np.bincount(label[label >= 0], weights=graph.weight[label >= 0], minlength=int(first[-1]))
    outside = (group_load < bounds[0]) | (group_load > bounds[1])
    missed = np.unique(np.repeat(np.arange(len(counts)), counts)[outside])
    for number in missed[~is_heavy[missed]].tolist():
        members = np.flatnonzero(piece == number)
        tried, beyond = split(graph.part(members), (*bounds, limits.group_size), _WISHES, _RESCUE, seed)
        own = group_load[first[number] : first[number + 1]]
        if beyond < (np.maximum(bounds[0] - own, 0) + np.maximum(own - bounds[1], 0)).sum():
            label[members] = int(label.max()) + 1 + tried
    return label


def _anneal_pieces(
    graph: Graph,
    piece: NDArray[np.int64],
    counts: NDArray[np.int64],
    first: NDArray[np.int64],
    bounds: tuple[int, int],
    seed: int,
) -> NDArray[np.int64]:
    """Return the groups that one annealing over all pieces found; -1 where a piece has none."""
    label = np.full(len(piece), -1, dtype=np.int64)
    grouped = np.flatnonzero(counts[piece] > 0)
    if not len(grouped):
        return label
    part, at, total = graph.part(grouped), piece[grouped], int(counts.sum())
    net, cells = tables_of(part)
    tail = np.repeat(np.arange(len(at)), np.diff(part.start))
    net.links[at[tail] != at[part.neighbour], TOUCH] = Touch.APART
    limits = (float(bounds[0]), float(bounds[1]))
    order = np.argsort(at, kind="stable")
    begin = np.searchsorted(at[order], np.arange(len(counts) + 1))
    own = _bisect_pieces(cells, order, begin, counts, first, limits, new_state(seed, total))
    own = join_pieces(net, cells, own, total)
    _stretch(net, cells, order, begin, counts, own)
    model = Model(net, cells, limits, _PRICES)
    label[grouped] = refine.anneal(model, own, total, _HEATS, (_SWEEPS, 0.0), new_state(seed, total, 1))
    return label


@njit(cache=True, nogil=True)
def _bisect_pieces(
    cells: Table,
    order: Labels,
    begin: Labels,
    counts: Labels,
    first: Labels,
    limits: tuple[float, float],
    state: NDArray[np.uint64],
) -> Labels:
    """Return first groups: each piece, the cells `order[begin[p]:begin[p + 1]]`, bisected and settled by itself."""
    label = np.zeros(len(order), dtype=np.int64)
    for p in range(len(counts)):
        members = order[begin[p] : begin[p + 1]]
        if len(members) == 0:
            continue
        own = np.zeros(len(members), dtype=np.int64)
        table = cells[members]
        bisect(table, np.arange(len(members)), counts[p], limits, (0.0, 0.2, state), own, 0)
        if counts[p] > 1:
            settle(table, own, counts[p], limits, _MEANS)
        for at in range(len(members)):
            label[members[at]] = first[p] + own[at]
    return label


@njit(cache=True, nogil=True)
def _stretch(net: Net, cells: Table, order: Labels, begin: Labels, counts: Labels, label: Labels) -> None:
    """Let a metre count for so much that the ways in each piece sum up to its number of groups."""
    groups = count_up(net, cells, label, counts.sum())
    for p in range(len(counts)):
        total = 0.0
        for at in range(begin[p], begin[p + 1]):
            i = order[at]
            total += cells[i, WEIGHT] * way(cells, i, groups, label[i])
        for at in range(begin[p], begin[p + 1]):
            cells[order[at], STRETCH] = counts[p] / total if total > 0 else 1.0


def _join_leftovers(graph: Graph, grid: NDArray[np.int64], label: NDArray[np.int64]) -> None:
    """Give each cell without a group the heaviest group of its grid next to it; without any, they are one group."""
    if (label >= 0).all():
        return
    load = np.bincount(label[label >= 0], weights=graph.weight[label >= 0], minlength=len(label) + 1)
    while True:
        left = np.flatnonzero(label < 0)
        moved = False
        for i in left:
            around = slice(graph.start[i], graph.start[i + 1])
            beside = graph.neighbour[around][graph.touch[around] < Touch.WALL]
            near = label[beside[grid[beside] == grid[i]]]
            near = near[near >= 0]
            if len(near):
                label[i] = near[load[near].argmax()]
                moved = True
        if not moved:
            break
    _, at = np.unique(grid[label < 0], return_inverse=True)
    label[label < 0] = label.max() + 1 + at
