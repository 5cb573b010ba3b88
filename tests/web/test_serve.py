"""The server as people start it: from the command line, in a process of its own."""

import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from running_server import command, running_server

from geodata import cluster


@pytest.fixture
def serving(home):
    """Return a server that is ready, and its address."""
    with running_server(home) as server:
        yield server, server.address


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
    os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does
    said, _ = server.process.communicate(timeout=30)
    assert server.process.returncode == 0
    assert said == ""
    assert [line for line in server.log().splitlines() if json.loads(line)["level"] != "info"] == []
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


def test_a_database_that_somebody_started_again_is_looked_after_again(home, serving):
    assert cluster.stop(home)
    server = cluster.start(home, keep=False)
    os.kill(server.pid, signal.SIGKILL)
    began = time.monotonic()
    while _pid_of(home) in {None, server.pid}:
        assert time.monotonic() - began < 60
        time.sleep(0.05)  # somebody else's process: there is nothing to wait on


def test_a_busy_port_is_told_with_the_way_out_and_no_database_is_made(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(**command(home, "serve", "--port", str(port)), capture_output=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert f"port {port}" in refused.stderr
    assert "MAPGRID_PORT=" in refused.stderr
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "town.example"])  # noqa: S104
def test_an_address_that_others_can_reach_is_refused_with_the_reason(home, host):
    refused = subprocess.run(**command(home, "serve", "--host", host), capture_output=True, check=False)
    assert refused.returncode == 2
    assert "without TLS" in refused.stderr
