"""One's own village, from files to the map, as the README tells it."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from geodata.samples.index import VILLAGES
from web.cli import main

PLANKEN = next(village for village in VILLAGES if village.name_en == "Planken")
CODE = "350524103201"


@pytest.fixture
def mapgrid(database_url, monkeypatch):
    """Return a function that runs a command on the database of this test."""
    monkeypatch.setenv("MAPGRID_DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def imported(mapgrid):
    for arguments in (
        ("village", f"{PLANKEN.file}:village", "--code", CODE, "--name", "南山村"),
        ("households", f"{PLANKEN.file}:households", "--village", CODE, "--column", "code="),
    ):
        done = mapgrid("import", *arguments)
        assert done.exit_code == 0, done.output


def test_a_village_goes_from_files_to_the_map(mapgrid, imported, client, session):
    done = mapgrid("divide", CODE)
    assert done.exit_code == 0, done.output
    assert "222 households in 3 grids" in done.output
    page = client.get(f"/map/{CODE}", headers={"Accept-Language": "zh-CN"})
    assert page.status_code == 200
    assert "南山村" in page.text
    grids = session.execute(text("SELECT code, households FROM grid ORDER BY code")).all()
    assert [grid.code for grid in grids] == [f"{CODE}00{serial}" for serial in (1, 2, 3)]
    assert all(grid.code in page.text for grid in grids)


def test_the_grids_of_the_store_cover_the_village(mapgrid, imported, session):
    mapgrid("divide", CODE)
    gap, outside, misplaced = session.execute(
        text(
            "SELECT ST_Area(ST_Difference(area.boundary, whole.shape)) / ST_Area(area.boundary),"
            " ST_Area(ST_Difference(whole.shape, area.boundary)) / ST_Area(area.boundary),"
            " (SELECT count(*) FROM assignment JOIN household ON household.code = household_code"
            "  JOIN grid ON grid.code = grid_code WHERE NOT ST_Intersects(outline, place))"
            " FROM area, (SELECT ST_Union(outline) AS shape FROM grid) AS whole WHERE area.code = :code"
        ),
        {"code": CODE},
    ).one()
    assert gap <= 1e-6
    assert outside <= 1e-6
    assert misplaced == 0


def test_a_second_division_is_refused_because_codes_are_never_used_again(mapgrid, imported, session):
    mapgrid("divide", CODE)
    again = mapgrid("divide", CODE)
    assert again.exit_code == 2
    assert "found plan" in again.output
    assert session.scalar(text("SELECT count(*) FROM plan")) == 1


def test_a_village_that_is_not_there_says_how_to_bring_it(mapgrid):
    done = mapgrid("divide", CODE)
    assert done.exit_code == 2
    assert "import village" in done.output


def test_a_village_without_households_is_refused(mapgrid):
    mapgrid("import", "village", f"{PLANKEN.file}:village", "--code", CODE, "--name", "南山村")
    done = mapgrid("divide", CODE)
    assert done.exit_code == 2
    assert "household" in done.output


def test_a_village_without_a_plan_is_on_the_map_without_grids(mapgrid, imported, client):
    page = client.get(f"/map/{CODE}", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "222" in page.text


@pytest.mark.parametrize("limits", [("--min", 0), ("--min", 90, "--max", 60), ("--target", 200)])
def test_limits_that_cannot_be_are_refused(mapgrid, imported, limits):
    done = mapgrid("divide", CODE, *limits)
    assert done.exit_code == 2
    assert limits[0] in done.output or "--max" in done.output
