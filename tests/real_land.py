"""Real villages that come with the sources, in metres."""

from pathlib import Path

import geopandas as gpd

from mapgrid.crs import metric_crs_for

_ROOT = Path(__file__).resolve().parent.parent
_SAMPLES = _ROOT / "geodata" / "samples"
_DATA = _ROOT / "tests" / "data"

DEMO = ("ruggell", "gamprin", "schellenberg", "planken", "coulibistrie", "dos_d_ane")
OTHERS = ("kathmandu_splitter", "stonetown2")
WITH_WATER = ("ruggell", "gamprin", "schellenberg", "planken")


def file_of(name):
    return (_DATA if name in OTHERS else _SAMPLES) / f"{name}.gpkg"


def load(name, *, barriers=None):
    """Return the boundary, the households (weight 1) and the lines of a layer, in the village's metric CRS."""
    boundary = gpd.read_file(file_of(name), layer="village")
    crs = metric_crs_for(tuple(boundary.total_bounds))
    households = gpd.read_file(file_of(name), layer="households").to_crs(crs).assign(weight=1)
    lines = None if barriers is None else gpd.read_file(file_of(name), layer=barriers).to_crs(crs)
    return boundary.to_crs(crs), households, lines
