"""The embedded PostgreSQL with PostGIS of a machine that has no database server of its own.

A private cluster on a unix socket, made on first use. Everything lies under one home directory::

    database/data         what PostgreSQL keeps; owned by the account it runs as
    database/log          what it says
    database/socket       the path of the directory its socket lies in
    database/hba.conf     who may connect: the accounts of ident.conf, over the socket
    database.lock         held while somebody starts, stops or destroys it
    database.users        held, shared, by every program that works on it
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from geodata import placement
from geodata.postgres import (
    Account,
    ClusterError,
    Installation,
    account_for,
    installation_for_new_data,
    list_installations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "mapgrid"
"""Name of the database and of the role that owns it."""

_PATIENCE_S = 90.0  # replaying the log after a kill takes seconds; a slow disk may need many
_ROOM_TO_START = 64 * 2**20  # bytes: a checkpoint and some 16 MB log segments
_LONGEST_LOG = 8 * 2**20  # bytes


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


def start(home: Path, *, keep: bool = True) -> Cluster:
    """Return the running cluster of a home directory; make and start it when needed.

    Parameters
    ----------
    home
        Directory under which everything is kept; made when missing.
    keep
        Whether it goes on running when the programs that use it have ended.

    Raises
    ------
    ClusterError
        If it cannot be made or started; nothing half-made is left.
    """
    with _locked(home):
        place = placement.prepare(home)
        data = place / "data"
        if not data.exists():
            _create(data)
        pid = _running_pid(data)
        if pid is not None and not _has_socket(place):
            _stop(pid)  # the directory of its socket was cleaned away: nobody can reach it
            pid = None
        if pid is None:
            pid = _launch(place)
        _wait_until_ready(place, pid)
        if keep:
            (place / "keep").write_text(str(pid))
        return _describe(place, pid)


def status(home: Path) -> Cluster | None:
    """Return the cluster of a home directory if it runs, else None."""
    place = (home / "database").resolve()
    pid = _running_pid(place / "data")
    return None if pid is None or not _has_socket(place) else _describe(place, pid)


def stop(home: Path) -> bool:
    """Stop the cluster of a home directory after its open transactions are rolled back; say whether it ran."""
    with _locked(home):
        return _stop_in((home / "database").resolve())


def destroy(home: Path) -> bool:
    """Stop the cluster of a home directory and delete all it keeps; say whether there was any."""
    with _locked(home):
        place = home / "database"
        if not place.exists():
            return False
        _stop_in(place)
        placement.remove(place)
        return True


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
            _stop_if_unused(home, users.fileno())


def _stop_if_unused(home: Path, users: int) -> None:
    with _locked(home):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else works on it
        place = home / "database"
        kept = place / "keep"
        if not (kept.exists() and kept.read_text() == str(_running_pid(place / "data"))):
            _stop_in(place)


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
        deadline = time.monotonic() + 2 * _PATIENCE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise ClusterError(f"another program holds {path} since {2 * _PATIENCE_S:.0f} s; end it") from error
                time.sleep(0.05)
        yield


def _create(data: Path) -> None:
    """Make a data directory with the database in it: complete under another name, then renamed."""
    for remains in data.parent.glob("creating-*"):
        shutil.rmtree(remains)
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


def _installation_of(data: Path) -> Installation:
    """Return the installation of the major version that wrote a data directory."""
    major = int((data / "PG_VERSION").read_text())
    installations = list_installations()
    for installation in installations:
        if installation.major == major:
            return installation
    installed = ", ".join(str(each.major) for each in installations) or "none"
    raise ClusterError(
        f"{data} was made by PostgreSQL {major}, installed here: {installed}; install {major} again "
        f"(apt-get install postgresql-{major}-postgis-3), or move the directory away to begin with an empty database "
        "(mapgrid db destroy deletes it)"
    )


def _launch(place: Path) -> int:
    """Start the server process apart from this one and return its process id once it has taken the data."""
    data, log = place / "data", place / "log"
    account, installation = account_for(data), _installation_of(data)
    free = shutil.disk_usage(place).free
    if free < _ROOM_TO_START:
        raise ClusterError(
            f"the disk of {place} is full: {free // 2**20} MB free, {_ROOM_TO_START // 2**20} MB needed to start"
        )
    _forget_dead_server(data)
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.replace(place / "log.old")
    settings = placement.settings(place, account)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server: list[str | Path] = [installation.programs / "postgres", "-D", data, *options]
    # The server and its children keep the writing end: end of file means they died.
    alive, inherited = os.pipe()
    with log.open("a", errors="replace") as messages, os.fdopen(alive), os.fdopen(inherited, "w") as writing:
        said_before = messages.tell()
        subprocess.run(  # noqa: S603 - our own argument list, no shell
            ["/usr/bin/setsid", "--fork", *server],
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            pass_fds=(inherited,),
            cwd="/",
            check=True,
            **account.become(),
        )
        writing.close()
        return _wait_for_pid(data, alive, log, said_before)


def _wait_for_pid(data: Path, alive: int, log: Path, said_before: int) -> int:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        died = bool(select.select([alive], [], [], 0.01)[0])
        pid = _running_pid(data)
        if pid is not None and (data / "postmaster.pid").read_text().count("\n") >= 5:
            return pid
        if died:
            break
    raise ClusterError(f"PostgreSQL did not start; {_last_words(log, said_before)}")


def _last_words(log: Path, said_before: int) -> str:
    said = log.read_bytes()[said_before:].decode(errors="replace").splitlines()
    telling = [line for line in said if "FATAL" in line or "PANIC" in line] or said[-1:] or ["it said nothing"]
    return f"{telling[-1].strip()} (all of it in {log})"


def _wait_until_ready(place: Path, pid: int) -> None:
    """Return once the server accepts connections; the eighth line of its pid file says so."""
    log = place / "log"
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        lines = _pid_lines(place / "data")
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        if _running_pid(place / "data") != pid:
            raise ClusterError(f"PostgreSQL ended while starting; {_last_words(log, 0)}")
        time.sleep(0.01)
    raise ClusterError(f"PostgreSQL was not ready after {_PATIENCE_S:.0f} s; {_last_words(log, 0)}")


def _pid_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _running_pid(data: Path) -> int | None:
    """Return the process id of the server that runs on the data, None if its pid file is missing or stale.

    The number alone proves nothing, another process may have it now: a server works inside its data directory.
    """
    lines = _pid_lines(data)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    return pid if _works_in(Path("/proc") / str(pid), data) else None


def _works_in(process: Path, data: Path) -> bool:
    try:
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(data)
    except OSError:
        return False  # ended, or another account's


def _forget_dead_server(data: Path) -> None:
    """Wait for the last children of a killed server to end, then remove its pid file."""
    deadline = time.monotonic() + _PATIENCE_S
    while any(_works_in(process, data) for process in Path("/proc").glob("[0-9]*")):
        if time.monotonic() > deadline:
            raise ClusterError(f"processes of a killed PostgreSQL still work in {data}; end them")
        time.sleep(0.02)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _has_socket(place: Path) -> bool:
    directory = placement.socket_directory(place)
    return directory is not None and (directory / ".s.PGSQL.5432").is_socket()


def _stop_in(place: Path) -> bool:
    pid = _running_pid(place / "data")
    if pid is not None:
        _stop(pid)
    placement.remove_socket_directory(place)
    (place / "keep").unlink(missing_ok=True)
    return pid is not None


def _stop(pid: int) -> None:
    """Ask for a fast shutdown and wait for its end."""
    process = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(process, signal.SIGINT)
        if not select.select([process], [], [], _PATIENCE_S)[0]:
            raise ClusterError(f"PostgreSQL (process {pid}) did not stop within {_PATIENCE_S:.0f} s")
    finally:
        os.close(process)


def _describe(place: Path, pid: int) -> Cluster:
    directory = quote(str(placement.socket_directory(place)), safe="/")
    return Cluster(f"postgresql://{DATABASE}@/{DATABASE}?host={directory}", pid, place / "data", place / "log")
