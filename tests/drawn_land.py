"""Drawn villages of whole metres, and the rules every plan must keep."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from shapely import LineString, box

from mapgrid.coverage import check_coverage

CRS = "EPSG:32648"


def village(*polygons):
    shape = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
    return gpd.GeoDataFrame(geometry=[shape], crs=CRS)


def households(xy, weight=1):
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    return gpd.GeoDataFrame({"weight": weight}, index=range(len(xy)), geometry=gpd.points_from_xy(*xy.T), crs=CRS)


def lattice(columns, rows, step=20.0, west=0.0, south=0.0):
    """Points in the middle of square plots, the first plot's corner at (west, south)."""
    x, y = np.meshgrid(west + step * (np.arange(columns) + 0.5), south + step * (np.arange(rows) + 0.5))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def barriers(*lines):
    shapes = [line if isinstance(line, shapely.Geometry) else LineString(line) for line in lines]
    return gpd.GeoDataFrame(geometry=shapes, crs=CRS)


def plots(columns, rows, step=20.0, west=0.0, south=0.0):
    return box(west, south, west + columns * step, south + rows * step)


def assert_lawful(plan, land, limits=None):
    """Check what must hold of every plan, whatever the village."""
    limits = limits or plan.limits
    placed = plan.households[plan.households["cell"] >= 0]
    check_coverage(plan.grids, land)
    check_coverage(plan.cells, land)
    assert plan.grids.geometry.is_valid.all()
    assert set(placed["grid"]) == set(plan.grids["grid"])
    own = plan.grids.set_index("grid").geometry.loc[placed["grid"]]
    assert shapely.covers(own.to_numpy(), placed.geometry.to_numpy()).all()
    weight = placed.groupby("grid")["weight"].sum().reindex(plan.grids["grid"])
    assert weight.tolist() == plan.grids["weight"].tolist()
    inside = plan.grids["weight"].between(limits.min, limits.max)
    assert (plan.grids["reason"].notna() == ~inside).all()
    explained = {(piece.grid, piece.part) for piece in plan.pieces}
    for grid, shape in zip(plan.grids["grid"], plan.grids.geometry, strict=True):
        parts = shapely.get_num_geometries(shape)
        assert {(grid, part) for part in range(2, parts + 1)} <= explained
    assert (placed["group"].str[:3] == placed["grid"]).all()
    assert (placed.groupby("group")["grid"].nunique() == 1).all()
