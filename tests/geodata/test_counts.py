"""The figures of the legend are those of the database."""

import pytest
from drawn_village import NOW, VILLAGE, save_drawn_plan, save_drawn_village
from sqlalchemy import event, text

from geodata.counts import count_grids, count_villages
from geodata.plans import load_current_plan
from geodata.villages import save_area
from mapgrid.cases import MapState
from mapgrid.tiers import Tier


@pytest.fixture
def counts(session):
    save_drawn_village(session)
    return count_villages(session, VILLAGE, NOW)[VILLAGE]


def test_households_are_counted_by_weight_and_the_tiers_add_up(counts):
    assert counts.households == 10
    assert counts.tiers == {Tier.RED: 1, Tier.YELLOW: 2, Tier.GREEN: 6, Tier.UNKNOWN: 1}


def test_the_counts_equal_plain_sql(session, counts):
    households, people, red = session.execute(
        text(
            "SELECT sum(weight), (SELECT count(*) FROM person), sum(weight) FILTER (WHERE tier = 'red') FROM household"
        )
    ).one()
    assert (counts.households, counts.people, counts.tiers[Tier.RED]) == (households, people, red) == (10, 10, 1)


def test_cases_are_counted_as_the_map_shows_them(counts):
    assert counts.cases == dict.fromkeys(MapState, 1)


def test_grids_and_groups_are_those_of_the_plan_in_force(counts):
    assert (counts.grids, counts.groups, counts.grids_with_reason) == (2, 4, 1)


def test_a_grid_s_figures_add_up_to_the_village_s(session, counts):
    plan = load_current_plan(session, VILLAGE, NOW.date())
    grids = count_grids(session, plan.id, NOW)
    assert [code[-3:] for code in grids] == ["001", "002"]
    west, east = grids.values()
    assert (west.households, east.households) == (4, 6)
    assert (west.groups, east.groups) == (2, 2)
    assert west.people + east.people == counts.people
    assert west.tiers[Tier.YELLOW] + east.tiers[Tier.YELLOW] == counts.tiers[Tier.YELLOW]
    assert {state: west.cases[state] + east.cases[state] for state in MapState} == counts.cases
    assert west.cases[MapState.OVERDUE] == 1
    assert east.grids_with_reason == 1


def test_a_village_with_nothing_in_it_is_counted_as_nothing(session):
    save_area(session, "990101102298", name="空村")
    counts = count_villages(session, "990101", NOW)["990101102298"]
    assert (counts.households, counts.grids, sum(counts.tiers.values()), sum(counts.cases.values())) == (0, 0, 0, 0)


def test_a_draft_beside_the_published_plan_does_not_count(session, counts):
    save_drawn_plan(session, name="draft", state="draft")
    assert count_villages(session, VILLAGE, NOW)[VILLAGE] == counts


def test_counting_takes_five_queries_however_many_villages(session, engine, counts):
    for serial in range(10):
        save_area(session, f"9901011023{serial:02d}", name="村")
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    assert len(count_villages(session, "990101", NOW)) == 11
    assert len(statements) == 5
