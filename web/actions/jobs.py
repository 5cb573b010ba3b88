"""Jobs as pages see them: started, looked at, cancelled."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from geodata import audit
from geodata.jobs import add_job, ask_to_cancel, load_job
from geodata.villages import load_village
from mapgrid.jobs import JobKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from mapgrid.village import Limits


def start_division(session: Session, code: str, *, limits: Limits, seed: int, starts_on: date, account_id: int) -> int:
    """Add the job that divides a village and return its number; the caller commits.

    Raises
    ------
    NotFoundError
        If there is no such village, or it has no boundary.
    JobRefusedError
        If it is being divided.
    """
    load_village(session, code)
    arguments = {**asdict(limits), "seed": seed, "starts_on": starts_on.isoformat()}
    audit.record(session, "division.start", code, area=code, **arguments)
    return add_job(session, JobKind.DIVIDE, code, arguments, account_id=account_id)


def job_state(session: Session, number: int) -> Mapping[str, Any]:
    """Return a job as plain values, times as ISO 8601.

    Raises
    ------
    NotFoundError
        If there is none of that number.
    """
    job = load_job(session, number)
    moments = {name: getattr(job, name) for name in ("made_at", "began_at", "ended_at")}
    return {
        "id": job.id,
        "kind": job.kind,
        "village": job.village_code,
        "state": job.state,
        "has_ended": job.has_ended,
        "is_cancelling": job.cancel_asked_at is not None and not job.has_ended,
        "progress": round(job.progress, 3),
        "message": job.message,
        "result": job.result,
        **{name: None if moment is None else moment.isoformat(timespec="seconds") for name, moment in moments.items()},
    }


def cancel_job(session: Session, number: int) -> Mapping[str, Any]:
    """Ask for the end of a job and return it as it stands; the caller commits.

    Raises
    ------
    NotFoundError
        If there is none of that number.
    """
    job = ask_to_cancel(session, number)
    audit.record(session, "job.cancel", str(number), area=job.village_code, kind=job.kind)
    return job_state(session, number)
