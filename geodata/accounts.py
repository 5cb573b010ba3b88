"""Accounts and their scopes: made, shown, handed over, disabled. The caller commits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, insert, or_, select, update

from geodata.account_tables import Account, AccountScope, SignIn
from geodata.scoping import account_condition, begins_with
from mapgrid.errors import MapgridError, NotFoundError
from mapgrid.roles import Role, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


class AccountFault(StrEnum):
    """Why an account cannot be made or changed so."""

    LOGIN = "login"
    LOGIN_TAKEN = "login_taken"
    LOGIN_UNKNOWN = "login_unknown"
    NAME = "name"
    HEIR_IS_HOLDER = "heir_is_holder"
    OWN_ACCOUNT = "own_account"
    ROLE = "role"
    ROLE_OF_AREA = "role_of_area"
    AREA = "area"
    AREA_OF_OTHERS = "area_of_others"
    DATES = "dates"
    UNREADABLE = "unreadable"


class AccountRefusedError(MapgridError):
    """An account that cannot be made or changed so.

    Attributes
    ----------
    fault, found
        Why, and what was given.
    """

    def __init__(self, fault: AccountFault, message: str, found: str = "") -> None:
        self.fault, self.found = fault, found
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class HeldScope:
    """A scope of an account, with its number in the store."""

    id: int
    scope: Scope


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account as those see it who manage it.

    Attributes
    ----------
    scopes
        All that were ever given, the newest first.
    seen_at
        When it was last seen signed in, None if it is not.
    """

    id: int
    login: str
    full_name: str
    has_password: bool
    has_second_factor: bool
    is_disabled: bool
    is_demo: bool
    locked_until: datetime | None
    made_at: datetime
    seen_at: datetime | None
    scopes: tuple[HeldScope, ...]

    def scopes_on(self, day: date) -> tuple[Scope, ...]:
        """Return the scopes in force on a day."""
        return tuple(held.scope for held in self.scopes if held.scope.is_in_force(day))


def load_accounts(
    session: Session, *, words: str = "", area: str = "", on: date, limit: int = 50, offset: int = 0
) -> tuple[int, list[AccountRecord]]:
    """Return how many accounts match and a page of them by login: those the asker may see, three queries.

    Parameters
    ----------
    words
        Part of a login or a name.
    area
        Only holders of a scope on this area or below it on the day `on`.
    """
    conditions = [_may_see(session)]
    if words:
        conditions.append(
            or_(Account.login.contains(words, autoescape=True), Account.full_name.icontains(words, autoescape=True))
        )
    if area:
        holds = select(AccountScope.account_id).where(begins_with(AccountScope.area_code, area), _in_force(on))
        conditions.append(Account.id.in_(holds))
    total = session.scalar(select(func.count()).select_from(Account).where(*conditions)) or 0
    rows = session.execute(_ACCOUNTS.where(*conditions).order_by(Account.login).limit(limit).offset(offset)).all()
    scopes = _scopes_of(session, [row.id for row in rows])
    return total, [_record(row, scopes) for row in rows]


def load_account(session: Session, account_id: int) -> AccountRecord:
    """Return one account.

    Raises
    ------
    NotFoundError
        If there is no such account, or the asker may not see it.
    """
    row = session.execute(_ACCOUNTS.where(Account.id == account_id, _may_see(session))).one_or_none()
    if row is None:
        raise NotFoundError(f"no account {account_id}")
    return _record(row, _scopes_of(session, [account_id]))


def find_account(session: Session, login: str) -> AccountRecord:
    """Return the account of a login, or raise `NotFoundError`."""
    number = session.scalar(select(Account.id).where(Account.login == login))
    if number is None:
        raise NotFoundError(f"no account {login}; mapgrid user list shows all")
    return load_account(session, number)


def has_accounts(session: Session) -> bool:
    """Say whether anybody has an account."""
    return session.scalar(select(select(Account.id).exists())) or False


