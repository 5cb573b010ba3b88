"""`make bench-partition`: mapgrid and its peers on the same villages in one run, by one scorecard.

ONLY=ruggell,800   these instances alone
FAST=1             up to 3,000 households, one minute per peer
FRESH=1            forget what earlier runs kept in build/bench-partition
BENCH_DATA=DIR     also measure north_bayreuth.gpkg of that directory
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import environment
import figure
import runs
import table
from instances import LIMITS, instance, names
from measuring import measure
from ours import takes

from geodata import cluster

_SEEDS = (0, 1, 2)


def say(text=""):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def variants(given, *, fast):
    """Return the runs of mapgrid on an instance."""
    seeds = _SEEDS[:1] if fast else _SEEDS
    made = [f"{preset}-standard-{seed}" for preset in ("balanced", "shortest") for seed in seeds]
    made += ["balanced-quick-0", *([] if fast else ["balanced-thorough-0"])]
    if given.river is not None:
        made += ["balanced-standard-0-river", "shortest-standard-0-river"]
    if given.units is not None and takes("units"):
        made += ["balanced-standard-0-units", "balanced-standard-0-units-river"]
    if given.roads is not None and takes("prefer"):
        made.append("balanced-standard-0-roads")
    return made


class Clock:
    """What is still to be done, and how long that takes about."""

    def __init__(self, chosen, fast, limit):
        self.left = {}
        self.limit = limit
        for name in chosen:
            given = instance(name)
            for run in [*variants(given, fast=fast), *runs.PEERS]:
                self.left[name, run] = runs.expected_seconds(run, given.size, limit)
        self.total = len(self.left)
        self.too_long = {}

    def begin(self, name, run):
        minutes = sum(self.left.values()) / 60
        del self.left[name, run]
        done = self.total - len(self.left)
        sys.stderr.write(f"[{done}/{self.total}, about {minutes:.0f} min left] {name}: {run}\n")


def measure_instance(name, clock, url, *, fast):
    """Return the figures of every run on an instance, ours first."""
    given = instance(name)
    rows = {}
    for variant in variants(given, fast=fast):
        clock.begin(name, variant)
        done = runs.run_ours(variant, name)
        if done.fault is None:
            done.figures.update(ours_beside(given, done, variant))
        rows[variant] = done.figures if done.fault is None else {"fault": done.fault}
    first = rows["balanced-standard-0"]
    source = runs.KEPT / f"{name}.npz"
    given.write(source, first["grids"])
    for peer in runs.PEERS:
        clock.begin(name, peer)
        known = clock.too_long.get(peer)
        if known is not None and given.size >= known[0]:
            rows[peer] = {"fault": f"> {clock.limit:.0f} s (already with {known[0]} households)"}
            continue
        done = runs.run_peer(peer, name, source, url=url, limit=clock.limit)
        # What has no end in a village of several parts may be quick in larger ones of one part.
        if (done.fault or "").startswith(">") and given.is_in_one_part:
            clock.too_long[peer] = min(known or (given.size, name), (given.size, name))
        if done.fault is None:
            card = measure(given, done.label, LIMITS, done.figures["seconds"])
            rows[peer] = card | done.figures
        else:
            rows[peer] = {"fault": done.fault}
    return {
        "households": given.size,
        "grids": first["grids"],
        "command_line_mb": runs.command_peak_mb(given),
        "rows": rows,
    }


def ours_beside(given, done, variant):
    """Return the figures that a plan made without river or units lacks, measured as those of the peers are."""
    beside = measure(given, done.label, LIMITS, 0.0)
    unasked = {"barrier_pairs": "river", "units_split": "units"}
    return {name: beside[name] for name, asked in unasked.items() if asked not in variant.split("-")}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the database is taken away too
    fast = bool(os.environ.get("FAST"))
    chosen = [name for name in names() if not (fast and name == "20000")]
    if os.environ.get("ONLY"):
        asked = os.environ["ONLY"].split(",")
        unknown = [name for name in asked if name not in names()]
        if unknown:
            sys.exit(f"ONLY: expected some of {', '.join(names())}, found {', '.join(unknown)}")
        chosen = [name for name in names() if name in asked]
    if os.environ.get("FRESH"):
        shutil.rmtree(runs.KEPT, ignore_errors=True)
    runs.KEPT.mkdir(parents=True, exist_ok=True)
    lacking = environment.make(say)
    limit = 60.0 if fast else runs.LIMIT_S
    clock = Clock(chosen, fast, limit)
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="mapgrid-bench-"))
    home.chmod(0o755)  # the account of the database must get through
    found = {}
    try:
        with cluster.running(home) as server:
            url = f"{server.url}&options=-cstatement_timeout%3D{limit + 15:.0f}s"
            for name in chosen:
                found[name] = measure_instance(name, clock, url, fast=fast)
                say(table.of_instance(name, found[name]))
    finally:
        cluster.destroy(home)
        shutil.rmtree(home, ignore_errors=True)
    say(table.of_all(found))
    for package, why in lacking.items():
        say(f"not installed here: {package}: {why}")
    (runs.KEPT / "figures.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
    if {"800", "3000", "20000"} <= set(found):
        say(f"figure: {figure.draw(found)}")
    say(f"{time.monotonic() - began:.0f} s in all; everything is in {runs.KEPT / 'figures.json'}")


if __name__ == "__main__":
    main()
