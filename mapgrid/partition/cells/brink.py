"""Households on the outline of a village, or a hair outside: the outline reaches them, and has a node beside each.

Seven decimals of a degree are a centimetre, so a household on the border may stand on either side of the line. The land
grows by a needle to each that stands outside: a union, so that it never loses land, however near needles, cracks and
corners are to each other. Beside each that stands inside the outline gets a node, so that it stays inside when the line
between the nodes is straight in degrees instead of metres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.buckets import come_near
from mapgrid.partition.cells.shapes import lines_along, node_keys, points_at
from mapgrid.partition.cells.walls import OUTSIDE_TOLERANCE_M, notch, outline_segments

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

ON_OUTLINE_M = 1e-6
"""A household this near to the outline is a node of it."""

_NEEDLE_M = 1e-3
"""Half the width of a needle at its foot, and how deep that reaches into the land."""

_APART_M = 1e-3
"""Nodes beside households are no nearer to each other along the outline."""


def reach_out(village: BaseGeometry, xy: NDArray[np.float64]) -> tuple[BaseGeometry, NDArray[np.float64]]:
    """Return the land of a village with all its households on it, and the segments of its outline.

    Parameters
    ----------
    village
        Valid Polygon or MultiPolygon, metres.
    xy
        (n, 2) points in it or at most `OUTSIDE_TOLERANCE_M` outside, metres.

    Returns
    -------
    land, segments
        The village and needles to the households outside; (m, 2, 2) segments of its rings, with nodes at the
        households on it and beside those near it.
    """
    segments = outline_segments(village)
    # A little farther than a household may stand, so that rounding leaves none out.
    near = xy[come_near(xy, segments, within_m=1.01 * OUTSIDE_TOLERANCE_M)]
    if not len(near):
        return village, segments
    outside = near[shapely.distance(village, points_at(near)) > ON_OUTLINE_M]
    land = shapely.union_all([village, *_needles(village, outside)]) if len(outside) else village
    segments = outline_segments(land)
    near = near[~np.isin(node_keys(near), node_keys(segments[:, 0]))]
    segments = notch(segments, near, within_m=ON_OUTLINE_M)
    inside = near[shapely.distance(land.boundary, points_at(near)) > ON_OUTLINE_M]
    return land, _with_feet(segments, inside)


def _needles(village: BaseGeometry, xy: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return a triangle for each point outside, from the point to either side of where the land is nearest."""
    nearest = shapely.get_coordinates(shapely.shortest_line(village, points_at(xy))).reshape(-1, 2, 2)[:, 0]
    way = nearest - xy
    way *= _NEEDLE_M / np.hypot(*way.T)[:, None]
    across = way[:, ::-1] * (-1, 1)
    triangles = np.stack([xy, nearest + way + across, nearest + way - across], axis=1)
    needles: NDArray[np.object_] = np.asarray(shapely.polygons(triangles), dtype=object)
    return needles


def _with_feet(segments: NDArray[np.float64], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return segments (m, 2, 2) with a node beside each point within `OUTSIDE_TOLERANCE_M`, where it is nearest."""
    point, at = shapely.STRtree(lines_along(segments)).query(points_at(xy), "dwithin", OUTSIDE_TOLERANCE_M)
    start, way = segments[at, 0], segments[at, 1] - segments[at, 0]
    length = np.hypot(*way.T)
    along = ((xy[point] - start) * way).sum(axis=1) / length
    order = np.lexsort((along, at))
    order = order[((along > _APART_M) & (along < length - _APART_M))[order]]
    apart = np.ones(len(order), dtype=bool)
    apart[1:] = (np.diff(at[order]) > 0) | (np.diff(along[order]) > _APART_M)
    order = order[apart]
    feet = start[order] + (along / length)[order, None] * way[order]
    number = np.concatenate([np.arange(len(segments)), at[order]])
    first = np.concatenate([segments[:, 0], feet])
    in_turn = np.lexsort((np.concatenate([np.zeros(len(segments)), along[order]]), number))
    number, first = number[in_turn], first[in_turn]
    is_last = np.append(number[1:] != number[:-1], True)
    second = np.where(is_last[:, None], segments[number, 1], np.roll(first, -1, axis=0))
    return np.stack([first, second], axis=1)
