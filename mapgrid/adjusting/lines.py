"""What a hand-drawn line parts: pieces of grids, and the households in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition.cells.shapes import points_at

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.adjusting.edits import Line
    from mapgrid.partition.plan import Plan

ON_LINE_M = 0.05
"""A household this near to a line stands on neither side of it."""

UNDERSHOOT_M = 10.0
"""An end this near to the border of a grid was meant to reach it."""


def line_of(plan: Plan, corners: Line) -> shapely.LineString:
    """Return the line of an edit, or refuse one that parts nothing wherever it lies."""
    xy = np.asarray(corners, dtype=float).reshape(-1, 2)
    line = shapely.LineString(xy) if len(xy) > 1 and np.isfinite(xy).all() else shapely.LineString()
    if line.length <= 0 or not line.is_simple:
        found = "a line that crosses itself" if line.length > 0 else "no length, or a corner that is no number"
        raise EditRefusedError(Refusal.LINE_UNFIT, "a line of two corners or more", found, "draw the line again")
    if not shapely.intersects(plan.division.village.geometry.iloc[0], line):
        hint = "draw it across the grids; its corners are metres in the CRS of the plan"
        raise EditRefusedError(Refusal.LINE_OUTSIDE, "a line in the village", "one outside of it", hint)
    return line


def check_clear(plan: Plan, cells: NDArray[np.int64], line: shapely.LineString) -> None:
    """Refuse a line that runs through a household of these cells."""
    shapely.prepare(line)
    near = cells[shapely.dwithin(line, points_at(plan.division.points.xy[cells]), ON_LINE_M)]
    if len(near):
        found = f"one through household {household_at(plan, int(near[0]))}"
        hint = f"draw it more than {ON_LINE_M} m beside the house"
        raise EditRefusedError(Refusal.LINE_THROUGH_HOUSEHOLD, "a line between households", found, hint)


def household_at(plan: Plan, cell: int) -> object:
    """Return the label of the first household of a cell."""
    return plan.households.index[np.flatnonzero(plan.division.points.of_row == cell)[0]]


def pieces_along(polygon: BaseGeometry, line: shapely.LineString) -> NDArray[np.object_]:
    """Return the polygons a line cuts a polygon into; its own parts where it does not. Ends reach up to 10 m further.

    Parts that the line does not cut are left out.
    """
    found: list[shapely.Geometry] = []
    for part in shapely.get_parts(polygon):
        cut = _cut(part, line)
        if len(cut) < 2:
            cut = _cut(part, longer(line))
        if len(cut) > 1:
            found.extend(cut)
    return np.array(found, dtype=object)


def _cut(part: shapely.Polygon, line: shapely.LineString) -> NDArray[np.object_]:
    noded = shapely.union_all([part.boundary, line])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    kept: NDArray[np.object_] = faces[shapely.contains(part, shapely.point_on_surface(faces))]
    return kept


def longer(line: shapely.LineString) -> shapely.LineString:
    """Return a line led straight on at both ends, by as much as it may be short."""
    xy = shapely.get_coordinates(line)
    return shapely.LineString(np.concatenate([_ahead(xy[1], xy[0]), xy, _ahead(xy[-2], xy[-1])]))


def _ahead(before: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    way = end - before
    ahead: NDArray[np.float64] = (end + way * (UNDERSHOOT_M / float(np.hypot(*way))))[None, :]
    return ahead


def piece_of_points(pieces: NDArray[np.object_], xy: NDArray[np.float64], inside: BaseGeometry) -> NDArray[np.int64]:
    """Return the piece each point stands in; -1 for points of parts of the polygon that were not cut.

    Parameters
    ----------
    pieces
        As `pieces_along` returns them.
    xy
        (n, 2) points of the polygon, none on the line.
    inside
        The polygon that was cut.
    """
    at, piece = shapely.STRtree(pieces).query(points_at(xy), "intersects")
    of_point = np.full(len(xy), -1, dtype=np.int64)
    of_point[at[::-1]] = piece[::-1]
    lost = np.flatnonzero(of_point < 0)
    if len(lost) and len(shapely.get_parts(inside)) == 1:  # a rounding error outside the outline
        of_point[lost] = shapely.STRtree(pieces).nearest(points_at(xy[lost]))
    return of_point


def sides_of(pieces: NDArray[np.object_]) -> NDArray[np.int64] | None:
    """Return the side of the line, 0 or 1, each piece is on: pieces that touch along it differ. None if they cannot."""
    one, other = shapely.STRtree(pieces).query(pieces, "intersects")
    once = one < other
    one, other = one[once], other[once]
    shared = shapely.length(shapely.intersection(pieces[one], pieces[other]))
    one, other = one[shared > 0], other[shared > 0]
    count = len(pieces)
    # A graph has two sides if and only if its double cover (each piece once per side) falls apart into both.
    ends = (np.concatenate([one, one + count]), np.concatenate([other + count, other]))
    double = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(2 * count, 2 * count))
    number = connected_components(double, directed=False)[1]
    if (number[:count] == number[count:]).any():
        return None
    first: NDArray[np.int64] = (number[:count] > number[count:]).astype(np.int64)
    return first
