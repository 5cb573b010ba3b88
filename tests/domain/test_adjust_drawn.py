"""Edits of small drawn plans whose answer can be counted by hand."""

import gc
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful, barriers, households, lattice, plots, village

from mapgrid import adjust
from mapgrid.adjust import Assign, Cut, Lock, Merge, Reshape, Unlock, apply, as_record, from_record
from mapgrid.adjusting.workspace import Workspace, replay
from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition import ReasonCode, divide
from mapgrid.village import Limits

LAND = village(plots(20, 10))
LIMITS = Limits(min=50, max=110, target=100)
PLOT_M2 = 20.0 * 20.0
WEST, EAST = (-10.0, -50.0), (410.0, 250.0)


def halves(rows=None, **how):
    """Return the plan of two grids of 10 × 10 plots; household 20 · row + column stands in the middle of its plot."""
    plan = divide(LAND, households(lattice(20, 10)) if rows is None else rows, limits=LIMITS, **how)
    assert plan.grids["weight"].tolist() == [100, 100]
    assert plan.grids.geometry.area.tolist() == pytest.approx([40_000, 40_000])
    assert plan.grids.geometry.iloc[0].bounds == pytest.approx((0, 0, 200, 200))
    return plan


@pytest.fixture(scope="module")
def plan():
    return halves()


def upright(x):
    return ((x, -50.0), (x, 250.0))


def level(y):
    return ((-50.0, y), (450.0, y))


def refused(plan, edit):
    with pytest.raises(EditRefusedError) as error:
        apply(plan, edit)
    return error.value


def weights(plan):
    return dict(zip(plan.grids["grid"], plan.grids["weight"], strict=True))


def test_a_household_at_the_border_goes_to_the_grid_next_door_with_its_land(plan):
    done = apply(plan, Assign((9,), "002"))
    assert weights(done.plan) == {"001": 99, "002": 101}
    assert done.plan.grids.geometry.area.sum() == pytest.approx(200 * PLOT_M2)
    assert done.touched == ("001", "002")
    assert done.warnings == ()
    assert_lawful(done.plan, LAND)
    assert weights(plan) == {"001": 100, "002": 100}


def border_of(plan):
    west, east = plan.grids.geometry
    return shapely.line_merge(shapely.intersection(west, east))


def test_the_border_of_a_household_that_changed_grid_is_pulled_tight_past_its_neighbours(plan):
    border = border_of(apply(plan, Assign((89,), "002")).plan)
    # Rings of eight pegs, 5 m round the houses at (190, 70), (190, 90) and (190, 110); both ends stay in a corner.
    side, between = 10 * np.sin(np.pi / 8), np.hypot(10 * np.sqrt(0.5), 20 - 10 * np.sqrt(0.5))
    assert border.length == pytest.approx(np.hypot(5, 70) + np.hypot(5, 90) + 2 * (2 * side + between), abs=0.01)
    assert shapely.distance(border, plan.households.geometry).min() == pytest.approx(5 * np.cos(np.pi / 8), abs=0.01)


def test_a_border_that_moves_by_a_whole_column_is_straight_again(plan):
    done = apply(plan, Assign(tuple(range(9, 200, 20)), "002")).plan
    assert done.grids.geometry.area.tolist() == pytest.approx([36_000, 44_000])
    assert border_of(done).length == pytest.approx(200)
    assert_lawful(done, LAND)


def test_a_household_given_back_leaves_the_border_straight_however_often(plan):
    workspace = Workspace(plan)
    for _ in range(3):
        workspace = workspace.apply(Assign((89,), "002")).apply(Assign((89,), "001"))
    border = border_of(workspace.plan)
    assert border.length == pytest.approx(200, abs=0.5)
    assert shapely.distance(border, plan.households.geometry).min() >= 4.5
    assert_lawful(workspace.plan, LAND)
    for _ in range(6):
        workspace = workspace.undo()
    assert workspace.plan is plan


def test_a_grid_beside_an_edit_keeps_its_border_to_the_bit(plan):
    three = apply(plan, Cut(level(100.0), ("001",))).plan
    done = apply(three, Assign((89,), "003" if three.households["grid"][89] == "001" else "001"))
    east = [one.grids.set_index("grid").geometry["002"] for one in (three, done.plan)]
    assert "002" not in done.touched
    assert shapely.equals_exact(*east, 0.0)
    assert_lawful(done.plan, LAND)


def test_groups_keep_their_households_and_numbers_when_one_household_comes(plan):
    after = apply(plan, Assign((9,), "002")).plan
    stayed = plan.households["grid"] == "002"
    assert (after.households["group"][stayed] == plan.households["group"][stayed]).all()
    assert after.households["group"][9] in set(plan.households["group"][stayed])
    assert not after.groups_outside()


