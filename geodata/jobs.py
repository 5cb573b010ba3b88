"""Jobs, added and looked at by people, taken and finished by workers. The caller commits.

A job's effect and its end are one transaction: however often it is begun, it happens once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from geodata.job_tables import Job
from mapgrid.errors import MapgridError, NotFoundError
from mapgrid.jobs import ENDED, MOST_ATTEMPTS, JobState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from mapgrid.jobs import JobKind

_HOLD = 4_711_004  # any number: the first half of the advisory lock that whoever runs a job holds
_OPEN = tuple(state for state in JobState if state not in ENDED)


class JobRefusedError(MapgridError):
    """A job that cannot be added: the same is being done for that village."""


class CancelledError(MapgridError):
    """Somebody asked for the end of the job that is running."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands.

    Attributes
    ----------
    account_id
        Who wants it.
    arguments
        What the kind of job asks for, as plain values.
    progress
        Share done, 0 to 1.
    message
        What it does now, or why it failed.
    result
        What came of it, as plain values; None before its end.
    attempts
        How often it was begun.
    cancel_asked_at
        When somebody asked for its end.
    """

    id: int
    kind: JobKind
    account_id: int
    village_code: str
    arguments: Mapping[str, Any]
    state: JobState
    progress: float
    message: str
    result: Mapping[str, Any] | None
    attempts: int
    made_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    cancel_asked_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED


_COLUMNS = [getattr(Job, name) for name in JobRecord.__dataclass_fields__]


def add_job(
    session: Session, kind: JobKind, village_code: str, arguments: Mapping[str, Any], *, account_id: int
) -> int:
    """Add a job and return its number; a worker takes it once the caller has committed.

    Raises
    ------
    JobRefusedError
        If a job of that kind is queued or running for the village.
    """
    values = {"kind": kind, "village_code": village_code, "arguments": dict(arguments), "account_id": account_id}
    try:
        with session.begin_nested():
            number: int = session.execute(insert(Job).values(values).returning(Job.id)).scalar_one()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != "23505":  # unique_violation
            raise
        msg = f"village {village_code}: expected no job {kind}, found one that has not ended; wait for it or cancel it"
        raise JobRefusedError(msg) from error
    return number


def load_job(session: Session, number: int) -> JobRecord:
    """Return a job.

    Raises
    ------
    NotFoundError
        If there is none of that number.
    """
    row = session.execute(select(*_COLUMNS).where(Job.id == number)).one_or_none()
    if row is None:
        raise NotFoundError(f"no job {number}")
    return JobRecord(**row._asdict())


def ask_to_cancel(session: Session, number: int) -> JobRecord:
    """Ask for the end of a job and return it: one that waits has ended, one that runs ends soon."""
    waits = Job.state == JobState.QUEUED
    session.execute(
        update(Job)
        .where(Job.id == number, Job.state.in_(_OPEN), Job.cancel_asked_at.is_(None))
        .values(
            cancel_asked_at=func.now(),
            state=case((waits, JobState.CANCELLED), else_=Job.state),
            ended_at=case((waits, func.now()), else_=None),
        )
    )
    return load_job(session, number)


def count_by_state(session: Session) -> dict[str, int]:
    """Return how many jobs stand in each state; 0 for those in which none does."""
    rows = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    found = {str(state): int(number) for state, number in rows}
    return {str(state): found.get(state, 0) for state in JobState}


def hold(connection: Connection, number: int) -> bool:
    """Take the right to run a job, for as long as the connection lives; say whether nobody else had it."""
    query = text("SELECT pg_try_advisory_lock(:hold, :number)")
    return bool(connection.execute(query, {"hold": _HOLD, "number": number}).scalar_one())


def begin_job(session: Session, number: int) -> JobRecord | None:
    """Count one more attempt and return the job; None when there is nothing to do any more."""
    job = load_job(session, number)
    if job.has_ended:
        return None
    if job.cancel_asked_at is not None:
        end_job(session, number, JobState.CANCELLED)
        return None
    if job.attempts >= MOST_ATTEMPTS:
        said = f"it was begun {job.attempts} times and each time ended before it was done; tell the administrator"
        end_job(session, number, JobState.FAILED, message=said)
        return None
    session.execute(
        update(Job)
        .where(Job.id == number)
        .values(state=JobState.RUNNING, attempts=Job.attempts + 1, progress=0, message="", began_at=func.now())
    )
    return load_job(session, number)


def tell_progress(session: Session, number: int, progress: float, message: str) -> None:
    """Keep how far a running job is.

    Raises
    ------
    CancelledError
        If somebody asked for its end, or it has ended.
    """
    share = min(max(progress, 0.0), 1.0)
    asked = session.execute(
        update(Job)
        .where(Job.id == number, Job.state == JobState.RUNNING)
        .values(progress=share, message=message)
        .returning(Job.cancel_asked_at)
    ).one_or_none()
    if asked is None or asked.cancel_asked_at is not None:
        raise CancelledError(f"job {number} was cancelled")


def end_job(
    session: Session, number: int, state: JobState, *, message: str = "", result: Mapping[str, Any] | None = None
) -> bool:
    """Keep how a job ended; say whether it had not ended before."""
    values: dict[str, Any] = {"state": state, "message": message, "ended_at": func.now()}
    if state is JobState.SUCCEEDED:
        values |= {"progress": 1.0, "result": dict(result or {})}
    ended = session.execute(
        update(Job).where(Job.id == number, Job.state.in_(_OPEN)).values(values).returning(Job.id)
    ).one_or_none()
    return ended is not None


def succeed(session: Session, number: int, result: Mapping[str, Any]) -> None:
    """Keep what came of a job, in the transaction of its effect.

    Raises
    ------
    CancelledError
        If it has ended meanwhile: then the effect is to be undone.
    """
    if not end_job(session, number, JobState.SUCCEEDED, result=result):
        raise CancelledError(f"job {number} was cancelled")


def forget_old(session: Session, *, days: int) -> None:
    """Delete what ended longer ago than so many days, also from the queue."""
    old = {"age": f"{days} days"}
    session.execute(text("DELETE FROM job WHERE ended_at < now() - CAST(:age AS interval)"), old)
    session.execute(
        text(
            "DELETE FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing') AND id NOT IN"
            " (SELECT job_id FROM procrastinate_events WHERE at > now() - CAST(:age AS interval))"
        ),
        old,
    )
