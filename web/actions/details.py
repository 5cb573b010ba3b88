"""One household, one grid, one case: what a card on the map says. Plain values; names and telephones are masked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from geodata import audit
from geodata.casebook import load_case
from geodata.counts import count_grids
from geodata.directory import load_household_card
from geodata.people import load_people, load_people_in_full, load_staff
from geodata.plans import load_grids
from mapgrid.codes import check_grid_code, check_household_code, village_of
from mapgrid.errors import NotFoundError
from mapgrid.masking import Purpose, PurposeMissingError
from mapgrid.roles import Permission
from mapgrid.times import LOCAL_TIME
from web.actions.discretion import discreet, may
from web.actions.villages import current_plan

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from mapgrid.roles import Actor


def household_detail(session: Session, code: str, now: datetime, actor: Actor) -> dict[str, Any]:
    """Return a household with its people (masked), its grid and group, two queries; the look is audited.

    What somebody has no right to is None, and nobody is among `members`.

    Raises
    ------
    CodeError, NotFoundError
        If it is no code of a household, or there is no such household for the asker.
    """
    check_household_code(code)
    card = load_household_card(session, code, now.astimezone(LOCAL_TIME).date())
    sees_people, sees_reasons, unmasks = (
        may(actor, permission, code, card.grid)
        for permission in (Permission.SEE_PEOPLE, Permission.SEE_REASONS, Permission.UNMASK)
    )
    people = load_people(session, code) if sees_people else []
    audit.record(session, "household.read", code, area=card.grid or card.village)
    return {
        **asdict(card),
        "address": card.address if sees_people else None,
        "reasons": card.reasons if sees_reasons else None,
        "tier_since": card.tier_since.isoformat() if card.tier_since else None,
        "head": next((person.name for person in people if person.is_head), None),
        "people": len(people) if sees_people else None,
        "members": [asdict(person) for person in people],
        "may_unmask": unmasks and sees_people,
    }


def unmask_household(session: Session, code: str, purpose: str | None, now: datetime, actor: Actor) -> dict[str, Any]:
    """Return who lives in a household in full, for a stated purpose; the look is audited with it.

    Raises
    ------
    PurposeMissingError
        If no purpose is stated.
    CodeError, NotFoundError
        If there is no such household for the asker, or they may not see its people in full.
    """
    check_household_code(code)
    if purpose not in set(Purpose):
        raise PurposeMissingError(f"purpose: expected one of {', '.join(Purpose)}")
    card = load_household_card(session, code, now.astimezone(LOCAL_TIME).date())
    if not may(actor, Permission.UNMASK, code, card.grid):
        raise NotFoundError(f"no household {code} to unmask")
    audit.record(session, "household.unmask", code, area=card.grid or card.village, purpose=purpose)
    return {"code": code, "members": [asdict(person) for person in load_people_in_full(session, code)]}


def grid_detail(session: Session, code: str, now: datetime, actor: Actor) -> dict[str, Any]:
    """Return a grid of the plan in force with its figures and who serves it (masked).

    Raises
    ------
    CodeError, NotFoundError
        If it is no code of a grid, or no plan in force has it.
    """
    plan = current_plan(session, village_of(check_grid_code(code)), now)
    counts = {} if plan is None else discreet(count_grids(session, plan.id, now), actor)
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
