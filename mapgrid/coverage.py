"""What a true coverage is: pieces that tile a village without gap, overlap or land outside.

`shapely.coverage_is_valid` alone is not enough: a coverage with a hole between cells is valid. The village less the
union of its pieces is always measured too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from mapgrid.crs import check_metric
from mapgrid.errors import CoverageError

if TYPE_CHECKING:
    import numpy as np
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

TOLERANCE = 1e-6
"""Largest gap, overlap and land outside, as a share of the village's area."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far pieces are from tiling a village.

    Attributes
    ----------
    gap_m2
        Land of the village in no piece.
    overlap_m2
        Land in more than one piece, counted once for each piece too many.
    outside_m2
        Land of pieces outside the village.
    is_matched
        Whether shared edges have the same nodes on both sides.
    """

    gap_m2: float
    overlap_m2: float
    outside_m2: float
    is_matched: bool


def measure_coverage(pieces: GeoDataFrame, village: GeoDataFrame) -> Coverage:
    """Return how far the pieces are from tiling the village.

    Parameters
    ----------
    pieces
        Valid polygons, metres.
    village
        One row, Polygon or MultiPolygon, in the same CRS.
    """
    check_metric(pieces, village)
    return measure(pieces.geometry.to_numpy(), village.geometry.iloc[0])


def measure(polygons: NDArray[np.object_], village: BaseGeometry) -> Coverage:
    """Return how far an array of polygons (metres) is from tiling a polygon."""
    union = shapely.union_all(polygons)
    is_matched = bool(shapely.coverage_is_valid(polygons))
    overlap = max(0.0, float(shapely.area(polygons).sum()) - union.area)
    # Both areas are sums over thousands of corners: differences below a billionth of the village are rounding.
    if is_matched and overlap < 1e-9 * village.area:
        overlap = 0.0
    return Coverage(village.difference(union).area, overlap, union.difference(village).area, is_matched)


def check_coverage(pieces: GeoDataFrame, village: GeoDataFrame) -> None:
    """Raise `CoverageError` unless the pieces tile the village to within `TOLERANCE` of its area."""
    found = measure_coverage(pieces, village)
    allowed_m2 = TOLERANCE * village.geometry.iloc[0].area
    for what, area_m2 in (("gaps", found.gap_m2), ("overlaps", found.overlap_m2), ("land outside", found.outside_m2)):
        if area_m2 > allowed_m2:
            msg = f"expected a coverage of the village, found {what} of {area_m2:.3f} m2 ({allowed_m2:.3f} m2 allowed)"
            raise CoverageError(msg)
    if not found.is_matched:
        msg = "expected neighbours to share the nodes of their border, found edges that do not match"
        raise CoverageError(msg)
