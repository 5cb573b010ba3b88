"""What a failed statement says about the database: away, busy, full, read-only, or two that got in each other's way.

All of these pass, or are put right, without a change to the program: whoever asked may ask again.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

if TYPE_CHECKING:
    from collections.abc import Mapping

STORE_ERRORS: tuple[type[Exception], ...] = (SQLAlchemyError, psycopg.Error)
"""What a statement can raise."""


class Trouble(StrEnum):
    """Why the database cannot do now what it could do a moment ago or later."""

    AWAY = "away"
    """It does not answer, is starting, or was ended."""
    BUSY = "busy"
    """No connection is free, a lock is held, or the statement took too long."""
    FULL = "full"
    """Its disk is full."""
    READ_ONLY = "read_only"
    """It takes no changes: a standby, or set so."""
    CONFLICT = "conflict"
    """Two transactions got in each other's way; this one was given up."""


# https://www.postgresql.org/docs/15/errcodes-appendix.html
_BY_CODE: Mapping[str, Trouble] = MappingProxyType(
    {
        "25006": Trouble.READ_ONLY,
        "25P03": Trouble.BUSY,  # the transaction stood open too long
        "40001": Trouble.CONFLICT,
        "40P01": Trouble.CONFLICT,
        "53000": Trouble.BUSY,
        "53100": Trouble.FULL,
        "53200": Trouble.BUSY,
        "53300": Trouble.BUSY,
        "53400": Trouble.BUSY,
        "55P03": Trouble.BUSY,  # lock_timeout
        "57014": Trouble.BUSY,  # statement_timeout, or ended by the administrator
        "58030": Trouble.FULL,  # a write failed; on a full disk the log says so
    }
)


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what an error says about the database, None when it says something about the statement."""
    if isinstance(error, PoolTimeoutError):
        return Trouble.BUSY
    is_cut_off = isinstance(error, DBAPIError) and error.connection_invalidated
    cause = error.orig if isinstance(error, DBAPIError) else error
    known = _BY_CODE.get(getattr(cause, "sqlstate", None) or "")
    if known is not None:
        return known
    return Trouble.AWAY if is_cut_off or isinstance(cause, psycopg.OperationalError) else None
