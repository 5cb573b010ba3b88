"""The land of a sample village as the store and the division want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from geopandas import GeoDataFrame, GeoSeries
from shapely import GeometryType

from mapgrid.bridges import cut_bridges
from mapgrid.codes import household_code
from mapgrid.crs import metric_crs_for
from mapgrid.terrain import BARRIER_WATERWAYS, TerrainKind, kind_of_highway

if TYPE_CHECKING:
    from pathlib import Path

    from pyproj import CRS

    from geodata.samples.index import SampleVillage

_BRIDGE_GAP_M = 20.0
_LONGEST_EDGE_DEGREES = 0.0005
_MAIN_WATER_FROM_M = 500.0
_TOLERANCE_M = 0.5
_COLUMNS = ["kind", "detail", "name", "is_barrier", "is_preferred", "geometry"]


@dataclass(frozen=True, slots=True)
class SampleLand:
    """One village's land in its metric CRS.

    Attributes
    ----------
    village
        One row: the outline.
    households
        Points indexed by 18-digit household code, from west to east, with `weight` 1.
    terrain
        `kind, detail, name, is_barrier, is_preferred`; `detail` is the OSM value of `building`, `highway`, `waterway`.
    """

    village: GeoDataFrame
    households: GeoDataFrame
    terrain: GeoDataFrame

    @property
    def barriers(self) -> GeoDataFrame:
        """Return the lines no grid reaches across, bridges left open."""
        return self._marked("is_barrier")

    @property
    def preferred(self) -> GeoDataFrame:
        """Return the lines that borders of grids follow where that costs little."""
        return self._marked("is_preferred")

    def _marked(self, column: str) -> GeoDataFrame:
        lines: GeoDataFrame = self.terrain.loc[self.terrain[column], ["kind", "geometry"]].reset_index(drop=True)
        return lines


def read_land(sample: SampleVillage) -> SampleLand:
    """Return the land of a sample village, everything in one metric CRS made for it."""
    outline = gpd.read_file(sample.file, layer="village")[["geometry"]]
    # A long border that is straight in degrees bends by centimetres in metres: with a vertex every 50 m or so, the
    # corners that cells put on the border still lie on it after the way back.
    outline["geometry"] = outline.geometry.segmentize(_LONGEST_EDGE_DEGREES)
    crs = metric_crs_for(tuple(outline.total_bounds))
    points = gpd.read_file(sample.file, layer="households")[["geometry"]].to_crs(crs)
    points = points.iloc[np.lexsort((points.geometry.y, points.geometry.x))]
    points.index = pd.Index([household_code(sample.code, row + 1) for row in range(len(points))], name="household")
    points["weight"] = 1
    return SampleLand(outline.to_crs(crs), points, _read_terrain(sample.file, crs))


def _read_terrain(file: Path, crs: CRS) -> GeoDataFrame:
    layers = {str(name) for name, _type in pyogrio.list_layers(file)}
    buildings = _areas(file, "buildings", "building", TerrainKind.BUILDING, crs)
    if "roads" not in layers:
        return buildings
    waters = _areas(file, "water_areas", None, TerrainKind.WATER_AREA, crs)
    roads = _lines(file, "roads", "highway", crs)
    roads["kind"] = [kind_of_highway(value).value for value in roads["detail"]]
    roads["is_preferred"] = roads["kind"] == TerrainKind.ROAD
    waterways = _lines(file, "waterways", "waterway", crs)
    waterways["kind"] = TerrainKind.WATERWAY.value
    waterways["is_preferred"] = True
    parts = [buildings, waters, roads[_COLUMNS], _with_barriers(waterways, roads.geometry)[_COLUMNS]]
    return GeoDataFrame(pd.concat(parts, ignore_index=True), crs=crs)


def _with_barriers(waterways: GeoDataFrame, roads: GeoSeries) -> GeoDataFrame:
    """Return the waterways with the rivers cut into barriers and the stretches under bridges; together, all water."""
    is_main = waterways["detail"].isin(BARRIER_WATERWAYS) & (waterways.length >= _MAIN_WATER_FROM_M)
    main = waterways[is_main]
    barriers = main.assign(geometry=cut_bridges(main.geometry, roads, _BRIDGE_GAP_M), is_barrier=True)
    # A hair of width: where a gap begins, a new vertex lies beside the old segment by the last digit of a float.
    under_bridges = main.assign(geometry=main.geometry.difference(barriers.buffer(0.001)))
    cut = pd.concat([waterways[~is_main], barriers, under_bridges])
    return cut[~cut.geometry.is_empty]


def _areas(file: Path, layer: str, detail: str | None, kind: TerrainKind, crs: CRS) -> GeoDataFrame:
    areas = gpd.read_file(file, layer=layer).to_crs(crs)
    areas["detail"] = areas[detail] if detail else None
    areas["geometry"] = areas.geometry.simplify(_TOLERANCE_M)
    areas = areas[areas.is_valid & ~areas.is_empty]
    return areas.assign(kind=kind.value, is_barrier=False, is_preferred=False)[_COLUMNS]


def _lines(file: Path, layer: str, detail: str, crs: CRS) -> GeoDataFrame:
    """Return the line parts of a layer, one row per feature; cutting at the border left points among them."""
    features = gpd.read_file(file, layer=layer).to_crs(crs)
    collections, feature = shapely.get_parts(features.geometry.to_numpy(), return_index=True)
    parts, part_of = shapely.get_parts(collections, return_index=True)
    feature = feature[part_of]
    is_line = shapely.get_type_id(parts) == GeometryType.LINESTRING
    kept, row = np.unique(feature[is_line], return_inverse=True)
    merged = shapely.line_merge(shapely.multilinestrings(parts[is_line], indices=row))
    lines = features.iloc[kept].assign(
        detail=features[detail].iloc[kept], geometry=GeoSeries(merged, index=kept, crs=crs).simplify(_TOLERANCE_M)
    )
    return lines.assign(is_barrier=False, is_preferred=False)[
        ["detail", "name", "is_barrier", "is_preferred", "geometry"]
    ]
