"""The land of units: their limits cut cells as barriers do, so that grids can follow them, but one may walk across."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from mapgrid.partition.cells.land import components
from mapgrid.partition.cells.shapes import distinct_rows, lines_along
from mapgrid.partition.cells.walls import segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from mapgrid.partition.cells.faces import Faces
    from mapgrid.partition.whole_units.units import Units


@dataclass(frozen=True, slots=True)
class UnitLand:
    """The land of units.

    Attributes
    ----------
    polygons
        (u,) valid polygons in metres; land in several counts for the first of them.
    of_point
        (n,) the unit of each household point, -1 for none.
    """

    polygons: NDArray[np.object_]
    of_point: NDArray[np.int64]

    def segments(self, village: BaseGeometry) -> NDArray[np.float64]:
        """Return the segments of the limits that touch a village, each once, shape (m, 2, 2)."""
        segments = segments_of(shapely.get_rings(shapely.get_parts(self.polygons)))[0]
        start, end = segments[:, 0], segments[:, 1]
        turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
        drawn = np.where(turned[:, None, None], segments[:, ::-1], segments)
        node = distinct_rows(drawn.reshape(-1, 2))[1].reshape(-1, 2)
        _, place = distinct_rows(node)  # neighbours draw the limit between them twice
        segments = drawn[np.unique(place, return_index=True)[1]]
        shapely.prepare(village)
        touching: NDArray[np.float64] = segments[shapely.intersects(village, lines_along(segments))]
        return touching

    def of_faces(self, faces: Faces) -> NDArray[np.int64]:
        """Return the unit whose land each face is, -1 for none; no limit runs through a face."""
        unit = self.of_point[faces.owner]
        pieces = np.bincount(faces.owner, minlength=len(self.of_point))
        cut = np.flatnonzero(pieces[faces.owner] > 1)
        found = np.full(len(cut), len(self.polygons), dtype=np.int64)
        inner = shapely.point_on_surface(faces.polygons(cut))
        polygon, at = shapely.STRtree(inner).query(self.polygons, "contains")
        np.minimum.at(found, at, polygon)
        unit[cut] = np.where(found < len(self.polygons), found, -1)
        return unit

    def limits(
        self,
        unit: NDArray[np.int64],
        home: NDArray[np.int64],
        ends: tuple[NDArray[np.int64], NDArray[np.int64]],
        is_wall: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Return which inner edges (the faces on both sides are `ends`) part two units with households on both sides.

        `unit` is the unit of each face, `home` the face each household point stands in. Where nobody lives on one
        side, a limit keeps nothing apart: that land goes to whom it is nearest to.
        """
        first, second = ends
        differ = unit[first] != unit[second]
        inside = ~differ & ~is_wall
        piece = components(len(unit), first[inside], second[inside])
        inhabited = np.zeros(len(unit), dtype=bool)
        inhabited[piece[home]] = True
        parted: NDArray[np.bool_] = differ & inhabited[piece[first]] & inhabited[piece[second]]
        return parted


def unit_land(units: Units) -> UnitLand | None:
    """Return the land of units, or None when they were read from a column."""
    return UnitLand(units.polygons, units.of_point) if len(units.polygons) else None
