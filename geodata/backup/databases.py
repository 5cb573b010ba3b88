"""Databases beside one another on a server: made, filled, exchanged by renaming, dropped."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from geodata.backup.programs import client_for, conninfo, named, run
from geodata.backup.refusals import RestoreError
from geodata.backup.surroundings import furnish, make_extensions, make_roles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geodata.backup.opening import OpenedBackup

_LOCK = 5_030_477_210_942  # any number, the same in every program that restores
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
    collate, character_type = connection.execute(
        "SELECT datcollate, datctype FROM pg_catalog.pg_database WHERE datname = %s"
        " UNION ALL SELECT datcollate, datctype FROM pg_catalog.pg_database WHERE datname = 'template0' LIMIT 1",
        [name],
    ).fetchone() or ("C", "C")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE {} LC_CTYPE {}")
    try:
        connection.execute(create.format(sql.Identifier(draft), sql.Literal(collate), sql.Literal(character_type)))
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


def fill(connection: psycopg.Connection[Any], url: str, draft: str, backup: OpenedBackup) -> str:
    """Restore a backup into an empty database and return its URL.

    Tables are filled before their triggers and policies exist, so none of them acts on what is loaded.
    """
    manifest = backup.manifest
    with connection.transaction():
        make_roles(connection, manifest.surroundings)
    target = named(url, draft)
    with psycopg.connect(conninfo(target), client_encoding="utf8") as empty:
        make_extensions(empty, manifest.surroundings)
    program = client_for("pg_restore", connection.info.server_version // 10_000)
    arguments = ["--exit-on-error", f"--jobs={min(4, os.cpu_count() or 1)}"]
    if connection.info.user != manifest.owner:
        arguments.append("--no-owner")
    run(program, [*arguments, str(backup.dump)], target, options=_FAST)
    with psycopg.connect(conninfo(target), client_encoding="utf8") as filled:
        furnish(filled, manifest.surroundings)
    with psycopg.connect(conninfo(target), autocommit=True) as filled:
        filled.execute("ANALYZE")
    return target


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
    connection.execute(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid()",
        [database],
    )


def _names_like(connection: psycopg.Connection[Any], prefix: str) -> list[str]:
    found = connection.execute(
        "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, %s) ORDER BY 1", [prefix]
    )
    return [row[0] for row in found.fetchall()]
