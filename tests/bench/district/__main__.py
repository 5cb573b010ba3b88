"""How many villages per second `mapgrid partition-all` divides, and what a killed worker costs.

`python tests/bench/district [north_bayreuth.gpkg]`, with mapgrid on PYTHONPATH.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import files
import psutil

_ROOT = Path(__file__).resolve().parent.parent.parent.parent


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def divide(source, column, out, workers, *, kill_after=None):
    """Run the command; kill a worker after so many villages; return the exit code, seconds and the last line."""
    words = [sys.executable, "-m", "web", "partition-all", f"{source}:villages", "--households", f"{source}:households"]
    words += ["--village-column", column, "--out", str(out), "--workers", str(workers)]
    environs = {**os.environ, "PYTHONPATH": str(_ROOT)}
    began, first, done = time.monotonic(), None, 0
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(words, env=environs, **pipes)
    for line in running.stderr:
        if re.match(r"note: |household in row ", line):
            break
        done += 1
        first = first or time.monotonic()
        if done == kill_after:
            children = psutil.Process(running.pid).children(recursive=True)
            next(child for child in children if "spawn_main" in " ".join(child.cmdline())).kill()
    last = time.monotonic()
    said, _ = running.communicate()
    rate = (done - 1) / (last - first) if done > 1 else 0.0
    return running.returncode, time.monotonic() - began, rate, said.strip().splitlines()[-1]


def main():
    with tempfile.TemporaryDirectory(prefix="a district ") as place:
        room = Path(place)
        villages, households = files.write_drawn(200, room / "drawn.gpkg")
        sets = [("drawn", "code", villages, households)]
        if len(sys.argv) > 1:
            sets.append(("north", "name", *files.write_north_bayreuth(sys.argv[1], room / "north.gpkg")))
        for name, column, villages, households in sets:
            for workers, kill in ((1, None), (2, None), (2, villages // 2)):
                out = room / f"{name}-{workers}-{kill}"
                code, seconds, rate, said = divide(room / f"{name}.gpkg", column, out, workers, kill_after=kill)
                how = f"{workers} workers" + (f", one killed after {kill} villages" if kill else "")
                say(
                    f"{name}: {villages} villages, {households} households, {how}: exit {code}, {seconds:.1f} s, "
                    f"{rate:.1f} villages/s once started; {said.split(': /')[0]}"
                )


if __name__ == "__main__":
    main()
