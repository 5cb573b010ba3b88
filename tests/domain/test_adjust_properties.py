"""What holds after any edit of a generated village."""

import numpy as np
import pytest
import shapely
from chance_edits import edits_of
from drawn_land import assert_lawful
from generated_land import generate

from mapgrid.adjust import apply
from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition import divide
from mapgrid.partition.rebalancing.rebalance import rebalance

_EXPECTED = {Refusal.NOT_CONNECTED, Refusal.BARRIER_BETWEEN, Refusal.LINE_CROSSES_NOTHING, Refusal.GRID_EMPTY}
_EXPECTED |= {Refusal.NOTHING_CHANGES, Refusal.LINE_THROUGH_HOUSEHOLD, Refusal.LINE_OUTSIDE}


@pytest.mark.parametrize("seed", range(4))
def test_every_edit_keeps_the_coverage_and_leaves_all_other_rows_as_they_were(seed):
    made = generate(600, seed)
    plan = divide(made.village, made.households, barriers=made.river if seed % 2 else None, effort="quick")
    rng = np.random.default_rng(seed)
    used, done_edits, refusals = set(plan.division.names), 0, set()
    for _ in range(5):
        for edit in edits_of(plan, rng, 6):
            try:
                done = apply(plan, edit)
            except EditRefusedError as refused:
                refusals.add(refused.code)
                continue
            after = done.plan
            assert_lawful(after, made.village)
            assert after.scorecard.groups_multipart <= plan.scorecard.groups_multipart
            assert after.scorecard.barrier_pairs <= plan.scorecard.barrier_pairs
            assert_untouched(plan, done)
            new = set(after.division.names) - set(plan.division.names)
            assert not new & used
            used |= new
            plan, done_edits = after, done_edits + 1
            break
    assert done_edits >= 3
    assert refusals <= _EXPECTED


def test_edits_of_a_rebalanced_plan_keep_the_coverage():
    made = generate(600, 5)
    older = divide(made.village, made.households.iloc[60:].reset_index(drop=True), effort="quick")
    plan = rebalance(older, made.village, made.households)[0]
    assert len(plan.division.soft)
    rng, done_edits = np.random.default_rng(5), 0
    for edit in edits_of(plan, rng, 24):
        try:
            done = apply(plan, edit)
        except EditRefusedError:
            continue
        assert_lawful(done.plan, made.village)
        assert_untouched(plan, done)
        done_edits += 1
    assert done_edits >= 8


def assert_untouched(plan, done):
    before, after = (
        one.grids.set_index("grid").drop(index=list(done.touched), errors="ignore") for one in (plan, done.plan)
    )
    assert before.index.tolist() == after.index.tolist()
    assert shapely.equals_exact(before.geometry.to_numpy(), after.geometry.to_numpy(), 0.0).all()
    assert before.drop(columns="geometry").equals(after.drop(columns="geometry"))
    same = ~plan.cells["grid"].isin(done.touched)
    assert shapely.equals_exact(plan.cells.geometry[same], done.plan.cells.geometry[same], 0.0).all()
    assert plan.cells["group"][same].equals(done.plan.cells["group"][same])
    same = ~plan.households["grid"].isin(done.touched)
    assert plan.households[same].equals(done.plan.households[same])
