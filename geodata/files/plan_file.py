"""A plan as a GeoPackage: layers `grids` and `households`, EPSG:4326, there whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from mapgrid.crs import STORAGE_SRID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

_OURS = frozenset({"grid", "group", "fid", "geom"})


@contextmanager
def whole_files(*targets: Path) -> Iterator[tuple[Path, ...]]:
    """Give a path to write for each target; move all into place when the block ends well, none when it does not.

    The files are written beside the first target, so that moving them is one step of the file system.
    """
    with TemporaryDirectory(dir=targets[0].resolve().parent, prefix=".mapgrid-") as scratch:
        written = tuple(Path(scratch) / f"{number}{target.suffix}" for number, target in enumerate(targets))
        yield written
        for source, target in zip(written, targets, strict=True):
            os.replace(source, target)  # noqa: PTH105  Path.replace says the same; the order of arguments reads better


def write_plan(target: Path, grids: GeoDataFrame, households: GeoDataFrame) -> None:
    """Write grids and households of a plan as the two layers of a new GeoPackage.

    Parameters
    ----------
    target
        The file; what stands there is replaced.
    grids
        Polygons, EPSG:4326: `grid`, `households`, `weight`, `reason`.
    households
        Points, EPSG:4326: the columns of the input, `grid` and `group`. A row without geometry is written as such.
    """
    target.unlink(missing_ok=True)
    shapes = grids.geometry.to_numpy()
    kind = "MultiPolygon" if (shapely.get_num_geometries(shapes) > 1).any() else "Polygon"
    for layer, frame, geometry in (("grids", grids, kind), ("households", households, "Point")):
        options = {"geometry_type": geometry, "promote_to_multi": geometry == "MultiPolygon"}
        frame.to_file(target, layer=layer, driver="GPKG", engine="pyogrio", index=False, **options)


def named_like_input(features: GeoDataFrame, grid: NDArray[np.object_], group: NDArray[np.object_]) -> GeoDataFrame:
    """Return the input rows with `grid` and `group`; columns of the input called like ours get `_input` at the end."""
    taken = {name: f"{name}_input" for name in features.columns if str(name).casefold() in _OURS}
    named = features.rename(columns=taken)
    return named.assign(grid=grid, group=group)


def as_given(shapes: NDArray[np.object_], metric: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray:
    """Return polygons in EPSG:4326 with the nodes of the input as the input has them, to the last bit.

    Parameters
    ----------
    shapes
        Polygons brought from metres to EPSG:4326.
    metric
        (n, 2) where nodes of the input landed on the same way: to metres and back, degrees.
    given
        (n, 2) the same nodes as the input has them, degrees.

    Notes
    -----
    The way to metres and back moves a node by a nanometre. That is enough to put a household that stands on the border
    of its grid outside of it.
    """
    corners = np.ascontiguousarray(shapely.get_coordinates(shapes))
    keys, at_first = np.unique(_key(metric), return_index=True)
    wanted = _key(corners)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[at] == wanted
    corners[found] = given[at_first[at[found]]]
    return np.asarray(shapely.set_coordinates(shapes.copy(), corners))


def _key(xy: NDArray[np.float64]) -> NDArray[np.complex128]:
    key: NDArray[np.complex128] = xy[:, 0] + 1j * xy[:, 1]
    return key


def in_degrees(shapes: gpd.GeoSeries, *inputs: tuple[gpd.GeoSeries, gpd.GeoSeries]) -> gpd.GeoSeries:
    """Return shapes in metres as EPSG:4326, sharing the nodes of the inputs exactly.

    Parameters
    ----------
    inputs
        Pairs of what was given in EPSG:4326 and the same in metres; the first pair wins where two share a node.
    """
    metric = [shapely.get_coordinates(there.to_crs(STORAGE_SRID).to_numpy()) for _, there in inputs]
    given = [shapely.get_coordinates(before.to_numpy()) for before, _ in inputs]
    moved = shapes.to_crs(STORAGE_SRID)
    exact = as_given(moved.to_numpy(), np.concatenate(metric), np.concatenate(given))
    return gpd.GeoSeries(exact, index=shapes.index, crs=STORAGE_SRID)
