"""What the loss of the whole database directory costs at most, at the interval that is the default."""

import os
import select
import shutil
import signal
import time
from datetime import UTC, datetime

import psycopg
import pytest

from geodata import archiving, cluster
from geodata.backup.bases import ensure_base
from geodata.backup.rewind import rewind

_BUSY_S = 2.4 * archiving.LONGEST_LOSS_S  # so that the kill falls into the middle of an interval
_ARCHIVING_TAKES_S = 5


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_a_kill_and_the_loss_of_the_directory_cost_at_most_the_interval(home):
    started = time.monotonic()
    archiving.turn_on(home)
    server = cluster.start(home)
    ensure_base(home)
    ready_s = time.monotonic() - started
    last_written = None
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE note (written_at timestamptz DEFAULT clock_timestamp())")
        until = time.monotonic() + _BUSY_S
        while time.monotonic() < until:
            last_written = connection.execute("INSERT INTO note DEFAULT VALUES RETURNING written_at").fetchone()[0]
            time.sleep(0.02)
    process = os.pidfd_open(server.pid)
    signal.pidfd_send_signal(process, signal.SIGKILL)
    assert select.select([process], [], [], 10)[0]
    os.close(process)
    shutil.rmtree(server.data)
    done = rewind(home, None, now=datetime.now(UTC))
    with psycopg.connect(cluster.start(home).url) as connection:
        rows, last_kept = connection.execute("SELECT count(*), max(written_at) FROM note").fetchone()
    lost_s = (last_written - last_kept).total_seconds()
    print(  # noqa: T201 - a bench prints
        f"\n  started with a base backup in {ready_s:.1f} s; {rows} rows restored in {done.duration_s:.1f} s;"
        f" lost: the last {lost_s:.1f} s of {_BUSY_S:.0f} s, promised {archiving.LONGEST_LOSS_S} s"
    )
    assert lost_s <= archiving.LONGEST_LOSS_S + _ARCHIVING_TAKES_S
