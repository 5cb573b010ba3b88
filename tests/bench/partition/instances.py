"""The villages that are measured: the real ones that come with the sources, and drawn ones of growing size."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from generated_land import generate
from real_land import DEMO, OTHERS, WITH_WATER, load

from mapgrid.crs import metric_crs_for
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.cells.outlines import cell_polygons
from mapgrid.partition.points import distinct_points
from mapgrid.village import Limits

DRAWN = ("200", "800", "3000", "20000")
LIMITS = Limits()
_NONE = np.empty(0, dtype=object)


@dataclass(frozen=True)
class Instance:
    """One village with what may be asked of it; frames in its metric CRS.

    Attributes
    ----------
    river
        Barriers, or None where the village has none.
    units
        Polygons with `unit`; `households` then have the column too.
    roads
        Lines that borders may follow, or None.
    """

    name: str
    village: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    river: gpd.GeoDataFrame | None = None
    units: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None

    @property
    def size(self):
        return len(self.households)

    @property
    def is_in_one_part(self):
        return len(shapely.get_parts(self.village.geometry.iloc[0])) == 1

    @cached_property
    def points(self):
        return distinct_points(self.households)

    @cached_property
    def land(self):
        return cut_land(self.village.geometry.iloc[0], self.points.xy, _NONE)[0]

    @cached_property
    def land_with_river(self):
        if self.river is None:
            return None
        return cut_land(self.village.geometry.iloc[0], self.points.xy, self.river.geometry.to_numpy())[0]

    @cached_property
    def cells(self):
        return cell_polygons(self.land.faces, self.land.cell_of_face, len(self.points))

    def write(self, path, count):
        """Write what a peer needs; `count` grids are wished for."""
        points = gpd.GeoSeries(shapely.points(self.points.xy), crs=self.village.crs).to_crs(4326)
        outline = self.village.to_crs(4326).geometry.iloc[0]
        np.savez(
            path,
            xy=self.points.xy,
            degrees=shapely.get_coordinates(points.to_numpy()),
            weight=self.points.weight,
            pairs=self.land.pairs,
            border_m=np.round(self.land.border_m, 1),
            limits=np.array([count, LIMITS.min, LIMITS.max, LIMITS.target]),
            outline=np.frombuffer(shapely.to_wkb(outline), dtype=np.uint8),
        )


def names():
    """Return all instances, the small ones first; `north_bayreuth` only where BENCH_DATA names its directory."""
    return [*DEMO, *OTHERS, *(["north_bayreuth"] if "BENCH_DATA" in os.environ else []), *DRAWN]


def instance(name, seed=0):
    """Return the instance of that name."""
    if name.isdigit():
        drawn = generate(int(name), seed)
        return Instance(name, drawn.village, drawn.households, drawn.river, drawn.units, drawn.roads)
    if name == "north_bayreuth":
        return _north_bayreuth(Path(os.environ["BENCH_DATA"]) / "north_bayreuth.gpkg")
    village, households, water = load(name, barriers="waterways" if name in WITH_WATER else None)
    return Instance(name, village, households[["weight", "geometry"]], water)


def _north_bayreuth(file):
    households = gpd.read_file(file, layer="households")
    crs = metric_crs_for(tuple(households.total_bounds))
    households = households.to_crs(crs).assign(weight=1)[["weight", "geometry"]]
    hull = shapely.convex_hull(shapely.union_all(households.geometry.to_numpy())).buffer(200.0)
    return Instance("north_bayreuth", gpd.GeoDataFrame(geometry=[hull], crs=crs), households)
