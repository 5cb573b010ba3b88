"""What a division is made from, given in files: read, placed in metres, checked; no database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.files.datum import parse_datum
from geodata.files.features import read_layer, sound_rows
from geodata.files.placing import inside, looks_like
from mapgrid.crs import STORAGE_SRID, metric_crs_for
from mapgrid.errors import Fault, InputRefusedError, shorten
from mapgrid.village import UNIT_COLUMN, check_boundary, check_households, check_units
from web.actions.line_files import notes_on_reach, only_lines
from web.actions.unit_files import name_column, notes_on_names, units_in_metres, units_of_households

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geopandas import GeoDataFrame
    from pyproj import CRS

_SAME: Mapping[str, str | None] = MappingProxyType({})
LINES = ("barriers", "prefer", "roads")
"""Layers of lines that a division may take, as options and as arguments of `mapgrid.partition.divide`."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Files a division is made from, each `FILE` or `FILE:LAYER`, and columns of the households.

    Attributes
    ----------
    crs
        What the coordinates of files are in that do not say so. `gcj02` and `bd09`, the datums of points picked on a
        web map, are those of the households alone, whatever their file says.
    column
        The columns of the coordinates, by their role, in tables; see `geodata.files.read_features`.
    """

    households: str
    village: str
    barriers: str | None = None
    prefer: str | None = None
    roads: str | None = None
    units: str | None = None
    weight_column: str | None = None
    unit_column: str | None = None
    workload_column: str | None = None
    base: str | None = None
    locked: str | None = None
    crs: str | None = None
    column: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> Columns:
        """The columns of the households."""
        return Columns(self.weight_column, self.unit_column, self.workload_column)

    def files(self) -> tuple[str, ...]:
        """Return all files that are read."""
        given = (self.units, self.base, self.locked, *(getattr(self, name) for name in LINES))
        return (self.households, self.village, *(spec for spec in given if spec is not None))

    @property
    def web_map(self) -> str | None:
        """The datum of a web map that the households are in, or None."""
        return self.crs if self.crs is not None and parse_datum(self.crs).shift is not None else None

    def read_village(self) -> GeoDataFrame:
        """Return the boundary, or all of them, or raise `InputRefusedError` with every fault."""
        return self._read(self.village)

    def read_households(self) -> GeoDataFrame:
        """Return the households, also those without a place, or raise `InputRefusedError` with every fault."""
        if self.web_map is None:
            return self._read(self.households, keeps_missing=True)
        return read_sound(self.households, crs=self.web_map, columns=self.column, keeps_missing=True)

    def _read(self, spec: str, **how: bool) -> GeoDataFrame:
        crs = self.crs if self.web_map is None else None
        return read_sound(spec, crs=crs, columns=self.column, keeps_declared=True, **how)

    def layers(self) -> dict[str, GeoDataFrame]:
        """Return the layers given beside village and households, by their option, or raise `InputRefusedError`."""
        specs = {name: getattr(self, name) for name in (*LINES, "units")}
        given = {name: self._read(spec) for name, spec in specs.items() if spec is not None}
        return {name: only_lines(frame, f"--{name}") if name in LINES else frame for name, frame in given.items()}


class Columns(NamedTuple):
    """Columns of the households: how many at a point, name of the unit, workload; None where there is none."""

    weight: str | None = None
    unit: str | None = None
    workload: str | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the files hold, as given (EPSG:4326) and in metres.

    Attributes
    ----------
    features
        Household rows as the file has them; points, or None.
    households, village
        The same in the village's metric CRS.
    boundary
        The village as given.
    layers
        `barriers`, `prefer`, `roads` and `units`, those that were given, in the village's metric CRS.
    notes
        What was decided or mended while reading.
    """

    features: GeoDataFrame
    households: GeoDataFrame
    boundary: GeoDataFrame
    village: GeoDataFrame
    layers: Mapping[str, GeoDataFrame]
    notes: tuple[str, ...]


def read_inputs(sources: Sources) -> Inputs:
    """Return sound inputs of a division, or raise `InputRefusedError` with every fault of the first unsound file."""
    boundary, features = sources.read_village(), sources.read_households()
    return place_inputs(boundary, features, sources.layers(), sources.columns, sources.web_map)


