"""A lower bound on the mean way from household to grid centre: no division whatever can be shorter.

Let D be the scorecard's summed way of a division into k grids of `low` to `high` households. It is at least the least
summed way to *any* k centres in the plane with loads within the limits, for the mean of a grid's households is one of
the centres it could have; contiguity, barriers and units only make D longer. With a price p(i) for each household that
relaxed problem is bounded by Lagrange's method (for medians: Cornuéjols, Fisher, Nemhauser 1977; Held, Karp 1971):

    D >= sum of w(i) p(i) + k min over centres c of C(c),
    C(c) = the least sum of w(i) (|x(i) - c| - p(i)) over a load of `low` to `high`.

For each of the k grids of a division costs at least the least C, and prices of all households sum up. Any prices give a
bound; `floors` bounds C over the whole plane, so no set of candidate centres enters the result. Prices are found by
subgradient steps over a set of sites: the points, a lattice, and centres that `floors` found to be cheap. In place of
the least C, which one site alone would have, steps go by a soft least, shared by all sites nearly as cheap.

The same with the least C over the sites alone is reported beside it. It is no bound on D, for a grid's centre need not
be a site; how little the two differ shows how little the sites leave out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mapgrid.partition.search.floors import collect, least_over_plane, sort_into_squares

Reals = NDArray[np.float64]

_NEAR = 160
"""Points around a site that a grid there is made of while prices are looked for."""
_STEPS = ((100, 0.02), (60, 0.01), (60, 0.005), (60, 0.0025))
"""Rounds of steps uphill, and how soft the least is taken in each, as a share of one grid's way."""
_LIST_ANEW = 20
_PATIENCE, _SHORTER = 8, 0.7
_TOLERANCE = 5e-4


@dataclass(frozen=True, slots=True)
class Bound:
    """What no division can be shorter than, summed metres.

    Attributes
    ----------
    valid
        The bound.
    over_sites
        The same over the sites alone; no bound.
    """

    valid: float
    over_sites: float


def bound_distance(xy: Reals, weight: NDArray[np.int64], label: NDArray[np.int64], limits: tuple[int, int]) -> Bound:
    """Return lower bounds on the summed way of any division into as many grids within the limits.

    Parameters
    ----------
    xy, weight
        (n, 2) points in metres and their households.
    label
        The grid 0… of each point in a good division: where prices begin, and what steps aim at.
    limits
        Least and most households of a grid.
    """
    load = weight.astype(np.float64)
    points = xy - xy[0]
    own = _ways(points, load, label)
    aim, count = float(load @ own), int(label.max()) + 1
    scale = max(aim / load.sum(), 1e-3)
    problem = _Problem(points, load, (float(limits[0]), float(limits[1])), count, aim, scale / 2)
    price = own + scale / 2
    sites = np.concatenate([points, _lattice(points, scale / 2)])
    valid, over_sites = 0.0, 0.0
    for steps, softness in _STEPS:
        value, price = _climb(problem, price, sites, steps, softness)
        over_sites = max(over_sites, value)
        guess = float(_costs(*_near(points, load, price, sites, problem.side), load, price, problem.limits).min())
        tolerance = _TOLERANCE * aim / count
        floor, cheap = least_over_plane(points, load, price, problem.limits, guess, tolerance, problem.side)
        valid = max(valid, float(load @ price) + count * floor)
        sites = np.concatenate([sites, cheap])
    return Bound(valid, over_sites)


class _Problem(NamedTuple):
    """Points, households, limits, number of grids, summed way of a good division, side of the squares for looking."""

    points: Reals
    load: Reals
    limits: tuple[float, float]
    grids: int
    aim: float
    side: float


def _ways(points: Reals, load: Reals, label: NDArray[np.int64]) -> Reals:
    total = np.bincount(label, weights=load)
    centre = np.stack([np.bincount(label, weights=load * axis) / total for axis in points.T], axis=1)
    away: Reals = np.sqrt(((points - centre[label]) ** 2).sum(axis=1))
    return away


def _lattice(points: Reals, step: float) -> Reals:
    """Return the corners of a lattice that are no farther than two steps from a point."""
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = np.meshgrid(*[np.arange(low[axis] + step / 2, high[axis] + step, step) for axis in (0, 1)])
    corners = np.stack([x.ravel(), y.ravel()], axis=1)
    return corners[np.asarray(cKDTree(points).query(corners)[0]) <= 2 * step]


