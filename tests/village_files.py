"""Drawn villages as files on the earth, for commands that read files."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

SOUTH_WEST = np.array([117.0, 25.0])
DEGREES_PER_M = 1e-5


def in_degrees(shape):
    """Lay drawn metres on the earth, about true to scale."""
    return shapely.transform(shape, lambda xy: SOUTH_WEST + xy * DEGREES_PER_M)


def write(path, shapes, layer=None, **columns):
    frame = gpd.GeoDataFrame(
        columns, geometry=[None if shape is None else in_degrees(shape) for shape in shapes], crs=4326
    )
    frame.to_file(path, layer=layer or path.stem, driver="GPKG")
    return str(path)


def refused(run, *arguments):
    """Run, expect a refusal with one line and nothing written; return the line."""
    before = sorted(Path().iterdir())
    code, said = run(*arguments)
    assert code == 2, said
    assert sorted(Path().iterdir()) == before
    (line,) = said.strip().splitlines()
    return line
