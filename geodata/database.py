"""Engine, session and schema of a PostGIS database: the embedded one or one that exists already."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from geodata import cluster, policies
from geodata.patience import COMMAND, Patience, as_psycopg, connect_arguments, make_patient, pool_arguments
from geodata.postgres import OLDEST_MAJOR
from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MIGRATION_LOCK = 5_030_477_210_941  # any number, the same in every program that migrates


class DatabaseRefusedError(MapgridError):
    """A database that cannot hold the store, and why."""


def open_engine(url: str, *, pool_size: int = 5, patience: Patience = COMMAND) -> Engine:
    """Return an engine for a PostgreSQL URL, whichever driver the URL names.

    Parameters
    ----------
    pool_size
        Connections that are kept open; some more are made while all of them are in use. 0 keeps none.
    patience
        How long it waits for the database before it gives up.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseRefusedError(
            "MAPGRID_DATABASE_URL is not a database URL; expected postgresql://user:password@host:5432/name"
        ) from error
    if parsed.get_backend_name() not in {"postgres", "postgresql"}:
        raise DatabaseRefusedError(f"expected a postgresql:// URL, found {parsed.drivername}://")
    engine = create_engine(
        as_psycopg(parsed),
        connect_args=connect_arguments(parsed, patience),
        hide_parameters=True,  # an error ends in a log, where no name may stand
        **pool_arguments(patience, pool_size),
    )
    make_patient(engine, patience)
    return engine


def open_web_engine(url: str, *, pool_size: int = 5, patience: Patience = COMMAND) -> Engine:
    """Return an engine that works as the application's role, which owns nothing (see `geodata.policies`).

    Over the embedded database's socket it signs in as that role; elsewhere it takes the role on when it connects.
    """
    engine = open_engine(url, pool_size=pool_size, patience=patience)
    parsed = engine.url
    if parsed.username == policies.WEB_ROLE:
        return engine
    if parsed.username == cluster.DATABASE and parsed.password is None and not parsed.host:
        parsed = parsed.set(username=policies.WEB_ROLE)
    else:
        options = f"{parsed.query.get('options', '')} -c role={policies.WEB_ROLE}".strip()
        parsed = parsed.update_query_dict({"options": options})
    return open_engine(_text_of(parsed), pool_size=pool_size, patience=patience)


def session_maker(engine: Engine) -> sessionmaker[Session]:
    """Return a maker of sessions; the caller commits, at the outermost place only."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def open_store(database_url: str | None, home: Path) -> Iterator[str]:
    """Lend the URL of a database that is ready for use.

    Parameters
    ----------
    database_url
        An existing PostGIS, which is checked first; None for the embedded one below `home`, which is made and
        started when needed and stopped after its last borrower.
    home
        Directory of the embedded database.

    Yields
    ------
    str
        URL of a database with the newest tables.
    """
    if database_url is None:
        with cluster.running(home) as embedded:
            migrate(embedded.url)
            yield embedded.url
    else:
        check_existing(database_url)
        migrate(database_url)
        yield database_url


def migrate(url: str, revision: str = "head") -> None:
    """Bring the tables of a database to a revision; programs that ask at once take turns.

    Raises
    ------
    DatabaseRefusedError
        If the tables were made by a newer mapgrid.
    """
    config = alembic_config()
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            current = MigrationContext.configure(connection).get_current_revision()
            scripts = ScriptDirectory.from_config(config)
            if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
                raise DatabaseRefusedError(
                    f"the tables of {_name_of(engine)} are at revision {current}, which this mapgrid does not know; "
                    "they were made by a newer one: install that, or use another database"
                )
            config.attributes["connection"] = connection
            target = scripts.get_current_head() if revision == "head" else revision
            if current != target:
                policies.remove(connection)  # a table that a view or a policy leans on cannot be changed
                move = command.downgrade if revision == "base" else command.upgrade
                move(config, revision)
            if target == scripts.get_current_head():
                policies.apply(connection)
    finally:
        engine.dispose()


def check_existing(url: str) -> None:
    """Check that an existing database can hold the store, and create the extension PostGIS in it when it is missing.

    Raises
    ------
    DatabaseRefusedError
        If it cannot be reached, is too old, has no PostGIS, or its user may not create tables.
    """
    engine = open_engine(url)
    name = _name_of(engine)
    try:
        with engine.begin() as connection:
            _check_version(connection, name)
            _check_rights(connection, name)
            _check_postgis(connection, name)
    except OperationalError as error:
        first_line = str(error.orig).strip().splitlines()[0]
        raise DatabaseRefusedError(
            f"cannot connect to {name} of MAPGRID_DATABASE_URL: {first_line}; "
            "check host, port, name, user and password, or unset it to use the embedded database"
        ) from error
    finally:
        engine.dispose()


def alembic_config() -> Config:
    """Return alembic's settings; they need no file beside the packages."""
    config = Config()
    config.set_main_option("script_location", "geodata:migrations")
    return config


def _check_version(connection: Connection, name: str) -> None:
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if number < OLDEST_MAJOR * 10_000:
        raise DatabaseRefusedError(f"{name}: expected PostgreSQL {OLDEST_MAJOR} or newer, found {number // 10_000}")
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseRefusedError(f"{name}: expected a database in UTF8, found {encoding}; create another")


def _check_rights(connection: Connection, name: str) -> None:
    schema, user, may_create = connection.execute(
        text("SELECT current_schema(), current_user, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)")
    ).one()
    if not may_create:
        raise DatabaseRefusedError(
            f"{name}: {user} may not create tables in schema {schema}; "
            f"as its owner: GRANT CREATE, USAGE ON SCHEMA {schema} TO {user}"
        )


def _check_postgis(connection: Connection, name: str) -> None:
    installed, available = connection.execute(
        text(
            "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'postgis'),"
            " (SELECT default_version FROM pg_available_extensions WHERE name = 'postgis')"
        )
    ).one()
    if installed:
        return
    if not available:
        raise DatabaseRefusedError(
            f"{name}: PostGIS is not installed on its server; install the package postgresql-<major>-postgis-3 there"
        )
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION postgis"))
    except DBAPIError as error:
        raise DatabaseRefusedError(
            f"{name}: the extension postgis is missing and its user may not create it; "
            "as a superuser, in that database: CREATE EXTENSION postgis"
        ) from error


def _text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _name_of(engine: Engine) -> str:
    """Return `name on host` without the password."""
    host = engine.url.host or engine.url.query.get("host") or "the local socket"
    return f"database {engine.url.database or engine.url.username} on {host}"
