"""Cells lumped together by unit, so that a re-balance moves units whole.

A lump is the connected land of one unit in one grid; a household without a unit, or of one that was split before, is a
lump of its own. Newcomers of a unit that was whole begin in the grid of that unit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import WAYS, Touch
from mapgrid.partition.cells.shapes import distinct_rows
from mapgrid.partition.search.graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.rebalancing.mover import Ground

_OPEN = (Touch.OPEN, Touch.LINK)


def whole_units(ground: Ground, unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the units that were in one grid of the former plan, or that have newcomers alone, ascending."""
    known = ground.is_old & (unit >= 0)
    pairs, _ = distinct_rows(np.stack([unit[known], ground.home[known]], axis=1))
    number, grids = np.unique(pairs[:, 0], return_counts=True)
    return np.setdiff1d(unit[unit >= 0], number[grids > 1])


def split_by(ground: Ground, label: NDArray[np.int64], unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the units that were whole and have households in several grids of these labels, ascending."""
    mine = np.isin(unit, whole_units(ground, unit))
    pairs, _ = distinct_rows(np.stack([unit[mine], label[mine]], axis=1))
    number, grids = np.unique(pairs[:, 0], return_counts=True)
    split: NDArray[np.int64] = number[grids > 1]
    return split


def with_their_unit(ground: Ground, label: NDArray[np.int64], unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels with newcomers in the grid that their unit was whole in, where they are beside it."""
    label = label.copy()
    whole = whole_units(ground, unit)
    known = ground.is_old & np.isin(unit, whole) & ~ground.is_frozen
    grid = np.full(int(unit.max(initial=-1)) + 1, -1, dtype=np.int64)
    region = grid.copy()
    grid[unit[known]], region[unit[known]] = label[known], ground.region[known]
    graph = ground.graph
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    is_open = np.isin(graph.touch, _OPEN)
    wanted = np.where(unit >= 0, grid[unit], -1)
    strays = ~ground.is_old & ~ground.is_frozen & (wanted >= 0) & (region[unit] == ground.region)
    while True:
        may = strays & (label != wanted)
        joins = is_open & may[one] & (label[graph.neighbour] == wanted[one])
        if not joins.any():
            return label
        label[one[joins]] = wanted[one[joins]]


def lump(
    ground: Ground, label: NDArray[np.int64], unit: NDArray[np.int64]
) -> tuple[Ground, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the ground of lumps, the lump of each cell, and label and unit of each lump (-1 for none)."""
    alone = -1 - np.arange(len(label))
    unit = np.where(np.isin(unit, whole_units(ground, unit)), unit, -1)
    key = np.where((unit >= 0) & ~ground.is_frozen, unit, alone)
    kind = distinct_rows(np.stack([key, label * (int(ground.region.max()) + 1) + ground.region], axis=1))[1]
    lump_of = ground.graph.components(kind, WAYS)
    first = np.unique(lump_of, return_index=True)[1]
    old = np.bincount(lump_of, weights=np.where(ground.is_old, ground.graph.weight, 0)).astype(np.int64)
    home = ground.home[first]
    home[lump_of[ground.is_old]] = ground.home[ground.is_old]
    lumps = replace(
        ground,
        graph=_lumped(ground.graph, lump_of),
        home=home,
        is_old=old > 0,
        is_frozen=ground.is_frozen[first],
        region=ground.region[first],
        old=old,
    )
    return lumps, lump_of, label[first], unit[first]


def _lumped(graph: Graph, lump_of: NDArray[np.int64]) -> Graph:
    """Return the graph of lumps; two that touch with a barrier anywhere between them have one between them."""
    one = np.repeat(np.arange(len(lump_of)), np.diff(graph.start))
    out = lump_of[one] != lump_of[graph.neighbour]
    pairs, at = distinct_rows(np.stack([lump_of[one[out]], lump_of[graph.neighbour[out]]], axis=1))
    touch = graph.touch[out]
    has = {kind: np.bincount(at[touch == kind], minlength=len(pairs)) > 0 for kind in Touch}
    is_way = has[Touch.OPEN] | has[Touch.LINK] | has[Touch.OPENING]
    is_walled = has[Touch.OPENING] | has[Touch.WALL]
    joined = np.select(
        [is_way & is_walled, is_walled, has[Touch.OPEN], has[Touch.LINK]],
        [Touch.OPENING, Touch.WALL, Touch.OPEN, Touch.LINK],
        Touch.APART,
    )
    weight = np.bincount(lump_of, weights=graph.weight)
    inner_m = np.bincount(lump_of[one[~out]], weights=graph.border_m[~out], minlength=len(weight))
    moment = [np.bincount(lump_of, weights=graph.weight * axis) / weight for axis in graph.xy.T]
    start = np.zeros(len(weight) + 1, dtype=np.int64)
    np.cumsum(np.bincount(pairs[:, 0], minlength=len(weight)), out=start[1:])
    return Graph(
        np.arange(len(weight)),
        np.stack(moment, axis=1),
        weight.astype(np.int64),
        np.bincount(lump_of, weights=graph.area_m2).astype(np.float64),
        (np.bincount(lump_of, weights=graph.outline_m) - inner_m).astype(np.float64),
        start,
        pairs[:, 1].astype(np.int64),
        np.bincount(at, weights=graph.border_m[out], minlength=len(pairs)).astype(np.float64),
        joined.astype(np.int64),
    )
