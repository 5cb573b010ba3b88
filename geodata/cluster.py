"""The embedded PostgreSQL with PostGIS of a machine that has no database server of its own.

A private cluster on a unix socket, made on first use. Everything lies under one home directory::

    database/data         what PostgreSQL keeps; owned by the account it runs as
    database/log          what it says
    database/socket       the path of the directory its socket lies in
    database/archive      the path of the archive of its log, when it is archived (`geodata.archiving`)
    database/hba.conf     who may connect: the accounts of ident.conf, over the socket
    database.lock         held while somebody starts, stops or destroys it
    database.users        held, shared, by every program that works on it
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

from geodata import exchanging, placement, postmaster
from geodata.postgres import (
    Account,
    ClusterError,
    Installation,
    account_for,
    installation_for_new_data,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

DATABASE = "mapgrid"
"""Name of the database and of the role that owns it."""

_log = logging.getLogger(__name__)
_NEXT_LOOK_S = 2.0
_PATIENCE_S = 2 * postmaster.PATIENCE_S  # another program may be making the database


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running embedded database.

    Attributes
    ----------
    url
        For SQLAlchemy, psycopg and psql alike.
    pid
        Process id of the server.
    data, log
        Where it keeps its files and its messages.
    """

    url: str
    pid: int
    data: Path
    log: Path


def start(home: Path, *, keep: bool = True, settings: Mapping[str, str] = MappingProxyType({})) -> Cluster:
    """Return the running cluster of a home directory; make and start it when needed.

    Parameters
    ----------
    home
        Directory under which everything is kept; made when missing.
    keep
        Whether it goes on running when the programs that use it have ended.
    settings
        Of the server, beside the usual ones, should it be started.

    Raises
    ------
    ClusterError
        If it cannot be made or started; nothing half-made is left.
    """
    with _locked(home):
        place = placement.prepare(home)
        data = place / "data"
        exchanging.finish(place)
        if not data.exists():
            exchanging.check_not_lost(place)
            _create(data)
        pid = postmaster.running_pid(data)
        if pid is not None and not postmaster.has_socket(place):
            postmaster.stop(pid)  # the directory of its socket was cleaned away: nobody can reach it
            pid = None
        if pid is None:
            pid = postmaster.launch(place, settings)
        postmaster.wait_until_ready(place, pid)
        postmaster.wake(pid)
        if keep:
            (place / "keep").write_text(str(pid))
        return _describe(place, pid)


def status(home: Path) -> Cluster | None:
    """Return the cluster of a home directory if it runs, else None."""
    place = (home / "database").resolve()
    pid = postmaster.running_pid(place / "data")
    return None if pid is None or not postmaster.has_socket(place) else _describe(place, pid)


def stop(home: Path) -> bool:
    """Stop the cluster of a home directory after its open transactions are rolled back; say whether it ran."""
    with _locked(home):
        return _stop_in((home / "database").resolve())


def destroy(home: Path) -> bool:
    """Stop the cluster of a home directory and delete all it keeps; say whether there was any."""
    with _locked(home):
        place = (home / "database").resolve()
        if not place.exists():
            return False
        _stop_in(place)
        placement.remove(home / "database")
        return True


def exchange(home: Path, draft: Path, kept_name: str) -> Path | None:
    """Stop the cluster of a home directory, put another data directory in place, return where the old one is now.

    What was begun is finished by the next start, should this program be killed in between.

    Parameters
    ----------
    home
        Directory of the embedded database.
    draft
        The data directory to put in place, on the same file system.
    kept_name
        What the old one is called from now on.
    """
    with _locked(home):
        place = (home / "database").resolve()
        try:
            _stop_in(place)
        except ClusterError:  # a server that cannot even stop is no reason to keep it
            _stop_in(place, at_once=True)
        return exchanging.exchange(place, draft, kept_name)


