"""No wait for the database is for ever."""

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from stalling_proxy import stalling_proxy

from geodata import cluster
from geodata.database import open_engine
from geodata.patience import COMMAND, REQUEST, Patience
from geodata.troubles import Trouble, trouble_of

_SHORT = Patience(connect_s=2, pool_s=0.2, lock_s=0.5, statement_s=1, whole_s=4, idle_s=1)


@pytest.fixture
def open_short(database_url):
    """Return a function that opens an engine with little patience; all are closed at the end."""
    opened = []

    def open_one(url=database_url, **options):
        opened.append(open_engine(url, **{"patience": _SHORT, **options}))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.dispose()


def _setting(engine, name):
    with engine.connect() as connection:
        return connection.execute(text(f"SHOW {name}")).scalar_one()


def test_a_request_s_connection_carries_every_limit_and_a_command_s_none(open_short):
    request, command = open_short(patience=REQUEST), open_short(patience=COMMAND)
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    assert [_setting(request, name) for name in limits] == ["8s", "3s", "30s"]
    assert [_setting(command, name) for name in limits] == ["0", "0", "0"]


def test_options_of_the_url_are_kept_and_win(open_short, database_url):
    engine = open_short(f"{database_url}&options=-cstatement_timeout%3D77000%20-crole%3Dpg_monitor")
    assert _setting(engine, "statement_timeout") == "77s"
    assert _setting(engine, "role") == "pg_monitor"
    assert _setting(engine, "lock_timeout") == "500ms"


def test_a_statement_that_takes_too_long_is_ended_by_the_server(open_short):
    with open_short().connect() as connection, pytest.raises(OperationalError) as ended:
        connection.execute(text("SELECT pg_sleep(30)"))
    assert ended.value.orig.sqlstate == "57014"
    assert trouble_of(ended.value) == Trouble.BUSY


def test_a_way_that_swallows_the_answer_is_given_up_and_works_again_later(open_short, database_url):
    with stalling_proxy(database_url) as proxy:
        engine = open_short(proxy.url)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            proxy.stall()
            began = time.monotonic()
            with pytest.raises(OperationalError, match="did not answer") as given_up:
                connection.execute(text("SELECT 1"))
            assert time.monotonic() - began < _SHORT.statement_s + 2.5
            assert trouble_of(given_up.value) == Trouble.AWAY
        proxy.flow()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_many_short_waits_together_end_as_well(open_short):
    """Each statement keeps its own limit; their sum would hold a request for as long as it has statements."""
    began = time.monotonic()
    with open_short().connect() as connection, pytest.raises(OperationalError, match="did not answer"):
        _ask_again_and_again(connection)
    assert _SHORT.whole_s - 0.1 <= time.monotonic() - began < _SHORT.whole_s + 1


def _ask_again_and_again(connection):
    for _ in range(20):
        connection.execute(text("SELECT pg_sleep(0.8)"))


def test_a_transaction_that_stands_open_is_ended_by_the_server(open_short):
    with open_short().connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with open_short(patience=COMMAND).connect() as watcher:
            gone_by = time.monotonic() + 10
            query = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
            while watcher.execute(query, {"pid": pid}).scalar_one():
                watcher.rollback()
                assert time.monotonic() < gone_by
        with pytest.raises(Exception, match="idle-in-transaction") as ended:
            connection.execute(text("SELECT 1"))
        assert trouble_of(ended.value) in {Trouble.BUSY, Trouble.AWAY}
        connection.invalidate()


def test_a_pool_without_a_free_connection_says_so_soon(open_short):
    engine = open_short(pool_size=1)
    held = [engine.connect() for _ in range(12)]
    began = time.monotonic()
    with pytest.raises(Exception, match="QueuePool") as full, engine.connect():
        pass
    assert time.monotonic() - began < 1
    for connection in held:
        connection.close()
    assert trouble_of(full.value) == Trouble.BUSY


def test_a_paused_server_is_given_up_with_and_without_a_connection_to_it(home, open_short):
    server = cluster.start(home)
    warm, cold = open_short(server.url), open_short(server.url)
    with warm.connect() as connection:
        connection.execute(text("SELECT 1"))
    paused = [server.pid, *_children_of(server.pid)]
    for pid in paused:
        os.kill(pid, signal.SIGSTOP)
    try:
        for engine in (warm, cold):
            began = time.monotonic()
            with pytest.raises(OperationalError) as given_up, engine.connect():
                pass
            assert time.monotonic() - began < 5
            assert trouble_of(given_up.value) == Trouble.AWAY
    finally:
        for pid in paused:
            os.kill(pid, signal.SIGCONT)
    with warm.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    warm.dispose()


def _children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_what_is_wrong_with_a_statement_is_no_trouble_of_the_database(open_short):
    with open_short().connect() as connection:
        for statement in ("SELECT nonsense", "SELECT 1 / 0", "INSERT INTO area (code) VALUES (NULL)"):
            with pytest.raises(Exception, match="psycopg") as refused:
                connection.execute(text(statement))
            assert trouble_of(refused.value) is None
            connection.rollback()


def test_values_of_people_stand_in_no_message(open_short):
    with open_short().connect() as connection, pytest.raises(Exception, match="psycopg") as refused:
        connection.execute(text("SELECT CAST(:name AS text) || 1 / 0"), {"name": "欧阳娜娜"})
    assert "欧阳娜娜" not in str(refused.value)
