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
