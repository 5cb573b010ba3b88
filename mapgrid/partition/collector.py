"""Python's cyclic collector left out while much is drawn.

It walks everything that is loaded whenever some tens of thousands of objects were made. Geometries are such objects,
and none of them is ever part of a cycle: they are freed when nobody holds them, without it.
"""

from __future__ import annotations

import gc
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def without_collector(made: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Return the function, run without the cyclic collector where that was at work."""

    @wraps(made)
    def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Made:
        was_at_work = gc.isenabled()
        gc.disable()
        try:
            return made(*args, **kwargs)
        finally:
            if was_at_work:
                gc.enable()

    return run
