"""States of a plan, what a log has in force, marks, and what differs between two plans."""

import itertools

import numpy as np
import pytest
import shapely
from chance_edits import edits_of
from drawn_land import assert_lawful, households, lattice, plots, village
from generated_land import generate
from hypothesis import given
from hypothesis import strategies as st

from mapgrid.adjust import Assign, Cut, Lock, Merge, apply, as_record
from mapgrid.adjusting.changes import changes_between
from mapgrid.adjusting.log import InForce, in_force, marks
from mapgrid.adjusting.workspace import Workspace, replay
from mapgrid.errors import EditRefusedError, PlanStateError, Refusal
from mapgrid.partition import divide
from mapgrid.partition.rebalancing.carried_over import carry_over
from mapgrid.partition.rebalancing.carry import BaseFrames
from mapgrid.plans import NEXT, PlanState, check_draft, check_next
from mapgrid.village import Limits

LIMITS = Limits(min=50, max=110, target=100)
LAND = village(plots(20, 10))


@pytest.fixture(scope="module")
def plan():
    return divide(LAND, households(lattice(20, 10)), limits=LIMITS)


@pytest.mark.parametrize(("now", "then"), list(itertools.product(PlanState, PlanState)))
def test_a_plan_goes_only_where_the_table_lets_it(now, then):
    if then in NEXT[now]:
        check_next(now, then)
    else:
        with pytest.raises(PlanStateError, match=f"found {then}"):
            check_next(now, then)


@pytest.mark.parametrize("state", PlanState)
def test_only_a_draft_is_edited(state):
    if state is PlanState.DRAFT:
        check_draft(state)
    else:
        with pytest.raises(PlanStateError, match=f"found one in state {state}"):
            check_draft(state)


def test_a_superseded_plan_stays_what_it_was():
    assert NEXT[PlanState.SUPERSEDED] == frozenset()


def _records(kinds):
    return [(number, {"edit": kind}) for number, kind in enumerate(kinds, start=1)]


def test_what_is_in_force_is_what_was_not_taken_back():
    assert in_force(_records(["cut", "merge", "undo", "undo", "redo"])) == InForce((1,), (2,))


def test_a_new_edit_leaves_nothing_to_redo():
    assert in_force(_records(["cut", "undo", "merge"])) == InForce((3,), ())
    with pytest.raises(EditRefusedError) as refused:
        in_force(_records(["cut", "undo", "merge", "redo"]))
    assert refused.value.code is Refusal.NOTHING_CHANGES


def test_steps_change_no_plan():
    assert in_force(_records(["begin", "cut", "review", "return", "undo"])) == InForce((), (2,))


@given(st.lists(st.sampled_from(["lock", "unlock", "undo", "redo", "review"]), max_size=30))
def test_a_log_has_in_force_what_a_workspace_has_done(kinds):
    """The workspace keeps whole plans; the log only numbers. They never differ."""
    found, done, undone = InForce(), [], []
    for number, kind in enumerate(kinds):
        if (kind == "undo" and not done) or (kind == "redo" and not undone):
            with pytest.raises(EditRefusedError):
                found.after(number, {"edit": kind})
            continue
        found = found.after(number, {"edit": kind})
        if kind == "undo":
            undone.append(done.pop())
        elif kind == "redo":
            done.append(undone.pop())
        elif kind != "review":
            done, undone = [*done, number], []
    assert found == InForce(tuple(done), tuple(undone))


def test_a_mark_tells_plans_apart_and_does_not_depend_on_how_a_record_is_ordered():
    one, other = {"edit": "merge", "grids": ["001", "002"]}, {"grids": ["001", "002"], "edit": "merge"}
    assert marks("base", [one, one]) == marks("base", [other, other])
    assert len({*marks("base", [one, one]), *marks("another", [one]), *marks("base", [{"edit": "cut"}])}) == 6


def test_nothing_differs_between_a_plan_and_itself(plan):
    found = changes_between(plan, plan)
    assert (found.grids, found.ended) == ((), ())
    assert not len(found.redrawn) + len(found.regrouped) + len(found.households)


