"""Import of villages, units and terrain: read, check against what is stored, save all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata import villages as village_store
from geodata.bulk import Saved
from geodata.files.outlines import boundary_of, read_terrain, read_units
from geodata.files.placing import inside
from geodata.files.workbench import shares_inside
from geodata.households import load_places
from geodata.scoping import actor_of
from mapgrid.codes import check_village_code, parent_of
from mapgrid.errors import CodeError, Fault, InputRefusedError, NotFoundError
from mapgrid.roles import Permission, allows
from web.actions.import_reports import (
    ImportOptions,
    ImportReport,
    boundary_in_store,
    read_rows,
    refused,
    report_of,
    trial,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from mapgrid.terrain import TerrainKind

_NOTEWORTHY_OVERLAP = 0.01


@dataclass(frozen=True, slots=True)
class AreaNames:
    """Names of a village and of the areas above it; None keeps what is stored, or takes the file's own."""

    village: str | None = None
    village_en: str | None = None
    town: str | None = None
    district: str | None = None


def import_village(session: Session, spec: str, code: str, names: AreaNames, options: ImportOptions) -> ImportReport:
    """Store a village with its boundary; its town and district are made when they are missing."""
    try:
        _check_code(code)
        reading = read_rows(spec, options)
        boundary = boundary_of(reading, code, options.columns, names.village)
        is_new = _lock(session, code)
        _check_areas_above(session, code)
        _check_households_inside(session, code, boundary.shape, reading.frame)
    except InputRefusedError as error:
        return refused(error)
    notes = [*boundary.notes, *_overlaps(session, code, boundary.shape, reading.frame)]
    report = report_of(reading, [], notes, options)
    if not report.is_storable:
        return report
    with trial(session, options, "village", code, report):
        is_named = _save_names(session, code, names, boundary.name)
        is_drawn = village_store.save_boundary(session, code, boundary.shape, source=reading.frame.attrs["file"])
    changed = is_named or is_drawn
    return report.with_counts(Saved(int(is_new), int(changed and not is_new), int(not changed)))


def import_units(session: Session, spec: str, village_code: str, options: ImportOptions) -> ImportReport:
    """Store the units of a village with their outlines; a unit whose name is known keeps its code."""
    try:
        village = boundary_in_store(session, village_code)
        reading = read_rows(spec, options)
        village_store.lock_village(session, village_code)
        stored = village_store.load_units(session, village_code)
        known = dict(zip(stored["name"], stored["code"], strict=True))
        units, faults = read_units(reading, village_code, known, options.columns)
    except InputRefusedError as error:
        return refused(error)
    outside = units[~inside(units.geometry.to_numpy(), village)]
    place = {"file": reading.frame.attrs["file"], "layer": reading.frame.attrs["layer"], "column": "geometry"}
    faults += [
        Fault("a unit of the village", "one that lies outside", row=row, **place) for row in outside.index.tolist()
    ]
    report = report_of(reading, [*reading.faults, *faults], [], options)
    if not report.is_storable:
        return report
    with trial(session, options, "units", village_code, report):
        saved = village_store.save_units(session, village_code, units.drop(outside.index))
    return report.with_counts(saved)


def import_terrain(
    session: Session,
    spec: str,
    village_code: str,
    kind: TerrainKind | None,
    options: ImportOptions,
    *,
    is_barrier: bool,
    is_preferred: bool,
) -> ImportReport:
    """Replace the terrain of a village, for the kinds in the file, by the features that meet the village."""
    try:
        village = boundary_in_store(session, village_code)
        reading = read_rows(spec, options)
        terrain, faults, notes = read_terrain(reading, village, kind, options.columns)
    except InputRefusedError as error:
        return refused(error)
    report = report_of(reading, [*reading.faults, *faults], notes, options)
    if not report.is_storable:
        return report
    with trial(session, options, "barriers", village_code, report):
        terrain = terrain.assign(is_barrier=is_barrier, is_preferred=is_preferred)
        saved = village_store.save_terrain(session, village_code, terrain)
    return report.with_counts(saved)


def _check_code(code: str) -> None:
    try:
        check_village_code(code)
    except CodeError as error:
        raise InputRefusedError([Fault("for --code 12 digits such as 990101102201", repr(code))]) from error


def _check_households_inside(session: Session, code: str, boundary: BaseGeometry, frame: GeoDataFrame) -> None:
    homes = load_places(session, code)
    outside = homes["code"][~inside(homes.geometry.to_numpy(), boundary)].tolist()
    if outside:
        found = f"{len(outside)} of them outside, the first {outside[0]}"
        place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"], "column": "geometry"}
        fault = Fault(
            f"a boundary around the {len(homes)} stored households", found, hint="does it have a hole?", **place
        )
        raise InputRefusedError([fault])


def _overlaps(session: Session, code: str, boundary: BaseGeometry, frame: GeoDataFrame) -> list[str]:
    others = village_store.load_boundaries_at(session, frame)
    others = others[others["code"] != code]
    shares = shares_inside(boundary, others.geometry.to_numpy()) if len(others) else np.empty(0)
    if shares is None:
        return ["too intricate to say by how much it overlaps other villages"]
    return [
        f"overlaps {name} ({other}) by {share:.0%} of its area"
        for name, other, share in zip(others["name"], others["code"], shares, strict=True)
        if share > _NOTEWORTHY_OVERLAP
    ]


def _check_areas_above(session: Session, code: str) -> None:
    """Refuse a village whose district or town is missing and not the asker's to make."""
    actor = actor_of(session)
    town = parent_of(code)
    for area in (town, parent_of(town) if town else None):
        if area is None or village_store.is_area(session, area) or actor is None:
            continue
        if not allows(actor, Permission.IMPORT, area):
            hint = "ask somebody of the district, or the administrator, to import a first village there"
            raise InputRefusedError([Fault(f"the area {area} in the store", "none", hint=hint)])


def _lock(session: Session, code: str) -> bool:
    """Make other writers of the village wait, and return whether it is a new one, which nobody can be waiting for."""
    try:
        village_store.lock_village(session, code)
    except NotFoundError:
        return True
    return False


def _save_names(session: Session, code: str, names: AreaNames, own_name: str | None) -> bool:
    """Save the names of a village and those above it, and return whether any is another now."""
    changed = village_store.save_area(session, code, name=names.village or own_name, name_en=names.village_en)
    town = parent_of(code)
    district = parent_of(town) if town else None
    for area, name in ((town, names.town), (district, names.district)):
        if area and name:
            changed |= village_store.save_area(session, area, name=name)
    return changed
