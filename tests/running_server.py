"""The server as people start it, in processes of its own, and what one can do to it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from geodata import cluster

CHECKOUT = Path(__file__).parent.parent


def command(home, *arguments, checkout=CHECKOUT, **environment):
    variables = {**os.environ, "MAPGRID_HOME": str(home), "PYTHONPATH": str(checkout), **environment}
    if "MAPGRID_DATABASE_URL" not in environment:
        variables.pop("MAPGRID_DATABASE_URL", None)
    return {"args": [sys.executable, "-m", "web", *arguments], "env": variables, "cwd": checkout, "text": True}


class RunningServer:
    """`mapgrid serve` with its address and what it says."""

    def __init__(self, process, said):
        self.process, self._said = process, said
        line = process.stdout.readline()
        ready = re.search(r"mapgrid is ready: (http://127\.0\.0\.1:(\d+))", line)
        assert ready, line + self.log()
        self.address, self.port = ready[1], int(ready[2])

    def log(self):
        return Path(self._said.name).read_text()

    def log_lines(self):
        """Return what it logged; a program that cannot start speaks without JSON."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def children(self):
        """Return the process ids below it by what they are."""
        found = {}
        for pid in children_of(self.process.pid):
            words = command_of(pid)
            name = next((word.rsplit(".", 1)[1] for word in words if word.startswith(("web.", "geodata."))), "?")
            found.setdefault(name, []).append(pid)
        return found

    def arbiter(self):
        (pid,) = self.children()["serving"]
        return pid

    def app_workers(self):
        return children_of(self.arbiter())

    def signal(self, number):
        self.process.send_signal(number)


def children_of(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextmanager
def temporary_home():
    """Lend a home; a database in it is stopped and deleted at the end."""
    directory = Path(tempfile.mkdtemp(prefix="mapgrid-test-"))
    directory.chmod(0o755)  # the account postgres must get through, when root tests
    try:
        yield directory
    finally:
        cluster.destroy(directory)
        shutil.rmtree(directory)


@contextmanager
def running_server(home, *arguments, **options):
    """Lend a server that is ready, on a free port; it is ended at the end."""
    with (
        tempfile.NamedTemporaryFile("w", suffix=".log") as said,
        subprocess.Popen(
            **command(home, *(arguments or ("serve", "--port", "0")), **options),
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield RunningServer(process, said)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=40)
            except subprocess.TimeoutExpired:
                process.kill()  # or leaving the block would wait for it for ever
                raise
