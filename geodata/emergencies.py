"""Villages that people let themselves into for some hours, with a reason. The caller commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class EmergencyNotice:
    """What those who oversee a village are told of somebody who let themselves in."""

    full_name: str
    village_code: str
    reason: str
    began_at: datetime
    ends_at: datetime


def open_village(session: Session, words: str, reason: str) -> str | None:
    """Let the asker into a village of their town for three hours and return its code.

    Parameters
    ----------
    words
        The code or the name of the village.
    reason
        Ten characters or more.

    Returns
    -------
    str or None
        None where no village of the asker's towns fits, or more than one.
    """
    opened = text("SELECT village_code FROM mapgrid_open_in_emergency(:words, :reason)")
    code: str | None = session.scalar(opened, {"words": words, "reason": reason})
    return code


def end_emergencies(session: Session) -> list[str]:
    """End all that the asker let themselves into and return the villages' codes."""
    return list(session.scalars(text("SELECT mapgrid_end_emergencies()")))


def load_emergencies(session: Session, area: str) -> list[EmergencyNotice]:
    """Return who let themselves into villages of an area in the last seven days, as far as the asker oversees them."""
    rows = session.execute(text("SELECT * FROM mapgrid_emergencies_in(:area)"), {"area": area}).all()
    return [EmergencyNotice(**row._asdict()) for row in rows]


def forget_emergencies(session: Session, *, days: int) -> None:
    """Forget what ended some days ago; the trail keeps that it was."""
    ended = text("DELETE FROM emergency_access WHERE ends_at < now() - make_interval(days => :days)")
    session.execute(ended, {"days": days})