@contextmanager
def running(home: Path) -> Iterator[Cluster]:
    """Lend the running cluster; the last borrower stops it, unless `start` was told to keep it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "database.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield start(home, keep=False)
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            stop_if_unused(home)


@contextmanager
def revived(home: Path) -> Iterator[None]:
    """Start the cluster again whenever it is killed; one that is stopped or destroyed stays so until it is started."""
    left, leave = os.pipe()
    watcher = Thread(target=_watch, args=(home, left), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        os.close(leave)
        watcher.join()
        os.close(left)


def stop_if_unused(home: Path) -> None:
    """Stop the cluster unless a borrower works on it or `start` was told to keep it."""
    if not (home / "database").exists():
        return
    with _locked(home), (home / "database.users").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else works on it
        place = (home / "database").resolve()
        kept = place / "keep"
        if not (kept.exists() and kept.read_text() == str(postmaster.running_pid(place / "data"))):
            _stop_in(place)


def _watch(home: Path, left: int) -> None:
    failure = ""
    while True:
        server = status(home)
        if server is not None and not postmaster.ended_before(server.pid, left):
            return
        # One that was stopped may be started again by whoever stopped it.
        died = not postmaster.was_shut_down(home / "database" / "data")
        if died:
            _log.log(logging.DEBUG if failure else logging.WARNING, "the database server died; starting it again")
            failure = _start_again(home, failure)
        if (failure or not died) and select.select([left], [], [], _NEXT_LOOK_S)[0]:
            return


def _start_again(home: Path, told: str) -> str:
    """Return why it cannot be started again yet, nothing when it was; a reason that was told is not told again."""
    try:
        start(home, keep=False)
    except ClusterError as error:  # a full disk, say: somebody makes room, and it goes on by itself
        if not told:
            _log.error("the database server cannot be started again yet: %s", error)
        return str(error)
    return ""


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the right to start, stop or destroy; two programs that ask at once take turns."""
    path = home / "database.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise ClusterError(
            f"cannot write {path}: {error.strerror}; make room or rights there, or set MAPGRID_HOME to another place"
        ) from error
    with file:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise ClusterError(f"another program holds {path} since {_PATIENCE_S:.0f} s; end it") from error
                time.sleep(0.05)
        yield


def _remove_remains(draft: Path) -> None:
    """Delete what a killed creation left; its `initdb` may still write there, and ends when it finds its files gone."""
    deadline = time.monotonic() + _PATIENCE_S
    while draft.exists() and time.monotonic() < deadline:
        shutil.rmtree(draft, ignore_errors=True)
        time.sleep(0.01)


def _create(data: Path) -> None:
    """Make a data directory with the database in it: complete under another name, then renamed."""
    for remains in data.parent.glob("creating-*"):
        _remove_remains(remains)
    installation = installation_for_new_data()
    account = account_for(data)
    draft = Path(tempfile.mkdtemp(prefix="creating-", dir=data.parent))
    try:
        os.chown(draft, account.uid, account.gid)
        _fill(draft, installation, account)
        draft.rename(data)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(draft: Path, installation: Installation, account: Account) -> None:
    initdb: list[str | Path] = [installation.programs / "initdb", "--pgdata", draft, "--username", DATABASE]
    initdb += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "peer", "--data-checksums"]
    _check(account.run(initdb), draft)
    # Objects made without a server get numbers below 16384, which pg_dump and pg_upgrade take for PostgreSQL's own.
    _check(account.run([installation.programs / "pg_resetwal", "--next-oid=16384", draft]), draft)
    # Without a server: nobody can connect before the database is complete.
    alone: list[str | Path] = [installation.programs / "postgres", "--single", "-D", draft]
    _check(account.run([*alone, "postgres"], stdin=f"CREATE DATABASE {DATABASE}\n"), draft)
    _check(account.run([*alone, DATABASE], stdin="CREATE EXTENSION postgis\n"), draft)


def _check(done: subprocess.CompletedProcess[str], draft: Path) -> None:
    said = done.stderr.splitlines() or ["it said nothing"]
    faults = [line for line in said if any(word in line for word in ("ERROR:", "FATAL:", "PANIC:", "error:"))]
    if done.returncode == 0 and not faults:  # a server without clients ends with 0 after an ERROR
        return
    reason = (faults or said[-1:])[0]
    place = draft.parent
    if any("No space left" in line or "File too large" in line for line in said):
        free_mb = shutil.disk_usage(place).free // 2**20
        reason = f"the disk is full ({free_mb} MB free, about 100 MB needed), or a limit on file sizes is set"
    raise ClusterError(
        f"cannot make the database in {place}: {reason}; nothing was kept; put it right and start again, "
        "or set MAPGRID_HOME to a directory on another disk"
    )


def _stop_in(place: Path, *, at_once: bool = False) -> bool:
    pid = postmaster.running_pid(place / "data")
    if pid is not None:
        postmaster.stop(pid, at_once=at_once)
    (place / "keep").unlink(missing_ok=True)
    return pid is not None


def url_of(place: Path) -> str:
    """Return the URL of the server that runs on the directory `data` of a place."""
    directory = quote(str(placement.socket_directory(place)), safe="/")
    return f"postgresql://{DATABASE}@/{DATABASE}?host={directory}"


def _describe(place: Path, pid: int) -> Cluster:
    return Cluster(url_of(place), pid, place / "data", place / "log")
