"""Land cut anew along new borders: cells change their outline, no household changes its cell.

New lines are noded into the drawing, which splits the faces they cross; all else keeps its nodes to the last bit. The
label of a piece of land is that of the households it hangs together with when the new lines are closed; a face
on the wrong side of a line goes to the cell of its own label with which it shares the longest border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.faces import Faces
from mapgrid.partition.cells.land import Land, adopt, components, measure_cells, touching_pairs
from mapgrid.partition.cells.noding import Noded, put_in
from mapgrid.partition.cells.patches import Drawing, put_back, take_out
from mapgrid.partition.cells.rings import OUTSIDE, UNKNOWN, Rings, sides_of, trace
from mapgrid.partition.cells.shapes import distinct_rows, points_at
from mapgrid.partition.cells.walls import segments_of

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
    if within is not None:
        within = np.unique(within)
        patch = take_out(land, within)
        anew = _drawn_anew(patch, xy[within], label[within], segments)
        in_place = put_back(land, xy, within, patch, anew)
        if in_place is not None:
            return in_place
    return _measured(land, xy, _drawn_anew(land, xy, label, segments, within))


def _drawn_anew(
    land: Land | Drawing,
    xy: NDArray[np.float64],
    label: NDArray[np.int64],
    segments: NDArray[np.float64],
    within: NDArray[np.int64] | None = None,
) -> Drawing:
    """Return faces with new borders and the cell of each; arguments as for `recut_along`."""
    old = land.faces
    drawn = _split(old, put_in(old.nodes, old.edges[:, :2], segments))
    home = _homes(xy, drawn.faces, drawn.area_m2, (drawn.parent, land.home_face))
    may_change = np.ones(len(xy), dtype=bool)
    if within is not None:
        may_change[:] = False
        may_change[within] = True
    before = land.cell_of_face[drawn.parent]
    of_face = _labels(drawn, before, label, home, may_change)
    cell = _cells(land, drawn, before, (label, of_face), home)
    return _merged(xy, drawn.faces, cell, home)


@dataclass(frozen=True, slots=True)
class _Split:
    """Faces between edges and lines; the face each is a piece of; its area; which edges are on a line."""

    faces: Faces
    parent: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    is_line: NDArray[np.bool_]


def _split(old: Faces, noded: Noded) -> _Split:
    beside = sides_of(old)[noded.parent]
    beside[noded.parent < 0] = UNKNOWN
    rings = trace(noded.nodes, noded.ends, beside)
    parent = _located(rings, noded.nodes, old)
    edges, at = _edges_between(noded.ends, rings.beside, len(noded.nodes))
    made_of = noded.parent[at]
    in_area = old.in_area[parent]
    wet = (edges[:, 3] >= 0) & in_area[edges[:, 2]] & in_area[edges[:, 3]]
    is_wall = ((made_of >= 0) & old.is_wall[made_of]) | wet
    faces = Faces(noded.nodes, rings.node, rings.start, rings.polygon_start, old.owner[parent], in_area, edges, is_wall)
    return _Split(faces, parent, rings.area_m2, noded.is_line[at])


def _edges_between(
    ends: NDArray[np.int64], beside: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the edges with a polygon beside them as `Faces` has them, and the position of each in `ends`."""
    at = np.flatnonzero((beside >= 0).any(axis=1))
    low, high = ends[at].min(axis=1), ends[at].max(axis=1)
    order = np.argsort(low * size + high)
    at, low, high = at[order], low[order], high[order]
    one, other = beside[at].min(axis=1), beside[at].max(axis=1)
    first, second = np.where(one < 0, other, one), np.where(one < 0, -1, other)
    return np.stack([low, high, first, second], axis=1), at


def _located(rings: Rings, nodes: NDArray[np.float64], old: Faces) -> NDArray[np.int64]:
    """Return the old face that each new one lies in; one bounded by new lines alone has to be looked up."""
    parent = rings.label.copy()
    unknown = np.flatnonzero(parent == UNKNOWN)
    if len(unknown):
        inner = shapely.point_on_surface(rings.polygons(nodes)[unknown])
        parent[unknown] = shapely.STRtree(old.polygons()).nearest(inner)
    return parent


