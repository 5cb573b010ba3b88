"""The programs that `mapgrid serve` keeps running: started, started again when they die, replaced, stopped."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STOP_S = 8.0
"""How long a program may take to end before it is killed; the server itself gives its requests 5 s."""
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
"""A program that ran for so long before it died is started again at once."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Program:
    """One program to keep running.

    Attributes
    ----------
    name
        What the log calls it.
    command
        Returns its arguments, given the number of a pipe on which it says `r` once it works.
    environment
        Its environment.
    descriptors
        Open files it inherits.
    is_vital
        Whether nothing works without it: when it cannot even start, the supervisor ends.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    environment: Mapping[str, str]
    descriptors: Sequence[int] = ()
    is_vital: bool = False


@dataclass(slots=True)
class _Running:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    ready: int = -1
    successor: _Running | None = None
    is_ready: bool = False
    started_at: float = 0.0
    pause_s: float = 0.0
    start_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running until SIGINT or SIGTERM; SIGHUP replaces each by a new one without a gap.

    Attributes
    ----------
    programs
        What to run.
    when_ready
        Called once, when the vital program works for the first time.
    when_stopping
        Called once, before the programs are stopped.
    """

    programs: Sequence[Program]
    when_ready: Callable[[], None]
    when_stopping: Callable[[], None]
    _running: list[_Running] = field(default_factory=list)
    _retired: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _announced: bool = False
    _status: int | None = None

    def run(self) -> int:
        """Return the exit status: 0, or that of a vital program that could not start."""
        with _signals() as wake:
            self._running = [_Running(program) for program in self.programs]
            try:
                for each in self._running:
                    self._start(each)
                while self._status is None:
                    self._turn(wake)
            finally:
                self.when_stopping()
                self._stop()
        return self._status or 0

    def _turn(self, wake: int) -> None:
        """Wait for a signal, a word of a program or the time to start one again, and do what follows."""
        with selectors.DefaultSelector() as selector:
            selector.register(wake, selectors.EVENT_READ)
            for each in self._all():
                if each.ready >= 0:
                    selector.register(each.ready, selectors.EVENT_READ, each)
            for key, _ in selector.select(self._until_next_start()):
                if key.data is None:
                    self._heed(os.read(wake, 512))
                else:
                    self._hear(key.data)
        if self._status is None:
            self._bury()
            for each in self._running:
                if each.process is None and monotonic() >= each.start_at:
                    self._start(each)

    def _all(self) -> list[_Running]:
        return [*self._running, *(each.successor for each in self._running if each.successor)]

    def _until_next_start(self) -> float | None:
        waiting = [each.start_at for each in self._running if each.process is None]
        return max(min(waiting) - monotonic(), 0) if waiting else None

    def _heed(self, numbers: bytes) -> None:
        if signal.SIGINT in numbers or signal.SIGTERM in numbers:
            self._status = 0
        elif signal.SIGHUP in numbers:
            for each in self._running:
                if each.successor is None and each.process is not None:
                    each.successor = _Running(each.program)
                    self._start(each.successor)

    def _hear(self, spoken: _Running) -> None:
        said = os.read(spoken.ready, 1)
        os.close(spoken.ready)
        spoken.ready = -1
        if not said:
            return  # it ended before it worked
        spoken.is_ready = True
        for each in self._running:
            if each.successor is spoken:
                self._replace(each)
        if spoken.program.is_vital and not self._announced:
            self._announced = True
            self.when_ready()

    def _replace(self, each: _Running) -> None:
        """Let the successor take over: it listens on the same socket already."""
        successor = each.successor
        if each.process is not None:
            each.process.terminate()
            self._retired.append(each.process)
        if successor is not None:
            each.process, each.is_ready, each.started_at = successor.process, True, successor.started_at
            each.successor = None

    def _bury(self) -> None:
        """See which programs have ended, and when to start them again."""
        self._retired = [process for process in self._retired if process.poll() is None]
        for each in self._running:
            if each.successor is not None and _has_ended(each.successor):
                _log.error("the new %s did not start; the old one goes on", each.program.name)
                _forget(each.successor)
                each.successor = None
            if _has_ended(each):
                self._mourn(each)

    def _mourn(self, each: _Running) -> None:
        status = each.process.returncode if each.process else 0
        if each.program.is_vital and not self._announced:
            self._status = status if status > 0 else 1
        _log.error("the %s ended with %s; starting it again", each.program.name, status)
        is_steady = each.is_ready and monotonic() - each.started_at > _STEADY_S
        each.pause_s = 0.0 if is_steady or each.pause_s == 0 else min(2 * each.pause_s, _LONGEST_PAUSE_S)
        each.start_at = monotonic() + each.pause_s
        each.pause_s = each.pause_s or 0.25
        _forget(each)

    def _start(self, each: _Running) -> None:
        ready, say_ready = os.pipe()
        each.ready, each.is_ready, each.started_at = ready, False, monotonic()
        # A group of its own: Ctrl-C reaches only us, and we ask each to finish what it does.
        each.process = subprocess.Popen(  # noqa: S603 - our own list
            each.program.command(say_ready),
            env=each.program.environment,
            pass_fds=[*each.program.descriptors, say_ready],
            process_group=0,
        )
        os.close(say_ready)

    def _stop(self) -> None:
        processes = [each.process for each in self._all() if each.process is not None] + self._retired
        for process in processes:
            process.terminate()
        deadline = monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(max(deadline - monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for each in self._all():
            _forget(each)


def _has_ended(each: _Running) -> bool:
    return each.process is not None and each.process.poll() is not None


def _forget(each: _Running) -> None:
    each.process = None
    if each.ready >= 0:
        os.close(each.ready)
        each.ready = -1


@contextmanager
def _signals() -> Iterator[int]:
    """Lend a pipe on which the numbers of signals arrive."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    before_fd = signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    try:
        yield wake
    finally:
        signal.set_wakeup_fd(before_fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(wake)
        os.close(woken)
