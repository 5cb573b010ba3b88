"""Files of whole districts for `mapgrid partition-all`.

north_bayreuth: 70 hamlets, the land of each what is nearest to its place, households where they stand.
drawn: villages of 100 to 800 households, drawn by chance, side by side.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from generated_land import CRS, generate

from mapgrid.crs import metric_crs_for


def write_north_bayreuth(source, target):
    """Write layers `villages` (column `name`) and `households` from the places and households of a GeoPackage."""
    households = gpd.read_file(source, layer="households")
    crs = metric_crs_for(tuple(households.total_bounds))
    households = households.to_crs(crs)
    places = gpd.read_file(source, layer="places").to_crs(crs)
    hull = shapely.convex_hull(shapely.union_all(households.geometry.to_numpy())).buffer(200.0)
    land = shapely.voronoi_polygons(shapely.MultiPoint(places.geometry.to_list()), extend_to=hull)
    cells = shapely.intersection(np.array(shapely.get_parts(land)), hull)
    place, cell = shapely.STRtree(cells).query(places.geometry.to_numpy(), "intersects")
    double = places["name"].duplicated(keep=False)
    name = places["name"].where(~double, places["name"] + " " + places["osm_id"].astype(str))
    villages = gpd.GeoDataFrame({"name": name.to_numpy()[place]}, geometry=cells[cell], crs=crs)
    villages = villages[~villages.geometry.is_empty]
    villages.to_crs(4326).to_file(target, layer="villages", driver="GPKG")
    households.to_crs(4326).to_file(target, layer="households", driver="GPKG")
    return len(villages), len(households)


def write_drawn(count, target, *, least=100, most=800, seed=0):
    """Write layers `villages` (column `code`), `households` (with the same) and `rivers` of drawn villages."""
    rng = np.random.default_rng(seed)
    villages, households, rivers = [], [], []
    columns = int(np.ceil(np.sqrt(count)))
    for number in range(count):
        drawn = generate(int(rng.integers(least, most + 1)), number)
        east, north = 3_000.0 * (number % columns), 3_000.0 * (number // columns)
        code = f"3505241{number:05d}"
        for frames, frame in ((villages, drawn.village), (households, drawn.households), (rivers, drawn.river)):
            moved = frame.set_geometry(frame.geometry.translate(east, north)).assign(code=code)
            frames.append(moved[["code", "geometry"]])
    for layer, frames in (("villages", villages), ("households", households), ("rivers", rivers)):
        together = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=CRS).to_crs(4326)
        together.to_file(target, layer=layer, driver="GPKG")
    return count, sum(map(len, households))
