"""Households over a chain of neighbouring grids: how many go where, and which.

How many is a minimum-cost flow on the graph of grids: every household that crosses a border costs one, so that the
fewest move (a transportation problem; its matrix is totally unimodular, so vertex solutions are whole numbers). Which
ones is greedy: always the cell at the border that suits its new grid best and whose grid stays connected without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from mapgrid.partition.search.arrays import CELL, OPENING, TOUCH, WALL, WEIGHT, Net, X, Y
from mapgrid.partition.search.pieces import stays_connected

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNMET = 1_000.0
"""Price of a household beyond the limits, in households moved: a chain of neighbours is never as long."""

_WAY, _BORDER = 0.3, 0.3
"""What a way longer by the radius of the grid, and a border longer by the cell's outline, count against one moved."""


def fewest_crossings(
    load: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    arcs: NDArray[np.int64],
    price: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return how many households cross each arc so that all grids come within their limits, as far as they can.

    Parameters
    ----------
    load, low, high
        (k,) households of each grid, and the least and most it may have.
    arcs
        (a, 2) from grid, to grid.
    price
        (a,) of a household that crosses, near 1: ties between chains are broken by it.
    """
    count, number = len(load), len(arcs)
    if not number:
        return np.zeros(0, dtype=np.int64)
    column = np.arange(number)
    rows = np.concatenate([arcs[:, 0], arcs[:, 1], np.arange(count), np.arange(count)])
    columns = np.concatenate([column, column, number + np.arange(count), number + count + np.arange(count)])
    # What flows out, less what flows in, less what is beyond the most, plus what is missing to the least.
    values = np.concatenate([np.ones(number), -np.ones(number), np.ones(count), -np.ones(count)])
    balance = coo_array((values, (rows, columns)), shape=(count, number + 2 * count)).tocsr()
    cost = np.concatenate([price, np.full(2 * count, _UNMET)])
    solved = milp(cost, constraints=LinearConstraint(balance, load - high, load - low), bounds=Bounds(0, np.inf))
    flow: NDArray[np.int64] = np.round(np.asarray(solved.x)[:number]).astype(np.int64)
    return flow


@njit(cache=True)
def shift(
    net: Net,
    cells: NDArray[np.float64],
    price: NDArray[np.float64],
    label: NDArray[np.int64],
    is_frozen: NDArray[np.bool_],
    arc: tuple[int, int],
    amount: tuple[int, int],
) -> int:
    """Move cells from one grid to its neighbour in `label`, border by border; return the households moved.

    Parameters
    ----------
    net, cells
        The graph of all cells as the kernels take it.
    price
        (n,) of a household of each cell that leaves the first grid for the second.
    label
        Grid of each cell; changed in place.
    is_frozen
        Cells that stay.
    arc
        From grid, to grid.
    amount
        Stop at this many households; never move more than this many.
    """
    scratch = np.zeros((2, len(label)), dtype=np.int64)
    tried = np.zeros(len(label), dtype=np.bool_)
    moved, mark = 0, 1
    while moved < amount[0]:
        i = _best(net, cells, price, label, is_frozen | tried, arc, amount[1] - moved)
        if i < 0:
            break
        mark += 2
        if stays_connected(i, net.start, net.links, label, scratch, mark):
            label[i] = arc[1]
            moved += int(cells[i, WEIGHT])
            tried[:] = False
        else:
            tried[i] = True
    return moved


@njit(cache=True)
def _best(
    net: Net,
    cells: NDArray[np.float64],
    price: NDArray[np.float64],
    label: NDArray[np.int64],
    is_out: NDArray[np.bool_],
    arc: tuple[int, int],
    most: int,
) -> int:
    """Return the cell of the first grid at the border of the second that is to go next, -1 when there is none."""
    from_x, from_y, spread = _centre(cells, label, arc[0])
    to_x, to_y, _ = _centre(cells, label, arc[1])
    best, lowest = -1, np.inf
    for i in range(len(label)):
        if label[i] != arc[0] or is_out[i] or cells[i, WEIGHT] > most:
            continue
        may_go, border = _border(net, label, i, arc)
        if may_go:
            nearer = np.hypot(cells[i, X] - to_x, cells[i, Y] - to_y)
            nearer -= np.hypot(cells[i, X] - from_x, cells[i, Y] - from_y)
            score = price[i] + _WAY * nearer / spread + _BORDER * border
            if score < lowest - 1e-9:
                best, lowest = i, score
    return best


@njit(cache=True)
def _border(net: Net, label: NDArray[np.int64], i: int, arc: tuple[int, int]) -> tuple[bool, float]:
    """Return whether cell i has an open way to the second grid and no barrier to it; and the border it would add."""
    is_beside, is_walled, added, outline = False, False, 0.0, 1e-9
    for e in range(net.start[i], net.start[i + 1]):
        other = label[net.links[e, CELL]]
        outline += net.border[e]
        if other == arc[0]:
            added += net.border[e]
        elif other == arc[1]:
            added -= net.border[e]
            is_beside = is_beside or net.links[e, TOUCH] < OPENING
            is_walled = is_walled or net.links[e, TOUCH] == OPENING or net.links[e, TOUCH] == WALL
    return is_beside and not is_walled, added / outline


@njit(cache=True)
def _centre(cells: NDArray[np.float64], label: NDArray[np.int64], g: int) -> tuple[float, float, float]:
    """Return the centre of a grid's households, and how far they are from it in the mean (1 m or more)."""
    x, y, load, square = 0.0, 0.0, 0.0, 0.0
    for i in range(len(label)):
        if label[i] == g:
            x += cells[i, WEIGHT] * cells[i, X]
            y += cells[i, WEIGHT] * cells[i, Y]
            load += cells[i, WEIGHT]
    if load == 0.0:
        return 0.0, 0.0, 1.0
    x, y = x / load, y / load
    for i in range(len(label)):
        if label[i] == g:
            square += cells[i, WEIGHT] * ((cells[i, X] - x) ** 2 + (cells[i, Y] - y) ** 2)
    return x, y, max(1.0, np.sqrt(square / load))
