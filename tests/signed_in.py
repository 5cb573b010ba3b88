"""Accounts of tests, signed in without the way through the pages: their tokens are known, their time is never over."""

from datetime import UTC, date, datetime

from sqlalchemy import insert

from geodata.account_tables import SignIn
from geodata.accounts import give_scope, save_account
from geodata.database import open_engine, session_maker
from mapgrid.roles import Role, Scope
from web.passwords import key_of

TOKEN = "the-token-of-the-reader"
"""The cookie of somebody who sees and draws everything everywhere."""

_ALWAYS = datetime(2100, 1, 1, tzinfo=UTC)
_LONG_AGO = date(2000, 1, 1)


def sign_in_reader(database_url):
    """Store the reader with a sign-in whose token is `TOKEN`."""
    engine = open_engine(database_url)
    with session_maker(engine).begin() as session:
        sign_in(session, "reader", (Role.PLANNER, ""), (Role.VILLAGE_LEADER, ""), token=TOKEN, name="读者")
    engine.dispose()


def sign_in(session, login, *scopes, token=None, name=None, used_second_factor=True, ends_on=None):
    """Store an account with scopes `(role, area)` and a sign-in of it; return the account's number."""
    number = save_account(session, login, name or login)
    for role, area in scopes:
        give_scope(session, number, Scope(Role(role), area, _LONG_AGO, ends_on))
    session.execute(
        insert(SignIn).values(
            key=key_of(token or login),
            account_id=number,
            began_at=_ALWAYS,
            seen_at=_ALWAYS,
            has_second_factor=used_second_factor,
        )
    )
    return number
