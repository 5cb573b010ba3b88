"""Columns: every connected union of atoms whose households lie within limits, each once, and its figures.

Source of the enumeration: ESU (Wernicke 2006). A set grows only by atoms above its first one that are not yet beside
it, so that every connected set is met exactly once, in an order that depends on the numbers of the atoms alone.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class AtomNet(NamedTuple):
    """Neighbours of atom a: `neighbour[start[a]:start[a + 1]]`; beside each the shared border, way and walled pairs.

    `is_way` tells whether one can walk across; `walled` counts the pairs of cells with a barrier between them.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    border: NDArray[np.float64]
    is_way: NDArray[np.bool_]
    walled: NDArray[np.int64]


class AtomCells(NamedTuple):
    """Households, land (m2), outline (m) and inner walled pairs of each atom, and its points in compressed rows.

    `point` numbers them as the graph does that the atoms are of. Outlines, and the borders between atoms, count by
    their price: less along preferred lines.
    """

    weight: NDArray[np.int64]
    land: NDArray[np.float64]
    outline: NDArray[np.float64]
    walled: NDArray[np.int64]
    start: NDArray[np.int64]
    xy: NDArray[np.float64]
    point_weight: NDArray[np.int64]
    point: NDArray[np.int64]


class Figures(NamedTuple):
    """Of unions: households, summed way to the centre (m), Polsby–Popper, walled pairs inside, too far.

    `far` counts households whose way is longer than wished for, each up to twice by how much.
    """

    load: NDArray[np.int64]
    way: NDArray[np.float64]
    compact: NDArray[np.float64]
    walled: NDArray[np.int64]
    far: NDArray[np.float64]


class _Stack(NamedTuple):
    """The set being grown: its atoms, and for each of them the atoms that may follow, `frontier[low:high]`.

    `seen` tells since which depth an atom is in the set or beside it, -1 if it is not.
    """

    chosen: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    frontier: NDArray[np.int64]
    seen: NDArray[np.int64]


class _Found(NamedTuple):
    """The unions met; of no length when they are only counted. `tally`: unions, their atoms, sets looked at."""

    members: NDArray[np.int64]
    offsets: NDArray[np.int64]
    tally: NDArray[np.int64]


@njit(cache=True)
def _widen(atom: int, root: int, depth: int, net: AtomNet, stack: _Stack) -> None:
    """Set the atoms that may follow once `atom` is in the set: those left before, and those it brings beside it."""
    at = stack.high[depth - 1]
    stack.low[depth] = at
    for k in range(stack.low[depth - 1], stack.high[depth - 1]):
        stack.frontier[at] = stack.frontier[k]
        at += 1
    for e in range(net.start[atom], net.start[atom + 1]):
        other = net.neighbour[e]
        if net.is_way[e] and other > root and stack.seen[other] < 0:
            stack.seen[other] = depth
            stack.frontier[at] = other
            at += 1
    stack.high[depth] = at


@njit(cache=True)
def _narrow(atom: int, depth: int, net: AtomNet, stack: _Stack) -> None:
    """Forget which atoms came beside the set with `atom`."""
    for e in range(net.start[atom], net.start[atom + 1]):
        if stack.seen[net.neighbour[e]] == depth:
            stack.seen[net.neighbour[e]] = -1


@njit(cache=True)
def _note(depth: int, stack: _Stack, found: _Found) -> None:
    made, used = found.tally[0], found.tally[1]
    if len(found.members):
        found.members[used : used + depth + 1] = stack.chosen[: depth + 1]
        found.offsets[made + 1] = used + depth + 1
    found.tally[0] += 1
    found.tally[1] += depth + 1


@njit(cache=True)
def _grow_from(
    root: int,
    net: AtomNet,
    weight: NDArray[np.int64],
    limits: tuple[int, int],
    most: int,
    stack: _Stack,
    found: _Found,
) -> bool:
    """Meet every union whose lowest atom is the root; return whether the budget lasted."""
    stack.seen[root] = 0
    stack.low[0], stack.high[0], stack.frontier[0] = 0, 1, root
    depth, load = 0, 0
    while depth >= 0:
        if stack.high[depth] == stack.low[depth]:
            depth -= 1
            if depth >= 0:
                load -= weight[stack.chosen[depth]]
                _narrow(stack.chosen[depth], depth + 1, net, stack)
            continue
        stack.high[depth] -= 1
        atom = stack.frontier[stack.high[depth]]
        if load + weight[atom] > limits[1]:
            continue
        found.tally[2] += 1
        if found.tally[2] > most:
            return False
        stack.chosen[depth] = atom
        load += weight[atom]
        if load >= limits[0]:
            _note(depth, stack, found)
        depth += 1
        _widen(atom, root, depth, net, stack)
    stack.seen[root] = -1
    return True


