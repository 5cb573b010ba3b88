"""Places where the worker processes count, each its own.

prometheus-client gives every process a file named by its number and keeps it for ever: workers that are replaced now
and then would fill the disk. Here a process takes the first free place and goes on counting where the last holder
stopped, so that there are never more files than there were workers at once. A place is held by a lock, which dies with
its holder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which prometheus-client finds the directory."""
_PREFIX = "counts-"

_held: dict[int, tuple[int, TextIOWrapper]] = {}  # by process: a fork takes a place of its own


@contextmanager
def lent_below(home: Path) -> Iterator[str]:
    """Lend a new directory to count in; those of servers that were killed are deleted."""
    home.mkdir(parents=True, exist_ok=True)
    for abandoned in home.glob(f"{_PREFIX}*"):
        if not any(map(_is_held, abandoned.glob("place-*"))):
            shutil.rmtree(abandoned, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, dir=home) as directory,
        (Path(directory) / "place-none").open("w") as mine,  # counts nothing, and shows that somebody is there
    ):
        fcntl.flock(mine, fcntl.LOCK_EX)
        yield directory


def share() -> None:
    """Let this process and its forks count in files instead of memory; before any figure is made."""
    values.ValueClass = values.MultiProcessValue(_place)  # type: ignore[misc, assignment]


def forget_dead(directory: str) -> None:
    """Delete what holders that are gone said about themselves; what they counted stays."""
    for lock in Path(directory).glob("place-*"):
        if not _is_held(lock):
            _forget(lock)


def _place() -> int:
    """Return the number of this process's place, taken when first asked for."""
    mine = _held.get(os.getpid())
    if mine is None:
        _held.clear()  # of the process this one was forked from
        mine = _held[os.getpid()] = _take(Path(os.environ[VARIABLE]))
    return mine[0]


def _take(directory: Path) -> tuple[int, TextIOWrapper]:
    for number in count():
        lock = directory / f"place-{number}"
        file = lock.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _forget(lock)
        return number, file
    raise AssertionError  # count() has no end


def _is_held(lock: Path) -> bool:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _forget(lock: Path) -> None:
    number = lock.name.removeprefix("place-")
    for remains in lock.parent.glob(f"gauge_live*_{number}.db"):
        remains.unlink(missing_ok=True)
