"""The map of a village, a town or a district: load, compose, hand over plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd

from geodata.casebook import load_cases
from geodata.counts import Counts, count_grids, count_villages
from geodata.households import load_households
from geodata.plans import PlanRecord, load_assignments, load_current_plan, load_grids, load_groups
from geodata.villages import load_areas, load_terrain, load_units, load_village
from mapgrid.codes import AreaLevel, level_of
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import NotFoundError
from mapgrid.times import LOCAL_TIME
from web.actions.drawing import AreaRow, Composed, VillageFrames, compose_village, compose_villages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session


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
        `village`, `town` or `district`.
    villages, towns
        Where one can go from here: villages of this town (of the district, when it is shown), towns of the district.
    bounds
        `(west, south, east, north)` of the whole area, degrees.
    as_of
        Time of the data, `2026-03-05 14:02`, in the villages' zone.
    sources
        Whose data the map shows.
    """

    kind: str
    code: str
    name: str
    crumbs: tuple[Place, ...]
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
    composed: Composed


def first_village(session: Session) -> str | None:
    """Return the code of the first village that has a boundary, or None when the store is empty."""
    areas = load_areas(session)
    villages = areas[areas["level"].eq(AreaLevel.VILLAGE) & areas.geometry.notna()]
    return None if villages.empty else str(villages["code"].iloc[0])


def area_view(session: Session, code: str, *, now: datetime, language: str) -> AreaView:
    """Return the map of an area.

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
        If there is no such area, or nothing with a boundary in it.
    """
    level = level_of(code)
    areas = load_areas(session).set_index("code", drop=False)
    if code not in areas.index:
        raise NotFoundError(f"no area {code} in the store")
    names = areas["name"] if language == "zh" else areas["name_en"].fillna(areas["name"])
    home = code[:9]
    counts = count_villages(session, home, now)
    if level is AreaLevel.VILLAGE:
        plan = load_current_plan(session, code, now.astimezone(LOCAL_TIME).date())
        frames = _load_frames(session, code, plan, now, counts[code])
        composed, bounds = compose_village(frames), frames.boundary.bounds
        counted = {code: counts[code]}
    else:
        plan = None
        composed, bounds = _compose_villages(areas, names, counts)
        counted = counts
    return AreaView(
        kind=level,
        code=code,
        name=names[code],
        crumbs=tuple(Place(upper, names[upper]) for upper in (code[:6], code[:9]) if len(upper) < len(code)),
        villages=tuple(Place(one, names[one], count.households) for one, count in counts.items()),
        towns=tuple(
            Place(town, names[town])
            for town in areas.index[areas["level"].eq(AreaLevel.TOWN) & areas["parent_code"].eq(code[:6])]
        ),
        bounds=bounds,
        grids=sum(count.grids for count in counted.values()),
        households=sum(count.households for count in counted.values()),
        people=sum(count.people for count in counted.values()),
        plan=None if plan is None else PlanPlate(plan.name, plan.state),
        as_of=f"{now.astimezone(LOCAL_TIME):%Y-%m-%d %H:%M}",
        sources=tuple(dict.fromkeys(areas.loc[list(counted), "source"].dropna())),
        is_demo=bool(areas.at[code, "is_demo"]),
        composed=composed,
    )


def _load_frames(session: Session, code: str, plan: PlanRecord | None, now: datetime, counts: Counts) -> VillageFrames:
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
        counts_of_grids={} if plan is None else count_grids(session, plan.id, now),
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
