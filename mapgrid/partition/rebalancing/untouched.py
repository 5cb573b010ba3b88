"""Locked polygons left without a new node, wherever a new border comes upon them.

The last stroke of such a border is led aside into one of the two corners between which it meets the locked border:
from its last bend where no household stands between, else from nearer to its end, at last beside the locked border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.outlines import cell_polygons
from mapgrid.partition.cells.recut import recut_along
from mapgrid.partition.cells.shapes import lines_along, points_at
from mapgrid.partition.rebalancing.keeping import border_segments
from mapgrid.partition.rebalancing.meeting import last_bend, meetings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land

_SHARES = tuple(0.5**step for step in range(8))
"""From where the stroke is led aside: its bend, half-way to its end, and so on."""

_CLEAR_M = 0.05
_ON_BORDER_M = 1e-6
_OUTSIDE_M2 = 1e-3


def leave_untouched(
    land: Land, xy: NDArray[np.float64], label: NDArray[np.int64], locked: NDArray[np.bool_], polygons: NDArray
) -> Land:
    """Return the land with all new borders ending in corners of the locked polygons that they meet.

    Parameters
    ----------
    land, xy, label
        Cells, metres; the household point and the grid of each.
    locked
        (k,) which grids are locked.
    polygons
        Of the locked grids.
    """
    segments = border_segments(polygons)[0]
    tree = shapely.STRtree(lines_along(segments))
    corners = np.unique(segments.reshape(-1, 2), axis=0)
    tried: set[tuple[float, float]] = set()
    while True:
        ends, new = meetings(land, label, locked, corners)
        left = [int(end) for end in ends if tuple(land.faces.nodes[end].tolist()) not in tried]
        if not left:
            return land
        at = land.faces.nodes[left[0]]
        tried.add(tuple(at.tolist()))
        near = tree.query(shapely.Point(at), "dwithin", _ON_BORDER_M)
        start = land.faces.nodes[last_bend(land.faces.nodes, new, left[0])]
        beside = _labels_at(land, label, left[0])
        cells = np.flatnonzero(np.isin(label, beside[~locked[beside]]))
        others = _borders_but(land, label, cells, (start, at))
        for line in _ways_aside(land, xy, cells, (start, at), segments[near].reshape(-1, 2)):
            drawn = np.array([(start, line[0]), line] if (line[0] != start).any() else [line])
            anew = recut_along(land, xy, label, np.concatenate([others, drawn]), cells)
            if len(meetings(anew, label, locked, corners)[0]) < len(ends):
                land = anew
                break


def _borders_but(
    land: Land, label: NDArray[np.int64], cells: NDArray[np.int64], stroke: tuple[NDArray, NDArray]
) -> NDArray[np.float64]:
    """Return the segments of borders between the grids of some cells, without those along a stroke."""
    faces = land.faces
    inner = faces.edges[(faces.edges[:, 3] >= 0) & ~faces.is_wall]
    sides = land.cell_of_face[inner[:, 2:]]
    mine = np.isin(sides, cells).all(axis=1) & (label[sides[:, 0]] != label[sides[:, 1]])
    segments: NDArray[np.float64] = faces.nodes[inner[mine, :2]]
    on_stroke = shapely.dwithin(shapely.LineString(stroke), points_at(segments.reshape(-1, 2)), _ON_BORDER_M)
    return segments[~on_stroke.reshape(-1, 2).all(axis=1)]


def _labels_at(land: Land, label: NDArray[np.int64], node: int) -> NDArray[np.int64]:
    """Return the grids that meet in a node."""
    face = land.faces.edges[(land.faces.edges[:, :2] == node).any(axis=1), 2:]
    return np.unique(label[land.cell_of_face[face[face >= 0]]])


def _ways_aside(
    land: Land,
    xy: NDArray[np.float64],
    cells: NDArray[np.int64],
    stroke: tuple[NDArray[np.float64], NDArray[np.float64]],
    corners: NDArray[np.float64],
) -> Iterator[NDArray[np.float64]]:
    """Yield lines (2, 2) from a stroke into a corner that sweep no household and no land but that of these cells."""
    start, at = stroke
    ground = shapely.coverage_union_all(cell_polygons(land.faces, land.cell_of_face, len(xy), cells))
    houses = points_at(xy[cells])
    away = np.hypot(*(corners - at).T)
    for share in _SHARES:
        leaves = at + share * (start - at)
        for corner in corners[np.lexsort((corners[:, 0], away))]:
            swept = shapely.Polygon([leaves, at, corner])
            is_clear = not shapely.dwithin(swept, houses, _CLEAR_M).any()
            if is_clear and shapely.area(shapely.difference(swept, ground)) < _OUTSIDE_M2:
                yield np.stack([leaves, corner])
