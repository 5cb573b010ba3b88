"""An account for each role, to try the demo with: for a demo alone, with a new password at every start."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata import audit, sign_ins
from geodata.accounts import find_account, give_scope, save_account
from geodata.samples.index import DISTRICT, VILLAGES
from mapgrid.errors import NotFoundError
from mapgrid.roles import EVERYWHERE, Role, Scope
from mapgrid.times import LOCAL_TIME
from web.passwords import hash_password

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

_VILLAGE = VILLAGES[0].code
_TOWN = _VILLAGE[:9]
_FIRST_GRID = f"{_VILLAGE}001"
_WORDS = ("bamboo", "barley", "bridge", "brook", "cedar", "clover", "copper", "field", "garden", "harbour", "hazel",
          "lantern", "linden", "maple", "meadow", "millet", "orchard", "pebble", "river", "saddle", "silver", "terrace",
          "valley", "walnut", "willow", "winter")  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One of the demo's accounts."""

    login: str
    name: str
    role: Role
    area: str


DEMO_ACCOUNTS = (
    DemoAccount("demo-worker", "演示 网格员 Demo worker", Role.WORKER, _FIRST_GRID),
    DemoAccount("demo-grid-leader", "演示 网格长 Demo grid leader", Role.GRID_LEADER, _FIRST_GRID),
    DemoAccount("demo-liaison", "演示 包联干部 Demo liaison", Role.LIAISON, _VILLAGE),
    DemoAccount("demo-planner", "演示 规划员 Demo planner", Role.PLANNER, DISTRICT.code),
    DemoAccount("demo-village", "演示 村负责人 Demo village leader", Role.VILLAGE_LEADER, _VILLAGE),
    DemoAccount("demo-town", "演示 镇负责人 Demo town leader", Role.TOWN_LEADER, _TOWN),
    DemoAccount("demo-district", "演示 区负责人 Demo district leader", Role.DISTRICT_LEADER, DISTRICT.code),
    DemoAccount("demo-desk", "演示 受理台 Demo resident desk", Role.RESIDENT_DESK, _TOWN),
    DemoAccount("demo-admin", "演示 管理员 Demo administrator", Role.ADMINISTRATOR, EVERYWHERE),
    DemoAccount("demo-auditor", "演示 审计员 Demo auditor", Role.AUDITOR, EVERYWHERE),
)
"""One account for each role, on the demo's first village and the areas above it."""


def renew_demo_accounts(session: Session, now: datetime) -> str:
    """Make the demo's accounts unless they are there, give all of them one new password, and return it.

    Who was signed in with the former password is signed out. The caller commits.
    """
    password = f"{secrets.choice(_WORDS).title()}-{secrets.choice(_WORDS)}-{secrets.randbelow(900) + 100}"
    hashed = hash_password(password)
    for account in DEMO_ACCOUNTS:
        number = _account_of(session, account, now)
        sign_ins.save_password(session, number, hashed)
        sign_ins.end_sign_ins(session, number)
    audit.record(session, "demo.accounts", login="mapgrid")
    return password


def _account_of(session: Session, account: DemoAccount, now: datetime) -> int:
    try:
        return find_account(session, account.login).id
    except NotFoundError:
        number = save_account(session, account.login, account.name, is_demo=True)
        give_scope(session, number, Scope(account.role, account.area, now.astimezone(LOCAL_TIME).date()))
        return number
