"""The first fence: a session that knows its actor sees and counts only what the actor's scopes reach.

`bind` tells a session who asks. From then on every query of it carries the conditions of `geodata.fences`, and every
transaction tells the database the same, which checks on its own (`geodata.policies`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, event, false, func, not_, or_, select, text, true
from sqlalchemy.orm import Session, with_loader_criteria

from geodata.account_tables import AccountScope
from geodata.fences import FENCES, Fence, Reach
from geodata.tables import Assignment, Grid, Plan, StaffOfGrid
from mapgrid.codes import DISTRICT_DIGITS, GRID_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS
from mapgrid.plans import PlanState
from mapgrid.roles import Permission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.orm import ORMExecuteState
    from sqlalchemy.orm.session import SessionTransaction

    from mapgrid.roles import Actor

_WHO = "actor"
_CRITERIA = "criteria"
_WAS_IN_FORCE = (PlanState.PUBLISHED, PlanState.SUPERSEDED)


def bind(session: Session, actor: Actor | None, today: date) -> None:
    """Tell a session who asks, for all its transactions from now on.

    Parameters
    ----------
    actor
        None for nobody: then no row of the store is reached, only accounts, to find who signs in.
    today
        The day on which scopes and plans are read.
    """
    session.info[_WHO] = (actor, today)
    session.info[_CRITERIA] = [
        with_loader_criteria(fence.table, _condition(fence, actor, today), include_aliases=True)
        for fence in FENCES
        if fence.reach not in {Reach.OPEN, Reach.ACCOUNT}
    ]
    if session.in_transaction():
        _tell(session.connection(), actor, today)


def actor_of(session: Session) -> Actor | None:
    """Return who asks in a session, None for nobody or for mapgrid itself."""
    actor: Actor | None = session.info.get(_WHO, (None, None))[0]
    return actor


def account_condition(session: Session, account_id: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    """Return the condition under which the asker of a session may see an account: their own, and those they manage.

    Without an asker all are seen: somebody has to be found who signs in.
    """
    actor = actor_of(session)
    if actor is None:
        return true()
    areas = _areas(actor.areas(Permission.MANAGE_PEOPLE))
    own: ColumnElement[bool] = account_id.in_([actor.account_id])
    if not areas:
        return own
    _actor, today = session.info[_WHO]
    reaches_farther = (
        select(AccountScope.id)
        .where(
            AccountScope.account_id == account_id,
            or_(AccountScope.ends_on.is_(None), AccountScope.ends_on > today),
            not_(_within(AccountScope.area_code, areas)),
        )
        .exists()
    )
    return or_(own, not_(reaches_farther))


def household_condition(session: Session, code: Any, permission: Permission) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition under which the asker of a session has a permission on the household of a code."""
    if _WHO not in session.info:
        return true()
    actor, today = session.info[_WHO]
    return false() if actor is None else _of_household(code, _scopes(actor, [permission]), today)


def begins_with(column: Any, prefix: str) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition that a code begins with another; unlike LIKE it uses its index under policies too."""
    if prefix == "":
        return true()
    condition: ColumnElement[bool] = column.op("^@", is_comparison=True)(prefix)
    return condition


@event.listens_for(Session, "after_begin")
def _tell_database(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if _WHO in session.info:
        _tell(connection, *session.info[_WHO])


@event.listens_for(Session, "do_orm_execute")
def _add_conditions(state: ORMExecuteState) -> None:
    criteria = state.session.info.get(_CRITERIA)
    if criteria and (state.is_select or state.is_update or state.is_delete):
        state.statement = state.statement.options(*criteria)


def _tell(connection: Connection, actor: Actor | None, today: date) -> None:
    connection.execute(
        text("SELECT mapgrid_enter(:account, :viewer, :today)"),
        {
            "account": None if actor is None else actor.account_id,
            "viewer": None if actor is None else actor.viewer_id,
            "today": today,
        },
    )


def _condition(fence: Fence, actor: Actor | None, today: date) -> ColumnElement[bool]:
    if actor is None:
        return false()
    scopes = _scopes(actor, fence.reads)
    column = getattr(fence.table, fence.column)
    if fence.reach is Reach.PLAN:
        was_in_force = and_(Plan.state.in_(_WAS_IN_FORCE), _within(column, _around(scopes)))
        return or_(was_in_force, _within(column, _areas(_scopes(actor, fence.writes))))
    conditions: dict[Reach, Callable[[], ColumnElement[bool]]] = {
        Reach.CHAIN: lambda: or_(_within(column, _areas(scopes)), column.in_(_above(scopes))),
        Reach.AROUND: lambda: _within(column, _around(scopes)),
        Reach.GRID: lambda: _within(column, scopes),
        Reach.HOUSEHOLD: lambda: _of_household(column, scopes, today),
        Reach.CASE: lambda: _of_case(fence, scopes, today),
        Reach.STAFF: lambda: column.in_(select(StaffOfGrid.staff_id).where(_within(StaffOfGrid.grid_code, scopes))),
        Reach.OWN: lambda: column == actor.account_id,
        Reach.AUDIT: lambda: true() if "" in scopes else _within(column, _areas(scopes)),
    }
    return conditions[fence.reach]()


def _of_household(column: Any, scopes: Sequence[str], today: date) -> ColumnElement[bool]:  # noqa: ANN401
    grids = [code for code in scopes if len(code) == GRID_DIGITS]
    if not grids:
        return _within(column, scopes)
    standing = (
        select(Assignment.household_code)
        .join(Plan, Plan.id == Assignment.plan_id)
        .where(Assignment.grid_code.in_(grids), _in_force(today))
    )
    return or_(_within(column, _areas(scopes)), column.in_(standing))


def _of_case(fence: Fence, scopes: Sequence[str], today: date) -> ColumnElement[bool]:
    case: Any = fence.table
    grids = [code for code in scopes if len(code) == GRID_DIGITS]
    within = _within(case.village_code, _areas(scopes))
    if not grids:
        return within
    lies_in = (
        select(Grid.code)
        .join(Plan, Plan.id == Grid.plan_id)
        .where(Grid.code.in_(grids), _in_force(today), func.ST_Covers(Grid.outline, case.place))
        .correlate(case)
        .exists()
    )
    of_household = _of_household(case.household_code, grids, today)
    return or_(within, of_household, and_(case.household_code.is_(None), lies_in))


def _in_force(on: date) -> ColumnElement[bool]:
    return and_(Plan.state.in_(_WAS_IN_FORCE), Plan.starts_on <= on, or_(Plan.ends_on.is_(None), Plan.ends_on > on))


def _scopes(actor: Actor, permissions: Sequence[Permission]) -> list[str]:
    return sorted({area for permission in permissions for area in actor.areas(permission)})


def _areas(scopes: Sequence[str]) -> list[str]:
    return [code for code in scopes if len(code) < GRID_DIGITS]


def _around(scopes: Sequence[str]) -> list[str]:
    return sorted({code[:VILLAGE_DIGITS] for code in scopes})


def _above(scopes: Sequence[str]) -> list[str]:
    digits = (DISTRICT_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS)
    return sorted({code[:length] for code in scopes for length in digits if length < len(code)})


def _within(column: Any, areas: Sequence[str]) -> ColumnElement[bool]:  # noqa: ANN401
    return or_(false(), *(begins_with(column, area) for area in areas))
