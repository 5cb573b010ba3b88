"""Grids drawn elsewhere made a true coverage of their village, when they nearly are one.

All lines are noded into one drawing. A face of it that lies in one grid is that grid's; one that lies in several, in
none, or outside of the village is a finding. Narrow ones are closed and named, wide ones are left to the drawer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from mapgrid.village import BORDER_TOLERANCE_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

WIDEST_SLIVER_M = 1.0
"""A gap, an overlap or a strip outside that is nowhere wider than this is a slip of the pen, and closed."""

ROUNDING_M = BORDER_TOLERANCE_M
"""What is nowhere wider than this is the rounding of coordinates: closed too, and counted together."""


_NODES_APART_M = 1e-4
"""Nodes nearer than this are one: in degrees they would still be told apart, and no outline cross itself."""


class Misfit(StrEnum):
    """How land and grids fail to be one grid each."""

    OVERLAP = "OVERLAP"
    GAP = "GAP"
    OUTSIDE = "OUTSIDE"


@dataclass(frozen=True, slots=True)
class Finding:
    """Land that is in no grid, in two, or in a grid but outside of the village.

    Attributes
    ----------
    grids
        Positions of the grids: for an overlap the two, for a gap the one it was or would be given to, for land outside
        the one it is of.
    area_m2, places
        All of it, and in how many places.
    at
        (x, y) in the largest of these, metres.
    is_narrow
        Whether no place is wider than `WIDEST_SLIVER_M`, so that it was closed.
    """

    kind: Misfit
    grids: tuple[int, ...]
    area_m2: float
    places: int
    at: tuple[float, float]
    is_narrow: bool

    def as_record(self) -> dict[str, Any]:
        """Return the finding as a plain record."""
        return asdict(self)


@dataclass(frozen=True)
class Settled:
    """What became of drawn grids.

    Attributes
    ----------
    polygons
        Tiling the village edge to edge where every finding is narrow. In the order of the input; None for a grid of
        which nothing is left.
    findings
        Ordered by kind and grid.
    rounding_m2, rounding_places
        Land that was closed because it is no wider than `ROUNDING_M`.
    """

    polygons: NDArray[np.object_]
    findings: list[Finding]
    rounding_m2: float
    rounding_places: int


def settle_grids(polygons: NDArray[np.object_], village: BaseGeometry) -> Settled:
    """Return drawn grids as a coverage of their village, and where they were none.

    Parameters
    ----------
    polygons
        Valid polygons, metres.
    village
        Valid Polygon or MultiPolygon, metres.

    Notes
    -----
    Land in several grids goes to the first of them, land in none to the grid it shares the longest border with.
    """
    faces = _faces(polygons, village)
    inner = shapely.point_on_surface(faces)
    shapely.prepare(village)
    is_inside = shapely.intersects(village, inner)
    owners: list[list[int]] = [[] for _ in faces]
    for face, grid in zip(*shapely.STRtree(polygons).query(inner, "intersects"), strict=True):
        owners[face].append(int(grid))
    faces_of_nobody = np.flatnonzero(is_inside & [not grids for grids in owners])
    owner = np.array([min(grids, default=-1) for grids in owners], dtype=np.int64)
    owner[~is_inside] = -1
    beside = _adopt(faces, owner, faces_of_nobody)
    shared = [(face, pair) for face in np.flatnonzero(is_inside).tolist() for pair in _pairs(owners[face])]
    missed = [(face, (beside[face],)) for face in faces_of_nobody.tolist() if beside[face] >= 0]
    abroad = [(face, (grid,)) for face in np.flatnonzero(~is_inside).tolist() for grid in owners[face]]
    misfits = [
        *_grouped(Misfit.OVERLAP, shared),
        *_grouped(Misfit.GAP, missed),
        *_grouped(Misfit.OUTSIDE, abroad),
    ]
    findings, rounding_m2, rounding_places = [], 0.0, 0
    for kind, grids, members in misfits:
        parts = shapely.get_parts(shapely.union_all(faces[members]))
        is_rounding = _is_narrow(parts, ROUNDING_M)
        rounding_m2 += float(shapely.area(parts[is_rounding]).sum())
        rounding_places += int(is_rounding.sum())
        if not is_rounding.all():
            findings.append(_finding(kind, grids, parts[~is_rounding]))
    return Settled(_joined(faces, owner, len(polygons)), findings, rounding_m2, rounding_places)


def _faces(polygons: NDArray[np.object_], village: BaseGeometry) -> NDArray[np.object_]:
    lines = shapely.union_all([shapely.boundary(village), *shapely.boundary(polygons)], grid_size=_NODES_APART_M)
    faces: NDArray[np.object_] = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    return faces


def _pairs(grids: list[int]) -> list[tuple[int, int]]:
    ordered = sorted(grids)
    return [(one, other) for at, one in enumerate(ordered) for other in ordered[at + 1 :]]


def _grouped(
    kind: Misfit, faces: Sequence[tuple[int, tuple[int, ...]]]
) -> list[tuple[Misfit, tuple[int, ...], list[int]]]:
    """Return the faces of each group of grids, in the order of the grids."""
    members: dict[tuple[int, ...], list[int]] = {}
    for face, grids in faces:
        members.setdefault(grids, []).append(face)
    return [(kind, grids, members[grids]) for grids in sorted(members)]


def _is_narrow(parts: NDArray[np.object_], width_m: float) -> NDArray[np.bool_]:
    narrow: NDArray[np.bool_] = shapely.is_empty(shapely.buffer(parts, -width_m / 2, quad_segs=2))
    return narrow


def _finding(kind: Misfit, grids: tuple[int, ...], parts: NDArray[np.object_]) -> Finding:
    areas = shapely.area(parts)
    middle = shapely.point_on_surface(parts[areas.argmax()])
    is_narrow = bool(_is_narrow(parts, WIDEST_SLIVER_M).all())
    return Finding(kind, grids, float(areas.sum()), len(parts), (middle.x, middle.y), is_narrow)


def _adopt(faces: NDArray[np.object_], owner: NDArray[np.int64], orphans: NDArray[np.int64]) -> dict[int, int]:
    """Give each face of nobody to the grid that it shares the longest border with, and return whose each became.

    Those that touch no grid wait until a neighbour has one; -1 remains where there is none at all.
    """
    if not len(orphans):
        return {}
    at, near = shapely.STRtree(faces).query(faces[orphans], "intersects")
    face = orphans[at]
    shared_m = shapely.length(shapely.intersection(shapely.boundary(faces[face]), shapely.boundary(faces[near])))
    kept = (shared_m > 0) & (face != near)
    face, near, shared_m = face[kept], near[kept], shared_m[kept]
    while True:
        ripe = (owner[face] < 0) & (owner[near] >= 0)
        if not ripe.any():
            return {int(orphan): int(owner[orphan]) for orphan in orphans}
        pairs, place = np.unique(np.stack([face[ripe], owner[near[ripe]]], axis=1), axis=0, return_inverse=True)
        border_m = np.round(np.bincount(place.reshape(-1), weights=shared_m[ripe]), 3)
        best = np.lexsort((pairs[:, 1], -border_m, pairs[:, 0]))
        chosen = pairs[best[np.unique(pairs[best, 0], return_index=True)[1]]]
        owner[chosen[:, 0]] = chosen[:, 1]


def _joined(faces: NDArray[np.object_], owner: NDArray[np.int64], count: int) -> NDArray[np.object_]:
    polygons = np.full(count, None, dtype=object)
    for grid in np.unique(owner[owner >= 0]).tolist():
        polygons[grid] = shapely.coverage_union_all(faces[owner == grid])
    return polygons
