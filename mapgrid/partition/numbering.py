"""Serial numbers of grids: as one reads a page, from the north-west to the south-east."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray


def reading_order(centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank 0… of each centre: bands from north to south, west to east inside a band.

    Parameters
    ----------
    centres
        (k, 2) household centres of the grids, metres.

    Notes
    -----
    A band begins at the northernmost centre not yet in one; its height is six tenths of the median distance from a
    centre to its nearest neighbour, so that one row of grids falls into one band.
    """
    count = len(centres)
    rank = np.zeros(count, dtype=np.int64)
    if count == 1:
        return rank
    height = 0.6 * float(np.median(np.asarray(cKDTree(centres).query(centres, k=2)[0])[:, 1]))
    x, y = np.round(centres, 3).T
    north_first = np.lexsort((x, -y))
    band = np.zeros(count, dtype=np.int64)
    top, number = y[north_first[0]], 0
    for grid in north_first:
        if top - y[grid] > height:
            top, number = y[grid], number + 1
        band[grid] = number
    rank[np.lexsort((-y, x, band))] = np.arange(count)
    return rank
