"""A part of a land taken out, to be drawn anew by itself, and put back: the rest keeps its faces to the last bit.

What an edit by hand costs then depends on the grids it touches, not on the village.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.faces import Faces
from mapgrid.partition.cells.land import components, measure_cells, touching_pairs
from mapgrid.partition.cells.shapes import distinct_rows, ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.land import Land


@dataclass(frozen=True, slots=True)
class Drawing:
    """Faces, and which cell each is of.

    Attributes
    ----------
    faces
        Beside other land a patch has -1, as on the outline of the village.
    cell_of_face, home_face
        (f,) the cell of each face, (n,) the face each cell's point stands in.
    node
        (v,) the number each node had before the drawing was taken out or drawn anew; new nodes follow.
    area_m2
        (f,) of each face.
    """

    faces: Faces
    cell_of_face: NDArray[np.int64]
    home_face: NDArray[np.int64]
    node: NDArray[np.int64]
    area_m2: NDArray[np.float64]


def take_out(land: Land, cells: NDArray[np.int64]) -> Drawing:
    """Return the land of some cells (m,), ascending, by itself: cells are numbered by their place in `cells`."""
    old = land.faces
    number = np.full(len(land.home_face), -1, dtype=np.int64)
    number[cells] = np.arange(len(cells))
    face = np.flatnonzero(number[land.cell_of_face] >= 0)
    # One more, so that -1 (no face beside an edge) stays -1.
    of_face = np.full(len(land.cell_of_face) + 1, -1, dtype=np.int64)
    of_face[face] = np.arange(len(face))
    ring, face_start = ranges(old.face_start, face)
    at, ring_start = ranges(old.ring_start, ring)
    node, ring_node = np.unique(old.ring_node[at], return_inverse=True)
    beside = of_face[old.edges[:, 2:]]
    kept = np.flatnonzero((beside >= 0).any(axis=1))
    first, second = beside[kept].T
    edges = np.stack(
        [*np.searchsorted(node, old.edges[kept, :2]).T, np.where(first < 0, second, first), second], axis=1
    )
    edges[first < 0, 3] = -1
    faces = Faces(
        old.nodes[node],
        ring_node.reshape(-1).astype(np.int64),
        ring_start,
        face_start,
        number[land.cell_of_face[face]],
        old.in_area[face],
        edges,
        old.is_wall[kept],
    )
    area_m2 = faces.area_m2()
    return Drawing(faces, number[land.cell_of_face[face]], of_face[land.home_face[cells]], node, area_m2)


def put_back(
    land: Land, xy: NDArray[np.float64], cells: NDArray[np.int64], patch: Drawing, anew: Drawing
) -> Land | None:
    """Return the land with a patch drawn anew in its place; None where an edge that it shares with others was cut.

    Parameters
    ----------
    land, xy
        What the patch was taken from, metres.
    cells
        The cells that were taken out.
    patch, anew
        As it was taken out, and drawn anew; its nodes say which of the patch's they are.
    """
    old = land.faces
    is_mine = np.zeros(len(xy), dtype=bool)
    is_mine[cells] = True
    out = np.flatnonzero(~is_mine[land.cell_of_face])
    of_out = np.full(len(land.cell_of_face) + 1, -1, dtype=np.int64)
    of_out[out] = np.arange(len(out))
    is_known = anew.node < len(patch.node)
    node = np.where(is_known, patch.node[np.minimum(anew.node, len(patch.node) - 1)], 0)
    node[~is_known] = len(old.nodes) + np.arange(int((~is_known).sum()))
    fresh = _edges_in_place(land, of_out, anew.faces, node)
    if fresh is None:
        return None
    apart = (of_out[old.edges[:, 2]] >= 0) & ((old.edges[:, 3] < 0) | (of_out[old.edges[:, 3]] >= 0))
    left = old.edges[apart]
    edges = np.concatenate([np.concatenate([left[:, :2], of_out[left[:, 2:]]], axis=1), fresh])
    is_wall = np.concatenate([old.is_wall[apart], anew.faces.is_wall])
    is_fresh = np.arange(len(edges)) >= len(left)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    ring, face_start = ranges(old.face_start, out)
    at, ring_start = ranges(old.ring_start, ring)
    faces = Faces(
        np.concatenate([old.nodes, anew.faces.nodes[~is_known]]),
        np.concatenate([old.ring_node[at], node[anew.faces.ring_node]]),
        np.concatenate([ring_start, ring_start[-1] + anew.faces.ring_start[1:]]),
        np.concatenate([face_start, face_start[-1] + anew.faces.face_start[1:]]),
        np.concatenate([old.owner[out], cells[anew.faces.owner]]),
        np.concatenate([old.in_area[out], anew.faces.in_area]),
        edges[order],
        is_wall[order],
    )
    cell = np.concatenate([land.cell_of_face[out], cells[anew.cell_of_face]])
    home = of_out[land.home_face]
    home[cells] = len(out) + anew.home_face
    measured = _measured(land, cells, anew)
    return _with_pairs(
        replace(measured, faces=_tidy(faces), cell_of_face=cell, home_face=home), xy, (is_mine, is_fresh[order])
    )


def _edges_in_place(
    land: Land, of_out: NDArray[np.int64], faces: Faces, node: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Return the edges of a patch as edges of the whole land; None unless it has all that it shares with others."""
    old, others = land.faces, int((of_out >= 0).sum())
    beside = of_out[old.edges[:, 2:]]
    shared = np.flatnonzero((old.edges[:, 3] >= 0) & ((beside >= 0).sum(axis=1) == 1))
    size = len(old.nodes) + len(node)
    key = old.edges[shared, 0] * size + old.edges[shared, 1]  # ascending, as edges are
    ends = np.sort(node[faces.edges[:, :2]], axis=1)
    outer = np.flatnonzero(faces.edges[:, 3] < 0)
    wanted = ends[outer, 0] * size + ends[outer, 1]
    if not np.isin(key, wanted).all():
        return None
    edges = np.concatenate([ends, faces.edges[:, 2:]], axis=1)
    edges[:, 2] += others
    edges[edges[:, 3] >= 0, 3] += others
    if len(key):
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        is_shared = key[at] == wanted
        edges[outer[is_shared], 3] = edges[outer[is_shared], 2]
        edges[outer[is_shared], 2] = beside[shared].max(axis=1)[at[is_shared]]
    return edges


