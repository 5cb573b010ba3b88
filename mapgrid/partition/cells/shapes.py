"""Arrays of points and lines from coordinates; shapely's own constructors return one geometry or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray


def points_at(xy: NDArray) -> NDArray[np.object_]:
    """Return the points at (n, 2) coordinates."""
    return np.asarray(shapely.points(xy), dtype=object).reshape(len(xy))


def lines_along(segments: NDArray) -> NDArray[np.object_]:
    """Return a line for each of (m, 2, 2) starts and ends."""
    return np.asarray(shapely.linestrings(segments), dtype=object).reshape(len(segments))


def distinct_rows(pairs: NDArray) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the distinct rows of (n, 2) numbers in ascending order, and the place of each row among them."""
    # Twice as fast as numpy.unique over rows.
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    ordered = pairs[order]
    is_new = np.ones(len(pairs), dtype=bool)
    is_new[1:] = (ordered[1:, 0] != ordered[:-1, 0]) | (ordered[1:, 1] != ordered[:-1, 1])
    place = np.empty(len(pairs), dtype=np.int64)
    place[order] = np.cumsum(is_new) - 1
    return ordered[is_new], place


def ranges(start: NDArray[np.int64], which: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all positions from `start[i]` to `start[i + 1]` of each i in `which`, one after another, and offsets."""
    size = start[which + 1] - start[which]
    offset = np.zeros(len(which) + 1, dtype=np.int64)
    np.cumsum(size, out=offset[1:])
    return np.arange(offset[-1]) - np.repeat(offset[:-1] - start[which], size), offset


def node_keys(xy: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return one number per node that only the very same coordinates have."""
    keys: NDArray[np.complex128] = xy[:, 0] + 1j * xy[:, 1]
    return keys
