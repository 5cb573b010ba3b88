"""Signing in: credentials, tries, sign-ins of browsers, invitations. Keys are SHA-256 of tokens; the caller commits.

Nothing here knows a password or a token in clear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Date,
    DateTime,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from geodata.account_tables import Account, AccountScope, EmergencyAccess, Invitation, SignIn
from mapgrid.codes import TOWN_DIGITS
from mapgrid.roles import ROLES, Actor, Emergency, Permission, Role, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import Subquery
    from sqlalchemy.orm import Session

IDLE = timedelta(minutes=30)
"""After this long without a request a browser is signed out."""
ABSOLUTE = timedelta(hours=12)
"""After this long a browser is signed out whatever it does."""
TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
"""So many wrong passwords one after another lock an account so long."""

_OPENING_ROLES = [role for role, rule in ROLES.items() if Permission.OPEN_IN_EMERGENCY in rule.permissions]
_SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is needed to check who signs in."""

    account_id: int
    login: str
    full_name: str
    password_hash: str | None
    totp_secret: str | None
    has_second_factor: bool
    locked_until: datetime | None
    is_disabled: bool
    is_demo: bool


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """A browser that is signed in.

    Attributes
    ----------
    actor
        Whose eyes it sees with: its owner's, or those of the account the owner looks at.
    owner_id, owner_name
        Who signed in.
    """

    key: bytes
    actor: Actor
    owner_id: int
    owner_login: str
    owner_name: str
    owner_is_demo: bool
    owner_has_second_factor: bool
    second_factor_since: datetime | None
    used_second_factor: bool
    began_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Browser:
    """One of the browsers in which an account is signed in."""

    key: bytes
    began_at: datetime
    seen_at: datetime
    address: str | None
    agent: str | None


def load_credentials(session: Session, login: str) -> Credentials | None:
    """Return the credentials of a login, None when nobody has it."""
    return _credentials(session, Account.login == login)


def load_credentials_of(session: Session, account_id: int) -> Credentials | None:
    """Return the credentials of an account by its number."""
    return _credentials(session, Account.id == account_id)


def count_try(session: Session, account_id: int, now: datetime) -> None:
    """Count a wrong password; the fifth locks the account for a quarter of an hour, then counting begins anew."""
    was_locked, is_last = Account.locked_until <= now, Account.tries + 1 >= TRIES
    tries = case((was_locked, 1), else_=func.least(Account.tries + 1, TRIES))
    locks = case((was_locked, None), (is_last, now + LOCKED_FOR), else_=Account.locked_until)
    session.execute(update(Account).where(Account.id == account_id).values(tries=tries, locked_until=locks))


def forget_tries(session: Session, account_id: int) -> None:
    """Forget the wrong passwords of an account that signed in."""
    session.execute(update(Account).where(Account.id == account_id).values(tries=0, locked_until=None))


def save_password(session: Session, account_id: int, password_hash: str) -> None:
    """Store the hash of a new password, and forget wrong tries."""
    session.execute(
        update(Account).where(Account.id == account_id).values(password_hash=password_hash, tries=0, locked_until=None)
    )


def save_totp_secret(session: Session, account_id: int, secret: str | None) -> None:
    """Store the secret of a second factor that is still to be confirmed, or take the second factor away with None."""
    session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(totp_secret=secret, totp_confirmed_at=None, totp_last_step=0)
    )


def confirm_totp(session: Session, account_id: int, now: datetime) -> None:
    """Make the second factor of an account count from now on."""
    session.execute(update(Account).where(Account.id == account_id).values(totp_confirmed_at=now))


def use_totp_step(session: Session, account_id: int, step: int) -> bool:
    """Take the one-time code of a step; say False when that code or a later one was used before."""
    used = session.execute(
        update(Account)
        .where(Account.id == account_id, Account.totp_last_step < step)
        .values(totp_last_step=step)
        .returning(Account.id)
    )
    return used.first() is not None


