"""Start the reading child, wait no longer than its work deserves, and turn its silence into a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pyogrio

from geodata.files import bounds
from mapgrid.errors import Fault, InputRefusedError, MapgridError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Asked = Callable[[], bool]
_is_given_up: ContextVar[_Asked] = ContextVar("is_given_up", default=lambda: False)
_LOOK_EVERY_S = 0.1
_SOURCES = Path(__file__).resolve().parent.parent.parent
_NOWHERE = "127.0.0.1:9"  # the port "discard", where nobody answers


class GivenUpError(MapgridError):
    """Reading a file was given up by who asked for it."""


@contextmanager
def given_up_when(is_given_up: _Asked) -> Iterator[None]:
    """Let readings in the block end, with `GivenUpError`, as soon as a question is answered with yes."""
    kept = _is_given_up.set(is_given_up)
    try:
        yield
    finally:
        _is_given_up.reset(kept)


def ask(request: Mapping[str, Any], seconds: int) -> bytes:
    """Return the answer of a new child to a request, or raise `InputRefusedError` when it gives none.

    Parameters
    ----------
    request
        `action` and what it takes (see `geodata.files.apart`); `name`, `layer` and `format` as faults call them.
    seconds
        Processor time the child may use; on the clock it is half as much again, and at least two more.
    """
    limits = {"memory_bytes": bounds.CHILD_MEMORY_BYTES, "cpu_seconds": seconds}
    child = subprocess.Popen(  # our own module, no shell, the request on standard input
        [sys.executable, "-P", "-m", "geodata.files.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(request.get("driver")),
    )
    watch = _Watch(child, max(seconds * 1.5, seconds + bounds.GRACE_SECONDS), _is_given_up.get())
    with child:
        watch.start()
        try:
            answer = _exchange(child, json.dumps({**request, **limits}).encode())
        finally:
            child.kill()  # also when the caller is interrupted; what has ended already does not mind
            watch.join()
    if watch.was_given_up:
        raise GivenUpError("reading the file was given up; nothing was changed")
    if answer is None or child.returncode != 0:
        raise InputRefusedError([_gave_up(request, seconds)])
    return answer


class _Watch(Thread):
    """Kills a child whose time is over, or whom nobody waits for any longer.

    Attributes
    ----------
    was_given_up
        Whether it was killed for the second reason.
    """

    def __init__(self, child: subprocess.Popen[bytes], seconds: float, is_given_up: _Asked) -> None:
        super().__init__(daemon=True)
        self.was_given_up = False
        self._child, self._ends_at, self._is_given_up = child, time.monotonic() + seconds, is_given_up

    def run(self) -> None:
        """Look at the child until it has ended."""
        while not self._has_ended():
            self.was_given_up = self._is_given_up()
            if self.was_given_up or time.monotonic() > self._ends_at:
                self._child.kill()
                return

    def _has_ended(self) -> bool:
        try:
            self._child.wait(_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            return False
        return True


def _exchange(child: subprocess.Popen[bytes], request: bytes) -> bytes | None:
    """Return what the child says, None when that is more than any file deserves."""
    assert child.stdin is not None  # noqa: S101  both are pipes
    assert child.stdout is not None  # noqa: S101
    try:
        child.stdin.write(request)  # the child reads all of it before it says a word: no deadlock
        child.stdin.close()
    except BrokenPipeError:
        return None
    answer = child.stdout.read(bounds.MOST_ANSWER_BYTES + 1)
    if len(answer) > bounds.MOST_ANSWER_BYTES:
        return None
    child.wait()
    return answer


def _gave_up(request: Mapping[str, Any], seconds: int) -> Fault:
    memory = bounds.CHILD_MEMORY_BYTES // bounds.MIB
    expected = f"a {request.get('format', 'shape')} that can be read in {seconds} s and {memory} MiB"
    return Fault(expected, "one that cannot", file=request["name"] or None, layer=request.get("layer"))


def _environment(driver: str | None) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(_SOURCES),
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OGR_SKIP": ",".join(sorted(_drivers() - {driver})),
        "GDAL_DRIVER_PATH": "disable",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "0",
        "PROJ_NETWORK": "OFF",
        # GeoJSON may name the address of its coordinate system. Where the kernel gives no empty network, it ends here.
        "GDAL_HTTP_PROXY": _NOWHERE,
        "GDAL_HTTPS_PROXY": _NOWHERE,
    }


@cache
def _drivers() -> frozenset[str]:
    return frozenset(pyogrio.list_drivers())
