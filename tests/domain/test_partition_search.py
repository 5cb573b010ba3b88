"""The search for grids and groups: what it is asked for, it does."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful, households, lattice, plots, village
from generated_land import generate
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from stored_labels import FILE, labels

from mapgrid.errors import InputRefusedError
from mapgrid.partition import divide
from mapgrid.partition.cells.land import WAYS, cut_land
from mapgrid.partition.points import distinct_points
from mapgrid.partition.scorecard import distance_to_centre
from mapgrid.partition.search import groups
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.search.nearest import near_centres
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.partition.search.solve import Run, repair, split
from mapgrid.village import Limits

BALANCED, STANDARD, QUICK = choose_wishes("balanced"), choose_effort("standard"), choose_effort("quick")
NO_LINES = np.empty(0, dtype=object)


def graph_of(outline, xy):
    """Return the graph of the cells of points, in their order, each of one household."""
    land, _ = cut_land(outline, xy, NO_LINES)
    return build_graph(land, xy, np.ones(len(xy), dtype=np.int64))


def loads(label):
    return np.bincount(label).tolist()


def pieces(graph, label):
    return int(graph.components(label, WAYS).max()) + 1


def test_the_nearest_centres_are_those_a_full_search_finds():
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.uniform(-50, 1050, (400, 2)), rng.normal(500, 5, (200, 2))])
    for centres in (rng.uniform(0, 1000, (60, 2)), rng.normal(300, 1, (9, 2)), np.array([[5.0, 5.0]] * 8)):
        near, away = near_centres(points, centres, 8)
        full = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
        order = np.argsort(full, axis=1, kind="stable")[:, :8]
        assert (near == order).all()
        assert np.allclose(away, np.take_along_axis(full, order, axis=1))


def test_two_full_grids_exchange_a_household_each_where_no_single_one_may_move():
    xy = np.round(lattice(20, 10), 3)
    graph = graph_of(plots(20, 10), xy)
    best = np.where(xy[:, 0] < 200, 0, 1)
    mixed = best.copy()
    left, right = np.flatnonzero(np.abs(xy[:, 0] - 200) < 11).reshape(10, 2)[[0, 9], [0, 1]]
    mixed[left], mixed[right] = 1, 0
    run = Run(graph, 2, (50, 100), choose_wishes("shortest"), 0)
    run.scale_m = run.weigh(best).distance
    after = run.swap(mixed)
    assert loads(after.label) == [100, 100]
    assert pieces(graph, after.label) == 2
    assert after.distance == run.weigh(best).distance < run.weigh(mixed).distance


def test_exchanges_make_nothing_worse_and_keep_grids_whole():
    drawn = generate(300, 5)
    graph = graph_of(drawn.village.geometry.iloc[0], distinct_points(drawn.households).xy)
    for preset in ("balanced", "shortest", "workload"):
        run = Run(graph, 4, (50, 100), choose_wishes(preset), 1)
        start = run.start(0)
        run.scale_m = run.weigh(start).distance
        after = run.swap(start)
        assert run.rank(after) <= run.rank(run.weigh(start))
        assert pieces(graph, after.label) == pieces(graph, start)


def test_uneven_workload_is_shared_evenly_by_the_workload_preset_and_households_stay_within_the_limits():
    land = village(plots(20, 15))
    points = lattice(20, 15)
    rows = households(points).assign(workload=np.where(points[:, 0] < 200, 1.5, 1.0))
    even, short = divide(land, rows, preset="workload"), divide(land, rows, preset="shortest")
    assert even.scorecard.in_range_pct == 100
    assert even.scorecard.workload_cv < 0.05 < short.scorecard.workload_cv
    assert_lawful(even, land)


def test_a_missing_workload_counts_with_the_weight_and_no_column_means_no_figure():
    land = village(plots(12, 10))
    rows = households(lattice(12, 10))
    assert divide(land, rows).scorecard.workload_cv is None
    given = divide(land, rows.assign(workload=[None] * 60 + [1.0] * 60))
    assert given.division.points.work.tolist() == [1.0] * 120


@pytest.mark.parametrize("workload", [0, -2.5, "much", float("inf")])
def test_a_workload_that_is_no_number_above_0_is_refused_with_its_row(workload):
    rows = households(lattice(10, 10)).assign(workload=1.0).astype({"workload": object})
    rows.loc[3, "workload"] = workload
    with pytest.raises(InputRefusedError) as refused:
        divide(village(plots(10, 10)), rows)
    assert [(fault.row, fault.column) for fault in refused.value.faults] == [(4, "workload")]


def test_fewer_households_are_far_from_their_centre_when_a_longest_way_is_wished_for():
    before, after = 0, 0
    for seed in range(4):
        drawn = generate(300, seed)
        free = divide(drawn.village, drawn.households[["weight", "geometry"]])
        wished_m = 0.85 * free.scorecard.farthest_m
        near = divide(drawn.village, drawn.households[["weight", "geometry"]], max_way_m=wished_m)
        assert near.scorecard.in_range_pct == 100
        for plan, is_near in ((free, False), (near, True)):
            made = plan.division
            far = (distance_to_centre(made.points.xy, made.points.weight, made.grid) > wished_m).sum()
            before, after = before + far * (not is_near), after + far * is_near
    assert after < before


def test_grid_borders_follow_a_line_where_borders_are_cheap():
    graph = graph_of(plots(20, 8), np.round(lattice(20, 8), 3))
    column = np.floor(graph.xy[:, 0] / 20).astype(int)
    tail = np.repeat(np.arange(len(column)), np.diff(graph.start))
    on_line = np.sort(np.stack([column[tail], column[graph.neighbour]]), axis=0)
    on_line = (on_line[0] == 10) & (on_line[1] == 11)
    priced = graph.__class__(
        **{name: getattr(graph, name) for name in ("cells", "xy", "weight", "area_m2", "outline_m", "start")},
        **{name: getattr(graph, name) for name in ("neighbour", "border_m", "touch")},
        border_price=np.where(on_line, 0.1, 1.0),
    )
    plain, _ = split(graph, (50, 100, 75), BALANCED, STANDARD, 0)
    along, _ = split(priced, (50, 100, 75), BALANCED, STANDARD, 0)
    assert (along[tail[on_line]] != along[graph.neighbour[on_line]]).all()
    assert (plain[tail[on_line]] == plain[graph.neighbour[on_line]]).any()


def grown(size, new, seed):
    """Return the graph of a drawn village after some houses were built in one spot, and the grids there were."""
    drawn = generate(size)
    outline, xy = drawn.village.geometry.iloc[0], shapely.get_coordinates(drawn.households.geometry.to_numpy())
    before, _ = split(graph_of(outline, xy), (50, 100, 75), BALANCED, QUICK, 0)
    rng = np.random.default_rng(seed)
    houses = np.round(xy[rng.integers(size)] + rng.normal(0.0, 25.0, (40 * new, 2)), 2)
    houses = houses[shapely.contains_xy(outline, houses)][:new]
    return graph_of(outline, np.concatenate([xy, houses])), np.concatenate([before, np.full(new, -1)])


@pytest.mark.parametrize("seed", range(4))
def test_forty_new_households_in_one_spot_move_hardly_anyone_else(seed):
    graph, base = grown(800, 40, seed)
    label, beyond = repair(graph, base, (50, 100), BALANCED)
    assert beyond == 0
    assert min(loads(label)) >= 50
    assert max(loads(label)) <= 100
    assert pieces(graph, label) == base.max() + 1
    count = base.max() + 1
    full = np.bincount(base[base >= 0], minlength=count) + np.bincount(label[base < 0], minlength=count)
    unavoidable = np.maximum(full - 100, 0).sum()
    assert ((label != base) & (base >= 0)).sum() <= unavoidable + 8  # of 800


def test_a_repair_leaves_frozen_cells_and_plans_within_the_limits_alone():
    graph, base = grown(800, 40, 1)
    frozen = base == base[0]
    label, beyond = repair(graph, base, (50, 100), BALANCED, frozen=frozen)
    assert beyond == 0
    assert (label[frozen] == base[0]).all()
    assert ((label == base[0]) & (base >= 0) == frozen).all()
    again, _ = repair(graph, label, (50, 100), BALANCED)
    assert (again == label).all()


def neighbouring_groups(graph, label):
    tail = np.repeat(np.arange(len(label)), np.diff(graph.start))
    return set(zip(label[tail].tolist(), label[graph.neighbour].tolist(), strict=True))


def test_groups_are_numbered_along_a_walk_from_neighbour_to_neighbour():
    plan = divide(village(plots(20, 15)), households(lattice(20, 15)))
    made = plan.division
    graph = build_graph(made.land, made.points.xy, made.points.weight)
    beside = neighbouring_groups(graph, made.group)
    grid_of = dict(zip(made.group.tolist(), made.grid.tolist(), strict=True))
    steps = [(one, one + 1) for one in range(len(grid_of) - 1) if grid_of[one] == grid_of[one + 1]]
    assert len(steps) > 20
    assert [step for step in steps if step not in beside] == []


def test_one_more_household_changes_no_group_but_its_own():
    xy = np.round(lattice(10, 8), 3)
    graph = graph_of(plots(10, 8), xy)
    base = groups.divide_grid(graph, Limits(), 0)
    roomy = int(np.argmin(np.bincount(base)))
    house = xy[base == roomy].mean(axis=0) + np.array([3.1, 2.3])
    after = graph_of(plots(10, 8), np.concatenate([xy, [house]]))
    label, beyond = groups.keep(after, np.append(base, -1), Limits(), 0)
    assert beyond == 0
    assert (label[:-1] == base).all()
    assert label[-1] == roomy


def test_a_household_too_many_in_a_group_moves_as_few_as_possible():
    xy = np.round(lattice(12, 3), 3)
    base = np.minimum((xy[:, 0] // 20).astype(int) // 5, 2)
    base = np.where(xy[:, 0] > 140, 2, base)
    assert loads(base) == [15, 6, 15]
    base = np.where((xy[:, 0] > 140) & (xy[:, 0] < 200), 1, base)
    assert loads(base) == [15, 15, 6]
    after = graph_of(plots(12, 3), np.concatenate([xy, [(31.0, 29.0)]]))
    label, beyond = groups.keep(after, np.append(base, -1), Limits(), 0)
    assert beyond == 0
    assert (label[:-1] != base).sum() == 3  # two to the group of six, one to the group between
    assert pieces(after, label) == 3


def test_grids_and_groups_are_those_that_another_machine_found():
    # Changes of the search change them: `python tests/stored_labels.py > tests/data/labels.json`, and say why.
    assert labels() == json.loads(FILE.read_text())


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_grids_and_groups_are_the_same_on_a_processor_without_any_extras(tmp_path):
    plain = {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name]),
        "OPENBLAS_CORETYPE": "Prescott",
    }
    command = [sys.executable, str(FILE.parent.parent / "stored_labels.py")]
    done = subprocess.run(command, env={**os.environ, **plain}, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == json.loads(FILE.read_text())
