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

from web import logs
from web.job_queue import QUEUE, make_app
from web.lifeline import end_with
from web.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from procrastinate import App

    from web.settings import Settings

HEARTBEAT_S = 1.0
STALLED_S = 6.0
"""After so long a silence a worker counts as dead."""
_log = logging.getLogger(__name__)


async def work(settings: Settings, when_ready: Callable[[], None]) -> None:
    """Take jobs until SIGINT or SIGTERM; a lost database ends it with an error."""
    app = make_app(settings.database_url or "", is_nightly=settings.is_nightly)
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


def main(ready: int, parent: int) -> None:
    """Work until SIGTERM; say on the pipe `ready` that jobs are taken."""
    end_with(parent)
    logs.configure()
    asyncio.run(work(read_settings(), lambda: _say(ready)))


def _say(pipe: int) -> None:
    with suppress(BrokenPipeError):
        os.write(pipe, b"r")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