def _tidy(faces: Faces) -> Faces:
    """Return the faces without nodes that no ring has."""
    is_used = np.zeros(len(faces.nodes), dtype=bool)
    is_used[faces.ring_node] = True
    number = np.cumsum(is_used) - 1
    edges = faces.edges.copy()
    edges[:, :2] = number[edges[:, :2]]
    return replace(faces, nodes=faces.nodes[is_used], ring_node=number[faces.ring_node], edges=edges)


def _measured(land: Land, cells: NDArray[np.int64], anew: Drawing) -> Land:
    """Return the land with area and outline of the cells that were drawn anew."""
    lengths = anew.faces.edge_length()
    of_cell, outline = measure_cells(anew.faces, anew.cell_of_face, lengths, (anew.area_m2, len(cells)))
    area_m2, outline_m = land.area_m2.copy(), land.outline_m.copy()
    area_m2[cells], outline_m[cells] = of_cell, outline
    return replace(land, area_m2=area_m2, outline_m=outline_m)


def _with_pairs(land: Land, xy: NDArray[np.float64], mine: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Land:
    """Return the land with the pairs that the cells drawn anew make; all other pairs stay.

    `mine` are these cells, and the edges beside them.
    """
    is_mine, beside = mine
    faces = land.faces
    inner = faces.edges[:, 3] >= 0
    free = inner & ~faces.is_wall
    region = components(len(land.cell_of_face), faces.edges[free, 2], faces.edges[free, 3])
    made = touching_pairs(land.cell_of_face, region, land.home_face, inner & beside, faces, xy, land.walls)
    kept = ~is_mine[land.pairs].any(axis=1)
    pairs, place = distinct_rows(np.concatenate([land.pairs[kept], made[0]]))
    border_m, touch = np.empty(len(pairs)), np.empty(len(pairs), dtype=np.int64)
    border_m[place] = np.concatenate([land.border_m[kept], made[1]])
    touch[place] = np.concatenate([land.touch[kept], made[2]])
    side = region[land.home_face]
    return replace(land, side=side, pairs=pairs.astype(np.int64), border_m=border_m, touch=touch)
