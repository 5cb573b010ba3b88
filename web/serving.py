"""The server's own process: gunicorn on a socket that was bound before, ended with the process that started it.

Run as `python -m web.serving SOCKET READY PARENT`; the settings come from the environment.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from mapgrid.adjust import warm
from web import logs, metric_slots
from web.lifeline import end_with
from web.settings import read_settings

if TYPE_CHECKING:
    from flask import Flask
    from gunicorn.arbiter import Arbiter
    from gunicorn.config import Config
    from gunicorn.workers.base import Worker

    from web.settings import Settings

WORKERS = 2
THREADS = 8
STOP_S = 5
"""How long requests may take to be answered while the server stops."""


class _Server(BaseApplication):
    """gunicorn with options from here instead of a command line."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, option in self._options.items():
            self.cfg.set(name, option)

    def load(self) -> Flask:
        from web.app import create_app  # noqa: PLC0415 - metrics choose where to count before it is imported

        return create_app(self._settings.database_url or "", self._settings)


class _JsonLogger(Logger):
    """gunicorn's messages through the handler of everybody else's."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def main(listener: int, ready: int, parent: int) -> None:
    """Serve until SIGTERM; say on the pipe `ready` that a worker answers. Ends the program by SystemExit."""
    end_with(parent)
    logs.configure()
    if metric_slots.VARIABLE in os.environ:
        metric_slots.share()
    _Server(read_settings(), _options(listener, ready)).run()


def _options(listener: int, ready: int) -> dict[str, Any]:
    shared_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file without a name there
    return {
        "bind": f"fd://{listener}",
        "workers": WORKERS,
        "worker_class": "web.patient_worker.PatientWorker",
        "threads": THREADS,
        "preload_app": True,  # loaded once, before it is announced; it opens no connection until the first request
        "timeout": 30,  # for a worker whose poller is stuck; a slow request is ended by the database's limits
        "graceful_timeout": STOP_S,
        "keepalive": 15,
        # Whatever a library loses over weeks goes with the worker; not both at once.
        "max_requests": 20_000,
        "max_requests_jitter": 5_000,
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "worker_tmp_dir": str(shared_memory) if os.access(shared_memory, os.W_OK) else None,  # a slow disk is no death
        "control_socket_disable": True,  # signals do; two servers of one account would share the socket
        "logger_class": _JsonLogger,
        "loglevel": "warning",
        "post_fork": _end_with_arbiter,
        "post_worker_init": lambda _worker: _begin(ready),
    }


def _end_with_arbiter(_arbiter: Arbiter, worker: Worker) -> None:
    end_with(worker.ppid)


def _begin(ready: int) -> None:
    """Say that a worker answers; load beside the first answers what edits of plans need, or compile it once."""
    with suppress(BrokenPipeError):  # a worker that replaces another: nobody waits any more
        os.write(ready, b"r")
    Thread(target=warm, daemon=True).start()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
