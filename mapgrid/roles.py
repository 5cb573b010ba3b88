"""Who may what, and where. The pages ask `allows`; the database's policies are generated from the same tables.

A scope is a role on an area, from a day to a day. It reaches everything whose code begins with the area's: a district
its towns, a town its villages, a village its grids and households. The scope of one grid reaches that grid and its
groups; the households in it have codes of their village, so who asks for a household says the grid it stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from mapgrid.codes import DISTRICT_DIGITS, GRID_DIGITS, TOWN_DIGITS, VILLAGE_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

EVERYWHERE = ""
"""The area of a scope that reaches the whole store."""


class Permission(StrEnum):
    """Something a role may do on its area."""

    SEE_MAP = "see_map"
    """Land, boundaries, units, grids, groups, the plan in force, who serves a grid."""
    SEE_FIGURES = "see_figures"
    """Sums of villages and grids."""
    SEE_HOUSEHOLDS = "see_households"
    """Each household: its place, its tier."""
    SEE_PEOPLE = "see_people"
    """Who lives in a household, masked, and its address."""
    SEE_REASONS = "see_reasons"
    """Why a household has its tier."""
    UNMASK = "unmask"
    """Names, telephones and identity numbers in full, for a stated purpose."""
    SEE_CASES = "see_cases"
    HANDLE_CASES = "handle_cases"
    DRAW = "draw"
    """Draft plans: see, make, change, drop them."""
    PUBLISH = "publish"
    IMPORT = "import"
    EXPORT = "export"
    MANAGE_PEOPLE = "manage_people"
    """Accounts and their scopes."""
    VIEW_AS = "view_as"
    SEE_AUDIT = "see_audit"
    OPEN_IN_EMERGENCY = "open_in_emergency"
    """Let oneself into a village of the same town for three hours, with a reason that is announced and logged."""
    RUN_SERVICE = "run_service"
    """Jobs, backups, metrics of the service itself."""


CHANGES = frozenset(
    {
        Permission.UNMASK,
        Permission.HANDLE_CASES,
        Permission.DRAW,
        Permission.PUBLISH,
        Permission.IMPORT,
        Permission.EXPORT,
        Permission.MANAGE_PEOPLE,
        Permission.VIEW_AS,
        Permission.OPEN_IN_EMERGENCY,
        Permission.RUN_SERVICE,
    }
)
"""What nobody may do who only looks with another's eyes."""


class Role(StrEnum):
    """What somebody is, on an area."""

    WORKER = "worker"
    GRID_LEADER = "grid_leader"
    LIAISON = "liaison"
    PLANNER = "planner"
    VILLAGE_LEADER = "village_leader"
    TOWN_LEADER = "town_leader"
    DISTRICT_LEADER = "district_leader"
    RESIDENT_DESK = "resident_desk"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    EMERGENCY = "emergency"
    """Whoever let themselves into a village; given to nobody."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What goes with a role.

    Attributes
    ----------
    permissions
        What it may do on its area.
    digits
        How long the code of its area may be: 6 district, 9 town, 12 village, 15 grid, 0 everywhere; none when the role
        is not given.
    needs_second_factor
        Whether its holders sign in with a one-time code beside the password.
    fewest_characters
        How short its holders' passwords may be.
    """

    permissions: frozenset[Permission]
    digits: frozenset[int]
    needs_second_factor: bool = False
    fewest_characters: int = 8


_NEAR = {Permission.SEE_MAP, Permission.SEE_FIGURES, Permission.SEE_HOUSEHOLDS, Permission.SEE_PEOPLE}
_HELPS = frozenset(_NEAR | {Permission.SEE_REASONS, Permission.UNMASK, Permission.SEE_CASES})
_SERVES = _HELPS | {Permission.HANDLE_CASES, Permission.OPEN_IN_EMERGENCY}
_OVERSEES = frozenset(
    {
        Permission.SEE_MAP,
        Permission.SEE_FIGURES,
        Permission.SEE_CASES,
        Permission.HANDLE_CASES,
        Permission.OPEN_IN_EMERGENCY,
    }
)
_GRID = frozenset({GRID_DIGITS})
_VILLAGE = frozenset({VILLAGE_DIGITS})
_TOWN = frozenset({TOWN_DIGITS})
_DISTRICT = frozenset({DISTRICT_DIGITS})
_ABOVE_GRID = _DISTRICT | _TOWN | _VILLAGE
_STORE = frozenset({0})

