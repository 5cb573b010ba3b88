"""The time of a request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Callable


def now() -> datetime:
    """Return the time of the application's clock: the machine's, unless `CLOCK` of its configuration says another."""
    clock: Callable[[], datetime] = current_app.config.get("CLOCK", lambda: datetime.now(UTC))
    return clock()
