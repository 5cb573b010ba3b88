"""Signing in and out, second factors, passwords, invitations.

Who may not sign in is told the same in the same time, whether the login is unknown, the password wrong, the account
locked or disabled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from geodata import audit, sign_ins
from geodata.accounts import has_accounts, scopes_in_force
from mapgrid.errors import MapgridError, NotFoundError
from mapgrid.roles import Actor, fewest_characters
from mapgrid.times import LOCAL_TIME
from web import passwords

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

INVITED_FOR = timedelta(days=3)
_LONGEST_AGENT = 200


class SignInRefusedError(MapgridError):
    """A login, a password or a code that does not fit."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in from."""

    address: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in that has begun: the token for the browser, and who it is."""

    token: str
    actor: Actor


def sign_in(session: Session, login: str, password: str, *, now: datetime, browser: Browser, is_demo: bool) -> Started:
    """Begin a sign-in by password; the caller commits, also when it is refused, so that the try is kept.

    Raises
    ------
    SignInRefusedError
        If nobody signs in so.
    """
    login = login.strip().lower()
    found = sign_ins.load_credentials(session, login)
    is_right = passwords.is_password(None if found is None else found.password_hash, password)
    if found is None:
        audit.record(session, "sign_in", is_success=False, login=login[:40])
        raise SignInRefusedError("nobody signs in so")
    is_locked = found.locked_until is not None and found.locked_until > now
    may = not (is_locked or found.is_disabled or (found.is_demo and not is_demo))
    if not (is_right and may):
        if not is_right:
            sign_ins.count_try(session, found.account_id, now)
        audit.record(session, "sign_in", found.login, is_success=False, login=found.login)
        raise SignInRefusedError("nobody signs in so")
    sign_ins.forget_tries(session, found.account_id)
    sign_ins.clear_ended(session, now)
    return _start(session, found, now, browser, used_second_factor=False)


def give_second_factor(
    session: Session, current: sign_ins.OpenSignIn, code: str, *, now: datetime, browser: Browser
) -> Started:
    """Go on from a sign-in by password to one with a second factor, under a new token; confirm a new factor by its way.

    Raises
    ------
    SignInRefusedError
        If the code is wrong or was used before.
    """
    found = _credentials_of(session, current.owner_id)
    step = None if found.totp_secret is None else passwords.totp_step(found.totp_secret, code, now)
    if step is None or not sign_ins.use_totp_step(session, found.account_id, step):
        sign_ins.count_try(session, found.account_id, now)
        audit.record(session, "second_factor", found.login, is_success=False)
        raise SignInRefusedError("the code does not fit")
    if not found.has_second_factor:
        sign_ins.confirm_totp(session, found.account_id, now)
        audit.record(session, "second_factor.confirmed", found.login)
    sign_ins.forget_tries(session, found.account_id)
    sign_ins.end_sign_in(session, current.key)
    return _start(session, found, now, browser, used_second_factor=True)


def prepare_second_factor(session: Session, current: sign_ins.OpenSignIn) -> str:
    """Return what an authenticator app reads, with a secret made now unless one waits to be confirmed.

    Raises
    ------
    NotFoundError
        If the account has a second factor already.
    """
    found = _credentials_of(session, current.owner_id)
    if found.has_second_factor:
        raise NotFoundError("the account has a second factor; an administrator can take it away")
    secret = found.totp_secret
    if secret is None:
        secret = passwords.new_totp_secret()
        sign_ins.save_totp_secret(session, found.account_id, secret)
    return passwords.totp_address(secret, found.login)


def sign_out(session: Session, current: sign_ins.OpenSignIn) -> None:
    """Sign this browser out."""
    sign_ins.end_sign_in(session, current.key)
    audit.record(session, "sign_out", current.owner_login)


def sign_out_elsewhere(session: Session, current: sign_ins.OpenSignIn) -> int:
    """Sign the account out of all other browsers and return of how many."""
    ended = sign_ins.end_sign_ins(session, current.owner_id, but=current.key)
    audit.record(session, "sign_out.elsewhere", current.owner_login, browsers=ended)
    return ended


def change_password(session: Session, current: sign_ins.OpenSignIn, old: str, new: str, *, now: datetime) -> None:
    """Change one's own password; all other browsers are signed out.

    Raises
    ------
    SignInRefusedError
        If the old password is wrong.
    PasswordRefusedError
        If the new one is too easy to guess.
    """
    found = _credentials_of(session, current.owner_id)
    if not passwords.is_password(found.password_hash, old):
        sign_ins.count_try(session, found.account_id, now)
        audit.record(session, "password.change", found.login, is_success=False)
        raise SignInRefusedError("the old password does not fit")
    _save_password(session, found, new, now)
    sign_ins.end_sign_ins(session, found.account_id, but=current.key)
    audit.record(session, "password.change", found.login)


def invite(session: Session, account_id: int, *, now: datetime) -> str:
    """Return the token of a link by which an account sets its password once; earlier links hold no more."""
    token = passwords.new_token()
    found = _credentials_of(session, account_id)
    sign_ins.save_invitation(session, passwords.key_of(token), account_id, now, now + INVITED_FOR)
    audit.record(session, "account.invite", found.login)
    return token


def invited_login(session: Session, token: str, *, now: datetime) -> str:
    """Return the login an invitation is for.

    Raises
    ------
    NotFoundError
        If it is used, over, or never was.
    """
    found = sign_ins.find_invitation(session, passwords.key_of(token), now)
    if found is None or found.is_disabled:
        raise NotFoundError("no such invitation")
    return found.login


def accept_invitation(session: Session, token: str, password: str, *, now: datetime) -> None:
    """Set the password of the account an invitation is for, and use it up; all browsers are signed out.

    Raises
    ------
    NotFoundError, PasswordRefusedError
        If the invitation holds no more, or the password is too easy to guess.
    """
    key = passwords.key_of(token)
    found = sign_ins.find_invitation(session, key, now)
    if found is None or found.is_disabled:
        raise NotFoundError("no such invitation")
    _save_password(session, found, password, now)
    if sign_ins.use_invitation(session, key, now) is None:
        raise NotFoundError("the invitation was used a moment ago")
    sign_ins.end_sign_ins(session, found.account_id)
    audit.record(session, "account.accept", found.login, login=found.login)


def is_first_start(session: Session) -> bool:
    """Say whether nobody has an account yet."""
    return not has_accounts(session)


def fewest_characters_of(session: Session, account_id: int, now: datetime) -> int:
    """Return how long an account's password must be at least."""
    return fewest_characters(scopes_in_force(session, account_id, now.astimezone(LOCAL_TIME).date()))


def _save_password(session: Session, found: sign_ins.Credentials, password: str, now: datetime) -> None:
    fewest = fewest_characters_of(session, found.account_id, now)
    passwords.check_password(password, login=found.login, fewest=fewest)
    sign_ins.save_password(session, found.account_id, passwords.hash_password(password))


def _credentials_of(session: Session, account_id: int) -> sign_ins.Credentials:
    found = sign_ins.load_credentials_of(session, account_id)
    if found is None:
        raise NotFoundError(f"no account {account_id}")
    return found


def _start(
    session: Session, found: sign_ins.Credentials, now: datetime, browser: Browser, *, used_second_factor: bool
) -> Started:
    token = passwords.new_token()
    sign_ins.save_sign_in(
        session,
        passwords.key_of(token),
        found.account_id,
        now,
        used_second_factor=used_second_factor,
        address=browser.address,
        agent=None if browser.agent is None else browser.agent[:_LONGEST_AGENT],
    )
    scopes = scopes_in_force(session, found.account_id, now.astimezone(LOCAL_TIME).date())
    action = "sign_in.second_factor" if used_second_factor else "sign_in"
    audit.record(session, action, found.login, login=found.login)
    return Started(token, Actor(found.account_id, found.login, found.full_name, scopes))
