"""The Voronoi diagram of household points: which land is nearest to whom, before outline and walls cut it.

Source: Qhull (Barber, Dobkin, Huhdanpaa 1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import Voronoi, cKDTree

from mapgrid.partition.cells.buckets import come_near
from mapgrid.partition.cells.shapes import distinct_rows, lines_along

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

NODES_PER_M = 1e7
NODE_GRID_M = 1 / NODES_PER_M
"""Nodes are rounded to this grid while lines are noded, then set back where the input had them exactly."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """Borders between nearest points, on the node grid.

    Attributes
    ----------
    vertices
        (v, 2) metres.
    borders
        (m, 2) the vertices at the ends of each border; none has length zero.
    between
        (m, 2) the two points that a border is half-way between.
    ring, ring_start
        Vertices around the cell of point i: `ring[ring_start[i]:ring_start[i + 1]]`, not closed, in order.
    """

    vertices: NDArray[np.float64]
    borders: NDArray[np.int64]
    between: NDArray[np.int64]
    ring: NDArray[np.int64]
    ring_start: NDArray[np.int64]

    def lines(self, which: NDArray) -> NDArray[np.object_]:
        """Return some borders as lines."""
        return lines_along(self.vertices[self.borders[which]])

    def rings(self, points: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the cells of some points, each of at least three vertices, as closed rings (metres) and offsets."""
        size = np.diff(self.ring_start)[points]
        start = np.zeros(len(points) + 1, dtype=np.int64)
        np.cumsum(size + 1, out=start[1:])
        at = np.arange(start[-1]) - np.repeat(start[:-1], size + 1)
        at = np.where(at == np.repeat(size, size + 1), 0, at)  # closed by its first vertex
        return self.vertices[self.ring[np.repeat(self.ring_start[points], size + 1) + at]], start


def draw_diagram(xy: NDArray[np.float64], village: BaseGeometry) -> Diagram:
    """Return the diagram of distinct points (n, 2), metres, in a village; every border is finite."""
    west, south, east, north = village.bounds
    centre = np.array([(west + east) / 2, (south + north) / 2])
    # Far corners make every border between two households finite. From 1.5 on no land is nearer to them than to a
    # household; much farther, and Qhull merges the corners of cells of households some millimetres apart.
    reach = 2 * max(east - west, north - south)
    corners = reach * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    drawn = Voronoi(np.concatenate([xy - centre, corners]))
    vertices, vertex = distinct_rows(on_grid(drawn.vertices + centre))
    ridges, between = np.array(drawn.ridge_vertices), np.array(drawn.ridge_points, dtype=np.int64)
    real = (between < len(xy)).all(axis=1) & (ridges >= 0).all(axis=1)
    borders = vertex[ridges[real]]
    long_enough = borders[:, 0] != borders[:, 1]
    ring, ring_start = _rings(drawn, vertex, len(xy))
    return Diagram(vertices, borders[long_enough], between[real][long_enough], ring, ring_start)


def borders_met(diagram: Diagram, fixed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which borders some segments (m, 2, 2) touch or nearly touch."""
    return come_near(diagram.vertices[diagram.borders], fixed, within_m=10 * NODE_GRID_M)


def cells_beside(
    diagram: Diagram, xy: NDArray[np.float64], fixed: NDArray[np.float64], met: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which points' cells some segments (m, 2, 2) touch or lie in; `met` are the borders they meet."""
    beside = np.zeros(len(diagram.ring_start) - 1, dtype=bool)
    # Ends of segments show lines that lie in one cell altogether.
    beside[np.asarray(cKDTree(xy).query(fixed.reshape(-1, 2))[1])] = True
    beside[diagram.between[met].ravel()] = True
    return beside


def on_grid(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coordinates rounded to the node grid."""
    # As GEOS rounds, to the last bit: a multiple of 1e-7 and a division by 1e7 differ, and nodes must meet.
    return np.round(xy * NODES_PER_M) / NODES_PER_M


def _rings(drawn: Voronoi, vertex: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vertices around each point's cell without repeats, and where each ring starts."""
    regions = [drawn.regions[region] for region in drawn.point_region[:count]]
    size = np.fromiter((len(region) for region in regions), dtype=np.int64, count=count)
    ring = vertex[np.fromiter(chain.from_iterable(regions), dtype=np.int64, count=int(size.sum()))]
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(size, out=start[1:])
    before = np.arange(len(ring)) - 1
    before[start[:-1]] = start[1:] - 1
    kept = ring != ring[before]
    of_point = np.repeat(np.arange(count), size)
    np.cumsum(np.bincount(of_point[kept], minlength=count), out=start[1:])
    return ring[kept], start
