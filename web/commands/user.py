"""`mapgrid user`: accounts from the command line, first of all that of an administrator."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from geodata.accounts import disable, find_account, load_accounts
from geodata.audit import record
from geodata.database import open_engine, open_store, session_maker
from geodata.sign_ins import end_sign_ins, save_totp_secret
from mapgrid.roles import GIVEN_ROLES, Role
from mapgrid.times import LOCAL_TIME
from web.actions.manage_people import make_account, read_scope
from web.actions.signing_in import INVITED_FOR, accept_invitation, invite
from web.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session


@click.group()
def user() -> None:
    """Make accounts and look after them."""


@user.command()
@click.argument("login")
@click.option("--name", required=True, help="The holder's name.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in GIVEN_ROLES]),
    default=Role.ADMINISTRATOR.value,
    show_default=True,
)
@click.option(
    "--area", default="", help="Code of the area: district 6 digits, town 9, village 12, grid 15; none: everywhere."
)
@click.option("--password", "asks", is_flag=True, help="Ask for the password here instead of making a link.")
def add(login: str, name: str, role: str, area: str, asks: bool) -> None:
    """Make an account and print the link by which its holder chooses a password, once."""
    with _session() as session:
        now = datetime.now(UTC)
        _number, token = make_account(
            session, login, name, read_scope(role, area, "", "", now=now), now=now, asker=None
        )
        if asks:
            password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
            accept_invitation(session, token, password, now=now)
    click.echo(f"{login} can sign in." if asks else _told(login, token))


@user.command("invite")
@click.argument("login")
def invite_(login: str) -> None:
    """Print a new link by which somebody chooses a new password."""
    with _session() as session:
        token = invite(session, find_account(session, login).id, now=datetime.now(UTC))
    click.echo(_told(login, token))


@user.command("list")
def list_() -> None:
    """List the accounts with their roles and areas."""
    with _session() as session:
        today = datetime.now(LOCAL_TIME).date()
        _total, records = load_accounts(session, on=today, limit=10_000)
    for account in records:
        scopes = ", ".join(f"{scope.role} {scope.area or 'everywhere'}" for scope in account.scopes_on(today))
        state = "disabled" if account.is_disabled else "active" if account.has_password else "invited"
        click.echo(f"{account.login:20} {state:9} {scopes}")


@user.command("disable")
@click.argument("login")
def disable_(login: str) -> None:
    """Disable an account and sign it out everywhere."""
    with _session() as session:
        number = find_account(session, login).id
        disable(session, number, datetime.now(UTC))
        end_sign_ins(session, number)
        record(session, "account.disable", login, login="mapgrid")
    click.echo(f"{login} is disabled and signed out.")


@user.command("enable")
@click.argument("login")
def enable(login: str) -> None:
    """Let a disabled or locked account sign in again."""
    with _session() as session:
        disable(session, find_account(session, login).id, None)
        record(session, "account.enable", login, login="mapgrid")
    click.echo(f"{login} can sign in again.")


@user.command("reset-second-factor")
@click.argument("login")
def reset_second_factor(login: str) -> None:
    """Take the second factor of somebody away who lost it; they set it up anew when they sign in."""
    with _session() as session:
        number = find_account(session, login).id
        save_totp_secret(session, number, None)
        end_sign_ins(session, number)
        record(session, "second_factor.take_away", login, login="mapgrid")
    click.echo(f"{login} sets the second factor up anew at the next sign-in.")


@contextmanager
def _session() -> Iterator[Session]:
    settings = read_settings()
    with open_store(settings.database_url, settings.home) as url:
        engine = open_engine(url)
        try:
            with session_maker(engine).begin() as session:
                yield session
        finally:
            engine.dispose()


def _told(login: str, token: str) -> str:
    return (
        f"Hand this to the holder of {login}; it works once, for {INVITED_FOR.days} days, on the address of the "
        f"server:\n  /invitation/{token}"
    )
