"""Drafts of plans: begun, shown, listed, deleted. The caller commits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from geodata import audit
from geodata.plan_changes import delete_plan
from geodata.plan_edits import begin_log, load_plans, lock_plan
from geodata.plans import load_grids, load_published, save_plan
from geodata.villages import load_village, lock_village
from mapgrid.adjusting.edits import KIND
from mapgrid.errors import ConflictError
from mapgrid.plans import PlanState, check_draft
from mapgrid.roles import Permission
from mapgrid.village import Limits
from web.actions.plan_access import author_of, check_may, check_version, find_plan
from web.actions.plan_bases import fresh_base, published_base
from web.actions.plan_records import log_record, plan_record
from web.actions.plan_shelf import PlanHistory

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from geodata.plans import PlanRecord
    from mapgrid.partition.plan import Plan
    from mapgrid.roles import Actor
    from web.actions.plan_shelf import PlanShelf

PUBLISHED, DIVISION = "published", "division"
SOURCES = (PUBLISHED, DIVISION)
MOST_DRAFTS = 20
"""Drafts that one village may have at once."""

GRID_COLUMNS = ("code", "households", "reason", "locked")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a draft is to be.

    Attributes
    ----------
    source
        `published`: a copy of the published plan; `division`: a division of its own.
    name
        Unique in the village; None for the next number.
    limits, seed
        Of a division of its own.
    """

    source: str
    name: str | None = None
    limits: Limits = Limits()  # noqa: RUF009  frozen
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan with its grids (`GRID_COLUMNS`, EPSG:4326) and why some are as they are."""

    plan: dict[str, Any]
    grids: GeoDataFrame
    reasons: list[dict[str, Any]]


def list_plans(session: Session, actor: Actor, village_code: str) -> list[dict[str, Any]]:
    """Return the plans of a village, the newest first."""
    check_may(actor, Permission.DRAW, village_code)
    load_village(session, village_code)
    return [plan_record(plan) for plan in load_plans(session, village_code)]


def show_plan(session: Session, shelf: PlanShelf, actor: Actor, plan_id: int) -> Shown:
    """Return a plan as it is now."""
    stored = find_plan(session, actor, Permission.DRAW, plan_id)
    history = PlanHistory(session, shelf, plan_id)
    plan = history.plan_after(history.in_force.done) if history.is_kept else None
    grids = load_grids(session, plan_id)
    locked = frozenset() if plan is None else plan.locked
    grids["locked"] = grids["code"].str[-3:].isin(locked)
    return Shown(plan_record(stored), grids, [] if plan is None else reasons_of(plan, stored.village_code))


def reasons_of(plan: Plan, village_code: str, grids: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Return why grids of a plan, all or those named, are outside the limits, and what else is odd about it."""
    return [
        {"grid": reason.grid and village_code + reason.grid, "code": reason.code.value, "detail": reason.detail}
        for reason in plan.reasons
        if grids is None or reason.grid in grids
    ]


def show_history(
    session: Session, shelf: PlanShelf, actor: Actor, plan_id: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a plan and all that was done with it, the first first."""
    stored = find_plan(session, actor, Permission.DRAW, plan_id)
    history = PlanHistory(session, shelf, plan_id)
    plan = history.plan_after(()) if history.is_kept else None
    code = stored.village_code
    return plan_record(stored), [log_record(entry, history.in_force, code, plan) for entry in history.entries]


def begin_draft(session: Session, shelf: PlanShelf, actor: Actor, code: str, wanted: Wanted) -> int:
    """Store a new draft of a village and return its plan id.

    Raises
    ------
    NotFoundError
        If there is no such village.
    ConflictError
        If nothing is published to copy, the name is taken, there are too many drafts, or another plan was published
        while the village was divided.
    """
    check_may(actor, Permission.DRAW, code)
    before = load_published(session, code)
    # Dividing takes seconds: nobody is made to wait for it, and what it was made for is looked at again.
    divided = fresh_base(session, code, limits=wanted.limits, seed=wanted.seed) if wanted.source == DIVISION else None
    lock_village(session, code)
    published = load_published(session, code)
    if (before and before.id) != (published and published.id):
        raise ConflictError("another plan was published meanwhile; ask again")
    name = _free_name(load_plans(session, code), wanted.name)
    base = divided if divided is not None else _copied(session, shelf, published, code)
    plan_id = save_plan(
        session,
        code,
        base,
        name=name,
        state=PlanState.DRAFT,
        starts_on=None,
        parameters={**asdict(base.limits), "preset": base.preset, "seed": base.seed, "effort": base.effort},
    )
    begin_log(session, plan_id, code, {KIND: "begin", "source": wanted.source}, author_of(actor))
    audit.record(session, "plan.begin", str(plan_id), area=code, source=wanted.source)
    return plan_id


def drop_draft(session: Session, actor: Actor, plan_id: int, *, version: int) -> None:
    """Delete a draft of the version that was looked at.

    Raises
    ------
    NotFoundError, StaleVersionError
        If there is no such plan, or it is at another version.
    PlanStateError
        If it is not a draft.
    """
    find_plan(session, actor, Permission.DRAW, plan_id)
    plan = lock_plan(session, plan_id)
    check_version(plan, version)
    check_draft(plan.state)
    delete_plan(session, plan_id)
    audit.record(session, "plan.delete", str(plan_id), area=plan.village_code, version=version)


def _copied(session: Session, shelf: PlanShelf, published: PlanRecord | None, code: str) -> Plan:
    if published is None:
        msg = (
            f"village {code}: expected a published plan to copy, found none; begin with a division: source {DIVISION!r}"
        )
        raise ConflictError(msg)
    return published_base(session, shelf, published)


def _free_name(plans: list[PlanRecord], wanted: str | None) -> str:
    """Return the name for a new draft, or raise `ConflictError` when it is taken or no more drafts may be."""
    if sum(plan.state in {PlanState.DRAFT, PlanState.IN_REVIEW} for plan in plans) >= MOST_DRAFTS:
        raise ConflictError(f"expected fewer than {MOST_DRAFTS} drafts in a village; delete one that is not needed")
    taken = {plan.name for plan in plans}
    if wanted is not None and wanted in taken:
        raise ConflictError(f"a plan of the village is called {wanted!r} already; choose another name")
    numbers = (f"draft-{number}" for number in range(1, len(plans) + 2))
    return wanted or next(name for name in numbers if name not in taken)
