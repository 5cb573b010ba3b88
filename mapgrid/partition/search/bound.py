"""A lower bound on the mean way from household to grid centre: no division whatever can be shorter.

Let D be the scorecard's summed way of a division into k grids of `low` to `high` households. It is at least the least
summed way to *any* k centres in the plane with loads within the limits, for the mean of a grid's households is one of
the centres it could have; contiguity, barriers and units only make D longer. With a price p(i) for each household that
relaxed problem is bounded by Lagrange's method (for medians: Cornuéjols, Fisher, Nemhauser 1977; Held, Karp 1971):

    D >= sum of w(i) p(i) + k min over centres c of C(c),
    C(c) = the least sum of w(i) (|x(i) - c| - p(i)) over a load of `low` to `high`.

For each of the k grids of a division costs at least the least C, and prices of all households sum up. Any prices give a
bound; `floors` bounds C over the whole plane, so no set of candidate centres enters the result.

That relaxation may mix divisions: two and a half centres in one hamlet. So it is branched (Land, Doig 1960): either at
most two of the centres lie in a rectangle, or at least three. Such a condition gets a multiplier too, a reward for
centres in the rectangle (or a fine), and every division meets one of the two; the bound is the least of the leaves'.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from mapgrid.partition.search.climbing import Prices, Problem, climb, costs, near_sites, squares_of, value_of
from mapgrid.partition.search.cuts import Cut, choose_cut, masks_of
from mapgrid.partition.search.floors import least_over_plane, squares_across

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

_STEPS = ((100, 0.02), (60, 0.01), (60, 0.005), (60, 0.0025))
"""Rounds of steps uphill at the root, and how soft the least is taken in each, as a share of one grid's way."""
_STEPS_IN_LEAF = ((60, 0.005), (40, 0.0025))
_TOLERANCE = 5e-4
_WORK, _MOST_LEAVES = 9_000, 40
_NEAR_ENOUGH = 0.002
_CHEAP = 0.5
"""Sites that are dearer than the cheapest by more than this share of one grid's way are left out of later steps."""
_MOST_SQUARES = 400


class _Leaf(NamedTuple):
    """Divisions that meet some cuts: their bound, the prices that gave it, the centres in each square, and sites."""

    value: float
    prices: Prices
    cuts: tuple[Cut, ...]
    centres: Reals
    sites: Reals


def bound_distance(xy: Reals, weight: NDArray[np.int64], label: NDArray[np.int64], limits: tuple[int, int]) -> float:
    """Return what the summed way (m) of no division into as many grids within the limits can be below.

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
    side = max(scale / 2, float(np.ptp(points, axis=0).max()) / _MOST_SQUARES)
    shape = squares_across(points, side)
    problem = Problem(points, load, (float(limits[0]), float(limits[1])), count, aim, side, shape)
    sites = np.concatenate([points, _lattice(points, side)])
    first = _Leaf(0.0, Prices(own + scale / 2, np.empty(0)), (), np.empty(0), sites)
    return _least_leaf(problem, _solve(problem, first, (), _STEPS))


def _least_leaf(problem: Problem, root: _Leaf) -> float:
    """Return the least bound of the leaves, after the leaf with the least was parted in two again and again."""
    most = min(_MOST_LEAVES, _WORK // len(problem.load))
    heap = [(root.value, 0, root)]
    for number in range(1, most, 2):
        value, _, leaf = heap[0]
        cuts = choose_cut(leaf.centres, problem.shape)
        if value >= problem.aim * (1 - _NEAR_ENOUGH) or cuts is None:
            break
        heapq.heappop(heap)
        for more, cut in enumerate(cuts):
            child = _solve(problem, leaf, (cut,), _STEPS_IN_LEAF)
            heapq.heappush(heap, (child.value, number + more, child))
    return min(heap[0][0], problem.aim)


def _solve(problem: Problem, parent: _Leaf, added: tuple[Cut, ...], rounds: tuple[tuple[int, float], ...]) -> _Leaf:
    """Return the leaf of the divisions of another one that meet a further cut."""
    cuts = parent.cuts + added
    prices = Prices(parent.prices.household, np.concatenate([parent.prices.cut, np.zeros(len(added))]))
    masks = masks_of(cuts, problem.shape)
    value, sites = parent.value, parent.sites
    for steps, softness in rounds:
        summit = climb(problem, prices, cuts, sites, steps, softness)
        prices = summit.prices
        reward = prices.cut @ masks
        points, load, limits, count, aim, side, _ = problem
        near, away = near_sites(points, load, prices.household, sites, side)
        cost = costs(near, away, load, prices.household, limits) - reward[squares_of(problem, sites)]
        guess, tolerance = float(cost.min()), _TOLERANCE * aim / count
        floor, cheap = least_over_plane(points, load, prices.household, limits, guess, tolerance, side, reward)
        value = max(value, value_of(problem, prices, cuts, floor))
        sites = np.concatenate([sites[cost < guess + _CHEAP * aim / count], cheap])
    return _Leaf(value, prices, cuts, summit.centres, sites)


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
