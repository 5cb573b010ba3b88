"""Whether the database is fit for work just now."""

from __future__ import annotations

import shutil
from enum import StrEnum
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from geodata.database import alembic_config
from geodata.troubles import STORE_ERRORS

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

SOON_S = 1.0
"""A database that needs longer for a trifle is not fit for work."""
LEAST_ROOM = 256 * 2**20
"""Bytes that must be free where mapgrid writes: PostgreSQL stops when it cannot write its log."""


class Unfit(StrEnum):
    """Why no work should be sent here."""

    DATABASE = "database"
    """It does not answer, or not soon."""
    TABLES = "tables"
    """They are older or newer than this program."""
    DISK = "disk"
    """There is little room left."""


def unfit(probe: Engine, home: Path) -> list[Unfit]:
    """Return what is wrong, nothing when all is well.

    Parameters
    ----------
    probe
        An engine with little patience and no pool: a full pool is no fault of the database.
    home
        The directory mapgrid writes to.
    """
    found = [] if room_in(home) >= LEAST_ROOM else [Unfit.DISK]
    began = monotonic()
    try:
        with probe.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
    except STORE_ERRORS:
        return [Unfit.DATABASE, *found]
    if monotonic() - began > SOON_S:
        return [Unfit.DATABASE, *found]
    return found if revision == newest_revision() else [Unfit.TABLES, *found]


def answers(probe: Engine) -> bool:
    """Say whether the database can be reached."""
    try:
        probe.connect().close()
    except STORE_ERRORS:
        return False
    return True


def room_in(home: Path) -> int:
    """Return the free bytes of the disk that a directory lies on, whether it is made yet or not."""
    there = next(place for place in (home, *home.parents) if place.exists())
    return shutil.disk_usage(there).free


@cache
def newest_revision() -> str | None:
    """Return the revision of the tables that this program was written for."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()
