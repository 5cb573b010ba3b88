"""How set-up tells what it does and remembers what is done. Needs Python alone.

A step is done when its stamp in `.setup/` holds the digest of what it was made from. The stamp is removed before
the step begins and written when it has ended, so that an interruption at any point means: begin that step again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
STAMPS = Path(".setup")
LONGEST_SILENCE_S = 4.0


class SetupError(Exception):
    """A step that cannot be done, and what to do about it."""


class Progress:
    """Tell what happens: a line when a step ends, and at least one every few seconds meanwhile."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told = self._began
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """Print a line with the seconds since the beginning."""
        with self._lock:
            self._told = time.monotonic()
            sys.stdout.write(f"[{self._told - self._began:4.0f} s] {line}\n")
            sys.stdout.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell the beginning and the end of a step."""
        began = self._running[title] = time.monotonic()
        self.say(f"{title} …")
        try:
            yield
        finally:
            del self._running[title]
        self.say(f"{title}: done in {time.monotonic() - began:.0f} s")

    def keep_talking(self) -> None:
        """Name the steps that run whenever nothing was said for a while; runs in a thread of its own."""
        while True:
            time.sleep(0.5)
            now = time.monotonic()
            running = dict(self._running)
            if running and now - self._told >= LONGEST_SILENCE_S:
                self.say("  … still " + ", ".join(f"{title} ({now - t:.0f} s)" for title, t in running.items()))


PROGRESS = Progress()


def run(title: str, *commands: list[str], hint: str) -> None:
    """Run commands one after the other, with their output in `.setup/TITLE.log`.

    Raises
    ------
    SetupError
        With the last lines of the log and the hint, if one of them fails.
    """
    log = STAMPS / f"{title.replace(' ', '-').replace(',', '')}.log"
    environment = {**os.environ, "PIP_USER": "0", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    with PROGRESS.step(title), log.open("w", errors="replace") as said:
        for command in commands:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, check=False
            )
            if done.returncode != 0:
                last = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-8:])
                raise SetupError(f"{title} failed: {' '.join(command)}\n{last}\n  {hint} (all of it: {log})")


def digest(*parts: Path | str) -> str:
    """Return the digest of texts and of the files' contents."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        total.update(b"\0")
    return total.hexdigest()


def once(stamps: Iterable[str], made_from: str, do: Callable[[], None]) -> None:
    """Do a step unless the first of its stamps says that it was done from the same."""
    files = [STAMPS / stamp for stamp in stamps]
    if files[0].exists() and files[0].read_text() == made_from:
        return
    for file in files:
        file.unlink(missing_ok=True)
    do()
    files[0].write_text(made_from)
