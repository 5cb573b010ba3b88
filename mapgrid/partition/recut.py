"""Land cut anew along new borders: cells change their outline, no household changes its cell.

New lines are noded into the drawing, which splits the faces they cross; all else keeps its nodes to the last bit. The
label of a piece of land is that of the households it hangs together with when the new lines are closed; a face
on the wrong side of a line goes to the cell of its own label with which it shares the longest border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.faces import Faces, edges_of
from mapgrid.partition.land import Land, adopt, components, measure_cells, touching_pairs
from mapgrid.partition.noding import Noded, put_in
from mapgrid.partition.rings import OUTSIDE, UNKNOWN, Rings, trace
from mapgrid.partition.shapes import points_at
from mapgrid.partition.walls import segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def recut(
    land: Land,
    xy: NDArray[np.float64],
    label: NDArray[np.int64],
    lines: NDArray[np.object_],
    within: NDArray[np.int64] | None = None,
) -> Land:
    """Return the land with new lines as borders between cells of different labels.

    Parameters
    ----------
    land
        The cells of a village, metres.
    xy
        (n, 2) the household point of each cell, metres.
    label
        (n,) what is to be kept apart: the grid of each cell.
    lines
        Lines, metres: where they separate households of different labels, they become the border. Pieces outside the
        village, loose ends, and lines between cells of one label change nothing.
    within
        The cells that may change, all by default. Where the lines leave households of two labels together, the cells
        there keep their borders.
    """
    lines = np.asarray(lines, dtype=object)
    if len(lines) > 1:
        lines = shapely.get_parts(shapely.union_all(lines))
    return recut_along(land, xy, label, segments_of(lines)[0], within)


def recut_along(
    land: Land,
    xy: NDArray[np.float64],
    label: NDArray[np.int64],
    segments: NDArray[np.float64],
    within: NDArray[np.int64] | None = None,
) -> Land:
    """Return the land with new borders, as `recut`, from (m, 2, 2) segments that meet at their ends only."""
    if not len(segments):
        return land
    old = land.faces
    noded = put_in(old.nodes, old.edges[:, :2], segments)
    faces, parent, is_line = _split(old, noded)
    home = _homes(land, xy, faces, parent)
    may_change = np.ones(len(xy), dtype=bool)
    if within is not None:
        may_change = np.zeros(len(xy), dtype=bool)
        may_change[within] = True
    before = land.cell_of_face[parent]
    of_face = _labels(faces, before, label, home, (is_line, may_change))
    cell = _cells(land, faces, (parent, before), (label, of_face), home)
    faces, cell, home = _merged(faces, cell, home)
    return _measured(land, xy, faces, cell, home)


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


def _split(old: Faces, noded: Noded) -> tuple[Faces, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the faces between edges and new lines, the face each is a piece of, and which edges are on a line."""
    beside = sides_of(old)[noded.parent]
    beside[noded.parent < 0] = UNKNOWN
    rings = trace(noded.nodes, noded.ends, beside)
    parent = _located(rings, noded.nodes, old)
    edges = edges_of(rings.node, rings.start, rings.polygon_start)
    at = _find(edges, noded.ends, len(noded.nodes))
    made_of = noded.parent[at]
    in_area = old.in_area[parent]
    wet = (edges[:, 3] >= 0) & in_area[edges[:, 2]] & in_area[edges[:, 3]]
    is_wall = ((made_of >= 0) & old.is_wall[made_of]) | wet
    faces = Faces(noded.nodes, rings.node, rings.start, rings.polygon_start, old.owner[parent], in_area, edges, is_wall)
    return faces, parent, noded.is_line[at]


