"""A plan's way from draft to published: reviewed, sent back, published from a day on. The caller commits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from geodata import audit
from geodata.plan_changes import begin_assignments, end_assignments, save_scorecard, stand_on_cells
from geodata.plan_edits import add_to_log, change_state, load_plan, lock_plan
from geodata.plans import load_published
from mapgrid.adjusting.edits import KIND
from mapgrid.errors import ConflictError
from mapgrid.plans import PlanState, check_next
from mapgrid.roles import Permission
from mapgrid.times import LOCAL_TIME
from web.actions.plan_access import author_of, check_version, find_plan
from web.actions.plan_bases import what_changed
from web.actions.plan_records import plan_record
from web.actions.plan_shelf import PlanHistory
from web.actions.village_land import load_land

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from geodata.plans import PlanRecord
    from mapgrid.partition.plan import Plan
    from mapgrid.roles import Actor
    from web.actions.plan_shelf import PlanShelf

_STEPS: Mapping[str, PlanState] = {"review": PlanState.IN_REVIEW, "return": PlanState.DRAFT}


def move_plan(
    session: Session, shelf: PlanShelf, actor: Actor, plan_id: int, step: str, *, version: int
) -> dict[str, Any]:
    """Put a draft in review, or send it back (`review`, `return`), and return its record.

    Who reviews has all figures, also those that are not computed after every edit.

    Raises
    ------
    NotFoundError, StaleVersionError
        If there is no such plan, or it is at another version.
    PlanStateError
        If it does not stand where that is possible.
    """
    find_plan(session, actor, Permission.DRAW, plan_id)
    plan = lock_plan(session, plan_id)
    check_version(plan, version)
    check_next(plan.state, _STEPS[step])
    if step == "review":
        history = PlanHistory(session, shelf, plan_id)
        save_scorecard(session, plan_id, history.plan_after(history.in_force.done).scorecard.as_record())
    change_state(session, plan_id, _STEPS[step])
    add_to_log(session, plan, {KIND: step}, author_of(actor))
    audit.record(session, f"plan.{step}", str(plan_id), area=plan.village_code, version=version + 1)
    return plan_record(load_plan(session, plan_id))


def publish_plan(
    session: Session,
    shelf: PlanShelf,
    actor: Actor,
    plan_id: int,
    when: tuple[date, datetime],
    *,
    version: int,
) -> dict[str, Any]:
    """Put a reviewed plan in force from a day on, end the former one the day before, and return the plan's record.

    Parameters
    ----------
    when
        Its first day, and the time it is now.

    Raises
    ------
    NotFoundError, StaleVersionError
        If there is no such plan, or it is at another version.
    PlanStateError
        If it is not in review.
    ConflictError
        If it grew out of another plan than the published one, no longer fits the village, or would begin in the past
        or no later than the former one.
    """
    starts_on, now = when
    find_plan(session, actor, Permission.PUBLISH, plan_id)
    plan = lock_plan(session, plan_id)
    record = {KIND: "publish", "starts_on": starts_on.isoformat()}
    check_version(plan, version)
    check_next(plan.state, PlanState.PUBLISHED)
    former = load_published(session, plan.village_code)
    _check_grown_out_of(plan, former)
    _check_day(starts_on, former, now.astimezone(LOCAL_TIME).date())
    history = PlanHistory(session, shelf, plan_id)
    made = history.plan_after(history.in_force.done)
    _check_fits(session, plan, made)
    if former is not None:
        check_next(former.state, PlanState.SUPERSEDED)
        change_state(session, former.id, PlanState.SUPERSEDED, ends_on=starts_on)
        add_to_log(session, former, {KIND: "supersede", "by": plan_id}, author_of(actor))
        end_assignments(session, former.id, starts_on)
    change_state(session, plan_id, PlanState.PUBLISHED, starts_on=starts_on)
    begin_assignments(session, plan_id, starts_on)
    stand_on_cells(session, plan_id, made.households)
    add_to_log(session, plan, record, author_of(actor))
    audit.record(session, "plan.publish", str(plan_id), area=plan.village_code, starts_on=starts_on.isoformat())
    return plan_record(load_plan(session, plan_id))


def _check_grown_out_of(plan: PlanRecord, former: PlanRecord | None) -> None:
    """Two plans that grew out of one may have given one grid code to different land; only one of them may follow it."""
    if plan.base_plan_id != (former and former.id):
        found = "no published plan" if former is None else f"plan {former.name} published"
        msg = (
            f"expected the plan that this draft was begun on to be the published one, found {found}; begin a new draft"
        )
        raise ConflictError(msg)


def _check_day(starts_on: date, former: PlanRecord | None, today: date) -> None:
    """Raise `ConflictError` for a day in the past, whose plan stays what it was; a first plan may begin any day."""
    if former is None:
        return
    first = today if former.starts_on is None else max(today, former.starts_on + timedelta(days=1))
    if starts_on < first:
        msg = f"expected a first day from {first} on, not in the past and after plan {former.name}; found {starts_on}"
        raise ConflictError(msg)


def _check_fits(session: Session, plan: PlanRecord, made: Plan) -> None:
    changed = what_changed(made, load_land(session, plan.village_code))
    if changed is not None:
        msg = (
            f"expected the village as it was when this draft was begun, found a change in {changed}; begin a new draft"
        )
        raise ConflictError(msg)
