"""What is killed comes back, what is replaced is not missed, and nothing is left behind."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import psycopg
import pytest
import requests
from running_server import CHECKOUT, children_of, running_server, temporary_home
from signed_in import TOKEN, sign_in_reader

from geodata import cluster

_SIGNED_IN = {"mapgrid": TOKEN}


@pytest.fixture(scope="module")
def server():
    """Return a server for all tests that leave it working."""
    with temporary_home() as home, running_server(home) as running:
        sign_in_reader(cluster.status(home).url)
        yield running


@pytest.fixture
def own_server(home):
    """Return a server for a test that ends it."""
    with running_server(home) as running:
        sign_in_reader(cluster.status(home).url)
        yield running


@contextlib.contextmanager
def _eventually(seconds, what):
    """Lend a check that says whether to go on asking; asking for longer fails."""
    deadline = time.monotonic() + seconds

    def go_on():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)  # somebody else's process: there is nothing to wait on
        return True

    yield go_on


def _answers(server, path="/healthz"):
    with contextlib.suppress(requests.RequestException):
        return requests.get(server.address + path, cookies=_SIGNED_IN, timeout=10).status_code
    return None


class _Load:
    """Clients that ask all the time, some on connections they keep; every answer is kept."""

    def __init__(self, server, clients=6, path="/api/areas"):
        self._server, self._path = server, path
        self._stop = threading.Event()
        self.statuses, self.failures, self.times = [], [], []
        self._threads = [threading.Thread(target=self._ask, args=(bool(number % 2),)) for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keeps_connection):
        with requests.Session() as session:
            while not self._stop.is_set():
                asker = session if keeps_connection else requests
                began = time.monotonic()
                try:
                    self.statuses.append(
                        asker.get(self._server.address + self._path, cookies=_SIGNED_IN, timeout=20).status_code
                    )
                except requests.RequestException as error:
                    self.failures.append(repr(error))
                self.times.append(time.monotonic() - began)


def test_a_killed_worker_is_replaced(server):
    killed = server.app_workers()[0]
    os.kill(killed, signal.SIGKILL)
    with _eventually(5, "a new worker") as go_on:
        while killed in server.app_workers() or len(server.app_workers()) < 2:
            go_on()
    assert _answers(server) == 200


def test_a_killed_server_is_started_again_and_its_workers_do_not_linger(server):
    arbiter, workers = server.arbiter(), server.app_workers()
    os.kill(arbiter, signal.SIGKILL)
    with _eventually(10, "answers again") as go_on:
        while _answers(server) != 200 or server.children().get("serving") in (None, [arbiter]):
            go_on()
    with _eventually(10, "the orphans are gone") as go_on:
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            go_on()
    assert any("the server ended" in line["message"] for line in server.log_lines())


def test_when_all_is_killed_at_once_nothing_goes_on_for_ever(home, own_server):
    """The worst case: nobody is left who could stop what was started."""
    started = [*chain(*own_server.children().values()), *own_server.app_workers()]
    database = cluster.status(home).pid
    assert len(started) >= 3
    os.kill(own_server.process.pid, signal.SIGKILL)
    with _eventually(20, "all have ended") as go_on:
        while any(Path(f"/proc/{pid}").exists() for pid in [*started, database]):
            go_on()
    assert cluster.status(home) is None
    with running_server(home):
        assert len(list(home.glob("counts-*"))) == 1  # those of the killed one are gone


def test_a_reload_under_load_is_noticed_by_nobody(server):
    before = {server.arbiter(), *server.app_workers()}
    with _Load(server) as load:
        for _ in range(2):
            asked = len(load.statuses)
            server.signal(signal.SIGHUP)
            with _eventually(60, "new workers alone") as go_on:
                while _is_in_change(server, before):
                    go_on()
            before = {server.arbiter(), *server.app_workers()}
            assert len(load.statuses) > asked
    assert load.failures == []
    assert set(load.statuses) == {200}


def _is_in_change(server, before):
    running = server.children().get("serving", [])
    workers = children_of(running[0]) if len(running) == 1 else []
    return len(workers) < 2 or bool(before & {*running, *workers})


def test_a_reload_of_a_program_that_does_not_start_leaves_the_old_one_in_place(home, tmp_path):
    copy = tmp_path / "checkout"
    for package in ("mapgrid", "geodata", "web"):
        shutil.copytree(CHECKOUT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    program = copy / "web" / "app.py"
    works = program.read_text()
    with running_server(home, checkout=copy) as server:
        arbiter = server.arbiter()
        program.write_text("this is no Python")
        server.signal(signal.SIGHUP)
        with _eventually(60, "the new one was given up") as go_on:
            while not any("did not start; the old one goes on" in line["message"] for line in server.log_lines()):
                go_on()
        assert (_answers(server), server.arbiter()) == (200, arbiter)
        program.write_text(works)
        server.signal(signal.SIGHUP)
        with _eventually(60, "a new one took over") as go_on:
            while _is_in_change(server, {arbiter}):
                go_on()
        assert _answers(server) == 200


def test_what_is_being_answered_is_answered_before_the_server_stops(home, own_server):
    url = cluster.status(home).url
    with psycopg.connect(url) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("LOCK TABLE area IN ACCESS EXCLUSIVE MODE")
        slow = pool.submit(requests.get, own_server.address + "/api/areas", cookies=_SIGNED_IN, timeout=20)
        with psycopg.connect(url, autocommit=True) as watcher, _eventually(5, "the request waits") as go_on:
            while not watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:
                go_on()
        began = time.monotonic()
        own_server.signal(signal.SIGTERM)
        with _eventually(5, "nobody is let in any more") as go_on:
            while _answers(own_server) is not None:
                go_on()
        connection.rollback()
        assert slow.result().status_code == 200
        own_server.process.wait(20)
    assert time.monotonic() - began < 15  # 3 on a machine that has nothing else to do
    assert own_server.process.returncode == 0


def _begin(server, text):
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(text)
    return client


def test_clients_that_dawdle_keep_nobody_out(server):
    """Sixty open a connection; half say nothing, half send the head of a request letter by letter."""
    began = time.monotonic()
    slow = [_begin(server, b"GET /healthz HTTP/1.1\r\nX-Slow: " if number % 2 else b"") for number in range(60)]
    with _Load(server, clients=2, path="/healthz") as load:
        while time.monotonic() - began < 4:
            for client in slow[1::2]:
                client.sendall(b"a")
            time.sleep(0.2)  # the pace of a slow client
    assert load.failures == []
    assert statistics.quantiles(load.times, n=20)[-1] < 1
    for client in slow:
        with client:
            with contextlib.suppress(ConnectionError):
                while client.recv(1024):
                    pass
            assert time.monotonic() - began < 15  # each was hung up on
    assert _answers(server) == 200


def test_a_head_in_two_pieces_and_two_requests_in_one_are_answered(server):
    with _begin(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n") as client:
        time.sleep(0.1)  # so that the pieces travel apart
        client.sendall(b"\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    twice = (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with _begin(server, twice) as client:
        said = b""
        while received := client.recv(4096):
            said += received
        assert said.count(b"HTTP/1.1 200") == 2


def test_a_client_that_hangs_up_in_the_middle_of_a_head_costs_nothing(server):
    for _ in range(30):
        _begin(server, b"GET /healthz HTTP/1.1\r\nHost").close()
    assert _answers(server) == 200
    deadline = time.monotonic() + 20  # a new worker still loads what edits of plans need
    while _used_in_half_a_second(server) > 0.25:  # a poller that spins would use all of it, for ever
        assert time.monotonic() < deadline


def _used_in_half_a_second(server):
    used_s = sum(map(_processor_time, server.app_workers()))
    time.sleep(0.5)
    return sum(map(_processor_time, server.app_workers())) - used_s


def _processor_time(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_what_is_too_large_is_refused_before_it_is_read(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/api/areas")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert requests.get(server.address + "/healthz", headers={"X-Long": "a" * 9000}, timeout=10).status_code == 431
    assert requests.get(f"{server.address}/healthz?{'a' * 5000}", timeout=10).status_code == 414


def test_figures_add_up_over_all_workers_and_over_those_that_are_gone(server):
    def count():
        page = requests.get(server.address + "/metrics", timeout=10).text
        name = 'mapgrid_requests_total{method="GET",route="/healthz",status="200"}'
        return next(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name))

    assert _answers(server) == 200
    before = count()
    for _ in range(50):
        assert _answers(server) == 200
    assert count() == before + 50
    for worker in server.app_workers():
        os.kill(worker, signal.SIGKILL)
    with _eventually(10, "counted on") as go_on:
        while _answers(server) != 200:
            go_on()
    assert count() >= before + 51
