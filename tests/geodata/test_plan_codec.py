"""A plan as bytes and back: the same plan, to the last bit, and nothing about anybody in it."""

from dataclasses import fields, is_dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from chance_edits import edits_of
from generated_land import generate
from geopandas.testing import assert_geodataframe_equal

from geodata.plan_codec import PlanUnreadableError, pack_plan, unpack_plan
from mapgrid.adjust import apply
from mapgrid.coverage import measure_coverage
from mapgrid.crs import metric_crs_for
from mapgrid.errors import EditRefusedError
from mapgrid.partition import divide
from mapgrid.partition.rebalancing.rebalance import rebalance

MADE = generate(300, 1)
ROWS = MADE.households.drop(columns=["unit", "visits"])


def _with_everything():
    rows = ROWS.assign(workload=MADE.households["visits"].astype(float))
    return divide(MADE.village, rows, barriers=MADE.river, prefer=MADE.roads, roads=MADE.roads, max_way_m=300.0)


def _rebalanced():
    older = divide(MADE.village, ROWS.iloc[30:].reset_index(drop=True), effort="quick")
    return rebalance(older, MADE.village, ROWS)[0]


def _in_its_own_metres():
    crs = metric_crs_for(tuple(MADE.village.to_crs(4326).total_bounds))
    index = pd.Index([f"990101102301{number:06d}" for number in range(300)], name="code")
    return divide(MADE.village.to_crs(crs), ROWS.set_axis(index).to_crs(crs))


PLANS = {
    "plain": lambda: divide(MADE.village, ROWS),
    "barriers, roads, workload": _with_everything,
    "whole units": lambda: divide(MADE.village, ROWS, units=MADE.units),
    "units in a column": lambda: divide(MADE.village, ROWS.assign(unit=MADE.households["unit"])),
    "re-balanced": _rebalanced,
    "without a point": lambda: divide(MADE.village, ROWS.set_geometry([None, *ROWS.geometry.iloc[1:]], crs=ROWS.crs)),
    "codes, in its own metres": _in_its_own_metres,
}


@pytest.fixture(scope="module", params=PLANS)
def plan(request):
    return PLANS[request.param]()


def _assert_same(one, other, at="plan"):
    assert type(one) is type(other), at
    if isinstance(one, gpd.GeoDataFrame):
        assert_geodataframe_equal(one, other)
        assert shapely.equals_exact(one.geometry.to_numpy(), other.geometry.to_numpy(), 0.0)[~one.geometry.isna()].all()
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, at
        same = shapely.equals_exact(one, other, 0.0).all() if one.dtype == object else one.tobytes() == other.tobytes()
        assert same, at
        assert other.flags.writeable
    elif is_dataclass(one):
        for field in fields(one):
            _assert_same(getattr(one, field.name), getattr(other, field.name), f"{at}.{field.name}")
    elif isinstance(one, tuple):
        assert len(one) == len(other), at
        for number, pair in enumerate(zip(one, other, strict=True)):
            _assert_same(*pair, f"{at}[{number}]")
    else:
        assert one == other, at


def test_a_plan_comes_back_to_the_last_bit(plan):
    back = unpack_plan(pack_plan(plan))
    _assert_same(plan, back)
    assert back.scorecard == plan.scorecard


def test_the_same_plan_always_gives_the_same_bytes(plan):
    assert pack_plan(unpack_plan(pack_plan(plan))) == pack_plan(plan)


@pytest.mark.parametrize("kind", ["plain", "barriers, roads, workload", "whole units", "re-balanced"])
def test_edits_of_a_plan_that_came_back_make_the_identical_plans(kind):
    plan, made = PLANS[kind](), 0
    back = unpack_plan(pack_plan(plan))
    for edit in edits_of(plan, np.random.default_rng(2), 12):
        expected, found = _done(plan, edit), _done(back, edit)
        _assert_same(expected, found)
        made += not isinstance(expected, str)
    assert made >= 3


def _done(plan, edit):
    """Return the plan after an edit, or why it is refused."""
    try:
        return apply(plan, edit).plan
    except EditRefusedError as refused:
        return str(refused)


def test_a_plan_that_came_back_covers_its_village_as_exactly_as_before(plan):
    back = unpack_plan(pack_plan(plan))
    for before, after in ((plan.cells, back.cells), (plan.grids, back.grids)):
        expected, found = (measure_coverage(one, plan.division.village) for one in (before, after))
        assert found == expected
        assert found.is_matched
        assert found.overlap_m2 == 0.0


def test_what_is_kept_says_nothing_of_a_household_but_where_it_stands_and_in_which_grid():
    made = generate(120, 1)
    rows = made.households.assign(address="后街7号", tier="red", reasons="serious_dispute")
    packed = pack_plan(divide(made.village, rows, effort="quick"))
    assert sorted(unpack_plan(packed).households) == ["cell", "geometry", "grid", "group", "unit", "weight"]


@pytest.mark.parametrize("packed", [b"", b"mapgrid plan 0\nxxxx", b"PK\x03\x04", b"\x80\x05K\x01."])
def test_bytes_of_another_kind_are_refused_and_never_run(packed):
    with pytest.raises(PlanUnreadableError, match="expected a plan kept as 'mapgrid plan 1'"):
        unpack_plan(packed)