@njit(cache=True, nogil=True)
def _near(
    points: Reals, load: Reals, price: Reals, sites: Reals, side: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the points that are worth most to a grid at each site, by way less price, and their ways."""
    wanted = min(_NEAR, len(points))
    near = np.empty((len(sites), wanted), dtype=np.int32)
    away = np.empty((len(sites), wanted), dtype=np.float32)
    squares = sort_into_squares(points, price, side)
    found, ways = np.empty(len(points), dtype=np.int64), np.empty(len(points))
    value = np.empty(len(points))
    for j in range(len(sites)):
        reach = side
        size, _ = collect((sites[j, 0], sites[j, 1]), reach, side, (points, load, price), squares, found)
        while size < wanted:
            reach = 2 * reach + side
            size, _ = collect((sites[j, 0], sites[j, 1]), reach, side, (points, load, price), squares, found)
        for at in range(size):
            i = found[at]
            ways[at] = np.sqrt((points[i, 0] - sites[j, 0]) ** 2 + (points[i, 1] - sites[j, 1]) ** 2)
            value[at] = ways[at] - price[i]
        order = np.argsort(value[:size])
        for at in range(wanted):
            near[j, at] = found[order[at]]
            away[j, at] = ways[order[at]]
    return near, away


def _climb(problem: _Problem, price: Reals, sites: Reals, steps: int, softness: float) -> tuple[float, Reals]:
    """Return the best value over sites that steps uphill met, and the average of the prices on the way."""
    points, load, limits, count, aim, side = problem
    best, stalled, length = -np.inf, 0, 1.0
    average = price.copy()
    for step in range(steps):
        if step % _LIST_ANEW == 0:
            near, away = _near(points, load, price, sites, side)
        cost = _costs(near, away, load, price, limits)
        least = float(cost.min())
        value = float(load @ price) + count * least
        best, stalled = (value, 0) if value > best + 1e-6 * aim else (best, stalled + 1)
        if stalled >= _PATIENCE:
            length, stalled = length * _SHORTER, 0
        share = np.exp((least - cost) / (softness * aim / count))
        share *= count / share.sum()
        chosen = np.flatnonzero(share > 1e-4)
        slope = load - _taken(near[chosen], away[chosen], load, price, limits, share[chosen])
        steep = float(slope @ slope)
        if steep == 0 or aim <= value:
            break
        price = price + length * (aim - value) / steep * slope
        average = 0.95 * average + 0.05 * price
    return best, average


@njit(cache=True, nogil=True)
def _costs(
    near: NDArray[np.int32], away: NDArray[np.float32], load: Reals, price: Reals, limits: tuple[float, float]
) -> Reals:
    """Return the least cost of a grid at each site."""
    costs = np.empty(len(near))
    value = np.empty(near.shape[1])
    for j in range(len(near)):
        for at in range(near.shape[1]):
            value[at] = away[j, at] - price[near[j, at]]
        taken, costs[j] = 0.0, 0.0
        for at in np.argsort(value):
            if taken >= limits[1] or (taken >= limits[0] and value[at] >= 0):
                break
            part = min(load[near[j, at]], (limits[0] if value[at] >= 0 else limits[1]) - taken)
            costs[j] += part * value[at]
            taken += part
    return costs


@njit(cache=True, nogil=True)
def _taken(
    near: NDArray[np.int32],
    away: NDArray[np.float32],
    load: Reals,
    price: Reals,
    limits: tuple[float, float],
    share: Reals,
) -> Reals:
    """Return how many households of each point the cheapest grids at these sites take in all."""
    total = np.zeros(len(load))
    value = np.empty(near.shape[1])
    for j in range(len(near)):
        for at in range(near.shape[1]):
            value[at] = away[j, at] - price[near[j, at]]
        taken = 0.0
        for at in np.argsort(value):
            if taken >= limits[1] or (taken >= limits[0] and value[at] >= 0):
                break
            part = min(load[near[j, at]], (limits[0] if value[at] >= 0 else limits[1]) - taken)
            total[near[j, at]] += share[j] * part
            taken += part
    return total
