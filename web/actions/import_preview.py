"""What a map shows of a file before it is imported: its shapes, and where the rows with faults are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.villages import load_village
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import InputRefusedError, NotFoundError
from mapgrid.mapspec import GRID_FILLS, MapSpec, Overlay, Pane
from mapgrid.outlines import surroundings
from web.actions.import_reports import read_rows
from web.folium_map import Layers
from web.geojson import feature_collection, one_feature

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from web.actions.import_reports import ImportOptions, ImportReport

_MOST_SHAPES = 20_000
_REACH_DEGREES = 0.6
_MARGIN = 0.06


@dataclass(frozen=True, slots=True)
class Preview:
    """A map of a file.

    Attributes
    ----------
    points
        Longitude, latitude, row, and whether the row has a fault.
    places
        Longitude and latitude of rows, for the table beside the map.
    left_out
        Rows beyond what a browser can draw.
    """

    spec: MapSpec
    layers: Layers
    points: list[list[Any]]
    places: dict[int, tuple[float, float]]
    left_out: int


def preview(session: Session, spec: str, code: str, options: ImportOptions, report: ImportReport) -> Preview | None:
    """Return the map of a file, None when nothing in it can be placed."""
    try:
        frame = read_rows(spec, options).frame
    except InputRefusedError:
        return None
    left_out = max(0, len(frame) - _MOST_SHAPES)
    frame = frame.iloc[:_MOST_SHAPES]
    if frame.empty:
        return None
    faulty = {fault.row for fault in report.faults}
    shapes = frame.geometry.to_numpy()
    inner = shapely.get_coordinates(shapely.point_on_surface(shapes)).round(6)
    places = {int(row): (float(x), float(y)) for row, (x, y) in zip(frame.index, inner, strict=True)}
    at = shapely.get_dimensions(shapes)
    points = [[*places[int(row)], int(row), int(row) in faulty] for row in frame.index[at == 0]]
    boundary = _boundary(session, code)
    bounds = _bounds(shapes if boundary is None else np.append(shapes, boundary))
    return Preview(MapSpec(bounds=bounds), _layers(frame, at, faulty, boundary), points, places, left_out)


def _boundary(session: Session, code: str) -> BaseGeometry | None:
    try:
        shape: BaseGeometry = load_village(session, code).geometry.iloc[0]
    except NotFoundError:
        return None
    return shape


def _layers(frame: GeoDataFrame, at: Any, faulty: set[int | None], boundary: BaseGeometry | None) -> Layers:  # noqa: ANN401 - an array
    areas, lines = frame[at == 2], frame[at == 1]
    fills = [GRID_FILLS[number % len(GRID_FILLS)] for number in range(len(areas))]
    drawn = gpd.GeoDataFrame({"fill": fills}, geometry=areas.geometry.to_numpy(), crs=STORAGE_SRID)
    wrong = drawn[np.isin(areas.index, [row for row in faulty if row is not None])]
    edge = shapely.MultiLineString() if boundary is None else shapely.boundary(boundary)
    around = shapely.Polygon() if boundary is None else surroundings(boundary, reach=_REACH_DEGREES)
    strokes = one_feature(shapely.multilinestrings(shapely.get_parts(lines.geometry.to_numpy())))
    return Layers(
        areas=feature_collection(drawn, ("fill",)),
        borders=one_feature(_edges(areas)),
        boundary=one_feature(edge),
        outside=one_feature(around),
        overlays={Overlay.BARRIERS: [("barrier", Pane.ROADS, strokes)]} if len(lines) else {},
        breakers=feature_collection(wrong),
    )


def _edges(areas: GeoDataFrame) -> BaseGeometry:
    """Return the outlines as they are drawn: where two do not meet, both lines are seen."""
    edges: BaseGeometry = shapely.multilinestrings(shapely.get_parts(shapely.boundary(areas.geometry.to_numpy())))
    return edges


def _bounds(shapes: Any) -> tuple[float, float, float, float]:  # noqa: ANN401 - an array
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    aside_x, aside_y = max(_MARGIN * (east - west), 1e-4), max(_MARGIN * (north - south), 1e-4)
    return (west - aside_x, south - aside_y, east + aside_x, north + aside_y)
