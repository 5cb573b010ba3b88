"""A job happens once and its end is told, whatever happens to whoever carries it out."""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from running_server import CHECKOUT, children_of, running_server
from signed_in import sign_in
from sqlalchemy import text
from stored_village import CODE, store_village

from geodata.database import open_engine
from geodata.jobs import JobRefusedError, add_job, ask_to_cancel, hold, load_job
from mapgrid.errors import LimitsError, NotFoundError
from mapgrid.jobs import ENDED, MOST_ATTEMPTS, NEXT, JobKind, JobState
from web import jobs, nightly
from web.job_queue import AGAIN, DONE
from web.settings import Settings

_ASKED = {"min": 50, "max": 100, "target": 75, "seed": 0, "starts_on": "2026-03-05"}


@pytest.fixture
def template(filled):
    return filled("jobs", store_village)


@pytest.fixture
def village(database_url):
    return CODE


@pytest.fixture
def planner(session, village):
    """Return the number of an account that plans the village's town."""
    number = sign_in(session, "li-town", ("planner", CODE[:9]))
    session.commit()
    return number


def _add(session, planner, **changed):
    number = add_job(session, JobKind.DIVIDE, CODE, {**_ASKED, **changed}, account_id=planner)
    session.commit()
    return number


def _load(session, number):
    session.rollback()
    return load_job(session, number)


def _plans(session):
    session.rollback()
    return session.scalar(text("SELECT count(*) FROM plan"))


def _queue_state(session):
    session.rollback()
    return session.scalar(text("SELECT status::text FROM procrastinate_jobs ORDER BY id DESC LIMIT 1"))


def test_from_an_ended_state_nothing_follows_and_every_other_leads_to_an_end():
    assert {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED} == ENDED
    assert set(NEXT) == set(JobState)
    assert all(NEXT[state] & ENDED for state in set(JobState) - ENDED)


def test_a_job_that_is_added_stands_on_the_queue_once_it_is_committed(session, planner):
    number = add_job(session, JobKind.DIVIDE, CODE, _ASKED, account_id=planner)
    session.rollback()
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0
    number = _add(session, planner)
    queued = session.execute(text("SELECT status::text, args, lock FROM procrastinate_jobs")).one()
    assert queued == ("todo", {"job_id": number}, f"village {CODE}")
    assert (_load(session, number).state, _load(session, number).progress) == (JobState.QUEUED, 0)


def test_a_village_is_divided_by_one_job_at_a_time(session, planner, database_url):
    number = _add(session, planner)
    with pytest.raises(JobRefusedError, match="wait for it or cancel it"):
        _add(session, planner)
    session.rollback()
    assert jobs.run(database_url, number) == DONE
    assert _add(session, planner) > number


def test_a_division_publishes_the_plan_and_tells_what_came_of_it(session, planner, database_url):
    number = _add(session, planner)
    assert jobs.run(database_url, number) == DONE
    job = _load(session, number)
    assert (job.state, job.progress, job.attempts) == (JobState.SUCCEEDED, 1, 1)
    assert {"grids": 3, "households": 222, "reasons": []}.items() <= job.result.items()
    assert 50 <= job.result["least"] <= job.result["most"] <= 100
    assert _plans(session) == 1


def test_a_job_that_is_begun_again_after_its_end_happens_once(session, planner, database_url):
    number = _add(session, planner)
    jobs.run(database_url, number)
    ended_at = _load(session, number).ended_at
    assert jobs.run(database_url, number) == DONE
    assert (_load(session, number).attempts, _load(session, number).ended_at) == (1, ended_at)
    assert _plans(session) == 1


def test_what_cannot_be_done_fails_in_words_and_leaves_nothing(session, planner, database_url):
    number = _add(session, planner, max=10)
    jobs.run(database_url, number)
    job = _load(session, number)
    assert job.state == JobState.FAILED
    assert "max" in job.message
    assert _plans(session) == 0


def test_a_job_that_waits_is_cancelled_at_once_and_leaves_the_queue(session, planner, database_url):
    number = _add(session, planner)
    assert ask_to_cancel(session, number).state == JobState.CANCELLED
    session.commit()
    assert _queue_state(session) == "cancelled"
    assert jobs.run(database_url, number) == DONE
    assert (_load(session, number).attempts, _plans(session)) == (0, 0)


def test_a_job_that_was_cancelled_while_it_ran_undoes_its_work(session, planner, database_url, monkeypatch):
    """The wish comes after the last look at it and before the end."""
    number = _add(session, planner)
    work = jobs._divide

    def cancelled_at_the_end(own_session, job, tell):
        result = work(own_session, job, lambda *_: None)
        ask_to_cancel(session, number)
        session.execute(text("UPDATE job SET state = 'cancelled', ended_at = now()"))
        session.commit()
        return result

    monkeypatch.setattr(jobs, "_WORK", {JobKind.DIVIDE: cancelled_at_the_end})
    assert jobs.run(database_url, number) == DONE
    assert _load(session, number).state == JobState.CANCELLED
    assert _plans(session) == 0


