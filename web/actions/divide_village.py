"""Divide a village of the store and publish the plan: load, divide, save."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from geodata.plans import load_current_plan, save_plan
from geodata.villages import lock_village
from mapgrid.errors import MapgridError
from mapgrid.partition import divide
from mapgrid.plans import PlanState
from web.actions.village_land import load_land

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy.orm import Session

    from mapgrid.partition import Plan
    from mapgrid.village import Limits


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
    current = load_current_plan(session, code, starts_on)
    if current is not None:
        msg = (
            f"village {code}: expected no plan in force on {starts_on}, found plan {current.name}; "
            "a grid code is never used for other land, so a second plan has to grow out of the first"
        )
        raise AlreadyDividedError(msg)
    land = load_land(session, code)
    plan = divide(land.village, land.households, **land.lines, limits=limits, seed=seed, progress=tell)
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
