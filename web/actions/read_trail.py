"""The audit trail as auditors read it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from geodata import audit
from mapgrid.errors import MapgridError
from mapgrid.exports import harmless_cell
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from web.paging import Page

_HEADER = ("id", "time", "login", "looks_as", "action", "subject", "area", "success", "request", "address", "detail")


class FilterRefusedError(MapgridError):
    """A date of a filter that cannot be read."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted: words (an action's beginning, a login, a subject), an area, days."""

    words: str = ""
    area: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class TrailState:
    """Whether the trail is whole, and its head, which shows later that nothing was cut off."""

    breaks: tuple[audit.Break, ...]
    head_id: int
    head_hash: str


def read_filter(given: Mapping[str, str]) -> Filter:
    """Return the filter that the fields of a form describe.

    Raises
    ------
    FilterRefusedError
        If a day is not written as 2026-03-05.
    """
    return Filter(
        words=given.get("q", "").strip()[:60],
        area="".join(digit for digit in given.get("area", "") if digit.isdecimal())[:15],
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
    )


def list_entries(session: Session, wanted: Filter, *, page: Page) -> tuple[int, list[audit.Entry]]:
    """Return how many entries match and one page of them; looking is an entry itself."""
    audit.record(session, "audit.read", wanted.words or None)
    since, until = _moments(wanted)
    return audit.load_entries(
        session,
        words=wanted.words,
        area=wanted.area,
        since=since,
        until=until,
        limit=page.size,
        offset=page.offset,
    )


def export(session: Session, wanted: Filter) -> str:
    """Return the entries that match as CSV with a byte order mark; no cell computes anything in a spreadsheet."""
    audit.record(session, "audit.export", wanted.words or None)
    since, until = _moments(wanted)
    written = io.StringIO()
    written.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    rows = csv.writer(written)
    rows.writerow(_HEADER)
    for entry in audit.iterate_entries(session, words=wanted.words, area=wanted.area, since=since, until=until):
        rows.writerow(
            [
                entry.id,
                entry.at.astimezone(LOCAL_TIME).isoformat(timespec="seconds"),
                harmless_cell(entry.login or ""),
                entry.viewer_id or "",
                harmless_cell(entry.action),
                harmless_cell(entry.subject or ""),
                entry.area_code or "",
                int(entry.is_success),
                entry.request_id or "",
                entry.address or "",
                json.dumps(entry.detail, ensure_ascii=False),
            ]
        )
    return written.getvalue()


def state_of_trail(session: Session) -> TrailState:
    """Check the whole trail: cost grows with its length, a second or so for half a million entries."""
    number, mark = audit.head_of_trail(session)
    return TrailState(tuple(audit.find_breaks(session)), number, mark)


def _day(given: str) -> date | None:
    if not given.strip():
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError as error:
        raise FilterRefusedError(f"expected a day such as 2026-03-05, found {given[:20]!r}") from error


def _moments(wanted: Filter) -> tuple[datetime | None, datetime | None]:
    since = None if wanted.since is None else datetime.combine(wanted.since, datetime.min.time(), LOCAL_TIME)
    until = None
    if wanted.until is not None:
        until = datetime.combine(wanted.until + timedelta(days=1), datetime.min.time(), LOCAL_TIME)
    return since, until
