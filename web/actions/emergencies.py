"""Letting oneself into a village in an emergency: for three hours, announced and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata import audit, emergencies
from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FEWEST_CHARACTERS = 10
"""How short a reason may be."""
MOST_CHARACTERS = 500


class ReasonRefusedError(MapgridError):
    """A reason that says too little or too much."""


class NoVillageError(MapgridError):
    """No village of one's town fits, or more than one."""


def open_village(session: Session, words: str, reason: str) -> str:
    """Let the asker into a village and return its code.

    Raises
    ------
    ReasonRefusedError
        If the reason is too short or too long.
    NoVillageError
        If not one village alone fits.
    """
    said = " ".join(reason.split())
    if not FEWEST_CHARACTERS <= len(said) <= MOST_CHARACTERS:
        wanted = f"{FEWEST_CHARACTERS} to {MOST_CHARACTERS}"
        raise ReasonRefusedError(f"reason: expected {wanted} characters, found {len(said)}")
    code = emergencies.open_village(session, _plain(words), said)
    if code is None:
        audit.record(session, "emergency.open", is_success=False)
        raise NoVillageError("no village of your town fits, or more than one")
    audit.record(session, "emergency.open", code, area=code, reason=said)
    return code


def end_emergencies(session: Session) -> None:
    """End all that the asker let themselves into."""
    for code in emergencies.end_emergencies(session):
        audit.record(session, "emergency.end", code, area=code)


def _plain(words: str) -> str:
    """Return a name with single spaces, or a code with none."""
    code = "".join(words.split())
    return code if code.isdecimal() else " ".join(words.split())
