"""Land cut so that the borders of a former plan stay: grids whose households did not change keep their polygon.

New cells end on former borders at new, "soft" nodes, which lie on a straight stretch between two former corners. Where
only two grids meet in one, grid polygons leave it out, so that a kept polygon is the former one to the bit and its
neighbours still share every node with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from mapgrid.partition.cells.outlines import merge
from mapgrid.partition.cells.recut import recut, recut_along
from mapgrid.partition.cells.shapes import distinct_rows, lines_along, node_keys, points_at
from mapgrid.partition.cells.walls import segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.partition.cells.land import Land

SAME_NODE_M = 2e-5
"""Two nodes this near are one: lines go through a node that is half as near (see `noding`)."""

_ON_BORDER_M = 1e-6


def cut_along_borders(
    land: Land, xy: NDArray[np.float64], label: NDArray[np.int64], polygons: NDArray[np.object_], village: BaseGeometry
) -> Land:
    """Return the land with the borders between former grids as borders between cells of different labels.

    Parameters
    ----------
    land
        Cells of today's points, metres.
    xy, label
        (n,) the household point of each cell, and the former grid it belongs to.
    polygons
        Of the former grids; those of locked grids may be only some of them.
    village
        Its outline is no border.
    """
    segments, count = border_segments(polygons)
    inner = segments[count > 1]
    alone = segments[count == 1]
    shapely.prepare(village.boundary)
    middle = points_at(alone.mean(axis=1))
    alone = alone[~shapely.dwithin(village.boundary, middle, _ON_BORDER_M * 1e3)]
    if len(alone) and len(inner) and not _are_apart(alone, inner):
        cut = recut(land, xy, label, lines_along(np.concatenate([inner, alone])))
    else:
        cut = recut_along(land, xy, label, np.concatenate([inner, alone]))
    return with_exact_nodes(cut, np.unique(shapely.get_coordinates(polygons), axis=0))


def border_segments(polygons: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the segments of polygons, each once, and how many polygons have it."""
    segments = segments_of(shapely.get_rings(shapely.get_parts(polygons)))[0]
    start, end = segments[:, 0], segments[:, 1]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    drawn = np.where(turned[:, None, None], segments[:, ::-1], segments)
    _, first, count = np.unique(drawn.reshape(-1, 4), axis=0, return_index=True, return_counts=True)
    return drawn[first], count


def _are_apart(alone: NDArray[np.float64], inner: NDArray[np.float64]) -> bool:
    """Return whether segments meet others at their ends only."""
    lines = np.concatenate([lines_along(alone), lines_along(inner)])
    crossing = shapely.STRtree(lines).query(lines_along(alone), "crosses")
    covered = shapely.STRtree(lines).query(lines_along(alone), "overlaps")
    return not crossing.size and not covered.size


def with_exact_nodes(land: Land, corners: NDArray[np.float64]) -> Land:
    """Return the land with nodes at former corners set to their coordinates, to the last bit."""
    nodes = land.faces.nodes.copy()
    away, at = (np.asarray(found) for found in cKDTree(corners).query(nodes))
    same = away <= SAME_NODE_M
    nodes[same] = corners[at[same]]
    return replace(land, faces=replace(land.faces, nodes=nodes))


