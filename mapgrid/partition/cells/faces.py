"""The planar drawing of a village: Voronoi edges, outline and walls noded once, and the faces between them.

Faces share their nodes: every inner edge is the same pair of nodes on both sides. All that is built from faces later
(cells, groups, grids) is a union of faces, so it can neither gap nor overlap.

Source: snap rounding (Hobby 1999) as in GEOS OverlayNG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from mapgrid.errors import CoverageError
from mapgrid.partition.cells.brink import reach_out
from mapgrid.partition.cells.buckets import come_near
from mapgrid.partition.cells.diagram import NODE_GRID_M, NODES_PER_M, Diagram, borders_met, cells_beside, draw_diagram
from mapgrid.partition.cells.shapes import distinct_rows, lines_along, ranges
from mapgrid.partition.cells.walls import ON_LINE_M, Walls, notch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

COVERAGE_TOLERANCE = 1e-8
"""How far the summed faces may differ from the village, as a share of its area."""

_AT_ONCE = 4096


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

    def polygons(self, which: NDArray[np.int64] | None = None) -> NDArray[np.object_]:
        """Return the faces, or those of these numbers, as polygons."""
        node, ring_start, face_start = self.ring_node, self.ring_start, self.face_start
        if which is not None:
            ring, face_start = ranges(face_start, which)
            at, ring_start = ranges(ring_start, ring)
            node = node[at]
        return polygons_of(self.nodes[node], ring_start, face_start)

    def area_m2(self) -> NDArray[np.float64]:
        """Return the area of each face."""
        # A polygon takes ten times the memory of its nodes: never all of them at once.
        parts = np.array_split(np.arange(len(self.owner)), len(self.owner) // _AT_ONCE + 1)
        return np.concatenate([shapely.area(self.polygons(part)) for part in parts]).astype(np.float64)

    def edge_length(self) -> NDArray[np.float64]:
        """Return the length of each edge in metres."""
        length: NDArray[np.float64] = np.hypot(*(self.nodes[self.edges[:, 0]] - self.nodes[self.edges[:, 1]]).T)
        return length


def draw_faces(
    village: BaseGeometry, xy: NDArray[np.float64], walls: Walls, others: NDArray[np.float64] | None = None
) -> Faces:
    """Return the faces that outline, walls and the borders between nearest points make of a village.

    Parameters
    ----------
    village
        Valid Polygon or MultiPolygon in metres.
    xy
        (n, 2) distinct household points in the village or on its outline, metres.
    walls
        Barriers in the same metres.
    others
        (m, 2, 2) segments that cut faces too but are no walls.

    Raises
    ------
    CoverageError
        If the faces do not add up to the village; this would be a fault of the noding, not of the input.
    """
    village, fixed = reach_out(village, xy)
    fixed = np.concatenate([fixed, notch(walls.segments, xy, within_m=ON_LINE_M)])
    if others is not None:
        fixed = np.concatenate([fixed, notch(others, xy, within_m=ON_LINE_M)])
    diagram = draw_diagram(xy, village)
    met = borders_met(diagram, fixed)
    cut = cells_beside(diagram, xy, fixed, met)
    whole = np.flatnonzero(~cut)
    pieces, owner = _cut_cells(village, diagram, xy, (cut, met), fixed)
    owner = np.concatenate([whole, owner])
    drawn = _joined(diagram.rings(whole), pieces)
    del diagram, pieces  # large, and needed no more
    in_area = np.zeros(len(owner), dtype=bool)
    if len(walls.areas):
        polygons = polygons_of(*drawn)
        in_area[shapely.STRtree(shapely.point_on_surface(polygons)).query(walls.areas, "contains")[1]] = True
    faces = _with_edges(drawn, owner, in_area, np.concatenate([xy, fixed.reshape(-1, 2)]), walls)
    area_m2 = float(faces.area_m2().sum())
    rounding_m2 = NODE_GRID_M * village.length  # nodes on the outline are off it by the rounding of coordinates
    if abs(area_m2 - village.area) > COVERAGE_TOLERANCE * village.area + rounding_m2:
        msg = f"land cut into {area_m2:.3f} m2, expected the village's {village.area:.3f} m2"
        raise CoverageError(msg)
    return faces


def polygons_of(
    xy: NDArray[np.float64], ring_start: NDArray[np.int64], face_start: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Return polygons from ring vertices (metres) and the offsets of rings and of polygons."""
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, (ring_start, face_start))


