"""Strings pulled tight between households, as one pulls a rope round pegs.

A vertex of a string is taken out, or led round the pegs in its way, when the triangle that the string sweeps holds
nothing else. Two sides of that triangle are string (or shore) already, so whatever crosses the third without an end in
the triangle would have crossed the string before. No household changes side, no two strings cross, no border leaves its
land: the shape of the net is kept, only its length falls. For one string this is the shortest path of its homotopy
class (Lee and Preparata 1984; Hershberger and Snoeyink 1994); forks slide along their strings towards the point of
Fermat.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.straight.world import World, length_m, lift, loosen, put, swept

_EASED_M = 0.05
"""Moves that save less are not worth the corner that they leave."""


@njit(cache=True)
def pull(world: World, v: int, may_bend: bool) -> bool:  # noqa: FBT001
    """Take out a vertex inside a string or, if it may bend, lead the string round the pegs in its way.

    Return whether it moved.
    """
    strings = world.strings
    u, w = strings.before[v], strings.after[v]
    strings.slack[v] = False
    corners = np.empty((3, 2))
    corners[0], corners[1], corners[2] = strings.xy[u], strings.xy[v], strings.xy[w]
    turn = _turn(corners[0], corners[1], corners[2])
    if strings.held[v] != 0 and (strings.held[v] > 0) == (turn > 0):
        return False
    if strings.before[u] == w and strings.after[w] == u:  # a closed string of three vertices
        return False
    count, is_blocked = swept(world, corners, (u, v, w), 1)
    if not may_bend and (is_blocked or count > 0):
        return False
    if is_blocked:
        return _ease(world, v, corners)
    if count == 0:
        take_out(world, v)
    elif not _lead_round(world, v, corners, turn, count):
        return False
    loosen(world, u)
    loosen(world, w)
    return True


@njit(cache=True, inline="always")
def _turn(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


@njit(cache=True)
def take_out(world: World, v: int) -> None:
    """Take a vertex out of its string."""
    strings = world.strings
    u, w = strings.before[v], strings.after[v]
    strings.after[u], strings.before[w] = w, u
    strings.before[v] = strings.after[v] = -2
    lift(world, v)


@njit(cache=True)
def _ease(world: World, v: int, corners: NDArray[np.float64]) -> bool:
    """Move a vertex half-way to the middle of its neighbours when it cannot be taken out; return whether it moved."""
    strings = world.strings
    u, w = strings.before[v], strings.after[v]
    middle = (corners[0] + corners[2]) / 2
    to = (corners[1] + middle) / 2
    was = length_m(corners[0], corners[1]) + length_m(corners[1], corners[2])
    if was - length_m(corners[0], to) - length_m(to, corners[2]) < _EASED_M:
        return False
    for k in range(2):
        part = corners.copy()
        part[2 if k == 0 else 0] = to
        count, is_blocked = swept(world, part, (u, v, w), 1)
        if count > 0 or is_blocked:
            return False
    put(world, v, to[0], to[1])
    strings.held[v] = 0
    for moved in (u, v, w):
        loosen(world, moved)
    return True


@njit(cache=True)
def _lead_round(world: World, v: int, corners: NDArray[np.float64], turn: float, count: int) -> bool:
    """Lead a string along the hull of the pegs in its triangle, instead of through `v`; return whether it moved."""
    strings, pegs = world.strings, world.pegs
    way = 1 if turn > 0 else -1
    here, end = corners[0].copy(), corners[2]
    at = v
    is_first = True
    while True:
        best = -1
        to = end
        for k in range(count):
            p = world.found[k]
            if p >= 0 and way * _turn(here, to, pegs.xy[p]) < 0:
                best, to = k, pegs.xy[p]
        if best < 0:
            return not is_first
        if not is_first:
            at = _insert_after(world, at)
            if at < 0:
                return True
        is_first = False
        put(world, at, to[0], to[1])
        strings.held[at] = way
        strings.slack[at] = True
        here[:] = to
        world.found[best] = -1


@njit(cache=True)
def _insert_after(world: World, v: int) -> int:
    """Return a new vertex behind one in its string, or -1 when there is no more room."""
    strings = world.strings
    n = strings.used[0]
    if n >= len(strings.xy):
        return -1
    strings.used[0] += 1
    w = strings.after[v]
    strings.before[n], strings.after[n] = v, w
    strings.after[v], strings.before[w] = n, n
    strings.string[n], strings.joint[n] = strings.string[v], -1
    return int(n)
