"""The queue of jobs: what stands on it, and how a job is given a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.job_context import AbortReason
from sqlalchemy.engine import make_url

from geodata.database import open_engine, session_maker
from geodata.jobs import end_job
from geodata.patience import JOB
from mapgrid.errors import MapgridError
from mapgrid.jobs import JobState

QUEUE = "jobs"
NIGHTLY = "nightly"
"""What the process of the night's work is started with, instead of the number of a job."""
DONE = 0
"""Exit status of a job's process: nothing more to do, whether it succeeded, failed or was cancelled."""
AGAIN = 75
"""Exit status: not now, for a reason that passes; to be begun again."""

_NIGHT = "30 18 * * *"
"""Half past two at night in China, as the queue counts: in UTC."""
_STOP_S = 5.0


class ProcessEndedError(MapgridError):
    """The process of a job ended before the job did: it was killed, or the database was away."""


def make_app(database_url: str, *, is_nightly: bool) -> App:
    """Return the queue's application, not yet connected; `is_nightly` says whether it puts the night's work on."""
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(
        connector=PsycopgConnector(conninfo=plain, min_size=1, max_size=4, timeout=10, kwargs={"connect_timeout": 5}),
        # A machine that was off at night does the night's work when it is on again.
        periodic_defaults={"max_delay": 24 * 3600},
    )
    # How often a job may be begun is counted by the job itself; a database that is away is no attempt.
    again = RetryStrategy(max_attempts=1000, wait=1, retry_exceptions={ProcessEndedError})

    @app.task(name="run_job", queue=QUEUE, pass_context=True, retry=again)
    async def run_job(context: JobContext, job_id: int) -> None:
        try:
            await _run_process(str(job_id))
        except asyncio.CancelledError:
            if context.abort_reason() is not AbortReason.USER_REQUEST:
                raise ProcessEndedError("the worker stops; another takes the job") from None
            await asyncio.to_thread(_keep_cancelled, database_url, job_id)
            raise

    @app.task(name="nightly", queue=QUEUE, queueing_lock="nightly", pass_context=False)
    async def every_night(timestamp: int) -> None:  # noqa: ARG001 - the queue tells when it was due
        await _run_process(NIGHTLY)

    if is_nightly:
        app.periodic(cron=_NIGHT)(every_night)
    return app


async def _run_process(what: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "web.job_process", what, str(os.getpid()), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    if status != DONE:
        raise ProcessEndedError(f"the process of a job ended with {status}")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _keep_cancelled(database_url: str, number: int) -> None:
    engine = open_engine(database_url, pool_size=0, patience=JOB)
    with session_maker(engine).begin() as session:
        end_job(session, number, JobState.CANCELLED)
