"""Limits on tries, counted in the database, so that they hold across all server processes."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

import limits
from flask import current_app, request
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError

from geodata import rate_limits
from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from flask import Flask
    from limits import RateLimitItem
    from sqlalchemy import Engine

    from mapgrid.roles import Actor

PER_ADDRESS = limits.parse("10 per 5 minutes")
PER_LOGIN = limits.parse("10 per 5 minutes")
IN_ALL = limits.parse("1000 per 5 minutes")
UNMASKED = limits.parse("60 per hour")
UPLOADED = limits.parse("240 per hour")


class TooManyTriesError(MapgridError):
    """Something was tried too often.

    Attributes
    ----------
    retry_after_s
        In how many seconds it may be tried again.
    """

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"too many tries; wait {retry_after_s} s and try again")


class DatabaseStorage(Storage):
    """The counters of the library `limits` in our own database: it knows no PostgreSQL by itself."""

    STORAGE_SCHEME = None

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what going wrong looks like."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count tries."""
        return rate_limits.count_hit(self._engine, key, expiry, amount)

    def get(self, key: str) -> int:
        """Return the tries in the window."""
        return rate_limits.load_window(self._engine, key)[0]

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, seconds since 1970."""
        ends_at = rate_limits.load_window(self._engine, key)[1]
        return time.time() if ends_at is None else ends_at.timestamp()

    def check(self) -> bool:
        """Say whether the storage answers."""
        rate_limits.load_window(self._engine, "")
        return True

    def reset(self) -> int:
        """Forget all."""
        return rate_limits.forget(self._engine)

    def clear(self, key: str) -> None:
        """Forget one."""
        rate_limits.forget(self._engine, key)


def register(app: Flask) -> None:
    """Count the application's tries in its database."""
    app.extensions["limiter"] = FixedWindowRateLimiter(DatabaseStorage(app.extensions["engine"]))


def count_unmask(actor: Actor) -> None:
    """Count a household seen in full: more an hour than anybody visits looks like copying.

    Raises
    ------
    TooManyTriesError
        If it is over the limit.
    """
    _hit(UNMASKED, ("unmask", str(actor.account_id)))


def count_upload(actor: Actor) -> None:
    """Count a file that somebody sends.

    Raises
    ------
    TooManyTriesError
        If it is over the limit.
    """
    _hit(UPLOADED, ("upload", str(actor.account_id)))


def count_try(what: str, login: str) -> None:
    """Count a try by the address it comes from, the login it is for, and in all.

    Raises
    ------
    TooManyTriesError
        If one of the three is over its limit.
    """
    for limit, keys in (  # what one address does too often must not count against everybody
        (PER_ADDRESS, (what, "address", request.remote_addr or "")),
        (PER_LOGIN, (what, "login", sha256(login.encode(errors="replace")).hexdigest()[:24])),
        (IN_ALL, (what, "all")),
    ):
        _hit(limit, keys)


def _hit(limit: RateLimitItem, keys: tuple[str, ...]) -> None:
    limiter: FixedWindowRateLimiter = current_app.extensions["limiter"]
    if not limiter.hit(limit, *keys):
        reset_at = limiter.get_window_stats(limit, *keys).reset_time
        raise TooManyTriesError(max(1, round(reset_at - time.time())))
