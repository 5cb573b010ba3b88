"""Divide a village given in files: read, check, divide, write; no database."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.files.features import read_layer
from geodata.files.placing import inside, looks_like
from geodata.files.plan_file import in_degrees, named_like_input, whole_files, write_plan
from mapgrid.crs import STORAGE_SRID, metric_crs_for
from mapgrid.errors import Fault, InputRefusedError
from mapgrid.partition import divide
from mapgrid.village import UNIT_COLUMN, Limits, check_boundary, check_households, check_units
from web.actions.unit_files import name_column, notes_on_names, units_in_metres, units_of_households

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pyproj import CRS

    from mapgrid.partition import Plan

_SAME: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sources:
    """Files a division is made from, each `FILE` or `FILE:LAYER`."""

    households: str
    village: str
    barriers: str | None = None
    weight_column: str | None = None
    units: str | None = None
    unit_column: str | None = None
    base: str | None = None
    locked: str | None = None
    prefer: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a division."""

    limits: Limits
    preset: str
    seed: int
    effort: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the files hold, as given (EPSG:4326) and in metres.

    Attributes
    ----------
    features
        Household rows as the file has them; points, or None.
    households, village, barriers, units, prefer
        The same in the village's metric CRS.
    boundary
        The village as given.
    notes
        What was decided or mended while reading.
    """

    features: GeoDataFrame
    households: GeoDataFrame
    boundary: GeoDataFrame
    village: GeoDataFrame
    barriers: GeoDataFrame | None
    notes: tuple[str, ...]
    units: GeoDataFrame | None = None
    prefer: GeoDataFrame | None = None


def read_inputs(sources: Sources) -> Inputs:
    """Return sound inputs of a division, or raise `InputRefusedError` with every fault of the first unsound file."""
    boundary = read_sound(sources.village)
    features = read_sound(sources.households, keeps_missing=True)
    barriers = None if sources.barriers is None else read_sound(sources.barriers)
    units = None if sources.units is None else read_sound(sources.units)
    columns = (sources.weight_column, sources.unit_column)
    inputs = place_inputs(boundary, features, barriers, units, columns=columns)
    if sources.prefer is None:
        return inputs
    prefer = read_sound(sources.prefer)
    notes = tuple(f"{prefer.attrs['file']}: {note}" for note in prefer.attrs["notes"])
    return replace(inputs, prefer=prefer[["geometry"]].to_crs(inputs.village.crs), notes=(*inputs.notes, *notes))


def place_inputs(
    boundary: GeoDataFrame,
    features: GeoDataFrame,
    barriers: GeoDataFrame | None,
    units: GeoDataFrame | None = None,
    *,
    columns: tuple[str | None, str | None],
) -> Inputs:
    """Return sound inputs from what was read of files, or raise `InputRefusedError` with every fault of one of them.

    Parameters
    ----------
    boundary, features, barriers, units
        As `read_sound` returns them: EPSG:4326, indexed by row, with `file`, `layer` and `notes` in `attrs`.
    columns
        Of `features`: households per point, None for 1 each; name of the unit, None for no units by column.
    """
    _placed(lambda: check_boundary(boundary), boundary)
    metric = metric_crs_for(tuple(boundary.total_bounds))
    village = boundary[["geometry"]].to_crs(metric)
    features = features.set_geometry(inner_points(features, metric))
    _check_in_degrees(features, boundary)
    weight_column, unit_column = columns
    households = gpd.GeoDataFrame(
        {"weight": _weights(features, weight_column)}, geometry=features.geometry, crs=STORAGE_SRID
    ).to_crs(metric)
    _placed(lambda: check_households(households, village), features, {"weight": weight_column})
    if unit_column is not None:
        households[UNIT_COLUMN] = units_of_households(features, unit_column)
    held = None if units is None else units_in_metres(units, metric)
    if units is not None and held is not None:
        _placed(lambda: check_units(held, village), units, {UNIT_COLUMN: name_column(units)})
    frames = [frame for frame in (boundary, features, barriers, units) if frame is not None]
    notes = [f"{frame.attrs['file']}: {note}" for frame in frames for note in frame.attrs["notes"]]
    notes += [] if units is None else [f"{units.attrs['file']}: {note}" for note in notes_on_names(units)]
    walls = None if barriers is None else barriers[["geometry"]].to_crs(metric)
    return Inputs(features, households, boundary, village, walls, tuple(notes), held)


def divide_inputs(inputs: Inputs, wanted: Wanted, progress: Callable[[float, str], None] | None = None) -> Plan:
    """Return the plan of sound inputs."""
    return divide(
        inputs.village,
        inputs.households,
        barriers=inputs.barriers,
        units=inputs.units,
        prefer=inputs.prefer,
        limits=wanted.limits,
        preset=wanted.preset,
        seed=wanted.seed,
        effort=wanted.effort,
        progress=progress,
    )


def save_division(
    plan: Plan,
    inputs: Inputs,
    out: Path,
    others: dict[Path, str],
    kept: tuple[tuple[gpd.GeoSeries, gpd.GeoSeries], ...] = (),
) -> None:
    """Write the plan, and other files about it with their text: all or none.

    `kept` are polygons that were kept, as given and in metres: their nodes are written as they were.
    """
    grids = plan.grids.set_geometry(
        in_degrees(
            plan.grids.geometry,
            (inputs.features.geometry, inputs.households.geometry),
            (inputs.boundary.geometry, inputs.village.geometry),
            *kept,
        )
    )
    rows = named_like_input(inputs.features, plan.households["grid"].to_numpy(), plan.households["group"].to_numpy())
    with whole_files(out, *others) as written:
        write_plan(written[0], grids, rows)
        for target, text in zip(written[1:], others.values(), strict=True):
            target.write_text(text, encoding="utf-8")


def report_of(plan: Plan, sources: Sources, more: dict[str, Any] | None = None) -> str:
    """Return the scorecard with reasons, pieces, what else there is to say, and parameters as JSON."""
    record: dict[str, Any] = {
        **plan.scorecard.as_record(),
        "reasons": [reason.as_record() for reason in plan.reasons],
        "pieces": [piece.as_record() for piece in plan.pieces],
        "groups_outside": plan.groups_outside(),
        "units": [unit.as_record() for unit in plan.units],
        "units_proved": plan.units_proved,
        **(more or {}),
        "parameters": {
            **asdict(plan.limits),
            "preset": plan.preset,
            "seed": plan.seed,
            "effort": plan.effort,
            **asdict(sources),
        },
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def read_sound(spec: str, *, keeps_missing: bool = False) -> GeoDataFrame:
    """Return the rows of a layer, or raise `InputRefusedError` with every fault of it."""
    reading = read_layer(spec, keeps_missing=keeps_missing)
    if reading.faults:
        raise InputRefusedError(reading.faults)
    return reading.frame


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


def _check_in_degrees(features: GeoDataFrame, boundary: GeoDataFrame) -> None:
    """Refuse households of which most are outside and stand inside once shifted: another datum, or axes exchanged."""
    shapes = features.geometry.to_numpy()
    shape = boundary.geometry.iloc[0]
    points = shapes[shapely.get_type_id(shapes) == shapely.GeometryType.POINT]
    outside = points[~inside(points, shape)]
    if not len(outside):
        return
    looks = pd.Series(looks_like(outside, shape, asked=None), dtype="object").value_counts()
    if len(looks) and looks.iloc[0] > len(points) / 2:
        found = f"{len(outside)} of {len(points)} households outside the village"
        place = {"file": features.attrs["file"], "layer": features.attrs["layer"]}
        hint = str(looks.index[0]).split(":")[0]
        raise InputRefusedError([Fault("households inside the village", found, hint=hint, **place)])


def _weights(features: GeoDataFrame, column: str | None) -> pd.Series | int:
    if column is None:
        return pd.Series(1, index=features.index)
    if column not in features.columns:
        names = ", ".join(str(name) for name in features.columns if name != "geometry")
        place = {"file": features.attrs["file"], "layer": features.attrs["layer"]}
        raise InputRefusedError([Fault(f"a column {column!r} (--weight-column)", f"the columns {names}", **place)])
    numbers = pd.to_numeric(features[column], errors="coerce")
    is_whole = np.isfinite(numbers.to_numpy(dtype=float)) & (numbers.to_numpy(dtype=float) % 1 == 0)
    return numbers.astype("int64") if is_whole.all() else features[column]
