"""The search of the map: villages, grids and households by code, name or address."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from geodata.directory import find
from mapgrid.codes import level_of
from mapgrid.errors import MapgridError
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

MOST_RESULTS = 50
USUAL_RESULTS = 10
_LONGEST_WORDS = 60
_FARTHEST_OFFSET = 10_000


class QueryRefusedError(MapgridError):
    """A question that cannot be asked so."""


def search(
    session: Session, words: str, now: datetime, *, area: str = "", limit: int = USUAL_RESULTS, offset: int = 0
) -> dict[str, Any]:
    """Return `total`, `limit`, `offset` and `results`: villages, then grids, then households.

    At most six queries. Heads of households can be found by name; what comes back is masked.

    Raises
    ------
    QueryRefusedError
        If there are no words or too many, or the page cannot be.
    """
    words = words.strip()
    if not 1 <= len(words) <= _LONGEST_WORDS or "\x00" in words:
        raise QueryRefusedError(f"q: expected 1–{_LONGEST_WORDS} characters to look for, found {len(words)}")
    if not (1 <= limit <= MOST_RESULTS and 0 <= offset <= _FARTHEST_OFFSET):
        raise QueryRefusedError(
            f"expected limit 1–{MOST_RESULTS} and offset 0–{_FARTHEST_OFFSET}, found limit {limit} and offset {offset}"
        )
    if area:
        level_of(area)
    on = now.astimezone(LOCAL_TIME).date()
    total, results = find(session, words, area, on, limit=limit, offset=offset)
    return {"total": total, "limit": limit, "offset": offset, "results": [asdict(found) for found in results]}
