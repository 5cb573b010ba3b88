"""The demo: complete, alive on its day, untouched by a second start, and never on top of anything else."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from signed_in import TOKEN, sign_in_reader
from sqlalchemy import text

from geodata.casebook import load_cases
from geodata.counts import count_villages
from geodata.database import open_engine, session_maker
from geodata.samples.index import DISTRICT, VILLAGES, sample_codes
from geodata.samples.marker import DemoRefusedError, demo_day
from geodata.villages import save_area
from mapgrid.cases import MapState
from mapgrid.tiers import Tier
from web.actions.demo import prepare_demo, renew_dates
from web.app import create_app

NOW = datetime(2026, 3, 5, 6, 2, tzinfo=UTC)
RUGGELL = VILLAGES[0].code
TABLES = (
    "area",
    "assignment",
    "case_file",
    "cell",
    "cell_assignment",
    "grid",
    "household",
    "household_group",
    "person",
    "plan",
    "plan_edit",
    "plan_snapshot",
    "staff",
    "staff_of_grid",
    "terrain",
    "unit",
)


COVERAGE = """
SELECT v.code, u.valid,
       ST_Area(ST_Difference(v.boundary, u.land)) / ST_Area(v.boundary) AS gap,
       ST_Area(ST_Difference(u.land, v.boundary)) / ST_Area(v.boundary) AS outside,
       (u.area - ST_Area(u.land)) / ST_Area(v.boundary) AS overlap
FROM area v
JOIN (SELECT left(code, 12) AS code, ST_Union(outline) AS land, sum(ST_Area(outline)) AS area,
             bool_and(ST_IsValid(outline)) AS valid
      FROM {} GROUP BY 1) u ON u.code = v.code
