"""What a division amounts to: households, land and outline of each grid, and the energy of the whole.

Energy = way from household to grid centre + outline (Polsby–Popper) + barriers inside a grid + households too far from
their centre + variance of workload + households moved from the grid they had. Households beyond the limits are counted
apart.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.arrays import (
    AREA,
    BASE,
    CELL,
    CELLS,
    CENTRE_X,
    CENTRE_Y,
    EDGE,
    EFFORT,
    LAND,
    LOAD,
    MOMENT_X,
    MOMENT_Y,
    OPENING,
    OUTLINE,
    PULL_X,
    PULL_Y,
    STRETCH,
    TOUCH,
    WALL,
    WEIGHT,
    WORK,
    Model,
    Net,
    Prices,
    X,
    Y,
)

Table = NDArray[np.float64]


@njit(cache=True, nogil=True)
def count_up(net: Net, cells: Table, label: NDArray[np.int64], count: int) -> Table:
    """Return the table of the grids."""
    start, links, border = net
    grids = np.zeros((count, 12))
    for i in range(len(label)):
        g = label[i]
        w = cells[i, WEIGHT]
        grids[g, LOAD] += w
        grids[g, CELLS] += 1
        grids[g, EFFORT] += cells[i, WORK]
        grids[g, MOMENT_X] += w * cells[i, X]
        grids[g, MOMENT_Y] += w * cells[i, Y]
        grids[g, AREA] += cells[i, LAND]
        grids[g, EDGE] += cells[i, OUTLINE]
        for e in range(start[i], start[i + 1]):
            if label[links[e, CELL]] == g:
                grids[g, EDGE] -= border[e]
    pull_anew(cells, label, grids)
    return grids


@njit(cache=True, nogil=True)
def pull_anew(cells: Table, label: NDArray[np.int64], grids: Table) -> None:
    """Compute centres and pulls from the moments."""
    for g in range(len(grids)):
        grids[g, CENTRE_X] = grids[g, MOMENT_X] / grids[g, LOAD]
        grids[g, CENTRE_Y] = grids[g, MOMENT_Y] / grids[g, LOAD]
        grids[g, PULL_X] = 0.0
        grids[g, PULL_Y] = 0.0
    for i in range(len(label)):
        g = label[i]
        dx, dy = cells[i, X] - grids[g, CENTRE_X], cells[i, Y] - grids[g, CENTRE_Y]
        away = np.sqrt(dx * dx + dy * dy)
        if away > 0:
            share = cells[i, WEIGHT] * cells[i, STRETCH] / away
            grids[g, PULL_X] += share * dx
            grids[g, PULL_Y] += share * dy


@njit(cache=True)
def pull_of(g: int, cells: Table, label: NDArray[np.int64], grids: Table, members: NDArray[np.int64]) -> None:
    """Compute the pull of one grid anew from its cells, all of them among the members."""
    grids[g, PULL_X] = 0.0
    grids[g, PULL_Y] = 0.0
    for i in members:
        dx, dy = cells[i, X] - grids[g, CENTRE_X], cells[i, Y] - grids[g, CENTRE_Y]
        away = np.sqrt(dx * dx + dy * dy)
        if label[i] == g and away > 0:
            share = cells[i, WEIGHT] * cells[i, STRETCH] / away
            grids[g, PULL_X] += share * dx
            grids[g, PULL_Y] += share * dy


@njit(cache=True)
def way(cells: Table, i: int, grids: Table, g: int) -> float:
    """Return the way from cell i to the centre of grid g, metres."""
    dx, dy = cells[i, X] - grids[g, CENTRE_X], cells[i, Y] - grids[g, CENTRE_Y]
    return float(cells[i, STRETCH] * np.sqrt(dx * dx + dy * dy))


@njit(cache=True)
def beyond(load: float, limits: tuple[float, float]) -> float:
    """Return by how many households a load misses the limits."""
    return float(max(0.0, limits[0] - load) + max(0.0, load - limits[1]))


@njit(cache=True)
def too_far(metres: float, prices: Prices) -> float:
    """Return the price of a way that is longer than wished: 1 and the share of the excess."""
    if metres <= prices.farthest_m:
        return 0.0
    return prices.far * metres / prices.farthest_m


@njit(cache=True, nogil=True)
def total_distance(cells: Table, grids: Table, label: NDArray[np.int64]) -> float:
    """Return the summed distance from each household to the centre of its grid, metres."""
    total = 0.0
    for i in range(len(label)):
        total += cells[i, WEIGHT] * way(cells, i, grids, label[i])
    return total


@njit(cache=True)
def _pairs_inside(net: Net, label: NDArray[np.int64]) -> int:
    """Return twice the number of neighbours in one grid with a barrier between them."""
    start, links, _ = net
    pairs = 0
    for i in range(len(label)):
        for e in range(start[i], start[i + 1]):
            walled = links[e, TOUCH] == WALL or links[e, TOUCH] == OPENING
            if walled and label[links[e, CELL]] == label[i]:
                pairs += 1
    return pairs


@njit(cache=True)
def _far_and_moved(cells: Table, prices: Prices, label: NDArray[np.int64], grids: Table) -> float:
    """Return the energy of households too far from their centre and out of the grid they had."""
    energy = 0.0
    for i in range(len(label)):
        energy += cells[i, WEIGHT] * too_far(way(cells, i, grids, label[i]), prices)
        if cells[i, BASE] >= 0 and cells[i, BASE] != label[i]:
            energy += prices.moved * cells[i, WEIGHT]
    return energy


@njit(cache=True, nogil=True)
def weigh(model: Model, label: NDArray[np.int64], count: int) -> tuple[int, float, float, float]:
    """Return households beyond the limits, the energy without them, the summed distance (m), summed Polsby–Popper."""
    net, cells, limits, prices = model
    grids = count_up(net, cells, label, count)
    distance = total_distance(cells, grids, label)
    mean = 0.0
    for g in range(count):
        mean += grids[g, EFFORT] / count
    energy = prices.metre * distance + prices.pair * _pairs_inside(net, label) / 2
    energy += _far_and_moved(cells, prices, label, grids)
    missed, shape = 0.0, 0.0
    for g in range(count):
        missed += beyond(grids[g, LOAD], limits)
        shape += 4 * np.pi * grids[g, AREA] / grids[g, EDGE] ** 2
        energy += prices.even * (grids[g, EFFORT] - mean) ** 2
    return int(missed), energy - prices.compact * shape, distance, shape
