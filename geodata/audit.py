"""The audit trail: who did or read what, when and where; written with what it tells of, in one transaction.

The database numbers and chains the entries (`sql/audit.sql`). The chain has one end, so writers of entries take turns;
entries are written just before the commit, which keeps the turns short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func, insert, or_, select, text
from sqlalchemy.orm import Session

from geodata.account_tables import AuditEntry
from geodata.scoping import actor_of, begins_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Select

SHORTEST_DAYS = 184
"""How long entries are kept at least (Cybersecurity Law of the PRC, art. 21: six months)."""

_WAITING = "audit entries"
_ASKED = "request"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the trail."""

    id: int
    at: datetime
    account_id: int | None
    viewer_id: int | None
    login: str | None
    action: str
    subject: str | None
    area_code: str | None
    is_success: bool
    request_id: str | None
    address: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the trail is not whole: the number of the entry and what is wrong there."""

    id: int
    fault: str


def describe_request(session: Session, *, at: datetime, request_id: str | None, address: str | None) -> None:
    """Tell a session what its entries say of the request they come from."""
    session.info[_ASKED] = {"at": at, "request_id": request_id, "address": address}


def record(
    session: Session,
    action: str,
    subject: str | None = None,
    *,
    area: str | None = None,
    is_success: bool = True,
    login: str | None = None,
    **detail: object,
) -> None:
    """Add an entry to the trail; it is kept if, and only if, the session's transaction is.

    Parameters
    ----------
    action
        What was done, as dotted words: `household.read`, `plan.publish`.
    subject
        What it was done to: a code, a number, a login.
    area
        Code of the area it belongs to: who audits that area sees it.
    login
        Who tried, where nobody is signed in.
    detail
        Plain JSON values; no names, telephones or reasons.
    """
    actor = actor_of(session)
    session.info.setdefault(_WAITING, []).append(
        {
            "account_id": None if actor is None else actor.account_id,
            "viewer_id": None if actor is None else actor.viewer_id,
            "login": login or (None if actor is None else actor.login),
            "action": action,
            "subject": subject,
            "area_code": area,
            "is_success": is_success,
            "detail": detail,
        }
    )


def load_entries(
    session: Session,
    *,
    words: str = "",
    area: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[int, list[Entry]]:
    """Return how many entries match, and one page of them, the newest first.

    Parameters
    ----------
    words
        The beginning of an action, or a login or a subject as a whole.
    area
        Beginning of the area's code.
    since, until
        From the first moment until before the second.
    """
    query = _matching(words, area, since, until)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(AuditEntry.id.desc()).limit(limit).offset(offset)
    return total, [Entry(**row._asdict()) for row in session.execute(page)]


def iterate_entries(
    session: Session, *, words: str = "", area: str = "", since: datetime | None = None, until: datetime | None = None
) -> Iterator[Entry]:
    """Yield all entries that match in the order of their numbers, a thousand rows at a time."""
    query = _matching(words, area, since, until).order_by(AuditEntry.id)
    for row in session.execute(query.execution_options(yield_per=1000)):
        yield Entry(**row._asdict())


def find_breaks(session: Session) -> list[Break]:
    """Return the first places where the trail is not whole; none when it is."""
    rows = session.execute(text("SELECT id, fault FROM mapgrid_audit_breaks()")).all()
    return [Break(row.id, row.fault) for row in rows]


def head_of_trail(session: Session) -> tuple[int, str]:
    """Return the number and the hash of the last entry: noted elsewhere, they show later that none was cut off."""
    row = session.execute(text("SELECT id, encode(hash, 'hex') AS hash FROM mapgrid_audit_head()")).one_or_none()
    return (0, "") if row is None else (row.id, row.hash)


def hash_of_entry(session: Session, number: int) -> str | None:
    """Return the hash of an entry, or None where there is none of that number."""
    found: bytes | None = session.scalar(select(AuditEntry.hash).where(AuditEntry.id == number))
    return None if found is None else found.hex()


def prune(session: Session, before: datetime) -> int:
    """Remove the entries before a moment, at least `SHORTEST_DAYS` ago, and return how many; for the owner alone."""
    session.execute(text("SELECT set_config('mapgrid.prunes_audit', 'on', true)"))
    last = session.execute(
        select(AuditEntry.id, AuditEntry.hash)
        .where(AuditEntry.at < before, AuditEntry.at < func.now() - text(f"interval '{SHORTEST_DAYS} days'"))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return 0
    session.execute(
        text(
            "INSERT INTO audit_anchor (row, last_id, hash) VALUES (1, :id, :hash)"
            " ON CONFLICT (row) DO UPDATE SET last_id = excluded.last_id, hash = excluded.hash"
        ),
        {"id": last.id, "hash": last.hash},
    )
    removed = session.execute(text("DELETE FROM audit_entry WHERE id <= :id"), {"id": last.id})
    return int(removed.rowcount)  # type: ignore[attr-defined]


def _matching(words: str, area: str, since: datetime | None, until: datetime | None) -> Select[*tuple[Any, ...]]:
    columns = [getattr(AuditEntry, name) for name in Entry.__dataclass_fields__]
    query = select(*columns)
    if words:
        query = query.where(
            or_(begins_with(AuditEntry.action, words), AuditEntry.login == words, AuditEntry.subject == words)
        )
    if area:
        query = query.where(begins_with(AuditEntry.area_code, area))
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    return query


@event.listens_for(Session, "before_commit")
def _write_entries(session: Session) -> None:
    waiting = session.info.pop(_WAITING, None)
    if waiting:
        asked = {"at": None, "request_id": None, "address": None} | session.info.get(_ASKED, {})
        given_by_trigger = {"id": 0, "previous_hash": b"", "hash": b""}
        session.connection().execute(insert(AuditEntry), [asked | given_by_trigger | entry for entry in waiting])


@event.listens_for(Session, "after_rollback")
def _forget_entries(session: Session) -> None:
    session.info.pop(_WAITING, None)
