"""Rules that every plan of a village drawn by chance must keep: hamlets, a notch, a river with bridges, groups."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful
from generated_land import generate
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mapgrid.partition import ReasonCode, divide
from mapgrid.partition.cells.land import Touch
from mapgrid.partition.reasons import counts_that_fit
from mapgrid.partition.search.presets import PRESETS
from mapgrid.village import Limits

_SEEDS = st.integers(0, 9_999)
_LIMITS = st.builds(
    lambda low, more, share: Limits(min=low, max=2 * low + more, target=low + round(share * (low + more))),
    st.integers(10, 60),
    st.integers(-5, 40),
    st.floats(0, 1),
)


def examples(count):
    """Return settings for the same examples in every run."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


def weighed(households, kind, seed):
    """Return households with work, and weights: one each, a few at a point as in a village, or some tall buildings."""
    rng = np.random.default_rng(seed)
    size = len(households)
    weights = {
        "ones": np.ones(size, dtype=int),
        "few": rng.choice([1, 1, 1, 2, 3, 6], size),
        "tall": np.where(rng.random(size) < 0.03, rng.integers(20, 140, size), 1),
    }
    return households[["geometry"]].assign(weight=weights[kind], workload=rng.choice([0.5, 1.0, 4.0], size))


def pieces_of(label, pairs):
    """Return the numbers of the labels whose cells do not all hang together by pairs of one label."""
    inside = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    net = coo_array((np.ones(len(inside), dtype=np.int8), tuple(inside.T)), shape=(len(label), len(label)))
    piece = connected_components(net, directed=False)[1]
    found, count = np.unique(np.unique(np.stack([label, piece]), axis=1)[0], return_counts=True)
    return set(found[count > 1].tolist())


def assert_barriers_are_kept(plan):
    """Check that one can walk all over a grid on dry land and inside it, unless a sentence says what was joined."""
    made = plan.division
    split = pieces_of(made.grid, made.land.pairs[made.land.touch == Touch.OPEN])
    names = {plan.cells["grid"].iloc[np.flatnonzero(made.grid == label)[0]] for label in split}
    assert names <= {piece.grid for piece in plan.pieces}


def assert_groups_hang_together(plan):
    """Check that each ten-household group is connected, unless its own grid has explained pieces."""
    made = plan.division
    split = pieces_of(made.group, made.land.pairs)
    names = {plan.cells["grid"].iloc[np.flatnonzero(made.group == label)[0]] for label in split}
    assert names <= {piece.grid for piece in plan.pieces}


def assert_units_are_whole_or_named(plan, drawn):
    """Check that each villager group in several grids is named, and that the scorecard counts just those."""
    grids = plan.households.assign(unit=drawn.households["unit"]).groupby("unit")["grid"].nunique()
    broken = set(grids.index[grids > 1])
    named = {reason.detail.split()[1] for reason in plan.reasons if reason.detail.startswith("unit ")}
    assert named == broken
    assert plan.scorecard.units_split == len(broken)


def assert_reasons_are_true(plan):
    """Check what a reason claims against the households themselves."""
    total = int(plan.grids["weight"].sum())
    limits = plan.limits
    heaviest = plan.division.points.weight
    for reason in plan.reasons:
        if reason.code is ReasonCode.VILLAGE_UNDER_MIN:
            assert not counts_that_fit(total, limits.min, limits.max)
        if reason.code is ReasonCode.UNIT_OVER_MAX and reason.grid is not None:
            cells = plan.cells["grid"].to_numpy() == reason.grid
            assert heaviest[cells].max() > limits.max


@given(
    st.integers(40, 300),
    _SEEDS,
    _LIMITS,
    st.sampled_from(sorted(PRESETS)),
    st.sampled_from(["ones", "few", "tall"]),
    st.booleans(),
    st.booleans(),
)
@examples(200)
def test_any_drawn_village_is_divided_lawfully(size, seed, limits, preset, weights, with_river, with_units):
    drawn = generate(size, seed)
    rows = weighed(drawn.households, weights, seed)
    barriers = drawn.river if with_river else None
    units = drawn.units if with_units else None
    plan = divide(drawn.village, rows, barriers=barriers, units=units, limits=limits, preset=preset, effort="quick")
    assert_lawful(plan, drawn.village, limits)
    assert_groups_hang_together(plan)
    assert_reasons_are_true(plan)
    if with_river:
        assert_barriers_are_kept(plan)
    if with_units:
        assert_units_are_whole_or_named(plan, drawn)
    tiling = plan.scorecard
    land_m2 = drawn.village.geometry.iloc[0].area
    assert max(tiling.gap_m2, tiling.overlap_m2, tiling.outside_m2) <= 1e-9 * land_m2


@given(_SEEDS, st.sampled_from(sorted(PRESETS)))
@examples(4)
def test_a_drawn_village_of_800_has_every_grid_within_the_limits(seed, preset):
    drawn = generate(800, seed)
    plan = divide(drawn.village, drawn.households[["weight", "geometry"]], preset=preset)
    assert_lawful(plan, drawn.village)
    assert plan.reasons == ()
    assert plan.scorecard.in_range_pct == plan.scorecard.groups_in_range_pct == 100
    assert (plan.scorecard.multipart, plan.scorecard.groups_multipart) == (0, 0)


@given(st.integers(40, 200), _SEEDS, st.sampled_from(["ones", "tall"]), st.booleans())
@examples(30)
def test_the_order_of_rows_changes_no_group_of_a_drawn_village(size, seed, weights, with_river):
    drawn = generate(size, seed)
    rows = weighed(drawn.households, weights, seed)
    barriers = drawn.river if with_river else None
    turned = None if barriers is None else barriers.iloc[::-1]
    one = divide(drawn.village, rows, barriers=barriers, effort="quick")
    two = divide(drawn.village, rows.sample(frac=1.0, random_state=seed), barriers=turned, effort="quick")
    assert two.households.sort_index()["group"].tolist() == one.households["group"].tolist()
    assert shapely.equals_exact(one.cells.geometry.to_numpy(), two.cells.geometry.to_numpy()).all()


_PRINT_GROUPS = """
import json, sys
from generated_land import generate
from mapgrid.partition import divide
groups = []
for size, seed in ((150, 3), (300, 4)):
    drawn = generate(size, seed)
    plan = divide(drawn.village, drawn.households[["weight", "geometry"]], barriers=drawn.river)
    groups += plan.households["group"].tolist()
json.dump(groups, sys.stdout)
"""


@pytest.fixture(scope="module")
def groups_by_threads():
    """Return the groups of the same villages, computed by processes with one and with two threads."""
    tests = Path(__file__).parent.parent
    found = {}
    for threads in ("1", "2"):
        counts = {f"{name}_NUM_THREADS": threads for name in ("OMP", "NUMBA", "OPENBLAS", "MKL")}
        environment = {**os.environ, **counts, "PYTHONPATH": f"{tests.parent}{os.pathsep}{tests}"}
        done = subprocess.run(
            [sys.executable, "-c", _PRINT_GROUPS], env=environment, capture_output=True, text=True, check=True
        )
        found[threads] = json.loads(done.stdout)
    return found


def test_the_number_of_threads_changes_no_group(groups_by_threads):
    assert len(groups_by_threads["1"]) == 450
    assert groups_by_threads["1"] == groups_by_threads["2"]
