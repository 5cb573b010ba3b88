"""The planar drawing of a village: Voronoi edges, outline and walls noded once, and the faces between them.

Faces share their nodes: every inner edge is the same pair of nodes on both sides. All that is built from faces later
(cells, groups, grids) is a union of faces, so it can neither gap nor overlap.

Sources: Voronoi diagram by Qhull (Barber, Dobkin, Huhdanpaa 1996); snap rounding (Hobby 1999) as in GEOS OverlayNG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import Voronoi, cKDTree

from mapgrid.errors import CoverageError
from mapgrid.partition.shapes import lines_along, points_at
from mapgrid.partition.walls import ON_LINE_M, OUTSIDE_TOLERANCE_M, Walls, notch, outline_segments

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

NODES_PER_M = 1e7
NODE_GRID_M = 1 / NODES_PER_M
"""Nodes are rounded to this grid while lines are noded, then set back where the input had them exactly."""

COVERAGE_TOLERANCE = 1e-8
"""How far the summed faces may differ from the village, as a share of its area."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces of a village as nodes and rings, with the edges between them.

    Attributes
    ----------
    nodes
        (v, 2) metres.
    ring_node
        Node of each ring vertex, rings one after another, each closed.
    ring_start, face_start
        Offsets of rings in `ring_node`, and of faces in `ring_start` (first ring of a face is its shell).
    owner
        (f,) the household point nearest to each face.
    in_area
        (f,) True where the face lies in a barrier drawn as an area.
    edges
        (e, 4): node, node, face, face (-1 outside), the first node below the second.
    is_wall
        (e,) True where the edge runs along a barrier or inside a barrier area.
    """

    nodes: NDArray[np.float64]
    ring_node: NDArray[np.int64]
    ring_start: NDArray[np.int64]
    face_start: NDArray[np.int64]
    owner: NDArray[np.int64]
    in_area: NDArray[np.bool_]
    edges: NDArray[np.int64]
    is_wall: NDArray[np.bool_]

    def polygons(self) -> NDArray[np.object_]:
        """Return the faces as polygons."""
        offsets = (self.ring_start, self.face_start)
        return shapely.from_ragged_array(shapely.GeometryType.POLYGON, self.nodes[self.ring_node], offsets)

    def edge_length(self) -> NDArray[np.float64]:
        """Return the length of each edge in metres."""
        length: NDArray[np.float64] = np.hypot(*(self.nodes[self.edges[:, 0]] - self.nodes[self.edges[:, 1]]).T)
        return length


def draw_faces(village: BaseGeometry, xy: NDArray[np.float64], walls: Walls) -> Faces:
    """Return the faces that outline, walls and the borders between nearest points make of a village.

    Parameters
    ----------
    village
        Valid Polygon or MultiPolygon in metres.
    xy
        (n, 2) distinct household points in the village or on its outline, metres.
    walls
        Barriers in the same metres.

    Raises
    ------
    CoverageError
        If the faces do not add up to the village; this would be a fault of the noding, not of the input.
    """
    on_border = xy[_near(village.boundary, xy, OUTSIDE_TOLERANCE_M)]
    fixed = notch(outline_segments(village), on_border, within_m=OUTSIDE_TOLERANCE_M)
    fixed = np.concatenate([fixed, notch(walls.segments, xy, within_m=ON_LINE_M)])
    borders = _borders_between(xy, village)
    polygons = _node_and_polygonize(village, borders, fixed)
    inner = shapely.point_on_surface(polygons)
    inside = shapely.contains(_prepared(village), inner)
    polygons, inner = polygons[inside], inner[inside]
    notches_m2 = len(on_border) * OUTSIDE_TOLERANCE_M**2 * 4
    if abs(shapely.area(polygons).sum() - village.area) > COVERAGE_TOLERANCE * village.area + notches_m2:
        msg = f"land cut into {shapely.area(polygons).sum():.3f} m2, expected the village's {village.area:.3f} m2"
        raise CoverageError(msg)
    owner = np.asarray(cKDTree(xy).query(shapely.get_coordinates(inner))[1], dtype=np.int64)
    in_area = np.zeros(len(polygons), dtype=bool)
    in_area[shapely.STRtree(inner).query(walls.areas, "contains")[1]] = True
    return _with_edges(polygons, owner, in_area, np.concatenate([xy, fixed.reshape(-1, 2)]), walls)


def _near(line: BaseGeometry, xy: NDArray[np.float64], within_m: float) -> NDArray[np.bool_]:
    shapely.prepare(line)
    near: NDArray[np.bool_] = shapely.dwithin(line, points_at(xy), within_m)
    return near


def _prepared(geometry: BaseGeometry) -> BaseGeometry:
    shapely.prepare(geometry)
    return geometry


def _borders_between(xy: NDArray[np.float64], village: BaseGeometry) -> NDArray[np.float64]:
    """Return the Voronoi edges between points as segments on the node grid, shape (m, 2, 2), that touch the box."""
    west, south, east, north = village.bounds
    centre = np.array([(west + east) / 2, (south + north) / 2])
    reach = 10 * max(east - west, north - south)
    # Far corners make every border between two households finite.
    corners = reach * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    diagram = Voronoi(np.concatenate([xy - centre, corners]))
    ridges = np.array(diagram.ridge_vertices)
    real = (np.array(diagram.ridge_points) < len(xy)).all(axis=1) & (ridges >= 0).all(axis=1)
    ends = _on_grid(diagram.vertices + centre)[ridges[real]]
    low, high = ends.min(axis=1), ends.max(axis=1)
    touches = (high >= (west, south)).all(axis=1) & (low <= (east, north)).all(axis=1)
    borders: NDArray[np.float64] = ends[touches & (ends[:, 0] != ends[:, 1]).any(axis=1)]
    return borders


def _on_grid(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    # As GEOS rounds, to the last bit: a multiple of 1e-7 and a division by 1e7 differ, and nodes must meet.
    return np.round(xy * NODES_PER_M) / NODES_PER_M


def _node_and_polygonize(
    village: BaseGeometry, borders: NDArray[np.float64], fixed: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Return all faces of the drawing. Only borders that meet an outline or a wall need noding; most do not."""
    fixed_lines = lines_along(_in_order(fixed))
    lines = lines_along(borders)
    meets = np.zeros(len(lines), dtype=bool)
    meets[np.unique(shapely.STRtree(lines).query(fixed_lines, "dwithin", 10 * NODE_GRID_M)[1])] = True
    free = np.flatnonzero(~meets)
    free = free[shapely.contains_xy(_prepared(village), borders[free, 0])]
    noded = shapely.union_all(np.concatenate([fixed_lines, lines[meets]]), grid_size=NODE_GRID_M)
    return shapely.get_parts(shapely.polygonize(np.concatenate([shapely.get_parts(noded), lines[free]])))


