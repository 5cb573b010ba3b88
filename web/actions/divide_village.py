"""Divide a village of the store and publish the plan: load, divide, save."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from geodata.households import load_households
from geodata.plans import load_current_plan, save_plan
from geodata.villages import load_terrain, load_village, lock_village
from mapgrid.crs import metric_crs_for
from mapgrid.errors import MapgridError
from mapgrid.partition import divide
from mapgrid.plans import PlanState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from mapgrid.partition import Plan
    from mapgrid.village import Limits

# Straight in degrees is not straight in metres: with a vertex every 50 m the difference is less than a millimetre.
_LONGEST_EDGE_DEGREES = 0.0005


class AlreadyDividedError(MapgridError):
    """The village has a plan in force, whose grid codes a new division would use again."""


def divide_village(
    session: Session,
    code: str,
    *,
    limits: Limits,
    seed: int,
    starts_on: date,
    tell: Callable[[float, str], None] | None = None,
) -> Plan:
    """Divide a village that has no plan yet, store the plan as published, and return it; the caller commits.

    Parameters
    ----------
    starts_on
        First day of the plan.
    tell
        Called with the share done (0–1) and a line of text.

    Raises
    ------
    NotFoundError
        If there is no such village, or it has no boundary.
    InputRefusedError
        If it has no households, or some stand outside.
    AlreadyDividedError
        If a plan is in force.
    """
    lock_village(session, code)
    boundary = load_village(session, code)
    current = load_current_plan(session, code, starts_on)
    if current is not None:
        msg = (
            f"village {code}: expected no plan in force on {starts_on}, found plan {current.name}; "
            "a grid code is never used for other land, so a second plan has to grow out of the first"
        )
        raise AlreadyDividedError(msg)
    crs = metric_crs_for(tuple(boundary.total_bounds))
    village = boundary.assign(geometry=boundary.geometry.segmentize(_LONGEST_EDGE_DEGREES)).to_crs(crs)
    households = load_households(session, code).set_index("code").to_crs(crs)
    terrain = load_terrain(session, code).to_crs(crs)
    plan = divide(
        village,
        households,
        barriers=_lines(terrain, "is_barrier"),
        prefer=_lines(terrain, "is_preferred"),
        limits=limits,
        seed=seed,
        progress=tell,
    )
    save_plan(
        session,
        code,
        plan,
        name=f"{starts_on:%Y-%m}",
        state=PlanState.PUBLISHED,
        starts_on=starts_on,
        parameters={**asdict(limits), "preset": plan.preset, "seed": seed, "effort": plan.effort},
    )
    return plan


def _lines(terrain: GeoDataFrame, which: str) -> GeoDataFrame | None:
    """Return the shapes of the terrain that a column marks, or None when there are none."""
    lines = terrain.loc[terrain[which], ["geometry"]]
    return lines if len(lines) else None
