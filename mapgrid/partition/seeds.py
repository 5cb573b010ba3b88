"""First divisions: capacitated k-means, each cluster's reach set by a price until its weight lies in the limits.

With prices the clusters are cells of a power diagram: convex, so nearly always connected and compact. Prices that put
every cluster inside its limits solve the capacitated assignment for the given centres (Aurenhammer, Hoffmann, Aronov
1998, "Minkowski-type theorems and least-squares clustering"). Seeds: k-means++ (Arthur, Vassilvitskii 2007).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.chance import draw


@njit(cache=True)
def spread_centres(
    xy: NDArray[np.float64], weight: NDArray[np.int64], count: int, state: NDArray[np.uint64]
) -> NDArray[np.float64]:
    """Return centres drawn from the points, each far from the ones before (k-means++, the best of three draws)."""
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
def assign(
    xy: NDArray[np.float64],
    weight: NDArray[np.int64],
    centres: NDArray[np.float64],
    price: NDArray[np.float64],
    label: NDArray[np.int64],
    load: NDArray[np.int64],
) -> float:
    """Give each point to the centre with the least squared distance less price; return the summed squared distance."""
    load[:] = 0
    cost = 0.0
    for i in range(len(weight)):
        best = np.inf
        chosen = 0
        for c in range(len(price)):
            away = (xy[i, 0] - centres[c, 0]) ** 2 + (xy[i, 1] - centres[c, 1]) ** 2 - price[c]
            if away < best:
                best = away
                chosen = c
        label[i] = chosen
        load[chosen] += weight[i]
        cost += weight[i] * (best + price[chosen])
    return cost


@njit(cache=True)
def fill_empty(xy: NDArray[np.float64], centres: NDArray[np.float64], label: NDArray[np.int64], count: int) -> None:
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
            away = (xy[i, 0] - centres[g, 0]) ** 2 + (xy[i, 1] - centres[g, 1]) ** 2
            if size[g] > 1 and away > farthest:
                farthest, chosen = away, i
        size[label[chosen]] -= 1
        label[chosen] = c
        size[c] = 1


@njit(cache=True)
def _reprice(load: NDArray[np.int64], limits: tuple[int, int], scale: float, price: NDArray[np.float64]) -> int:
    """Lower the price of classes over the most, raise it below the least; return by how much loads miss in all."""
    missed = 0
    for c in range(len(price)):
        off = max(0, load[c] - limits[1]) - max(0, limits[0] - load[c])
        missed += abs(off)
        price[c] -= scale * off
    return missed


@njit(cache=True)
def _recentre(
    xy: NDArray[np.float64],
    weight: NDArray[np.int64],
    label: NDArray[np.int64],
    load: NDArray[np.int64],
    centres: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> None:
    """Move each centre to the mean of its class; one without points to a point drawn by chance."""
    centres[:] = 0.0
    for i in range(len(weight)):
        centres[label[i], 0] += weight[i] * xy[i, 0]
        centres[label[i], 1] += weight[i] * xy[i, 1]
    for c in range(len(load)):
        if load[c] > 0:
            centres[c] /= load[c]
        else:
            centres[c] = xy[int(draw(state) * len(weight))]


@njit(cache=True)
def settle(
    xy: NDArray[np.float64],
    weight: NDArray[np.int64],
    count: int,
    limits: tuple[int, int],
    rounds: int,
    state: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """Return the labels 0 … count − 1 of one capacitated k-means run, none empty; limits may still be missed a little.

    Needs at least `count` points.
    """
    centres = spread_centres(xy, weight, count, state)
    price = np.zeros(count)
    label = np.zeros(len(weight), dtype=np.int64)
    load = np.zeros(count, dtype=np.int64)
    total = weight.sum()
    for turn in range(rounds):
        for _ in range(60 if turn == rounds - 1 else 6):
            cost = assign(xy, weight, centres, price, label, load)
            if _reprice(load, limits, 0.6 * cost * count / total**2, price) == 0:
                break
        if turn < rounds - 1:
            _recentre(xy, weight, label, load, centres, state)
    fill_empty(xy, centres, label, count)
    return label


@njit(cache=True)
def free_means(
    xy: NDArray[np.float64], weight: NDArray[np.int64], count: int, starts: int, state: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Return the labels of k-means without limits: Lloyd's rounds until nothing moves, the best of several starts."""
    best_label = np.zeros(len(weight), dtype=np.int64)
    best_cost = np.inf
    price = np.zeros(count)
    label = np.zeros(len(weight), dtype=np.int64)
    load = np.zeros(count, dtype=np.int64)
    for _ in range(starts):
        centres = spread_centres(xy, weight, count, state)
        cost = assign(xy, weight, centres, price, label, load)
        for _ in range(300):  # as many rounds as scikit-learn allows
            _recentre(xy, weight, label, load, centres, state)
            before, cost = cost, assign(xy, weight, centres, price, label, load)
            if cost >= before * (1 - 1e-12):
                break
        if cost < best_cost:
            best_cost = cost
            best_label[:] = label
    return best_label