def place_inputs(
    boundary: GeoDataFrame,
    features: GeoDataFrame,
    layers: Mapping[str, GeoDataFrame],
    columns: Columns,
    web_map: str | None = None,
) -> Inputs:
    """Return sound inputs from what was read of files, or raise `InputRefusedError` with every fault of one of them.

    Parameters
    ----------
    boundary, features, layers
        As `read_sound` returns them: EPSG:4326, indexed by row, with `file`, `layer` and `notes` in `attrs`.
    columns
        Of `features`.
    web_map
        The datum of a web map that `features` were brought from, or None.
    """
    _placed(lambda: check_boundary(boundary), boundary)
    metric = metric_crs_for(tuple(boundary.total_bounds))
    village = boundary[["geometry"]].to_crs(metric)
    features = features.set_geometry(inner_points(features, metric))
    _check_in_degrees(features, boundary, web_map)
    households = _households(features, columns).to_crs(metric)
    given = {"weight": columns.weight, "workload": columns.workload}
    _placed(lambda: check_households(households, village), features, given)
    placed = {name: frame[["geometry"]].to_crs(metric) for name, frame in layers.items()}
    frames = [boundary, features, *layers.values()]
    notes = [f"{frame.attrs['file']}: {note}" for frame in frames for note in frame.attrs["notes"]]
    if "units" in layers:
        units = layers["units"]
        placed["units"] = units_in_metres(units, metric)
        _placed(lambda: check_units(placed["units"], village), units, {UNIT_COLUMN: name_column(units)})
        notes += [f"{units.attrs['file']}: {note}" for note in notes_on_names(units)]
    notes += notes_on_reach(layers, boundary)
    return Inputs(features, households, boundary, village, placed, tuple(notes))


def _households(features: GeoDataFrame, columns: Columns) -> GeoDataFrame:
    """Return the households with what the named columns say of them, EPSG:4326."""
    table: dict[str, pd.Series] = {"weight": _weights(features, columns.weight)}
    if columns.unit is not None:
        table[UNIT_COLUMN] = units_of_households(features, columns.unit)
    if columns.workload is not None:
        table["workload"] = _column(features, columns.workload, "--workload-column")
    return gpd.GeoDataFrame(table, geometry=features.geometry, crs=STORAGE_SRID)


def _weights(features: GeoDataFrame, name: str | None) -> pd.Series:
    if name is None:
        return pd.Series(1, index=features.index)
    column = _column(features, name, "--weight-column")
    numbers = pd.to_numeric(column, errors="coerce")
    is_whole = np.isfinite(numbers.to_numpy(dtype=float)) & (numbers.to_numpy(dtype=float) % 1 == 0)
    return numbers.astype("int64") if is_whole.all() else column


def _column(features: GeoDataFrame, name: str, option: str) -> pd.Series:
    """Return a column of the households, or refuse naming the ones there are."""
    if name not in features.columns:
        names = ", ".join(shorten(str(each)) for each in features.columns if each != "geometry")
        place = {"file": features.attrs["file"], "layer": features.attrs["layer"]}
        raise InputRefusedError([Fault(f"a column {name!r} ({option})", f"the columns {names}", **place)])
    column: pd.Series = features[name]
    return column


def read_sound(
    spec: str, *, crs: str | None, columns: Mapping[str, str], keeps_missing: bool = False, keeps_declared: bool = False
) -> GeoDataFrame:
    """Return the rows of a layer, or raise `InputRefusedError` with every fault of it; see `read_layer`."""
    reading = read_layer(spec, crs=crs, columns=columns, keeps_missing=keeps_missing, keeps_declared=keeps_declared)
    return sound_rows(reading)


def _placed(check: Callable[[], None], frame: GeoDataFrame, columns: Mapping[str, str | None] = _SAME) -> None:
    """Run a check of the domain; give its faults the file, layer, row and column that `frame` was read from."""
    try:
        check()
    except InputRefusedError as refused:
        place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"]}
        rows = frame.index.to_numpy()
        raise InputRefusedError(
            replace(
                fault,
                row=None if fault.row is None else int(rows[fault.row - 1]),
                column=columns.get(fault.column or "", fault.column),
                **place,
            )
            for fault in refused.faults
        ) from refused


def inner_points(features: GeoDataFrame, metric: CRS) -> gpd.GeoSeries:
    """Return the geometries with polygons replaced by a point inside each, found in metres."""
    shapes = features.geometry.to_numpy().copy()
    is_area = shapely.get_dimensions(shapes) == 2
    if is_area.any():
        areas = gpd.GeoSeries(shapes[is_area], crs=STORAGE_SRID).to_crs(metric)
        shapes[is_area] = areas.representative_point().to_crs(STORAGE_SRID).to_numpy()
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return gpd.GeoSeries(shapes, index=features.index, crs=STORAGE_SRID)


def _check_in_degrees(features: GeoDataFrame, boundary: GeoDataFrame, web_map: str | None) -> None:
    """Refuse households of which most are outside and stand inside once shifted: another datum, or axes exchanged."""
    shapes = features.geometry.to_numpy()
    shape = boundary.geometry.iloc[0]
    points = shapes[shapely.get_type_id(shapes) == shapely.GeometryType.POINT]
    outside = points[~inside(points, shape)]
    if not len(outside):
        return
    looks = pd.Series(looks_like(outside, shape, asked=web_map), dtype="object").value_counts()
    if len(looks) and looks.iloc[0] > len(points) / 2:
        found = f"{len(outside)} of {len(points)} households outside the village"
        place = {"file": features.attrs["file"], "layer": features.attrs["layer"]}
        raise InputRefusedError([Fault("households inside the village", found, hint=str(looks.index[0]), **place)])
