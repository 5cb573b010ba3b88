from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapgrid.roles import (
    CHANGES,
    ROLES,
    Actor,
    Permission,
    Role,
    Scope,
    allows,
    allows_somewhere,
    fewest_characters,
    needs_second_factor,
    reaches,
)

VILLAGE = "990101102201"
DAY = date(2026, 3, 5)


def actor(*scopes, **more):
    return Actor(1, "li", "Li", tuple(Scope(role, area, date(2026, 1, 1)) for role, area in scopes), **more)


def test_a_scope_reaches_what_lies_in_its_area_and_nothing_above_or_beside():
    leader = actor((Role.VILLAGE_LEADER, VILLAGE))
    assert allows(leader, Permission.SEE_HOUSEHOLDS, VILLAGE)
    assert allows(leader, Permission.SEE_HOUSEHOLDS, f"{VILLAGE}001")
    assert allows(leader, Permission.SEE_HOUSEHOLDS, f"{VILLAGE}000001")
    assert not allows(leader, Permission.SEE_HOUSEHOLDS, VILLAGE[:9])
    assert not allows(leader, Permission.SEE_HOUSEHOLDS, "990101102202")


def test_a_grid_reaches_no_household_by_the_beginning_of_its_code():
    """The code of household 003456 begins like that of grid 003."""
    assert reaches(f"{VILLAGE}003", f"{VILLAGE}003")
    assert reaches(f"{VILLAGE}003", f"{VILLAGE}00301")
    assert not reaches(f"{VILLAGE}003", f"{VILLAGE}003456")


def test_nobody_signed_in_may_nothing():
    assert not allows(None, Permission.SEE_MAP, VILLAGE)
    assert not allows_somewhere(None, Permission.SEE_MAP)


def test_who_looks_with_another_s_eyes_sees_the_same_and_changes_nothing():
    worker = actor((Role.WORKER, f"{VILLAGE}001"))
    looking = replace(worker, viewer_id=9)
    for permission in Permission:
        assert allows_somewhere(looking, permission) == (
            allows_somewhere(worker, permission) and permission not in CHANGES
        )


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "holds"),
    [
        (date(2026, 3, 5), None, True),
        (date(2026, 3, 6), None, False),
        (date(2026, 1, 1), date(2026, 3, 5), False),
        (date(2026, 1, 1), date(2026, 3, 6), True),
    ],
)
def test_a_scope_holds_from_its_first_day_until_the_day_before_its_last(starts_on, ends_on, holds):
    assert Scope(Role.WORKER, f"{VILLAGE}001", starts_on, ends_on).is_in_force(DAY) is holds


def test_every_role_has_a_rule_and_only_those_who_reach_far_need_a_second_factor():
    assert set(ROLES) == set(Role)
    assert {role for role, rule in ROLES.items() if rule.needs_second_factor} == {
        Role.PLANNER, Role.VILLAGE_LEADER, Role.TOWN_LEADER, Role.DISTRICT_LEADER, Role.ADMINISTRATOR, Role.AUDITOR,
    }  # fmt: skip
    worker = Scope(Role.WORKER, f"{VILLAGE}001", DAY)
    admin = Scope(Role.ADMINISTRATOR, "", DAY)
    assert (needs_second_factor((worker,)), needs_second_factor((worker, admin))) == (False, True)
    assert (fewest_characters((worker,)), fewest_characters((worker, admin)), fewest_characters(())) == (8, 12, 8)


def test_leaders_above_a_village_and_administrators_see_no_household_and_auditors_nothing_but_the_trail():
    for role in (Role.TOWN_LEADER, Role.DISTRICT_LEADER, Role.ADMINISTRATOR, Role.RESIDENT_DESK):
        assert not ROLES[role].permissions & {Permission.SEE_HOUSEHOLDS, Permission.SEE_PEOPLE, Permission.UNMASK}
    assert ROLES[Role.AUDITOR].permissions == {Permission.SEE_AUDIT}


@given(st.text("0123456789", min_size=0, max_size=18), st.text("0123456789", min_size=0, max_size=18))
def test_what_is_reached_begins_with_the_area(area, code):
    assert not reaches(area, code) or code.startswith(area)
