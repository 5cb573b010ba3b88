"""Bring the embedded database back to a moment, or as far as its archived log leads, beside the one that is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from geodata import archiving, cluster, placement, postmaster
from geodata.backup.bases import Archive, Base, archive_in_use, make_base
from geodata.backup.programs import conninfo
from geodata.backup.refusals import RestoreError
from geodata.backup.scratch import scratch
from geodata.backup.timelines import base_for, first_gap, note_change, timeline_at
from geodata.postgres import ClusterError, account_for

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from geodata.postgres import Account

_FLUSH_PATIENCE_S = 60.0
_REPLAY_PATIENCE_S = 6 * 3600.0  # a week of log takes some time
_SPARE = 256 * 2**20  # bytes: the log that is replayed
_KEPT = "data-before-"


@dataclass(frozen=True, slots=True)
class Rewound:
    """A database that was brought back.

    Attributes
    ----------
    base
        Where the way began.
    reached_at
        When the last transaction in it was committed; None if there was none after the base backup.
    kept
        Where the old data directory is now, None if there was none.
    gap
        Whether the log broke off: segments after it are in the archive, but one is missing before them.
    duration_s
        How long it took.
    """

    base: Base
    reached_at: datetime | None
    kept: Path | None
    gap: bool
    duration_s: float


def rewind(home: Path, moment: datetime | None, *, now: datetime) -> Rewound:
    """Put the embedded database in place as it was at a moment; until the last step the one there is not touched.

    Parameters
    ----------
    home
        Directory of the embedded database; its data directory may be damaged or gone.
    moment
        With a time zone; transactions committed up to then are there, later ones are not. None for all of the log.
    now
        To name what is put aside.

    Raises
    ------
    RestoreError
        If the archive does not lead there; the database is as it was.
    """
    started = time.monotonic()
    if moment is not None and moment > now:
        raise RestoreError(f"expected a moment in the past, found {moment:%Y-%m-%d %H:%M:%S %Z}")
    place = placement.prepare(home)
    archive = _archive_of(home, place)
    was_kept = (place / "keep").exists()
    with ExitStack() as borrowed:
        unarchived = _flush(home, place, borrowed)
        timeline = timeline_at(archive, moment)
        base = base_for(archive, moment, timeline)
        gap = first_gap(archive, base, timeline) is not None
        with scratch(place, "rewinding-", _clear) as draft:
            _unpack(base, draft, account_for(place / "data"))
            reached_at, new_timeline = _replay(draft, archive, unarchived, moment, timeline)
            _clear_server(draft)
            kept = cluster.exchange(home, draft / "data", f"{_KEPT}{now:%Y%m%dT%H%M%SZ}")
        note_change(archive, now, new_timeline)
        _begin_again(home, keep=was_kept)
    return Rewound(base, reached_at, kept, gap, time.monotonic() - started)


def drop_old_data(home: Path) -> list[str]:
    """Delete the data directories that earlier restores have put aside, and return their names."""
    old = sorted((home / "database").resolve().glob(f"{_KEPT}*"))
    for data in old:
        shutil.rmtree(data)
    return [data.name for data in old]


def _archive_of(home: Path, place: Path) -> Archive:
    """Return the archive of the database of a home, also when its data directory is damaged or gone."""
    root = archiving.archive_of(home)
    identifier = archiving.lost_identifier(place)
    if identifier is None:  # all of the database's directory is gone: the archive with the newest base backup
        bases = [base for each in root.glob("[0-9]*") for base in Archive(each).bases()]
        if not bases:
            raise RestoreError(f"there is no base backup in {root}; the log of this database was never archived")
        return Archive(max(bases, key=lambda base: base.ended_at).directory.parent.parent)
    return Archive(root / identifier)


def _flush(home: Path, place: Path, borrowed: ExitStack) -> Path | None:
    """Let the database archive all it has, if it still starts; otherwise return where the rest of its log lies.

    A transaction of its own ends the log, so that there is one after the moment, whichever that is.
    """
    if not (place / "data").exists():
        return None
    with suppress(ClusterError, psycopg.Error):  # then what it has not archived lies in its data directory
        server = borrowed.enter_context(cluster.running(home))
        with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = on")
            connection.execute("SELECT pg_catalog.pg_current_xact_id()")
            last = connection.execute("SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_switch_wal())").fetchone()
            if connection.execute("SHOW archive_mode").fetchone() == ("on",):
                _wait_until_archived(connection, str(last and last[0]))
    return place / "data" / "pg_wal"


def _wait_until_archived(connection: psycopg.Connection[Any], segment: str) -> None:
    deadline = time.monotonic() + _FLUSH_PATIENCE_S
    while time.monotonic() < deadline:
        done = connection.execute(
            "SELECT coalesce(pg_catalog.left(last_archived_wal, 24) >= %s, false) FROM pg_catalog.pg_stat_archiver",
            [segment],
        ).fetchone()
        if done == (True,):
            return
        time.sleep(0.02)
    # What is not archived is read from the data directory, which is still there.


def _unpack(base: Base, draft: Path, account: Account) -> None:
    """Lay a base backup out as a data directory, and verify each of its files."""
    draft.chmod(0o755)
    manifest = base.directory / "backup_manifest"
    needed = sum(file["Size"] for file in json.loads(manifest.read_text())["Files"]) + _SPARE
    free = shutil.disk_usage(draft).free
    if free < needed:
        raise RestoreError(f"expected {needed // 2**20} MB free beside {draft.parent}, found {free // 2**20} MB")
    data = draft / "data"
    data.mkdir(mode=0o700)
    os.chown(data, account.uid, account.gid)
    for name, target in (("base.tar.gz", data), ("pg_wal.tar.gz", data / "pg_wal")):
        _run(account, ["/usr/bin/tar", "-xzf", base.directory / name, "-C", target], base)
    verify = postmaster.installation_of(data).programs / "pg_verifybackup"
    # Without parsing the log: for that it hands the path to a shell; the replay checks each record anyway.
    _run(account, [verify, "--quiet", "--no-parse-wal", "--manifest-path", manifest, data], base)
    _run(account, ["/usr/bin/touch", data / "recovery.signal"], base)


def _run(account: Account, arguments: list[str | Path], base: Base) -> None:
    done = account.run(arguments)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise RestoreError(f"the base backup {base.directory} cannot be used: {said}; nothing was changed")


def _replay(
    draft: Path, archive: Archive, unarchived: Path | None, moment: datetime | None, timeline: int
) -> tuple[datetime | None, int]:
    """Replay the log up to a moment; return when the last transaction was and the timeline that begins there."""
    (draft / "archive").write_text(str(archive.directory.parent))
    fetch = archiving.command(draft, "fetch-wal", str(archive.wal), str(unarchived or ""), "%f", "%p")
    way = {
        "restore_command": fetch,
        "recovery_target_timeline": str(timeline),
        "recovery_target_action": "promote",
        "hot_standby": "off",
    }
    if moment is not None:
        way["recovery_target_time"] = moment.isoformat(sep=" ")
    try:
        pid = postmaster.launch(draft, way)
        postmaster.wait_until_ready(draft, pid, _REPLAY_PATIENCE_S)
    except ClusterError as error:
        raise _explain(draft / "log", error) from error
    with psycopg.connect(conninfo(cluster.url_of(draft))) as connection:
        row = connection.execute(
            "SELECT pg_catalog.pg_last_xact_replay_timestamp(),"
            " pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)"
        ).fetchone()
    reached_at, name = row or (None, "0")
    return reached_at, int(name, 16)


def _explain(log: Path, error: ClusterError) -> RestoreError:
    said = log.read_text(errors="replace") if log.exists() else ""
    if "recovery ended before configured recovery target was reached" in said:
        last = re.findall(r"last completed transaction was at log time ([0-9-]+ [0-9:]+)", said)
        until = (
            f"its last transaction is of {last[-1]} UTC" if last else "it holds no transaction after the base backup"
        )
        return RestoreError(f"the archived log does not lead to that moment: {until}; --at latest restores all of it")
    return RestoreError(f"the log cannot be replayed: {error}; nothing was changed")


def _begin_again(home: Path, *, keep: bool) -> None:
    """Start the database that was brought back, and make a base backup for the next time."""
    with cluster.running(home):
        if keep:
            cluster.start(home)
        if archive_in_use(home) is not None:
            make_base(home)


def _clear_server(draft: Path) -> None:
    """Stop the server of a draft and remove the directory of its socket."""
    pid = postmaster.running_pid(draft / "data")
    if pid is not None:
        postmaster.stop(pid)
    socket = placement.socket_directory(draft)
    if socket is not None:
        shutil.rmtree(socket)


def _clear(draft: Path) -> None:
    _clear_server(draft)
    shutil.rmtree(draft)
