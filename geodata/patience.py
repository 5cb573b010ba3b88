"""How long to wait for a database that is slow, full, paused or gone: never for ever.

The server's own limits (`statement_timeout`, `lock_timeout`) end what takes too long. They cannot help when the server
itself stands still, or the network swallows every packet: there the connection gives up by its own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.errors import _WaitTimeout
from sqlalchemy import event
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from sqlalchemy import URL, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

_Result = TypeVar("_Result")
_PING_S = 2.0
"""A connection that has rested in the pool must answer this soon, or is thrown away."""
_MORE_AT_PEAKS = 11
"""Connections beside the 5 that are kept: two for each of a worker's 8 threads, since counting tries takes one."""
_GRACE_S = 2.0
"""How much longer than the server's own limit the client waits: the server's answer says more."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of one engine, in seconds; 0 means that work may take as long as it takes.

    Attributes
    ----------
    connect_s
        For a connection to be made; the driver allows 2 at least.
    pool_s
        For one of the pool's connections to come free.
    lock_s
        For a lock that somebody else holds.
    statement_s
        For one statement.
    whole_s
        For all answers together between taking a connection from the pool and giving it back.
    idle_s
        How long a transaction may stand open without a statement before the server ends it.
    """

    connect_s: int = 10
    pool_s: float = 10
    lock_s: float = 0
    statement_s: float = 0
    whole_s: float = 0
    idle_s: float = 0

    def options(self) -> str:
        """Return the server's part of the limits as options of a connection."""
        limits = {
            "lock_timeout": self.lock_s,
            "statement_timeout": self.statement_s,
            "idle_in_transaction_session_timeout": self.idle_s,
        }
        return " ".join(f"-c {name}={round(1000 * limit_s)}" for name, limit_s in limits.items() if limit_s)


COMMAND = Patience()
"""A person at a terminal, who sees that it works and can end it."""

REQUEST = Patience(connect_s=3, pool_s=3, lock_s=3, statement_s=8, whole_s=15, idle_s=30)
"""A request, at whose end somebody waits for a page."""

PROBE = Patience(connect_s=2, pool_s=1, lock_s=1, statement_s=1, whole_s=2, idle_s=5)
"""A question whether the database is there at all."""

JOB = Patience(connect_s=5, pool_s=5, lock_s=30, statement_s=600)
"""Work in the background."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server does not answer in time.

    Attributes
    ----------
    answer_s
        How long to wait for one answer; None for ever.
    until
        When, by the monotonic clock, all waiting ends; None for never.
    """

    answer_s: float | None = _PING_S
    until: float | None = None

    def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:
        """Wait for an answer as psycopg does, though not for ever.

        Raises
        ------
        OperationalError
            If the server did not answer in time. The connection is closed then: nobody could tell what it will say.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        patience_s = self._patience_s()
        try:
            return super().wait(gen, interval, patience_s)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the database did not answer within {patience_s:.1f} s") from error

    def _patience_s(self) -> float | None:
        if self.until is None:
            return self.answer_s
        left_s = max(self.until - monotonic(), 0.05)
        return left_s if self.answer_s is None else min(left_s, self.answer_s)


def connect_arguments(url: URL, patience: Patience) -> dict[str, Any]:
    """Return what the driver is told about a connection; options in the URL come last, so that they win."""
    given = url.query.get("options", "")
    options = f"{patience.options()} {given if isinstance(given, str) else ' '.join(given)}".strip()
    return {
        "client_encoding": "utf8",
        "connect_timeout": patience.connect_s,
        # A peer whose machine lost power sends no goodbye: ask after 10 s, give up 15 s later.
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        **({"options": options} if options else {}),
    }


def pool_arguments(patience: Patience, pool_size: int) -> dict[str, Any]:
    """Return what the pool is told: connections are checked before use and replaced after half an hour."""
    if pool_size == 0:
        return {"poolclass": NullPool}
    return {
        "pool_size": pool_size,
        "max_overflow": _MORE_AT_PEAKS,
        "pool_timeout": patience.pool_s,
        "pool_recycle": 1800,
        "pool_pre_ping": True,
        "pool_use_lifo": True,  # the ones not needed grow old and are closed
    }


def make_patient(engine: Engine, patience: Patience) -> None:
    """Let every connection of an engine keep to the limits."""
    answer_s = patience.statement_s + _GRACE_S if patience.statement_s else None

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _entry: object, arguments: list[Any], named: dict[str, Any]) -> PatientConnection:
        return PatientConnection.connect(*arguments, **named)

    @event.listens_for(engine, "checkout")
    def begin(connection: PatientConnection, _entry: ConnectionPoolEntry, _proxy: object) -> None:
        connection.answer_s = answer_s
        connection.until = monotonic() + patience.whole_s if patience.whole_s else None

    @event.listens_for(engine, "checkin")
    def end(connection: PatientConnection | None, _entry: ConnectionPoolEntry) -> None:
        if connection is not None:  # None when it broke
            connection.answer_s, connection.until = _PING_S, None


def as_psycopg(url: URL) -> URL:
    """Return a URL with the driver that all limits are written for."""
    return url.set(drivername="postgresql+psycopg")
