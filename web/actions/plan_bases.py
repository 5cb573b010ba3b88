"""The plan that a draft begins with: the published one on today's households, or a division of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.plan_edits import used_grids
from geodata.plans import load_assignments, load_grids
from mapgrid.coverage import TOLERANCE, check_coverage
from mapgrid.errors import ConflictError, CoverageError
from mapgrid.partition import divide
from mapgrid.partition.points import SAME_POINT_M
from mapgrid.partition.rebalancing.carried_over import carry_over
from mapgrid.partition.rebalancing.carry import BaseFrames
from mapgrid.village import Limits
from web.actions.plan_shelf import PlanHistory
from web.actions.village_land import load_land

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from geodata.plans import PlanRecord
    from mapgrid.partition.plan import Plan
    from web.actions.plan_shelf import PlanShelf
    from web.actions.village_land import VillageLand


def fresh_base(session: Session, code: str, *, limits: Limits, seed: int) -> Plan:
    """Return a division of a village; its grids are named after all that were ever in force there."""
    land = load_land(session, code)
    used = used_grids(session, code)
    return divide(land.village, land.households, **land.lines, limits=limits, seed=seed, ended=used)


def published_base(session: Session, shelf: PlanShelf, published: PlanRecord) -> Plan:
    """Return the published plan for the households and the land of today; new households join the grid they stand in.

    Raises
    ------
    ConflictError
        If the grids that are published do not cover the village of today.
    """
    code = published.village_code
    land = load_land(session, code)
    history = PlanHistory(session, shelf, published.id)
    plan = history.plan_after(history.in_force.done) if history.is_kept else None
    if plan is None or what_changed(plan, land) is not None:
        plan = _carried(plan or _frames(session, published, land), published, land)
    used = used_grids(session, code)
    # Without the bound, which a thorough plan measures itself by: it takes minutes, and an edit must not.
    return replace(plan, effort="standard", ended=plan.ended.union(used).difference(plan.division.names))


def what_changed(plan: Plan, land: VillageLand) -> str | None:
    """Return in words what is no longer as the plan was made for: the boundary, households; None when nothing is.

    Tiers, units and what lies on the land may change without a plan being wrong.
    """
    shape = plan.division.village.geometry.iloc[0]
    today = land.village.to_crs(plan.cells.crs).geometry.iloc[0]
    if shapely.symmetric_difference(shape, today).area > TOLERANCE * shape.area:
        return "the boundary of the village"
    return _changed_households(plan.households, land.households.to_crs(plan.cells.crs))


def _changed_households(then: GeoDataFrame, now: GeoDataFrame) -> str | None:
    new, gone = now.index.difference(then.index), then.index.difference(now.index)
    if len(new) or len(gone):
        return f"{len(new)} households that came and {len(gone)} that went"
    one, other = then.sort_index(), now.sort_index()
    moved = shapely.distance(one.geometry.to_numpy(), other.geometry.to_numpy()) > SAME_POINT_M
    moved |= one["weight"].to_numpy(dtype=np.int64) != other["weight"].to_numpy(dtype=np.int64)
    return f"place or weight of {int(moved.sum())} households" if moved.any() else None


def _frames(session: Session, published: PlanRecord, land: VillageLand) -> BaseFrames:
    """Return the rows of a plan that was stored without being kept, in metres."""
    grids = load_grids(session, published.id).to_crs(land.village.crs)
    grids["grid"] = grids["code"].str[-3:]
    assignments = load_assignments(session, published.id)
    households = land.households[land.households.index.isin(assignments.index)]
    placed = assignments.loc[households.index]
    households = households.assign(grid=placed["grid"].str[-3:], group=placed["group"].str[-5:])
    return BaseFrames(grids[["grid", "geometry"]], households)


def _carried(base: Plan | BaseFrames, published: PlanRecord, land: VillageLand) -> Plan:
    crs = land.village.crs
    frames = BaseFrames(base.grids.to_crs(crs), base.households.to_crs(crs), base.ended)
    given = {name: value for name, value in published.parameters.items() if name in Limits.__dataclass_fields__}
    plan = carry_over(
        frames,
        land.village,
        land.households,
        **land.lines,
        limits=Limits(**given),
        locked=getattr(base, "locked", ()),
        preset=published.parameters.get("preset", "balanced"),
        seed=published.parameters.get("seed", 0),
    )
    try:
        check_coverage(plan.grids, land.village)
    except CoverageError as error:
        msg = f"the published plan does not cover the village of today: {error}; divide the village anew"
        raise ConflictError(msg) from error
    return plan
