"""Base backups of the embedded database and the archived log that leads on from them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from geodata import archiving, cluster
from geodata.backup.programs import client_for, conninfo
from geodata.backup.refusals import BackupError
from geodata.postgres import account_for

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "%Y%m%dT%H%M%S.%fZ"
_SEGMENT_BITS = 24  # 16 MB, what initdb makes
_PER_LOG = 1 << (32 - _SEGMENT_BITS)
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})\.gz")


@dataclass(frozen=True, slots=True)
class Base:
    """A base backup.

    Attributes
    ----------
    directory
        Where it lies.
    ended_at
        From when on it can be restored to.
    timeline
        The timeline it was made on.
    start, end
        Places in the log, in bytes.
    """

    directory: Path
    ended_at: datetime
    timeline: int
    start: int
    end: int

    @property
    def first_segment(self) -> str:
        """Name of the first segment of the log that it needs."""
        number = self.start >> _SEGMENT_BITS
        return f"{self.timeline:08X}{number // _PER_LOG:08X}{number % _PER_LOG:08X}"


@dataclass(frozen=True, slots=True)
class Archive:
    """The archived log of one database.

    Attributes
    ----------
    directory
        Where bases and log lie.
    """

    directory: Path

    @property
    def wal(self) -> Path:
        """The directory of the segments."""
        return self.directory / "wal"

    def bases(self) -> list[Base]:
        """Return the base backups, the oldest first; one that was not finished is none."""
        return [_read_base(each) for each in sorted((self.directory / "base").glob("[0-9]*Z"))]

    def segments(self) -> list[tuple[int, int]]:
        """Return timeline and number of each archived segment, in order of the number."""
        found = filter(None, (_numbers(path.name) for path in self.wal.glob("*.gz")))  # none where it is away
        return sorted(found, key=lambda pair: (pair[1], pair[0]))


def archive_in_use(home: Path) -> Archive | None:
    """Return the archive that the running database of a home writes its log to, None if it does not.

    Raises
    ------
    BackupError
        If the database does not run.
    """
    server = cluster.status(home)
    if server is None:
        raise BackupError(f"the database of {home} does not run; mapgrid db start starts it")
    with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
        if connection.execute("SHOW archive_mode").fetchone() != ("on",):
            return None
        row = connection.execute("SELECT system_identifier FROM pg_catalog.pg_control_system()").fetchone()
    return Archive(archiving.archive_of(home) / str(row[0])) if row else None


def make_base(home: Path) -> Base:
    """Copy the running embedded database, whole, beside its archived log.

    Raises
    ------
    BackupError
        If its log is not archived, or the copy cannot be made; nothing half-made is left.
    """
    archive = archive_in_use(home)
    server = cluster.status(home)
    if archive is None or server is None:
        raise BackupError(
            f"the log of the database of {home} is not archived yet; mapgrid serve turns that on when it starts the "
            "database: stop it (mapgrid db stop), then start mapgrid serve"
        )
    account = account_for(server.data)
    draft = archive.directory / "base" / "draft"
    if draft.exists():
        shutil.rmtree(draft)
    with psycopg.connect(conninfo(server.url)) as connection:
        program = client_for("pg_basebackup", connection.info.server_version // 10_000)
    done = account.run(
        [
            program,
            f"--dbname={conninfo(server.url)}",
            f"--pgdata={draft}",
            "--format=tar",
            "--compress=client-gzip:1",
            "--wal-method=stream",
            "--checkpoint=fast",
        ]
    )
    if done.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BackupError(f"no base backup was made in {archive.directory}: {said}; make room there")
    made = draft.rename(draft.with_name(datetime.now(UTC).strftime(_NAME)))
    return _read_base(made)


def ensure_base(home: Path, *, not_before: datetime | None = None) -> Base | None:
    """Return a base backup from which the log leads to the present, made when there is none; None without archiving.

    Parameters
    ----------
    home
        Directory of the embedded database, which runs.
    not_before
        How old it may be at most; None for any age.
    """
    archive = archive_in_use(home)
    if archive is None:
        return None
    bases = archive.bases()
    is_old = not bases or (not_before is not None and bases[-1].ended_at < not_before)
    return make_base(home) if is_old or not is_continuous(home, archive, bases[-1]) else bases[-1]


def is_continuous(home: Path, archive: Archive, base: Base) -> bool:
    """Say whether all of the log since a base backup is archived or waits for it beside the running database.

    It is not after a time without archiving, or when a full disk made the archive give a segment up.
    """
    server = cluster.status(home)
    if server is None:
        raise BackupError(f"the database of {home} does not run; mapgrid db start starts it")
    with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
        # Named before the archived ones are listed: one that is archived in between counts twice, not never.
        waiting = connection.execute("SELECT name FROM pg_catalog.pg_ls_archive_statusdir()").fetchall()
        now = connection.execute("SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn())").fetchone()
    names = [each.removesuffix(".ready") + ".gz" for (each,) in waiting if each.endswith(".ready")]
    there = {number for _timeline, number in archive.segments()} | {pair[1] for pair in map(_numbers, names) if pair}
    current = _numbers(f"{now and now[0]}.gz")
    return current is not None and set(range(base.start >> _SEGMENT_BITS, current[1])) <= there


def prune(home: Path, *, keep: int) -> list[Base]:
    """Delete all but the newest base backups, and the log that none of those needs; return what was deleted.

    Parameters
    ----------
    home
        Directory of the embedded database, which runs.
    keep
        How many base backups stay, at least one.
    """
    archive = archive_in_use(home)
    server = cluster.status(home)
    bases = archive.bases() if archive else []
    if archive is None or server is None or not bases:
        return []
    first_kept = max(0, len(bases) - max(1, keep))
    for base in bases[:first_kept]:
        shutil.rmtree(base.directory)
    with psycopg.connect(conninfo(server.url)) as connection:
        program = client_for("pg_archivecleanup", connection.info.server_version // 10_000)
    done = account_for(server.data).run([program, "-x", ".gz", archive.wal, bases[first_kept].first_segment])
    if done.returncode != 0:
        raise BackupError(f"the old log in {archive.wal} cannot be deleted: {done.stderr.strip()}")
    return bases[:first_kept]


def _read_base(directory: Path) -> Base:
    ranges = json.loads((directory / "backup_manifest").read_text())["WAL-Ranges"]
    ended_at = datetime.strptime(directory.name, _NAME).replace(tzinfo=UTC)
    return Base(
        directory,
        ended_at,
        int(ranges[-1]["Timeline"]),
        _place(ranges[0]["Start-LSN"]),
        _place(ranges[-1]["End-LSN"]),
    )


def _numbers(name: str) -> tuple[int, int] | None:
    """Return timeline and number of the segment that an archived file holds, None for another file."""
    found = _SEGMENT.fullmatch(name)
    return (int(found[1], 16), int(found[2], 16) * _PER_LOG + int(found[3], 16)) if found else None


def _place(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
