"""Cases in PostGIS, and the state in which a map shows them."""

from collections import Counter
from datetime import timedelta

import pytest
from drawn_village import NOW, VILLAGE, drawn_cases, household, save_drawn_village
from sqlalchemy import text

from geodata.casebook import load_case, load_cases, move_cases, next_case_serial, save_cases
from mapgrid.cases import MapState
from mapgrid.errors import NotFoundError


@pytest.fixture
def village(session):
    save_drawn_village(session)
    return VILLAGE


def test_the_map_shows_open_cases_and_those_closed_in_the_last_thirty_days(session, village):
    cases = load_cases(session, village, NOW)
    assert dict(zip(cases["number"], cases["map_state"], strict=True)) == {
        "2026-0001": MapState.OVERDUE,
        "2026-0002": MapState.NEAR_DUE,
        "2026-0003": MapState.WHISTLED,
        "2026-0004": MapState.OPEN,
        "2026-0005": MapState.CLOSED_RECENTLY,
    }


def test_a_case_lies_in_the_grid_round_it(session, village):
    cases = load_cases(session, village, NOW).set_index("number")
    assert cases["grid"].str[-3:].to_dict() == {
        "2026-0001": "001",
        "2026-0002": "001",
        "2026-0003": "002",
        "2026-0004": "002",
        "2026-0005": "001",
    }


def test_a_case_on_a_shared_edge_belongs_to_the_grid_of_lower_code(session, village):
    assert load_case(session, "2026-0006", NOW)["grid"].tolist() == [f"{VILLAGE}001"]


def test_before_the_plan_began_a_case_lies_in_no_grid(session, village):
    assert load_case(session, "2026-0001", NOW - timedelta(days=100))["grid"].tolist() == [None]


def test_a_case_loaded_is_the_case_saved(session, village):
    case = load_case(session, "2026-0003", NOW).iloc[0]
    saved = drawn_cases().set_index("number").loc["2026-0003"]
    assert (case["household"], case["category"], case["level"]) == (household(2), "livelihood", "town")
    assert (case["title"], case["reported_at"], case["due_at"]) == ("水压不足", saved["reported_at"], saved["due_at"])
    assert case.geometry.equals_exact(saved.geometry, 0)
    assert case["closed_at"] is None


def test_an_unknown_number_is_not_found(session, village):
    with pytest.raises(NotFoundError, match="2026-9999"):
        load_case(session, "2026-9999", NOW)


def test_an_area_s_cases_are_those_of_its_villages(session, village):
    assert len(load_cases(session, VILLAGE[:9], NOW)) == 5
    assert load_cases(session, "990102", NOW).empty


def test_the_next_serial_follows_the_highest_of_its_year(session, village):
    assert next_case_serial(session, 2026) == 7
    assert next_case_serial(session, 2027) == 1


def test_a_due_date_before_the_report_is_refused(session, village):
    cases = drawn_cases().head(1).assign(number="2026-0100")
    cases["due_at"] = cases["reported_at"] - timedelta(days=1)
    with pytest.raises(Exception, match="ck_case_file_due_at"):
        save_cases(session, VILLAGE, cases)


def test_moving_cases_moves_all_their_dates_and_keeps_their_states(session, village):
    move_cases(session, VILLAGE, timedelta(days=40))
    shown = load_cases(session, village, NOW + timedelta(days=40))
    assert Counter(shown["map_state"])[MapState.NEAR_DUE] == 1
    assert session.scalar(text("SELECT count(*) FROM case_file WHERE closed_at > :now"), {"now": NOW}) == 1
