"""Which rows of which table somebody may see and change: one table, said in two ways.

`geodata.scoping` adds the conditions to every query of a session that knows its actor; `geodata.policies` makes the
database's row-level policies of them. A table without a fence is not the application's to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from geodata.account_tables import (
    Account,
    AccountScope,
    AuditEntry,
    EmergencyAccess,
    Invitation,
    RateLimit,
    RolePermission,
    SignIn,
)
from geodata.job_tables import Job, KeptAnswer
from geodata.plan_tables import PlanEdit, PlanSnapshot
from geodata.tables import (
    Area,
    Assignment,
    Case,
    Cell,
    CellAssignment,
    Grid,
    Group,
    Household,
    Person,
    Plan,
    Staff,
    StaffOfGrid,
    Terrain,
    Unit,
)
from mapgrid.roles import Permission

if TYPE_CHECKING:
    from geodata.tables import Base


class Reach(StrEnum):
    """How the column of a fence says where a row belongs."""

    CHAIN = "chain"
    """An area's code: the areas of the scopes, all below them, and those above by name."""
    AROUND = "around"
    """A village's code: also the villages whose grids the scopes name."""
    PLAN = "plan"
    """As around, for plans that are or were in force; all others only for who draws."""
    GRID = "grid"
    """A grid's or a group's code."""
    HOUSEHOLD = "household"
    """A household's code: in the areas, or standing in the grids."""
    CASE = "case"
    """A case: in the areas, of a household in the grids, or without one and lying in them."""
    STAFF = "staff"
    """Whoever serves a grid that is seen."""
    ACCOUNT = "account"
    """One's own account and those one manages; all of them while nobody is signed in yet, to find who signs in."""
    OWN = "own"
    """One's own account, to see and to change, whatever one's scopes are."""
    AUDIT = "audit"
    """The area an entry is about; entries about none only for who sees everywhere."""
    OPEN = "open"
    """Nothing about anybody."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What protects one table.

    Attributes
    ----------
    column
        Where a row belongs, by `reach`.
    reads, writes
        One of these permissions on that place lets see and change the row; no `writes`: the application never does.
    only_adds
        Whether rows may be added, by the account that they name, but neither changed nor removed.
    """

    table: type[Base]
    column: str
    reach: Reach
    reads: tuple[Permission, ...] = ()
    writes: tuple[Permission, ...] = ()
    only_adds: bool = False


_MAP = (Permission.SEE_MAP,)
_DRAW = (Permission.DRAW,)
_IMPORT = (Permission.IMPORT,)
_MANAGE = (Permission.MANAGE_PEOPLE,)

FENCES: tuple[Fence, ...] = (
    # Who draws locks the village row, which takes the right to update it.
    Fence(Area, "code", Reach.CHAIN, _MAP, (Permission.IMPORT, Permission.DRAW, Permission.HANDLE_CASES)),
    Fence(Unit, "village_code", Reach.AROUND, _MAP, _IMPORT),
    Fence(Terrain, "village_code", Reach.AROUND, _MAP, _IMPORT),
    Fence(Cell, "village_code", Reach.AROUND, _MAP, _DRAW),
    # A plan that is published tells the households their cells.
    Fence(
        Household,
        "code",
        Reach.HOUSEHOLD,
        (Permission.SEE_HOUSEHOLDS, Permission.IMPORT),
        (Permission.IMPORT, Permission.DRAW),
    ),
    Fence(Person, "household_code", Reach.HOUSEHOLD, (Permission.SEE_PEOPLE, Permission.IMPORT), _IMPORT),
    Fence(Plan, "village_code", Reach.PLAN, _MAP, _DRAW),
    Fence(PlanEdit, "village_code", Reach.AROUND, _DRAW, _DRAW, only_adds=True),
    Fence(PlanSnapshot, "village_code", Reach.AROUND, _DRAW, _DRAW),
    Fence(Grid, "code", Reach.GRID, _MAP, _DRAW),
    Fence(Group, "grid_code", Reach.GRID, _MAP, _DRAW),
    Fence(CellAssignment, "group_code", Reach.GRID, _MAP, _DRAW),
    Fence(Assignment, "grid_code", Reach.GRID, (Permission.SEE_HOUSEHOLDS,), _DRAW),
    Fence(Staff, "id", Reach.STAFF, _MAP, _MANAGE),
    Fence(StaffOfGrid, "grid_code", Reach.GRID, _MAP, _MANAGE),
    Fence(Case, "village_code", Reach.CASE, (Permission.SEE_CASES,), (Permission.HANDLE_CASES,)),
    Fence(Account, "id", Reach.ACCOUNT, writes=_MANAGE),
    Fence(AccountScope, "account_id", Reach.ACCOUNT, writes=_MANAGE),
    Fence(EmergencyAccess, "account_id", Reach.ACCOUNT),
    Fence(SignIn, "account_id", Reach.ACCOUNT, writes=_MANAGE),
    Fence(Invitation, "account_id", Reach.ACCOUNT, writes=_MANAGE),
    Fence(AuditEntry, "area_code", Reach.AUDIT, (Permission.SEE_AUDIT,), only_adds=True),
    Fence(RolePermission, "role", Reach.OPEN),
    Fence(RateLimit, "key", Reach.OPEN, writes=_MANAGE),
    Fence(Job, "village_code", Reach.AROUND, _DRAW, _DRAW),
    Fence(KeptAnswer, "account_id", Reach.OWN),
)
"""The fence of every table that the application reads."""

VIEWS = ("village_tally", "village_people", "grid_tally", "grid_people", "group_tally")
"""Sums with their scope in them (`sql/scope.sql`)."""
