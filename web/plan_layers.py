"""What a division was given beside households, as layers under the grids of its map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from shapely import STRtree

from mapgrid.crs import STORAGE_SRID
from mapgrid.mapspec import Overlay, Pane
from mapgrid.partition.straight.prefer import ALONG_M
from web.geojson import one_feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

MOST_LINES = 5_000
"""So many lines of a layer are drawn; the longest are."""

_AROUND_M = 200.0
_SIMPLER_M = 1.0
_CROSSING_M = 4 * ALONG_M


class _Kind(NamedTuple):
    """How one layer is drawn: its switch, its style, and the style of grid borders that run along it."""

    overlay: Overlay
    pane: Pane
    style: str
    along: str | None = None


_KINDS = {
    "roads": _Kind(Overlay.WAYS, Pane.ROADS, "way"),
    "prefer": _Kind(Overlay.PREFERRED, Pane.ROADS, "preferred", "along_preferred"),
    "barriers": _Kind(Overlay.BARRIERS, Pane.ROADS, "barrier", "along_barrier"),
    "units": _Kind(Overlay.UNITS, Pane.GROUPS, "units"),
}


@dataclass(frozen=True, slots=True)
class GivenLayer:
    """One layer that was given, ready to be drawn.

    Attributes
    ----------
    parts
        `(style name, pane, GeoJSON)` in drawing order, EPSG:4326.
    given
        Features of the file.
    left_out
        Lines near the village that are not drawn, because there are more than `MOST_LINES`.
    along, along_m
        Style and length of the grid borders that run along these lines; None where that is nothing to look for.
    """

    overlay: Overlay
    parts: list[tuple[str, Pane, dict[str, Any]]]
    style: str
    given: int
    left_out: int
    along: str | None
    along_m: float | None


def given_layers(
    layers: Mapping[str, GeoDataFrame], borders: BaseGeometry, village: GeoDataFrame
) -> tuple[GivenLayer, ...]:
    """Return the layers that were given, low to high; what lies away from the village is left out.

    Parameters
    ----------
    layers
        `barriers`, `prefer`, `roads`, `units`: those there are, in the village's metric CRS.
    borders
        Between grids, each once, in the same CRS.
    village
        One polygon, in the same CRS.
    """
    near = village.geometry.iloc[0].buffer(_AROUND_M)
    return tuple(
        _layer(kind, layers[name].geometry.to_numpy(), borders, near, village.crs)
        for name, kind in _KINDS.items()
        if name in layers
    )


def _layer(
    kind: _Kind, shapes: NDArray[np.object_], borders: BaseGeometry, near: BaseGeometry, metric: CRS
) -> GivenLayer:
    lines, left_out = _drawn_lines(shapes, near, are_areas=kind.overlay is Overlay.UNITS)
    parts = [(kind.style, kind.pane, one_feature(in_degrees(lines, metric)))]
    along_m = None
    if kind.along is not None:
        along = _borders_along(borders, shapes)
        along_m = float(shapely.length(along))
        parts.append((kind.along, Pane.GROUPS, one_feature(in_degrees(along, metric))))
    return GivenLayer(kind.overlay, parts, kind.style, len(shapes), left_out, kind.along, along_m)


def _drawn_lines(shapes: NDArray[np.object_], near: BaseGeometry, *, are_areas: bool) -> tuple[BaseGeometry, int]:
    """Return the lines of shapes, areas by their outline, as one; and how many were left out of it."""
    parts = shapely.get_parts(shapely.get_parts(shapes))  # a collection may hold lines of several
    is_area = shapely.get_dimensions(parts) == 2
    parts[is_area] = shapely.boundary(parts[is_area])
    if are_areas:
        # Neighbours share their outline: it is drawn once, or its dashes would fill each other's gaps.
        parts = shapely.get_parts(shapely.line_merge(shapely.union_all(parts)))
    lines = shapely.get_parts(shapely.intersection(parts, near))
    lines = shapely.get_parts(lines[shapely.get_dimensions(lines) == 1])
    longest = np.argsort(-shapely.length(lines), kind="stable")[:MOST_LINES]
    drawn = shapely.simplify(lines[np.sort(longest)], _SIMPLER_M)
    return shapely.multilinestrings(drawn), len(lines) - len(drawn)


def _borders_along(borders: BaseGeometry, shapes: NDArray[np.object_]) -> BaseGeometry:
    """Return the borders within `ALONG_M` of shapes; a border that only crosses one is none."""
    parts = shapely.get_parts(borders)
    near = np.unique(STRtree(parts).query(shapes, predicate="dwithin", distance=ALONG_M)[0])
    bands = shapely.get_parts(shapely.union_all(shapely.buffer(shapes[near], ALONG_M, quad_segs=4)))
    part, band = STRtree(bands).query(parts, predicate="intersects")
    lines = shapely.get_parts(shapely.get_parts(shapely.intersection(parts[part], bands[band])))
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines[shapely.get_dimensions(lines) == 1])))
    return shapely.multilinestrings(merged[shapely.length(merged) > _CROSSING_M])


def in_degrees(shape: BaseGeometry, metric: CRS) -> BaseGeometry:
    """Return a shape in EPSG:4326."""
    placed: BaseGeometry = gpd.GeoSeries([shape], crs=metric).to_crs(STORAGE_SRID).iloc[0]
    return placed
