"""Cells: one piece of village land per household point, cut by barriers, and how cells touch.

A face that its own point cannot reach (a barrier, a notch of the outline or a hole lies between) goes to the neighbour
with the longest open border. Land where nobody lives and that no household reaches goes to the neighbour across.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mapgrid.partition.cells.buckets import come_near
from mapgrid.partition.cells.faces import Faces, draw_faces
from mapgrid.partition.cells.shapes import distinct_rows, lines_along, points_at
from mapgrid.partition.cells.walls import Walls, build_walls, segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.partition.cells.unit_land import UnitLand


class Touch(IntEnum):
    """How two cells touch."""

    OPEN = 0
    LINK = 1
    """Not side by side: the nearest cells of two parts of the village, joined because one cannot stand alone."""
    OPENING = 2
    """There is a way, but through a gap (a bridge) in a barrier that also separates the two."""
    WALL = 3
    """Side by side, separated by a barrier: no way."""
    APART = 4
    """Side by side only on land that neither household reaches: no way, though no barrier either."""


WAYS = (Touch.OPEN, Touch.LINK, Touch.OPENING)
"""Touches that connect; the kernels rely on their being the lowest."""


@dataclass(frozen=True, slots=True)
class Land:
    """The cells of a village.

    Attributes
    ----------
    faces
        The drawing that cells are unions of.
    cell_of_face
        (f,) the cell (= household point) of each face.
    home_face
        (n,) the face each point stands in.
    side
        (n,) which side each cell's home is on: sides are what walls and the outline leave connected.
    part
        (n,) the part of the village each point stands in.
    area_m2, outline_m
        (n,) of each cell.
    pairs
        (p, 2) cells that touch along a border, the lower first.
    border_m, touch
        (p,) length of the shared border, and how the two touch.
    walls
        What cut the land, and still separates cells when borders are drawn anew.
    """

    faces: Faces
    cell_of_face: NDArray[np.int64]
    home_face: NDArray[np.int64]
    side: NDArray[np.int64]
    part: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    outline_m: NDArray[np.float64]
    pairs: NDArray[np.int64]
    border_m: NDArray[np.float64]
    touch: NDArray[np.int64]
    walls: Walls


def cut_land(
    village: BaseGeometry,
    xy: NDArray[np.float64],
    barriers: NDArray[np.object_],
    units: UnitLand | None = None,
) -> tuple[Land, Walls]:
    """Return the cells of a village around household points, and the walls that cut them.

    Parameters
    ----------
    village
        Valid Polygon or MultiPolygon, metres.
    xy
        (n, 2) distinct points in it, n ≥ 1, metres.
    barriers
        Lines or polygons, metres; an empty array when there are none.
    units
        Land that belongs to the households of its unit, wherever one of them can walk there.
    """
    walls = build_walls(village, barriers)
    faces = draw_faces(village, xy, walls, None if units is None else units.segments(village))
    edges = faces.edges
    inner = edges[:, 3] >= 0
    first, second, is_wall = edges[inner, 2], edges[inner, 3], faces.is_wall[inner]
    length = faces.edge_length()
    region = components(len(faces.owner), first[~is_wall], second[~is_wall])
    if units is None:
        home, is_limit = _home_faces(faces, xy, None), np.zeros_like(is_wall)
    else:
        unit = units.of_faces(faces)
        home = _home_faces(faces, xy, unit != units.of_point[faces.owner])
        is_limit = units.limits(unit, home, (first, second), is_wall)
    cell = _own_faces(faces, home, (first, second), is_wall, is_limit)
    home = _ashore(home, faces, cell)
    if is_limit.any():
        cell = adopt(cell, first, second, np.where(is_wall | is_limit, 0.0, length[inner]))
    cell = adopt(cell, first, second, np.where(is_wall, 0.0, length[inner]))
    cell = adopt(cell, first, second, length[inner])
    island = components(len(faces.owner), first, second)
    cell = _adopt_islands(cell, island, faces, xy)
    pairs, border_m, touch = touching_pairs(cell, region, home, inner, faces, xy, walls)
    area_m2, outline_m = measure_cells(faces, cell, length, (faces.area_m2(), len(xy)))
    land = Land(faces, cell, home, region[home], island[home], area_m2, outline_m, pairs, border_m, touch, walls)
    return land, walls


def components(count: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of `count` faces which connected piece it is in when the edges first–second join."""
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _home_faces(faces: Faces, xy: NDArray[np.float64], foreign: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """Return the face each point stands in; on a border, the largest face that is nearest to the point.

    A face that is `foreign` (land of another unit than that of the point nearest to it) comes after the others.
    """
    count = np.bincount(faces.owner, minlength=len(xy))
    alone = np.flatnonzero((count[faces.owner] == 1) & ~faces.in_area)
    home = np.full(len(xy), -1, dtype=np.int64)
    home[faces.owner[alone]] = alone
    sought = np.flatnonzero(home < 0)
    if not len(sought):
        return home
    polygons = faces.polygons()
    at_point, face = shapely.STRtree(polygons).query(points_at(xy[sought]), "intersects")
    point = sought[at_point]
    area = shapely.area(polygons)
    other = faces.owner[face] != point
    if foreign is not None:
        other = other.astype(np.int64) + foreign[face]
    order = np.lexsort((face, -area[face], other, faces.in_area[face], point))
    found, at = np.unique(point[order], return_index=True)
    home[found] = face[order][at]
    lost = np.flatnonzero(home < 0)
    if len(lost):  # a rounding error outside the outline
        home[lost] = shapely.STRtree(polygons).nearest(points_at(xy[lost]))
    return home


def _ashore(home: NDArray[np.int64], faces: Faces, cell: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return homes with those in a barrier area moved to the largest dry face of the same cell, where there is one."""
    home = home.copy()
    wet = np.flatnonzero(faces.in_area[home])
    if len(wet):
        area = faces.area_m2()
        for point in wet:
            dry = np.flatnonzero((cell == point) & ~faces.in_area)
            if len(dry):
                home[point] = dry[area[dry].argmax()]
    return home


def _own_faces(
    faces: Faces,
    home: NDArray[np.int64],
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    is_wall: NDArray[np.bool_],
    is_limit: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return for each face its point when the point can walk there over its own land (or its own water), else -1."""
    first, second = ends
    owner = faces.owner.copy()
    owner[home] = np.arange(len(home))
    wet = faces.in_area[first] | faces.in_area[second]
    same = (owner[first] == owner[second]) & (~is_wall | wet) & ~is_limit
    component = components(len(owner), first[same], second[same])
    reached = component[home[owner]] == component
    return np.where(reached, owner, -1)


def adopt(
    cell: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], length: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the cells after faces without one joined, round by round, the neighbour with the longest border."""
    cell = cell.copy()
    one = np.concatenate([first, second])
    other = np.concatenate([second, first])
    border = np.concatenate([length, length])
    while True:
        usable = (cell[one] < 0) & (cell[other] >= 0) & (border > 0)
        if not usable.any():
            return cell
        key = np.stack([one[usable], cell[other[usable]]], axis=1)
        pair, at = np.unique(key, axis=0, return_inverse=True)
        total = np.bincount(at.ravel(), weights=border[usable])
        order = np.lexsort((pair[:, 1], -np.round(total, 6), pair[:, 0]))
        face, best = np.unique(pair[order, 0], return_index=True)
        cell[face] = pair[order, 1][best]


def _adopt_islands(
    cell: NDArray[np.int64], island: NDArray[np.int64], faces: Faces, xy: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the cells after each part of the village without households joined the nearest point's cell, whole."""
    cell = cell.copy()
    empty = np.unique(island[cell < 0])
    if len(empty):
        polygons, points = faces.polygons(), shapely.STRtree(points_at(xy))
        for number in empty:
            whole = shapely.union_all(polygons[island == number])
            cell[island == number] = points.nearest(whole)
    return cell


def touching_pairs(
    cell: NDArray[np.int64],
    region: NDArray[np.int64],
    home: NDArray[np.int64],
    inner: NDArray[np.bool_],
    faces: Faces,
    xy: NDArray[np.float64],
    walls: Walls,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the pairs of cells that share a border, its length, and whether one can walk across."""
    first, second = faces.edges[inner, 2], faces.edges[inner, 3]
    length, is_wall = faces.edge_length()[inner], faces.is_wall[inner]
    differ = cell[first] != cell[second]
    first, second, length, is_wall = first[differ], second[differ], length[differ], is_wall[differ]
    one, other = cell[first], cell[second]
    # Land adopted across a wall is not a way: a border is open only where both faces are on their homes' side.
    side = region[home]
    passable = ~is_wall & (region[first] == side[one]) & (region[second] == side[other])
    ends = np.sort(np.stack([one, other], axis=1), axis=1)
    pairs, at = distinct_rows(ends)
    border = np.bincount(at, weights=length, minlength=len(pairs))
    open_m = np.bincount(at, weights=np.where(passable, length, 0.0), minlength=len(pairs))
    walled_m = np.bincount(at, weights=np.where(is_wall, length, 0.0), minlength=len(pairs))
    touch = np.full(len(pairs), Touch.OPEN, dtype=np.int64)
    walled = (walled_m > 0) | _crossed(pairs, xy, walls) | (side[pairs[:, 0]] != side[pairs[:, 1]])
    touch[walled] = Touch.OPENING
    touch[open_m <= 0] = Touch.APART
    touch[(open_m <= 0) & walled] = Touch.WALL
    return pairs.astype(np.int64), border.astype(np.float64), touch


def _crossed(pairs: NDArray[np.int64], xy: NDArray[np.float64], walls: Walls) -> NDArray[np.bool_]:
    """Return for each pair of cells whether the straight way between them crosses a wall or a closed opening."""
    crossed = np.zeros(len(pairs), dtype=bool)
    if len(walls.segments) and len(pairs):
        # A point may stand on a wall; that its way begins there does not mean that it crosses.
        way = xy[pairs[:, 1]] - xy[pairs[:, 0]]
        trim = way * np.minimum(0.01 / np.hypot(*way.T), 0.4)[:, None]
        ways = np.stack([xy[pairs[:, 0]] + trim, xy[pairs[:, 1]] - trim], axis=1)
        lines = walls.lines_with_closings()
        # Nearly all ways are far from every wall: only of the others it is asked exactly.
        near = np.flatnonzero(come_near(ways, segments_of(lines)[0], within_m=0.01))
        hit = shapely.STRtree(lines).query(lines_along(ways[near]), "intersects")[0]
        crossed[near[hit]] = True
    return crossed


def measure_cells(
    faces: Faces, cell: NDArray[np.int64], length: NDArray[np.float64], areas: tuple[NDArray[np.float64], int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the area (m2) and the outline (m) of each cell; `areas` are those of the faces, and how many cells."""
    area_m2, count = areas
    area = np.bincount(cell, weights=area_m2, minlength=count)
    first, second = faces.edges[:, 2], faces.edges[:, 3]
    outer = (second < 0) | (cell[first] != cell[second])
    outline = np.bincount(cell[first[outer]], weights=length[outer], minlength=count)
    between = outer & (second >= 0)
    outline += np.bincount(cell[second[between]], weights=length[between], minlength=count)
    return area.astype(np.float64), outline.astype(np.float64)
