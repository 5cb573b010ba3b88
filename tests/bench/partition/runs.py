"""Run a peer or mapgrid on an instance in a process of its own, with a time limit; keep what came out."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import environment
import numpy as np

HERE = Path(__file__).resolve().parent
KEPT = environment.ROOT / "build" / "bench-partition"
LIMIT_S = 300.0
START_S = 15
"""CPU seconds to start, import and warm up, beside the limit."""

PEERS = {
    "kmc-1": "k-means-constrained, 1 start",
    "kmc-10": "k-means-constrained, 10 starts",
    "metis-recursive": "METIS recursive",
    "metis-contiguous": "METIS contiguous",
    "max-p": "spopt MaxP",
    "skater": "spopt Skater",
    "gerrychain-tree": "GerryChain tree",
    "gerrychain-recom": "GerryChain ReCom",
    "postgis-k-means": "PostGIS ST_ClusterKMeans",
    "fmtm-splitter": "fmtm-splitter",
    "k-means": "scikit-learn k-means (no limits)",
}
# Seconds at 1,000 households and the power they grow with, as measured; for the time left and for what is not tried.
_GROWTH = {
    "kmc-1": (0.12, 2.1),
    "kmc-10": (1.2, 2.8),
    "max-p": (100.0, 2.2),
    "skater": (3.5, 2.2),
    "gerrychain-tree": (0.25, 1.3),
    "gerrychain-recom": (5.0, 1.6),
    "fmtm-splitter": (1.4, 1.0),
    "k-means": (1.0, 1.0),
}
_SERVED = ("postgis-k-means", "fmtm-splitter")  # their work is done in the database's process
_OURS = {"quick": 0.2, "standard": 0.35, "thorough": 4.0}


@dataclass(frozen=True)
class Outcome:
    """What one run gave: labels of the points and figures, or why there are none."""

    label: np.ndarray | None
    figures: dict
    fault: str | None = None


def expected_seconds(run, size, limit=LIMIT_S):
    """Return about how long a run takes, start and warm-up included, at most the limit."""
    if run in PEERS:
        once, power = _GROWTH.get(run, (0.05, 1.0))
        return min(limit, 3.0 + once * (size / 1000) ** power)
    effort = run.split("-")[1]
    return min(limit, 4.0 + _OURS[effort] * (size / 1000) ** 1.1)


def work_seconds(run, figures):
    """Return the seconds a run is compared by: CPU, which other programs hardly disturb, where it is all its own."""
    return figures["seconds"] if run in _SERVED else figures["cpu"]


def code_digest(*patterns):
    """Return a digest of the files a result depends on."""
    summed = hashlib.sha256()
    for pattern in patterns:
        for file in sorted(environment.ROOT.glob(pattern)):
            summed.update(file.read_bytes())
    return summed.hexdigest()[:16]


def run_peer(peer, name, source, *, url, limit=LIMIT_S):
    """Return the outcome of a peer on an instance written to `source`."""
    made_from = code_digest("tests/bench/partition/peers.py", "requirements-bench.txt", "tests/*_land.py")
    with np.load(source) as held:
        made_from += hashlib.sha256(b"".join(held[field].tobytes() for field in held)).hexdigest()[:16]
    command = [environment.PYTHON, HERE / "peers.py", peer, source]
    return _kept(name, peer, made_from, command, {"BENCH_POSTGIS": url}, limit)


def run_ours(variant, name, limit=LIMIT_S):
    """Return the outcome of mapgrid on an instance."""
    made_from = code_digest("mapgrid/**/*.py", "tests/bench/partition/ours.py", "tests/*_land.py")
    return _kept(name, variant, made_from, [sys.executable, HERE / "ours.py", name, variant], {}, limit)


_CALL = """
import re, sys
from pathlib import Path
from web.cli import main
try:
    main(sys.argv[1:])
finally:
    print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def command_peak_mb(given):
    """Return the most memory of a process that reads an instance's files, divides it and writes the plan."""
    file, plan = KEPT / f"{given.name}.gpkg", KEPT / f"{given.name}-plan.gpkg"
    given.village.to_crs(4326).to_file(file, layer="village", driver="GPKG")
    given.households[["geometry"]].to_crs(4326).to_file(file, layer="households", driver="GPKG")
    arguments = ["partition", f"{file}:households", "--village", f"{file}:village", "--out", plan, "--quiet"]
    environs = {**os.environ, "PYTHONPATH": str(environment.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", _CALL, *arguments], env=environs, check=True, capture_output=True, text=True
    )
    return round(int(done.stdout) / 1024)


def _kept(name, what, made_from, command, extra, limit):
    target = KEPT / name / what
    target.parent.mkdir(parents=True, exist_ok=True)
    seal = target.with_suffix(".made-from")
    wanted = f"{made_from} {limit:.0f}"
    if not (seal.exists() and seal.read_text() == wanted):
        for suffix in (".npy", ".json", ".fault"):
            target.with_suffix(suffix).unlink(missing_ok=True)
        fault = run([*command, target], extra, limit)
        if fault is not None:
            target.with_suffix(".fault").write_text(fault)
        seal.write_text(wanted)
    if target.with_suffix(".fault").exists():
        return Outcome(None, {}, target.with_suffix(".fault").read_text())
    return Outcome(np.load(target.with_suffix(".npy")), json.loads(target.with_suffix(".json").read_text()))


def run(command, extra, limit):
    """Return None when all went well, else what went wrong in a few words."""
    environs = {**os.environ, "PYTHONPATH": str(environment.ROOT), **extra}
    began = time.monotonic()
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    # The limit is one of CPU time, so that a machine that is busy otherwise judges nobody.
    running = subprocess.Popen(command, env=environs, **pipes)
    resource.prlimit(running.pid, resource.RLIMIT_CPU, (int(limit) + START_S, int(limit) + START_S + 5))
    try:
        _, errors = running.communicate(timeout=4 * limit)
    except subprocess.TimeoutExpired:
        running.kill()
        running.communicate()
        return f"> {limit:.0f} s"
    if running.returncode == 0:
        return None
    if running.returncode == -signal.SIGXCPU:
        return f"> {limit:.0f} s"
    said = (errors.strip().splitlines() or [f"ended with {running.returncode}"])[-1]
    return said if "not installed here" in said else f"failed after {time.monotonic() - began:.0f} s: {said[:120]}"
