"""Jobs carried out: what each kind does, and how its end is kept.

A job runs in a process of its own (`web.job_process`), which a worker watches (`web.job_worker`): a crash, a cancel or
a kill ends that process and nothing else.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geodata.accounts import load_account
from geodata.audit import describe_request, record
from geodata.database import open_engine, open_web_engine, session_maker
from geodata.jobs import CancelledError, JobRefusedError, begin_job, end_job, hold, succeed, tell_progress
from geodata.patience import JOB
from geodata.scoping import bind
from geodata.troubles import STORE_ERRORS, trouble_of
from mapgrid.errors import MapgridError
from mapgrid.jobs import JobKind, JobState
from mapgrid.roles import Actor, Permission, allows
from mapgrid.times import LOCAL_TIME
from mapgrid.village import Limits
from web.actions.divide_village import divide_village
from web.job_queue import AGAIN, DONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from geodata.jobs import JobRecord

_TELL_EVERY_S = 0.3


def run(database_url: str, number: int) -> int:
    """Carry out a job, with the rights of who asked for it, and return the exit status of its process."""
    # Without pools: the connection that holds the job is closed at its end.
    engine = open_engine(database_url, pool_size=0, patience=JOB)
    fenced = open_web_engine(database_url, pool_size=0, patience=JOB)
    try:
        with engine.connect() as holder:
            if not hold(holder, number):
                return AGAIN  # a process whose worker was killed is at it still
            holder.commit()
            own = session_maker(engine)
            with own.begin() as session:
                job = begin_job(session, number)
            return DONE if job is None else _carry_out(own, session_maker(fenced), job)
    except STORE_ERRORS as error:
        if trouble_of(error) is None:
            raise
        return AGAIN


def _carry_out(own: sessionmaker[Session], fenced: sessionmaker[Session], job: JobRecord) -> int:
    """Do the work and keep its end in the same transaction: both happen, or neither."""
    try:
        with fenced() as session:
            _act_for(own, session, job)
            succeed(session, job.id, _WORK[job.kind](session, job, _teller(own, job.id)))
            session.commit()
    except CancelledError:
        with own.begin() as session:
            end_job(session, job.id, JobState.CANCELLED)
    except MapgridError as refused:
        with own.begin() as session:
            end_job(session, job.id, JobState.FAILED, message=str(refused))
    return DONE


def _act_for(own: sessionmaker[Session], session: Session, job: JobRecord) -> None:
    """Give a session the rights that whoever asked for the job has now: they may have gone since."""
    now = datetime.now(UTC)
    today = now.astimezone(LOCAL_TIME).date()
    with own() as unfenced:
        account = load_account(unfenced, job.account_id)
    actor = Actor(account.id, account.login, account.full_name, account.scopes_on(today))
    if account.is_disabled or not allows(actor, Permission.PUBLISH, job.village_code):
        raise JobRefusedError(
            f"village {job.village_code}: expected somebody who may publish its plans, found that who asked for this "
            "job no longer may; ask for it again"
        )
    describe_request(session, at=now, request_id=f"job {job.id}", address=None)
    bind(session, actor, today)


def _teller(sessions: sessionmaker[Session], number: int) -> Callable[[float, str], None]:
    """Return a function that keeps how far a job is, not more often than anybody looks."""
    told_at, told = 0.0, ""

    def tell(share: float, message: str) -> None:
        nonlocal told_at, told
        if message == told and monotonic() - told_at < _TELL_EVERY_S:
            return
        told_at, told = monotonic(), message
        with sessions.begin() as session:
            tell_progress(session, number, share, message)

    return tell


def _divide(session: Session, job: JobRecord, tell: Callable[[float, str], None]) -> Mapping[str, Any]:
    asked = job.arguments
    plan = divide_village(
        session,
        job.village_code,
        limits=Limits(min=asked["min"], max=asked["max"], target=asked["target"]),
        seed=asked["seed"],
        starts_on=date.fromisoformat(asked["starts_on"]),
        tell=tell,
    )
    record(session, "plan.publish", job.village_code, area=job.village_code, grids=len(plan.grids))
    weight = plan.grids["weight"]
    return {
        "grids": len(weight),
        "households": int(weight.sum()),
        "least": int(weight.min()),
        "most": int(weight.max()),
        "reasons": [f"{reason.grid}: {reason.code}" for reason in plan.reasons],
    }


_WORK: Mapping[JobKind, Callable[[Session, JobRecord, Callable[[float, str], None]], Mapping[str, Any]]] = (
    MappingProxyType({JobKind.DIVIDE: _divide})
)