def soft_nodes(
    land: Land, xy: NDArray[np.float64], label: NDArray[np.int64], polygons: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Return the nodes of borders, (s, 2), that lie on former borders between two of their corners.

    Parameters
    ----------
    land, xy, label
        The cells, and the household point and the grid of each.
    polygons
        Of the former grids.
    """
    edges = land.faces.edges[land.faces.edges[:, 3] >= 0]
    sides = label[land.cell_of_face[edges[:, 2:]]]
    nodes = land.faces.nodes[np.unique(edges[sides[:, 0] != sides[:, 1], :2])]
    corners = np.unique(shapely.get_coordinates(polygons), axis=0)
    fixed = np.isin(node_keys(nodes), node_keys(np.concatenate([corners, xy])))
    free = np.flatnonzero(~fixed)
    lines = lines_along(border_segments(polygons)[0])
    at = shapely.STRtree(points_at(nodes[free])).query(lines, "dwithin", _ON_BORDER_M)[1]
    soft: NDArray[np.float64] = nodes[free[np.unique(at)]]
    return soft


def unseen_nodes(land: Land, label: NDArray[np.int64], soft: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the soft nodes, as keys, in which no more than two grids meet: polygons of grids leave them out."""
    if not len(soft):
        return np.empty(0, dtype=np.complex128)
    keys = node_keys(land.faces.nodes)
    edges = land.faces.edges[np.isin(keys, node_keys(soft))[land.faces.edges[:, :2]].any(axis=1)]
    node, face = np.repeat(edges[:, :2], 2, axis=1).ravel(), np.tile(edges[:, 2:], 2).ravel()
    inside = face >= 0
    pairs, _ = distinct_rows(np.stack([node[inside], label[land.cell_of_face[face[inside]]]], axis=1))
    meeting = np.bincount(pairs[:, 0], minlength=len(keys))
    unseen: NDArray[np.complex128] = np.intersect1d(keys[meeting <= 2], node_keys(soft))
    return unseen


def outlines_of(
    shapes: NDArray[np.object_], label: NDArray[np.int64], count: int, unseen: NDArray[np.complex128]
) -> NDArray[np.object_]:
    """Return the union of the cells of each label, without `unseen_nodes` on a straight border."""
    outlines = merge(shapes, label, count)
    if not len(unseen):
        return outlines
    xy, owner = shapely.get_coordinates(outlines, return_index=True)
    keys = np.setdiff1d(unseen, _bent(outlines))
    for number in np.unique(owner[np.isin(node_keys(xy), keys)]):
        outlines[number] = _without(outlines[number], keys)
    return outlines


def _bent(shapes: NDArray[np.object_]) -> NDArray[np.complex128]:
    """Return the corners in which an outline turns, as keys."""
    xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    first = np.flatnonzero(np.append(True, ring[1:] != ring[:-1]))
    last = np.append(first[1:], len(xy)) - 1
    before, after = np.roll(xy, 1, axis=0), np.roll(xy, -1, axis=0)
    before[first], after[last] = xy[last - 1], xy[first + 1]
    way, step = after - before, xy - before
    off = np.abs(way[:, 0] * step[:, 1] - way[:, 1] * step[:, 0]) / np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-12)
    return node_keys(xy[off > _ON_BORDER_M])


def _without(shape: BaseGeometry, keys: NDArray[np.complex128]) -> BaseGeometry:
    parts = []
    for part in shapely.get_parts(shape):
        rings = []
        for ring in shapely.get_rings(part):
            corners = shapely.get_coordinates(ring)[:-1]
            rings.append(corners[~np.isin(node_keys(corners), keys)])
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def kept_as_they_were(
    outlines: NDArray[np.object_], former: NDArray[np.object_], village: BaseGeometry
) -> NDArray[np.bool_]:
    """Return which outlines have the same inner borders as the former polygons, node by node.

    Nodes on the outline of the village may differ: nobody shares them.
    """
    if not len(outlines):
        return np.zeros(0, dtype=bool)
    kept: NDArray[np.bool_] = np.abs(shapely.area(outlines) - shapely.area(former)) <= 1e-6 * shapely.area(former)
    one, of_one = _distinct_nodes(outlines)
    other, of_other = _distinct_nodes(former)
    xy, number = np.concatenate([one, other]), np.concatenate([of_one, of_other])
    order = np.lexsort((xy[:, 1], xy[:, 0], number))
    same = (xy[order][1:] == xy[order][:-1]).all(axis=1) & (number[order][1:] == number[order][:-1])
    alone = order[~(np.append(same, False) | np.append(False, same))]  # a node of one of the two
    border = village.boundary
    shapely.prepare(border)
    inside = ~shapely.dwithin(border, points_at(xy[alone]), _ON_BORDER_M * 1e3)
    kept[number[alone[inside]]] = False
    return kept


def _distinct_nodes(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the nodes of shapes, each once per shape, and the shape that each is of."""
    xy, number = shapely.get_coordinates(shapes, return_index=True)
    order = np.lexsort((xy[:, 1], xy[:, 0], number))
    xy, number = xy[order], number[order]
    is_new = np.append(True, (xy[1:] != xy[:-1]).any(axis=1) | (number[1:] != number[:-1]))
    return xy[is_new], number[is_new]
