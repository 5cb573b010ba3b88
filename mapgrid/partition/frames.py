"""Labels as frames with names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pyproj import CRS

    from mapgrid.partition.points import Points
    from mapgrid.partition.reasons import Reason


def cells_frame(
    shapes: NDArray[np.object_], grid: NDArray[np.int64], group: NDArray[np.int64], names: Sequence[str], crs: CRS
) -> GeoDataFrame:
    """Return the cells with the names of their grid and group; groups count from 01 in each grid."""
    first = np.full(int(grid.max()) + 1, len(group), dtype=np.int64)
    np.minimum.at(first, grid, group)
    grids = [names[label] for label in grid]
    groups = [f"{name}{number + 1:02d}" for name, number in zip(grids, group - first[grid], strict=True)]
    return gpd.GeoDataFrame({"grid": texts(grids), "group": texts(groups)}, geometry=shapes, crs=crs)


def grids_frame(
    outlines: NDArray[np.object_],
    points: Points,
    grid: NDArray[np.int64],
    reasons: Iterable[Reason],
    names: Sequence[str],
    crs: CRS,
) -> GeoDataFrame:
    """Return the grids in the order of their labels, with name, rows, households and reason code."""
    code = {reason.grid: reason.code.value for reason in reasons}
    at = points.of_row[points.of_row >= 0]
    return gpd.GeoDataFrame(
        {
            "grid": texts(list(names)),
            "households": np.bincount(grid[at], minlength=len(outlines)),
            "weight": np.bincount(grid, weights=points.weight, minlength=len(outlines)).astype(np.int64),
            "reason": texts([code.get(name) for name in names]),
        },
        geometry=outlines,
        crs=crs,
    )


def households_frame(households: GeoDataFrame, points: Points, cells: GeoDataFrame) -> GeoDataFrame:
    """Return the rows of the input with grid, group and cell; None and -1 for a row without geometry."""
    named = households.copy()
    grids, groups = cells["grid"].tolist(), cells["group"].tolist()
    named["grid"] = texts([grids[cell] if cell >= 0 else None for cell in points.of_row], named.index)
    named["group"] = texts([groups[cell] if cell >= 0 else None for cell in points.of_row], named.index)
    named["cell"] = points.of_row
    return named


def texts(values: list[str] | list[str | None] | NDArray[np.object_], index: pd.Index | None = None) -> pd.Series:
    """Return texts as a column, None where there is none."""
    # A plain object column: a missing text stays None, where pandas' own text columns would make it NaN.
    return pd.Series(values, index=index, dtype="object")
