"""Kill what serves while people write, and see what becomes of their writes: `python tests/chaos_drill.py 50`.

Writers send numbered writes over HTTP, each under a key of its own, and ask again until they are acknowledged, as the
answers tell them to. Meanwhile workers, the server and the database are killed, and the server is loaded anew. At the
end every acknowledged write must be stored, and none twice.
"""

import itertools
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import psycopg
import requests
from running_server import CHECKOUT, running_server
from signed_in import TOKEN, sign_in_reader

from geodata import cluster

WRITERS = 4
KINDS = ("worker", "database", "server", "database", "reload", "worker", "server", "job worker")
_TIMEOUT_S = 20
_ROUTE = """
from flask import Blueprint, jsonify, request
from sqlalchemy import text
from web.database import session
from web.guards import signed_in

blueprint = Blueprint("ledger", __name__)


@blueprint.post("/api/ledger")
@signed_in()
def write():
    number = request.get_json()["number"]
    session().execute(text("INSERT INTO ledger (number) VALUES (:number)"), {"number": number})
    return jsonify(number=number), 201
"""


@dataclass
class Figures:
    """What came of a drill."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    asked_again: int = 0
    replayed: int = 0
    unexpected: list = field(default_factory=list)
    gaps_s: dict = field(default_factory=dict)

    @property
    def longest_gap_s(self):
        return max(itertools.chain(*self.gaps_s.values()), default=0.0)

    def __str__(self):
        gaps = ", ".join(
            f"{kind} {sum(gaps) / len(gaps):.2f} (at most {max(gaps):.2f})"
            for kind, gaps in sorted(self.gaps_s.items())
        )
        return (
            f"{self.kills} kills, {self.acknowledged} writes acknowledged, {self.lost} lost, {self.doubled} doubled\n"
            f"asked again {self.asked_again} times, answered from what was kept {self.replayed} times, "
            f"{len(self.unexpected)} unexpected answers {sorted(set(self.unexpected))[:5]}\n"
            f"seconds until the next acknowledged write: {gaps}"
        )


class _Writers:
    """Writers that send numbered writes until they are told to stop."""

    def __init__(self, server, figures):
        self._server, self._figures = server, figures
        self._numbers = itertools.count()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self.acknowledged, self.times = [], []
        self._threads = [threading.Thread(target=self._write_on) for _ in range(WRITERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count, seconds=60):
        """Return when so many more writes are acknowledged."""
        wanted, deadline = len(self.times) + count, time.monotonic() + seconds
        while len(self.times) < wanted:
            assert time.monotonic() < deadline, f"no writes for {seconds} s\n{self._server.log()[-3000:]}"
            time.sleep(0.01)

    def _write_on(self):
        with requests.Session() as browser:
            browser.cookies.set("mapgrid", TOKEN)
            token = self._form_token(browser)
            while not self._stop.is_set():
                with self._lock:
                    number = next(self._numbers)
                self._write(browser, token, number)

    def _form_token(self, browser):
        page = browser.get(self._server.address + "/", timeout=_TIMEOUT_S).text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def _write(self, browser, token, number):
        headers = {"X-CSRFToken": token, "Idempotency-Key": str(uuid.uuid4())}
        for attempt in itertools.count():
            pause_s = self._try(browser, headers, number)
            if pause_s is None:
                return
            with self._lock:
                self._figures.asked_again += 1
            if attempt > 0 and self._stop.is_set() and attempt > 200:
                return
            time.sleep(pause_s)  # as the answer asks for

    def _try(self, browser, headers, number):
        """Send once; return None when it was acknowledged, else how long to wait."""
        try:
            answer = browser.post(
                self._server.address + "/api/ledger", json={"number": number}, headers=headers, timeout=_TIMEOUT_S
            )
        except requests.RequestException:
            return 0.1
        with self._lock:
            if answer.status_code == 201:
                self.acknowledged.append(number)
                self.times.append(time.monotonic())
                self._figures.replayed += "Idempotent-Replayed" in answer.headers
                return None
            if answer.status_code not in {409, 503}:
                self._figures.unexpected.append((answer.status_code, answer.text[:200]))
        return min(float(answer.headers.get("Retry-After", "1")), 2.0)


def drill(home, kills, *, seed=1):
    """Return the figures of so many kills under load."""
    figures, chance = Figures(), random.Random(seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory(prefix="mapgrid-chaos-") as directory, _server(home, Path(directory)) as server:
        with _Writers(server, figures) as writers:
            writers.wait_for_more(20)
            for kind in itertools.islice(itertools.cycle(KINDS), kills):
                time.sleep(chance.uniform(0.2, 1.0))  # so that kills fall anywhere in a write
                killed_at = time.monotonic()
                _kill(kind, server, home, chance)
                writers.wait_for_more(WRITERS)
                after = next(at for at in writers.times if at > killed_at)
                figures.gaps_s.setdefault(kind, []).append(after - killed_at)
                figures.kills += 1
                writers.wait_for_more(3 * WRITERS)
                _wait_until_whole(server, home)
        _count(cluster.status(home).url, writers.acknowledged, figures)
    return figures


@contextmanager
def _server(home, directory):
    """Lend the server with one route more, which writes."""
    copy = directory / "checkout"
    for package in ("mapgrid", "geodata", "web"):
        shutil.copytree(CHECKOUT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    (copy / "web" / "blueprints" / "ledger.py").write_text(_ROUTE)
    program = copy / "web" / "app.py"
    text = program.read_text()
    marked = text.replace("    return app\n", "    app.register_blueprint(ledger.blueprint)\n    return app\n", 1)
    marked = marked.replace("from web.blueprints import account", "from web.blueprints import ledger, account", 1)
    assert marked.count("ledger") == 2
    program.write_text(marked)
    with running_server(home, checkout=copy) as server:
        url = cluster.status(home).url
        sign_in_reader(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY, number integer NOT NULL)")
            connection.execute("GRANT ALL ON ledger TO PUBLIC")
        yield server


def _kill(kind, server, home, chance):
    if kind == "reload":
        server.signal(signal.SIGHUP)
        return
    pids = {
        "worker": server.app_workers,
        "server": lambda: server.children()["serving"],
        "job worker": lambda: server.children()["job_worker"],
        "database": lambda: [cluster.status(home).pid],
    }[kind]()
    os.kill(chance.choice(pids), signal.SIGKILL)


def _wait_until_whole(server, home, seconds=90):
    """Return when everything that was killed has been started again: the next kill must find something to kill."""
    deadline = time.monotonic() + seconds
    while not _is_whole(server, home):
        assert time.monotonic() < deadline, server.children()
        time.sleep(0.05)


def _is_whole(server, home):
    children = server.children()
    is_one = all(len(children.get(name, [])) == 1 for name in ("serving", "job_worker", "keeper"))
    return is_one and len(server.app_workers()) >= 2 and cluster.status(home) is not None


def _count(url, acknowledged, figures):
    with psycopg.connect(url) as connection:
        stored = dict(connection.execute("SELECT number, count(*) FROM ledger GROUP BY number").fetchall())
    figures.acknowledged = len(acknowledged)
    figures.lost = sum(number not in stored for number in acknowledged)
    figures.doubled = sum(count > 1 for count in stored.values())


def main():
    """Run as many kills as are asked for and print the figures; ends with 1 when a promise was broken."""
    home = Path(tempfile.mkdtemp(prefix="mapgrid-chaos-"))
    home.chmod(0o755)
    try:
        figures = drill(home, int(sys.argv[1]))
    finally:
        cluster.destroy(home)
        shutil.rmtree(home)
    sys.stdout.write(f"{figures}\n")
    return int(bool(figures.lost or figures.doubled or figures.unexpected or figures.longest_gap_s >= 5))


if __name__ == "__main__":
    raise SystemExit(main())
