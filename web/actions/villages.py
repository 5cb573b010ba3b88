"""One village: its figures and its layers, as frames in EPSG:4326. A fixed number of queries each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geodata.casebook import load_cases
from geodata.counts import count_grids, count_villages
from geodata.households import load_households
from geodata.plans import load_assignments, load_current_plan, load_grids, load_groups
from geodata.villages import load_terrain, load_units, load_village
from mapgrid.times import LOCAL_TIME
from web.actions.discretion import discreet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from geodata.plans import PlanRecord
    from mapgrid.roles import Actor
    from mapgrid.terrain import TerrainKind

BOUNDARY_COLUMNS = ("code", "name", "name_en")
GRID_COLUMNS = ("code", "kind", "households", "people", "groups", "tiers", "cases", "reason")
GROUP_COLUMNS = ("code", "grid", "households")
UNIT_COLUMNS = ("code", "name")
HOUSEHOLD_COLUMNS = ("code", "tier", "weight", "grid")
CASE_COLUMNS = (
    "number",
    "title",
    "category",
    "level",
    "state",
    "map_state",
    "grid",
    "reported_at",
    "due_at",
    "closed_at",
)
TERRAIN_COLUMNS = ("kind", "detail", "name")


def village_summary(session: Session, code: str, now: datetime, actor: Actor) -> dict[str, Any]:
    """Return a village's figures, its plan in force (or None) and the time they hold for, as plain values.

    Raises
    ------
    NotFoundError
        If there is no such village, or it has no boundary.
    """
    village = load_village(session, code).iloc[0]
    plan = current_plan(session, code, now)
    counts = discreet(count_villages(session, code, now), actor)[code]
    return {
        "code": code,
        "name": village["name"],
        "name_en": village["name_en"],
        "bounds": [round(degrees, 7) for degrees in village.geometry.bounds],
        "households": counts.households,
        "people": counts.people,
        "grids": counts.grids,
        "groups": counts.groups,
        "grids_with_reason": counts.grids_with_reason,
        "tiers": counts.tiers,
        "cases": counts.cases,
        "plan": None if plan is None else _plan_record(plan),
        "as_of": now.astimezone(LOCAL_TIME).isoformat(timespec="seconds"),
    }


def village_boundary(session: Session, code: str) -> GeoDataFrame:
    """Return the outline of a village as one row with `BOUNDARY_COLUMNS`."""
    return load_village(session, code)


def current_plan(session: Session, code: str, now: datetime) -> PlanRecord | None:
    """Return the plan in force in a village on the day of `now`, or None."""
    return load_current_plan(session, code, now.astimezone(LOCAL_TIME).date())


def village_grids(session: Session, code: str, now: datetime, actor: Actor) -> GeoDataFrame:
    """Return the grids in force with `GRID_COLUMNS`; no rows without a plan."""
    plan_id = _plan_id(session, code, now)
    grids = load_grids(session, plan_id)
    counts = discreet(count_grids(session, plan_id, now), actor)
    return grids.assign(
        **{
            name: [getattr(counts[grid], name) for grid in grids["code"]]
            for name in ("people", "groups", "tiers", "cases")
        }
    )


def village_groups(session: Session, code: str, now: datetime) -> GeoDataFrame:
    """Return the ten-household groups in force with `GROUP_COLUMNS`; no rows without a plan."""
    return load_groups(session, _plan_id(session, code, now))


def village_households(session: Session, code: str, now: datetime) -> GeoDataFrame:
    """Return the households with `HOUSEHOLD_COLUMNS`; `grid` is None without a plan. Nobody's name is among them."""
    assignments = load_assignments(session, _plan_id(session, code, now))
    households = load_households(session, code)
    grid = households["code"].map(assignments["grid"]).astype(object)
    return households.assign(grid=grid.where(grid.notna(), None))


def village_cases(session: Session, code: str, now: datetime) -> GeoDataFrame:
    """Return the cases that the map shows with `CASE_COLUMNS`: open, and closed in the last 30 days."""
    load_village(session, code)
    return load_cases(session, code, now)


def village_units(session: Session, code: str) -> GeoDataFrame:
    """Return the villager groups and buildings with `UNIT_COLUMNS`."""
    load_village(session, code)
    return load_units(session, code)


def village_terrain(session: Session, code: str, kinds: Sequence[TerrainKind] | None = None) -> GeoDataFrame:
    """Return what lies on the land with `TERRAIN_COLUMNS`, all kinds or some."""
    load_village(session, code)
    return load_terrain(session, code, kinds)


def _plan_id(session: Session, code: str, now: datetime) -> int:
    """Return the id of the plan in force, 0 (which no plan has) without one; an unknown village is not found."""
    plan = current_plan(session, code, now)
    if plan is None:
        load_village(session, code)
    return 0 if plan is None else plan.id


def _plan_record(plan: PlanRecord) -> dict[str, Any]:
    return {
        "name": plan.name,
        "state": plan.state,
        "starts_on": plan.starts_on.isoformat() if plan.starts_on else None,
        "ends_on": plan.ends_on.isoformat() if plan.ends_on else None,
        "made_at": plan.made_at.astimezone(LOCAL_TIME).isoformat(timespec="seconds"),
        "scorecard": plan.scorecard,
    }