def test_households_become_a_new_grid_with_the_next_serial_and_a_warning(plan):
    done = apply(plan, Assign(tuple(range(10))))
    assert weights(done.plan) == {"001": 90, "002": 100, "003": 10}
    (reason,) = done.warnings
    assert (reason.grid, reason.code) == ("003", ReasonCode.BY_HAND)
    assert reason.detail == "10 households, made so by hand; the limits are 50–110"
    assert_lawful(done.plan, LAND)


def test_merged_grids_keep_one_name_and_the_other_is_never_used_again(plan):
    merged = apply(plan, Merge(("002", "001")))
    assert weights(merged.plan) == {"001": 200}
    assert merged.touched == ("001", "002")
    assert merged.warnings[0].code is ReasonCode.BY_HAND
    assert_lawful(merged.plan, LAND)
    again = apply(merged.plan, Cut(upright(200.0)))
    assert weights(again.plan) == {"001": 100, "003": 100}
    assert again.plan.reasons == ()
    assert again.plan.grids.geometry.area.tolist() == pytest.approx([40_000, 40_000])
    assert_lawful(again.plan, LAND)


def test_groups_of_merged_grids_stay_together(plan):
    merged = apply(plan, Merge(("001", "002"))).plan
    both = set(map(frozenset, plan.households.groupby("group").groups.values()))
    assert set(map(frozenset, merged.households.groupby("group").groups.values())) == both


def test_a_line_across_two_grids_makes_four_of_fifty(plan):
    done = apply(plan, Cut(level(100.0)))
    assert weights(done.plan) == {"001": 50, "002": 50, "003": 50, "004": 50}
    assert done.plan.grids.geometry.area.tolist() == pytest.approx([20_000] * 4)
    assert done.plan.groups_outside() == []
    assert_lawful(done.plan, LAND)


def test_a_line_cuts_only_the_grids_that_are_named_and_the_larger_piece_keeps_the_name(plan):
    done = apply(plan, Cut(level(60.0), ("002",)))
    assert weights(done.plan) == {"001": 100, "002": 70, "003": 30}
    assert done.touched == ("002", "003")
    assert done.plan.grids.geometry.iloc[0] is plan.grids.geometry.iloc[0]


def test_a_line_that_ends_a_few_metres_inside_the_border_was_meant_to_reach_it(plan):
    done = apply(plan, Cut(((205.0, 100.0), (395.0, 100.0)), ("002",)))
    assert weights(done.plan) == {"001": 100, "002": 50, "003": 50}


def test_a_border_drawn_anew_moves_the_households_between(plan):
    done = apply(plan, Reshape(("002", "001"), upright(240.0)))
    assert weights(done.plan) == {"001": 120, "002": 80}
    assert done.plan.grids.geometry.area.tolist() == pytest.approx([48_000, 32_000])
    assert_lawful(done.plan, LAND)


def test_households_that_share_a_point_go_together():
    points = np.concatenate([lattice(20, 10), lattice(20, 10)[9:10]])
    plan = divide(LAND, households(points), limits=LIMITS)
    done = apply(plan, Assign((200,), "002" if plan.households["grid"][9] == "001" else "001"))
    assert done.plan.households["grid"][9] == done.plan.households["grid"][200]
    assert done.plan.households["grid"][9] != plan.households["grid"][9]


def test_a_unit_that_an_edit_splits_is_named():
    rows = households(lattice(20, 10)).assign(unit=[f"unit {number // 20}" for number in range(200)])
    rows["unit"] = np.where(np.arange(200) % 20 < 10, rows["unit"], None)
    plan = halves(rows)
    done = apply(plan, Assign((9,), "002"))
    assert done.split_units == ("unit 0",)
    assert [reason.detail for reason in done.plan.reasons] == ["unit unit 0 is in grids 001, 002: divided by hand"]
    assert (plan.scorecard.units_split, done.plan.scorecard.units_split) == (0, 1)
    back = apply(done.plan, Assign((9,), "001")).plan
    assert (back.reasons, back.units) == (plan.reasons, plan.units)
    assert apply(plan, Assign((10,), "001")).split_units == ()


