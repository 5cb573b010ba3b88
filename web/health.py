"""What the health pages say, and to whom."""

from __future__ import annotations

import hmac
import ipaddress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geodata.backup.nights import backups_in
from geodata.database import open_engine, session_maker
from geodata.jobs import count_by_state
from geodata.patience import PROBE
from geodata.readiness import answers, room_in, unfit
from geodata.troubles import STORE_ERRORS
from web.metrics import Watch, watch

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask, Request
    from sqlalchemy import Engine

_PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


def register(app: Flask, database_url: str) -> None:
    """Open what the health pages ask, and show figures of the database and the disk."""
    home = app.config["SETTINGS"].home
    app.extensions["probe"] = probe = open_engine(database_url, pool_size=0, patience=PROBE)
    watch(app, Watch("mapgrid_database_up", "Whether the database answers", lambda: {"": float(answers(probe))}))
    watch(app, Watch("mapgrid_jobs", "Jobs by state", lambda: _jobs(probe), label="state"))
    watch(app, Watch("mapgrid_backup_age_seconds", "Age of the newest proved backup", lambda: _backup_age(home)))
    watch(app, Watch("mapgrid_disk_free_bytes", "Room left where mapgrid writes", lambda: {"": float(room_in(home))}))


def _jobs(probe: Engine) -> dict[str, float]:
    try:
        with session_maker(probe)() as session:
            return {state: float(number) for state, number in count_by_state(session).items()}
    except STORE_ERRORS:
        return {}  # the database is away, which another figure tells


def _backup_age(home: Path) -> dict[str, float]:
    """Return how old the newest nightly backup is; nothing while there is none."""
    newest = max(backups_in(home / "backups"), default=None)
    return {} if newest is None else {"": (datetime.now(UTC) - newest).total_seconds()}


def reasons_against(app: Flask) -> list[str]:
    """Return why no work should be sent here, nothing when it should."""
    return [str(reason) for reason in unfit(app.extensions["probe"], app.config["SETTINGS"].home)]


def may_read_metrics(request: Request, token: str | None) -> bool:
    """Say whether a request may read the figures.

    With a token in the settings, who brings it; without, a program of this machine that asks directly. Behind a proxy
    everybody seems to be on this machine, so what a proxy passed on does not count.
    """
    if token:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
