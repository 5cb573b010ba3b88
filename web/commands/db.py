"""`mapgrid db`: the embedded database, started, shown, stopped, deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from geodata import archiving, cluster
from geodata.backup.watching import archive_state
from geodata.database import check_existing, migrate
from geodata.postgres import list_installations
from mapgrid.errors import NotFoundError
from web.commands.store import archive_log, begin_archive
from web.settings import Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def db() -> None:
    """Start, show, stop or delete the database."""


@db.command()
def start() -> None:
    """Start the database, make it on first use, and keep it running.

    With MAPGRID_DATABASE_URL, check that database instead and bring its tables up to date.
    """
    settings = read_settings()
    if settings.database_url:
        check_existing(settings.database_url)
        migrate(settings.database_url)
        click.echo("The database of MAPGRID_DATABASE_URL is ready.")
        return
    archive_log(settings)
    server = cluster.start(settings.home)
    migrate(server.url)
    begin_archive(settings)
    click.echo(f"The database is ready: {server.url}")


@db.command()
def stop() -> None:
    """Stop the embedded database; what it keeps stays."""
    was_running = cluster.stop(_embedded().home)
    click.echo("The database is stopped." if was_running else "The database was not running.")


@db.command()
def status() -> None:
    """Say whether the embedded database runs, and where. Ends with 1 when it does not."""
    settings = _embedded()
    server = cluster.status(settings.home)
    if server is None:
        click.echo(f"The database of {settings.home} is not running.")
        raise SystemExit(1)
    version = (server.data / "PG_VERSION").read_text().strip()
    click.echo(f"The database runs: PostgreSQL {version}, process {server.pid}")
    click.echo(f"  url   {server.url}\n  files {server.data}\n  log   {server.log}")
    _say_archived(settings.home)


@db.command()
def url() -> None:
    """Print the URL of the database, for psql and other programs."""
    click.echo(_url_in_use(read_settings()))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the database; ARGUMENTS go to psql."""
    installations = list_installations()
    program = str(installations[0].programs / "psql") if installations else "psql"
    try:
        os.execvp(program, [program, _url_in_use(read_settings()), *arguments])  # noqa: S606 - no shell
    except FileNotFoundError as error:
        raise NotFoundError("psql is not installed; install the package postgresql-client") from error


@db.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(yes: bool) -> None:
    """Stop the embedded database and delete everything in it."""
    settings = _embedded()
    if not yes:
        click.confirm(f"Delete the database of {settings.home} with everything in it?", abort=True)
    was_there = cluster.destroy(settings.home)
    click.echo("The database is deleted." if was_there else "There was no database.")
    archive = archiving.archive_of(settings.home)
    if archive.exists():
        click.echo(f"Its archived log stays in {archive}; delete that by hand when it is no longer needed.")


def _say_archived(home: Path) -> None:
    state = archive_state(home)
    if state is None:
        click.echo("Its log is not archived: it can be restored to nightly backups alone, not to a moment.")
        return
    last = f"last at {state.last_at:%Y-%m-%d %H:%M:%S} UTC" if state.last_at else "nothing yet"
    base = (
        f"the newest base backup is of {state.newest_base_at:%Y-%m-%d %H:%M} UTC" if state.newest_base_at else "no base"
    )
    click.echo(f"Its log is archived in {state.directory}, {last}; {base}")
    for fault in state.faults():
        click.echo(f"WARNING: {fault}", err=True)


def _embedded() -> Settings:
    settings = read_settings()
    if settings.database_url:
        raise click.UsageError(
            "MAPGRID_DATABASE_URL names a database that mapgrid did not make; "
            "unset it to work on the embedded one, or use that server's own tools"
        )
    return settings


def _url_in_use(settings: Settings) -> str:
    if settings.database_url:
        return settings.database_url
    server = cluster.status(settings.home)
    if server is None:
        raise NotFoundError(f"the database of {settings.home} is not running; start it: mapgrid db start")
    return server.url
