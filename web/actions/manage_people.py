"""Accounts of others: made, given scopes, handed over, disabled, looked at with their eyes. Each change is audited."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from geodata import accounts, audit, sign_ins
from geodata.accounts import AccountFault, AccountRefusedError
from geodata.villages import load_area_names
from mapgrid.codes import GRID_DIGITS, check_grid_code, level_of
from mapgrid.errors import CodeError, NotFoundError
from mapgrid.roles import EVERYWHERE, GIVEN_ROLES, ROLES, Permission, Role, Scope, allows, may_look
from mapgrid.times import LOCAL_TIME
from web.actions.signing_in import invite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from geodata.accounts import AccountRecord
    from geodata.sign_ins import OpenSignIn
    from mapgrid.roles import Actor
    from web.paging import Page

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
LONGEST_NAME = 60


def make_account(
    session: Session, login: str, full_name: str, scope: Scope, *, now: datetime, asker: Actor | None
) -> tuple[int, str]:
    """Make an account with its first scope and return its number and the token of its invitation.

    Parameters
    ----------
    asker
        Who makes it; None for the command line, which may give every scope.

    Raises
    ------
    AccountRefusedError
        If login, name or scope cannot be so.
    """
    login, full_name = login.strip().lower(), " ".join(full_name.split())
    if not _LOGIN.fullmatch(login):
        raise AccountRefusedError(
            AccountFault.LOGIN,
            f"login: expected 2–40 small letters, digits, dots, dashes, found {login[:40]!r}",
            login[:40],
        )
    if not (1 <= len(full_name) <= LONGEST_NAME and full_name.isprintable()):
        raise AccountRefusedError(AccountFault.NAME, f"name: expected 1–{LONGEST_NAME} characters")
    check_scope(scope, asker)
    number = accounts.save_account(session, login, full_name)
    accounts.give_scope(session, number, scope)
    audit.record(session, "account.add", login, area=scope.area or None, role=scope.role)
    return number, invite(session, number, now=now)


def give_scope(session: Session, account_id: int, scope: Scope, *, asker: Actor) -> None:
    """Give somebody else a role on an area of the asker's.

    Raises
    ------
    AccountRefusedError, NotFoundError
        If the role cannot be had there, by oneself, or the account is not the asker's to manage.
    """
    record = manageable(session, account_id, asker)
    check_scope(scope, asker)
    accounts.give_scope(session, record.id, scope)
    audit.record(
        session, "scope.give", record.login, area=scope.area or None, role=scope.role, starts_on=str(scope.starts_on)
    )


def end_scope(session: Session, account_id: int, scope_id: int, *, asker: Actor, today: date) -> None:
    """End a scope today; its holder sees nothing of the area from the next request on."""
    record = manageable(session, account_id, asker)
    scope = accounts.end_scope(session, record.id, scope_id, today)
    audit.record(session, "scope.end", record.login, area=scope.area or None, role=scope.role)


def hand_over(session: Session, account_id: int, scope_id: int, login: str, *, asker: Actor, today: date) -> None:
    """End a scope of one account and give the same to another, in one step.

    Raises
    ------
    AccountRefusedError
        If the asker manages nobody of that login.
    """
    record = manageable(session, account_id, asker)
    try:
        heir = manageable(session, accounts.find_account(session, login.strip().lower()).id, asker)
    except NotFoundError as error:
        raise AccountRefusedError(
            AccountFault.LOGIN_UNKNOWN,
            f"login: expected somebody you manage, found {login.strip()[:40]!r}",
            login.strip()[:40],
        ) from error
    if heir.id == record.id:
        raise AccountRefusedError(AccountFault.HEIR_IS_HOLDER, "login: expected somebody else than the present holder")
    scope = accounts.end_scope(session, record.id, scope_id, today)
    accounts.give_scope(session, heir.id, Scope(scope.role, scope.area, today, scope.ends_on))
    audit.record(session, "scope.hand_over", record.login, area=scope.area or None, role=scope.role, to=heir.login)


def set_disabled(session: Session, account_id: int, *, is_disabled: bool, asker: Actor, now: datetime) -> None:
    """Disable an account, at once and in all its browsers, or let it sign in again."""
    record = manageable(session, account_id, asker)
    accounts.disable(session, record.id, now if is_disabled else None)
    if is_disabled:
        sign_ins.end_sign_ins(session, record.id)
    audit.record(session, "account.disable" if is_disabled else "account.enable", record.login)


def invite_again(session: Session, account_id: int, *, asker: Actor, now: datetime) -> str:
    """Return the token of a new invitation, by which the account sets a new password."""
    return invite(session, manageable(session, account_id, asker).id, now=now)


def take_second_factor_away(session: Session, account_id: int, *, asker: Actor) -> None:
    """Let somebody who lost their phone set the second factor up anew; all browsers are signed out."""
    record = manageable(session, account_id, asker)
    sign_ins.save_totp_secret(session, record.id, None)
    sign_ins.end_sign_ins(session, record.id)
    audit.record(session, "second_factor.take_away", record.login)


def look_as(session: Session, current: OpenSignIn, account_id: int) -> None:
    """See with somebody's eyes from now on, without changing anything.

    Raises
    ------
    NotFoundError
        If the account is not the asker's to look at.
    """
    record = manageable(session, account_id, current.actor)
    areas = current.actor.areas(Permission.VIEW_AS)
    if not may_look(areas, (held.scope for held in record.scopes)):
        raise NotFoundError("an account that reaches farther")
    sign_ins.look_as(session, current.key, record.id)
    audit.record(session, "view_as.begin", record.login)


def stop_looking(session: Session, current: OpenSignIn) -> None:
    """See with one's own eyes again."""
    audit.record(session, "view_as.end", current.actor.login)
    sign_ins.look_as(session, current.key, None)


