"""A plan as a GeoPackage: layers `grids` and `households`, EPSG:4326, there whole or not at all."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata.files.content import Format, format_of
from geodata.files.features import read_layer, sound_rows
from geodata.files.spec import shown_name, split_spec
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import Fault, InputRefusedError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pyproj import CRS

_OURS = frozenset({"grid", "group", "fid", "geom"})
_ENDED = "ended"
_HINT = "give a file that mapgrid partition --out wrote"
_GRID_NAME = re.compile(r"^\d*\d{3}$", re.ASCII)


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


def write_plan(target: Path, grids: GeoDataFrame, households: GeoDataFrame, ended: Iterable[str] = ()) -> None:
    """Write grids and households of a plan as the two layers of a new GeoPackage.

    Parameters
    ----------
    target
        The file; what stands there is replaced.
    grids
        Polygons, EPSG:4326: `grid`, `households`, `weight`, `reason`.
    households
        Points, EPSG:4326: the columns of the input, `grid` and `group`. A row without geometry is written as such.
    ended
        Names of grids that are no more: a third layer, `ended`, of rows without geometry, written when there are any.
    """
    target.unlink(missing_ok=True)
    shapes = grids.geometry.to_numpy()
    kind = "MultiPolygon" if (shapely.get_num_geometries(shapes) > 1).any() else "Polygon"
    for layer, frame, geometry in (("grids", grids, kind), ("households", households, "Point")):
        options = {"geometry_type": geometry, "promote_to_multi": geometry == "MultiPolygon"}
        frame.to_file(target, layer=layer, driver="GPKG", engine="pyogrio", index=False, **options)
    names = sorted(ended)
    if names:
        frame = gpd.GeoDataFrame({"grid": names}, geometry=[None] * len(names), crs=STORAGE_SRID)
        frame.to_file(target, layer=_ENDED, driver="GPKG", engine="pyogrio", index=False, geometry_type="Point")


@dataclass(frozen=True, slots=True)
class PlanFrames:
    """What a plan file holds.

    Attributes
    ----------
    grids
        `grid` and polygons, in the metric CRS that was asked for.
    households
        Points with `grid` and `group`, in the same CRS; a household in no grid has None.
    given
        The polygons of `grids` as the file has them, EPSG:4326.
    ended
        Names of grids that are no more.
    """

    grids: GeoDataFrame
    households: GeoDataFrame
    given: gpd.GeoSeries
    ended: frozenset[str] = frozenset()


def read_plan(file: str, metric: CRS) -> PlanFrames:
    """Return the grids and households of a plan that `write_plan` wrote, in a metric CRS.

    Raises
    ------
    InputRefusedError
        If the file is no plan: with file, layer and column of each fault.
    """
    _check_format(file)
    grids, households = _layer(file, "grids"), _layer(file, "households")
    names = grids["grid"]
    is_name = [isinstance(name, str) and bool(_GRID_NAME.match(name)) for name in names]
    faults = [
        _fault(grids, "grid", "a name that ends in three digits, each once", _quoted(name), row)
        for row, name, good, again in zip(grids.index, names, is_name, names.duplicated(), strict=True)
        if not good or again
    ]
    unknown = ~households["grid"].isin(names) & households["grid"].notna()
    faults += [
        _fault(households, "grid", "the name of a grid in the layer grids", _quoted(name), row)
        for row, name in households["grid"][unknown].items()
    ]
    if faults:
        raise InputRefusedError(faults)
    kept = households[["grid", "group", "geometry"]].to_crs(metric)
    return PlanFrames(grids[["grid", "geometry"]].to_crs(metric), kept, grids.geometry, _ended(file))


def _check_format(file: str) -> None:
    path, layer = split_spec(file)
    name, expected = shown_name(path), "a plan: a GeoPackage with the layers grids and households"
    if layer is not None:
        raise InputRefusedError([Fault(expected, f"the layer {layer} of one", file=name, hint="name the file alone")])
    try:
        found = format_of(path, name)
    except OSError as error:
        fault = Fault("a file that can be read", error.strerror or type(error).__name__, file=name)
        raise InputRefusedError([fault]) from error
    if found is not Format.GEOPACKAGE:
        kind = "a text file or CSV" if found is Format.CSV else f"a {found}"
        raise InputRefusedError([Fault(expected, kind, file=name, hint=_HINT)])


def _ended(file: str) -> frozenset[str]:
    """Return the names in the layer of ended grids; none where a file has no such layer."""
    try:
        frame = read_layer(f"{file}:{_ENDED}", keeps_missing=True).frame
    except InputRefusedError as refused:
        if all(fault.found.startswith("no layer") for fault in refused.faults):
            return frozenset()
        raise
    names = frame["grid"] if "grid" in frame.columns else []
    for row, name in zip(frame.index, names, strict=False):
        if not (isinstance(name, str) and _GRID_NAME.match(name)):
            raise InputRefusedError([_fault(frame, "grid", "a name that ends in three digits", _quoted(name), row)])
    return frozenset(names)


def _layer(file: str, layer: str) -> GeoDataFrame:
    reading = read_layer(f"{file}:{layer}", keeps_missing=layer == "households")
    frame = sound_rows(reading)
    shape = 2 if layer == "grids" else 0
    for column in ("grid",) if layer == "grids" else ("grid", "group"):
        if column not in frame.columns:
            names = ", ".join(str(name) for name in frame.columns if name != "geometry")
            raise InputRefusedError([_fault(frame, column, f"a column {column!r} of a plan", f"the columns {names}")])
    shapes = frame.geometry.to_numpy()
    other = ~shapely.is_missing(shapes) & (shapely.get_dimensions(shapes) != shape)
    if other.any() or not len(frame):
        found = f"a {shapes[other][0].geom_type}" if other.any() else "no rows"
        expected = "polygons, the grids of a plan" if shape else "points, the households of a plan"
        raise InputRefusedError([_fault(frame, "geometry", expected, found)])
    return frame


def _fault(frame: GeoDataFrame, column: str, expected: str, found: str, row: int | None = None) -> Fault:
    place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"]}
    return Fault(expected, found, row=row, column=column, hint=_HINT, **place)


def _quoted(name: object) -> str:
    return repr(shorten(name)) if isinstance(name, str) else str(name)


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
