"""Cases of villages: saved, loaded, numbered. Frames are EPSG:4326; the caller commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from geodata.bulk import copy_rows, ewkb_of, read_frame, values_of
from geodata.plans import is_in_force
from geodata.scoping import begins_with
from geodata.tables import Case, Grid, Plan
from mapgrid.cases import CLOSED_SHOWN_FOR, ENDED, CaseState, map_state
from mapgrid.errors import NotFoundError
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from geopandas import GeoDataFrame
    from sqlalchemy import ColumnElement, ScalarSelect
    from sqlalchemy.orm import Session

_SAVED_COLUMNS = (
    "number",
    "household_code",
    "category",
    "level",
    "state",
    "title",
    "reported_at",
    "due_at",
    "closed_at",
)


def load_cases(session: Session, area_code: str, now: datetime) -> GeoDataFrame:
    """Return the cases that a map of an area shows at `now`: open ones, and those closed in the last 30 days.

    Columns: `number`, `village`, `household` (code or None), `grid` (code in the plan in force, None outside of one),
    `category`, `level`, `state`, `title`, `reported_at`, `due_at`, `closed_at`, `map_state`, `geometry` (points).
    Ordered by number. `area_code` is any prefix of village codes.
    """
    shown = begins_with(Case.village_code, area_code) & is_shown(now)
    return _load(session, shown, now)


def load_case(session: Session, number: str, now: datetime) -> GeoDataFrame:
    """Return one case as one row with the columns of `load_cases`; `map_state` is None when no map shows it any more.

    Raises
    ------
    NotFoundError
        If there is no case of that number.
    """
    if "\x00" in number:  # PostgreSQL knows no such letter
        raise NotFoundError("no case has a number with a NUL in it")
    case = _load(session, Case.number == number, now)
    if case.empty:
        raise NotFoundError(f"no case {number} in the store")
    return case


def is_shown(now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a map may show a row of `case_file`; `map_state` has the last word."""
    return or_(Case.state.not_in(list(ENDED)), Case.closed_at >= now - CLOSED_SHOWN_FOR)


def save_cases(session: Session, village_code: str, cases: GeoDataFrame) -> None:
    """Add cases of a village.

    Parameters
    ----------
    cases
        Points in EPSG:4326: `number, household_code, category, level, state, title, reported_at, due_at, closed_at`;
        the times with a time zone.
    """
    columns = {name: values_of(cases, name) for name in _SAVED_COLUMNS}
    copy_rows(session, Case, {**columns, "village_code": [village_code] * len(cases), "place": ewkb_of(cases)})


def next_case_serial(session: Session, year: int) -> int:
    """Return the lowest serial that no case of a year has reached; numbers read `2026-0217`."""
    serial = func.split_part(Case.number, "-", 2)
    highest = session.scalar(
        select(func.max(serial)).where(
            Case.number.startswith(f"{year}-"), Case.number.regexp_match("^[0-9]{4}-[0-9]{4}$")
        )
    )
    return int(highest or 0) + 1


def move_cases(session: Session, area_code: str, by: timedelta) -> None:
    """Move every date of the cases of an area by whole days."""
    session.execute(
        update(Case)
        .where(begins_with(Case.village_code, area_code))
        .values(reported_at=Case.reported_at + by, due_at=Case.due_at + by, closed_at=Case.closed_at + by)
    )


def _load(session: Session, condition: ColumnElement[bool], now: datetime) -> GeoDataFrame:
    query = select(
        Case.number, Case.village_code.label("village"), Case.household_code.label("household"),
        _grid_at_place(now).label("grid"), Case.category, Case.level, Case.state, Case.title, Case.reported_at,
        Case.due_at, Case.closed_at, func.ST_AsBinary(Case.place).label("place"),
    ).where(condition)  # fmt: skip
    cases = read_frame(session, query.order_by(Case.number))
    cases["map_state"] = [
        map_state(CaseState(case.state), due_at=case.due_at, closed_at=case.closed_at, now=now)
        for case in cases.itertuples()
    ]
    return cases


def _grid_at_place(now: datetime) -> ScalarSelect[str]:
    """Return the grid of the plan in force in which a case lies; on a shared edge the one of lower code."""
    on = now.astimezone(LOCAL_TIME).date()
    return (
        select(func.min(Grid.code))
        .join(Plan, Plan.id == Grid.plan_id)
        .where(Plan.village_code == Case.village_code, is_in_force(on), func.ST_Covers(Grid.outline, Case.place))
        .scalar_subquery()
    )
