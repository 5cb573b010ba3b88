"""A real PostGIS for every test that asks: one embedded server per run, one fresh database per test."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from filling import session_on
from running_server import temporary_home
from signed_in import TOKEN, sign_in_reader
from sqlalchemy.engine import make_url
from werkzeug.serving import make_server

from geodata import cluster
from geodata.database import migrate, open_engine, session_maker
from web.actions.demo import prepare_demo
from web.app import create_app
from web.settings import Settings

DEMO_NOW = datetime(2026, 3, 5, 6, 2, tzinfo=UTC)
_HOME = "MAPGRID_TEST_HOME"
_CHROMIUM_OPTIONS = [
    "--no-sandbox",  # root may test
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_configure(config):
    """Choose the home of the test server; workers of xdist inherit the choice."""
    os.environ.setdefault("MAPGRID_ARCHIVE", "0")  # tests of the archive ask for it
    os.environ.setdefault("MAPGRID_NIGHTLY", "0")  # or each server that a test starts makes up for the last night
    if _HOME not in os.environ:
        os.environ[_HOME] = tempfile.mkdtemp(prefix="mapgrid-test-")
        Path(os.environ[_HOME]).chmod(0o755)  # the account postgres must get through, when root tests
        config.add_cleanup(_remove_home)


def _remove_home():
    home = Path(os.environ.pop(_HOME))
    cluster.destroy(home)
    shutil.rmtree(home)


@pytest.fixture
def home():
    """Return a home of this test alone; a server is stopped and deleted at the end."""
    with temporary_home() as directory:
        yield directory


@pytest.fixture(scope="session")
def template_url():
    """Return the URL of a migrated, empty database that nobody may connect to: others are cloned from it."""
    home = Path(os.environ[_HOME])
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # What dies with the machine's power need not be on the disk: copies of databases would wait for it.
        cluster.start(home, keep=False, settings={"fsync": "off", "full_page_writes": "off"})
        lent = ExitStack()
        server = lent.enter_context(cluster.running(home))
        migrate(server.url)
    with lent:
        yield server.url


@pytest.fixture(scope="session")
def server(template_url):
    """Return a connection to the server, for making and dropping databases."""
    with psycopg.connect(_named(template_url, "postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def restores_alone(template_url):
    """Let other tests that restore on the server wait: mapgrid itself refuses a second restore."""
    with (Path(os.environ[_HOME]) / "restore.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def empty_database_url(server, template_url):
    """Return the URL of a database without tables and without PostGIS."""
    name = f"test_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield _named(template_url, name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def template():
    """Return the name of the database as which this test's own begins; modules name another, made by `filled`."""
    return "mapgrid"


@pytest.fixture(scope="session")
def filled(server, template_url):
    """Return a function that fills a database once per run and returns its name; nobody connects to it: clone it."""

    def fill_once(name, fill):
        with (Path(os.environ[_HOME]) / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                _clone(server, f"{name}_half", "mapgrid")
                fill(_named(template_url, f"{name}_half"))
                server.execute(f"ALTER DATABASE {name}_half RENAME TO {name}")
        return name

    return fill_once


@pytest.fixture
def database_url(server, template_url, template):
    """Return the URL of a database of this test alone, with the newest tables and what `template` holds."""
    name = f"test_{uuid.uuid4().hex}"
    _clone(server, name, template)
    yield _named(template_url, name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def demo_template(filled):
    """Return the name of a database with the demo in it as of `DEMO_NOW`."""

    def fill(url):
        with session_on(url) as session:
            prepare_demo(session, DEMO_NOW, lambda _line: None)

    return filled("demo", fill)


@pytest.fixture
def demo_url(server, template_url, demo_template):
    """Return the URL of a database of this test alone that holds the demo as of `DEMO_NOW`."""
    name = f"test_{uuid.uuid4().hex}"
    _clone(server, name, demo_template)
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


@pytest.fixture
def app(database_url, settings):
    """Return the application on the database of this test."""
    app = create_app(database_url, settings)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def settings(tmp_path_factory):
    """Return settings with a home of this test alone."""
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture
def stranger(app):
    """Return a browser in which nobody is signed in."""
    return app.test_client()


@pytest.fixture
def client(app, database_url):
    """Return a browser whose reader sees everything everywhere, except accounts and the trail."""
    sign_in_reader(database_url)
    client = app.test_client()
    client.set_cookie("mapgrid", TOKEN)
    return client


@pytest.fixture
def live_url(app, database_url):
    """Return the address where the application answers real requests, on a free port of this machine."""
    sign_in_reader(database_url)
    with _listening(app) as address:
        yield address


@pytest.fixture
def demo_live_url(demo_url, settings):
    """Return the address where the demo is served, its clock at the day it is dated round."""
    sign_in_reader(demo_url)
    app = create_app(demo_url, settings)
    app.config["CLOCK"] = lambda: DEMO_NOW
    with _listening(app) as address:
        yield address
    app.extensions["engine"].dispose()


@contextmanager
def _listening(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def base_url():
    """Stand in for pytest-playwright's own fixture of this name, which is written in a way pytest deprecates."""
    return


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Tell pytest-playwright to drive the system's Chromium; one that is missing fails the test."""
    return {**browser_type_launch_args, "executable_path": _chromium(), "args": _CHROMIUM_OPTIONS}


def _chromium():
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "Chromium is not installed; `make test` installs it, or says how"
    return found


def _clone(server, name, template):
    """Copy a database file by file where PostgreSQL lets one choose: it takes half the time, and dropping a third."""
    how = "STRATEGY file_copy" if server.info.server_version >= 150000 else ""
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template} {how}")


def _named(url, database):
    return make_url(url).set(database=database).render_as_string(hide_password=False)