def save_sign_in(
    session: Session,
    key: bytes,
    account_id: int,
    now: datetime,
    *,
    used_second_factor: bool,
    address: str | None,
    agent: str | None,
) -> None:
    """Store that a browser is signed in."""
    session.execute(
        insert(SignIn).values(
            key=key,
            account_id=account_id,
            has_second_factor=used_second_factor,
            began_at=now,
            seen_at=now,
            address=address,
            agent=agent,
        )
    )


def find_sign_in(session: Session, key: bytes, now: datetime, today: date) -> OpenSignIn | None:
    """Return who a browser is signed in as, None when it is not, or not any more; one query, mostly."""
    owner, seen, scopes = aliased(Account), aliased(Account), _held_on(today)
    looked_at = func.coalesce(SignIn.viewing_id, SignIn.account_id)
    rows = session.execute(
        select(
            SignIn.viewing_id, SignIn.has_second_factor, SignIn.began_at, SignIn.seen_at, owner.id.label("owner_id"),
            owner.login.label("owner_login"), owner.full_name.label("owner_name"),
            owner.is_demo.label("owner_is_demo"), owner.totp_confirmed_at, seen.login, seen.full_name,
            scopes.c.role, scopes.c.area_code, scopes.c.starts_on, scopes.c.ends_on, scopes.c.ends_at,
        )
        .join(owner, owner.id == SignIn.account_id)
        .join(seen, seen.id == looked_at)
        .outerjoin(scopes, scopes.c.account_id == looked_at)
        .where(
            SignIn.key == key,
            SignIn.seen_at > now - IDLE,
            SignIn.began_at > now - ABSOLUTE,
            owner.disabled_at.is_(None),
        )
        .order_by(scopes.c.ends_at.is_not(None), scopes.c.id)
    ).all()  # fmt: skip
    if not rows:
        return None
    first = rows[0]
    if first.seen_at < now - _SEEN_EVERY:
        session.execute(update(SignIn).where(SignIn.key == key).values(seen_at=now))
    # What somebody opened in an emergency is for their own eyes.
    held = [row for row in rows if row.role is not None and (row.ends_at is None or row.viewing_id is None)]
    return _open(key, first, held)


def end_sign_in(session: Session, key: bytes) -> None:
    """Sign a browser out."""
    session.execute(delete(SignIn).where(SignIn.key == key))


def end_sign_ins(session: Session, account_id: int, *, but: bytes | None = None) -> int:
    """Sign an account out of all browsers (but one) and return of how many."""
    others = and_(SignIn.account_id == account_id, SignIn.key != but if but is not None else SignIn.key.is_not(None))
    ended = session.execute(delete(SignIn).where(others))
    return int(ended.rowcount)  # type: ignore[attr-defined]


def load_browsers(session: Session, account_id: int, now: datetime) -> list[Browser]:
    """Return the browsers in which an account is signed in, the last seen first."""
    open_ones = (SignIn.account_id == account_id, SignIn.seen_at > now - IDLE, SignIn.began_at > now - ABSOLUTE)
    columns = (SignIn.key, SignIn.began_at, SignIn.seen_at, SignIn.address, SignIn.agent)
    rows = session.execute(select(*columns).where(*open_ones).order_by(SignIn.seen_at.desc())).all()
    return [Browser(**row._asdict()) for row in rows]


def look_as(session: Session, key: bytes, account_id: int | None) -> None:
    """Let a browser see with the eyes of another account, or with its owner's again."""
    session.execute(update(SignIn).where(SignIn.key == key).values(viewing_id=account_id))


def save_invitation(session: Session, key: bytes, account_id: int, now: datetime, expires_at: datetime) -> None:
    """Store an invitation; earlier ones of the account hold no more."""
    session.execute(delete(Invitation).where(Invitation.account_id == account_id))
    session.execute(insert(Invitation).values(key=key, account_id=account_id, made_at=now, expires_at=expires_at))


