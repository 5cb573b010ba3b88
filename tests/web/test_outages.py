"""Whatever is wrong with the database, a request ends soon, with 503 and a time to come back."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from signed_in import sign_in_reader
from sqlalchemy import text
from stalling_proxy import stalling_proxy
from writing_app import browser, prepare, writing_app

from geodata import cluster
from geodata.database import migrate, open_engine

_SOON_S = 8


@pytest.fixture
def other(database_url):
    """Return an engine of somebody else on the test's database, with a table that both write to."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        prepare(connection)
        connection.execute(text("INSERT INTO note VALUES (1, 'one'), (2, 'two')"))
    yield engine
    engine.dispose()


@pytest.fixture
def writing(database_url, other, tmp_path):
    sign_in_reader(database_url)
    app = writing_app(database_url, tmp_path)
    yield browser(app)
    app.extensions["engine"].dispose()


def _run(client, *statements):
    return client.post("/api/test/run", json={"statements": statements})


def _assert_come_back(answer, retry_after_s, words):
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"] == str(retry_after_s)
    assert words in answer.json["message"]
    assert not any(word in answer.text for word in ("psycopg", "SELECT", "UPDATE", "note"))


@contextmanager
def _soon():
    began = time.monotonic()
    yield
    assert time.monotonic() - began < _SOON_S


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setattr("web.app._choose_locale", lambda: "en")


def test_a_database_that_is_stopped_and_started_again(home, tmp_path):
    server = cluster.start(home)
    migrate(server.url)
    sign_in_reader(server.url)
    app = writing_app(server.url, tmp_path)
    client = browser(app)
    assert client.get("/api/areas").status_code == 200
    cluster.stop(home)
    for path in ("/api/areas", "/"):
        with _soon():
            away = client.get(path)
        assert (away.status_code, away.headers["Retry-After"]) == (503, "2")
    cluster.start(home)
    assert client.get("/api/areas").status_code == 200
    app.extensions["engine"].dispose()


def test_a_network_that_swallows_every_packet(database_url, tmp_path):
    sign_in_reader(database_url)
    with stalling_proxy(database_url) as proxy:
        app = writing_app(proxy.url, tmp_path)
        client = browser(app)
        assert client.get("/api/areas").status_code == 200
        proxy.stall()
        with _soon():
            _assert_come_back(client.get("/api/areas"), 2, "Nothing is lost")
        proxy.flow()
        assert client.get("/api/areas").status_code == 200
        app.extensions["engine"].dispose()


def test_a_pool_without_a_free_connection(writing):
    engine = writing.application.extensions["engine"]
    held = [engine.connect() for _ in range(engine.pool.size() + engine.pool._max_overflow)]
    with _soon():
        _assert_come_back(writing.get("/api/areas"), 2, "Too much")
    for connection in held:
        connection.close()
    assert writing.get("/api/areas").status_code == 200


def test_a_lock_that_somebody_else_holds(writing, other):
    with other.begin() as connection:
        connection.execute(text("LOCK TABLE area IN ACCESS EXCLUSIVE MODE"))
        with _soon():
            _assert_come_back(writing.get("/api/areas"), 2, "Too much")
    assert writing.get("/api/areas").status_code == 200


def test_a_server_that_has_no_room_for_one_more_connection(home, tmp_path):
    server = cluster.start(home)
    migrate(server.url)
    sign_in_reader(server.url)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET max_connections = 6")
        connection.execute("ALTER SYSTEM SET superuser_reserved_connections = 0")
        connection.execute("ALTER SYSTEM SET max_wal_senders = 0")
    cluster.stop(home)
    server = cluster.start(home)
    app = writing_app(server.url, tmp_path)
    taken = [psycopg.connect(server.url) for _ in range(6)]
    with _soon():
        away = browser(app).get("/api/areas")
    assert away.status_code == 503
    assert away.headers["Retry-After"] == "2"
    for connection in taken:
        connection.close()
    assert browser(app).get("/api/areas").status_code == 200
    app.extensions["engine"].dispose()


