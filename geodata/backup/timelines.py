"""Which timeline a database was on at a moment, and which base backup and which log lead there.

A restore to a moment starts a new timeline: what happened after that moment stays in the archive on the old one. To go
back once more one has to know on which of them a moment lies.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from geodata.backup.refusals import RestoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geodata.backup.bases import Archive, Base

_FIRST = 1


def timeline_at(archive: Archive, moment: datetime | None) -> int:
    """Return the timeline the database was on at a moment, the present one for None."""
    timeline = _FIRST
    for since, number in _changes(archive):
        if moment is None or since <= moment:
            timeline = number
    return timeline


def note_change(archive: Archive, since: datetime, timeline: int) -> None:
    """Note that the database is on another timeline from a moment on."""
    with (archive.directory / "timelines").open("a") as notes:
        notes.write(json.dumps([since.isoformat(), timeline]) + "\n")


def base_for(archive: Archive, moment: datetime | None, timeline: int) -> Base:
    """Return the newest base backup from which the log leads to a moment on a timeline.

    Raises
    ------
    RestoreError
        If there is none.
    """
    forks = fork_places(archive, timeline)
    bases = archive.bases()
    for base in reversed(bases):
        leads_there = base.timeline == timeline or base.end <= forks.get(base.timeline, -1)
        if leads_there and (moment is None or base.ended_at <= moment):
            return base
    earliest = f"the earliest is of {bases[0].ended_at:%Y-%m-%d %H:%M:%S} UTC" if bases else "there is none at all"
    raise RestoreError(f"expected a base backup from before that moment in {archive.directory}, but {earliest}")


def fork_places(archive: Archive, timeline: int) -> Mapping[int, int]:
    """Return where each timeline that a timeline comes from was left, as places in the log."""
    if timeline == _FIRST:
        return {}
    history = archive.wal / f"{timeline:08X}.history.gz"
    try:
        lines = gzip.decompress(history.read_bytes()).decode().splitlines()
    except (OSError, EOFError) as error:
        raise RestoreError(f"cannot read {history}, which says where timeline {timeline} comes from") from error
    forks = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    return {int(number): _place(place) for number, place, *_reason in forks}


def first_gap(archive: Archive, base: Base, timeline: int) -> int | None:
    """Return the number of the first segment that is missing although a later one is there, None without a gap.

    Only segments that lead from the base along the timeline count.
    """
    lineage = {timeline, *fork_places(archive, timeline)}
    numbers = sorted({number for of, number in archive.segments() if of in lineage and number >= base.start >> 24})
    return _first_missing(numbers)


def _first_missing(numbers: Sequence[int]) -> int | None:
    for before, after in pairwise(numbers):
        if after != before + 1:
            return before + 1
    return None


def _changes(archive: Archive) -> list[tuple[datetime, int]]:
    notes = archive.directory / "timelines"
    if not notes.exists():
        return []
    rows = [json.loads(line) for line in notes.read_text().splitlines()]
    return [(datetime.fromisoformat(since), int(number)) for since, number in rows]


def _place(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
