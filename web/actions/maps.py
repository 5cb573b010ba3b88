"""The map of a village, a town or a district: load, compose, hand over plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geodata.casebook import load_cases
from geodata.counts import Counts, count_grids, count_villages
from geodata.emergencies import load_emergencies
from geodata.households import load_households
from geodata.plans import PlanRecord, load_assignments, load_current_plan, load_grids, load_groups
from geodata.villages import load_areas, load_terrain, load_units, load_village
from mapgrid.codes import GRID_DIGITS, VILLAGE_DIGITS, AreaLevel, check_grid_code, level_of
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import NotFoundError
from mapgrid.roles import Permission, allows
from mapgrid.times import LOCAL_TIME
from web.actions.discretion import discreet
from web.actions.drawing import AreaRow, Composed, VillageFrames, compose_village, compose_villages, one_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from geodata.emergencies import EmergencyNotice
    from mapgrid.roles import Actor


@dataclass(frozen=True, slots=True)
class Place:
    """A name with its code, for a crumb or a menu; `households` where there is something to count."""

    code: str
    name: str
    households: int = 0


@dataclass(frozen=True, slots=True)
class PlanPlate:
    """Which plan is drawn."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class AreaView:
    """Everything the map page of one area says.

    Attributes
    ----------
    kind
        `grid`, `village`, `town` or `district`.
    grids_of_reader
        Where somebody can go who serves grids: these.
    villages, towns
        Where one can go from here: villages of this town (of the district, when it is shown), towns of the district.
    linked
        Codes of the places above and beside this one that the reader may open; others are named only.
    bounds
        `(west, south, east, north)` of the whole area, degrees.
    as_of
        Time of the data, `2026-03-05 14:02`, in the villages' zone.
    sources
        Whose data the map shows.
    emergencies
        Who let themselves into which village of this area of late, for a reader who oversees it.
    """

    kind: str
    code: str
    name: str
    crumbs: tuple[Place, ...]
    grids_of_reader: tuple[Place, ...]
    linked: frozenset[str]
    villages: tuple[Place, ...]
    towns: tuple[Place, ...]
    bounds: tuple[float, float, float, float]
    grids: int
    households: int
    people: int
    plan: PlanPlate | None
    as_of: str
    sources: tuple[str, ...]
    is_demo: bool
    emergencies: tuple[tuple[EmergencyNotice, str], ...]
    composed: Composed


def first_place(session: Session, actor: Actor) -> str | None:
    """Return the code of the place whose map somebody's home is: their first grid, else their first village.

    None when their scopes reach no village with a boundary.
    """
    scopes = actor.areas(Permission.SEE_FIGURES)
    grids = [code for code in scopes if len(code) == GRID_DIGITS]
    if grids:
        return grids[0]
    areas = load_areas(session)
    villages = areas[areas["level"].eq(AreaLevel.VILLAGE) & areas.geometry.notna()]
    reached = [code for code in villages["code"] if allows(actor, Permission.SEE_FIGURES, code)]
    towns = [code for code in scopes if len(code) in {6, 9}]
    if towns and reached and not actor.areas(Permission.SEE_HOUSEHOLDS):
        return towns[0]  # a leader's home is the whole
    return reached[0] if reached else None


