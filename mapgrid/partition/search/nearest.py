"""The centres nearest to each point, found in squares of a lattice."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_FEW = 24  # centres that are looked through one by one


@njit(cache=True)
def _sort_into_squares(
    centres: NDArray[np.float64], corner: tuple[float, float], side: float, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each square's centres begin in the second array, which lists them square by square."""
    square = np.empty(len(centres), dtype=np.int64)
    begin = np.zeros(shape[0] * shape[1] + 1, dtype=np.int64)
    for c in range(len(centres)):
        column = int((centres[c, 0] - corner[0]) / side)
        row = int((centres[c, 1] - corner[1]) / side)
        square[c] = column * shape[1] + row
        begin[square[c] + 1] += 1
    for at in range(1, len(begin)):
        begin[at] += begin[at - 1]
    listed = np.empty(len(centres), dtype=np.int64)
    filled = begin[:-1].copy()
    for c in range(len(centres)):
        listed[filled[square[c]]] = c
        filled[square[c]] += 1
    return begin, listed


@njit(cache=True, inline="always")
def _insert(c: int, away: float, found: int, near: NDArray[np.int64], best: NDArray[np.float64]) -> int:
    """Keep `best` ascending with one more distance, if it is among the least; return how many there are."""
    wanted = len(near)
    if found == wanted and (away > best[wanted - 1] or (away == best[wanted - 1] and c > near[wanted - 1])):
        return found
    at = min(found, wanted - 1)
    while at > 0 and (best[at - 1] > away or (best[at - 1] == away and near[at - 1] > c)):
        best[at] = best[at - 1]
        near[at] = near[at - 1]
        at -= 1
    best[at] = away
    near[at] = c
    return min(found + 1, wanted)


@njit(cache=True, inline="always")
def _look_through(
    inside: NDArray[np.int64],
    point: tuple[float, float],
    centres: NDArray[np.float64],
    found: int,
    near: NDArray[np.int64],
    best: NDArray[np.float64],
) -> int:
    """Insert some centres; return how many are found by now."""
    for c in inside:
        away = (point[0] - centres[c, 0]) ** 2 + (point[1] - centres[c, 1]) ** 2
        found = _insert(c, away, found, near, best)
    return found


@njit(cache=True)
def _look_round(
    home: tuple[int, int],
    ring: int,
    shape: tuple[int, int],
    squares: tuple[NDArray[np.int64], NDArray[np.int64]],
    point: tuple[float, float],
    centres: NDArray[np.float64],
    found: int,
    row: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> int:
    """Insert the centres in the squares of one ring around the home square; return how many are found by now."""
    begin, listed = squares
    near, best = row
    for a in range(max(home[0] - ring, 0), min(home[0] + ring, shape[0] - 1) + 1):
        if abs(a - home[0]) == ring:  # a whole side of the ring lies together
            low, high = max(home[1] - ring, 0), min(home[1] + ring, shape[1] - 1)
            inside = listed[begin[a * shape[1] + low] : begin[a * shape[1] + high + 1]]
            found = _look_through(inside, point, centres, found, near, best)
            continue
        for b in (home[1] - ring, home[1] + ring):
            if 0 <= b < shape[1]:
                inside = listed[begin[a * shape[1] + b] : begin[a * shape[1] + b + 1]]
                found = _look_through(inside, point, centres, found, near, best)
    return found


@njit(cache=True, nogil=True)
def near_centres(
    points: NDArray[np.float64], centres: NDArray[np.float64], wanted: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each point its `wanted` nearest centres, nearest first, and the squared distances; ties to the lower.

    Parameters
    ----------
    points, centres
        Metres, x and y in the first two columns; at least `wanted` centres.
    """
    near = np.empty((len(points), wanted), dtype=np.int64)
    best = np.empty((len(points), wanted))
    every = np.arange(len(centres))
    if len(centres) <= _FEW:
        for i in range(len(points)):
            _look_through(every, (points[i, 0], points[i, 1]), centres, 0, near[i], best[i])
        return near, best
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for c in every:
        west, east = min(west, centres[c, 0]), max(east, centres[c, 0])
        south, north = min(south, centres[c, 1]), max(north, centres[c, 1])
    wide, high = east - west, north - south
    side = max(np.sqrt(2 * wide * high / len(centres)), (wide + high) / len(centres), 1e-3)
    shape = (int(wide / side) + 1, int(high / side) + 1)
    squares = _sort_into_squares(centres, (west, south), side, shape)
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        home = (min(max(int((x - west) / side), 0), shape[0] - 1), min(max(int((y - south) / side), 0), shape[1] - 1))
        margin = _margin(x - west - home[0] * side, y - south - home[1] * side, side)
        found = 0
        for ring in range(max(shape)):
            clear = (ring - 1) * side + margin
            if found == wanted and clear > 0 and clear * clear > best[i, wanted - 1]:
                break
            found = _look_round(home, ring, shape, squares, (x, y), centres, found, (near[i], best[i]))
    return near, best


@njit(cache=True, inline="always")
def _margin(x: float, y: float, side: float) -> float:
    """Return how far a point is inside its square; negative when it is outside."""
    return min(x, y, side - x, side - y)