def manageable(session: Session, account_id: int, asker: Actor) -> AccountRecord:
    """Return an account that the asker manages and that is not their own.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    record = accounts.load_account(session, account_id)
    if record.id == asker.account_id:
        raise AccountRefusedError(AccountFault.OWN_ACCOUNT, "your own account: another administrator changes it")
    return record


def check_scope(scope: Scope, asker: Actor | None) -> None:
    """Raise `AccountRefusedError` unless a role can be had on an area and the asker may give it there."""
    if scope.role not in GIVEN_ROLES:
        raise AccountRefusedError(
            AccountFault.ROLE, f"role: expected one that is given, found {scope.role}", scope.role
        )
    digits = ROLES[scope.role].digits
    if len(scope.area) not in digits:
        wanted = " / ".join("everywhere" if length == 0 else f"{length} digits" for length in sorted(digits))
        raise AccountRefusedError(
            AccountFault.ROLE_OF_AREA,
            f"area: expected {wanted} for the role {scope.role}, found {scope.area!r}",
            scope.area,
        )
    try:
        if len(scope.area) == GRID_DIGITS:
            check_grid_code(scope.area)
        elif scope.area != EVERYWHERE:
            level_of(scope.area)
    except CodeError as error:
        raise AccountRefusedError(AccountFault.AREA, f"area: {error}", scope.area) from error
    if scope.ends_on is not None and scope.ends_on <= scope.starts_on:
        raise AccountRefusedError(AccountFault.DATES, "dates: expected an end after the beginning")
    if asker is not None and not allows(asker, Permission.MANAGE_PEOPLE, scope.area):
        raise AccountRefusedError(
            AccountFault.AREA_OF_OTHERS, f"area: expected one of yours, found {scope.area!r}", scope.area
        )


def read_scope(role: str, area: str, starts_on: str, ends_on: str, *, now: datetime) -> Scope:
    """Return the scope that a form describes; empty dates mean today and no end.

    Raises
    ------
    AccountRefusedError
        If a word or a date cannot be read.
    """
    try:
        return Scope(
            role=Role(role),
            area=area.replace(" ", ""),
            starts_on=date.fromisoformat(starts_on) if starts_on else now.astimezone(LOCAL_TIME).date(),
            ends_on=date.fromisoformat(ends_on) if ends_on else None,
        )
    except ValueError as error:
        given = repr((role, starts_on, ends_on))[:80]
        raise AccountRefusedError(
            AccountFault.UNREADABLE, f"expected one of the roles, and dates such as 2026-03-05; found {given}", given
        ) from error


def list_accounts(
    session: Session, words: str, area: str, *, today: date, page: Page
) -> tuple[int, list[AccountRecord]]:
    """Return how many accounts match and one page of them."""
    return accounts.load_accounts(session, words=words, area=area, on=today, limit=page.size, offset=page.offset)


def show_account(session: Session, account_id: int) -> AccountRecord:
    """Return one account that the asker may see; looking is audited."""
    record = accounts.load_account(session, account_id)
    audit.record(session, "account.read", record.login)
    return record


def names_of_areas(session: Session, records: list[AccountRecord], language: str) -> Mapping[str, str]:
    """Return the names of the areas of some accounts' scopes by code."""
    return load_area_names(
        session, [held.scope.area for record in records for held in record.scopes], language=language
    )