def _homes(
    xy: NDArray[np.float64],
    faces: Faces,
    area_m2: NDArray[np.float64],
    among: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Return the face each point stands in: of its candidates the nearest, of these the largest.

    `among` is a number for each face, and the number whose faces are the candidates of each point.
    """
    of_face, wanted = among
    order = np.argsort(of_face, kind="stable")
    low = np.searchsorted(of_face[order], wanted)
    pieces = np.searchsorted(of_face[order], wanted, side="right") - low
    home: NDArray[np.int64] = order[low]
    split = np.flatnonzero(pieces > 1)
    if len(split):
        point = np.repeat(split, pieces[split])
        offset = np.concatenate([[0], np.cumsum(pieces[split])[:-1]])
        face = order[np.arange(len(point)) - np.repeat(offset - low[split], pieces[split])]
        away = np.round(shapely.distance(faces.polygons(face), points_at(xy[point])), 9)
        best = np.lexsort((face, -area_m2[face], away, point))
        home[split] = face[best[np.unique(point[best], return_index=True)[1]]]
    return home


def _labels(
    drawn: _Split,
    before: NDArray[np.int64],
    label: NDArray[np.int64],
    home: NDArray[np.int64],
    may_change: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return the label of each face: that of the households it hangs together with, if these are all of one.

    A wall is as closed as a new line. Land that these cut off from all households keeps the label of most of it.
    """
    first, second = drawn.faces.edges[:, 2], drawn.faces.edges[:, 3]
    shut = drawn.is_line | drawn.faces.is_wall | (second < 0)
    free = ~shut & may_change[before[first]] & may_change[before[second]]
    side = components(len(before), first[free], second[free])
    count = int(side.max()) + 1
    least, most = np.full(count, len(label) + label.max()), np.full(count, -1)
    np.minimum.at(least, side[home], label)
    np.maximum.at(most, side[home], label)
    land_m2, at = _land_by_label(side, label[before], drawn.area_m2)
    order = np.lexsort((at[:, 1], -np.round(land_m2, 3), at[:, 0]))
    largest = at[order[np.unique(at[order, 0], return_index=True)[1]], 1]
    settled = np.where(least == most, most, largest)[side]
    mixed = (least < most)[side]
    settled[mixed] = label[before[mixed]]
    return settled


def _land_by_label(
    side: NDArray[np.int64], label: NDArray[np.int64], area_m2: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the area of each label on each side, and the two numbers (side, label) of each."""
    at, place = distinct_rows(np.stack([side, label], axis=1))
    return np.bincount(place, weights=area_m2, minlength=len(at)).astype(np.float64), at


def _cells(
    land: Land | Drawing,
    drawn: _Split,
    before: NDArray[np.int64],
    labels: tuple[NDArray[np.int64], NDArray[np.int64]],
    home: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the cell of each face: its own where that is on its side and within reach, else the best neighbour's."""
    faces, (label, of_face) = drawn.faces, labels
    cell = np.where(label[before] == of_face, before, -1)
    cell[home] = np.arange(len(home))
    inner = faces.edges[:, 3] >= 0
    first, second, is_wall = faces.edges[inner, 2], faces.edges[inner, 3], faces.is_wall[inner]
    length = faces.edge_length()[inner]
    lost = ~_at_home(cell, first, second, home) & _at_home_before(land)[drawn.parent]
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


def _at_home_before(land: Land | Drawing) -> NDArray[np.bool_]:
    edges = land.faces.edges[land.faces.edges[:, 3] >= 0]
    return _at_home(land.cell_of_face, edges[:, 2], edges[:, 3], land.home_face)


def _merged(xy: NDArray[np.float64], faces: Faces, cell: NDArray[np.int64], home: NDArray[np.int64]) -> Drawing:
    """Return the drawing without the edges inside cells, except along walls and shores of barrier areas."""
    first, second = faces.edges[:, 2], faces.edges[:, 3]
    needless = (second >= 0) & ~faces.is_wall & (cell[first] == cell[second])
    needless &= faces.in_area[first] == faces.in_area[second]
    whole = components(len(cell), first[needless], second[needless])
    beside = sides_of(faces)
    rings = trace(faces.nodes, faces.edges[:, :2], np.where(beside >= 0, whole[beside], OUTSIDE))
    of_whole = np.empty(int(whole.max()) + 1, dtype=np.int64)
    of_whole[whole] = np.arange(len(whole))
    member = of_whole[rings.label]
    is_used = np.zeros(len(faces.nodes), dtype=bool)
    is_used[rings.node] = True
    number = np.cumsum(is_used) - 1
    edges, at = _edges_between(faces.edges[:, :2], rings.beside, len(faces.nodes))
    edges[:, :2] = number[edges[:, :2]]
    merged = Faces(
        faces.nodes[is_used],
        number[rings.node],
        rings.start,
        rings.polygon_start,
        cell[member],
        faces.in_area[member],
        edges,
        faces.is_wall[at],
    )
    home = _homes(xy, merged, rings.area_m2, (rings.label, whole[home]))
    return Drawing(merged, cell[member], home, np.flatnonzero(is_used), rings.area_m2)


def _measured(land: Land, xy: NDArray[np.float64], anew: Drawing) -> Land:
    """Return the land of a drawing, measured and with its touching pairs."""
    faces, cell, home = anew.faces, anew.cell_of_face, anew.home_face
    inner = faces.edges[:, 3] >= 0
    first, second, is_wall = faces.edges[inner, 2], faces.edges[inner, 3], faces.is_wall[inner]
    region = components(len(cell), first[~is_wall], second[~is_wall])
    pairs, border_m, touch = touching_pairs(cell, region, home, inner, faces, xy, land.walls)
    of_cell_m2, outline_m = measure_cells(faces, cell, faces.edge_length(), (anew.area_m2, len(xy)))
    return Land(faces, cell, home, region[home], land.part, of_cell_m2, outline_m, pairs, border_m, touch, land.walls)
