"""Polygons of cells and grids: unions of faces, so that neighbours share every node of their border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.cells.faces import Faces


def merge(polygons: NDArray[np.object_], label: NDArray[np.int64], count: int) -> NDArray[np.object_]:
    """Return the union of the polygons of each label 0 … count − 1. The polygons must share their nodes."""
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(count + 1))
    merged = np.empty(count, dtype=object)
    size = np.diff(bounds)
    # As many at a time as have as many polygons: called for each one, it takes as long again.
    for several in np.unique(size).tolist():
        which = np.flatnonzero(size == several)
        held = polygons[order[bounds[which, None] + np.arange(several)]]
        merged[which] = held[:, 0] if several == 1 else shapely.coverage_union_all(held, axis=1)
    # A union in one piece is a polygon, however it comes.
    single = np.flatnonzero((shapely.get_num_geometries(merged) == 1) & (size > 1))
    merged[single] = shapely.get_geometry(merged[single], 0)
    return merged


def cell_polygons(
    faces: Faces, cell_of_face: NDArray[np.int64], count: int, cells: NDArray[np.int64] | None = None
) -> NDArray[np.object_]:
    """Return the polygon of each cell, or of some, ascending; with land in two parts of the village a MultiPolygon."""
    if cells is None:
        return merge(faces.polygons(), cell_of_face, count)
    place = np.full(count, -1, dtype=np.int64)
    place[cells] = np.arange(len(cells))
    face = np.flatnonzero(place[cell_of_face] >= 0)
    return merge(faces.polygons(face), place[cell_of_face[face]], len(cells))
