"""Rings traced along the edges of a planar drawing: the outlines of whatever its edges keep apart.

A half-edge has its face on its left. The ring of a face goes on, at each node, along the first edge clockwise from
where it came: the half-edge walk of Muller and Preparata (1978). A ring that meets itself at a node is cut there, so
that every ring is simple; anticlockwise ones are shells, clockwise ones are holes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.faces import Faces

UNKNOWN = -2
"""Beside a new line: whose land it is shows only when the ring has been walked."""

OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Rings:
    """Polygons as shells and holes over shared nodes.

    Attributes
    ----------
    node
        Node of each ring vertex, rings one after another, each closed.
    start
        (r + 1,) offsets of the rings in `node`.
    polygon_start
        (q + 1,) offsets of the polygons in `start`; the first ring of a polygon is its shell.
    label
        (q,) what the polygon is a part of, ascending.
    area_m2
        (q,) of the polygons.
    beside
        (e, 2) the polygon left and right of each edge that was traced, as it is drawn, -1 where there is none.
    """

    node: NDArray[np.int64]
    start: NDArray[np.int64]
    polygon_start: NDArray[np.int64]
    label: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    beside: NDArray[np.int64]

    def polygons(self, nodes: NDArray[np.float64]) -> NDArray[np.object_]:
        """Return the polygons, in their order."""
        offsets = (self.start, self.polygon_start)
        return shapely.from_ragged_array(shapely.GeometryType.POLYGON, nodes[self.node], offsets)


def sides_of(faces: Faces) -> NDArray[np.int64]:
    """Return the face left and right of each edge, drawn from its lower node; -1 outside. Shape (e, 2)."""
    node, start = faces.ring_node, faces.ring_start
    is_last = np.zeros(len(node), dtype=bool)
    is_last[start[1:] - 1] = True
    step = np.flatnonzero(~is_last)
    ring = np.repeat(np.arange(len(start) - 1), np.diff(start))[step]
    one, other = node[step], node[step + 1]
    origin = faces.nodes[node[start[:-1]]][ring]
    ahead, next_ahead = faces.nodes[one] - origin, faces.nodes[other] - origin
    turned = ahead[:, 0] * next_ahead[:, 1] - ahead[:, 1] * next_ahead[:, 0]
    is_shell = np.zeros(len(start) - 1, dtype=bool)
    is_shell[faces.face_start[:-1]] = True
    # Shells drawn anticlockwise and holes drawn clockwise have the face on their left.
    on_left = (np.bincount(ring, weights=turned) > 0) == is_shell
    face = np.repeat(np.arange(len(faces.face_start) - 1), np.diff(faces.face_start))[ring]
    size = len(faces.nodes)
    key = faces.edges[:, 0] * size + faces.edges[:, 1]
    at = np.searchsorted(key, np.minimum(one, other) * size + np.maximum(one, other))
    beside = np.full((len(faces.edges), 2), OUTSIDE, dtype=np.int64)
    beside[at, np.where(on_left[ring] == (one < other), 0, 1)] = face
    return beside


def trace(nodes: NDArray[np.float64], ends: NDArray[np.int64], beside: NDArray[np.int64]) -> Rings:
    """Return the polygons of each label.

    Parameters
    ----------
    nodes
        (v, 2) metres.
    ends
        (e, 2) nodes of each edge; no two edges cross, and each stands once.
    beside
        (e, 2) label ≥ 0 left and right of the edge as it is drawn, `OUTSIDE` or `UNKNOWN`. Edges with the same label on
        both sides are passed over, unless that is `UNKNOWN`. A ring takes the label of any of its half-edges that
        has one; a ring of unknown edges alone keeps `UNKNOWN`.
    """
    kept = np.flatnonzero((beside[:, 0] != beside[:, 1]) | (beside[:, 0] == UNKNOWN))
    ring, start, label, area, ring_of_half = _walk(nodes, ends[kept], beside[kept])
    polygon, rings = _with_holes(nodes, ring, start, label, area)
    polygon_beside = np.full((len(ends), 2), -1, dtype=np.int64)
    polygon_beside[kept] = np.append(polygon, -1)[ring_of_half].reshape(-1, 2)
    return Rings(*rings, polygon_beside)


@njit(cache=True)
def _around(nodes: NDArray[np.float64], ends: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """Return half-edges by the node they leave, anticlockwise, and the place of each; 2e leaves the first end of e."""
    count = len(ends)
    first = np.zeros(len(nodes) + 1, dtype=np.int64)
    for e in range(count):
        first[ends[e, 0] + 1] += 1
        first[ends[e, 1] + 1] += 1
    for v in range(len(nodes)):
        first[v + 1] += first[v]
    filled = first[:-1].copy()
    out = np.empty(2 * count, dtype=np.int64)
    place = np.empty(2 * count, dtype=np.int64)
    turn = np.empty(2 * count)
    for h in range(2 * count):
        v, w = ends[h >> 1, h & 1], ends[h >> 1, 1 - (h & 1)]
        turn[h] = np.arctan2(nodes[w, 1] - nodes[v, 1], nodes[w, 0] - nodes[v, 0])
        at = filled[v]
        while at > first[v] and turn[out[at - 1]] > turn[h]:
            out[at] = out[at - 1]
            at -= 1
        out[at] = h
        filled[v] += 1
    for k in range(2 * count):
        place[out[k]] = k
    return first, out, place


@njit(cache=True)
def _walk(
    nodes: NDArray[np.float64], ends: NDArray[np.int64], beside: NDArray[np.int64]
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """Return simple closed rings, their offsets, labels, signed areas, and the ring of each half-edge.

    Labelled half-edges are walked first, so that a ring of unknown ones alone is one that has no other.
    """
    first, out, place = _around(nodes, ends)
    count = 2 * len(ends)
    seen = np.zeros(count, dtype=np.bool_)
    on_path = np.full(len(nodes), -1, dtype=np.int64)
    path = np.empty((count + 1, 2), dtype=np.int64)
    ring_of_half = np.full(count, -1, dtype=np.int64)
    ring = np.empty(2 * count, dtype=np.int64)
    start = np.zeros(count + 1, dtype=np.int64)
    label = np.empty(count, dtype=np.int64)
    area = np.empty(count)
    rings = 0
    for k in range(2 * count):
        h = k % count
        if seen[h] or (k < count and beside[h >> 1, h & 1] == UNKNOWN):
            continue
        was = rings
        whose, length, g = UNKNOWN, 0, h
        while length == 0 or g != h:
            seen[g] = True
            whose = max(whose, beside[g >> 1, g & 1])
            v = ends[g >> 1, g & 1]
            if on_path[v] >= 0:
                rings = _cut_off(nodes, path[:length], on_path, on_path[v], (ring, start, area, ring_of_half), rings)
                length = on_path[v]
            on_path[v] = length
            path[length] = v, g
            length += 1
            w = ends[g >> 1, 1 - (g & 1)]
            at = place[g ^ 1] - 1
            if at < first[w]:
                at = first[w + 1] - 1
            g = out[at]
        rings = _cut_off(nodes, path[:length], on_path, 0, (ring, start, area, ring_of_half), rings)
        on_path[path[0, 0]] = -1
        for made in range(was, rings):
            label[made] = whose
    return ring[: start[rings]], start[: rings + 1], label[:rings], area[:rings], ring_of_half


@njit(cache=True)
def _cut_off(
    nodes: NDArray[np.float64],
    path: NDArray[np.int64],
    on_path: NDArray[np.int64],
    low: int,
    into: tuple[NDArray, NDArray, NDArray, NDArray],
    rings: int,
) -> int:
    """Write the path (node, half-edge) from `low` on as a closed ring, unless it is a way there and back; free it."""
    ring, start, area, ring_of_half = into
    high = len(path)
    for k in range(low + 1, high):
        on_path[path[k, 0]] = -1
    if high - low < 3:
        return rings
    at = start[rings]
    twice = 0.0
    x, y = nodes[path[low, 0], 0], nodes[path[low, 0], 1]
    for k in range(low, high):
        v, w = path[k, 0], path[k + 1, 0] if k + 1 < high else path[low, 0]
        ring[at + k - low] = v
        ring_of_half[path[k, 1]] = rings
        twice += (nodes[v, 0] - x) * (nodes[w, 1] - y) - (nodes[w, 0] - x) * (nodes[v, 1] - y)
    ring[at + high - low] = path[low, 0]
    start[rings + 1] = at + high - low + 1
    area[rings] = twice / 2
    return rings + 1


def _with_holes(
    nodes: NDArray[np.float64],
    ring: NDArray[np.int64],
    start: NDArray[np.int64],
    label: NDArray[np.int64],
    area: NDArray[np.float64],
) -> tuple[NDArray[np.int64], tuple[NDArray, NDArray, NDArray, NDArray, NDArray]]:
    """Return the polygon of each ring, and the polygons; each hole is in the smallest shell of its label around it."""
    shells = np.flatnonzero((area > 0) & (label != OUTSIDE))
    holes = np.flatnonzero((area <= 0) & (label != OUTSIDE))
    shell_of = np.arange(len(label))
    shells = shells[np.argsort(label[shells], kind="stable")]
    low = np.searchsorted(label[shells], label[holes], side="left")
    high = np.searchsorted(label[shells], label[holes], side="right")
    shell_of[holes] = _shells_around(nodes, (ring, start), (holes, low, high), shells, area)
    holes = holes[shell_of[holes] >= 0]
    order_of_shell = np.empty(len(label), dtype=np.int64)
    order_of_shell[shells] = np.arange(len(shells))
    rings = np.concatenate([shells, holes])
    of = order_of_shell[shell_of[rings]]
    order = np.argsort(of, kind="stable")
    rings, of = rings[order], of[order]
    length = np.diff(start)[rings]
    new_start = np.concatenate([[0], np.cumsum(length)])
    take = np.arange(new_start[-1]) - np.repeat(new_start[:-1] - start[rings], length)
    polygon_start = np.searchsorted(of, np.arange(len(shells) + 1))
    area_m2 = np.bincount(of, weights=area[rings], minlength=len(shells)).astype(np.float64)
    polygon = np.full(len(label), -1, dtype=np.int64)
    polygon[rings] = of
    return polygon, (ring[take], new_start, polygon_start.astype(np.int64), label[shells], area_m2)


@njit(cache=True)
def _shells_around(
    nodes: NDArray[np.float64],
    rings: tuple[NDArray[np.int64], NDArray[np.int64]],
    holes: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    shells: NDArray[np.int64],
    area: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return for each hole the smallest shell, among its candidates `shells[low:high]`, that it lies in, or -1."""
    ring, start = rings
    hole, low, high = holes
    found = np.full(len(hole), -1, dtype=np.int64)
    for k in range(len(hole)):
        at = start[hole[k]]
        x = (nodes[ring[at], 0] + nodes[ring[at + 1], 0]) / 2
        y = (nodes[ring[at], 1] + nodes[ring[at + 1], 1]) / 2
        for shell in shells[low[k] : high[k]]:
            smaller = found[k] < 0 or area[shell] < area[found[k]]
            if (
                area[shell] > -area[hole[k]]
                and smaller
                and is_in_ring(nodes, ring[start[shell] : start[shell + 1]], x, y)
            ):
                found[k] = shell
    return found


@njit(cache=True)
def is_in_ring(nodes: NDArray[np.float64], ring: NDArray[np.int64], x: float, y: float) -> bool:
    """Return whether a point that is not on the ring lies in it (crossings of a ray)."""
    inside = False
    for k in range(len(ring) - 1):
        ax, ay = nodes[ring[k], 0] - x, nodes[ring[k], 1] - y
        bx, by = nodes[ring[k + 1], 0] - x, nodes[ring[k + 1], 1] - y
        if (ay > 0) != (by > 0) and (ax * by - bx * ay > 0) == (by > ay):
            inside = not inside
    return inside
