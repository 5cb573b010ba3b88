"""Fixtures of import tests: the command line on the test's own database, and a village to import into."""

import pytest
from click.testing import CliRunner
from given import LAND, VILLAGE

from geodata.database import open_engine, session_maker
from geodata.villages import save_area, save_boundary
from web.cli import main


@pytest.fixture
def mapgrid(database_url):
    """Return a function that runs the command line on the test's database."""

    def run(*arguments, ends_with=0):
        environment = {"MAPGRID_DATABASE_URL": database_url}
        done = CliRunner(env=environment).invoke(main, [str(argument) for argument in arguments])
        assert done.exit_code == ends_with, done.output
        return done

    return run


@pytest.fixture
def village(database_url):
    """Store a village about ten kilometres wide and return its code."""
    engine = open_engine(database_url)
    with session_maker(engine).begin() as session:
        save_area(session, VILLAGE, name="举溪村")
        save_boundary(session, VILLAGE, LAND)
    engine.dispose()
    return VILLAGE
