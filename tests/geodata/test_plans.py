"""Plans in PostGIS: what was saved is what is loaded, and it covers the village."""

from datetime import date

import geopandas as gpd
import pytest
import shapely
from drawn_village import CRS, HEADS, NOW, VILLAGE, drawn_plan, household, save_drawn_plan, save_drawn_village
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from geodata.plans import load_assignments, load_cells, load_current_plan, load_grids, load_groups, save_plan
from geodata.villages import load_village
from mapgrid.errors import NotMetricError
from mapgrid.plans import PlanState

ON = NOW.date()


@pytest.fixture
def plan(session):
    save_drawn_village(session)
    session.commit()
    return load_current_plan(session, VILLAGE, ON)


def test_the_grids_loaded_are_the_grids_saved(session, plan):
    grids = load_grids(session, plan.id)
    assert grids["code"].tolist() == [f"{VILLAGE}001", f"{VILLAGE}002"]
    assert grids["households"].tolist() == [4, 6]
    assert grids["reason"].tolist() == [None, "VILLAGE_UNDER_MIN"]
    drawn = drawn_plan().grids.geometry
    for loaded, expected in zip(grids.to_crs(CRS).geometry, drawn, strict=True):
        assert loaded.hausdorff_distance(expected) < 1e-6  # a thousandth of a millimetre


def test_the_record_carries_its_figures_and_parameters(plan):
    assert plan.name == "2026-01"
    assert plan.state is PlanState.PUBLISHED
    assert plan.starts_on == date(2026, 1, 1)
    assert plan.parameters == {"seed": 0}
    assert plan.scorecard == {"grids": 2, "in_range_pct": 100.0}


def test_a_groups_outline_is_the_union_of_its_cells_and_its_head_lives_in_it(session, plan):
    groups = load_groups(session, plan.id)
    assert groups["code"].str[-5:].tolist() == ["00101", "00102", "00201", "00202"]
    assert groups["households"].tolist() == [2, 2, 2, 4]
    assert groups.to_crs(CRS).area.round(3).tolist() == [20000] * 4
    assignments = load_assignments(session, plan.id)
    assert [assignments.loc[head, "group"] for head in groups["head"]] == groups["code"].tolist()
    assert groups["head"].tolist() == [household(0), household(1), household(2), household(3)]


def test_every_household_stands_in_one_grid_and_one_group(session, plan):
    assignments = load_assignments(session, plan.id)
    assert assignments.index.tolist() == [household(n) for n in range(8)]
    assert assignments["grid"].str[-3:].tolist() == ["001", "001", "002", "002"] * 2


def test_grids_tile_the_village_exactly_in_postgis(session, plan):
    outside, inside, valid = session.execute(
        text(
            "SELECT ST_Area(ST_Difference(a.boundary, u.grids)), ST_Area(ST_Difference(u.grids, a.boundary)), u.valid"
            " FROM area a, (SELECT ST_Union(outline) AS grids, bool_and(ST_IsValid(outline)) AS valid FROM grid"
            " WHERE plan_id = :plan) u WHERE a.code = :village"
        ),
        {"plan": plan.id, "village": VILLAGE},
    ).one()
    area = load_village(session, VILLAGE).geometry.iloc[0].area
    assert valid
    assert outside <= 1e-6 * area
    assert inside <= 1e-6 * area


def test_cells_still_match_edge_for_edge_after_the_journey(session, plan):
    cells = load_cells(session, plan.id)
    assert shapely.coverage_is_valid(cells.geometry.to_numpy())
    assert load_village(session, VILLAGE).geometry.iloc[0].difference(cells.union_all()).area < 1e-12


def test_households_stand_on_the_cells_of_the_published_plan(session, plan):
    rows = session.execute(
        text(
            "SELECT count(*), bool_and(ST_Covers(c.outline, h.place)) FROM household h JOIN cell c ON c.id = h.cell_id"
        )
    ).one()
    assert tuple(rows) == (8, True)


def test_a_draft_is_not_in_force_and_moves_no_household(session):
    save_drawn_village(session, plan=False)
    save_drawn_plan(session, state=PlanState.DRAFT)
    assert load_current_plan(session, VILLAGE, ON) is None
    assert session.scalar(text("SELECT count(*) FROM household WHERE cell_id IS NOT NULL")) == 0


def test_a_plan_is_in_force_from_its_first_day_until_the_day_before_its_end(session, plan):
    session.execute(text("UPDATE plan SET state = 'superseded', ends_on = '2026-02-01'"))
    assert load_current_plan(session, VILLAGE, date(2025, 12, 31)) is None
    assert load_current_plan(session, VILLAGE, date(2026, 1, 1)).id == plan.id
    assert load_current_plan(session, VILLAGE, date(2026, 1, 31)).id == plan.id
    assert load_current_plan(session, VILLAGE, date(2026, 2, 1)) is None


def test_a_second_published_plan_is_refused_and_nothing_of_it_stays(session, plan):
    with pytest.raises(IntegrityError, match="uq_plan_published_in_village"):
        save_drawn_plan(session, name="2026-02")
    session.rollback()
    assert session.scalar(text("SELECT count(*) FROM cell")) == 8


def test_saving_a_plan_takes_the_same_number_of_statements_whatever_its_size(session, engine):
    save_drawn_village(session, plan=False)
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    save_drawn_plan(session)
    assert len(statements) <= 6  # the four COPYs go past SQLAlchemy


def test_hostile_names_are_kept_letter_by_letter(session):
    save_drawn_village(session)
    hostile = "<script>alert(1)</script>${window.X=1}`C:\\path\\2019"
    session.execute(
        text("UPDATE person SET full_name = :name WHERE full_name = :head"), {"name": hostile, "head": HEADS[0]}
    )
    assert session.scalar(text("SELECT full_name FROM person WHERE full_name LIKE '<script>%'")) == hostile


def test_a_village_in_degrees_is_refused(session):
    save_drawn_village(session, plan=False)
    plan = drawn_plan()
    in_degrees = type(plan)(plan.grids.to_crs(4326), plan.cells, plan.households, plan.scorecard)
    with pytest.raises(NotMetricError, match="EPSG:4326"):
        save_plan(session, VILLAGE, in_degrees, name="x", state=PlanState.DRAFT, starts_on=None, parameters={})


def test_a_frame_without_plan_has_its_columns_all_the_same(session):
    save_drawn_village(session, plan=False)
    groups = load_groups(session, plan_id=0)
    assert list(groups.columns) == ["code", "grid", "head", "households", "geometry"]
    assert isinstance(groups, gpd.GeoDataFrame)
