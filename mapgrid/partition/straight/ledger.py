"""Area and outline of grids while strings move, so that ends of strings slide to where grids are round.

The shortest string is not the best end on the shore: a border drawn to the narrow part of a village gives one grid land
that the other needs more. Polsby and Popper's measure (1991) of the two grids together says where a string should end.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.cells.land import Land
from mapgrid.partition.cells.rings import sides_of
from mapgrid.partition.straight.network import Network
from mapgrid.partition.straight.world import Ledger, World, length_m


def open_ledger(land: Land, grid: NDArray[np.int64], network: Network, *, decides: bool = True) -> Ledger:
    """Return the ledger of a network: what its strings part, and what the shore adds to each grid (n,) of the cells."""
    faces = land.faces
    count, size = int(grid.max()) + 1, len(faces.nodes)
    of_face = np.append(grid[land.cell_of_face], -1)  # -1 outside
    beside = of_face[sides_of(faces)]
    one, other = network.node[network.start[:-1]], network.node[network.start[:-1] + 1]
    key = faces.edges[:, 0] * size + faces.edges[:, 1]
    first = np.searchsorted(key, np.minimum(one, other) * size + np.maximum(one, other))
    turned = one > other
    left, right = np.where(turned, beside[first].T[::-1], beside[first].T)
    shore = np.flatnonzero(network.fixed & (beside[:, 0] != beside[:, 1]))
    origin = faces.nodes.mean(axis=0)
    start, end = (faces.nodes[faces.edges[shore, at]] - origin for at in (0, 1))
    half = (start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]) / 2
    length = np.hypot(*(end - start).T)
    shore_m2, shore_m = np.zeros(count), np.zeros(count)
    for side, sign in ((0, 1.0), (1, -1.0)):
        of = beside[shore, side]
        shore_m2 += np.bincount(of[of >= 0], weights=sign * half[of >= 0], minlength=count)
        shore_m += np.bincount(of[of >= 0], weights=length[of >= 0], minlength=count)
    return Ledger(decides, left.copy(), right.copy(), shore_m2, shore_m, np.zeros(count), np.zeros(count), origin)


@njit(cache=True)
def count_up(world: World) -> None:
    """Count area and outline of all grids from the strings as they are and the shore."""
    ledger, strings = world.ledger, world.strings
    ledger.area_m2[:] = ledger.shore_m2
    ledger.outline_m[:] = ledger.shore_m
    for v in range(strings.used[0]):
        w = strings.after[v]
        if w < 0:
            continue
        ax, ay = strings.xy[v] - ledger.origin
        bx, by = strings.xy[w] - ledger.origin
        half = (ax * by - ay * bx) / 2
        length = np.hypot(bx - ax, by - ay)
        left, right = ledger.left[strings.string[v]], ledger.right[strings.string[v]]
        ledger.area_m2[left] += half
        ledger.area_m2[right] -= half
        ledger.outline_m[left] += length
        ledger.outline_m[right] += length


@njit(cache=True)
def gain_by_slide(world: World, e: int, at: NDArray[np.float64], step: float) -> float:
    """Return how much rounder the grids beside a string become in sum if its end slides `step` metres to a place."""
    ledger = world.ledger
    one, other, swept, way, shorter = _change(world, e, at, step)
    before = _round(ledger.area_m2[one], ledger.outline_m[one]) + _round(ledger.area_m2[other], ledger.outline_m[other])
    after = _round(ledger.area_m2[one] - swept, ledger.outline_m[one] - way - shorter)
    return float(after + _round(ledger.area_m2[other] + swept, ledger.outline_m[other] + way - shorter) - before)


@njit(cache=True)
def note_slide(world: World, e: int, at: NDArray[np.float64], step: float) -> None:
    """Write into the ledger that the end of a string slides `step` metres along the shore to a place."""
    ledger, strings = world.ledger, world.strings
    one, other, swept, way, shorter = _change(world, e, at, step)
    here, there = strings.xy[e] - ledger.origin, at - ledger.origin
    half = (here[0] * there[1] - here[1] * there[0]) / 2
    ledger.shore_m2[one] -= half
    ledger.shore_m2[other] += half
    ledger.shore_m[one] -= way
    ledger.shore_m[other] += way
    ledger.area_m2[one] -= swept
    ledger.area_m2[other] += swept
    ledger.outline_m[one] -= way + shorter
    ledger.outline_m[other] += way - shorter


@njit(cache=True)
def _change(world: World, e: int, at: NDArray[np.float64], step: float) -> tuple[int, int, float, float, float]:
    """Return the grids left and right of the way to an end of a string, and what the left one loses if that slides.

    That is area (the right one gains it), outline along the shore (likewise), and length of the string (both lose it).
    """
    strings, ledger = world.strings, world.ledger
    n = strings.after[e] if strings.before[e] < 0 else strings.before[e]
    left, right = ledger.left[strings.string[e]], ledger.right[strings.string[e]]
    if strings.before[e] < 0:
        left, right = right, left
    here, to = strings.xy[e], strings.xy[n]
    swept = ((here[0] - to[0]) * (at[1] - to[1]) - (here[1] - to[1]) * (at[0] - to[0])) / 2
    return left, right, swept, (step if swept > 0 else -step), length_m(to, here) - length_m(to, at)


@njit(cache=True, inline="always")
def _round(area_m2: float, outline_m: float) -> float:
    return 4 * np.pi * area_m2 / (outline_m * outline_m)
