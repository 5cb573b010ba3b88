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


def come_near(segments: NDArray[np.float64], lines: NDArray[np.float64], *, within_m: float) -> NDArray[np.bool_]:
    """Return which of (n, 2, 2) segments, or points (n, 2), come within so many metres of any of (m, 2, 2) lines."""
    if segments.ndim == 2:
        segments = np.stack([segments, segments], axis=1)
    if not len(lines):
        return np.zeros(len(segments), dtype=bool)
    return _come_near(segments, lines, sort_into_buckets(lines, reach_m=within_m), within_m)


@njit(cache=True)
def _come_near(
    segments: NDArray[np.float64], lines: NDArray[np.float64], buckets: Buckets, within_m: float
) -> NDArray[np.bool_]:
    frame = (buckets.west, buckets.south, buckets.size_m, buckets.columns, buckets.rows)
    found = np.empty(room_for(frame), dtype=np.int64)
    is_near = np.zeros(len(segments), dtype=np.bool_)
    for k in range(len(segments)):
        ax, ay, bx, by = segments[k, 0, 0], segments[k, 0, 1], segments[k, 1, 0], segments[k, 1, 1]
        for at in range(buckets_along((ax, ay, bx, by), frame, within_m, found)):
            for other in buckets.item[buckets.start[found[at]] : buckets.start[found[at] + 1]]:
                cx, cy, dx, dy = lines[other, 0, 0], lines[other, 0, 1], lines[other, 1, 0], lines[other, 1, 1]
                if (
                    min(ax, bx) <= max(cx, dx) + within_m
                    and max(ax, bx) >= min(cx, dx) - within_m
                    and min(ay, by) <= max(cy, dy) + within_m
                    and max(ay, by) >= min(cy, dy) - within_m
                    and _apart((ax, ay, bx, by), (cx, cy, dx, dy)) <= within_m
                ):
                    is_near[k] = True
                    break
            if is_near[k]:
                break
    return is_near


@njit(cache=True)
def _apart(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the distance of two segments; each may be a point."""
    ax, ay, bx, by = one
    cx, cy, dx, dy = other
    of_c = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    of_d = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    of_a = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    of_b = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    if of_c * of_d < 0 and of_a * of_b < 0:
        return 0.0
    to_one = min(_from_point(cx, cy, one), _from_point(dx, dy, one))
    return min(to_one, _from_point(ax, ay, other), _from_point(bx, by, other))


@njit(cache=True)
def _from_point(x: float, y: float, line: tuple[float, float, float, float]) -> float:
    ax, ay, bx, by = line
    square = (bx - ax) ** 2 + (by - ay) ** 2
    share = min(max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square, 0.0), 1.0) if square > 0 else 0.0
    return float(np.hypot(ax + share * (bx - ax) - x, ay + share * (by - ay) - y))
