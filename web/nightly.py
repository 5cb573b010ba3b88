"""What is done every night: old things are forgotten, and a backup is made and proved."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from geodata import backup, cluster
from geodata.database import open_engine, session_maker
from geodata.emergencies import forget_emergencies
from geodata.idempotency import forget_old_answers
from geodata.jobs import forget_old
from geodata.patience import JOB
from geodata.troubles import STORE_ERRORS
from mapgrid.errors import MapgridError
from web.commands.store import store_probes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from web.settings import Settings

DAYS_KEPT = 30
"""How long a job that has ended can still be looked at, and the table knows of an emergency."""

_log = logging.getLogger(__name__)


class NightFailedError(MapgridError):
    """Something that was to be done at night was not done."""


def run(database_url: str, settings: Settings) -> None:
    """Do all of it, each whatever becomes of the others.

    Raises
    ------
    NightFailedError
        If something was not done.
    """
    failed = [name for name, turn in _TURNS.items() if not _is_done(name, turn, database_url, settings)]
    if failed:
        raise NightFailedError(f"not done this night: {', '.join(failed)}; the log says why")


def _is_done(name: str, turn: Callable[[str, Settings], None], database_url: str, settings: Settings) -> bool:
    try:
        turn(database_url, settings)
    except (MapgridError, OSError, *STORE_ERRORS):
        _log.exception("the night's %s failed", name)
        return False
    return True


def _forget(database_url: str, _settings: Settings) -> None:
    engine = open_engine(database_url, pool_size=0, patience=JOB)
    with session_maker(engine).begin() as session:
        forget_old(session, days=DAYS_KEPT)
        forget_old_answers(session)
        forget_emergencies(session, days=DAYS_KEPT)


def _back_up(database_url: str, settings: Settings) -> None:
    embedded = cluster.status(settings.home)
    night = backup.nightly(
        settings.home,
        database_url,
        now=datetime.now(UTC),
        probes=store_probes(),
        is_embedded=embedded is not None and embedded.url == database_url,
    )
    if not night.proof.passed:
        raise NightFailedError("the backup was made, but its restore showed that it cannot be relied on")


_TURNS: Mapping[str, Callable[[str, Settings], None]] = MappingProxyType({"forgetting": _forget, "backup": _back_up})
