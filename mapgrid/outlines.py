"""Lines a map needs of a coverage: inner borders drawn once, who borders whom, the land outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def bordering_pairs(areas: GeoSeries) -> tuple[NDArray, NDArray]:
    """Return the positions `(left, right)`, left < right, of the areas that share a border of some length.

    Parameters
    ----------
    areas
        Edge-matched polygons in any CRS; only topology is used.
    """
    shapes = areas.to_numpy()
    left, right = areas.sindex.query(shapes, predicate="touches")
    once = left < right
    left, right = left[once], right[once]
    shared = shapely.length(shapely.intersection(shapely.boundary(shapes[left]), shapely.boundary(shapes[right])))
    return left[shared > 0], right[shared > 0]


def inner_borders(areas: GeoSeries) -> BaseGeometry:
    """Return the borders between areas as merged lines, each stretch once, in the CRS of the areas."""
    left, right = bordering_pairs(areas)
    edges = shapely.boundary(areas.to_numpy())
    shared = shapely.intersection(edges[left], edges[right])
    lines = shapely.get_parts(shared)
    merged: BaseGeometry = shapely.line_merge(shapely.union_all(lines[shapely.get_dimensions(lines) == 1]))
    return merged


def neighbours_of(areas: GeoDataFrame, code: str = "code", *, reach: float | None = None) -> dict[str, set[str]]:
    """Return the codes of the areas that border each area; an area alone has an empty set.

    Parameters
    ----------
    reach
        Take areas this near (units of the CRS) for neighbours as well: villages that were not drawn edge to edge.
    """
    codes = areas[code].to_numpy()
    near: dict[str, set[str]] = {one: set() for one in codes}
    pairs = bordering_pairs(areas.geometry) if reach is None else _near_pairs(areas.geometry, reach)
    for left, right in zip(*pairs, strict=True):
        near[codes[left]].add(codes[right])
        near[codes[right]].add(codes[left])
    return near


def _near_pairs(areas: GeoSeries, reach: float) -> tuple[NDArray, NDArray]:
    left, right = areas.sindex.query(areas.to_numpy(), predicate="dwithin", distance=reach)
    return left[left < right], right[left < right]


def surroundings(area: BaseGeometry, *, reach: float) -> BaseGeometry:
    """Return the box around an area, `reach` of its CRS's units wider on each side, without the area itself."""
    west, south, east, north = shapely.bounds(area)
    around: BaseGeometry = shapely.box(west - reach, south - reach, east + reach, north + reach).difference(area)
    return around
