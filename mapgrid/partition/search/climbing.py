"""Prices of households that make the bound on the way high, by steps uphill over a set of sites for centres.

In place of the least cost of a grid, which one site alone would have, steps go by a soft least, shared by all sites
nearly as cheap: subgradient steps (Held, Karp 1971) with the length of Polyak 1969.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.cuts import Cut, masks_of
from mapgrid.partition.search.floors import collect, sort_into_squares

Reals = NDArray[np.float64]

_NEAR = 160
"""Points around a site that a grid there is made of while prices are looked for."""
_LIST_ANEW = 20
_PATIENCE, _SHORTER = 8, 0.7


class Problem(NamedTuple):
    """Points, households, limits, number of grids, summed way of a good division; squares for looking: side, shape."""

    points: Reals
    load: Reals
    limits: tuple[float, float]
    grids: int
    aim: float
    side: float
    shape: tuple[int, int]


class Prices(NamedTuple):
    """What each household pays (metres), and what each cut rewards a centre in its rectangle with (summed metres)."""

    household: Reals
    cut: Reals


class Summit(NamedTuple):
    """Where a climb ended: prices, and how many centres stand in each square."""

    prices: Prices
    centres: Reals


def squares_of(problem: Problem, sites: Reals) -> NDArray[np.int64]:
    """Return the number of the square that each site lies in; sites outside belong to the nearest one."""
    place = ((sites - problem.points.min(axis=0)) / problem.side).astype(np.int64)
    column, row = np.clip(place, 0, np.array(problem.shape) - 1).T
    numbers: NDArray[np.int64] = column * problem.shape[1] + row
    return numbers


def value_of(problem: Problem, prices: Prices, cuts: tuple[Cut, ...], least: float) -> float:
    """Return the bound that prices give when no grid costs less than this."""
    due = sum(reward * cut.number for reward, cut in zip(prices.cut.tolist(), cuts, strict=True))
    return float(problem.load @ prices.household + due + problem.grids * least)


class _View:
    """What prices look like from the sites: the least cost there, and which way is uphill."""

    def __init__(self, problem: Problem, cuts: tuple[Cut, ...], sites: Reals) -> None:
        self.problem, self.cuts, self.sites = problem, cuts, sites
        self.square = squares_of(problem, sites)
        self.masks = masks_of(cuts, problem.shape)
        self.counts = np.array([float(cut.number) for cut in cuts])
        self.signs = np.array([float(cut.sign) for cut in cuts])

    def list_anew(self, prices: Prices) -> None:
        """List for each site the points that are worth most to a grid there."""
        problem = self.problem
        self.near, self.away = near_sites(problem.points, problem.load, prices.household, self.sites, problem.side)

    def look(self, prices: Prices, softness: float) -> tuple[float, Prices, Reals]:
        """Return the value, the way uphill, and how many centres stand in each square."""
        _, load, limits, count, aim, _, shape = self.problem
        cost = costs(self.near, self.away, load, prices.household, limits) - (prices.cut @ self.masks)[self.square]
        least = float(cost.min())
        share = np.exp((least - cost) / (softness * aim / count))
        share *= count / share.sum()
        chosen = np.flatnonzero(share > 1e-4)
        taken = _taken(self.near[chosen], self.away[chosen], load, prices.household, limits, share[chosen])
        centres = np.zeros(shape[0] * shape[1])
        np.add.at(centres, self.square, share)
        value = value_of(self.problem, prices, self.cuts, least)
        return value, Prices(load - taken, self.counts - self.masks @ centres), centres

    def step(self, prices: Prices, uphill: Prices, value: float, length: float) -> Prices | None:
        """Return the prices a step further, None where no way leads uphill; a reward keeps its sign."""
        problem = self.problem
        of_grid = problem.load.sum() / problem.grids  # a reward is spread over the households of one grid
        steep = float(uphill.household @ uphill.household + of_grid * (uphill.cut @ uphill.cut))
        if steep == 0:
            return None
        size = length * (problem.aim - value) / steep
        reward = self.signs * np.maximum(self.signs * (prices.cut + size * of_grid * uphill.cut), 0)
        return Prices(prices.household + size * uphill.household, reward)


def climb(problem: Problem, prices: Prices, cuts: tuple[Cut, ...], sites: Reals, steps: int, softness: float) -> Summit:
    """Return where steps uphill led to, the average of the last ones.

    Parameters
    ----------
    sites
        (m, 2) places for centres, metres.
    softness
        How much dearer than the least a site may be to count, as a share of one grid's way.
    """
    view = _View(problem, cuts, sites)
    mean, standing = prices, np.zeros(problem.shape[0] * problem.shape[1])
    best, stalled, length = -np.inf, 0, 1.0
    for step in range(steps):
        if step % _LIST_ANEW == 0:
            view.list_anew(prices)
        value, uphill, centres = view.look(prices, softness)
        standing = _blend(standing, centres) if step else centres
        if value >= problem.aim:
            return Summit(prices, standing)
        best, stalled = (value, 0) if value > best + 1e-6 * problem.aim else (best, stalled + 1)
        if stalled >= _PATIENCE:
            length, stalled = length * _SHORTER, 0
        further = view.step(prices, uphill, value, length)
        if further is None:
            break
        prices = further
        mean = Prices(_blend(mean.household, prices.household), _blend(mean.cut, prices.cut))
    return Summit(mean, standing)


def _blend(before: Reals, now: Reals) -> Reals:
    return 0.95 * before + 0.05 * now


@njit(cache=True, nogil=True)
def near_sites(
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


@njit(cache=True, nogil=True)
def costs(
    near: NDArray[np.int32], away: NDArray[np.float32], load: Reals, price: Reals, limits: tuple[float, float]
) -> Reals:
    """Return the least cost of a grid at each site."""
    found = np.empty(len(near))
    value = np.empty(near.shape[1])
    for j in range(len(near)):
        for at in range(near.shape[1]):
            value[at] = away[j, at] - price[near[j, at]]
        taken, found[j] = 0.0, 0.0
        for at in np.argsort(value):
            if taken >= limits[1] or (taken >= limits[0] and value[at] >= 0):
                break
            part = min(load[near[j, at]], (limits[0] if value[at] >= 0 else limits[1]) - taken)
            found[j] += part * value[at]
            taken += part
    return found


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