def _find(edges: NDArray[np.int64], among: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the position of each edge (lower node first) among edges drawn either way."""
    key = among.min(axis=1) * size + among.max(axis=1)
    order = np.argsort(key, kind="stable")
    found: NDArray[np.int64] = order[np.searchsorted(key[order], edges[:, 0] * size + edges[:, 1])]
    return found


def _located(rings: Rings, nodes: NDArray[np.float64], old: Faces) -> NDArray[np.int64]:
    """Return the old face that each new one lies in; one bounded by new lines alone has to be looked up."""
    parent = rings.label.copy()
    unknown = np.flatnonzero(parent == UNKNOWN)
    if len(unknown):
        inner = shapely.point_on_surface(rings.polygons(nodes)[unknown])
        parent[unknown] = shapely.STRtree(old.polygons()).nearest(inner)
    return parent


def _homes(land: Land, xy: NDArray[np.float64], faces: Faces, parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the face each point stands in: of the pieces of its face the nearest, of these the largest."""
    order = np.argsort(parent, kind="stable")
    low = np.searchsorted(parent[order], land.home_face)
    pieces = np.searchsorted(parent[order], land.home_face, side="right") - low
    home = order[low]
    split = np.flatnonzero(pieces > 1)
    if len(split):
        point = np.repeat(split, pieces[split])
        offset = np.concatenate([[0], np.cumsum(pieces[split])[:-1]])
        face = order[np.arange(len(point)) - np.repeat(offset - low[split], pieces[split])]
        polygons = faces.polygons()[face]
        away = np.round(shapely.distance(polygons, points_at(xy[point])), 9)
        best = np.lexsort((face, -shapely.area(polygons), away, point))
        home[split] = face[best[np.unique(point[best], return_index=True)[1]]]
    return home


def _labels(
    faces: Faces,
    before: NDArray[np.int64],
    label: NDArray[np.int64],
    home: NDArray[np.int64],
    how: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> NDArray[np.int64]:
    """Return the label of each face: that of the households on its side of the lines, if these are all of one.

    A wall between two labels is as closed as a new line: there the border is where it has to be already.
    """
    is_line, may_change = how
    first, second = faces.edges[:, 2], faces.edges[:, 3]
    one, other = before[first], before[second]
    shut = is_line | (faces.is_wall & (label[one] != label[other]))
    free = (second >= 0) & ~shut & may_change[one] & may_change[other]
    side = components(len(before), first[free], second[free])
    count = int(side.max()) + 1
    least, most = np.full(count, len(label) + label.max()), np.full(count, -1)
    np.minimum.at(least, side[home], label)
    np.maximum.at(most, side[home], label)
    agreed = least == most
    settled: NDArray[np.int64] = np.where(agreed[side], most[side], label[before])
    return settled


def _cells(
    land: Land,
    faces: Faces,
    origin: tuple[NDArray[np.int64], NDArray[np.int64]],
    labels: tuple[NDArray[np.int64], NDArray[np.int64]],
    home: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the cell of each face: its own where that is on its side and within reach, else the best neighbour's."""
    parent, before = origin
    label, of_face = labels
    cell = np.where(label[before] == of_face, before, -1)
    cell[home] = np.arange(len(home))
    inner = faces.edges[:, 3] >= 0
    first, second, is_wall = faces.edges[inner, 2], faces.edges[inner, 3], faces.is_wall[inner]
    length = faces.edge_length()[inner]
    lost = ~_at_home(cell, first, second, home) & _at_home_before(land)[parent]
    cell[lost] = -1
    alike = of_face[first] == of_face[second]
    cell = adopt(cell, first, second, np.where(is_wall | ~alike, 0.0, length))
    cell = adopt(cell, first, second, np.where(alike, length, 0.0))
    return np.where(cell < 0, before, cell)


def _at_home(
    cell: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], home: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which faces hang together with the home of their cell by faces of that cell."""
    same = (cell[first] == cell[second]) & (cell[first] >= 0)
    piece = components(len(cell), first[same], second[same])
    reached: NDArray[np.bool_] = piece[home[cell]] == piece
    return reached


def _at_home_before(land: Land) -> NDArray[np.bool_]:
    edges = land.faces.edges[land.faces.edges[:, 3] >= 0]
    return _at_home(land.cell_of_face, edges[:, 2], edges[:, 3], land.home_face)


def _merged(
    faces: Faces, cell: NDArray[np.int64], home: NDArray[np.int64]
) -> tuple[Faces, NDArray[np.int64], NDArray[np.int64]]:
    """Return the drawing without the edges inside cells, except along walls; the cell of each face; and the homes."""
    first, second = faces.edges[:, 2], faces.edges[:, 3]
    needless = (second >= 0) & ~faces.is_wall & (cell[first] == cell[second])
    needless &= faces.in_area[first] == faces.in_area[second]
    whole = components(len(cell), first[needless], second[needless])
    beside = sides_of(faces)
    beside = np.where(beside >= 0, whole[beside], OUTSIDE)
    rings = trace(faces.nodes, faces.edges[:, :2], beside)
    of_whole = np.empty(int(whole.max()) + 1, dtype=np.int64)
    of_whole[whole] = np.arange(len(whole))
    member = of_whole[rings.label]
    used, ring_node = np.unique(rings.node, return_inverse=True)
    edges = edges_of(ring_node, rings.start, rings.polygon_start)
    at = _find(np.column_stack([used[edges[:, :2]], edges[:, 2:]]), faces.edges[:, :2], len(faces.nodes))
    merged = Faces(
        faces.nodes[used],
        ring_node,
        rings.start,
        rings.polygon_start,
        cell[member],
        faces.in_area[member],
        edges,
        faces.is_wall[at],
    )
    number = np.full(len(of_whole), -1, dtype=np.int64)
    number[rings.label] = np.arange(len(rings.label))
    return merged, cell[member], number[whole[home]]


def _measured(
    land: Land, xy: NDArray[np.float64], faces: Faces, cell: NDArray[np.int64], home: NDArray[np.int64]
) -> Land:
    """Return the land of these faces, measured and with its touching pairs."""
    inner = faces.edges[:, 3] >= 0
    first, second, is_wall = faces.edges[inner, 2], faces.edges[inner, 3], faces.is_wall[inner]
    region = components(len(cell), first[~is_wall], second[~is_wall])
    pairs, border_m, touch = touching_pairs(cell, region, home, inner, faces, xy, land.walls)
    area_m2, outline_m = measure_cells(faces, cell, faces.edge_length(), len(xy))
    return Land(faces, cell, home, region[home], land.part, area_m2, outline_m, pairs, border_m, touch, land.walls)
