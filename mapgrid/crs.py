"""Coordinate systems: a village's metric CRS, the metric guard, and the two Chinese web-map datums.

Storage is EPSG:4326 with x = longitude, y = latitude; every length and area is computed in metres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyproj import CRS

from mapgrid.errors import NotMetricError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray

STORAGE_SRID = 4326

# Krasovsky ellipsoid as the GCJ-02 transformation uses it (published constants of the transformation).
_GCJ_A = 6378245.0
_GCJ_EE = 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0
_INVERSE_PRECISION_DEG = 1e-14


def metric_crs_for(bounds: tuple[float, float, float, float]) -> CRS:
    """Return a transverse Mercator CRS in metres centred on a box.

    Parameters
    ----------
    bounds
        `(west, south, east, north)` in degrees of EPSG:4326.

    Notes
    -----
    Centred on the village itself, the scale error stays below 1 in 100,000 within 25 km, and no zone border can run
    through a village. The centre is rounded to 0.01 degree, so that a village that grows keeps its CRS.
    """
    west, south, east, north = bounds
    lon, lat = round((west + east) / 2, 2), round((south + north) / 2, 2)
    return CRS.from_proj4(f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs")


def check_metric(*frames: GeoDataFrame | GeoSeries) -> CRS:
    """Return the CRS that all frames share, or raise `NotMetricError` unless its axes are in metres."""
    systems: list[CRS] = [frame.crs for frame in frames]
    for system in systems:
        if system is None:
            msg = "expected a CRS in metres, found none (frame.crs is None); set it before calling"
            raise NotMetricError(msg)
        if {axis.unit_name for axis in system.axis_info} != {"metre"}:
            name = f"EPSG:{system.to_epsg()}" if system.to_epsg() else system.name
            unit = ", ".join(sorted({axis.unit_name for axis in system.axis_info}))
            msg = f"expected a CRS in metres, found {name} in {unit}; reproject with mapgrid.crs.metric_crs_for"
            raise NotMetricError(msg)
        if system != systems[0]:
            msg = f"expected one CRS for all frames, found {systems[0].name} and {system.name}"
            raise NotMetricError(msg)
    return systems[0]


def wgs84_to_gcj02(lon: NDArray, lat: NDArray) -> tuple[NDArray, NDArray]:
    """Return GCJ-02 longitude and latitude (degrees) of WGS 84 points (degrees)."""
    x, y = np.asarray(lon, dtype=float) - 105.0, np.asarray(lat, dtype=float) - 35.0
    ripple = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + ripple
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + ripple
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    rad = np.radians(lat)
    magic = 1.0 - _GCJ_EE * np.sin(rad) ** 2
    d_lat = north * 180.0 / (_GCJ_A * (1.0 - _GCJ_EE) / (magic * np.sqrt(magic)) * np.pi)
    d_lon = east * 180.0 / (_GCJ_A / np.sqrt(magic) * np.cos(rad) * np.pi)
    return lon + d_lon, lat + d_lat


def gcj02_to_wgs84(lon: NDArray, lat: NDArray) -> tuple[NDArray, NDArray]:
    """Return WGS 84 points (degrees) of GCJ-02 points, iterated to about 1e-9 m."""
    wgs_lon, wgs_lat = np.array(lon, dtype=float), np.array(lat, dtype=float)
    for _ in range(30):
        gcj_lon, gcj_lat = wgs84_to_gcj02(wgs_lon, wgs_lat)
        step_lon, step_lat = lon - gcj_lon, lat - gcj_lat
        wgs_lon, wgs_lat = wgs_lon + step_lon, wgs_lat + step_lat
        if max(np.abs(step_lon).max(initial=0.0), np.abs(step_lat).max(initial=0.0)) < _INVERSE_PRECISION_DEG:
            break
    return wgs_lon, wgs_lat


def bd09_to_gcj02(lon: NDArray, lat: NDArray) -> tuple[NDArray, NDArray]:
    """Return GCJ-02 points (degrees) of BD-09 points, iterated against the forward transformation."""
    gcj_lon, gcj_lat = np.asarray(lon, dtype=float) - 0.0065, np.asarray(lat, dtype=float) - 0.006
    for _ in range(30):
        bd_lon, bd_lat = _gcj02_to_bd09(gcj_lon, gcj_lat)
        step_lon, step_lat = lon - bd_lon, lat - bd_lat
        gcj_lon, gcj_lat = gcj_lon + step_lon, gcj_lat + step_lat
        if max(np.abs(step_lon).max(initial=0.0), np.abs(step_lat).max(initial=0.0)) < _INVERSE_PRECISION_DEG:
            break
    return gcj_lon, gcj_lat


def bd09_to_wgs84(lon: NDArray, lat: NDArray) -> tuple[NDArray, NDArray]:
    """Return WGS 84 points (degrees) of BD-09 points."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def _gcj02_to_bd09(lon: NDArray, lat: NDArray) -> tuple[NDArray, NDArray]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006
