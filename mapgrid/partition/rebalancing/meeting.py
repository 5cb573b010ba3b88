"""New borders that meet a kept border end in a corner it has, so that the kept polygon needs no new node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.recut import recut
from mapgrid.partition.cells.shapes import node_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land

_STRAIGHT_M = 1e-5


def end_in_corners(
    land: Land,
    xy: NDArray[np.float64],
    label: NDArray[np.int64],
    kept: NDArray[np.bool_],
    corners: NDArray[np.float64],
) -> Land:
    """Return the land with the last stroke of each new border led to the nearest corner of the kept border it meets.

    Parameters
    ----------
    land
        Cells cut along former borders, metres.
    xy, label
        (n,) the household point and the grid of each cell.
    kept
        (k,) which labels have the polygon they had.
    corners
        (m, 2) corners of the former polygons.

    Notes
    -----
    Where a household stands between the old and the new stroke, the border stays as it is and the kept polygon gets the
    node: no household may change grid for the sake of a node. Locked polygons are seen to by `leave_untouched`.
    """
    faces = land.faces
    inner, sides = _borders(land, label)
    beside_kept = kept[sides].any(axis=1)
    is_corner = np.isin(node_keys(faces.nodes), node_keys(corners))
    ends, new = meetings(land, label, kept, corners)
    strokes = []
    for end in ends:
        other = _other_sides(inner, sides, kept, int(end))
        corner = _nearest(faces.nodes[end], faces.nodes, inner[beside_kept, :2], is_corner, other)
        if corner is not None:
            strokes.append(shapely.LineString([faces.nodes[last_bend(faces.nodes, new, int(end))], corner]))
    if not strokes:
        return land
    within = np.flatnonzero(~kept[label])
    return recut(land, xy, label, np.array(strokes, dtype=object), within)


def meetings(
    land: Land, label: NDArray[np.int64], kept: NDArray[np.bool_], corners: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nodes in which new borders meet kept ones away from corners, and the edges (e, 2) of new borders."""
    inner, sides = _borders(land, label)
    beside_kept = kept[sides].any(axis=1)
    meets = np.zeros(len(land.faces.nodes), dtype=bool)
    meets[inner[beside_kept, :2]] = True
    meets &= ~np.isin(node_keys(land.faces.nodes), node_keys(corners))
    new: NDArray[np.int64] = inner[~beside_kept, :2]
    return np.unique(new[meets[new]]), new


def _borders(land: Land, label: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the edges between grids, and the grids on both sides of each."""
    inner = land.faces.edges[land.faces.edges[:, 3] >= 0]
    sides = label[land.cell_of_face[inner[:, 2:]]]
    is_border = sides[:, 0] != sides[:, 1]
    return inner[is_border], sides[is_border]


def _other_sides(
    inner: NDArray[np.int64], sides: NDArray[np.int64], kept: NDArray[np.bool_], node: int
) -> NDArray[np.bool_]:
    """Return which borders of kept grids belong to the kept grid that a node is on."""
    touches: NDArray[np.bool_] = np.any(inner[:, :2] == node, axis=1)
    here = np.unique(sides[touches])
    is_theirs: NDArray[np.bool_] = np.any(np.isin(sides, here[kept[here]]), axis=1)
    return is_theirs[np.any(kept[sides], axis=1)]


def _nearest(
    at: NDArray[np.float64],
    nodes: NDArray[np.float64],
    borders: NDArray[np.int64],
    is_corner: NDArray[np.bool_],
    usable: NDArray[np.bool_],
) -> NDArray[np.float64] | None:
    """Return the corner on these borders that is nearest to a point, the western of equals."""
    candidates = np.unique(borders[usable])
    candidates = candidates[is_corner[candidates]]
    if not len(candidates):
        return None
    away = np.round(np.hypot(nodes[candidates, 0] - at[0], nodes[candidates, 1] - at[1]), 6)
    best = candidates[np.lexsort((nodes[candidates, 1], nodes[candidates, 0], away))[0]]
    corner: NDArray[np.float64] = nodes[best]
    return corner


def last_bend(nodes: NDArray[np.float64], borders: NDArray[np.int64], end: int) -> int:
    """Return where the last stroke of a border begins: the first node from its end at which it turns or forks."""
    before, here = end, int(_next(borders, end, -1)[0])
    while True:
        ahead = _next(borders, here, before)
        if len(ahead) != 1 or _off(nodes[end], nodes[int(ahead[0])], nodes[here]) > _STRAIGHT_M:
            return here
        before, here = here, int(ahead[0])


def _next(borders: NDArray[np.int64], node: int, but: int) -> NDArray[np.int64]:
    at = borders[(borders == node).any(axis=1)]
    others = at[at != node]
    found: NDArray[np.int64] = others[others != but]
    return found


def _off(start: NDArray[np.float64], end: NDArray[np.float64], point: NDArray[np.float64]) -> float:
    way, step = end - start, point - start
    return float(abs(way[0] * step[1] - way[1] * step[0]) / max(np.hypot(way[0], way[1]), 1e-12))
