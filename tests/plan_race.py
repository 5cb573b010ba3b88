"""Planners who all edit the drafts of a few villages at once, over HTTP, and what must hold afterwards."""

import http.client
import json
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

import numpy as np
from plan_asserts import assert_plan_is_its_log
from plan_village import TOWN, chance_edits
from signed_in import sign_in
from sqlalchemy import text

from mapgrid.roles import Role

ACCEPTED, LOST = {200, 201}, {409, 412, 422}
BUSY = 503
"""Whoever waited three seconds for the village, on a machine that has much else to do: nothing was done, ask again."""


@dataclass
class Answer:
    """One request that changes something, and what came of it."""

    what: str
    kind: str
    plan: int | None
    status: int
    version: int | None
    seconds: float


@dataclass
class Planner:
    """Somebody who works at their own pace."""

    address: str
    villages: list[str]
    seed: int
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self):
        self.chance, self.rng = random.Random(self.seed), np.random.default_rng(self.seed)  # noqa: S311
        self.headers = {"Cookie": f"mapgrid={token_of(self.seed)}"}
        page, cookie = self.fetch("/account")
        self.headers["X-CSRFToken"] = re.search(r'name="csrf-token" content="([^"]+)"', page)[1]
        self.headers["Cookie"] += "; " + cookie.partition(";")[0]

    def fetch(self, path):
        """Return a page and the cookie that it sets."""
        with closing(http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)) as connection:
            connection.request("GET", path, headers=self.headers)
            reply = connection.getresponse()
            return reply.read().decode(), reply.headers["Set-Cookie"]

    def ask(self, method, path, body=None, **headers):
        sent = None if body is None else json.dumps(body)
        given = self.headers | ({"Content-Type": "application/json"} if body is not None else {})
        # A connection for each: one that is kept may be closed by the server at the moment it is used again.
        with closing(http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)) as connection:
            connection.request(method, path, sent, given | headers)
            reply = connection.getresponse()
            said = reply.read()
        return reply.status, json.loads(said) if said else {}

    def change(self, what, plan, version, body=None):
        """Ask for a change of a version of a plan, and note down what came of it."""
        began = monotonic()
        status, said = self.ask("POST", f"/api/plans/{plan}/{what}", body, **{"If-Match": f'"{version}"'})
        after = said["plan"]["version"] if status in ACCEPTED else None
        self.answers.append(Answer(what, (body or {}).get("edit", what), plan, status, after, monotonic() - began))
        return status, said

    def begin(self, village, name=None):
        began = monotonic()
        source = self.chance.choice(["published", "published", "division"])
        body = {"village": village, "source": source} | ({"name": name} if name else {})
        status, said = self.ask("POST", "/api/plans", body)
        plan, version = (said["plan"]["id"], 0) if status == 201 else (None, None)
        self.answers.append(Answer("begin", "begin", plan, status, version, monotonic() - began))

    def work(self, is_over):
        """Edit drafts, and now and then begin, review or publish one, until the time is over."""
        while not is_over():
            village = self.chance.choice(self.villages)
            plans = self.ask("GET", f"/api/plans?village={village}")[1].get("plans", [])
            open_ones = [plan for plan in plans if plan["state"] in {"draft", "in_review"}]
            if len(open_ones) < 2:
                self.begin(village)
            else:
                self.work_on(self.chance.choice(open_ones), is_over)

    def work_on(self, plan, is_over):
        status, shown = self.ask("GET", f"/api/plans/{plan['id']}")
        if status == BUSY:
            return
        version = shown["plan"]["version"]
        if shown["plan"]["state"] == "in_review":
            what, body = self.chance.choice([("return", None), ("publish", {"starts_on": "2030-01-01"})])
            self.change(what, plan["id"], version, body)
        elif self.chance.random() < 0.05:
            self.change("review", plan["id"], version)
        else:
            for record in chance_edits(shown, self.rng, 3):  # without looking again: often too late
                if not is_over():
                    status, said = self.change("edits", plan["id"], version, record)
                    version = said["plan"]["version"] if status == 200 else version


def sign_in_planners(session, count):
    """Store planners of the town, each signed in."""
    for seed in range(count):
        sign_in(session, f"planner-{seed}", (Role.PLANNER, TOWN), token=token_of(seed))


def token_of(seed):
    return f"the-token-of-planner-{seed}"


def race(address, villages, *, planners, seconds, accepted=None):
    """Let planners work at once for so long, or until so many edits were accepted, and return all their answers."""
    crowd = [Planner(address, villages, seed) for seed in range(planners)]
    until = monotonic() + seconds

    def is_over():
        made = sum(answer.what == "edits" and answer.status == 200 for one in crowd for answer in tuple(one.answers))
        return monotonic() >= until or (accepted is not None and made >= accepted)

    with ThreadPoolExecutor(planners) as pool:
        for done in [pool.submit(planner.work, is_over) for planner in crowd]:
            done.result()
    return [answer for planner in crowd for answer in planner.answers]


def assert_nothing_was_lost(session, address, villages, answers):
    """Check every answer against the histories, and every plan against its log, its village and its households."""
    assert {answer.status for answer in answers} <= ACCEPTED | LOST | {BUSY}
    anybody = Planner(address, villages, 0)
    told = [(answer.plan, answer.version, answer.kind) for answer in answers if answer.status in ACCEPTED]
    found = []
    for village in villages:
        plans = anybody.ask("GET", f"/api/plans?village={village}")[1]["plans"]
        assert [plan["state"] for plan in plans].count("published") == 1
        for plan in plans:
            entries = anybody.ask("GET", f"/api/plans/{plan['id']}/history")[1]["entries"]
            is_draft = bool(entries) and entries[0]["edit"]["edit"] == "begin"
            assert [entry["version"] for entry in entries] == list(range(0 if is_draft else 1, plan["version"] + 1))
            done = [(plan["id"], entry["version"], entry["edit"]["edit"]) for entry in entries]
            found += [one for one in done if one[2] != "supersede"]  # which is told by publishing another
            if is_draft:
                assert_plan_is_its_log(session, plan["id"])
    assert sorted(found) == sorted(told)
    twice = text(
        "SELECT count(*) FROM (SELECT plan_id, household_code FROM assignment GROUP BY 1, 2 HAVING count(*) <> 1) t"
    )
    assert session.scalar(twice) == 0


def figures(answers, seconds):
    """Return what was asked and what came of it, and how long accepted edits took."""
    edits = [answer for answer in answers if answer.what == "edits"]
    took = sorted(1000 * answer.seconds for answer in edits if answer.status == 200)
    return {
        "seconds": seconds,
        "asked": len(answers),
        "accepted": sum(answer.status in ACCEPTED for answer in answers),
        "accepted_per_second": round(sum(answer.status in ACCEPTED for answer in answers) / seconds, 1),
        "edit_ms_median": round(took[len(took) // 2], 1) if took else None,
        "edit_ms_95_of_100": round(took[len(took) * 95 // 100], 1) if took else None,
        "by_kind": dict(sorted(Counter(f"{answer.what} {answer.status}" for answer in answers).items())),
    }