def test_a_job_stops_at_the_next_word_after_it_was_cancelled(session, planner, database_url, monkeypatch):
    number = _add(session, planner)

    def long_work(_session, _job, tell):
        tell(0.1, "cutting the land")
        ask_to_cancel(session, number)
        session.commit()
        tell(0.2, "dividing into grids")
        raise LimitsError("it went on")

    monkeypatch.setattr(jobs, "_WORK", {JobKind.DIVIDE: long_work})
    jobs.run(database_url, number)
    assert (_load(session, number).state, _load(session, number).progress) == (JobState.CANCELLED, 0.1)


def test_a_job_that_another_process_still_runs_is_left_to_it(session, planner, database_url):
    number = _add(session, planner)
    other = open_engine(database_url, pool_size=0)
    with other.connect() as connection:
        assert hold(connection, number)
        assert jobs.run(database_url, number) == AGAIN
    assert _load(session, number).attempts == 0
    assert jobs.run(database_url, number) == DONE


def test_a_job_that_kills_whoever_runs_it_is_given_up_with_words(session, planner, database_url, monkeypatch):
    class KilledError(BaseException):
        """Stands for a death without last words."""

    def deadly(*_):
        raise KilledError

    monkeypatch.setattr(jobs, "_WORK", {JobKind.DIVIDE: deadly})
    number = _add(session, planner)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KilledError):
            jobs.run(database_url, number)
    assert _load(session, number).state == JobState.RUNNING
    assert jobs.run(database_url, number) == DONE
    job = _load(session, number)
    assert (job.state, job.attempts) == (JobState.FAILED, MOST_ATTEMPTS)
    assert f"begun {MOST_ATTEMPTS} times" in job.message


def test_a_database_that_is_away_is_no_attempt():
    assert jobs.run("postgresql://127.0.0.1:9/nowhere", 1) == AGAIN


def test_there_is_no_job_of_a_number_nobody_was_given(session):
    with pytest.raises(NotFoundError):
        load_job(session, 7)


def test_a_job_has_the_rights_of_who_asked_for_it_and_only_as_long_as_they_last(session, planner, database_url):
    number = _add(session, planner)
    session.execute(text("UPDATE account_scope SET ends_on = '2026-01-01'"))
    session.commit()
    jobs.run(database_url, number)
    job = _load(session, number)
    assert job.state == JobState.FAILED
    assert "no longer may" in job.message
    assert _plans(session) == 0


def test_a_division_leaves_its_trace_under_the_name_of_who_asked(session, planner, database_url):
    jobs.run(database_url, _add(session, planner))
    session.rollback()
    traced = session.execute(
        text("SELECT action, account_id, subject FROM audit_entry WHERE action NOT LIKE 'import.%'")
    ).all()
    assert traced == [("plan.publish", planner, CODE)]


# With a worker that runs.


@pytest.fixture
def running(home, database_url, village):
    with running_server(home, MAPGRID_DATABASE_URL=database_url) as server:
        yield server