"""
UNTOUCHED = {
    "account", "account_scope", "audit_anchor", "audit_entry", "invitation", "rate_limit", "role_permission", "sign_in",
    "emergency_access", "job", "kept_answer",
    "procrastinate_events", "procrastinate_jobs", "procrastinate_periodic_defers",
    "procrastinate_workers",
}  # fmt: skip
"""Tables of who signs in and of what waits to be done, which loading the demo does not touch."""
NOTHING = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of no text: the digest of an empty table


@pytest.fixture
def demo_session(demo_url):
    engine = open_engine(demo_url)
    with session_maker(engine)() as session:
        yield session
    engine.dispose()


def _say_nothing(_line):
    return


def _hashes(session):
    """Return a digest of all rows of every table."""
    assert set(TABLES) | UNTOUCHED | {"alembic_version", "spatial_ref_sys"} >= set(
        session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    )
    digest = "SELECT md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) FROM {} r"
    return {table: session.scalar(text(digest.format(table))) for table in TABLES}


def test_the_legend_of_ruggell_reads_as_it_was_designed(demo_session):
    counts = count_villages(demo_session, RUGGELL, NOW)[RUGGELL]
    assert counts.households == 935
    assert counts.tiers == {Tier.RED: 37, Tier.YELLOW: 150, Tier.GREEN: 748, Tier.UNKNOWN: 0}
    assert list(counts.cases.values()) == [4, 5, 4, 11, 7]
    assert 2400 < counts.people < 2900


def test_every_village_has_every_kind_of_thing_a_map_shows(demo_session):
    counts = count_villages(demo_session, DISTRICT.code, NOW)
    assert counts.keys() == {village.code for village in VILLAGES}
    for of_village in counts.values():
        assert min(of_village.grids, of_village.groups, of_village.people) > 0
        assert all(of_village.tiers[tier] for tier in (Tier.RED, Tier.YELLOW, Tier.GREEN))
        assert all(of_village.cases[state] for state in MapState)


def test_every_grid_has_fifty_to_a_hundred_households_or_a_reason(demo_session):
    rows = demo_session.execute(text("SELECT code, households, reason FROM grid"))
    assert [row.code for row in rows if not (50 <= row.households <= 100 or row.reason)] == []


def test_every_household_is_in_one_grid_whose_outline_holds_it(demo_session):
    missed = demo_session.scalar(
        text(
            "SELECT count(*) FROM household h LEFT JOIN assignment a ON a.household_code = h.code"
            " LEFT JOIN grid g ON g.plan_id = a.plan_id AND g.code = a.grid_code AND ST_Covers(g.outline, h.place)"
            " WHERE g.code IS NULL"
        )
    )
    assert missed == 0
    assert (
        demo_session.scalar(text("SELECT max(n) FROM (SELECT count(*) n FROM assignment GROUP BY household_code) x"))
        == 1
    )


@pytest.mark.parametrize("kind", ["grid", "unit"])
def test_outlines_cover_their_village_without_gap_or_overlap(demo_session, kind):
    rows = demo_session.execute(text(COVERAGE.format(kind))).all()
    assert len(rows) == len(VILLAGES)
    assert all(row.valid for row in rows)
    assert max(max(row.gap, row.outside, abs(row.overlap)) for row in rows) <= 1e-6


def test_villager_groups_stay_whole(demo_session):
    broken = demo_session.execute(
        text(
            "SELECT h.unit_code FROM household h JOIN assignment a ON a.household_code = h.code"
            " GROUP BY h.unit_code HAVING count(DISTINCT a.grid_code) > 1"
        )
    )
    assert broken.all() == []


def test_every_grid_has_a_liaison_a_leader_and_a_worker_on_the_day(demo_session):
    rows = demo_session.execute(
        text(
            "SELECT grid_code, count(DISTINCT role) AS roles FROM staff_of_grid"
            " WHERE starts_on <= :day AND (ends_on IS NULL OR ends_on > :day) GROUP BY grid_code"
        ),
        {"day": NOW.date()},
    ).all()
    assert len(rows) == demo_session.scalar(text("SELECT count(*) FROM grid"))
    assert {row.roles for row in rows} == {3}


def test_no_number_in_the_demo_can_be_anybody_s(demo_session):
    for table in ("person", "staff"):
        other = "SELECT count(*) FROM {} WHERE phone NOT LIKE '000%'"
        assert demo_session.scalar(text(other.format(table))) == 0
    assert demo_session.scalar(text("SELECT count(*) FROM person WHERE id_number NOT LIKE '990101%'")) == 0


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=5), timedelta(days=400)])
def test_a_second_start_changes_nothing(demo_session, later):
    before = _hashes(demo_session)
    state = prepare_demo(demo_session, NOW + later, _say_nothing)
    demo_session.commit()
    assert (state.is_new, state.age_days) == (False, later.days)
    assert _hashes(demo_session) == before


def test_fresh_dates_bring_the_cases_to_life_again_and_touch_nothing_else(demo_session):
    before = _hashes(demo_session)
    much_later = NOW + timedelta(days=100)
    assert _states(demo_session, much_later)[MapState.OPEN] == 0
    assert renew_dates(demo_session, much_later) == 100
    demo_session.commit()
    assert _states(demo_session, much_later)[MapState.OPEN] == 30
    assert demo_day(demo_session) == much_later.date()
    assert renew_dates(demo_session, much_later) == 0
    changed = {table for table, digest in _hashes(demo_session).items() if digest != before[table]}
    assert changed == {"case_file", "plan"}


def _states(session, now):
    return Counter(load_cases(session, DISTRICT.code, now)["map_state"])


def test_an_interrupted_loading_leaves_nothing_behind(engine):
    lines = []

    def interrupt_after_the_second_village(line):
        lines.append(line)
        if line.startswith("2 of 6"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), session_maker(engine).begin() as session:
        prepare_demo(session, NOW, interrupt_after_the_second_village)
    with session_maker(engine)() as session:
        assert lines[-1].startswith("2 of 6: Gamprin")
        assert _hashes(session) == dict.fromkeys(TABLES, NOTHING)


def test_areas_that_are_not_the_demo_s_are_refused_by_name_and_kept(session):
    save_area(session, RUGGELL, name="别人的村")
    session.commit()
    before = _hashes(session)
    with pytest.raises(DemoRefusedError, match=RUGGELL):
        prepare_demo(session, NOW, _say_nothing)
    session.rollback()
    assert _hashes(session) == before


def test_half_a_demo_is_refused_with_the_way_out(demo_session):
    demo_session.execute(text("DELETE FROM area WHERE code = :code"), {"code": RUGGELL})
    with pytest.raises(DemoRefusedError, match=r"8 of 9 areas, 5 of 6 plans.*mapgrid db destroy"):
        prepare_demo(demo_session, NOW, _say_nothing)


def test_villages_of_one_s_own_live_beside_the_demo(demo_session):
    save_area(demo_session, "990101102250", name="自己的村")
    assert not prepare_demo(demo_session, NOW, _say_nothing).is_new
    assert "990101102250" not in set(sample_codes())


def test_the_command_finds_the_demo_without_importing_what_only_a_first_start_needs(demo_url):
    program = (
        "import sys; from web.cli import main\n"
        "main(['demo', '--no-serve'], standalone_mode=False)\n"
        "sys.exit(' '.join({'geopandas', 'numba', 'pandas', 'flask'} & sys.modules.keys()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "MAPGRID_DATABASE_URL": demo_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr.strip() == ""
    assert "--fresh-dates" in run.stdout


def test_the_api_shows_the_demo(demo_url, settings):
    app = create_app(demo_url, settings)
    app.config["CLOCK"] = lambda: NOW
    sign_in_reader(demo_url)
    client = app.test_client()
    client.set_cookie("mapgrid", TOKEN)
    figures = client.get(f"/api/villages/{RUGGELL}").json
    households = client.get(f"/api/villages/{RUGGELL}/households").json["features"]
    assert figures["tiers"]["red"] == sum(home["properties"]["tier"] == "red" for home in households) == 37
    assert figures["name"] == "鲁格尔村"
    town = client.get("/api/towns/990101102").json["features"]
    assert [village["properties"]["name_en"] for village in town] == ["Ruggell", "Gamprin", "Schellenberg", "Planken"]
    app.extensions["engine"].dispose()
