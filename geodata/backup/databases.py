"""Databases beside one another on a server: made, filled, exchanged by renaming, dropped."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from geodata.backup.programs import client_for, conninfo, named, reading, run
from geodata.backup.refusals import RestoreError
from geodata.backup.surroundings import furnish, make_extensions, make_roles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from geodata.backup.opening import OpenedBackup

_LOCK = 5_030_477_210_960  # any number, the same in every program that restores
_ATTEMPTS = 5
_LONGEST_NAME = 63 - len("_restoring_12345678")
# Room to build indexes in, and no wait for the disk after each step: what is interrupted is dropped anyway.
_FAST = "-c maintenance_work_mem=256MB -c synchronous_commit=off"


@contextmanager
def maintenance(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection beside the database of a URL, which nobody else restores meanwhile.

    Raises
    ------
    RestoreError
        If another program restores on this server.
    """
    with psycopg.connect(conninfo(url, database="postgres"), autocommit=True, client_encoding="utf8") as connection:
        if connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [_LOCK]).fetchone() != (True,):
            raise RestoreError("another program restores on this server; wait for its end")
        yield connection


def name_of(url: str) -> str:
    """Return the name of the database of a URL."""
    parsed = make_url(url)
    return parsed.database or parsed.username or "postgres"


def kept_databases(connection: psycopg.Connection[Any], name: str) -> list[str]:
    """Return the databases that restores have put aside, the oldest first."""
    return _names_like(connection, f"{name[:_LONGEST_NAME]}_before_")


def drop(connection: psycopg.Connection[Any], database: str) -> None:
    """Drop a database with all that is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


@contextmanager
def draft_database(connection: psycopg.Connection[Any], name: str) -> Iterator[str]:
    """Make an empty database beside another and return its name; it is dropped unless it was renamed.

    What an interrupted restore left is dropped first.
    """
    prefix = f"{name[:_LONGEST_NAME]}_restoring_"
    for remains in _names_like(connection, prefix):
        drop(connection, remains)
    draft = prefix + secrets.token_hex(4)
    try:
        connection.execute(_creation(connection, draft, name))
    except psycopg.errors.InsufficientPrivilege as error:
        user = connection.info.user
        raise RestoreError(
            f"{user} may not create databases on this server, and a restore needs one beside the old; "
            f"as a superuser: ALTER ROLE {user} CREATEDB"
        ) from error
    try:
        yield draft
    finally:
        drop(connection, draft)


def _creation(connection: psycopg.Connection[Any], draft: str, name: str) -> sql.Composed:
    """Return the statement that makes a database in the locale of another one.

    Who is no superuser may not create the extension PostGIS: such a server has it in its template.
    """
    if not _is_superuser(connection):
        return sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft))
    locale = connection.execute(
        "SELECT datcollate, datctype FROM pg_catalog.pg_database WHERE datname = %s", [name]
    ).fetchone() or ("C.UTF-8", "C.UTF-8")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE {} LC_CTYPE {}")
    return create.format(sql.Identifier(draft), *map(sql.Literal, locale))


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    query = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
    return connection.execute(query).fetchone() == (True,)


def fill(connection: psycopg.Connection[Any], url: str, draft: str, backup: OpenedBackup) -> str:
    """Restore a backup into an empty database and return its URL.

    Tables are filled before their triggers and policies exist, so none of them acts on what is loaded.
    """
    manifest = backup.manifest
    with connection.transaction():
        make_roles(connection, manifest.surroundings, manifest.owner)
    target = named(url, draft)
    _make_extensions(target, backup)
    program = client_for("pg_restore", connection.info.server_version // 10_000)
    # An owner under its own policies makes foreign keys after those; what they would find was compared by hash.
    arguments = ["--exit-on-error", "--enable-row-security", f"--jobs={min(4, os.cpu_count() or 1)}"]
    left_out = [b" EXTENSION - ", b"- EXTENSION "]  # they are there, and may belong to somebody else
    if not _is_superuser(connection):
        left_out.append(b" TABLE DATA public spatial_ref_sys ")  # nor may it add a coordinate system
    arguments.append(f"--use-list={_list_without(left_out, program, backup)}")
    if connection.execute("SELECT current_user").fetchone() != (manifest.owner,):
        arguments.append("--no-owner")
    run(program, [*arguments, str(backup.dump)], target, options=_FAST)
    with psycopg.connect(conninfo(target), client_encoding="utf8") as filled:
        furnish(filled, manifest.surroundings)
    with psycopg.connect(conninfo(target), autocommit=True) as filled:
        filled.execute("ANALYZE")
    return target


def _make_extensions(url: str, backup: OpenedBackup) -> None:
    try:
        with psycopg.connect(conninfo(url), client_encoding="utf8") as empty:
            make_extensions(empty, backup.manifest.surroundings)
    except psycopg.errors.InsufficientPrivilege as error:
        raise RestoreError(
            "a restore makes a new database, in which this user may not create the extension postgis; as a superuser, "
            "once: psql template1 -c 'CREATE EXTENSION postgis'"
        ) from error


def _list_without(left_out: Sequence[bytes], program: Path, backup: OpenedBackup) -> Path:
    """Return a file that lists the entries of a dump, but for those with certain words."""
    with reading(program, ["--list", str(backup.dump)], None) as listing:
        lines = listing.read().splitlines(keepends=True)
    kept = backup.dump.with_name("list")
    kept.write_bytes(b"".join(line for line in lines if not any(words in line for words in left_out)))
    return kept


def exchange(connection: psycopg.Connection[Any], draft: str, name: str, now: datetime) -> str:
    """Give a draft the name of a database, in one step with the old one's new name, which is returned.

    Who is connected to the old one is disconnected.
    """
    kept = f"{name[:_LONGEST_NAME]}_before_{now:%Y%m%d_%H%M%S}"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with connection.transaction():
                for database in (name, draft):
                    _disconnect(connection, database)
                connection.execute(rename.format(sql.Identifier(name), sql.Identifier(kept)))
                connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))
        except psycopg.errors.ObjectInUse as error:  # somebody connected in between; renaming waits 5 s by itself
            if attempt == _ATTEMPTS:
                raise RestoreError(
                    f"the database {name} is in use and its programs connect again at once; stop them and try again"
                ) from error
        else:
            break
    return kept


def _disconnect(connection: psycopg.Connection[Any], database: str) -> None:
    """End the connections to a database that this user may end; cleaners of the server leave by themselves."""
    connection.execute(
        "SELECT pg_catalog.pg_terminate_backend(a.pid)"
        " FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles theirs ON theirs.oid = a.usesysid"
        "      JOIN pg_catalog.pg_roles mine ON mine.rolname = current_user"
        " WHERE a.datname = %s AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_type = 'client backend'"
        "       AND (mine.rolsuper OR (pg_catalog.pg_has_role(theirs.oid, 'MEMBER') AND NOT theirs.rolsuper))",
        [database],
    )


def _names_like(connection: psycopg.Connection[Any], prefix: str) -> list[str]:
    found = connection.execute(
        "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, %s) ORDER BY 1", [prefix]
    )
    return [row[0] for row in found.fetchall()]