@pytest.mark.parametrize(
    ("edit", "code", "said"),
    [
        (Assign((0,), "002"), Refusal.NOT_CONNECTED, "grid 002 in one piece, found 1 household apart from the others"),
        (Assign((9,), "003"), Refusal.GRID_UNKNOWN, "a grid of the plan, found '003'"),
        (Assign((9, 777), "002"), Refusal.HOUSEHOLD_UNKNOWN, "found 777"),
        (Assign((), "002"), Refusal.NOTHING_CHANGES, "at least one household"),
        (Assign((9,), "001"), Refusal.NOTHING_CHANGES, "none changed"),
        (Assign(tuple(r * 20 + c for r in range(10) for c in range(10)), "002"), Refusal.GRID_EMPTY, "none in 001"),
        (Merge(("001",)), Refusal.NOTHING_CHANGES, "two grids or more"),
        (Cut(upright(500.0)), Refusal.LINE_OUTSIDE, "a line in the village"),
        (Cut(((50.0, 50.0), (90.0, 90.0))), Refusal.LINE_CROSSES_NOTHING, "on either side"),
        (Cut(upright(30.0)), Refusal.LINE_THROUGH_HOUSEHOLD, "through household 1;"),
        (Cut(((50.0, 50.0),)), Refusal.LINE_UNFIT, "two corners or more"),
        (Cut(((0.0, 0.0), (100.0, 100.0), (100.0, 0.0), (0.0, 100.0))), Refusal.LINE_UNFIT, "crosses itself"),
        (Reshape(("001", "001"), upright(240.0)), Refusal.NOTHING_CHANGES, "two grids with a common border"),
        (Reshape(("001", "002"), upright(405.0)), Refusal.LINE_OUTSIDE, "in the village"),
        (Reshape(("001", "002"), ((150.0, 50.0), (150.0, 70.0))), Refusal.LINE_CROSSES_NOTHING, "either side"),
        (Unlock("001"), Refusal.NOTHING_CHANGES, "001 unlocked"),
        (Lock("009"), Refusal.GRID_UNKNOWN, "'009'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(plan, edit, code, said):
    error = refused(plan, edit)
    assert error.code is code
    assert said in str(error)
    assert error.hint


def test_no_edit_reaches_across_a_river_without_a_bridge():
    plan = halves(barriers=barriers([(200, -50), (200, 250)]))
    for edit in (Merge(("001", "002")), Assign((9,), "002"), Reshape(("001", "002"), upright(240.0))):
        error = refused(plan, edit)
        assert error.code is Refusal.BARRIER_BETWEEN
        assert "beyond a barrier" in str(error)


def test_no_edit_by_hand_reaches_through_a_bridge():
    plan = halves(barriers=barriers([(200, -50), (200, 90)], [(200, 110), (200, 250)]))
    assert refused(plan, Merge(("001", "002"))).code is Refusal.BARRIER_BETWEEN


def test_a_locked_grid_is_left_alone_until_it_is_unlocked(plan):
    locked = apply(plan, Lock("002")).plan
    assert locked.locked == {"002"}
    for edit in (Assign((9,), "002"), Assign((10,), "001"), Merge(("001", "002")), Cut(level(100.0))):
        assert refused(locked, edit).code is Refusal.GRID_LOCKED
    assert weights(apply(locked, Cut(level(100.0), ("001",))).plan) == {"001": 50, "002": 100, "003": 50}
    assert weights(apply(apply(locked, Unlock("002")).plan, Assign((9,), "002")).plan) == {"001": 99, "002": 101}


def test_a_household_without_a_point_cannot_be_assigned():
    rows = households(lattice(20, 10))
    rows.loc[200] = [1, None]
    plan = halves(rows)
    assert refused(plan, Assign((200,), "002")).found == "200, which has no point"
    after = apply(plan, Assign((9,), "002")).plan
    assert after.households["grid"][200] is None
    assert after.reasons == plan.reasons


def test_an_edit_survives_the_way_to_json_and_back():
    edits = [Assign((9, "18-1"), None), Cut(upright(0.1), ("001",)), Merge(("001", "002")), Lock("001"), Unlock("001")]
    edits.append(Reshape(("001", "002"), ((0.1, 1 / 3), (1e6 / 7, -2.0))))
    assert [from_record(json.loads(json.dumps(as_record(edit)))) for edit in edits] == edits


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "'edit' to be one of assign, cut, merge, reshape, lock, unlock, found None"),
        ({"edit": "paint"}, "found 'paint'"),
        ({"edit": "merge"}, "the fields grids, found no 'grids'"),
        ({"edit": "merge", "grids": "001"}, "'grids' to be a list of names of grids, found '001'"),
        ({"edit": "lock", "grid": "001", "why": "x"}, "the field 'why'"),
        ({"edit": "lock", "grid": None}, "'grid' to be the name of a grid, found None"),
        ({"edit": "assign", "households": [True]}, "'households' to be a list of numbers or texts"),
        ({"edit": "cut", "line": [[0, float("nan")], [1, 1]]}, "'line' to be a list of pairs of finite numbers"),
        ({"edit": "cut", "line": [[0, 1, 2]]}, "'line' to be a list of pairs"),
    ],
)
def test_a_record_that_is_no_edit_is_refused_naming_the_field(record, said):
    with pytest.raises(EditRefusedError) as error:
        from_record(record)
    assert error.value.code is Refusal.EDIT_UNREADABLE
    assert said in str(error.value)


