"""What is done with plans: the log of each, its version, and the plan itself as it was, to the last bit.

A plan in the store is always what its log makes of its base: rows are written in the transaction that adds to the log.
Whoever writes locks the village first (`lock_plan`). The caller commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from geodata.plan_snapshots import BASE
from geodata.plan_tables import PlanEdit
from geodata.plans import PLAN_COLUMNS, PlanRecord, plan_record
from geodata.tables import Grid, Plan
from geodata.villages import lock_village
from mapgrid.errors import NotFoundError
from mapgrid.plans import PlanState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something, as the log keeps it."""

    account_id: int | None
    name: str | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing done with a plan.

    Attributes
    ----------
    version
        Of the plan after it; it was one less before.
    record
        What was done: an edit as `mapgrid.adjust.as_record` writes it, an undo, a redo, or a step.
    """

    version: int
    record: Mapping[str, Any]
    author: Author
    made_at: datetime


def load_plan(session: Session, plan_id: int) -> PlanRecord:
    """Return what the store knows of a plan, or raise `NotFoundError`."""
    row = session.execute(select(*PLAN_COLUMNS).where(Plan.id == plan_id)).one_or_none()
    if row is None:
        msg = f"no plan {plan_id} in the store; list those of its village"
        raise NotFoundError(msg)
    return plan_record(row)


def load_plans(session: Session, village_code: str) -> list[PlanRecord]:
    """Return the plans of a village, the newest first."""
    query = select(*PLAN_COLUMNS).where(Plan.village_code == village_code).order_by(Plan.id.desc())
    return [plan_record(row) for row in session.execute(query)]


def lock_plan(session: Session, plan_id: int) -> PlanRecord:
    """Return a plan as it is, after its village was locked against all other writers until this transaction ends."""
    lock_village(session, load_plan(session, plan_id).village_code)
    return load_plan(session, plan_id)


def load_log(session: Session, plan_id: int) -> list[LogEntry]:
    """Return all that was done with a plan, in order."""
    columns = (PlanEdit.version, PlanEdit.record, PlanEdit.account_id, PlanEdit.made_by, PlanEdit.made_at)
    query = select(*columns).where(PlanEdit.plan_id == plan_id).order_by(PlanEdit.version)
    return [
        LogEntry(row.version, row.record, Author(row.account_id, row.made_by), row.made_at)
        for row in session.execute(query)
    ]


def add_to_log(session: Session, plan: PlanRecord, record: Mapping[str, Any], author: Author) -> int:
    """Write down what is done with a locked plan and return its version from now on."""
    version = plan.version + 1
    _add(session, (plan.id, plan.village_code), version, record, author)
    session.execute(update(Plan).where(Plan.id == plan.id).values(version=version))
    return version


def begin_log(session: Session, plan_id: int, village_code: str, record: Mapping[str, Any], author: Author) -> None:
    """Write down how a plan began, at version 0."""
    _add(session, (plan_id, village_code), BASE, record, author)


def change_state(
    session: Session, plan_id: int, state: PlanState, *, starts_on: date | None = None, ends_on: date | None = None
) -> None:
    """Set the state of a plan, and the first day it is in force or the first day it is not, where given."""
    dates = {"starts_on": starts_on, "ends_on": ends_on}
    given = {name: day for name, day in dates.items() if day is not None}
    session.execute(update(Plan).where(Plan.id == plan_id).values(state=state, **given))


def used_grids(session: Session, village_code: str) -> frozenset[str]:
    """Return the names (three digits) of all grids that a village has, or ever had in force."""
    was_in_force = Plan.state.in_([PlanState.PUBLISHED, PlanState.SUPERSEDED])
    query = select(func.right(Grid.code, 3)).join(Plan, Plan.id == Grid.plan_id)
    return frozenset(session.scalars(query.where(Plan.village_code == village_code, was_in_force).distinct()))


def _add(session: Session, plan: tuple[int, str], version: int, record: Mapping[str, Any], author: Author) -> None:
    session.execute(
        insert(PlanEdit).values(
            plan_id=plan[0],
            village_code=plan[1],
            version=version,
            record=dict(record),
            account_id=author.account_id,
            made_by=author.name,
        )
    )
