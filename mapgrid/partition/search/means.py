"""Plain k-means, without limits: what the ways of a plan are compared with."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.chance import draw
from mapgrid.partition.search.nearest import near_centres


@njit(cache=True)
def _spread_centres(
    xy: NDArray[np.float64], weight: NDArray[np.int64], count: int, state: NDArray[np.uint64]
) -> NDArray[np.float64]:
    """Return centres drawn from the points, each far from the ones before (k-means++, the best of three draws).

    Source: Arthur, Vassilvitskii 2007.
    """
    n = len(weight)
    centres = np.empty((count, 2))
    nearest = np.full(n, np.inf)
    trial = np.empty(n)
    kept = np.empty(n)
    for c in range(count):
        total = 0.0
        for i in range(n):
            total += weight[i] * (nearest[i] if c else 1.0)
        best = np.inf
        chosen = 0
        for _ in range(3 if c else 1):
            mark = draw(state) * total
            pick = n - 1
            for i in range(n):
                mark -= weight[i] * (nearest[i] if c else 1.0)
                if mark < 0:
                    pick = i
                    break
            cost = 0.0
            for i in range(n):
                away = (xy[i, 0] - xy[pick, 0]) ** 2 + (xy[i, 1] - xy[pick, 1]) ** 2
                trial[i] = min(nearest[i], away)
                cost += weight[i] * trial[i]
            if cost < best:
                best = cost
                chosen = pick
                kept[:] = trial
        centres[c] = xy[chosen]
        nearest[:] = kept
    return centres


@njit(cache=True)
def _recentre(
    xy: NDArray[np.float64],
    weight: NDArray[np.int64],
    label: NDArray[np.int64],
    centres: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> None:
    """Move each centre to the mean of its class; one without points to a point drawn by chance."""
    load = np.zeros(len(centres))
    centres[:] = 0.0
    for i in range(len(weight)):
        load[label[i]] += weight[i]
        centres[label[i], 0] += weight[i] * xy[i, 0]
        centres[label[i], 1] += weight[i] * xy[i, 1]
    for c in range(len(load)):
        if load[c] > 0:
            centres[c] /= load[c]
        else:
            centres[c] = xy[int(draw(state) * len(weight))]


@njit(cache=True)
def _assign(
    xy: NDArray[np.float64], weight: NDArray[np.int64], centres: NDArray[np.float64], label: NDArray[np.int64]
) -> float:
    """Give each point to its nearest centre; return the summed squared distance."""
    near, away = near_centres(xy, centres, 1)
    cost = 0.0
    for i in range(len(weight)):
        label[i] = near[i, 0]
        cost += weight[i] * away[i, 0]
    return cost


@njit(cache=True)
def free_means(
    xy: NDArray[np.float64], weight: NDArray[np.int64], count: int, starts: int, state: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Return the labels of k-means without limits: Lloyd's rounds until nothing moves, the best of several starts."""
    best_label = np.zeros(len(weight), dtype=np.int64)
    best_cost = np.inf
    label = np.zeros(len(weight), dtype=np.int64)
    for _ in range(starts):
        centres = _spread_centres(xy, weight, count, state)
        cost = _assign(xy, weight, centres, label)
        for _ in range(300):  # as many rounds as scikit-learn allows
            _recentre(xy, weight, label, centres, state)
            before, cost = cost, _assign(xy, weight, centres, label)
            if cost >= before * (1 - 1e-12):
                break
        if cost < best_cost:
            best_cost = cost
            best_label[:] = label
    return best_label
