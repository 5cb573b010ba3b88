"""`mapgrid demo`: real villages with invented people, on a map, in one command."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from geodata.database import open_engine, open_store, session_maker
from web.actions.demo import prepare_demo, renew_dates
from web.actions.demo_accounts import DEMO_ACCOUNTS, renew_demo_accounts
from web.server import listen
from web.server import serve as serve_until_interrupted
from web.settings import read_settings

_OLD_AFTER_DAYS = 3


@click.command()
@click.option("--no-serve", is_flag=True, help="Only load the demo.")
@click.option("--fresh-dates", is_flag=True, help="Date the demo's cases round today.")
@click.option("--host", help="Address to listen on. Default: MAPGRID_HOST, or 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one. Default: MAPGRID_PORT, or 8000.")
def demo(no_serve: bool, fresh_dates: bool, host: str | None, port: int | None) -> None:
    """Load six real villages with invented people, divide them into grids, and serve the map until Ctrl-C.

    A second time finds the demo as it is and changes nothing. It is loaded whole or not at all, and refuses a database
    that holds other areas under its codes.
    """
    settings = read_settings()
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port, is_demo=True)
    if not no_serve:
        listen(settings).close()  # a busy port is said before the long work, not after it
    with open_store(settings.database_url, settings.home) as database_url:
        _prepare(database_url, fresh_dates=fresh_dates, serves=not no_serve)
        if not no_serve:
            raise SystemExit(serve_until_interrupted(database_url, settings))


def _prepare(database_url: str, *, fresh_dates: bool, serves: bool) -> None:
    engine = open_engine(database_url)
    now = datetime.now(UTC)
    try:
        with session_maker(engine).begin() as session:
            state = prepare_demo(session, now, click.echo)
            moved = renew_dates(session, now) if fresh_dates else 0
            password = renew_demo_accounts(session, now) if serves else None
    finally:
        engine.dispose()
    if password is not None:
        _tell_accounts(password)
    if state.is_new:
        click.echo("The demo is loaded: the land is real, everything about people is invented.")
    elif moved:
        click.echo(f"The demo's cases are now dated round today, {moved} days later than before.")
    elif state.age_days >= _OLD_AFTER_DAYS:
        click.echo(
            f"The demo's cases are dated round a day {state.age_days} days ago, so many are overdue by now; "
            "mapgrid demo --fresh-dates dates them round today."
        )


def _tell_accounts(password: str) -> None:
    click.echo(f"Sign in with one of these logins; the password of all is {password} (a new one at every start):")
    for account in DEMO_ACCOUNTS:
        click.echo(f"  {account.login:17} {account.role.replace('_', ' '):16} {account.area or 'everywhere'}")
