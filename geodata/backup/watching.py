"""How the archiving of the log goes, in figures and in words."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from geodata import cluster
from geodata.backup.bases import archive_in_use, is_continuous
from geodata.backup.programs import conninfo

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_FEW_BYTES = 2**30
_MANY_WAITING = 8  # segments of 16 MB


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """How the archiving of the log goes.

    Attributes
    ----------
    directory
        Where it is archived.
    waiting
        Segments that are not archived yet; they stay beside the database.
    last_at
        When the last one was archived, None if none was.
    is_failing
        Whether the last attempt failed.
    is_continuous
        Whether the log leads from the newest base backup to the present without a gap.
    newest_base_at
        When the newest base backup ended, None without one.
    free_bytes
        Room left in the archive.
    """

    directory: Path
    waiting: int
    last_at: datetime | None
    is_failing: bool
    is_continuous: bool
    newest_base_at: datetime | None
    free_bytes: int

    def faults(self) -> list[str]:
        """Return what somebody must see to, none when all is well."""
        faults = []
        if self.is_failing or self.waiting > _MANY_WAITING:
            faults.append(
                f"the log is not archived: {self.waiting} segments of 16 MB wait beside the database and will fill its "
                f"disk; see to {self.directory} (room, rights)"
            )
        if self.newest_base_at is None:
            faults.append("there is no base backup, so the archived log restores nothing: mapgrid backup --base")
        elif not self.is_continuous:
            faults.append("the archived log has a gap: a new base backup closes it: mapgrid backup --base")
        if self.free_bytes < _FEW_BYTES:
            faults.append(f"only {self.free_bytes // 2**20} MB are free in {self.directory}")
        return faults


def archive_state(home: Path) -> ArchiveState | None:
    """Return how the archiving of a running embedded database goes, None if it does not archive."""
    server = cluster.status(home)
    archive = archive_in_use(home) if server else None
    if server is None or archive is None:
        return None
    with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
        row = connection.execute(
            "SELECT last_archived_time, coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL),"
            " (SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready')"
            " FROM pg_catalog.pg_stat_archiver"
        ).fetchone() or (None, False, 0)
    bases = archive.bases()
    return ArchiveState(
        directory=archive.directory,
        waiting=row[2],
        last_at=row[0],
        is_failing=row[1],
        is_continuous=bool(bases) and is_continuous(home, archive, bases[-1]),
        newest_base_at=bases[-1].ended_at if bases else None,
        free_bytes=shutil.disk_usage(archive.directory).free if archive.directory.exists() else 0,
    )
