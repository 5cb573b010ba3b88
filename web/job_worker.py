"""The worker: takes jobs from the queue, two at a time, and watches the process of each.

Run as `python -m web.job_worker READY PARENT`, or by `mapgrid worker`. It computes nothing itself, so that it always
has the time to say that it is alive: a worker that is silent for some seconds is taken for dead, and its job is taken
by another.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.job_context import AbortReason
from sqlalchemy.engine import make_url

from geodata.database import open_engine, session_maker
from geodata.jobs import end_job
from geodata.patience import JOB
from mapgrid.errors import MapgridError
from mapgrid.jobs import JobState
from web import logs, nightly
from web.job_process import NIGHTLY
from web.jobs import DONE
from web.lifeline import end_with
from web.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE = "jobs"
HEARTBEAT_S = 1.0
STALLED_S = 6.0
"""After so long a silence a worker counts as dead."""
_STOP_S = 5.0
_log = logging.getLogger(__name__)


class ProcessEndedError(MapgridError):
    """The process of a job ended before the job did: it was killed, or the database was away."""


def make_app(database_url: str) -> App:
    """Return the queue's application, not yet connected."""
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

    @app.periodic(cron=nightly.CRON)
    @app.task(name="nightly", queue=QUEUE, queueing_lock="nightly", pass_context=False)
    async def every_night(timestamp: int) -> None:  # noqa: ARG001 - the queue tells when it was due
        await _run_process(NIGHTLY)

    return app


async def work(database_url: str, when_ready: Callable[[], None]) -> None:
    """Take jobs until SIGINT or SIGTERM; a lost database ends it with an error."""
    app = make_app(database_url)
    async with app.open_async():
        when_ready()
        again = asyncio.create_task(_take_over(app))
        try:
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=2,  # the night's work takes minutes, during which people go on
                fetch_job_polling_interval=2,
                abort_job_polling_interval=2,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
                shutdown_graceful_timeout=0.5,
            )
        finally:
            again.cancel()
            with suppress(asyncio.CancelledError):
                await again


async def _take_over(app: App) -> None:
    """Put the jobs of dead workers back on the queue."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            _log.warning("a worker died; its job is put back on the queue")
            await app.job_manager.retry_job(job)
        await asyncio.sleep(HEARTBEAT_S)


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


def main(ready: int, parent: int) -> None:
    """Work until SIGTERM; say on the pipe `ready` that jobs are taken."""
    end_with(parent)
    logs.configure()
    asyncio.run(work(read_settings().database_url or "", lambda: _say(ready)))


def _say(pipe: int) -> None:
    with suppress(BrokenPipeError):
        os.write(pipe, b"r")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
