"""Backups and restores in the audit trail of the store they are of: a backup is an export of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from geodata.audit import record
from geodata.database import open_engine, session_maker

if TYPE_CHECKING:
    from datetime import datetime

_LOGIN = "mapgrid"  # nobody is signed in on the command line


def note(url: str, action: str, **detail: Any) -> None:  # noqa: ANN401 - plain values of JSON
    """Add an entry to the audit trail of a store; one whose tables have none yet is left alone."""
    engine = open_engine(url)
    try:
        with session_maker(engine).begin() as session:
            if session.scalar(text("SELECT to_regclass('audit_entry') IS NOT NULL")):
                record(session, action, login=_LOGIN, **detail)
    finally:
        engine.dispose()


def in_words(moment: datetime | None) -> str | None:
    """Return a moment as the trail keeps it."""
    return None if moment is None else moment.isoformat(timespec="seconds")