@njit(cache=True)
def _meet_all(net: AtomNet, weight: NDArray[np.int64], limits: tuple[int, int], most: int, found: _Found) -> bool:
    """Meet every union; return whether the budget lasted."""
    count = len(weight)
    deepest = min(count, limits[1] // max(1, weight.min())) + 2
    stack = _Stack(
        np.empty(deepest, dtype=np.int64),
        np.zeros(deepest, dtype=np.int64),
        np.zeros(deepest, dtype=np.int64),
        np.empty(deepest * count, dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
    )
    found.tally[:] = 0
    lasted = True
    for root in range(count):
        lasted = lasted and _grow_from(root, net, weight, limits, most, stack, found)
    return lasted


@njit(cache=True)
def connected_unions(
    net: AtomNet, weight: NDArray[np.int64], limits: tuple[int, int], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return the atoms of every connected union within limits, offsets, and whether that is all of them.

    Parameters
    ----------
    net
        Which atoms touch.
    weight
        (a,) households of each atom, ≥ 1.
    limits
        Least and most households of a union.
    most
        How many sets are looked at; the only budget, so that the answer does not depend on the clock. When it does
        not last, no union is returned.
    """
    none = np.empty(0, dtype=np.int64)
    counted = _Found(none, np.zeros(1, dtype=np.int64), np.zeros(3, dtype=np.int64))
    if not _meet_all(net, weight, limits, most, counted):
        return counted.members, counted.offsets, False
    made, used = counted.tally[0], counted.tally[1]
    found = _Found(np.empty(used, dtype=np.int64), np.zeros(made + 1, dtype=np.int64), np.zeros(3, dtype=np.int64))
    _meet_all(net, weight, limits, most, found)
    return found.members, found.offsets, True


@njit(cache=True)
def count_far(metres: float, farthest_m: float) -> float:
    """Return 1 for a way longer than wished for, and up to 2 the longer it is; else 0."""
    return min(2.0, metres / farthest_m) if metres > farthest_m else 0.0


@njit(cache=True)
def mean_of_union(members: NDArray[np.int64], load: int, cells: AtomCells) -> tuple[float, float]:
    """Return the mean of the households of a union, metres."""
    x, y = 0.0, 0.0
    for atom in members:
        for k in range(cells.start[atom], cells.start[atom + 1]):
            x += cells.point_weight[k] * cells.xy[k, 0]
            y += cells.point_weight[k] * cells.xy[k, 1]
    return x / load, y / load


@njit(cache=True)
def _way_to_mean(members: NDArray[np.int64], load: int, cells: AtomCells, farthest_m: float) -> tuple[float, float]:
    """Return the summed distance from the households of a union to their mean, metres, and what is too far."""
    x, y = mean_of_union(members, load, cells)
    total, far = 0.0, 0.0
    for atom in members:
        for k in range(cells.start[atom], cells.start[atom + 1]):
            dx, dy = cells.xy[k, 0] - x, cells.xy[k, 1] - y
            away = np.sqrt(dx * dx + dy * dy)
            total += cells.point_weight[k] * away
            far += cells.point_weight[k] * count_far(away, farthest_m)
    return total, far


@njit(cache=True)
def measure_unions(
    members: NDArray[np.int64], offsets: NDArray[np.int64], net: AtomNet, cells: AtomCells, farthest_m: float
) -> Figures:
    """Return the figures of each union; ways are straight to its mean, too far where longer than `farthest_m`."""
    count = len(offsets) - 1
    load = np.zeros(count, dtype=np.int64)
    way = np.zeros(count)
    compact = np.zeros(count)
    far = np.zeros(count)
    walled = np.zeros(count, dtype=np.int64)
    inside = np.full(len(cells.weight), -1, dtype=np.int64)
    for c in range(count):
        union = members[offsets[c] : offsets[c + 1]]
        land, outline = 0.0, 0.0
        for atom in union:
            load[c] += cells.weight[atom]
            land += cells.land[atom]
            outline += cells.outline[atom]
            walled[c] += cells.walled[atom]
            for e in range(net.start[atom], net.start[atom + 1]):
                if inside[net.neighbour[e]] == c:
                    outline -= 2 * net.border[e]
                    walled[c] += net.walled[e]
            inside[atom] = c
        compact[c] = 4 * np.pi * land / outline**2
        way[c], far[c] = _way_to_mean(union, load[c], cells, farthest_m)
    return Figures(load, way, compact, walled, far)