def save_account(session: Session, login: str, full_name: str, *, is_demo: bool = False) -> int:
    """Make an account without password and scopes and return its number.

    Raises
    ------
    AccountRefusedError
        If the login is taken.
    """
    if session.scalar(select(Account.id).where(Account.login == login)) is not None:
        raise AccountRefusedError(
            AccountFault.LOGIN_TAKEN, f"login: expected one that nobody has, found {login}; choose another", login
        )
    made = insert(Account).values(login=login, full_name=full_name, is_demo=is_demo).returning(Account.id)
    return session.execute(made).scalar_one()


def give_scope(session: Session, account_id: int, scope: Scope) -> None:
    """Give an account a role on an area."""
    session.execute(
        insert(AccountScope).values(
            account_id=account_id,
            role=scope.role,
            area_code=scope.area,
            starts_on=scope.starts_on,
            ends_on=scope.ends_on,
        )
    )


def end_scope(session: Session, account_id: int, scope_id: int, on: date) -> Scope:
    """End a scope of an account on a day and return it as it was.

    Raises
    ------
    NotFoundError
        If the account has no such open scope.
    """
    mine = and_(AccountScope.id == scope_id, AccountScope.account_id == account_id)
    columns = (AccountScope.role, AccountScope.area_code, AccountScope.starts_on, AccountScope.ends_on)
    row = session.execute(select(*columns).where(mine).with_for_update()).one_or_none()
    if row is None or (row.ends_on is not None and row.ends_on <= on):
        raise NotFoundError(f"account {account_id} has no open scope {scope_id}")
    session.execute(update(AccountScope).where(mine).values(ends_on=func.greatest(on, AccountScope.starts_on)))
    return Scope(Role(row.role), row.area_code, row.starts_on, row.ends_on)


def disable(session: Session, account_id: int, at: datetime | None) -> None:
    """Disable an account from a moment on, or let it sign in again with None."""
    session.execute(update(Account).where(Account.id == account_id).values(disabled_at=at, tries=0, locked_until=None))


def rename(session: Session, account_id: int, full_name: str) -> None:
    """Change the name of an account's holder."""
    session.execute(update(Account).where(Account.id == account_id).values(full_name=full_name))


def scopes_in_force(session: Session, account_id: int, on: date) -> tuple[Scope, ...]:
    """Return the scopes of an account on a day."""
    rows = session.execute(_SCOPES.where(AccountScope.account_id == account_id, _in_force(on))).all()
    return tuple(_scope(row) for row in rows)


_SEEN = select(func.max(SignIn.seen_at)).where(SignIn.account_id == Account.id).correlate(Account).scalar_subquery()
_ACCOUNTS = select(
    Account.id, Account.login, Account.full_name, Account.password_hash.is_not(None).label("has_password"),
    Account.totp_confirmed_at.is_not(None).label("has_second_factor"),
    Account.disabled_at.is_not(None).label("is_disabled"), Account.is_demo, Account.locked_until, Account.made_at,
    _SEEN.label("seen_at"),
)  # fmt: skip
_SCOPES = select(
    AccountScope.id, AccountScope.account_id, AccountScope.role, AccountScope.area_code, AccountScope.starts_on,
    AccountScope.ends_on,
)  # fmt: skip


def _may_see(session: Session) -> ColumnElement[bool]:
    return account_condition(session, Account.id)


def _scopes_of(session: Session, account_ids: Iterable[int]) -> Mapping[int, Sequence[HeldScope]]:
    query = _SCOPES.where(AccountScope.account_id.in_(list(account_ids))).order_by(
        AccountScope.starts_on.desc(), AccountScope.id.desc()
    )
    held: dict[int, list[HeldScope]] = {}
    for row in session.execute(query):
        held.setdefault(row.account_id, []).append(HeldScope(row.id, _scope(row)))
    return held


def _scope(row: Any) -> Scope:  # noqa: ANN401 - a row of `_SCOPES`
    return Scope(Role(row.role), row.area_code, row.starts_on, row.ends_on)


def _record(row: Any, scopes: Mapping[int, Sequence[HeldScope]]) -> AccountRecord:  # noqa: ANN401 - a row of `_ACCOUNTS`
    return AccountRecord(**row._asdict(), scopes=tuple(scopes.get(row.id, ())))


def _in_force(on: date) -> ColumnElement[bool]:
    return and_(AccountScope.starts_on <= on, or_(AccountScope.ends_on.is_(None), AccountScope.ends_on > on))
