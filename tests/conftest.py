"""A real PostGIS for every test that asks: one embedded server per run, one fresh database per test."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from geodata import cluster
from geodata.database import migrate, open_engine, session_maker

_HOME = "MAPGRID_TEST_HOME"


def pytest_configure(config):
    """Choose the home of the test server; workers of xdist inherit the choice."""
    if _HOME not in os.environ:
        os.environ[_HOME] = tempfile.mkdtemp(prefix="mapgrid-test-")
        Path(os.environ[_HOME]).chmod(0o755)  # the account postgres must get through, when root tests
        config.add_cleanup(_remove_home)


def _remove_home():
    home = Path(os.environ.pop(_HOME))
    cluster.destroy(home)
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def template_url():
    """Return the URL of a migrated, empty database that nobody may connect to: others are cloned from it."""
    home = Path(os.environ[_HOME])
    with cluster.running(home) as server:
        with (home / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            migrate(server.url)
        yield server.url


@pytest.fixture(scope="session")
def server(template_url):
    """Return a connection to the server, for making and dropping databases."""
    with psycopg.connect(_named(template_url, "postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty_database_url(server, template_url):
    """Return the URL of a database without tables and without PostGIS."""
    name = f"test_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield _named(template_url, name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(server, template_url):
    """Return the URL of a database of this test alone, with the newest tables and nothing in them."""
    name = f"test_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE mapgrid")
    yield _named(template_url, name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database_url):
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with session_maker(engine)() as session:
        yield session


def _named(url, database):
    return make_url(url).set(database=database).render_as_string(hide_password=False)
