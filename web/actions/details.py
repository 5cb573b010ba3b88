"""One household, one grid, one case: what a card on the map says. Plain values; names and telephones are masked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from geodata.casebook import load_case
from geodata.counts import count_grids
from geodata.directory import load_household_card
from geodata.people import load_people, load_staff
from geodata.plans import load_grids
from mapgrid.codes import check_grid_code, check_household_code, village_of
from mapgrid.errors import NotFoundError
from mapgrid.times import LOCAL_TIME
from web.actions.villages import current_plan

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def household_detail(session: Session, code: str, now: datetime) -> dict[str, Any]:
    """Return a household with its people (masked), its grid and group, two queries.

    Raises
    ------
    CodeError, NotFoundError
        If it is no code of a household, or there is no such household.
    """
    check_household_code(code)
    card = load_household_card(session, code, now.astimezone(LOCAL_TIME).date())
    people = load_people(session, code)
    head = next((person.name for person in people if person.is_head), None)
    return {
        **asdict(card),
        "tier_since": card.tier_since.isoformat() if card.tier_since else None,
        "head": head,
        "people": len(people),
        "members": [asdict(person) for person in people],
    }


def grid_detail(session: Session, code: str, now: datetime) -> dict[str, Any]:
    """Return a grid of the plan in force with its figures and who serves it (masked).

    Raises
    ------
    CodeError, NotFoundError
        If it is no code of a grid, or no plan in force has it.
    """
    plan = current_plan(session, village_of(check_grid_code(code)), now)
    counts = {} if plan is None else count_grids(session, plan.id, now)
    if plan is None or code not in counts:
        raise NotFoundError(f"no grid {code} in a plan in force")
    grid = load_grids(session, plan.id).set_index("code").loc[code]
    figures = counts[code]
    return {
        "code": code,
        "village": plan.village_code,
        "plan": plan.name,
        "kind": grid["kind"],
        "reason": grid["reason"],
        "households": figures.households,
        "people": figures.people,
        "groups": figures.groups,
        "tiers": figures.tiers,
        "cases": figures.cases,
        "bounds": [round(degrees, 7) for degrees in grid["geometry"].bounds],
        "staff": [
            {"role": staff.role, "name": staff.name, "phone": staff.phone, "since": staff.starts_on.isoformat()}
            for staff in load_staff(session, code, now.astimezone(LOCAL_TIME).date())
        ],
    }


def case_detail(session: Session, number: str, now: datetime) -> dict[str, Any]:
    """Return a case as it stands at `now`; `map_state` is None when no map shows it any more.

    Raises
    ------
    NotFoundError
        If there is no case of that number.
    """
    case = load_case(session, number, now).iloc[0]
    plain = ("number", "village", "household", "grid", "category", "level", "state", "title", "map_state")
    moments = ("reported_at", "due_at", "closed_at")
    return {
        **{name: case[name] for name in plain},
        **{name: None if case[name] is None else case[name].astimezone(LOCAL_TIME).isoformat() for name in moments},
        "lon": round(case.geometry.x, 7),
        "lat": round(case.geometry.y, 7),
    }
