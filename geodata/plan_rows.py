"""From frames of a division in metres to what the tables of plans hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geodata.bulk import ewkb_of, multipart
from mapgrid.crs import STORAGE_SRID, check_metric

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame


def outlines_of(frame: GeoDataFrame) -> list[str | None]:
    """Return the outlines of a frame in metres as EWKB in EPSG:4326, corner by corner."""
    check_metric(frame)
    projected = frame.to_crs(STORAGE_SRID)
    return ewkb_of(projected.set_geometry([multipart(shape) for shape in projected.geometry], crs=STORAGE_SRID))


def heads_of(households: GeoDataFrame) -> pd.Series:
    """Return for each group the household nearest to the middle of all its households; the lower code on a tie."""
    x, y = households.geometry.x, households.geometry.y
    of_group = households["group"]
    distance = np.hypot(x - x.groupby(of_group).transform("mean"), y - y.groupby(of_group).transform("mean"))
    nearest = distance.sort_index().groupby(of_group).idxmin()
    heads: pd.Series = nearest.sort_index()
    return heads
