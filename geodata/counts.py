"""Figures of villages and grids: the one place that counts, for pages, legends and the API alike.

Households are counted as the sum of their weights: a point may stand for several.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from geodata.casebook import is_shown
from geodata.plans import is_in_force
from geodata.tables import Area, Assignment, Case, Grid, Group, Household, Person, Plan
from mapgrid.cases import CaseState, MapState, map_state
from mapgrid.codes import AreaLevel
from mapgrid.tiers import Tier
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session


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
        select(Area.code)
        .where(Area.code.startswith(area_code, autoescape=True), Area.level == AreaLevel.VILLAGE)
        .order_by(Area.code)
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


def count_grid(session: Session, plan_id: int, grid_code: str) -> Counts:
    """Return households, people, tiers and groups of one grid of a plan; its cases stand in `geodata.casebook`."""
    of_grid = (Assignment.plan_id == plan_id, Assignment.grid_code == grid_code)
    standing = select(Household.tier, func.sum(Household.weight)).join(
        Assignment, Assignment.household_code == Household.code
    )
    tiers: dict[str, int] = {
        tier: int(weight) for tier, weight in session.execute(standing.where(*of_grid).group_by(Household.tier))
    }
    people = session.scalar(
        select(func.count())
        .select_from(Person)
        .join(Assignment, Assignment.household_code == Person.household_code)
        .where(*of_grid)
    )
    groups = session.scalar(
        select(func.count()).select_from(Group).where(Group.plan_id == plan_id, Group.grid_code == grid_code)
    )
    return Counts(
        households=sum(tiers.values()), people=people or 0, grids=1, groups=groups or 0, tiers=_by_tier(tiers)
    )


def _tiers_of_villages(session: Session, area_code: str) -> dict[str, dict[str, int]]:
    rows = session.execute(
        select(Household.village_code, Household.tier, func.sum(Household.weight))
        .where(Household.village_code.startswith(area_code, autoescape=True))
        .group_by(Household.village_code, Household.tier)
    )
    tiers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for village_code, tier, weight in rows:
        tiers[village_code][tier] = int(weight)
    return tiers


def _people_of_villages(session: Session, area_code: str) -> dict[str, int]:
    rows = session.execute(
        select(Household.village_code, func.count())
        .join(Person, Person.household_code == Household.code)
        .where(Household.village_code.startswith(area_code, autoescape=True))
        .group_by(Household.village_code)
    )
    return {village_code: int(people) for village_code, people in rows}


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
        .where(Plan.village_code.startswith(area_code, autoescape=True), is_in_force(on))
        .group_by(Plan.village_code)
    )
    return {
        village_code: {"grids": grids, "groups": int(of_grids), "grids_with_reason": with_reason}
        for village_code, grids, of_grids, with_reason in rows
    }


def _cases_of_villages(session: Session, area_code: str, now: datetime) -> dict[str, Counter[str]]:
    rows = session.execute(
        select(Case.village_code, Case.state, Case.due_at, Case.closed_at).where(
            Case.village_code.startswith(area_code, autoescape=True), is_shown(now)
        )
    )
    cases: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for village_code, state, due_at, closed_at in rows:
        shown = map_state(CaseState(state), due_at=due_at, closed_at=closed_at, now=now)
        if shown is not None:
            cases[village_code][shown] += 1
    return cases


def _by_tier(counted: Mapping[str, int]) -> dict[Tier, int]:
    return {tier: counted.get(tier, 0) for tier in Tier}


def _by_state(counted: Mapping[str, int]) -> dict[MapState, int]:
    return {state: counted.get(state, 0) for state in MapState}
