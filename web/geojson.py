"""Frames and shapes -> GeoJSON values for the wire (RFC 7946: EPSG:4326, longitude first)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

DIGITS = 6
"""Decimals of a degree: 0.1 m, finer than any household point is known."""


def feature_collection(frame: GeoDataFrame, columns: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the rows of an EPSG:4326 frame as features with those columns as properties, in row order."""
    shapes = [json.loads(text) for text in shapely.to_geojson(_rounded(frame.geometry.to_numpy()))]
    records = frame[list(columns)].to_dict("records") if columns else [{} for _ in shapes]
    features = [
        {"type": "Feature", "properties": properties, "geometry": shape}
        for properties, shape in zip(records, shapes, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def features_text(frame: GeoDataFrame, columns: Sequence[str]) -> str:
    """Return the rows of an EPSG:4326 frame as the text of a FeatureCollection, in row order.

    The geometry is written by GEOS and never parsed again; outer rings run counter-clockwise. `columns` become the
    properties; moments and days are written as ISO 8601.
    """
    shapes = shapely.orient_polygons(_rounded(frame.geometry.to_numpy()), exterior_cw=False)
    records = frame[list(columns)].to_dict("records")
    features = [
        f'{{"type":"Feature","properties":{_json(record)},"geometry":{shape or "null"}}}'
        for record, shape in zip(records, shapely.to_geojson(shapes), strict=True)
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'


def one_feature(shape: BaseGeometry) -> dict[str, Any]:
    """Return a collection of a single feature without properties; of none when the shape is empty."""
    features = []
    if not shape.is_empty:
        features.append(
            {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(_rounded(shape)))}
        )
    return {"type": "FeatureCollection", "features": features}


def _rounded(shapes: Any) -> Any:  # noqa: ANN401 -- an array of geometries or one geometry
    return shapely.transform(shapes, lambda points: np.round(points, DIGITS))


def _json(record: dict[Any, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=lambda value: value.isoformat())