def _joined(
    whole: tuple[NDArray[np.float64], NDArray[np.int64]], pieces: NDArray[np.object_]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return faces of one ring each, and then polygons, as ring vertices and the offsets of rings and of faces."""
    corners, start = whole
    count = len(start) - 1
    if not len(pieces):
        return corners, start, np.arange(count + 1)
    _, xy, offsets = shapely.to_ragged_array(pieces)
    ring_start, face_start = (np.asarray(offset, dtype=np.int64) for offset in offsets)
    return (
        np.concatenate([corners, xy]),
        np.concatenate([start, start[-1] + ring_start[1:]]),
        np.concatenate([np.arange(count + 1), count + face_start[1:]]),
    )


def _cut_cells(
    village: BaseGeometry,
    diagram: Diagram,
    xy: NDArray[np.float64],
    touched: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    fixed: NDArray[np.float64],
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the faces of the cells that outline or walls cut, and the point nearest to each.

    `touched` are these cells, and the borders that meet an outline or a wall. Only such borders need noding, and only
    such cells need drawing; most do not.
    """
    cut, met = touched
    free = np.flatnonzero(cut[diagram.between].any(axis=1) & ~met)
    shapely.prepare(village)
    free = free[shapely.contains_xy(village, diagram.vertices[diagram.borders[free, 0]])]
    lines = np.concatenate([lines_along(_in_order(fixed)), diagram.lines(np.flatnonzero(met))])
    noded = shapely.union_all(lines, grid_size=NODE_GRID_M)
    drawn = shapely.polygonize(np.concatenate([shapely.get_parts(noded), diagram.lines(free)]))
    polygons = shapely.get_parts(drawn)
    inner = shapely.point_on_surface(polygons)
    owner = np.asarray(cKDTree(xy).query(shapely.get_coordinates(inner))[1], dtype=np.int64)
    kept = cut[owner] & shapely.contains(village, inner)
    return polygons[kept], owner[kept]


def _in_order(segments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return segments drawn from their lower end, sorted: the drawing must not depend on the order of the input."""
    start, end = segments[:, 0], segments[:, 1]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    drawn = np.where(turned[:, None, None], segments[:, ::-1], segments)
    ordered: NDArray[np.float64] = drawn[np.lexsort(drawn.reshape(-1, 4).T)]
    return ordered


def _with_edges(
    drawn: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]],
    owner: NDArray[np.int64],
    in_area: NDArray[np.bool_],
    exact: NDArray[np.float64],
    walls: Walls,
) -> Faces:
    """Return faces as shared nodes and edges; nodes that the input has exactly get their exact coordinates."""
    xy, ring_start, face_start = drawn
    # Halves go up, as in GEOS: beside a northing of 4,000 km one coordinate in a hundred is one.
    keys = np.floor(np.concatenate([xy, exact]) * NODES_PER_M + 0.5).astype(np.int64)
    _, place = distinct_rows(keys)
    used = np.zeros(int(place.max()) + 1, dtype=bool)
    used[place[: len(xy)]] = True
    number = np.cumsum(used) - 1
    ring_node = number[place[: len(xy)]]
    nodes = np.empty((int(used.sum()), 2))
    nodes[ring_node] = xy
    at = place[len(xy) :]
    hit = np.flatnonzero(used[at])[::-1]  # reversed: the first of equals, a household point, wins
    nodes[number[at[hit]]] = exact[hit]
    edges = _edges_of(ring_node, ring_start, face_start)
    is_wall = edges_along(nodes, edges, walls.segments)
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


def edges_along(
    nodes: NDArray[np.float64], edges: NDArray[np.int64], segments: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which edges run along (m, 2, 2) segments."""
    return come_near((nodes[edges[:, 0]] + nodes[edges[:, 1]]) / 2, segments, within_m=ON_LINE_M)
