"""Ctrl-C, in whatever clothes it arrives."""

from __future__ import annotations


def is_interrupt(error: BaseException | None) -> bool:
    """Say whether an error is a Ctrl-C, or was caused by one.

    An interrupt that falls into a compiled function surfaces as the `SystemError` of its caller.
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
