import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from geodata import cluster
from geodata.database import DatabaseRefusedError, check_existing, open_engine, open_store


def _as_role(url, role):
    return f"{url}&options=-crole%3D{role}"


@pytest.fixture
def weak_role(server):
    server.execute("CREATE ROLE weak")
    yield "weak"
    server.execute("DROP ROLE weak")


def test_an_empty_database_gets_postgis(empty_database_url):
    check_existing(empty_database_url)
    engine = open_engine(empty_database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT postgis_lib_version()")).scalar_one() >= "3"
    engine.dispose()


def test_a_user_who_may_not_create_tables_is_refused_with_the_grant_to_give(database_url, weak_role):
    with pytest.raises(DatabaseRefusedError, match=r"weak may not create tables.*GRANT CREATE"):
        check_existing(_as_role(database_url, weak_role))


def test_a_database_without_postgis_whose_user_may_not_create_it_is_refused(server, empty_database_url, weak_role):
    engine = open_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO weak"))
    with pytest.raises(DatabaseRefusedError, match=r"as a superuser, in that database: CREATE EXTENSION postgis"):
        check_existing(_as_role(empty_database_url, weak_role))
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY weak"))
    engine.dispose()


def test_an_old_server_is_refused_with_its_version(database_url, monkeypatch):
    monkeypatch.setattr("geodata.database.OLDEST_MAJOR", 99)
    with pytest.raises(DatabaseRefusedError, match=r"expected PostgreSQL 99 or newer, found \d+$"):
        check_existing(database_url)


def test_a_database_in_another_encoding_is_refused(server, empty_database_url):
    server.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(DatabaseRefusedError, match="expected a database in UTF8, found SQL_ASCII"):
        check_existing(empty_database_url.replace(make_url(empty_database_url).database, "ascii"))
    server.execute("DROP DATABASE ascii WITH (FORCE)")


def test_a_server_that_does_not_answer_is_refused_without_showing_the_password():
    with pytest.raises(DatabaseRefusedError, match=r"cannot connect to database villages on 127\.0\.0\.1") as refusal:
        check_existing("postgresql://planner:geheim@127.0.0.1:1/villages")
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize("url", ["villages", "mysql://localhost/villages", "postgresql://host:port/x"])
def test_a_url_of_something_else_is_refused(url):
    with pytest.raises(DatabaseRefusedError, match="postgresql://"):
        check_existing(url)


def test_an_existing_database_is_brought_up_to_date_and_the_home_stays_empty(empty_database_url, tmp_path):
    with open_store(empty_database_url, tmp_path) as url:
        engine = open_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM household")).scalar_one() == 0
        engine.dispose()
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_store_is_stopped_after_its_last_borrower(tmp_path):
    with open_store(None, tmp_path) as url:
        assert cluster.status(tmp_path).url == url
    assert cluster.status(tmp_path) is None
    cluster.destroy(tmp_path)