def test_a_household_that_goes_next_door_changes_both_grids_and_is_named(plan):
    after = apply(plan, Assign((9,), "002")).plan
    found = changes_between(plan, after)
    assert found.grids == ("001", "002")
    assert 9 in found.households
    assert plan.division.points.of_row[9] in found.regrouped


def test_a_merge_ends_a_grid_and_its_undoing_brings_it_back(plan):
    after = apply(plan, Merge(("001", "002"))).plan
    assert changes_between(plan, after).ended == ("002",)
    back = changes_between(after, plan)
    assert (back.grids, back.ended) == (("001", "002"), ())


def test_a_lock_changes_its_grid_and_no_land(plan):
    found = changes_between(plan, apply(plan, Lock("002")).plan)
    assert found.grids == ("002",)
    assert not len(found.redrawn) + len(found.regrouped)


@pytest.mark.parametrize("seed", range(2))
def test_the_changes_of_an_edit_are_exactly_the_rows_that_are_not_as_they_were(seed):
    made = generate(400, seed)
    plan = divide(made.village, made.households, effort="quick")
    tried = 0
    for edit in edits_of(plan, np.random.default_rng(seed), 18):
        try:
            done = apply(plan, edit)
        except EditRefusedError:
            continue
        tried += 1
        found = changes_between(plan, done.plan)
        assert set(found.grids) | set(found.ended) <= set(done.touched)
        same = np.setdiff1d(np.arange(len(plan.cells)), found.redrawn)
        before, after = (one.cells.geometry.to_numpy()[same] for one in (plan, done.plan))
        assert shapely.equals_exact(before, after, 0.0).all()
    assert tried >= 6


def test_a_log_kept_as_records_leads_to_the_plan_of_the_workspace(plan):
    workspace = Workspace(plan).apply(Cut(((-50.0, 95.0), (450.0, 95.0)))).apply(Lock("001")).undo().redo().undo()
    records = workspace.as_records()
    done = in_force(enumerate(records, start=1)).done
    assert [records[number - 1] for number in done] == [as_record(edit) for edit in workspace.edits]
    assert shapely.equals_exact(
        replay(plan, records).plan.grids.geometry.to_numpy(), workspace.plan.grids.geometry.to_numpy(), 0.0
    ).all()


def test_new_grids_are_named_after_all_that_ever_were():
    plan = divide(LAND, households(lattice(20, 10)), limits=LIMITS, ended=["001", "007"])
    assert plan.grids["grid"].tolist() == ["008", "009"]
    assert plan.cells["group"].str[:3].isin(["008", "009"]).all()
    assert plan.ended == {"001", "007"}
    with pytest.raises(EditRefusedError, match="999"):
        divide(LAND, households(lattice(20, 10)), limits=LIMITS, ended=["999"])


def test_a_plan_carried_over_moves_nobody_and_takes_in_who_came():
    made = generate(400, 3)
    older = made.households.iloc[40:].reset_index(drop=True)
    base = divide(made.village, older, barriers=made.river)
    plan = carry_over(base, made.village, made.households, barriers=made.river, limits=base.limits)
    assert_lawful(plan, made.village)
    stayed = plan.households["grid"].iloc[40:].reset_index(drop=True)
    assert stayed.equals(base.households["grid"])
    own = base.grids.set_index("grid").geometry.loc[plan.households["grid"].iloc[:40]]
    assert shapely.covers(own.to_numpy(), plan.households.geometry.iloc[:40].to_numpy()).all()
    assert plan.moves.moved_households == 0
    assert plan.moves.new_households == 40


def test_a_plan_carried_over_to_the_same_households_is_the_same_to_the_bit():
    made = generate(400, 4)
    base = divide(made.village, made.households)
    frames = BaseFrames(base.grids, base.households)
    plan = carry_over(frames, made.village, made.households, limits=base.limits, locked=["001", "999"])
    assert shapely.equals_exact(plan.grids.geometry.to_numpy(), base.grids.geometry.to_numpy(), 0.0).all()
    assert plan.households["group"].equals(base.households["group"])
    assert plan.locked == {"001"}
