"""Directories for the time of one piece of work; what a killed program left is removed by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def scratch(place: Path, prefix: str, clear: Callable[[Path], None] = shutil.rmtree) -> Iterator[Path]:
    """Lend a new directory in a place, deleted at the end, after those that nobody holds any more.

    Parameters
    ----------
    place
        An existing directory.
    prefix
        How the names of these directories begin.
    clear
        What deletes one.
    """
    with _held(place):
        for remains in place.glob(f"{prefix}*"):
            if _is_left(remains):
                clear(remains)
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        mark = os.open(directory, os.O_RDONLY)
        fcntl.flock(mark, fcntl.LOCK_EX)
    try:
        yield directory
    finally:
        clear(directory)
        os.close(mark)


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    """Hold a directory, so that nobody clears it while a new one is made in it."""
    mark = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX)
        yield
    finally:
        os.close(mark)


def _is_left(directory: Path) -> bool:
    """Say whether the program that made a directory has ended."""
    mark = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(mark)