@contextmanager
def _blocked(database_url):
    """Hold the village, so that its division waits for as long as the block lasts."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("SELECT * FROM area WHERE level = 'village' FOR NO KEY UPDATE"))
        yield
    engine.dispose()


def _wait_for(session, number, *states, seconds=40):
    deadline = time.monotonic() + seconds
    while (job := _load(session, number)).state not in states:
        assert time.monotonic() < deadline, job
        time.sleep(0.05)  # somebody else's process: there is nothing to wait on
    return job


def _job_process(running, but=()):
    """Return the process of the job that runs, once there is one other than some."""
    deadline = time.monotonic() + 40
    while True:
        found = [pid for worker in running.children().get("job_worker", []) for pid in children_of(worker)]
        if set(found) - set(but):
            return found[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)  # the same reason


def test_a_server_s_worker_takes_jobs_by_itself_and_ends_with_it(running, session, planner):
    number = _add(session, planner)
    assert _wait_for(session, number, JobState.SUCCEEDED, JobState.FAILED).result["grids"] == 3
    (worker,) = running.children()["job_worker"]
    watched = os.pidfd_open(worker)
    running.signal(signal.SIGTERM)
    assert select.select([watched], [], [], 15)[0]
    os.close(watched)


def test_a_killed_worker_is_replaced_and_its_job_happens_once(running, session, planner, database_url):
    with _blocked(database_url):
        number = _add(session, planner)
        _wait_for(session, number, JobState.RUNNING)
        process = _job_process(running)
        (worker,) = running.children()["job_worker"]
        os.kill(worker, signal.SIGKILL)
        _job_process(running, but=[process])  # taken again, by another
    job = _wait_for(session, number, JobState.SUCCEEDED, JobState.FAILED)
    assert (job.state, job.attempts) == (JobState.SUCCEEDED, 2), job.message
    assert _plans(session) == 1


def test_a_killed_process_of_a_job_is_begun_again(running, session, planner, database_url):
    with _blocked(database_url):
        number = _add(session, planner)
        _wait_for(session, number, JobState.RUNNING)
        process = _job_process(running)
        os.kill(process, signal.SIGKILL)
        _job_process(running, but=[process])
    assert _wait_for(session, number, JobState.SUCCEEDED, JobState.FAILED).attempts == 2
    assert _plans(session) == 1


def test_a_running_job_is_cancelled_even_when_it_says_nothing(running, session, planner, database_url):
    with _blocked(database_url):
        number = _add(session, planner)
        _wait_for(session, number, JobState.RUNNING)
        asked_at = time.monotonic()
        ask_to_cancel(session, number)
        session.commit()
        _wait_for(session, number, JobState.CANCELLED)
        assert time.monotonic() - asked_at < 8
    assert _plans(session) == 0
    again = _add(session, planner)
    assert _wait_for(session, again, *ENDED).state == JobState.SUCCEEDED


def test_the_worker_of_another_machine_is_a_command(home, database_url, planner, session):
    environment = {**os.environ, "MAPGRID_HOME": str(home), "MAPGRID_DATABASE_URL": database_url}
    with subprocess.Popen(
        [sys.executable, "-m", "web", "worker"],
        env={**environment, "PYTHONPATH": str(CHECKOUT)},
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert "takes jobs" in worker.stdout.readline()
        number = _add(session, planner)
        assert _wait_for(session, number, *ENDED).state == JobState.SUCCEEDED
        worker.send_signal(signal.SIGINT)
        worker.communicate(timeout=20)
    assert worker.returncode == 0


@pytest.mark.usefixtures("restores_alone")
def test_the_night_s_work_forgets_what_is_old_and_proves_a_backup(session, planner, database_url, home):
    number = _add(session, planner)
    jobs.run(database_url, number)
    recent = _add(session, planner)
    session.execute(text("UPDATE job SET ended_at = now() - interval '31 days' WHERE id = :id"), {"id": number})
    session.commit()
    nightly.run(database_url, Settings(home=home))
    session.rollback()
    assert session.scalars(text("SELECT id FROM job")).all() == [recent]
    (backup,) = (home / "backups").glob("*.backup")
    assert backup.stat().st_size > 0


def test_what_fails_at_night_is_told_and_hinders_nothing_else(session, planner, database_url, home, monkeypatch):
    def fails(*_):
        raise OSError("no room")

    done = []
    monkeypatch.setattr(nightly, "_TURNS", {"first": fails, "second": lambda *_: done.append(1)})
    with pytest.raises(nightly.NightFailedError, match="first"):
        nightly.run(database_url, Settings(home=home))
    assert done == [1]


# As pages and programs see it.


@pytest.fixture
def client(app, client):
    """Return a browser whose forms need no token."""
    app.config["WTF_CSRF_ENABLED"] = False
    return client


def test_a_program_starts_follows_and_cancels_a_division(client, village, session):
    started = client.post(f"/api/villages/{CODE}/division", json={"target": 80})
    assert started.status_code == 202
    place = started.headers["Location"]
    job = client.get(place).json
    assert (job["state"], job["progress"], job["village"], job["has_ended"]) == ("queued", 0, CODE, False)
    again = client.post(f"/api/villages/{CODE}/division", json={})
    assert again.status_code == 409
    cancelled = client.post(f"{place}/cancel").json
    assert (cancelled["state"], cancelled["has_ended"]) == ("cancelled", True)
    assert load_job(session, job["id"]).arguments["target"] == 80


@pytest.mark.parametrize(
    "asked", [{"min": "5"}, {"max": -1}, {"seed": True}, {"starts_on": "soon"}, {"min": 90, "max": 60}, {"target": 1}]
)
def test_what_cannot_be_asked_for_is_refused_before_it_is_queued(client, village, session, asked):
    assert client.post(f"/api/villages/{CODE}/division", json=asked).status_code == 400
    assert session.scalar(text("SELECT count(*) FROM job")) == 0


def test_there_is_nothing_to_divide_or_to_look_at_where_nothing_is(client):
    assert client.post("/api/villages/990101102299/division", json={}).status_code == 404
    assert client.get("/api/jobs/7").status_code == 404
    assert client.post("/api/jobs/7/cancel").status_code == 404
    assert client.get("/jobs/7").status_code == 404


def test_the_page_of_a_job_says_how_it_stands_in_both_languages(client, session, planner, database_url):
    number = _add(session, planner)
    said = [client.get(f"/jobs/{number}", headers={"Accept-Language": tag}).text for tag in ("en", "zh")]
    assert "Waiting for its turn" in said[0]
    assert "排队等候" in said[1]
    jobs.run(database_url, number)
    assert "222 households in 3 grids of " in client.get(f"/jobs/{number}", headers={"Accept-Language": "en"}).text


def test_figures_tell_how_many_jobs_stand_where(client, planner, session):
    _add(session, planner)
    assert 'mapgrid_jobs{state="queued"} 1.0' in client.get("/metrics").text
