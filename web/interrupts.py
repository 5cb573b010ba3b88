"""Ctrl-C, in whatever clothes it arrives."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130
"""The exit code of a command that was stopped."""

_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def leaving_at_once(said: str) -> Iterator[None]:
    """Have Ctrl-C end the program there and then, as long as nothing is being written.

    While functions are compiled an exception may fall into a callback of the compiler, where it is lost or leaves the
    compiler broken.
    """

    def leave(*_: object) -> None:
        os.write(2, (_SHOW_CURSOR * sys.stderr.isatty() + said + "\n").encode())
        os._exit(INTERRUPTED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def is_interrupt(error: BaseException | None) -> bool:
    """Say whether an error is a Ctrl-C, or was caused by one.

    An interrupt that falls into a compiled function surfaces as the `SystemError` of its caller.
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
