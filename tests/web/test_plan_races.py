"""Several planners at once on a server of several processes: nothing accepted is lost, nothing is done twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from plan_race import Planner, assert_nothing_was_lost, figures, race, sign_in_planners
from plan_village import store_village
from running_server import running_server

VILLAGES = ["990101102301", "990101102302"]


@pytest.fixture
def villages(session):
    for number, code in enumerate(VILLAGES):
        store_village(session, code, 200, seed=number, river=False)
    sign_in_planners(session, 8)
    session.commit()
    return VILLAGES


@pytest.fixture
def address(database_url, villages, tmp_path):
    """Return the address of a server as people start it, of two processes, on the villages."""
    with running_server(tmp_path, MAPGRID_DATABASE_URL=database_url) as server:
        yield server.address
        assert [line for line in server.log_lines() if line["level"] != "info"] == []


def test_planners_who_edit_the_same_drafts_lose_nothing(session, address, villages):
    answers = race(address, villages, planners=8, seconds=60, accepted=25)
    assert_nothing_was_lost(session, address, villages, answers)
    assert sum(answer.status == 200 for answer in answers) >= 25
    assert sum(answer.status == 412 for answer in answers) >= 1


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_eight_planners_for_a_minute_lose_nothing(session, address, villages):
    answers = race(address, villages, planners=8, seconds=60)
    print(json.dumps(figures(answers, 60)))  # noqa: T201
    assert_nothing_was_lost(session, address, villages, answers)


def _at_once(address, villages, calls):
    """Let each call be made by a planner of its own at the same moment, and return the statuses."""
    barrier = Barrier(len(calls))

    def make(call, seed):
        planner = Planner(address, villages, seed)
        barrier.wait(30)
        return call(planner)[0]

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(make, calls, range(len(calls))))


def _begun(planner, village):
    return planner.ask("POST", "/api/plans", {"village": village})[1]["plan"]["id"]


def test_of_those_who_publish_one_plan_at_once_one_does(session, address, villages):
    planner = Planner(address, villages, 0)
    plan = _begun(planner, villages[0])
    planner.change("review", plan, 0)
    publish = lambda one: one.change("publish", plan, 1, {"starts_on": "2030-01-01"})  # noqa: E731
    assert _at_once(address, villages, [publish] * 4) == [200, 412, 412, 412]


def test_of_two_plans_of_one_base_that_are_published_at_once_one_is(session, address, villages):
    planner = Planner(address, villages, 0)
    plans = [_begun(planner, villages[0]) for _ in range(2)]
    for plan in plans:
        planner.change("review", plan, 0)
    calls = [lambda one, plan=plan: one.change("publish", plan, 1, {"starts_on": "2030-01-01"}) for plan in plans]
    assert _at_once(address, villages, calls) == [200, 409]
    states = [plan["state"] for plan in planner.ask("GET", f"/api/plans?village={villages[0]}")[1]["plans"]]
    assert sorted(states) == ["in_review", "published", "superseded"]


def test_of_drafts_that_are_begun_at_once_each_has_a_name_of_its_own(session, address, villages):
    begin = lambda one: one.ask("POST", "/api/plans", {"village": villages[0]})  # noqa: E731
    assert _at_once(address, villages, [begin] * 4) == [201] * 4
    named = lambda one: one.ask("POST", "/api/plans", {"village": villages[0], "name": "spring"})  # noqa: E731
    assert _at_once(address, villages, [named] * 4) == [201, 409, 409, 409]
    plans = Planner(address, villages, 0).ask("GET", f"/api/plans?village={villages[0]}")[1]["plans"]
    assert sorted(plan["name"] for plan in plans) == ["2026-01", "draft-1", "draft-2", "draft-3", "draft-4", "spring"]


def test_of_those_who_edit_one_version_at_once_one_does(session, address, villages):
    planner = Planner(address, villages, 0)
    plan = _begun(planner, villages[0])
    grid = planner.ask("GET", f"/api/plans/{plan}")[1]["grids"]["features"][0]["properties"]["code"]
    lock = lambda one: one.change("edits", plan, 0, {"edit": "lock", "grid": grid})  # noqa: E731
    assert _at_once(address, villages, [lock] * 6) == [200, *[412] * 5]
