"""Figures of villages and grids: the one place that counts, for pages, legends and the API alike.

Households are counted as the sum of their weights: a point may stand for several.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import and_, column, func, select, table

from geodata.casebook import is_shown
from geodata.plans import is_in_force
from geodata.scoping import begins_with
from geodata.tables import Area, Case, Grid, Group, Plan
from mapgrid.cases import CaseState, MapState, map_state
from mapgrid.codes import AreaLevel
from mapgrid.tiers import Tier
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session


# Sums with their scope in them, for those too who may not see the households (`sql/scope.sql`).
_VILLAGES = table("village_tally", column("village_code"), column("tier"), column("households"))
_VILLAGE_PEOPLE = table("village_people", column("village_code"), column("people"))
_GRIDS = table("grid_tally", column("plan_id"), column("grid_code"), column("tier"), column("households"))
_GRID_PEOPLE = table("grid_people", column("plan_id"), column("grid_code"), column("people"))


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures of one village, or of one grid of the plan in force.

    Attributes
    ----------
    households
        Sum of the weights of the household points.
    tiers
        Households by tier, every tier present; they add up to `households`.
    cases
        Cases by map state, every state present.
    grids, groups, grids_with_reason
        Of the plan in force; 0 without one.
    """

    households: int = 0
    people: int = 0
    grids: int = 0
    groups: int = 0
    grids_with_reason: int = 0
    tiers: Mapping[Tier, int] = field(default_factory=lambda: _by_tier({}))
    cases: Mapping[MapState, int] = field(default_factory=lambda: _by_state({}))


def count_villages(session: Session, area_code: str, now: datetime) -> dict[str, Counts]:
    """Return the figures of every village of an area by village code, five queries whatever the area.

    `area_code` is the code of a district, a town or a village.
    """
    on = now.astimezone(LOCAL_TIME).date()
    tiers = _tiers_of_villages(session, area_code)
    people = _people_of_villages(session, area_code)
    plans = _plans_of_villages(session, area_code, on)
    cases = _cases_of_villages(session, area_code, now)
    villages = session.scalars(
        select(Area.code).where(begins_with(Area.code, area_code), Area.level == AreaLevel.VILLAGE).order_by(Area.code)
    )
    return {
        code: Counts(
            households=sum(tiers[code].values()),
            people=people.get(code, 0),
            **plans.get(code, {}),
            tiers=_by_tier(tiers[code]),
            cases=_by_state(cases[code]),
        )
        for code in villages
    }


def count_grids(session: Session, plan_id: int, now: datetime) -> dict[str, Counts]:
    """Return the figures of every grid of a plan by grid code, four queries whatever the plan.

    A case counts for the grid it lies in; on a shared edge for the one of lower code.
    """
    tiers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    tallied = select(_GRIDS.c.grid_code, _GRIDS.c.tier, _GRIDS.c.households).where(_GRIDS.c.plan_id == plan_id)
    for code, tier, households in session.execute(tallied):
        tiers[code][tier] = households
    living = select(_GRID_PEOPLE.c.grid_code, _GRID_PEOPLE.c.people).where(_GRID_PEOPLE.c.plan_id == plan_id)
    people = {row.grid_code: int(row.people) for row in session.execute(living)}
    cases = _cases_of_grids(session, plan_id, now)
    groups = func.count(Group.code)
    rows = session.execute(
        select(Grid.code, Grid.reason, groups)
        .outerjoin(Group, and_(Group.plan_id == Grid.plan_id, Group.grid_code == Grid.code))
        .where(Grid.plan_id == plan_id)
        .group_by(Grid.plan_id, Grid.code)
        .order_by(Grid.code)
    )
    return {
        code: Counts(
            households=sum(tiers[code].values()),
            people=people.get(code, 0),
            grids=1,
            groups=of_grid,
            grids_with_reason=int(reason is not None),
            tiers=_by_tier(tiers[code]),
            cases=_by_state(cases[code]),
        )
        for code, reason, of_grid in rows
    }


def _tiers_of_villages(session: Session, area_code: str) -> dict[str, dict[str, int]]:
    rows = session.execute(
        select(_VILLAGES.c.village_code, _VILLAGES.c.tier, _VILLAGES.c.households).where(
            begins_with(_VILLAGES.c.village_code, area_code)
        )
    )
    tiers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for village_code, tier, households in rows:
        tiers[village_code][tier] = households
    return tiers


def _people_of_villages(session: Session, area_code: str) -> dict[str, int]:
    columns = _VILLAGE_PEOPLE.c
    rows = session.execute(
        select(columns.village_code, columns.people).where(begins_with(columns.village_code, area_code))
    )
    return {row.village_code: int(row.people) for row in rows}


def _plans_of_villages(session: Session, area_code: str, on: date) -> dict[str, dict[str, int]]:
    groups = (
        select(func.count())
        .where(Group.plan_id == Grid.plan_id, Group.grid_code == Grid.code)
        .correlate(Grid)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Plan.village_code, func.count(), func.sum(groups), func.count(Grid.reason))
        .join(Grid, Grid.plan_id == Plan.id)
        .where(begins_with(Plan.village_code, area_code), is_in_force(on))
        .group_by(Plan.village_code)
    )
    return {
        village_code: {"grids": grids, "groups": int(of_grids), "grids_with_reason": with_reason}
        for village_code, grids, of_grids, with_reason in rows
    }


def _cases_of_villages(session: Session, area_code: str, now: datetime) -> Mapping[str, Counter[MapState]]:
    query = select(Case.village_code, Case.state, Case.due_at, Case.closed_at)
    return _tally(session, query.where(begins_with(Case.village_code, area_code), is_shown(now)), now)


def _cases_of_grids(session: Session, plan_id: int, now: datetime) -> Mapping[str, Counter[MapState]]:
    lies_in = and_(Plan.village_code == Case.village_code, func.ST_Covers(Grid.outline, Case.place))
    query = (
        select(func.min(Grid.code), Case.state, Case.due_at, Case.closed_at)
        .select_from(Plan)
        .join(Grid, Grid.plan_id == Plan.id)
        .join(Case, lies_in)
        .where(Plan.id == plan_id, is_shown(now))
        .group_by(Case.number)
    )
    return _tally(session, query, now)


def _tally(
    session: Session, cases: Select[str, CaseState, datetime, datetime | None], now: datetime
) -> Mapping[str, Counter[MapState]]:
    tally: defaultdict[str, Counter[MapState]] = defaultdict(Counter)
    for code, state, due_at, closed_at in session.execute(cases):
        shown = map_state(CaseState(state), due_at=due_at, closed_at=closed_at, now=now)
        if shown is not None:
            tally[code][shown] += 1
    return tally


def _by_tier(counted: Mapping[str, int]) -> dict[Tier, int]:
    return {tier: counted.get(tier, 0) for tier in Tier}


def _by_state(counted: Mapping[MapState, int]) -> dict[MapState, int]:
    return {state: counted.get(state, 0) for state in MapState}
