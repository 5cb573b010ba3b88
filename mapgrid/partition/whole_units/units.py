"""Units (villager groups, buildings): which one each household is in, read from polygons or from a column.

A point on a shared border, or where polygons overlap, is in the unit whose name comes first. Rows of two units at one
point are one atom of land: the point goes to the unit with most households there, and what went astray is noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.shapes import points_at
from mapgrid.partition.cells.walls import OUTSIDE_TOLERANCE_M
from mapgrid.village import UNIT_COLUMN, touches, unit_names

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.partition.points import Points

OVERLAP_M2 = 1.0
"""Two units that share less land than this only have inexact borders."""


@dataclass(frozen=True, slots=True)
class OddUnit:
    """What is odd about a unit, or what was done to it.

    Attributes
    ----------
    name, households
        Of the unit.
    why
        A sentence.
    is_split
        Whether it is in more than one grid; a reason says so too.
    """

    name: str
    households: int
    why: str
    is_split: bool = False

    def as_record(self) -> dict[str, str | int]:
        """Return name, households and sentence as a plain record for a report."""
        return {"name": self.name, "households": self.households, "why": self.why}


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one village.

    Attributes
    ----------
    names
        In ascending order; a unit's number is its place here.
    of_row, of_point
        The unit of each household row and of each distinct point, -1 for none.
    polygons
        (u,) the land of each unit, metres; empty when units were read from a column.
    odd
        What was decided while reading.
    """

    names: tuple[str, ...]
    of_row: NDArray[np.int64]
    of_point: NDArray[np.int64]
    polygons: NDArray[np.object_]
    odd: tuple[OddUnit, ...]


def read_units(
    units: GeoDataFrame | None, households: GeoDataFrame, points: Points, village: BaseGeometry
) -> Units | None:
    """Return the units of a village, or None when it has none.

    Parameters
    ----------
    units
        Polygons with `unit`, in the metric CRS of the households, checked by `check_units`; None to read the column
        `unit` of `households`, where a missing or empty name is no unit. Units beside the village are left out.
    households
        As `distinct_points` took them.
    points
        The distinct points of these rows.
    """
    if units is not None:
        return _from_polygons(units[touches(units, village)], points)
    if UNIT_COLUMN in households.columns:
        given = unit_names(households[UNIT_COLUMN])
        if given.notna().any():
            return _from_column(given, households, points)
    return None


def _from_polygons(units: GeoDataFrame, points: Points) -> Units:
    given = unit_names(units[UNIT_COLUMN])
    order = np.argsort(given.to_numpy(dtype=str), kind="stable")
    names = tuple(given.iloc[order])
    polygons = units.geometry.to_numpy()[order]
    of_point = unit_at(polygons, points_at(points.xy))
    of_row = np.where(points.of_row >= 0, of_point[points.of_row], -1)
    weight = np.bincount(of_point[of_point >= 0], weights=points.weight[of_point >= 0], minlength=len(names)).astype(
        np.int64
    )
    odd = [OddUnit(name, 0, "no household stands in it") for name in np.array(names)[weight == 0].tolist()]
    return Units(names, of_row, of_point, polygons, (*_overlaps(polygons, names, weight), *odd))


def unit_at(polygons: NDArray[np.object_], places: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the lowest number of the polygons that hold each point, else the nearest within 2 cm, else -1."""
    found = np.full(len(places), len(polygons), dtype=np.int64)
    tree = shapely.STRtree(polygons)
    place, polygon = tree.query(places, "intersects")
    np.minimum.at(found, place, polygon)
    lost = np.flatnonzero(found == len(polygons))
    found[lost] = -1
    # Seven decimals of a degree are one centimetre: a point this far out stands on the border.
    near, polygon = tree.query_nearest(places[lost], max_distance=OUTSIDE_TOLERANCE_M, all_matches=False)
    found[lost[near]] = polygon
    return found


def _overlaps(polygons: NDArray[np.object_], names: tuple[str, ...], weight: NDArray[np.int64]) -> list[OddUnit]:
    if shapely.coverage_is_valid(polygons):
        return []
    one, other = shapely.STRtree(polygons).query(polygons, "intersects")
    kept = one < other
    one, other = one[kept], other[kept]
    area_m2 = shapely.area(shapely.intersection(polygons[one], polygons[other]))
    return [
        OddUnit(
            names[other[k]],
            int(weight[other[k]]),
            f"overlaps unit {names[one[k]]} by {area_m2[k]:.0f} m2; that land and its households count for the latter",
        )
        for k in np.flatnonzero(area_m2 > OVERLAP_M2)
    ]


def _from_column(given: pd.Series, households: GeoDataFrame, points: Points) -> Units:
    named = given.notna().to_numpy()
    texts = given.to_numpy(dtype=object)
    names = tuple(sorted(set(texts[named])))
    of_row = np.full(len(given), -1, dtype=np.int64)
    of_row[named] = np.searchsorted(np.array(names, dtype=object), texts[named])
    at = np.flatnonzero(named & (points.of_row >= 0))
    weights = households["weight"].to_numpy(dtype=np.int64)[at]
    key, place = np.unique(points.of_row[at] * len(names) + of_row[at], return_inverse=True)
    held = np.bincount(place, weights=weights, minlength=len(key)).astype(np.int64)
    point, unit = key // len(names), key % len(names)
    order = np.lexsort((unit, -held, point))
    first = order[np.unique(point[order], return_index=True)[1]]
    of_point = np.full(len(points), -1, dtype=np.int64)
    of_point[point[first]] = unit[first]
    astray = np.setdiff1d(order, first)
    odd = [
        OddUnit(
            names[unit[k]],
            int(held[k]),
            f"households at one point with more of unit {names[of_point[point[k]]]}, which they go with",
        )
        for k in astray
    ]
    return Units(names, of_row, of_point, np.empty(0, dtype=object), tuple(odd))


def units_split(units: Units, cell_of_row: NDArray[np.int64], grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the units with households in more than one grid, ascending.

    Parameters
    ----------
    cell_of_row
        The cell of each household row, -1 for none.
    grid
        The grid of each cell.
    """
    placed = (units.of_row >= 0) & (cell_of_row >= 0)
    grids = int(grid.max()) + 1
    pairs = np.unique(units.of_row[placed] * grids + grid[cell_of_row[placed]])
    return np.flatnonzero(np.bincount(pairs // grids, minlength=len(units.names)) > 1)
