"""Household points in one order that does not depend on the rows of the input.

Rows that share a point (to the millimetre) share a cell: a building is divided from its neighbours, never inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

SAME_POINT_M = 1e-3


@dataclass(frozen=True, slots=True)
class Points:
    """Distinct household points, west to east, then south to north.

    Attributes
    ----------
    xy
        (n, 2) metres, the coordinates of one of the rows at the point.
    weight
        (n,) households at each point.
    of_row
        (rows,) the point of each input row, -1 where the row has no usable geometry.
    work
        (n,) workload of each point; None when the input has none.
    """

    xy: NDArray[np.float64]
    weight: NDArray[np.int64]
    of_row: NDArray[np.int64]
    work: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """Return how many points there are."""
        return len(self.weight)


def distinct_points(households: GeoDataFrame) -> Points:
    """Return the distinct points of household rows and their summed weights.

    Parameters
    ----------
    households
        Points in metres with a `weight` column; a row without geometry, or with an empty one, is left out. Where there
        is a `workload` column, a row without workload counts with its weight.
    """
    geometry = households.geometry.to_numpy()
    usable = np.flatnonzero(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))
    xy = shapely.get_coordinates(geometry[usable])
    keys = np.round(xy / SAME_POINT_M).astype(np.int64)
    # Rows at one point are ordered by their exact coordinates, so that the point kept for them is always the same.
    order = np.lexsort((xy[:, 1], xy[:, 0], keys[:, 1], keys[:, 0]))
    sorted_keys = keys[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)
    of_row = np.full(len(households), -1, dtype=np.int64)
    of_row[usable[order]] = np.cumsum(is_first) - 1
    weights = households["weight"].to_numpy(dtype=np.int64)[usable]
    weight = np.bincount(of_row[usable], weights=weights, minlength=int(is_first.sum())).astype(np.int64)
    return Points(xy[order][is_first], weight, of_row, _work(households, of_row, len(weight)))


def _work(households: GeoDataFrame, of_row: NDArray[np.int64], count: int) -> NDArray[np.float64] | None:
    """Return the workload of each point, summed in an order that does not depend on the rows."""
    if "workload" not in households:
        return None
    given = pd.to_numeric(households["workload"], errors="coerce").to_numpy(dtype=np.float64)
    work = np.where(np.isnan(given), households["weight"].to_numpy(dtype=np.float64), given)
    order = np.lexsort((work, of_row))
    order = order[of_row[order] >= 0]
    return np.bincount(of_row[order], weights=work[order], minlength=count).astype(np.float64)
