"""Rivers with their bridges left open: from drawn waters to barriers.

Apart from `mapgrid.terrain`, whose words the store needs at every start: geopandas takes a second to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from geopandas import GeoSeries

from mapgrid.crs import check_metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cut_bridges(lines: GeoSeries, roads: GeoSeries, gap_m: float) -> GeoSeries:
    """Return the lines with a gap wherever a road crosses them: a river with its bridges left open.

    Parameters
    ----------
    lines
        LineStrings or MultiLineStrings in a metric CRS, any index. A line that a road only touches keeps no gap
        shorter than one that is crossed: a road that ends on a river is taken for a crossing.
    roads
        Lines in the same CRS. Where a road runs *along* a line the shared stretch opens nothing, only its ends do.
    gap_m
        Width of a gap in metres along the line, centred on the crossing.

    Returns
    -------
    GeoSeries
        Lines indexed like `lines`, in its CRS; MultiLineStrings where a gap splits one, empty where nothing is left.

    Raises
    ------
    NotMetricError
        If either series is not in metres, or their CRS differ.
    """
    crs = check_metric(lines, roads)
    line_at, road_at = roads.sindex.query(lines, predicate="intersects")
    crossings = shapely.intersection(lines.to_numpy()[line_at], roads.to_numpy()[road_at])
    points, of_crossing = shapely.get_coordinates(crossings, return_index=True)
    gaps = _gaps_per_line(points, line_at[of_crossing], len(lines), gap_m)
    return GeoSeries(shapely.difference(lines.to_numpy(), gaps), index=lines.index, crs=crs)


def _gaps_per_line(points: NDArray, line_of_point: NDArray, count: int, gap_m: float) -> NDArray:
    """Return one MultiPolygon of discs of diameter `gap_m` per line, empty for a line without crossings."""
    order = np.argsort(line_of_point, kind="stable")
    discs = np.asarray(shapely.buffer(shapely.points(points[order]), gap_m / 2.0))
    collected = np.full(count, shapely.GeometryCollection(), dtype=object)
    shapely.geometrycollections(discs, indices=line_of_point[order], out=collected)
    return np.asarray(shapely.unary_union(collected[:, np.newaxis], axis=1))
