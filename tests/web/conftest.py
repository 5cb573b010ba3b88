"""The partition command in an empty directory, and a drawn village in files."""

import pytest
from click.testing import CliRunner
from drawn_land import lattice, plots
from shapely import Point
from village_files import write

from web.commands.partition import partition


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the command in an empty directory; return its exit code and what it said on stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        done = CliRunner().invoke(partition, [str(argument) for argument in arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stderr

    return call


@pytest.fixture
def village(tmp_path):
    return write(tmp_path / "village.gpkg", [plots(15, 10)])


@pytest.fixture
def households(tmp_path):
    points = [Point(xy) for xy in lattice(15, 10)]
    return write(tmp_path / "households.gpkg", points, name=[f"户{number}" for number in range(len(points))])
