"""Put another data directory in the place of the one of the embedded database, so that a kill leaves one of them there.

Two renamings are not one step. A note with both names is on the disk before the first of them, and whoever starts the
database finishes what the note tells of.
"""

from __future__ import annotations

import os
from pathlib import Path

from geodata import archiving
from geodata.postgres import ClusterError

_NOTE = "exchange"


def exchange(place: Path, draft: Path, kept_name: str) -> Path | None:
    """Put a data directory in place, with no server running; return where the old one is now, None if there was none.

    Parameters
    ----------
    place
        The directory with `data` in it.
    draft
        The data directory to put there, on the same file system.
    kept_name
        What the old one is called from now on, in the same place.
    """
    if (place / kept_name).exists():
        raise ClusterError(f"{place / kept_name} is there already; wait a second and try again")
    kept = place / kept_name if (place / "data").exists() else None
    note = place / f"{_NOTE}.new"
    with note.open("w") as writing:
        writing.write(f"{draft}\n{place / kept_name}")
        writing.flush()
        os.fsync(writing.fileno())
    note.rename(place / _NOTE)
    finish(place)
    return kept


def finish(place: Path) -> None:
    """Finish an exchange that was begun here, if there is one."""
    note = place / _NOTE
    if not note.exists():
        return
    draft, kept = map(Path, note.read_text().split("\n"))
    if draft.exists():
        if (place / "data").exists():
            (place / "data").rename(kept)
        draft.rename(place / "data")
    note.unlink()


def check_not_lost(place: Path) -> None:
    """Raise `ClusterError` where a new database would stand in for one that is missing and has an archived log."""
    if archiving.lost_identifier(place) is not None:
        raise ClusterError(
            f"{place / 'data'} is missing, and its log is archived: mapgrid restore --at latest brings it back; "
            "to begin with an empty database instead: mapgrid db destroy"
        )
