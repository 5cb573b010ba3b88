"""Segments and points found by place: a uniform grid of buckets (Franklin 1989).

A segment stands in every bucket it runs through, so that a long line meets only what it comes near to.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Buckets(NamedTuple):
    """What stands in bucket b: `item[start[b]:start[b + 1]]`; bucket = row × columns + column."""

    west: float
    south: float
    size_m: float
    columns: int
    rows: int
    start: NDArray[np.int64]
    item: NDArray[np.int64]


def sort_into_buckets(segments: NDArray[np.float64], *, reach_m: float) -> Buckets:
    """Return buckets of (m, 2, 2) segments; each stands wherever it comes within `reach_m`."""
    flat = segments.reshape(-1, 2)
    west, south = flat.min(axis=0) - 2 * reach_m
    width, height = flat.max(axis=0) + 2 * reach_m - (west, south)
    size_m = max(float(np.sqrt(width * height / max(len(segments), 1))), float(max(width, height)) / 2000, 1e-3)
    columns, rows = int(width / size_m) + 1, int(height / size_m) + 1
    start, item = _fill(segments, (west, south, size_m, columns, rows), reach_m)
    return Buckets(float(west), float(south), size_m, columns, rows, start, item)


@njit(cache=True)
def buckets_along(
    line: tuple[float, float, float, float],
    frame: tuple[float, float, float, int, int],
    reach_m: float,
    found: NDArray[np.int64],
) -> int:
    """Write the buckets within reach of a segment (ax, ay, bx, by) into `found`; return how many."""
    west, south, size_m, columns, rows = frame
    ax, ay, bx, by = line
    if ax > bx:
        ax, ay, bx, by = bx, by, ax, ay
    slope = (by - ay) / (bx - ax) if bx > ax else 0.0
    count = 0
    left = min(max(int(np.floor((ax - reach_m - west) / size_m)), 0), columns - 1)
    right = min(max(int(np.floor((bx + reach_m - west) / size_m)), 0), columns - 1)
    for column in range(left, right + 1):
        low, high = ay, by
        if right > left and bx > ax:
            x0 = min(max(west + column * size_m - reach_m, ax), bx)
            x1 = min(max(west + (column + 1) * size_m + reach_m, ax), bx)
            low, high = ay + slope * (x0 - ax), ay + slope * (x1 - ax)
        if low > high:
            low, high = high, low
        bottom = min(max(int(np.floor((low - reach_m - south) / size_m)), 0), rows - 1)
        top = min(max(int(np.floor((high + reach_m - south) / size_m)), 0), rows - 1)
        for row in range(bottom, top + 1):
            found[count] = row * columns + column
            count += 1
    return count


@njit(cache=True)
def room_for(frame: tuple[float, float, float, int, int]) -> int:
    """Return the most buckets that one segment can run through."""
    return 4 * (frame[3] + frame[4]) + 16


@njit(cache=True)
def _fill(
    segments: NDArray[np.float64], frame: tuple[float, float, float, int, int], reach_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found = np.empty(room_for(frame), dtype=np.int64)
    start = np.zeros(frame[3] * frame[4] + 1, dtype=np.int64)
    for k in range(len(segments)):
        line = (segments[k, 0, 0], segments[k, 0, 1], segments[k, 1, 0], segments[k, 1, 1])
        for at in range(buckets_along(line, frame, reach_m, found)):
            start[found[at] + 1] += 1
    for b in range(len(start) - 1):
        start[b + 1] += start[b]
    filled = start[:-1].copy()
    item = np.empty(start[-1], dtype=np.int64)
    for k in range(len(segments)):
        line = (segments[k, 0, 0], segments[k, 0, 1], segments[k, 1, 0], segments[k, 1, 1])
        for at in range(buckets_along(line, frame, reach_m, found)):
            b = found[at]
            item[filled[b]] = k
            filled[b] += 1
    return start, item
