"""Boundaries, units and terrain out of the features of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import MultiPolygon

from geodata.files import bounds, headers
from geodata.files.cells import Cells, text_of
from geodata.files.ledger import recognise
from geodata.files.workbench import join
from mapgrid.codes import VILLAGE_DIGITS, unit_code
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import Fault, InputRefusedError
from mapgrid.terrain import TerrainKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

    from geodata.files.features import Reading

_POLYGONS = ("Polygon", "MultiPolygon")
_MOST_UNITS = 99


@dataclass(frozen=True, slots=True)
class Boundary:
    """The boundary of a village (EPSG:4326, valid), its name where the layer has one, and what was decided."""

    shape: MultiPolygon
    name: str | None
    notes: tuple[str, ...] = ()


def boundary_of(reading: Reading, village_code: str, given: Mapping[str, str], name: str | None = None) -> Boundary:
    """Return the boundary of a village out of a layer.

    A layer of one feature is the village. Of several, those are whose area code starts with the village's twelve
    digits, as in the layers CJDCQ and XZQ of the land survey, or else those that have the village's name; a village in
    several pieces is several features there.
    """
    if reading.faults:
        raise InputRefusedError(reading.faults)
    frame = reading.frame
    roles, notes = recognise(frame.columns, ("area_code", "area_name"), given)
    chosen = frame if len(frame) == 1 else _rows_of_village(frame, village_code, name, roles)
    faults = [
        Fault("a polygon", f"a {shape.geom_type}", file=frame.attrs["file"], layer=frame.attrs["layer"], row=row,
              column="geometry", hint="a boundary is an area: close the line")
        for row, shape in zip(chosen.index.tolist(), chosen.geometry, strict=True)
        if not all(part.geom_type == "Polygon" for part in shapely.get_parts(shape))
    ]  # fmt: skip
    if faults:
        raise InputRefusedError(faults)
    codes = {text_of(cell) or "" for cell in chosen[roles["area_code"]]} if "area_code" in roles else set()
    foreign = sorted(code for code in codes if code and not code.startswith(village_code))
    if foreign:
        notes.append(f"{roles['area_code']} of the file says {', '.join(foreign[:5])}; stored as {village_code}")
    names = {text_of(cell) for cell in chosen[roles["area_name"]]} if "area_name" in roles else set()
    return Boundary(_joined(chosen), names.pop() if len(names) == 1 else None, tuple(notes))


def read_units(
    reading: Reading, village_code: str, known: Mapping[str, str], given: Mapping[str, str]
) -> tuple[GeoDataFrame, list[Fault]]:
    """Return units with `code` (14 digits), `name` and polygons, and the faults of the rows left out.

    Parameters
    ----------
    known
        Codes of the units that the village has, by name: a name that is known keeps its code, a new one gets the next.
    """
    roles, _ = recognise(reading.frame.columns, ("code", "name"), given)
    cells = Cells(reading.frame, roles)
    if "name" not in roles:
        listed = ", ".join(map(str, reading.frame.columns[:12]))
        place = {"file": reading.frame.attrs["file"], "layer": reading.frame.attrs["layer"]}
        raise InputRefusedError([Fault("a column with the unit's name", listed, hint="--column name=…", **place)])
    names = cells.texts("name")
    for row, name, shape in zip(reading.frame.index, names, reading.frame.geometry, strict=True):
        if name is None:
            cells.fault(row, "a name", "an empty cell", role="name")
        if shape.geom_type not in _POLYGONS:
            cells.fault(row, "a polygon", f"a {shape.geom_type}", role="geometry")
    units = gpd.GeoDataFrame({"name": names}, geometry=reading.frame.geometry.to_numpy(), crs=STORAGE_SRID)
    units.index = reading.frame.index
    units = units[~units.index.isin([fault.row for fault in cells.faults])]
    for row in units.index[units["name"].duplicated()]:
        cells.fault(row, "each unit once", f"{units.loc[row, 'name']!r} again", role="name")
    units = units[~units["name"].duplicated()]
    return units.assign(code=number_units(units["name"].tolist(), village_code, known)), cells.faults


def number_units(names: list[str], village_code: str, known: Mapping[str, str]) -> list[str]:
    """Return the code of each unit name: the known one, or the next serial in the order of first appearance."""
    codes = dict(known)
    serial = max((int(code[VILLAGE_DIGITS:]) for code in known.values()), default=0)
    for name in names:
        if name not in codes:
            serial += 1
            if serial > _MOST_UNITS:
                found = f"{len(set(names) | set(known))}"
                hint = "is this the column of the villager group or building? --column unit=…"
                raise InputRefusedError([Fault(f"at most {_MOST_UNITS} units in a village", found, hint=hint)])
            codes[name] = unit_code(village_code, serial)
    return [codes[name] for name in names]


def read_terrain(
    reading: Reading, village: BaseGeometry, kind: TerrainKind | None, given: Mapping[str, str]
) -> tuple[GeoDataFrame, list[Fault], list[str]]:
    """Return terrain that meets a village: `kind`, `name`, `detail` and lines or polygons in EPSG:4326.

    Parameters
    ----------
    kind
        Of all features; None takes it from a column.
    """
    roles, notes = recognise(reading.frame.columns, ("kind", "name"), given)
    cells = Cells(reading.frame, roles)
    words = cells.texts("kind")
    kinds = [str(kind) if kind else str(word).casefold() for word in words]
    allowed = ", ".join(TerrainKind)
    for row, word, shape in zip(reading.frame.index, kinds, reading.frame.geometry, strict=True):
        if word not in set(TerrainKind):
            cells.fault(row, f"one of {allowed}", word, role="kind", hint="or give all of them one kind: --kind road")
        if shape.geom_type not in {*_POLYGONS, "LineString", "MultiLineString"}:
            cells.fault(row, "a line or a polygon", f"a {shape.geom_type}", role="geometry")
    columns = {"kind": kinds, "name": cells.texts("name"), "detail": words if kind else [None] * len(kinds)}
    attributes = pd.DataFrame({key: pd.Series(values, dtype=object) for key, values in columns.items()})
    frame = gpd.GeoDataFrame(attributes, geometry=reading.frame.geometry.to_numpy(), crs=STORAGE_SRID)
    frame.index = reading.frame.index
    frame = frame[~frame.index.isin([fault.row for fault in cells.faults])]
    shapely.prepare(village)
    near = np.asarray(shapely.intersects(village, frame.geometry.to_numpy()))
    if not near.all():
        notes.append(f"{int((~near).sum())} of {len(near)} features do not meet the village and are left out")
    return frame[near], cells.faults, notes


def _rows_of_village(
    frame: GeoDataFrame, village_code: str, name: str | None, roles: Mapping[str, str]
) -> GeoDataFrame:
    place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"]}
    codes, names = (
        frame[roles[role]].map(text_of) if role in roles else pd.Series(None, index=frame.index, dtype=object)
        for role in ("area_code", "area_name")
    )
    for is_chosen in (codes.str.startswith(village_code), names == name):
        if is_chosen.fillna(value=False).any():
            return frame[is_chosen.fillna(value=False).astype(bool)]
    if not roles:
        usual = ", ".join(sorted(headers.SYNONYMS["area_code"], key=len)[:4])
        advice = f"keep the village's own feature, or name the column: --column area_code=…; usual names are {usual}"
        fault = Fault("one feature, or a column of area codes", f"{len(frame)} features", hint=advice, **place)
        raise InputRefusedError([fault])
    expected = f"a feature whose code starts with {village_code}" + (f" or whose name is {name}" if name else "")
    several = ", ".join(sorted({str(said) for said in (*codes.dropna(), *names.dropna())})[:8])
    hint = None if name else "or choose one by its name: --name"
    raise InputRefusedError([Fault(expected, several or "none", column=", ".join(roles.values()), hint=hint, **place)])


def _joined(chosen: GeoDataFrame) -> MultiPolygon:
    shapes = chosen.geometry.to_numpy()
    if shapely.get_num_coordinates(shapes).sum() > bounds.MOST_VERTICES_OF_A_FEATURE:
        expected = f"a boundary of at most {bounds.MOST_VERTICES_OF_A_FEATURE} vertices"
        raise InputRefusedError([Fault(expected, "more", file=chosen.attrs["file"], layer=chosen.attrs["layer"])])
    pieces = MultiPolygon(shapely.get_parts(shapes).tolist())
    if pieces.is_valid:  # apart from each other; neighbours that share a border are dissolved
        return pieces
    return MultiPolygon(shapely.get_parts(join(shapes)).tolist())
