"""First divisions: bisection into parts of equal weight, then capacitated k-means from their centres.

Each cluster's reach is set by a price until its weight lies in the limits. With prices the clusters are cells of a
power diagram: convex, so nearly always connected and compact. Prices that put every cluster inside its limits solve the
capacitated assignment for the given centres (Aurenhammer, Hoffmann, Aronov 1998, "Minkowski-type theorems and
least-squares clustering"). Bisection: recursive coordinate bisection (Berger, Bokhari 1987), across the longer axis and
where the gap between households is widest.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.arrays import WEIGHT, X, Y
from mapgrid.partition.search.chance import draw
from mapgrid.partition.search.nearest import near_centres

Table = NDArray[np.float64]


@njit(cache=True)
def _long_axis(cells: Table, members: NDArray[np.int64]) -> tuple[float, float]:
    """Return the direction in which the members are spread most; not of unit length."""
    total, x, y = 0.0, 0.0, 0.0
    for i in members:
        total += cells[i, WEIGHT]
        x += cells[i, WEIGHT] * cells[i, X]
        y += cells[i, WEIGHT] * cells[i, Y]
    x, y = x / total, y / total
    xx, xy_, yy = 0.0, 0.0, 0.0
    for i in members:
        dx, dy = cells[i, X] - x, cells[i, Y] - y
        xx += cells[i, WEIGHT] * dx * dx
        xy_ += cells[i, WEIGHT] * dx * dy
        yy += cells[i, WEIGHT] * dy * dy
    half = (xx - yy) / 2
    root = np.sqrt(half * half + xy_ * xy_)
    if root == 0:
        return 1.0, 0.0
    return (half + root, xy_) if half >= 0 else (xy_, root - half)


@njit(cache=True)
def _cut_place(
    along: NDArray[np.float64], load: NDArray[np.float64], bounds: tuple[float, float], wanted: float
) -> int:
    """Return how many of the sorted members go left: loads within bounds, where the gap is widest; else the nearest."""
    running, chosen, widest = 0.0, -1, -1.0
    nearest, off = 1, np.inf
    for at in range(len(along) - 1):
        running += load[at]
        if abs(running - wanted) < off:
            nearest, off = at + 1, abs(running - wanted)
        gap = along[at + 1] - along[at]
        if bounds[0] <= running <= bounds[1] and gap > widest:
            chosen, widest = at + 1, gap
    return chosen if chosen > 0 else nearest


@njit(cache=True)
def _cut_in_two(
    cells: Table,
    members: NDArray[np.int64],
    counts: tuple[int, int],
    limits: tuple[float, float],
    tilt: tuple[float, float],
) -> int:
    """Sort members along their longer axis, tilted; return how many go left, so that both sides can be divided."""
    ux, uy = _long_axis(cells, members)
    ux, uy = ux + tilt[0] * uy, uy - tilt[0] * ux
    along = np.empty(len(members))
    for at in range(len(members)):
        along[at] = cells[members[at], X] * ux + cells[members[at], Y] * uy
    order = np.argsort(along, kind="mergesort")
    members[:] = members[order]
    total = 0.0
    for i in members:
        total += cells[i, WEIGHT]
    wanted = total * counts[0] / (counts[0] + counts[1])
    slack = tilt[1] * total / (counts[0] + counts[1])
    low = max(counts[0] * limits[0], total - counts[1] * limits[1], wanted - slack)
    high = min(counts[0] * limits[1], total - counts[1] * limits[0], wanted + slack)
    cut = _cut_place(along[order], cells[members, WEIGHT], (low, high), wanted)
    return min(max(cut, counts[0]), len(members) - counts[1])


@njit(cache=True, nogil=True)
def bisect(
    cells: Table,
    members: NDArray[np.int64],
    count: int,
    limits: tuple[float, float],
    chance: tuple[float, float, NDArray[np.uint64]],
    label: NDArray[np.int64],
    first: int,
) -> None:
    """Label members first … first + count − 1: cut in two, and each half again, by weight.

    Parameters
    ----------
    members
        Cells to divide, at least `count`; reordered.
    chance
        How far cuts may be tilted, what share of one grid's weight they may be off, and the state of the draws.
    """
    stack = np.empty((64, 4), dtype=np.int64)
    stack[0] = 0, len(members), count, first
    depth = 1
    while depth > 0:
        depth -= 1
        begin, end, parts, number = stack[depth]
        if parts == 1:
            for at in range(begin, end):
                label[members[at]] = number
            continue
        left = parts // 2
        if parts % 2 == 1 and draw(chance[2]) < 0.5:
            left += 1
        tilt = chance[0] * (2 * draw(chance[2]) - 1)
        cut = begin + _cut_in_two(cells, members[begin:end], (left, parts - left), limits, (tilt, chance[1]))
        stack[depth] = begin, cut, left, number
        stack[depth + 1] = cut, end, parts - left, number + left
        depth += 2


@njit(cache=True)
def _assign(
    near: NDArray[np.int64],
    away: NDArray[np.float64],
    cells: Table,
    price: NDArray[np.float64],
    label: NDArray[np.int64],
    load: NDArray[np.float64],
) -> float:
    """Give each point to the centre near it with the least distance less price; return the summed distance."""
    load[:] = 0
    cost = 0.0
    for i in range(len(cells)):
        best = np.inf
        chosen = 0
        for at in range(near.shape[1]):
            paid = away[i, at] - price[near[i, at]]
            if paid < best:
                best = paid
                chosen = near[i, at]
        label[i] = chosen
        load[chosen] += cells[i, WEIGHT]
        cost += cells[i, WEIGHT] * (best + price[chosen])
    return cost


@njit(cache=True, nogil=True)
def fill_empty(cells: Table, centres: NDArray[np.float64], label: NDArray[np.int64], count: int) -> None:
    """Give each class without points the point farthest from its centre in a class of several points."""
    size = np.zeros(count, dtype=np.int64)
    for i in range(len(label)):
        size[label[i]] += 1
    for c in range(count):
        if size[c] > 0:
            continue
        farthest, chosen = -1.0, -1
        for i in range(len(label)):
            g = label[i]
            away = (cells[i, X] - centres[g, 0]) ** 2 + (cells[i, Y] - centres[g, 1]) ** 2
            if size[g] > 1 and away > farthest:
                farthest, chosen = away, i
        size[label[chosen]] -= 1
        label[chosen] = c
        size[c] = 1


@njit(cache=True)
def _reprice(load: NDArray[np.float64], limits: tuple[float, float], scale: float, price: NDArray[np.float64]) -> float:
    """Lower the price of classes over the most, raise it below the least; return by how much loads miss in all."""
    missed = 0.0
    for c in range(len(price)):
        off = max(0.0, load[c] - limits[1]) - max(0.0, limits[0] - load[c])
        missed += abs(off)
        price[c] -= scale * off
    return missed


@njit(cache=True)
def _recentre(cells: Table, label: NDArray[np.int64], centres: NDArray[np.float64]) -> None:
    """Move each centre to the mean of its class; one without points stays."""
    load = np.zeros(len(centres))
    moment = np.zeros((len(centres), 2))
    for i in range(len(cells)):
        load[label[i]] += cells[i, WEIGHT]
        moment[label[i], 0] += cells[i, WEIGHT] * cells[i, X]
        moment[label[i], 1] += cells[i, WEIGHT] * cells[i, Y]
    for c in range(len(centres)):
        if load[c] > 0:
            centres[c, 0] = moment[c, 0] / load[c]
            centres[c, 1] = moment[c, 1] / load[c]


@njit(cache=True, nogil=True)
def settle(
    cells: Table,
    label: NDArray[np.int64],
    count: int,
    limits: tuple[float, float],
    rounds: int,
) -> None:
    """Improve labels by capacitated k-means in place, none empty; limits may still be missed a little.

    Each round looks only at the centres nearest to a point, so that its cost does not grow with their number.
    """
    centres = np.zeros((count, 2))
    price = np.zeros(count)
    load = np.zeros(count)
    total = 0.0
    for i in range(len(cells)):
        total += cells[i, WEIGHT]
    for turn in range(rounds):
        _recentre(cells, label, centres)
        near, away = near_centres(cells, centres, min(count, 8))
        for _ in range(40 if turn == rounds - 1 else 6):
            cost = _assign(near, away, cells, price, label, load)
            if _reprice(load, limits, 0.6 * cost * count / total**2, price) == 0:
                break
    fill_empty(cells, centres, label, count)