def area_view(session: Session, code: str, *, now: datetime, language: str, actor: Actor) -> AreaView:
    """Return the map of an area or of one grid, as somebody may see it.

    A fixed number of queries, whatever the number of households, grids or villages.

    Parameters
    ----------
    now
        With a time zone; deadlines and plans are read at this moment.
    language
        `zh` or `en`: which of an area's two names is shown.

    Raises
    ------
    NotFoundError
        If there is no such area or grid, or nothing with a boundary in it.
    """
    is_grid = len(code) == GRID_DIGITS
    level = AreaLevel.VILLAGE if is_grid else level_of(code)
    area = check_grid_code(code)[:VILLAGE_DIGITS] if is_grid else code
    areas = load_areas(session).set_index("code", drop=False)
    if area not in areas.index:
        raise NotFoundError(f"no area {area} in the store")
    names = areas["name"] if language == "zh" else areas["name_en"].fillna(areas["name"])
    counts = discreet(count_villages(session, code[:9], now), actor)
    plan = None
    if level is AreaLevel.VILLAGE:
        plan = load_current_plan(session, area, now.astimezone(LOCAL_TIME).date())
        frames = _load_frames(session, area, plan, now, counts[area], actor)
        if is_grid:
            frames = one_grid(frames, code)
        composed = compose_village(frames, has_households=allows(actor, Permission.SEE_HOUSEHOLDS, code))
        bounds = frames.boundary.bounds
        counted = {code: frames.counts}
    else:
        composed, bounds = _compose_villages(areas, names, counts)
        counted = counts
    return AreaView(
        kind="grid" if is_grid else level,
        code=code,
        name=f"{names[area]} {code[VILLAGE_DIGITS:]}".strip(),
        **_around(areas, names, code, counts, actor),
        bounds=bounds,
        grids=sum(count.grids for count in counted.values()),
        households=sum(count.households for count in counted.values()),
        people=sum(count.people for count in counted.values()),
        plan=None if plan is None else PlanPlate(plan.name, plan.state),
        as_of=f"{now.astimezone(LOCAL_TIME):%Y-%m-%d %H:%M}",
        sources=tuple(dict.fromkeys(areas.loc[[one[:VILLAGE_DIGITS] for one in counted], "source"].dropna())),
        is_demo=bool(areas.at[area, "is_demo"]),
        emergencies=() if is_grid else tuple((one, names[one.village_code]) for one in load_emergencies(session, code)),
        composed=composed,
    )


def _around(
    areas: GeoDataFrame, names: Mapping[str, str], code: str, counts: Mapping[str, Counts], actor: Actor
) -> dict[str, Any]:
    """Return where one is and can go from there; what is above one's scopes is named, not linked."""
    above = [upper for upper in (code[:6], code[:9], code[:12]) if len(upper) < len(code)]
    towns = areas.index[areas["level"].eq(AreaLevel.TOWN) & areas["parent_code"].eq(code[:6])].tolist()
    grids = [scope for scope in actor.areas(Permission.SEE_FIGURES) if len(scope) == GRID_DIGITS]
    villages = [one for one in counts if allows(actor, Permission.SEE_FIGURES, one)]
    return {
        "crumbs": tuple(Place(upper, names[upper]) for upper in above),
        "grids_of_reader": tuple(
            Place(grid, f"{names[grid[:12]]} {grid[12:]}") for grid in grids if grid[:12] in areas.index
        ),
        "villages": tuple(Place(one, names[one], counts[one].households) for one in villages),
        "towns": tuple(Place(town, names[town]) for town in towns if allows(actor, Permission.SEE_FIGURES, town)),
        "linked": frozenset(one for one in above if allows(actor, Permission.SEE_FIGURES, one)),
    }


def _load_frames(
    session: Session, code: str, plan: PlanRecord | None, now: datetime, counts: Counts, actor: Actor
) -> VillageFrames:
    households = load_households(session, code)
    grid_of = {} if plan is None else load_assignments(session, plan.id)["grid"]
    return VillageFrames(
        boundary=load_village(session, code).geometry.iloc[0],
        households=households.assign(
            grid=households["code"].map(grid_of).astype(object).where(lambda grid: grid.notna(), None)
        ),
        grids=_no_areas("code", "households", "reason") if plan is None else load_grids(session, plan.id),
        groups=_no_areas("code") if plan is None else load_groups(session, plan.id),
        units=load_units(session, code).dropna(subset=["geometry"]),
        cases=load_cases(session, code, now),
        terrain=load_terrain(session, code),
        counts=counts,
        counts_of_grids={} if plan is None else discreet(count_grids(session, plan.id, now), actor),
    )


def _no_areas(*columns: str) -> GeoDataFrame:
    return gpd.GeoDataFrame({column: [] for column in columns}, geometry=[], crs=STORAGE_SRID)


def _compose_villages(
    areas: GeoDataFrame, names: Mapping[str, str], counts: Mapping[str, Counts]
) -> tuple[Composed, tuple[float, float, float, float]]:
    villages = areas.loc[list(counts)]
    drawn = villages[villages.geometry.notna()]
    if drawn.empty:
        raise NotFoundError(
            "no village with a boundary in this area; import one: mapgrid import village FILE --code CODE"
        )
    rows = [AreaRow(code, names[code], count) for code, count in counts.items()]
    west, south, east, north = drawn.total_bounds.tolist()
    return compose_villages(drawn.reset_index(drop=True), rows, (west, south, east, north)), (west, south, east, north)
