"""Growth of real villages in two steps: a tenth of the houses comes later."""

import numpy as np
import pandas as pd
import pytest
import shapely
from drawn_land import assert_lawful
from generated_land import generate
from real_land import load

from mapgrid.partition import divide
from mapgrid.partition.cells.land import Touch
from mapgrid.partition.rebalancing.carry import BaseFrames
from mapgrid.partition.rebalancing.given import Given, Wish
from mapgrid.partition.rebalancing.rebalance import divide_around, rebalance
from mapgrid.partition.rebalancing.site import survey
from mapgrid.village import Limits


def without_a_tenth(households):
    kept = np.random.default_rng(1).permutation(len(households)) >= len(households) // 10
    return households[kept].reset_index(drop=True)


def assert_kept(plan, base):
    """Grids of the same households have the polygon they had, and codes stay where most of their households are."""
    shapes = base.grids.set_index("grid").geometry
    same = 0
    for grid, rows in plan.households.groupby("grid")["geometry"]:
        former = base.households[base.households["grid"] == grid]
        points, before = set(rows.apply(lambda point: point.wkb)), set(former.geometry.apply(lambda point: point.wkb))
        if points == before:
            same += 1
            assert shapely.equals_exact(plan.grids.set_index("grid").geometry[grid], shapes[grid], 0.0)
    return same


@pytest.mark.parametrize(("name", "water"), [("ruggell", None), ("stonetown2", None), ("gamprin", "waterways")])
def test_a_village_that_grew_by_a_tenth_keeps_its_grids(name, water):
    village, households, lines = load(name, barriers=water)
    base = divide(village, without_a_tenth(households), barriers=lines)
    plans = rebalance(base, village, households, barriers=lines)
    plan = plans[0]
    for one in plans:
        assert_lawful(one, village)
        assert one.scorecard.groups_multipart <= base.scorecard.groups_multipart
    assert plan.scorecard.in_range_pct >= base.scorecard.in_range_pct
    assert plan.scorecard.groups_in_range_pct >= base.scorecard.groups_in_range_pct - 0.5
    assert set(base.grids["grid"]) <= set(plan.grids["grid"])
    assert_kept(plan, base)
    extra = plan.moves.moved_households - plan.moves.unavoidable_households
    assert extra <= 0.01 * len(households)


def drawn_or_real(name):
    if isinstance(name, str):
        return load(name, barriers="waterways")
    made = generate(800, name)
    return made.village, made.households.drop(columns="unit"), made.river


@pytest.mark.parametrize("name", ["ruggell", "gamprin", 0, 1])
def test_grids_locked_while_a_village_grows_stay_to_the_bit_beside_water(name):
    village, households, lines = drawn_or_real(name)
    base = divide(village, without_a_tenth(households), barriers=lines)
    locked = base.grids["grid"].iloc[::3].tolist()
    former = base.grids.set_index("grid").geometry.loc[locked].to_numpy()
    for plan in rebalance(base, village, households, barriers=lines, locked=locked):
        after = plan.grids.set_index("grid").geometry.loc[locked].to_numpy()
        assert shapely.equals_exact(former, after, 0.0).all()
        assert_lawful(plan, village)


@pytest.mark.parametrize("name", ["gamprin", "schellenberg", 1, 2])
def test_moving_households_puts_no_further_barrier_into_a_grid(name):
    village, households, lines = drawn_or_real(name)
    base = divide(village, without_a_tenth(households), barriers=lines)
    given = Given(village, households, lines)
    site = survey(base, given, Wish(Limits(), "balanced", 0, "standard"), frozenset())
    graph = site.graph
    for plan in rebalance(base, village, households, barriers=lines):
        assert walled(graph, plan.division.grid) <= walled(graph, site.carried.label)


def walled(graph, label):
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    inside = np.isin(graph.touch, (Touch.OPENING, Touch.WALL)) & (label[one] == label[graph.neighbour])
    return int(inside.sum()) // 2


@pytest.mark.parametrize(("name", "water"), [("planken", None), ("gamprin", None), ("ruggell", "waterways")])
def test_grids_locked_in_a_real_village_stay_to_the_bit(name, water):
    village, households, lines = load(name, barriers=water)
    whole = divide(village, households, barriers=lines)
    locked = whole.grids["grid"].iloc[::3].tolist()
    grids, rows = (frame[frame["grid"].isin(locked)] for frame in (whole.grids, whole.households))
    plan = divide_around(BaseFrames(grids, rows), village, households, barriers=lines)
    assert_lawful(plan, village)
    after = plan.grids.set_index("grid").geometry.loc[locked].to_numpy()
    assert shapely.equals_exact(grids.geometry.to_numpy(), after, 0.0).all()


def test_forty_newcomers_in_one_spot_leave_most_polygons_as_they_were():
    made = generate(800, 2)
    base = divide(made.village, made.households)
    spot = np.array(made.households.geometry.iloc[5].coords[0])
    near = spot + np.random.default_rng(0).normal(size=(200, 2)) * 25
    near = near[shapely.contains_xy(made.village.geometry.iloc[0], near)][:40]
    new = made.households.iloc[:40].set_geometry(list(shapely.points(np.round(near, 2))), crs=made.households.crs)
    plans = rebalance(base, made.village, pd.concat([made.households, new], ignore_index=True))
    for plan in plans:
        assert_lawful(plan, made.village)
        assert plan.scorecard.in_range_pct == 100
    assert plans[0].moves.moved_households <= plans[0].moves.unavoidable_households + 8
    assert assert_kept(plans[0], base) >= len(base.grids) - 4


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("with_river", [False, True])
def test_units_that_were_whole_stay_whole_while_a_village_grows(seed, with_river):
    made = generate(600, seed)
    how = {"units": made.units, "barriers": made.river if with_river else None}
    base = divide(made.village, without_a_tenth(made.households), **how)
    plans = rebalance(base, made.village, made.households, **how)
    was = {unit.name for unit in base.units if unit.why.startswith("in grids ")}
    for plan in plans:
        assert_lawful(plan, made.village)
        assert plan.scorecard.in_range_pct >= base.scorecard.in_range_pct
        split = {unit.name for unit in plan.units if unit.why.startswith("in grids ")}
        grids = plan.households.groupby("unit")["grid"].nunique()
        assert set(grids.index[grids > 1]) == split
        assert split <= was
    moved = [plan.moves.moved_households for plan in plans]
    assert moved[0] == min(moved)
