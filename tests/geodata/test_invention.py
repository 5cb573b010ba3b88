"""What the demo invents: plausible, repeatable, nobody's."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from geopandas import GeoDataFrame, GeoSeries
from shapely import Point, box

from geodata.samples.invention.cases import invent_cases
from geodata.samples.invention.people import invent_id_number, invent_people
from geodata.samples.invention.staff import invent_staff
from geodata.samples.invention.tiers import invent_tiers
from geodata.samples.invention.units import invent_addresses, invent_units
from geodata.samples.invention.words import numeral
from mapgrid.cases import CaseState, MapState, map_state
from mapgrid.staff import StaffRole
from mapgrid.tiers import Tier, TierReason, suggest_tier

NOW = datetime(2026, 3, 5, 6, 2, tzinfo=UTC)
TODAY = NOW.date()
LAND = box(0, 0, 2000, 1000)


def _rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture
def places():
    """Return 935 points scattered over two square kilometres."""
    xy = _rng(7).uniform((0, 0), (2000, 1000), size=(935, 2))
    codes = [f"990101102201{row + 1:06d}" for row in range(len(xy))]
    return GeoSeries([Point(x, y) for x, y in xy], index=codes, crs="EPSG:32632")


@pytest.fixture
def households(places):
    return GeoDataFrame(invent_tiers(places, _rng(), today=TODAY), geometry=places)


def _age(born_on):
    return (TODAY - born_on).days // 365.25


def test_four_per_cent_are_red_and_sixteen_yellow(households):
    assert Counter(households["tier"]) == {Tier.RED: 37, Tier.YELLOW: 150, Tier.GREEN: 748}


def test_every_tier_is_the_one_its_reasons_suggest(households):
    for household in households.itertuples():
        assert household.tier == suggest_tier(TierReason(reason) for reason in household.reasons)


def test_red_households_stand_closer_together_than_chance_would_put_them(households):
    red = households[households["tier"] == Tier.RED].geometry
    chance = households.sample(len(red), random_state=3).geometry
    assert _mean_neighbour_distance_m(red) < 0.7 * _mean_neighbour_distance_m(chance)


def _mean_neighbour_distance_m(points):
    return np.mean([np.sort(points.distance(point).to_numpy())[1:4].mean() for point in points])


def test_no_red_tier_is_old_enough_to_have_expired(households):
    red = households[households["tier"] == Tier.RED]
    assert (TODAY - min(red["tier_since"])).days < 90


def test_the_same_seed_gives_the_same_people_and_another_seed_others(households):
    people = invent_people(households, _rng(5), today=TODAY)
    pd.testing.assert_frame_equal(people, invent_people(households, _rng(5), today=TODAY))
    assert not people.equals(invent_people(households, _rng(6), today=TODAY))


def test_every_household_has_exactly_one_head_and_about_three_people(households):
    people = invent_people(households, _rng(), today=TODAY)
    heads = people[people["is_head"]]
    assert sorted(heads["household_code"]) == sorted(households.index)
    assert 2.5 < len(people) / len(households) < 3.1


def test_ages_fit_the_reasons(households):
    people = invent_people(households, _rng(), today=TODAY)
    people["age"] = people["born_on"].map(_age)
    for code, members in people.groupby("household_code"):
        reasons = households.loc[code, "reasons"]
        if TierReason.ILL_ALONE_80 in reasons:
            assert len(members) == 1
            assert members["age"].min() >= 80
        if TierReason.EMPTY_NEST in reasons:
            assert members["age"].min() >= 60
        if TierReason.LEFT_BEHIND in reasons:
            assert members["age"].min() < 16
            assert not members["age"].between(20, 50).any()


def test_nobody_is_born_in_the_future_or_older_than_a_hundred_and_ten(households):
    ages = invent_people(households, _rng(), today=TODAY)["born_on"].map(_age)
    assert ages.min() >= 0
    assert ages.max() <= 110


def test_telephone_and_identity_numbers_belong_to_nobody(households):
    people = invent_people(households, _rng(), today=TODAY)
    assert people["phone"].dropna().str.fullmatch(r"000\d{8}").all()
    assert people["id_number"].str.fullmatch(r"990101\d{11}[\dX]").all()


def test_an_identity_number_carries_the_check_digit_of_its_standard():
    # GB 11643: the weighted sum of all digits, the last one included (X counts ten), leaves 1 when divided by 11.
    weights = [*(2 ** (17 - place) % 11 for place in range(17)), 1]
    for seed in range(50):
        number = invent_id_number(TODAY, _rng(seed), gender="F")
        digits = [10 if digit == "X" else int(digit) for digit in number]
        assert sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 == 1
        assert digits[16] % 2 == 0


def test_ruggell_s_size_gives_twenty_four_open_cases_in_their_states_and_seven_just_closed(households):
    cases = invent_cases(households, LAND, _rng(), now=NOW)
    assert Counter(_shown(cases, NOW)) == {
        MapState.OVERDUE: 4,
        MapState.NEAR_DUE: 5,
        MapState.WHISTLED: 4,
        MapState.OPEN: 11,
        MapState.CLOSED_RECENTLY: 7,
    }


@pytest.mark.parametrize("hour", [0, 9, 15, 16, 23])
def test_the_map_states_do_not_depend_on_the_hour_of_loading(households, hour):
    now = datetime(2026, 3, 5, hour, 40, tzinfo=UTC)
    cases = invent_cases(households, LAND, _rng(), now=now)
    assert Counter(_shown(cases, now))[MapState.NEAR_DUE] == 5
    assert Counter(_shown(cases, now))[MapState.OPEN] == 11


def _shown(cases, now):
    return [
        map_state(CaseState(case.state), due_at=case.due_at, closed_at=case.closed_at, now=now)
        for case in cases.itertuples()
    ]


def test_cases_were_reported_before_now_and_before_they_are_due_and_lie_in_the_village(households):
    cases = invent_cases(households, LAND, _rng(), now=NOW)
    assert (cases["reported_at"] < NOW).all()
    assert (cases["reported_at"] < cases["due_at"]).all()
    assert cases.within(LAND).all()
    closed = cases[cases["state"] == CaseState.CLOSED]
    assert all(case.reported_at < case.closed_at < NOW for case in closed.itertuples())
    assert cases.loc[cases["state"] != CaseState.CLOSED, "closed_at"].map(lambda at: at is None).all()


def test_each_grid_has_a_liaison_a_leader_and_one_or_two_workers_today():
    grids = pd.Series([60, 95], index=["990101102201001", "990101102201002"])
    staff = invent_staff(grids, _rng(), since=TODAY - timedelta(days=60))
    serving = staff[[ends_on is None for ends_on in staff["ends_on"]]]
    roles = {code: Counter(of_grid["role"]) for code, of_grid in serving.groupby("grid_code")}
    assert roles["990101102201001"] == {StaffRole.LIAISON: 1, StaffRole.LEADER: 1, StaffRole.WORKER: 1}
    assert roles["990101102201002"] == {StaffRole.LIAISON: 1, StaffRole.LEADER: 1, StaffRole.WORKER: 2}
    assert len(staff) == len(serving) + 1
    assert len(set(serving.loc[serving["role"] == StaffRole.LIAISON, "person"])) == 1


def test_villager_groups_keep_ten_household_groups_whole_and_stay_within_a_grid(places):
    x = places.x
    grid_of = pd.Series(np.where(x < 1000, "001", "002"), index=places.index)
    group_of = grid_of + (x // 100).astype(int).astype(str).str.zfill(2)
    unit_of = invent_units(places, grid_of, group_of)
    assert unit_of.groupby(group_of).nunique().eq(1).all()
    assert grid_of.groupby(unit_of).nunique().eq(1).all()
    assert unit_of.notna().all()


def test_addresses_are_all_different(places):
    unit_of = pd.Series(np.where(places.x < 1000, "一组", "二组"), index=places.index)
    addresses = invent_addresses("鲁格尔村", unit_of, places)
    assert addresses.is_unique
    assert addresses.iloc[0].startswith("鲁格尔村")


@pytest.mark.parametrize(("number", "text"), [(1, "一"), (10, "十"), (14, "十四"), (20, "二十"), (37, "三十七")])
def test_numerals_read_as_chinese(number, text):
    assert numeral(number) == text
