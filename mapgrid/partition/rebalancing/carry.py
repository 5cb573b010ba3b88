"""From a former plan to the households of today: the grid and group that each one has to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from mapgrid.partition.cells.shapes import points_at
from mapgrid.partition.points import SAME_POINT_M

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition.points import Points


class Base(Protocol):
    """A former plan as frames in the metric CRS; a `Plan` is one, and so is what a plan file holds.

    `grids`: `grid` (unique text that ends in three digits) and polygons. `households`: points with `grid` and `group`
    (the grid's name and two digits); None where a household was in no grid.
    """

    @property
    def grids(self) -> GeoDataFrame:
        """Return one row per grid."""

    @property
    def households(self) -> GeoDataFrame:
        """Return one row per household."""

    @property
    def ended(self) -> frozenset[str]:
        """Return names of grids that are no more."""


@dataclass(frozen=True, slots=True)
class BaseFrames:
    """A former plan, or some of its grids, as frames; see `Base`."""

    grids: GeoDataFrame
    households: GeoDataFrame
    ended: frozenset[str] = frozenset()


def with_locked(base: Base, locked: Base) -> BaseFrames:
    """Return a former plan with the locked grids of another one in the place of its grids of those names.

    A household that both have is in the grid that the locked plan says.
    """
    names = frozenset(locked.grids["grid"])
    grids = pd.concat([locked.grids, base.grids[~base.grids["grid"].isin(names)]], ignore_index=True)
    mine = locked.households[locked.households["grid"].isin(names)]
    at = cKDTree(_xy(mine)) if len(mine) else None
    theirs = base.households[~base.households.geometry.isna() & ~base.households["grid"].isin(names)]
    if at is not None and len(theirs):
        theirs = theirs[np.asarray(at.query(_xy(theirs))[0]) > SAME_POINT_M]
    return BaseFrames(grids, pd.concat([mine, theirs], ignore_index=True), base.ended | locked.ended)


def _xy(households: GeoDataFrame) -> NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(households.geometry.to_numpy()), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Carried:
    """What today's household points have from a former plan.

    Attributes
    ----------
    names
        Of the former grids, ascending.
    polygons
        (k,) their land.
    label
        (n,) the former grid of each point: that of the household that stood there (to the millimetre), else the grid
        whose land the point stands in, else the nearest.
    is_old
        (n,) True where a household of the former plan stands at the point.
    group
        (n,) serial 1–99 of the former group, 0 for none.
    has_lost
        (k,) True for grids of which a household is no longer there.
    gone
        Rows of the former plan that are no longer there.
    """

    names: tuple[str, ...]
    polygons: NDArray[np.object_]
    label: NDArray[np.int64]
    is_old: NDArray[np.bool_]
    group: NDArray[np.int64]
    has_lost: NDArray[np.bool_]
    gone: int


def carry(base: Base, points: Points, *, is_whole: bool = True) -> Carried:
    """Return what each of today's points has from a former plan.

    A plan that `is_whole` takes in every point; of one that is not, points on no land of it have the label -1.
    """
    grids = base.grids.sort_values("grid")
    names = tuple(grids["grid"].tolist())
    polygons = grids.geometry.to_numpy()
    rank = {name: label for label, name in enumerate(names)}
    geometry = base.households.geometry.to_numpy()
    rows = np.array(
        [
            row
            for row, (grid, point) in enumerate(zip(base.households["grid"], geometry, strict=True))
            if grid in rank and point is not None and not point.is_empty
        ],
        dtype=np.int64,
    )
    label, is_old = np.full(len(points), -1, dtype=np.int64), np.zeros(len(points), dtype=bool)
    group = np.zeros(len(points), dtype=np.int64)
    has_lost, gone = np.zeros(len(names), dtype=bool), 0
    if len(rows):
        former = np.array([rank[grid] for grid in base.households["grid"].to_numpy()[rows]])
        xy = shapely.get_coordinates(geometry[rows])
        away, at = (np.asarray(found) for found in cKDTree(xy).query(points.xy))
        is_old = away <= SAME_POINT_M
        label[is_old] = former[at[is_old]]
        serials = [_serial(group) for group in base.households["group"].to_numpy()[rows]]
        group[is_old] = np.array(serials, dtype=np.int64)[at[is_old]]
        still_there = np.asarray(cKDTree(points.xy).query(xy)[0]) <= SAME_POINT_M
        has_lost[np.unique(former[~still_there])] = True
        gone = int((~still_there).sum())
    label[~is_old] = _standing_in(polygons, points.xy[~is_old], is_whole=is_whole)
    return Carried(names, polygons, label, is_old, group, has_lost, gone)


def _serial(group: object) -> int:
    return int(group[-2:]) if isinstance(group, str) and group[-2:].isdecimal() else 0


def _standing_in(polygons: NDArray[np.object_], xy: NDArray[np.float64], *, is_whole: bool) -> NDArray[np.int64]:
    """Return the polygon that each point stands in, the first of several, else the nearest or -1."""
    tree, found = shapely.STRtree(polygons), np.full(len(xy), len(polygons), dtype=np.int64)
    at, polygon = tree.query(points_at(xy), "intersects")
    np.minimum.at(found, at, polygon)
    lost = np.flatnonzero(found == len(polygons))
    if len(lost):
        found[lost] = tree.nearest(points_at(xy[lost])) if is_whole else -1
    return found
