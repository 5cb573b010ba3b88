"""Policies must not turn the geometry index off."""

import pytest
from crowded_store import DISTRICT, box_of, crowd, village_code
from signed_in import sign_in
from sqlalchemy import text

from geodata.database import open_web_engine
from mapgrid.roles import Role


@pytest.fixture
def crowded(session, database_url):
    crowd(session, towns=2, villages=5, households=2000)
    accounts = {
        digits: sign_in(session, f"leader-{digits}", (Role.PLANNER, village_code(1, 1)[:digits]))
        for digits in (6, 9, 12)
    }
    session.commit()
    engine = open_web_engine(database_url)
    yield engine, accounts
    engine.dispose()


def _ask(connection, account, query, **values):
    connection.execute(text("SELECT mapgrid_enter(:id, NULL, NULL)"), {"id": account})
    return connection.execute(text(query), values).all()


@pytest.mark.parametrize("digits", [6, 9, 12])
def test_a_box_is_found_by_the_geometry_index_under_policies(crowded, digits):
    engine, accounts = crowded
    west, south, east, north = box_of(1, 1, share=0.1)
    box = {"west": west, "south": south, "east": east, "north": north}
    query = "SELECT code FROM household WHERE place && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
    with engine.connect() as connection:
        plan = "\n".join(row[0] for row in _ask(connection, accounts[digits], f"EXPLAIN {query}", **box))
        found = _ask(connection, accounts[digits], query, **box)
    assert "ix_household_place" in plan, plan
    assert found
    assert all(row.code.startswith(village_code(1, 1)[:digits]) for row in found)


def test_a_village_is_found_by_the_index_of_its_code_under_policies(crowded):
    engine, accounts = crowded
    query = "EXPLAIN SELECT count(*) FROM household WHERE village_code ^@ :code"
    with engine.connect() as connection:
        plan = "\n".join(row[0] for row in _ask(connection, accounts[6], query, code=village_code(2, 3)))
    assert "ix_household_village_code_tier" in plan, plan


def test_a_scope_reaches_its_own_and_no_more_under_policies(crowded):
    engine, accounts = crowded
    with engine.connect() as connection:
        counts = {
            digits: _ask(connection, account, "SELECT count(*) FROM household")[0][0]
            for digits, account in accounts.items()
        }
    assert counts == {6: 20_000, 9: 10_000, 12: 2_000}
    assert village_code(1, 1).startswith(DISTRICT)
