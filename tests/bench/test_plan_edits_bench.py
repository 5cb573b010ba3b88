"""Measure an edit of a stored draft over HTTP, from the request to the committed answer, and hold its limit."""

import json
import resource
import statistics
import time
import tracemalloc

import numpy as np
import pytest
from plan_village import chance_edits, store_village

from geodata.plan_codec import pack_plan, unpack_plan
from geodata.plan_snapshots import load_snapshot
from mapgrid.adjust import warm as warm_edits
from mapgrid.partition import warm
from web.actions.plan_shelf import PlanShelf

CODE = "990101102301"
_EDITS = 60


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("size", "limit_ms"), [(800, 300), (3000, None)])
def test_an_edit_of_a_draft_over_http(app, client, session, size, limit_ms):
    """Half of the figures as one process has them that edits alone, half as one that has not seen the last edit."""
    app.config["WTF_CSRF_ENABLED"] = False
    warm()
    warm_edits()
    store_village(session, CODE, size)
    session.commit()
    began = time.perf_counter()
    made = client.post("/api/plans", json={"village": CODE})
    begin_ms = 1000 * (time.perf_counter() - began)
    draft, version, rng = made.headers["Location"], 0, np.random.default_rng(1)
    took = {"warm": [], "cold": []}
    cpu = {"warm": [], "cold": []}
    size_bytes, shown = [], made.json
    while min(map(len, took.values())) < _EDITS:
        kind = "cold" if len(took["warm"]) > len(took["cold"]) else "warm"
        if kind == "cold":
            app.extensions["plans"] = PlanShelf()
        (edit,) = chance_edits(shown, rng, 1)
        began, used = time.perf_counter(), time.process_time()
        answer = client.post(f"{draft}/edits", json=edit, headers={"If-Match": f'"{version}"'})
        if answer.status_code == 200:
            took[kind].append(1000 * (time.perf_counter() - began))
            cpu[kind].append(1000 * (time.process_time() - used))
            version = answer.json["plan"]["version"]
            size_bytes.append(len(answer.data))
            shown = client.get(draft).json
        else:
            assert answer.status_code == 422, answer.text
    figures = {"households": size, "edits": version, "begin_ms": round(begin_ms), "limit_ms": limit_ms}
    for kind, all_ms in took.items():
        median, most = (round(float(np.percentile(all_ms, share)), 1) for share in (50, 95))
        figures |= {f"{kind}_ms_median": median, f"{kind}_ms_95_of_100": most}
        figures[f"{kind}_cpu_ms_median"] = round(statistics.median(cpu[kind]), 1)
    figures |= {"answer_bytes_median": statistics.median(size_bytes)}
    print(json.dumps({**figures, **_kept(session)}))  # noqa: T201
    if limit_ms is not None:
        assert max(figures["warm_ms_median"], figures["cold_ms_median"]) <= limit_ms


def _kept(session):
    """Return what it takes to keep a plan: bytes in the store, time, and memory of the process."""
    plan = load_snapshot(session, 1, 0)
    began = time.process_time()
    packed = pack_plan(plan)
    packing_ms = 1000 * (time.process_time() - began)
    tracemalloc.start()
    began = time.process_time()
    back = unpack_plan(packed)
    unpacking_ms = 1000 * (time.process_time() - began)
    traced = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    many = [unpack_plan(packed) for _ in range(20)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 20
    assert len(many[-1].cells) == len(back.cells)
    return {
        "packed_kb": round(len(packed) / 1024),
        "packing_cpu_ms": round(packing_ms, 1),
        "unpacking_cpu_ms": round(unpacking_ms, 1),
        "python_kb_in_memory": round(traced / 1024),
        "process_kb_in_memory": round(grown),
    }
