"""A request under a key happens once, whatever becomes of its answer."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from signed_in import sign_in, sign_in_reader
from sqlalchemy import func, select, text
from sqlalchemy import table as sql_table
from writing_app import browser, prepare, writing_app

from geodata import idempotency
from geodata.database import open_engine

_SECOND = "the-second"
_KEY = {"Idempotency-Key": "a0b1c2d3-0001"}


@pytest.fixture
def other(database_url):
    engine = open_engine(database_url)
    with engine.begin() as connection:
        prepare(connection)
        connection.execute(text("INSERT INTO note VALUES (1, 'one')"))
    yield engine
    engine.dispose()


@pytest.fixture
def app(database_url, other, tmp_path):
    sign_in_reader(database_url)
    app = writing_app(database_url, tmp_path)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def client(app):
    return browser(app)


def _count(engine, table="note"):
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(sql_table(table))).scalar_one()


def _add(client, number, word="x", headers=_KEY):
    return client.post("/api/test/notes", json={"number": number, "word": word}, headers=headers)


def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(client, other):
    first, again = _add(client, 2), _add(client, 2)
    assert (first.status_code, first.json) == (201, {"number": 2, "before": 1})
    assert (again.status_code, again.json) == (201, {"number": 2, "before": 1})
    assert first.headers["Location"] == again.headers["Location"]
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert _count(other) == 2


def test_another_request_under_the_same_key_is_refused(client, other):
    _add(client, 2)
    for answer in (_add(client, 3), _add(client, 2, word="y"), client.post("/api/test/refuse", headers=_KEY)):
        assert answer.status_code == 422
        assert "use a new key" in answer.json["message"]
    assert _count(other) == 2


def test_without_a_key_every_request_is_its_own(client, other):
    assert _add(client, 2, headers={}).status_code == 201
    assert _add(client, 3, headers={}).json["before"] == 2
    assert _count(other, "kept_answer") == 0


def test_keys_of_two_accounts_are_two_keys(app, client, session):
    sign_in(session, "second", ("planner", ""), token=_SECOND)
    session.commit()
    _add(client, 2)
    assert _add(browser(app, _SECOND), 3).json == {"number": 3, "before": 2}


def test_nobody_s_key_counts_for_nothing(app, other):
    """Whoever is not signed in could read another's answer by guessing a key."""
    assert _add(app.test_client(), 2).status_code == 201
    assert _add(app.test_client(), 3).status_code == 201
    assert _count(other, "kept_answer") == 0


def test_the_same_request_at_the_same_moment_is_asked_to_wait(app, other):
    with other.begin() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("SELECT * FROM note WHERE number = 1 FOR UPDATE"))
        first = pool.submit(_add, browser(app), 2, "wait")
        with other.connect() as watcher:
            while not watcher.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
                watcher.rollback()
        meanwhile = _add(browser(app), 2, "wait")
        assert (meanwhile.status_code, meanwhile.headers["Retry-After"]) == (409, "1")
        connection.rollback()
        assert first.result().status_code == 201
    assert _add(browser(app), 2, "wait").headers["Idempotent-Replayed"] == "true"
    assert _count(other) == 2


def test_what_was_refused_or_failed_may_be_tried_again_under_its_key(client, other):
    assert client.post("/api/test/refuse", headers=_KEY).status_code == 400
    broken = client.post("/api/test/run", json={"statements": ["SELECT nonsense"]}, headers=_KEY)
    assert broken.status_code == 500
    assert _count(other) == 1
    assert _add(client, 2).status_code == 201


def test_write_and_answer_are_kept_together_or_not_at_all(client, other):
    """The answer cannot be kept: then the write is undone as well."""
    with other.begin() as connection:
        connection.execute(text("ALTER TABLE kept_answer ADD CHECK (status <> 201)"))
    assert _add(client, 2).status_code == 500
    assert _count(other) == 1


def test_after_a_day_a_key_is_new(client, other):
    _add(client, 2)
    with other.begin() as connection:
        connection.execute(text("UPDATE kept_answer SET made_at = now() - interval '25 hours'"))
    assert _add(client, 3).json == {"number": 3, "before": 2}
    assert _count(other, "kept_answer") == 1


def test_a_form_brings_its_key_in_a_field_and_may_be_sent_with_another_token(client, other):
    def send(token, word="x", name="a.csv"):
        form = {"number": "2", "word": word, "idempotency_key": "a0b1c2d3-0001", "csrf_token": token}
        form["file"] = (io.BytesIO(b"content of " + name.encode()), name)
        return client.post("/api/test/notes", data=form, content_type="multipart/form-data")

    assert [send("t1").status_code, send("t2").status_code] == [201, 201]
    assert send("t3", word="y").status_code == 422
    assert send("t4", name="b.csv").status_code == 422
    assert _count(other) == 2


@pytest.mark.parametrize("key", ["short", "a" * 201, "with a space", "schlüssel-7"])
def test_a_key_that_is_none_is_refused_with_what_was_expected(client, other, key):
    answer = _add(client, 2, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "8 to 200 printable characters" in answer.json["message"]


def test_old_answers_of_all_accounts_are_forgotten(client, other, session):
    _add(client, 2)
    session.execute(text("UPDATE kept_answer SET made_at = now() - interval '25 hours'"))
    idempotency.forget_old_answers(session)
    session.commit()
    assert _count(other, "kept_answer") == 0