def test_a_statement_that_takes_too_long(writing):
    with _soon():
        _assert_come_back(_run(writing, "SET LOCAL statement_timeout = 100", "SELECT pg_sleep(60)"), 2, "Too much")


def test_two_writers_of_one_row_of_whom_one_saw_an_older_state(writing, other, database_url):
    _set(other, database_url, "default_transaction_isolation = 'repeatable read'")
    writing.application.extensions["engine"].dispose()
    with other.begin() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("UPDATE note SET word = 'first' WHERE number = 1"))
        loser = pool.submit(
            _run,
            writing,
            "SELECT count(*) FROM note",
            "UPDATE note SET word = 'second' WHERE number = 1",
        )
        _wait_for_a_waiter(other)
        connection.commit()
        _assert_come_back(loser.result(), 1, "Somebody else")
    with other.connect() as connection:
        assert connection.execute(text("SELECT word FROM note WHERE number = 1")).scalar_one() == "first"


def test_two_writers_who_wait_for_each_other(writing, other):
    with other.begin() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("SET LOCAL deadlock_timeout = '30s'"))
        connection.execute(text("UPDATE note SET word = 'mine' WHERE number = 2"))
        loser = pool.submit(
            _run,
            writing,
            "UPDATE note SET word = 'theirs' WHERE number = 1",
            "UPDATE note SET word = 'theirs' WHERE number = 2",
        )
        _wait_for_a_waiter(other)
        connection.execute(text("UPDATE note SET word = 'mine' WHERE number = 1"))
        _assert_come_back(loser.result(), 1, "Somebody else")


def _set(engine, database_url, setting):
    """Change a setting for all connections that are made from now on."""
    name = database_url.split("?")[0].rsplit("/", 1)[1]
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET {setting}"))


def _wait_for_a_waiter(engine):
    """Return once somebody waits for a lock."""
    deadline = time.monotonic() + 3
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not connection.execute(query).scalar_one():
            connection.rollback()
            assert time.monotonic() < deadline


def test_a_database_that_only_answers_questions(writing, other, database_url):
    _set(other, database_url, "default_transaction_read_only = on")
    writing.application.extensions["engine"].dispose()
    _assert_come_back(_run(writing, "INSERT INTO note VALUES (3, 'three')"), 5, "takes no changes")
    assert writing.get("/api/test/read").json == {"count": 2}


def test_a_full_disk_loses_nothing_and_is_told(home, tmp_path):
    server = cluster.start(home)
    migrate(server.url)
    sign_in_reader(server.url)
    engine = open_engine(server.url)
    with _full_disk(home, server) as fill:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in fill.preparation:
                connection.execute(text(statement))
        app = writing_app(server.url, tmp_path)
        client = browser(app)
        _assert_come_back(_run(client, *fill.statements), 60, "disk")
        assert client.get("/api/areas").status_code == 200
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM note")).scalar_one() == 1
        app.extensions["engine"].dispose()
    engine.dispose()


class _Fill:
    def __init__(self, preparation, statements):
        self.preparation, self.statements = preparation, statements


@contextmanager
def _full_disk(home, server):
    """Lend statements that fill a disk: a small one where one may mount, else an error that says it is full."""
    if os.geteuid() != 0:
        table = ["CREATE TABLE note (number integer, word text)", "INSERT INTO note VALUES (1, 'one')"]
        yield _Fill(table, ["DO $$ BEGIN RAISE disk_full; END $$"])
        return
    disk = home / "disk"
    disk.mkdir()
    owner = server.data.stat()
    options = f"size=2m,uid={owner.st_uid},gid={owner.st_gid},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
    try:
        yield _Fill(
            [
                f"CREATE TABLESPACE small LOCATION '{disk}'",
                "CREATE TABLE note (number integer, word text) TABLESPACE small",
                "GRANT ALL ON note TO PUBLIC",
                "INSERT INTO note VALUES (1, 'one')",
            ],
            ["INSERT INTO note SELECT number, repeat(md5(number::text), 50) FROM generate_series(2, 9000) number"],
        )
    finally:
        cluster.destroy(home)
        subprocess.run(["umount", disk], check=True)