def _in_order(segments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return segments drawn from their lower end, sorted: the drawing must not depend on the order of the input."""
    start, end = segments[:, 0], segments[:, 1]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    drawn = np.where(turned[:, None, None], segments[:, ::-1], segments)
    ordered: NDArray[np.float64] = drawn[np.lexsort(drawn.reshape(-1, 4).T)]
    return ordered


def _with_edges(
    polygons: NDArray[np.object_],
    owner: NDArray[np.int64],
    in_area: NDArray[np.bool_],
    exact: NDArray[np.float64],
    walls: Walls,
) -> Faces:
    """Return faces as shared nodes and edges; nodes that the input has exactly get their exact coordinates."""
    _, xy, offsets = shapely.to_ragged_array(polygons)
    ring_start, face_start = (np.asarray(offset, dtype=np.int64) for offset in offsets)
    keys = np.round(xy * NODES_PER_M).astype(np.int64)
    unique, ring_node = np.unique(keys.view([("x", "i8"), ("y", "i8")]).ravel(), return_inverse=True)
    nodes = np.empty((len(unique), 2))
    nodes[ring_node] = xy
    exact_keys = np.round(exact * NODES_PER_M).astype(np.int64).view([("x", "i8"), ("y", "i8")]).ravel()
    at = np.minimum(np.searchsorted(unique, exact_keys), len(unique) - 1)
    hit = np.flatnonzero(unique[at] == exact_keys)[::-1]  # reversed: the first of equals, a household point, wins
    nodes[at[hit]] = exact[hit]
    edges = _edges_of(ring_node, ring_start, face_start)
    is_wall = _on_wall(nodes, edges, walls)
    both = edges[:, 3] >= 0
    is_wall[both] |= in_area[edges[both, 2]] & in_area[edges[both, 3]]
    return Faces(nodes, ring_node, ring_start, face_start, owner, in_area, edges, is_wall)


def _edges_of(
    ring_node: NDArray[np.int64], ring_start: NDArray[np.int64], face_start: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return each edge once: low node, high node, the face or two faces beside it."""
    face_of_ring = np.repeat(np.arange(len(face_start) - 1), np.diff(face_start))
    face = np.repeat(face_of_ring, np.diff(ring_start))
    is_last = np.zeros(len(ring_node), dtype=bool)
    is_last[ring_start[1:] - 1] = True
    start = np.flatnonzero(~is_last)
    low = np.minimum(ring_node[start], ring_node[start + 1])
    high = np.maximum(ring_node[start], ring_node[start + 1])
    face = face[start]
    order = np.lexsort((face, high, low))
    low, high, face = low[order], high[order], face[order]
    again = np.zeros(len(low), dtype=bool)
    again[1:] = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    first = np.flatnonzero(~again)
    other = np.full(len(first), -1, dtype=np.int64)
    has_other = np.append(again[1:], False)[first]
    other[has_other] = face[first[has_other] + 1]
    return np.stack([low[first], high[first], face[first], other], axis=1)


def _on_wall(nodes: NDArray[np.float64], edges: NDArray[np.int64], walls: Walls) -> NDArray[np.bool_]:
    is_wall = np.zeros(len(edges), dtype=bool)
    if len(walls.segments):
        middles = points_at((nodes[edges[:, 0]] + nodes[edges[:, 1]]) / 2)
        hit = shapely.STRtree(middles).query(walls.lines(), "dwithin", ON_LINE_M)[1]
        is_wall[np.unique(hit)] = True
    return is_wall
