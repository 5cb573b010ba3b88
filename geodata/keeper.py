"""A small process that stops the embedded database when the programs that need it are gone, however they went.

A program that is killed cannot stop what it started. The keeper waits on a pipe that every one of those programs holds
open; when the last of them has ended, it stops the database, unless others work on it or it was started to stay.
Run as `python -m geodata.keeper HOME`, with the pipe as its standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from geodata import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_S = 30.0


@contextmanager
def kept(home: Path) -> Iterator[int]:
    """Lend the descriptor that the programs of a running cluster inherit; the cluster outlives none of them."""
    waiting, held = os.pipe()
    keeper = subprocess.Popen(  # noqa: S603 - our own list
        [sys.executable, "-m", "geodata.keeper", str(home)],
        stdin=waiting,
        process_group=0,  # Ctrl-C is not for it
    )
    os.close(waiting)
    try:
        yield held
    finally:
        os.close(held)
        try:
            keeper.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:  # the caller stops the cluster anyway
            keeper.kill()
            keeper.wait()


def main(home: Path) -> None:
    """Wait for the end of standard input, then stop the cluster if nobody uses it."""
    while os.read(0, 512):
        pass
    cluster.stop_if_unused(home)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
