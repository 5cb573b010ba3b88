"""The server process of the embedded database: found, launched, waited for, stopped."""

from __future__ import annotations

import os
import select
import shutil
import signal
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from geodata import archiving, placement
from geodata.postgres import ClusterError, Installation, account_for, list_installations

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_S = 90.0
"""How long to wait for a server: replaying the log after a kill takes seconds, on a slow disk many."""

# The beginning of ControlFileData (catalog/pg_control.h), the same in all majors: identifier, versions, state.
_CONTROL = struct.Struct("=QIIi")
_SHUT_DOWN = {1, 2}  # DB_SHUTDOWNED, DB_SHUTDOWNED_IN_RECOVERY
_ROOM_TO_START = 64 * 2**20  # bytes: a checkpoint and some 16 MB log segments
_LONGEST_LOG = 8 * 2**20  # bytes


def running_pid(data: Path) -> int | None:
    """Return the process id of the server that runs on the data, None if its pid file is missing or stale.

    The number alone proves nothing, another process may have it now: a server works inside its data directory.
    """
    lines = _pid_lines(data)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    return pid if _works_in(Path("/proc") / str(pid), data) else None


def has_socket(place: Path) -> bool:
    """Say whether the server's socket is where programs look for it."""
    directory = placement.socket_directory(place)
    return directory is not None and (directory / ".s.PGSQL.5432").is_socket()


def launch(place: Path, extra: Mapping[str, str] = MappingProxyType({})) -> int:
    """Start the server process apart from this one and return its process id once it has taken the data.

    Parameters
    ----------
    place
        The directory with `data` in it.
    extra
        Settings for this start beside the usual ones.
    """
    data, log = place / "data", place / "log"
    account, installation = account_for(data), installation_of(data)
    free = shutil.disk_usage(place).free
    if free < _ROOM_TO_START:
        raise ClusterError(
            f"the disk of {place} is full: {free // 2**20} MB free, {_ROOM_TO_START // 2**20} MB needed to start"
        )
    _forget_dead_server(place)
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.replace(place / "log.old")
    settings = {
        **placement.settings(place, account),
        **archiving.settings(place, account, installation),
        **extra,
    }
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
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=True,
            **account.become(),
        )
        writing.close()
        return _wait_for_pid(data, alive, log, said_before)


def wait_until_ready(place: Path, pid: int, patience_s: float = PATIENCE_S) -> None:
    """Return once the server accepts connections; the eighth line of its pid file says so."""
    log = place / "log"
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        lines = _pid_lines(place / "data")
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return
        if running_pid(place / "data") != pid:
            raise ClusterError(f"PostgreSQL ended while starting; {_last_words(log, 0)}")
        time.sleep(0.01)
    raise ClusterError(f"PostgreSQL was not ready after {patience_s:.0f} s; {_last_words(log, 0)}")


def wake(pid: int) -> None:
    """Let the server look at its timetable.

    Its checkpointer goes to sleep before the start is complete, and then for all of `checkpoint_timeout`: without this
    the first segment of the log would be archived after five minutes instead of one.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGHUP)


def was_shut_down(data: Path) -> bool:
    """Say whether the last server on the data ended as it should; one that was killed, or gave up, did not."""
    try:
        with (data / "global" / "pg_control").open("rb") as control:
            start = control.read(_CONTROL.size)
    except OSError:
        return True  # no data, nothing to start
    return len(start) == _CONTROL.size and _CONTROL.unpack(start)[3] in _SHUT_DOWN


def stop(pid: int, *, at_once: bool = False) -> None:
    """Ask for a fast shutdown and wait for its end; at once means without writing out what the log holds already."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return  # it has ended by itself
    try:
        signal.pidfd_send_signal(process, signal.SIGQUIT if at_once else signal.SIGINT)
        if not select.select([process], [], [], PATIENCE_S)[0]:
            raise ClusterError(f"PostgreSQL (process {pid}) did not stop within {PATIENCE_S:.0f} s")
    finally:
        os.close(process)


def ended_before(pid: int, pipe: int) -> bool:
    """Wait for the server's end or for the other end of a pipe to close; say whether the server ended first."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return pipe not in select.select([process, pipe], [], [])[0]
    finally:
        os.close(process)


def installation_of(data: Path) -> Installation:
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


def _wait_for_pid(data: Path, alive: int, log: Path, said_before: int) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        died = bool(select.select([alive], [], [], 0.01)[0])
        pid = running_pid(data)
        if pid is not None and (data / "postmaster.pid").read_text().count("\n") >= 5:
            return pid
        if died:
            break
    raise ClusterError(f"PostgreSQL did not start; {_last_words(log, said_before)}")


def _last_words(log: Path, said_before: int) -> str:
    said = log.read_bytes()[said_before:].decode(errors="replace").splitlines()
    telling = [line for line in said if "FATAL" in line or "PANIC" in line] or said[-1:] or ["it said nothing"]
    return f"{telling[-1].strip()} (all of it in {log})"


def _pid_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _works_in(process: Path, data: Path) -> bool:
    try:
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(data)
    except OSError:
        return False  # ended, or another account's


def _forget_dead_server(place: Path) -> None:
    """Wait for the last children of a killed server to end, then remove its pid file and its socket."""
    data = place / "data"
    deadline = time.monotonic() + PATIENCE_S
    while any(_works_in(process, data) for process in Path("/proc").glob("[0-9]*")):
        if time.monotonic() > deadline:
            raise ClusterError(f"processes of a killed PostgreSQL still work in {data}; end them")
        time.sleep(0.02)
    (data / "postmaster.pid").unlink(missing_ok=True)
    placement.clear_socket_directory(place)
