"""Whether households stand in their village, and what a misplaced one looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata.files.datum import CHINA
from mapgrid.crs import STORAGE_SRID, bd09_to_wgs84, gcj02_to_wgs84, metric_crs_for, wgs84_to_gcj02

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Shift = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]

_LOOKS: dict[str, Shift] = {
    "looks like GCJ-02: --crs gcj02": gcj02_to_wgs84,
    "looks like BD-09: --crs bd09": bd09_to_wgs84,
    "looks like swapped longitude/latitude": lambda lon, lat: (lat, lon),
}
_LOOKS_WHEN_SHIFTED: dict[str, Shift] = {"looks like no GCJ-02: leave out --crs gcj02": wgs84_to_gcj02}


def inside(points: NDArray, village: BaseGeometry) -> NDArray:
    """Return whether each EPSG:4326 point stands in the village or exactly on its border."""
    shapely.prepare(village)
    return np.asarray(shapely.intersects(village, points))


def describe_places(points: NDArray, village: BaseGeometry, others: GeoDataFrame) -> list[str]:
    """Return where each point outside of a village stands, in words.

    Parameters
    ----------
    points
        Points outside, EPSG:4326.
    village
        The boundary, EPSG:4326.
    others
        Villages nearby with `code` and `name`.
    """
    series = gpd.GeoSeries(points, crs=STORAGE_SRID)
    metric = metric_crs_for(village.bounds)
    land = gpd.GeoSeries([village], crs=STORAGE_SRID).to_crs(metric).iloc[0]
    shapely.prepare(land)  # or a hundred thousand points ask each of a hundred thousand corners
    away_m = shapely.distance(land, series.to_crs(metric).to_numpy())
    solid = shapely.multipolygons([shapely.polygons(part.exterior) for part in shapely.get_parts(village)])
    words = [_distance(metres) for metres in away_m]
    for at in np.flatnonzero(shapely.intersects(solid, points)):
        words[at] = "in a hole of its boundary"
    which, where = others.sindex.query(points, predicate="intersects")
    for at, other in zip(which, where, strict=True):
        words[at] = f"in {others['name'].iloc[other]} ({others['code'].iloc[other]})"
    return words


def looks_like(points: NDArray, village: BaseGeometry, *, asked: str | None) -> list[str | None]:
    """Return, for each point outside of a village, what would bring it inside; None when nothing known does."""
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    west, south, east, north = CHINA
    looks: NDArray = np.full(len(points), None, dtype=object)
    candidates = _LOOKS if asked is None or asked.isdigit() else _LOOKS_WHEN_SHIFTED
    for words, shift in candidates.items():
        defined = (lon > west) & (lon < east) & (lat > south) & (lat < north)
        defined |= "swapped" in words
        tried = np.flatnonzero(defined & np.array([look is None for look in looks]))
        if len(tried):
            moved = np.asarray(shapely.points(*shift(lon[tried], lat[tried])))
            looks[tried[inside(moved, village)]] = words
    found: list[str | None] = looks.tolist()
    return found


def _distance(metres: float) -> str:
    return f"{metres:.0f} m outside" if metres < 950 else f"{metres / 1000:.1f} km outside"
