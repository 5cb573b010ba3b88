"""Workers that divide the villages of a district: processes of this machine, or a dask cluster that runs already."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dask
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed

from mapgrid.errors import MapgridError
from mapgrid.partition import warm
from web.actions.divide_parcel import Line, Outcome, divide_parcel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from distributed import Future, Worker

    from web.actions.divide_parcel import Order, Parcel

DEATHS_ALLOWED = 3
"""A village that has killed so many workers is given up."""

_QUIET = {
    # The scheduler counts the deaths before the one that is too many.
    "distributed.scheduler.allowed-failures": DEATHS_ALLOWED - 1,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # nobody looks at it
    "logging": {"distributed": "critical", "tornado": "critical"},
}
_PATIENCE_S = 5


class CrewError(MapgridError):
    """There is nobody to do the work."""


class _Prepare(WorkerPlugin):
    """Load the compiled functions once, and leave Ctrl-C to the program that the user sees."""

    name = "mapgrid-prepare"

    def __init__(self, *, is_local: bool) -> None:
        self.is_local = is_local

    def setup(self, worker: Worker) -> None:  # noqa: ARG002
        """Prepare a worker that starts."""
        if self.is_local and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        warm()


@contextmanager
def local_crew(workers: int) -> Iterator[Client]:
    """Lend a client of worker processes of this machine, reachable from this machine alone."""
    with (
        dask.config.set(_QUIET),
        tempfile.TemporaryDirectory(prefix="mapgrid-workers-", ignore_cleanup_errors=True) as scratch,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            worker_dashboard_address=None,
            local_directory=scratch,
            silence_logs=50,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.register_plugin(_Prepare(is_local=True))
        yield client


@contextmanager
def distant_crew(address: str) -> Iterator[Client]:
    """Lend a client of a cluster that runs already; its workers must have mapgrid and see the same directories."""
    try:
        client = Client(address, set_as_default=False, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        msg = f"--scheduler: expected the address of a dask scheduler, as tcp://host:8786, found {address!r}: {error}"
        raise CrewError(msg) from error
    with client:
        client.register_plugin(_Prepare(is_local=False))
        yield client


def divide_all(client: Client, parcels: Iterable[Parcel], order: Order) -> Iterator[Line]:
    """Divide parcels and yield the line of each as it is done; whatever befalls one stops no other.

    Notes
    -----
    Workers get one village at a time. So a worker that dies is held against the one village it was dividing, and no
    more villages are under way than there are workers.
    """
    waiting = iter(parcels)
    parcel_of: dict[str, Parcel] = {}
    done = as_completed(raise_errors=False, loop=client.loop)

    def fill() -> None:
        hands = max(1, sum(client.nthreads().values()))
        while len(parcel_of) < hands and (parcel := next(waiting, None)) is not None:
            future = client.submit(divide_parcel, parcel, order, pure=False)
            parcel_of[future.key] = parcel
            done.add(future)

    fill()
    for future in done:
        parcel = parcel_of.pop(future.key)
        yield _line(future, parcel, order)
        fill()


def _line(future: Future, parcel: Parcel, order: Order) -> Line:
    if future.status == "finished":
        line: Line = future.result()
        if line.file is None or order.plan_of(parcel).exists():
            return line
        fault = f"the worker wrote {order.plan_of(parcel)}, which is not seen here: --out must be on a shared disk"
    elif future.status == "error":
        error = future.exception()
        killed = f"it killed {DEATHS_ALLOWED} workers, or they ran out of memory"
        fault = killed if isinstance(error, KilledWorker) else f"{type(error).__name__}: {error}"
    else:
        fault = "the scheduler lost it"
    return Line(parcel.key, Outcome.FAILED, len(parcel.households.shapes), fault=" ".join(fault.split())[:300])


def usable_processors() -> int:
    """Return how many processors this program may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