def test_undo_and_redo_give_the_very_plans_there_were(plan):
    one = Workspace(plan).apply(Cut(level(100.0)))
    two = one.apply(Merge(("001", "003")))
    assert two.undo().plan is one.plan
    assert two.undo().undo().plan is plan
    assert two.undo().undo().redo().redo().plan is two.plan
    other = two.undo().apply(Lock("001"))
    assert other.edits == (Cut(level(100.0)), Lock("001"))
    assert other.version == 4
    with pytest.raises(EditRefusedError, match="an edit to redo, found none"):
        other.redo()
    with pytest.raises(EditRefusedError, match="an edit to undo, found none"):
        Workspace(plan).undo()


def test_an_edit_of_an_older_version_is_refused(plan):
    workspace = Workspace(plan).apply(Assign((9,), "002"), version=0)
    with pytest.raises(EditRefusedError) as error:
        workspace.apply(Assign((10,), "001"), version=0)
    assert error.value.code is Refusal.STALE_VERSION
    assert workspace.apply(Assign((9,), "001"), version=1).version == 2


def test_a_stored_log_replayed_gives_the_identical_plan(plan):
    workspace = Workspace(plan).apply(Cut(level(100.0))).apply(Merge(("001", "003"))).undo().redo()
    workspace = workspace.apply(Assign((10, 30), "001")).undo().apply(Lock("004"))
    again = replay(halves(), json.loads(json.dumps(workspace.as_records())))
    assert again.log == workspace.log
    assert again.plan.locked == {"004"}
    assert shapely.equals_exact(again.plan.grids.geometry, workspace.plan.grids.geometry, 0.0).all()
    for frame in ("grids", "households", "cells"):
        mine, theirs = getattr(again.plan, frame), getattr(workspace.plan, frame)
        assert mine.drop(columns="geometry").equals(theirs.drop(columns="geometry"))


def test_names_with_a_village_code_go_on_with_the_code(plan):
    code = "990101102201"
    named = replace(plan, division=replace(plan.division, names=(f"{code}001", f"{code}007")))
    named = replace(named, grids=plan.grids.assign(grid=list(named.division.names)))
    assert apply(named, Assign((9,))).plan.grids["grid"].tolist()[-1] == f"{code}008"


def test_a_cut_runs_along_the_drawn_line_and_not_between_plots(plan):
    done = apply(plan, Cut(((-50.0, 95.0), (450.0, 104.0)), ("001",)))
    north, south = (done.plan.grids.set_index("grid").geometry[grid] for grid in ("003", "001"))
    if north.centroid.y < south.centroid.y:
        north, south = south, north
    drawn = shapely.LineString([(0.0, 95.9), (200.0, 99.5)])
    assert shapely.hausdorff_distance(shapely.intersection(north, south), drawn) < 1.0  # ends in the node (200, 100)
    assert north.area + south.area == pytest.approx(40_000)
    assert done.plan.grids.set_index("grid").geometry["002"] is plan.grids.set_index("grid").geometry["002"]
    assert_lawful(done.plan, LAND)


def test_a_border_drawn_anew_runs_along_the_line(plan):
    done = apply(plan, Reshape(("001", "002"), ((243.0, -20.0), (236.0, 100.0), (243.0, 220.0))))
    assert weights(done.plan) == {"001": 120, "002": 80}
    west, east = done.plan.grids.geometry
    border = shapely.line_merge(shapely.intersection(west, east))
    assert shapely.length(border) == pytest.approx(2 * np.hypot(100, 35 / 6), abs=0.01)
    assert_lawful(done.plan, LAND)


def test_what_was_drawn_can_be_undone_and_cut_again(plan):
    workspace = Workspace(plan).apply(Cut(((-50.0, 95.0), (450.0, 104.0))))
    again = workspace.apply(Merge(("001", "003"))).apply(Merge(("002", "004")))
    assert again.plan.grids.geometry.area.tolist() == pytest.approx([40_000, 40_000])
    assert_lawful(again.plan, LAND)


def test_getting_ready_for_edits_leaves_what_is_loaded_out_of_garbage_collections():
    adjust.warm()
    try:
        assert gc.get_freeze_count() > len(sys.modules)
    finally:
        gc.unfreeze()
