"""Cases in every state the map shows, near the hot spots, dated round one moment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import shapely
from geopandas import GeoDataFrame

from geodata.samples.invention.tiers import heat_of
from geodata.samples.invention.words import CASE_TITLES
from mapgrid.cases import CLASS_LEVEL, CaseClass, CaseLevel, CaseState, MapState
from mapgrid.tiers import Tier
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely import Geometry

CASES_PER_HOUSEHOLD = {
    MapState.OVERDUE: 4 / 935,
    MapState.NEAR_DUE: 5 / 935,
    MapState.WHISTLED: 4 / 935,
    MapState.OPEN: 11 / 935,
    MapState.CLOSED_RECENTLY: 7 / 935,
}
"""How many cases of each kind a village has: about 24 open ones and 7 just closed in 935 households."""

_AT_HOME = frozenset({CaseClass.DISPUTE, CaseClass.LIVELIHOOD, CaseClass.POLICY_ADVICE, CaseClass.SPECIAL_CARE})
_FARTHEST_FROM_HOUSE_M = 30.0
_DAYS_OF_LEVEL = {CaseLevel.VILLAGE: 1, CaseLevel.TOWN: 3, CaseLevel.DISTRICT: 7}
_DAYS_OF_COMPLEX = 15
_TIER_PULL = {Tier.RED.value: 5.0, Tier.YELLOW.value: 2.5}

# Days from today to the deadline, first and last. Deadlines are at the end of an office day, so that a state holds for
# at least the rest of today and, but for what is near due, the whole of tomorrow.
_DUE_IN_DAYS = {
    MapState.OVERDUE: (-4, -1),
    MapState.NEAR_DUE: (1, 1),
    MapState.WHISTLED: (4, 6),
    MapState.OPEN: (4, 12),
}
_OFFICE_CLOSES = time(17, 30, tzinfo=LOCAL_TIME)
_STATES = {
    MapState.OVERDUE: (CaseState.ASSIGNED, CaseState.PROCESSING, CaseState.WHISTLED_TOWN),
    MapState.NEAR_DUE: (CaseState.ASSIGNED, CaseState.PROCESSING),
    MapState.WHISTLED: (CaseState.WHISTLED_TOWN, CaseState.WHISTLED_TOWN, CaseState.WHISTLED_DEPARTMENT),
    MapState.OPEN: (CaseState.REPORTED, CaseState.ACCEPTED, CaseState.ASSIGNED, CaseState.PROCESSING),
    MapState.CLOSED_RECENTLY: (CaseState.CLOSED,),
}


def invent_cases(households: GeoDataFrame, land: Geometry, rng: Generator, *, now: datetime) -> GeoDataFrame:
    """Return the cases of one village as the map would show them at `now`.

    Parameters
    ----------
    households
        Points in a metric CRS, indexed by household code, with `tier`.
    land
        The village's outline in the same CRS; no case lies outside.
    now
        With a time zone. Deadlines pass afterwards as they do in life.

    Returns
    -------
    GeoDataFrame
        Points in the CRS of `households`, latest report first: `household_code` (None for what lies outdoors),
        `category, level, state, title, reported_at, due_at, closed_at`.
    """
    shown = [state for state, share in CASES_PER_HOUSEHOLD.items() for _ in range(round(share * len(households)))]
    pull = 0.15 + heat_of(households.geometry, rng) + households["tier"].map(_TIER_PULL).fillna(0.0).to_numpy()
    at = rng.choice(len(households), size=len(shown), replace=False, p=pull / pull.sum())
    cases = GeoDataFrame(
        [_case(state, rng, now) for state in shown],
        geometry=households.geometry.to_numpy()[at],
        crs=households.crs,
    )
    outdoors = ~cases["category"].isin(_AT_HOME).to_numpy()
    cases["household_code"] = households.index.to_numpy(dtype=object)[at]
    cases["household_code"] = cases["household_code"].astype(object).mask(outdoors, None)
    cases.loc[outdoors, "geometry"] = _moved_outdoors(cases.geometry.to_numpy()[outdoors], land, rng)
    cases["closed_at"] = cases["closed_at"].astype(object).where(cases["closed_at"].notna(), None)
    return cases.sort_values("reported_at", ascending=False, kind="stable", ignore_index=True)


def _case(shown: MapState, rng: Generator, now: datetime) -> dict[str, object]:
    category = tuple(CaseClass)[int(rng.integers(len(CaseClass)))]
    titles, states = CASE_TITLES[category], _STATES[shown]
    state = states[int(rng.integers(len(states)))]
    level = _level_of(category, state)
    reported_at, due_at, closed_at = _times(shown, level, rng, now)
    return {
        "category": category.value,
        "level": level.value,
        "state": state.value,
        "title": titles[int(rng.integers(len(titles)))],
        "reported_at": reported_at,
        "due_at": due_at,
        "closed_at": closed_at,
    }


def _level_of(category: CaseClass, state: CaseState) -> CaseLevel:
    if state is CaseState.WHISTLED_TOWN:
        return CaseLevel.TOWN
    return CaseLevel.DISTRICT if state is CaseState.WHISTLED_DEPARTMENT else CLASS_LEVEL[category]


def _times(
    shown: MapState, level: CaseLevel, rng: Generator, now: datetime
) -> tuple[datetime, datetime, datetime | None]:
    """Return when a case was reported, is due, and was closed; a long way to the deadline makes it a complex case."""
    today = now.astimezone(LOCAL_TIME).date()
    if shown is MapState.CLOSED_RECENTLY:
        closed_on = today - timedelta(days=int(rng.integers(1, 28)))
        reported_on = closed_on - timedelta(days=_DAYS_OF_LEVEL[level])
        due_at = datetime.combine(closed_on, _OFFICE_CLOSES)
        return _in_office_hours(reported_on, rng), due_at, _in_office_hours(closed_on, rng)
    first, last = _DUE_IN_DAYS[shown]
    due_in = int(rng.integers(first, last + 1))
    allowed = next((days for days in (_DAYS_OF_LEVEL[level], 7) if days > due_in), _DAYS_OF_COMPLEX)
    due_on = today + timedelta(days=due_in)
    reported_at = _in_office_hours(due_on - timedelta(days=allowed), rng)
    return reported_at, datetime.combine(due_on, _OFFICE_CLOSES), None


def _in_office_hours(day: date, rng: Generator) -> datetime:
    minutes = int(rng.integers(8 * 60, 17 * 60))
    return datetime.combine(day, time(minutes // 60, minutes % 60, tzinfo=LOCAL_TIME))


def _moved_outdoors(places: NDArray, land: Geometry, rng: Generator) -> NDArray:
    """Return points some metres from the given ones; one that would leave the land stays where it was."""
    shift = rng.uniform(-_FARTHEST_FROM_HOUSE_M, _FARTHEST_FROM_HOUSE_M, size=(len(places), 2))
    moved = np.asarray(shapely.points(shapely.get_coordinates(places) + shift))
    shapely.prepare(land)
    return np.where(shapely.contains(land, moved), moved, places)
