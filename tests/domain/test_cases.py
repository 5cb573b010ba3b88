from datetime import UTC, datetime, timedelta

import pytest

from mapgrid.cases import CaseState, MapState, map_state

NOW = datetime(2026, 3, 5, 6, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "due_in", "drawn"),
    [
        (CaseState.PROCESSING, 5 * DAY, MapState.OPEN),
        (CaseState.REOPENED, 2 * DAY, MapState.NEAR_DUE),
        (CaseState.WHISTLED_TOWN, 5 * DAY, MapState.WHISTLED),
        (CaseState.WHISTLED_DEPARTMENT, DAY, MapState.WHISTLED),
        (CaseState.WHISTLED_TOWN, -DAY, MapState.OVERDUE),
        (CaseState.RATED, -DAY, MapState.OVERDUE),
        (CaseState.REJECTED, 5 * DAY, None),
    ],
)
def test_a_case_is_drawn_by_its_deadline_and_its_whistle(state, due_in, drawn):
    assert map_state(state, due_at=NOW + due_in, closed_at=None, now=NOW) is drawn


@pytest.mark.parametrize(("days_ago", "drawn"), [(30, MapState.CLOSED_RECENTLY), (31, None)])
def test_a_closed_case_is_drawn_for_thirty_days(days_ago, drawn):
    assert map_state(CaseState.CLOSED, due_at=NOW, closed_at=NOW - days_ago * DAY, now=NOW) is drawn


def test_an_ended_case_is_never_overdue():
    assert map_state(CaseState.REJECTED, due_at=NOW - DAY, closed_at=None, now=NOW) is None