def find_invitation(session: Session, key: bytes, now: datetime) -> Credentials | None:
    """Return whom an invitation is for, None when it is used, over, or never was."""
    number = session.scalar(select(Invitation.account_id).where(Invitation.key == key, Invitation.expires_at > now))
    return None if number is None else load_credentials_of(session, number)


def use_invitation(session: Session, key: bytes, now: datetime) -> int | None:
    """Use an invitation up and return the account it is for; of two at once, one gets None."""
    used = delete(Invitation).where(Invitation.key == key, Invitation.expires_at > now).returning(Invitation.account_id)
    return session.execute(used).scalar_one_or_none()


def clear_ended(session: Session, now: datetime) -> None:
    """Remove sign-ins and invitations whose time is over."""
    session.execute(delete(SignIn).where(or_(SignIn.seen_at <= now - IDLE, SignIn.began_at <= now - ABSOLUTE)))
    session.execute(delete(Invitation).where(Invitation.expires_at <= now))


def _credentials(session: Session, condition: Any) -> Credentials | None:  # noqa: ANN401
    row = session.execute(
        select(
            Account.id.label("account_id"), Account.login, Account.full_name, Account.password_hash,
            Account.totp_secret, Account.totp_confirmed_at.is_not(None).label("has_second_factor"),
            Account.locked_until, Account.disabled_at.is_not(None).label("is_disabled"), Account.is_demo,
        ).where(condition)
    ).one_or_none()  # fmt: skip
    return None if row is None else Credentials(**row._asdict())


def _held_on(today: date) -> Subquery:
    """Return the scopes in force on a day, and those that people gave themselves in an emergency and that last."""
    in_force = and_(AccountScope.starts_on <= today, or_(AccountScope.ends_on.is_(None), AccountScope.ends_on > today))
    still_near = (
        select(AccountScope.id)
        .where(
            AccountScope.account_id == EmergencyAccess.account_id,
            in_force,
            AccountScope.role.in_(_OPENING_ROLES),
            EmergencyAccess.village_code.op("^@", is_comparison=True)(func.left(AccountScope.area_code, TOWN_DIGITS)),
        )
        .correlate(EmergencyAccess)
        .exists()
    )
    given = select(
        AccountScope.id, AccountScope.account_id, cast(AccountScope.role, Text).label("role"), AccountScope.area_code,
        AccountScope.starts_on, AccountScope.ends_on, null().cast(DateTime(timezone=True)).label("ends_at"),
    ).where(in_force)  # fmt: skip
    taken = select(
        EmergencyAccess.id, EmergencyAccess.account_id, literal(Role.EMERGENCY.value, Text),
        EmergencyAccess.village_code, literal(today, Date), null().cast(Date), EmergencyAccess.ends_at,
    ).where(EmergencyAccess.ends_at > func.clock_timestamp(), still_near)  # fmt: skip
    return union_all(given, taken).subquery()


def _scope(row: Any) -> Scope:  # noqa: ANN401
    return Scope(Role(row.role), row.area_code, row.starts_on, row.ends_on)


def _open(key: bytes, row: Any, held: Sequence[Any]) -> OpenSignIn:  # noqa: ANN401
    is_viewing = row.viewing_id is not None
    return OpenSignIn(
        key=key,
        actor=Actor(
            account_id=row.viewing_id if is_viewing else row.owner_id,
            login=row.login,
            name=row.full_name,
            scopes=tuple(_scope(each) for each in held),
            viewer_id=row.owner_id if is_viewing else None,
            emergencies=tuple(Emergency(each.area_code, each.ends_at) for each in held if each.ends_at is not None),
        ),
        owner_id=row.owner_id,
        owner_login=row.owner_login,
        owner_name=row.owner_name,
        owner_is_demo=row.owner_is_demo,
        owner_has_second_factor=row.totp_confirmed_at is not None,
        second_factor_since=row.totp_confirmed_at,
        used_second_factor=row.has_second_factor,
        began_at=row.began_at,
        seen_at=row.seen_at,
    )
