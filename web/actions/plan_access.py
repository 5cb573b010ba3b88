"""Whose plans are whose: what is not the asker's to draw or publish does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.plan_edits import Author, load_plan
from mapgrid.errors import NotFoundError, StaleVersionError
from mapgrid.roles import allows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.plans import PlanRecord
    from mapgrid.roles import Actor, Permission


def find_plan(session: Session, actor: Actor, permission: Permission, plan_id: int) -> PlanRecord:
    """Return a plan on whose village somebody has a permission, or raise `NotFoundError`."""
    plan = load_plan(session, plan_id)
    check_may(actor, permission, plan.village_code)
    return plan


def check_may(actor: Actor, permission: Permission, code: str) -> None:
    """Raise `NotFoundError` unless somebody has a permission on a village."""
    if not allows(actor, permission, code):
        raise NotFoundError("not within the asker's scope")


def check_version(plan: PlanRecord, version: int) -> None:
    """Raise `StaleVersionError` unless a plan is at the version that was looked at."""
    if plan.version != version:
        raise StaleVersionError(version, plan.version)


def author_of(actor: Actor) -> Author:
    """Return somebody as the log of a plan keeps them."""
    return Author(actor.account_id, actor.login)