ROLES: Mapping[Role, RoleRule] = MappingProxyType(
    {
        Role.WORKER: RoleRule(_SERVES, _GRID),
        Role.GRID_LEADER: RoleRule(_SERVES, _GRID),
        Role.LIAISON: RoleRule(_SERVES - {Permission.UNMASK}, _GRID | _VILLAGE),
        Role.PLANNER: RoleRule(
            frozenset(
                {
                    Permission.SEE_MAP,
                    Permission.SEE_FIGURES,
                    Permission.SEE_HOUSEHOLDS,
                    Permission.DRAW,
                    Permission.PUBLISH,
                    Permission.IMPORT,
                    Permission.EXPORT,
                }
            ),
            _ABOVE_GRID,
            needs_second_factor=True,
        ),
        Role.VILLAGE_LEADER: RoleRule(_SERVES | {Permission.EXPORT}, _VILLAGE, needs_second_factor=True),
        Role.TOWN_LEADER: RoleRule(_OVERSEES, _TOWN, needs_second_factor=True),
        Role.DISTRICT_LEADER: RoleRule(_OVERSEES, _DISTRICT, needs_second_factor=True),
        Role.RESIDENT_DESK: RoleRule(_OVERSEES, _ABOVE_GRID),
        Role.ADMINISTRATOR: RoleRule(
            frozenset({Permission.SEE_MAP, Permission.MANAGE_PEOPLE, Permission.VIEW_AS, Permission.RUN_SERVICE}),
            _ABOVE_GRID | _STORE,
            needs_second_factor=True,
            fewest_characters=12,
        ),
        Role.AUDITOR: RoleRule(
            frozenset({Permission.SEE_AUDIT}), _ABOVE_GRID | _STORE, needs_second_factor=True, fewest_characters=12
        ),
        Role.EMERGENCY: RoleRule(_HELPS, frozenset()),
    }
)
GIVEN_ROLES = tuple(role for role, rule in ROLES.items() if rule.digits)
"""The roles that somebody can be given."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A role on an area; in force from the first day until the day before the second, open without one."""

    role: Role
    area: str
    starts_on: date
    ends_on: date | None = None

    def is_in_force(self, on: date) -> bool:
        """Say whether the scope holds on a day."""
        return self.starts_on <= on and (self.ends_on is None or on < self.ends_on)


@dataclass(frozen=True, slots=True)
class Emergency:
    """A village that somebody let themselves into, and until when."""

    village_code: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something.

    Attributes
    ----------
    account_id
        Number of the account whose scopes count.
    scopes
        Those in force now.
    viewer_id
        The administrator who looks with this account's eyes, None when it is its owner who asks.
    emergencies
        Villages the account let itself into, until when; each is a scope too.
    """

    account_id: int
    login: str
    name: str
    scopes: tuple[Scope, ...]
    viewer_id: int | None = None
    emergencies: tuple[Emergency, ...] = ()

    def areas(self, permission: Permission) -> tuple[str, ...]:
        """Return the areas on which the actor has a permission, each once, in order."""
        if self.viewer_id is not None and permission in CHANGES:
            return ()
        return tuple(sorted({scope.area for scope in self.scopes if permission in ROLES[scope.role].permissions}))


def allows(actor: Actor | None, permission: Permission, code: str) -> bool:
    """Say whether somebody has a permission on the area, grid or group, or the household, of a code."""
    return actor is not None and any(reaches(area, code) for area in actor.areas(permission))


def allows_somewhere(actor: Actor | None, permission: Permission) -> bool:
    """Say whether somebody has a permission on any area at all."""
    return actor is not None and bool(actor.areas(permission))


def reaches(area: str, code: str) -> bool:
    """Say whether the scope of an area covers what a code names.

    A grid's code is the beginning of foreign household codes too (`…201003` and `…201003456`), so a grid covers itself
    and its groups only.
    """
    is_of_grid = len(area) < GRID_DIGITS or len(code) in {GRID_DIGITS, GRID_DIGITS + 2}
    return is_of_grid and code.startswith(area)


def may_look(areas: Sequence[str], scopes: Iterable[Scope]) -> bool:
    """Say whether who may view as others on some areas may see with the eyes of somebody with some scopes."""
    return bool(areas) and all(scope.area.startswith(tuple(areas)) for scope in scopes)


def needs_second_factor(scopes: tuple[Scope, ...]) -> bool:
    """Say whether the holder of some scopes signs in with a second factor."""
    return any(ROLES[scope.role].needs_second_factor for scope in scopes)


def fewest_characters(scopes: tuple[Scope, ...]) -> int:
    """Return how long the password of the holder of some scopes must be at least."""
    return max((ROLES[scope.role].fewest_characters for scope in scopes), default=8)
