"""Annealed border flips on the cell graph.

A flip gives one cell at a border to the grid next door. It is taken only when the grid it leaves stays connected; by
Metropolis' rule it is taken when it lowers the energy, or by chance when it raises it a little (Kirkpatrick, Gelatt,
Vecchi 1983). Energy = way from household to grid centre + outline (Polsby–Popper) + barriers inside a grid + households
beyond the limits + variance of load.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.arrays import OPENING, WALL, Cells, Net, Prices, Tally
from mapgrid.partition.chance import draw
from mapgrid.partition.pieces import stays_connected

_EPOCHS = 60


@njit(cache=True)
def count_up(net: Net, cells: Cells, label: NDArray[np.int64], count: int) -> Tally:
    """Return the tally of the grids."""
    tally = Tally(
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros((count, 2)),
        np.zeros(count),
        np.zeros(count),
    )
    for i in range(len(label)):
        g = label[i]
        tally.load[g] += cells.weight[i]
        tally.cells[g] += 1
        for axis in range(2):
            tally.moment[g, axis] += cells.weight[i] * cells.xy[i, axis]
        tally.land[g] += cells.land[i]
        tally.outline[g] += cells.outline[i]
        for e in range(net.start[i], net.start[i + 1]):
            if label[net.neighbour[e]] == g:
                tally.outline[g] -= net.border[e]
    return tally


@njit(cache=True, inline="always")
def beyond(load: int, limits: tuple[int, int]) -> int:
    """Return by how many households a load misses the limits."""
    return max(0, limits[0] - load) + max(0, load - limits[1])


@njit(cache=True)
def total_distance(cells: Cells, tally: Tally, label: NDArray[np.int64]) -> float:
    """Return the summed distance from each household to the centre of its grid, metres."""
    total = 0.0
    for i in range(len(label)):
        total += cells.weight[i] * _away(i, label[i], cells, tally)
    return total


@njit(cache=True, inline="always")
def _away(i: int, g: int, cells: Cells, tally: Tally) -> float:
    dx = cells.xy[i, 0] - tally.moment[g, 0] / tally.load[g]
    dy = cells.xy[i, 1] - tally.moment[g, 1] / tally.load[g]
    return float(np.sqrt(dx * dx + dy * dy))


@njit(cache=True)
def _pairs_inside(net: Net, label: NDArray[np.int64]) -> int:
    """Return twice the number of neighbours in one grid with a barrier between them."""
    pairs = 0
    for i in range(len(label)):
        for e in range(net.start[i], net.start[i + 1]):
            walled = net.touch[e] == WALL or net.touch[e] == OPENING
            if walled and label[net.neighbour[e]] == label[i]:
                pairs += 1
    return pairs


@njit(cache=True)
def weigh(
    net: Net, cells: Cells, label: NDArray[np.int64], count: int, limits: tuple[int, int], prices: Prices
) -> tuple[int, float]:
    """Return the households beyond the limits, and the energy without them."""
    tally = count_up(net, cells, label, count)
    mean = tally.load.sum() / count
    energy = prices.metre * total_distance(cells, tally, label) + prices.pair * _pairs_inside(net, label) / 2
    missed = 0
    for g in range(count):
        missed += beyond(tally.load[g], limits)
        energy -= prices.compact * 4 * np.pi * tally.land[g] / tally.outline[g] ** 2
        energy += prices.even * (tally.load[g] - mean) ** 2
    return missed, energy


@njit(cache=True, inline="always")
def _shared(i: int, g: int, h: int, net: Net, label: NDArray[np.int64]) -> tuple[float, float, int]:
    """Return the border of cell i with grids g and h, and barriers inside h less those inside g once i is in h."""
    with_g, with_h, pairs = 0.0, 0.0, 0
    for e in range(net.start[i], net.start[i + 1]):
        other = label[net.neighbour[e]]
        walled = net.touch[e] == WALL or net.touch[e] == OPENING
        if other == g:
            with_g += net.border[e]
            pairs -= walled
        elif other == h:
            with_h += net.border[e]
            pairs += walled
    return with_g, with_h, pairs


@njit(cache=True, inline="always")
def _change_of_shape(i: int, g: int, h: int, outline: tuple[float, float], cells: Cells, tally: Tally) -> float:
    """Return by how much summed Polsby–Popper falls when cell i goes from g to h and their outlines become these."""
    before = tally.land[g] / tally.outline[g] ** 2 + tally.land[h] / tally.outline[h] ** 2
    after = (tally.land[g] - cells.land[i]) / outline[0] ** 2 + (tally.land[h] + cells.land[i]) / outline[1] ** 2
    return float(4 * np.pi * (before - after))


@njit(cache=True, inline="always")
def _move(i: int, g: int, h: int, outline: tuple[float, float], cells: Cells, tally: Tally) -> None:
    w = cells.weight[i]
    tally.load[g] -= w
    tally.load[h] += w
    tally.cells[g] -= 1
    tally.cells[h] += 1
    for axis in range(2):
        tally.moment[g, axis] -= w * cells.xy[i, axis]
        tally.moment[h, axis] += w * cells.xy[i, axis]
    tally.land[g] -= cells.land[i]
    tally.land[h] += cells.land[i]
    tally.outline[g], tally.outline[h] = outline


@njit(cache=True, inline="always")
def _try_flip(
    i: int,
    h: int,
    model: tuple[Net, Cells, tuple[int, int], Prices],
    label: NDArray[np.int64],
    tally: Tally,
    chance: tuple[float, float],
) -> tuple[bool, float, float]:
    """Return whether cell i may go to grid h at this temperature and draw, and the new outlines of both grids."""
    net, cells, limits, prices = model
    temperature, drawn = chance
    g, w = label[i], cells.weight[i]
    missed = beyond(tally.load[g] - w, limits) + beyond(tally.load[h] + w, limits)
    missed -= beyond(tally.load[g], limits) + beyond(tally.load[h], limits)
    change = prices.beyond * missed
    if change > 12 * temperature:
        return False, 0.0, 0.0
    change += prices.metre * w * (_away(i, h, cells, tally) - _away(i, g, cells, tally))
    change += prices.even * 2 * w * (tally.load[h] - tally.load[g] + w)
    with_g, with_h, pairs = _shared(i, g, h, net, label)
    outline = (tally.outline[g] - cells.outline[i] + 2 * with_g, tally.outline[h] + cells.outline[i] - 2 * with_h)
    change += prices.pair * pairs + prices.compact * _change_of_shape(i, g, h, outline, cells, tally)
    return change <= 0 or drawn < np.exp(-change / temperature), outline[0], outline[1]


@njit(cache=True)
def anneal(
    model: tuple[Net, Cells, tuple[int, int], Prices],
    first_label: NDArray[np.int64],
    count: int,
    heat: tuple[float, float],
    flips: int,
    state: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], int, float]:
    """Return the best labels met, households beyond the limits, and the energy.

    Parameters
    ----------
    model
        The graph, its cells, the limits (least, most) and the prices.
    first_label
        Connected grids 0 … count − 1, none empty.
    heat
        First and last temperature, in energy.
    flips
        How many flips are tried; the only budget, so that the answer does not depend on the clock.
    """
    net, cells, limits, prices = model
    label = first_label.copy()
    best_label = first_label.copy()
    best_missed, best_energy = weigh(net, cells, label, count, limits, prices)
    one_end = np.empty(len(net.neighbour), dtype=np.int64)
    for i in range(len(label)):
        one_end[net.start[i] : net.start[i + 1]] = i
    tally = count_up(net, cells, label, count)
    seen = np.zeros(len(label), dtype=np.int64)
    queue = np.empty(len(label), dtype=np.int64)
    mark = 0
    temperature = heat[0]
    for _ in range(_EPOCHS):
        for _ in range(flips // _EPOCHS):
            e = int(draw(state) * len(net.neighbour))
            i = one_end[e]
            g, h = label[i], label[net.neighbour[e]]
            if g == h or net.touch[e] >= WALL or tally.cells[g] == 1:
                continue
            wanted, outline_g, outline_h = _try_flip(i, h, model, label, tally, (temperature, draw(state)))
            if not wanted:
                continue
            mark += 2
            if stays_connected(i, net, label, seen, queue, mark):
                label[i] = h
                _move(i, g, h, (outline_g, outline_h), cells, tally)
        temperature *= (heat[1] / heat[0]) ** (1.0 / (_EPOCHS - 1))
        missed, energy = weigh(net, cells, label, count, limits, prices)
        if missed < best_missed or (missed == best_missed and energy < best_energy):
            best_missed, best_energy = missed, energy
            best_label[:] = label
    return best_label, best_missed, best_energy
