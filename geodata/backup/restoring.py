"""Restore a backup: into a new database beside the old, proved there, then put in its place in one step."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from geodata.backup.checks import Check, compare
from geodata.backup.contents import has_rows, read_contents
from geodata.backup.databases import draft_database, drop, exchange, fill, kept_databases, maintenance, name_of
from geodata.backup.opening import OpenedBackup, opened
from geodata.backup.programs import ProgramError, conninfo
from geodata.backup.refusals import BackupRefusedError, RestoreError
from geodata.backup.sealing import Opener
from geodata.database import migrate

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from geodata.backup.manifest import Manifest

_OPEN = Opener()
# A server of a newer PostGIS restores older backups; and an ordinary account may not declare a function leakproof.
_MAY_DIFFER = frozenset({"extensions", "leakproof functions"})


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that was done.

    Attributes
    ----------
    manifest
        What the backup says of itself.
    kept
        Name of the database that was there before, None if it was empty and is gone.
    checks
        What was compared.
    duration_s
        How long it took.
    """

    manifest: Manifest
    kept: str | None
    checks: list[Check]
    duration_s: float


def restore(
    url: str,
    file: Path,
    *,
    now: datetime,
    work: Path,
    has_database: bool = False,
    opener: Opener = _OPEN,
    replace: bool = False,
) -> Restored:
    """Put a backup in the place of the database of a URL; until the last step nothing of that is touched.

    Parameters
    ----------
    url
        Of the database to restore, on a server that runs.
    file
        The backup.
    now
        The moment to name the old database by.
    work
        Directory with room for the dump.
    has_database
        Whether the server keeps its data on the disk of that directory.
    opener
        What opens an encrypted backup.
    replace
        Whether a store that holds something may be put aside; it is kept under another name.

    Raises
    ------
    BackupRefusedError
        If the file is not whole, not ours, too new, or cannot be opened.
    RestoreError
        If the store holds something and `replace` was not said, or the server cannot do it.
    """
    started = time.monotonic()
    name = name_of(url)
    try:
        with opened(file, opener, work, has_database=has_database) as backup, maintenance(url) as server:
            _check_server(server, backup.manifest)
            is_empty = not _holds_something(url)
            if not (is_empty or replace):
                raise RestoreError(
                    f"the database {name} holds something; --replace restores beside it, then puts it aside"
                )
            with draft_database(server, name) as draft:
                checks = _fill_and_check(server, url, draft, backup)
                kept = exchange(server, draft, name, now)
            if is_empty:
                drop(server, kept)
    except psycopg.Error as error:
        raise RestoreError(f"the server refused: {str(error).strip().splitlines()[0]}; nothing was changed") from error
    except ProgramError as error:
        raise RestoreError(f"the backup was not restored: {error}; nothing was changed") from error
    return Restored(backup.manifest, None if is_empty else kept, checks, time.monotonic() - started)


def drop_old(url: str) -> list[str]:
    """Drop the databases that restores have put aside, and return their names."""
    with maintenance(url) as server:
        names = kept_databases(server, name_of(url))
        for name in names:
            drop(server, name)
        return names


def check_filled(url: str, manifest: Manifest) -> list[Check]:
    """Return how a restored database compares with its manifest."""
    with psycopg.connect(conninfo(url), client_encoding="utf8") as connection:
        connection.read_only = True
        is_same_server = connection.info.server_version // 10_000 == manifest.server_major
        return compare(manifest, read_contents(connection), is_same_server=is_same_server)


def _fill_and_check(server: psycopg.Connection[Any], url: str, draft: str, backup: OpenedBackup) -> list[Check]:
    filled = fill(server, url, draft, backup)
    checks = check_filled(filled, backup.manifest)
    faults = [check for check in checks if not check.passed and check.subject not in _MAY_DIFFER]
    if faults:
        listed = "; ".join(f"{check.subject}: {check.detail}" for check in faults)
        raise BackupRefusedError(f"what was restored is not what was backed up ({listed}); nothing was changed")
    migrate(filled)
    return checks


def _check_server(server: psycopg.Connection[Any], manifest: Manifest) -> None:
    major = server.info.server_version // 10_000
    if major < manifest.server_major:
        raise RestoreError(
            f"the backup is from PostgreSQL {manifest.server_major}, the server is {major}; "
            f"restore on {manifest.server_major} or newer"
        )


def _holds_something(url: str) -> bool:
    with psycopg.connect(conninfo(url)) as connection:
        return has_rows(connection)
