"""The server as people start it: from the command line, in a process of its own."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from geodata import cluster

_CHECKOUT = Path(__file__).parent.parent.parent


def _command(home, *arguments):
    environment = {**os.environ, "MAPGRID_HOME": str(home), "PYTHONPATH": str(_CHECKOUT)}
    environment.pop("MAPGRID_DATABASE_URL", None)
    return {"args": [sys.executable, "-m", "web", *arguments], "env": environment, "cwd": _CHECKOUT, "text": True}


@pytest.fixture
def serving(home):
    """Return a server that is ready, and its address."""
    with subprocess.Popen(
        **_command(home, "serve", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as server:
        line = server.stdout.readline()
        ready = re.search(r"mapgrid is ready: (http://127\.0\.0\.1:\d+)", line)
        assert ready, line + server.stdout.read()
        yield server, ready[1]
        server.terminate()
        server.communicate(timeout=30)


def _status_of(address):
    try:
        with urllib.request.urlopen(address, timeout=20) as reply:  # noqa: S310 - our own server
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _pid_of(home):
    running = cluster.status(home)
    return running and running.pid


def test_ctrl_c_ends_the_server_and_its_database(home, serving):
    server, address = serving
    assert _status_of(address) == 200
    assert cluster.status(home) is not None
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does
    said, _ = server.communicate(timeout=30)
    assert server.returncode == 0
    assert said == ""
    assert cluster.status(home) is None


def test_a_database_that_is_killed_under_the_server_comes_back_by_itself(home, serving):
    _, address = serving
    assert _status_of(address) == 200
    killed = cluster.status(home).pid
    os.kill(killed, signal.SIGKILL)
    died_at = time.monotonic()
    answers = []
    while not (answers and answers[-1] == 200 and _pid_of(home) not in {None, killed}):
        answers.append(_status_of(address))
        assert time.monotonic() - died_at < 30, answers  # a second on a machine that has nothing else to do
    assert set(answers) <= {200, 503}


def test_a_database_that_is_stopped_under_the_server_stays_stopped(home, serving):
    _, address = serving
    watched = os.pidfd_open(cluster.status(home).pid)
    assert cluster.stop(home)
    assert select.select([watched], [], [], 5)[0]
    os.close(watched)
    assert _status_of(address) == 503
    assert cluster.status(home) is None


def test_a_busy_port_is_told_with_the_way_out_and_no_database_is_made(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(**_command(home, "serve", "--port", str(port)), capture_output=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert f"port {port}" in refused.stderr
    assert "MAPGRID_PORT=" in refused.stderr
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "town.example"])  # noqa: S104
def test_an_address_that_others_can_reach_is_refused_with_the_reason(home, host):
    refused = subprocess.run(**_command(home, "serve", "--host", host), capture_output=True, check=False)
    assert refused.returncode == 2
    assert "without TLS" in refused.stderr
