"""Import of grids drawn elsewhere: a true coverage of their village, kept as a draft plan, or refused by place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata import plans as plan_store
from geodata.bulk import Saved
from geodata.files import bounds
from geodata.files.grid_faults import GridFaults
from geodata.files.grids import DrawnGrids, read_grids
from geodata.files.workbench import SettledGrids, settle
from geodata.households import load_households
from geodata.villages import load_terrain, load_village, lock_village
from mapgrid.coverage import check_coverage
from mapgrid.crs import STORAGE_SRID, metric_crs_for
from mapgrid.drawn_grids import ROUNDING_M, WIDEST_SLIVER_M
from mapgrid.errors import CoverageError, Fault, InputRefusedError
from mapgrid.partition.numbering import reading_order
from mapgrid.partition.rebalancing.drawn import plan_of_drawn
from mapgrid.verdicts import Verdict, rows_refused, verdict_of
from web.actions.drawn_plans import find_drawn, save_drawn
from web.actions.import_reports import ImportOptions, ImportReport, boundary_in_store, read_rows, refused, trial

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from geodata.files.features import Reading
    from mapgrid.partition import Plan

# Straight in degrees is not straight in metres: with a vertex every 50 m the difference is less than a millimetre.
_LONGEST_EDGE_DEGREES = 0.0005
_LAST_SERIAL = 999
_DIFFERENCE_M2 = 0.5


@dataclass(frozen=True)
class _Ground:
    """What the store has of the village, in its metric CRS: boundary, households by code, terrain, used serials."""

    code: str
    village: GeoDataFrame
    households: GeoDataFrame
    terrain: GeoDataFrame
    used: frozenset[int]


def import_grids(
    session: Session, spec: str, village_code: str, name: str | None, options: ImportOptions
) -> ImportReport:
    """Store grids as a draft plan of their village; the same file again changes nothing.

    Parameters
    ----------
    name
        Of the plan, unique in the village; the file's own name by default.
    """
    rows_in = 0
    try:
        boundary_in_store(session, village_code)
        reading = read_rows(spec, options)
        rows_in = reading.rows_in
        lock_village(session, village_code)
        ground = _ground(session, village_code, reading)
        drawn = read_grids(reading, village_code, options.columns)
        _check_reach(drawn, ground, reading)
        work, faults = _settled(drawn, ground, reading)
        if rows_refused(faults):
            return _report(reading, faults, drawn.notes, options)
        name = name or Path(reading.frame.attrs["file"]).stem
        known = find_drawn(session, village_code, name, _digest(drawn, work, ground))
        serials = known.serials or _numbered(drawn, work, ground.used)
        plan, further = _made(drawn, ground, work, serials, reading)
    except InputRefusedError as error:
        return refused(error, rows_in)
    notes = [*drawn.notes, *_rounding(work), *(f"grid {reason.grid}: {reason.detail}" for reason in plan.reasons)]
    report = _report(reading, [*faults, *further, *reading.fixes], [f"draft plan {name}", *notes], options)
    if known.is_same:
        return report.with_counts(Saved(0, 0, len(plan.grids)))
    with trial(session, options, "grids", village_code, report):
        save_drawn(session, village_code, plan, known, serials)
    return report.with_counts(Saved(len(plan.grids), 0, 0))


def _ground(session: Session, code: str, reading: Reading) -> _Ground:
    boundary = load_village(session, code)
    crs = metric_crs_for(tuple(boundary.total_bounds))
    households = load_households(session, code).set_index("code")
    if households.empty:
        hint = f"mapgrid import households FILE --village {code}"
        place = {"file": reading.frame.attrs["file"], "layer": reading.frame.attrs["layer"]}
        raise InputRefusedError([Fault("a village with households in the store", "none", hint=hint, **place)])
    village = boundary.assign(geometry=boundary.geometry.segmentize(_LONGEST_EDGE_DEGREES)).to_crs(crs)
    used = frozenset(int(grid[-3:]) for grid in plan_store.load_used_codes(session, code))
    return _Ground(code, village, households.to_crs(crs), load_terrain(session, code).to_crs(crs), used)


def _check_reach(drawn: DrawnGrids, ground: _Ground, reading: Reading) -> None:
    """Refuse rows that are no grids, and grids so far out or so long that placing them alone would be work."""
    faults = [fault for fault in (*reading.faults, *drawn.faults) if fault.column == "geometry"]
    west, south, east, north = ground.village.to_crs(STORAGE_SRID).total_bounds
    wide, high = east - west, north - south
    named = GridFaults(drawn, reading.frame.attrs["file"], reading.frame.attrs["layer"])
    limits = np.array([west - wide, south - high, -east - wide, -north - high])
    outlines = shapely.bounds(drawn.outlines) * [1, 1, -1, -1]
    faults += [
        named.of_grid(int(at), "a grid inside its village", "one that lies elsewhere", "OUTSIDE")
        for at in np.flatnonzero((outlines < limits).any(axis=1))
    ]
    steps = shapely.length(drawn.outlines).sum() / _LONGEST_EDGE_DEGREES
    if not faults and steps > bounds.MOST_VERTICES_OF_GRIDS:
        expected = f"borders of at most {bounds.MOST_VERTICES_OF_GRIDS * _LONGEST_EDGE_DEGREES:.0f} degrees together"
        faults.append(Fault(expected, "longer ones", **named.place))
    if faults:
        raise InputRefusedError(faults)


def _settled(drawn: DrawnGrids, ground: _Ground, reading: Reading) -> tuple[SettledGrids, list[Fault]]:
    """Return drawn grids as a coverage, and all that is wrong with them, put right or not."""
    metric = ground.village.crs
    named = GridFaults(drawn, reading.frame.attrs["file"], reading.frame.attrs["layer"])
    outlines = gpd.GeoSeries(drawn.outlines, crs=STORAGE_SRID).segmentize(_LONGEST_EDGE_DEGREES).to_crs(metric)
    homes = ground.households.geometry.to_numpy()
    work = settle(ground.village.geometry.iloc[0], outlines.to_numpy(), homes)
    faults = [*drawn.faults, *named.of_land(work, metric), *_empty(work, named)]
    if rows_refused(faults):
        faults += named.of_households(work, ground.households.index.tolist(), None)
    return work, faults


def _made(
    drawn: DrawnGrids, ground: _Ground, work: SettledGrids, serials: list[int], reading: Reading
) -> tuple[Plan, list[Fault]]:
    """Return the plan of settled grids with what was changed to make it."""
    named = GridFaults(drawn, reading.frame.attrs["file"], reading.frame.attrs["layer"])
    plan, differing = _plan(ground, work, serials, named)
    grid_of = [ground.code + grid for grid in plan.households["grid"]]
    in_doubt = named.of_households(work, ground.households.index.tolist(), grid_of)
    return plan, [*named.of_codes(ground.code, serials), *differing, *in_doubt]


def _empty(work: SettledGrids, named: GridFaults) -> list[Fault]:
    hint = "import its households first, or join it to its neighbour"
    return [
        named.of_grid(at, "a grid in which households stand", "none", "NO_HOUSEHOLDS", hint)
        for at, places in enumerate(work.stands)
        if not places
    ]


def _numbered(drawn: DrawnGrids, work: SettledGrids, used: frozenset[int]) -> list[int]:
    """Return the serial of each grid: its own, or the next that neither the file nor any plan of the village has."""
    without = [at for at, serial in enumerate(drawn.serials) if serial is None]
    serials = [serial or 0 for serial in drawn.serials]
    last = max(used.union(serials))
    if last + len(without) > _LAST_SERIAL:
        expected = f"serials up to {_LAST_SERIAL} for the grids of a village"
        raise InputRefusedError([Fault(expected, f"{last} used and {len(without)} more needed")])
    if without:
        centres = shapely.get_coordinates(shapely.centroid(work.settled.polygons[without]))
        for at, rank in zip(without, reading_order(centres).tolist(), strict=True):
            serials[at] = last + 1 + rank
    return serials


def _plan(ground: _Ground, work: SettledGrids, serials: list[int], named: GridFaults) -> tuple[Plan, list[Fault]]:
    """Return the plan and a fault for each grid that is not quite as drawn, or raise `InputRefusedError`."""
    names = [f"{serial:03d}" for serial in serials]
    polygons = work.settled.polygons
    grids = gpd.GeoDataFrame({"grid": names}, geometry=polygons, crs=ground.village.crs)
    terrain = {
        option: ground.terrain.loc[ground.terrain[column], ["geometry"]]
        for option, column in (("barriers", "is_barrier"), ("prefer", "is_preferred"))
        if ground.terrain[column].any()
    }
    used = [f"{serial:03d}" for serial in ground.used]
    # Settled grids end on their own nodes: a tenth of a millimetre off the outline they would cut nothing.
    land = ground.village[["geometry"]].set_geometry([shapely.coverage_union_all(polygons)], crs=ground.village.crs)
    plan = plan_of_drawn(grids, land, ground.households, used=used, **terrain)
    made = dict(zip(plan.grids["grid"], plan.grids.geometry, strict=True))
    faults = [_difference(at, made.get(name), polygons[at], named) for at, name in enumerate(names)]
    found = [fault for fault in faults if fault is not None]
    if rows_refused(found):
        raise InputRefusedError(found)
    is_sound = dict(zip(plan.grids["grid"], plan.grids.to_crs(STORAGE_SRID).is_valid, strict=True))
    found += [
        named.of_grid(at, "an outline that degrees can tell", "one too fine", "TOO_FINE")
        for at, name in enumerate(names)
        if not is_sound[name]
    ]
    if rows_refused(found):
        raise InputRefusedError(found)
    try:
        check_coverage(plan.grids, ground.village)
    except CoverageError as error:
        raise InputRefusedError([Fault("grids that cover their village", str(error), **named.place)]) from error
    return plan, found


def _difference(at: int, made: shapely.Geometry | None, drawn: shapely.Geometry, named: GridFaults) -> Fault | None:
    """Return how a grid of the plan differs from the drawn one: refused where wide, put right where narrow."""
    if made is None:
        return named.of_grid(at, "a grid in which households stand", "none but on its border", "NO_HOUSEHOLDS")
    between = shapely.symmetric_difference(made, drawn)
    if between.area <= _DIFFERENCE_M2:
        return None
    if not shapely.is_empty(shapely.buffer(between, -WIDEST_SLIVER_M / 2)):
        found = f"{between.area:.1f} m² apart from them"
        hint = "join the piece without households to its neighbour"
        return named.of_grid(at, "a grid whose every piece has households", found, "PIECE_WITHOUT_HOUSEHOLDS", hint)
    fault = named.of_grid(at, "a border that can be drawn", f"{between.area:.1f} m² that cannot", "REDRAWN")
    return replace(fault, fix=f"drawn nowhere more than {WIDEST_SLIVER_M:g} m away")


def _rounding(work: SettledGrids) -> list[str]:
    settled = work.settled
    if not settled.rounding_places:
        return []
    area = f"{settled.rounding_m2:.3f} m² together"
    return [f"{settled.rounding_places} places no wider than {ROUNDING_M:g} m are rounding, {area}: closed"]


def _report(reading: Reading, faults: list[Fault], notes: list[str], options: ImportOptions) -> ImportReport:
    """Return the report: grids are a coverage together, so one that is refused refuses all."""
    found = tuple(sorted(faults, key=lambda fault: (fault.row or 0, fault.code or "")))
    verdict = verdict_of(reading.rows_in, found)
    if verdict is Verdict.ROWS_REFUSED:
        verdict = Verdict.REFUSED
    is_storable = verdict is not Verdict.REFUSED
    rows_ok = max(0, reading.rows_in - rows_refused(found))
    is_stored = is_storable and not options.is_dry_run
    return ImportReport(
        verdict, is_storable, is_stored, reading.rows_in, rows_ok, found, (*reading.frame.attrs["notes"], *notes)
    )


def _digest(drawn: DrawnGrids, work: SettledGrids, ground: _Ground) -> str:
    """Return a mark of what a plan is made from: grids, their codes, households and where they stand."""
    said = hashlib.sha256(repr((drawn.serials, ground.households.index.tolist())).encode())
    for shapes in (work.settled.polygons, ground.households.geometry.to_numpy(), ground.village.geometry.to_numpy()):
        said.update(b"".join(shapely.to_wkb(shapes)))
    return said.hexdigest()
