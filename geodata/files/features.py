"""From a file to a frame: open, place, bring to EPSG:4326, check."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.files import datum as datums
from geodata.files import headers
from geodata.files.exchange import RawTable
from geodata.files.launch import read_raw
from geodata.files.shapes import ShapeFaults, mend_shapes, read_shapes
from geodata.files.spec import shown_name, split_spec
from geodata.files.tables import PlacedTable, place_table
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import Fault, InputRefusedError, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from geodata.files.datum import Datum
    from geodata.files.exchange import RawLayer


@dataclass(frozen=True, slots=True)
class Reading:
    """What one layer of a file holds.

    Attributes
    ----------
    frame
        The sound rows, EPSG:4326 (see `geodata.files.read_features`).
    faults
        One per row that is not in `frame`.
    rows_in
        Rows the layer has.
    fixes
        What was changed in rows of `frame`, each with what was done.
    """

    frame: GeoDataFrame
    faults: list[Fault]
    rows_in: int
    fixes: list[Fault] = field(default_factory=list)


def read_sound_features(spec: str, *, crs: str | None, columns: Mapping[str, str] | None) -> GeoDataFrame:
    """Return the features of a layer of which every row is sound; see `geodata.files.read_features`."""
    reading = read_layer(spec, crs=crs, columns=columns)
    return sound_rows(reading)


def sound_rows(reading: Reading) -> GeoDataFrame:
    """Return the rows of a layer, what was changed among its notes, or raise `InputRefusedError` with its faults."""
    if reading.faults:
        raise InputRefusedError(reading.faults)
    reading.frame.attrs["notes"] = [*reading.frame.attrs["notes"], *map(_as_note, reading.fixes)]
    return reading.frame


def read_layer(
    spec: str,
    *,
    crs: str | None = None,
    columns: Mapping[str, str] | None = None,
    keeps_missing: bool = False,
    keeps_declared: bool = False,
) -> Reading:
    """Return the sound rows of a layer and the faults of the others.

    With `keeps_missing`, a row without geometry (or with both coordinates empty) is sound and has None. With
    `keeps_declared`, `crs` is for a file that does not say what its coordinates are in, or says what they cannot be in.

    Raises `InputRefusedError` when there is no such layer, or it cannot be placed on the earth as a whole.
    """
    given = datums.parse_datum(crs) if crs else None
    path, layer = split_spec(spec)
    raw, file = read_raw(path, layer), shown_name(path)
    if isinstance(raw, RawTable):
        table = place_table(raw, columns or {}, file)
        if keeps_declared and given is not None and not given.is_geographic and _is_in_degrees(table):
            given = None
        return _read_table(table, given, file, raw.name, keeps_missing=keeps_missing)
    if keeps_declared and _is_declared(raw):
        given = None
    return _read_drawn(raw, given, file, keeps_missing=keeps_missing)


def column_names(spec: str) -> list[str]:
    """Return the columns of a layer in the order of the file, also where it cannot be said yet what they are for."""
    raw = read_raw(*split_spec(spec))
    if not isinstance(raw, RawTable):
        return [str(name) for name in raw.columns]
    at = headers.find_header(raw.rows, ())
    at = headers.fullest_row(raw.rows) if at is None else at
    return headers.distinct(raw.rows[at]) if raw.rows else []


def _as_note(fix: Fault) -> str:
    return str(replace(fix, file=None, layer=None))


def _is_in_degrees(table: PlacedTable) -> bool:
    return table.names_degrees and datums.are_small(table.xy)


def _is_declared(raw: RawLayer) -> bool:
    """Return whether a layer says what it is in. GeoJSON and KML are said to be in degrees whatever they hold."""
    known = datums.declared_datum(raw.crs)
    if known is None or not known.is_geographic:
        return known is not None
    return datums.are_small(shapely.get_coordinates(shapely.from_wkb(raw.wkb, on_invalid="ignore")))


def _read_drawn(raw: RawLayer, given: Datum | None, file: str, *, keeps_missing: bool) -> Reading:
    rows = np.arange(1, len(raw.wkb) + 1)
    faults = ShapeFaults(rows, file=file, layer=raw.name)
    shapes = read_shapes(raw.wkb, faults, keeps_missing=keeps_missing)
    for at in raw.curved:
        faults.put_right(at, "straight strokes", "arcs", "drawn as short straight strokes")
    notes = list(raw.notes)
    if given is None and raw.claim is not None and datums.declared_datum(raw.claim) is None:
        found = shorten(raw.claim)
        hint = "name it: --crs EPSG:CODE"
        raise InputRefusedError([Fault("a coordinate system that is known", found, file, raw.name, None, "crs", hint)])
    datum, said = _datum_of(raw.crs, given)
    if datum is None:
        corners = shapely.get_coordinates(shapes)
        datum = datums.deduce_datum(corners, named_degrees=False, file=file, layer=raw.name)
        said = f"no coordinate system declared: taken as {datum.label} from the size of the coordinates"
    notes += [said] if said else []
    before, shapes = shapes, datums.transform(shapes, datum)
    _check_places(before, shapes, datum, faults, column="geometry")
    shapes = mend_shapes(faults.only_sound(shapes), faults)
    return _reading(raw.columns, rows, shapes, faults, _attrs(file, raw.name, notes))


def _read_table(
    table: PlacedTable, given: Datum | None, file: str, layer: str | None, *, keeps_missing: bool
) -> Reading:
    faults = ShapeFaults(table.rows, file=file, layer=layer)
    missing = np.asarray(pd.isna(table.columns[table.x_name]) & pd.isna(table.columns[table.y_name]), dtype=bool)
    missing &= keeps_missing
    _check_cells(table, faults, missing)
    xy, notes = table.xy, list(table.notes)
    if datums.is_survey_order(xy):
        xy = xy[:, ::-1]
        notes.append(f"{table.y_name} holds eastings and {table.x_name} northings, as surveyors write them")
    datum = given
    if datum is None:
        datum = datums.deduce_datum(xy, named_degrees=table.names_degrees, file=file, layer=layer)
        notes.append(f"no coordinate system named: {table.x_name}, {table.y_name} taken as {datum.label}")
    points = faults.only_sound(np.asarray(shapely.points(np.nan_to_num(xy))))
    points[missing] = None
    moved = datums.transform(points, datum)
    _check_places(points, moved, datum, faults, column=f"{table.x_name}, {table.y_name}")
    return _reading(table.columns, table.rows, moved, faults, _attrs(file, layer, notes, [table.x_name, table.y_name]))


def _check_cells(table: PlacedTable, faults: ShapeFaults, missing: NDArray) -> None:
    for axis, name in enumerate((table.x_name, table.y_name)):
        for at in np.flatnonzero(~np.isfinite(table.xy[:, axis]) & ~missing):
            cell = table.columns[name][at]
            empty = cell is None or (isinstance(cell, float) and np.isnan(cell))
            faults.add(at, "a number", "an empty cell" if empty else repr(shorten(str(cell))), column=name)


def _datum_of(declared: str | None, given: Datum | None) -> tuple[Datum | None, str | None]:
    known = datums.declared_datum(declared)
    if given is None:
        return known, None
    if known is None or known.crs == given.crs:
        return given, None
    return given, f"the file declares {known.label}; taken as {given.label} as asked"


def _check_places(before: NDArray, after: NDArray, datum: Datum, faults: ShapeFaults, *, column: str) -> None:
    """Add a fault for each geometry that lands nowhere, or far outside of where its datum is used."""
    corners, owner = shapely.get_coordinates(after, return_index=True)
    with np.errstate(invalid="ignore"):
        lost = np.unique(owner[~datum.is_plausible(corners[:, 0], corners[:, 1])])
    for at in lost:
        x, y = shapely.get_coordinates(before[at])[0]
        hint = datums.why_implausible(datum, x, y)
        faults.add(at, f"coordinates in {datum.label}", f"x {x:.9g}, y {y:.9g}", column=column, hint=hint)


def _attrs(file: str, layer: str | None, notes: list[str], coordinates: Sequence[str] = ()) -> dict[str, object]:
    return {"file": file, "layer": layer, "notes": notes, "coordinates": list(coordinates)}


def _reading(
    columns: Mapping[str, NDArray], rows: NDArray, shapes: NDArray, faults: ShapeFaults, attrs: dict[str, object]
) -> Reading:
    # A column of the file called like the geometry itself would hide it.
    named = {("geometry.2" if name == "geometry" else name): values for name, values in columns.items()}
    attributes = pd.DataFrame(named, index=pd.Index(rows, name="row"))
    frame = gpd.GeoDataFrame(attributes, geometry=gpd.GeoSeries(shapes, index=attributes.index, crs=STORAGE_SRID))
    frame = frame[faults.sound].copy()
    frame.attrs = attrs
    fixes = [fix for fix in faults.fixed if fix.row in frame.index]
    return Reading(frame, faults.found, len(rows), fixes)
