"""The exact model beside every division there is, tried one by one."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful, barriers, households, lattice, plots, village
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapgrid.partition import divide
from mapgrid.partition.cells.land import Touch, cut_land
from mapgrid.partition.points import distinct_points
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.whole_units.atoms import build_atoms
from mapgrid.partition.whole_units.columns import connected_unions, measure_unions
from mapgrid.partition.whole_units.exact import OFF_COUNT, Columns, choose
from mapgrid.village import Limits

_SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def drawn_units(seed, *, most=8):
    """A square of 12 × 12 plots whose households are in the unit of the nearest of a few centres."""
    rng = np.random.default_rng(seed)
    xy = lattice(12, 12)
    centres = rng.uniform(0, 240, size=(rng.integers(2, most + 1), 2))
    unit = np.hypot(*(xy[:, None] - centres[None]).transpose(2, 0, 1)).argmin(axis=1)
    weight = rng.choice([1, 1, 2], size=len(xy))
    rows = households(xy, weight)
    rows["unit"] = unit
    return village(plots(12, 12)), rows, rng


def atoms_of(land, rows, lines):
    points = distinct_points(rows)
    cells, _ = cut_land(land.geometry.iloc[0], points.xy, lines)
    graph = build_graph(cells, points.xy, points.weight)
    unit = np.zeros(len(points), dtype=np.int64)
    unit[points.of_row] = rows["unit"]
    return build_atoms(graph, graph.components(unit, (Touch.OPEN,)), unit), graph, cells


def is_connected(union, net):
    reached, todo = {union[0]}, [union[0]]
    while todo:
        atom = todo.pop()
        for edge in range(net.start[atom], net.start[atom + 1]):
            other = int(net.neighbour[edge])
            if net.is_way[edge] and other in union and other not in reached:
                reached.add(other)
                todo.append(other)
    return reached == set(union)


def all_unions(atoms, low, high):
    """Every connected set of atoms within limits, by trying all sets."""
    weight = atoms.cells.weight
    return {
        union
        for size in range(1, len(atoms) + 1)
        for union in combinations(range(len(atoms)), size)
        if low <= weight[list(union)].sum() <= high and is_connected(union, atoms.net)
    }


def cheapest(cost, atoms, wished):
    """The least cost of unions that cover every atom once, by trying all; None when none do."""
    best = [None]

    def extend(left, total, grids):
        if not left:
            total += OFF_COUNT * abs(grids - wished)
            best[0] = total if best[0] is None else min(best[0], total)
            return
        for union, price in cost.items():
            if union[0] == min(left) and left.issuperset(union):
                extend(left - set(union), total + price, grids + 1)

    extend(frozenset(range(atoms)), 0.0, 0)
    return best[0]


def as_sets(members, offsets):
    return [tuple(sorted(members[start:end].tolist())) for start, end in pairwise(offsets)]


@given(st.integers(0, 2**31), st.integers(20, 60))
@_SLOW
def test_every_connected_union_within_the_limits_is_met_exactly_once(seed, least):
    land, rows, rng = drawn_units(seed)
    ends = rng.uniform(-50, 290, size=(2, 2))
    atoms, _, _ = atoms_of(land, rows, barriers(ends.tolist()).geometry.to_numpy())
    members, offsets, is_all = connected_unions(atoms.net, atoms.cells.weight, (least, 2 * least), 10**6)
    met = as_sets(members, offsets)
    assert is_all
    assert len(met) == len(set(met))
    assert set(met) == all_unions(atoms, least, 2 * least)


@given(st.integers(0, 2**31), st.integers(20, 60), st.integers(2, 6))
@_SLOW
def test_the_choice_costs_as_little_as_the_best_of_all_divisions_tried_or_there_is_none(seed, least, wished):
    land, rows, rng = drawn_units(seed)
    atoms, _, _ = atoms_of(land, rows, np.empty(0, dtype=object))
    members, offsets, _ = connected_unions(atoms.net, atoms.cells.weight, (least, 2 * least), 10**6)
    cost = rng.uniform(0.5, 2.0, size=len(offsets) - 1)
    found = choose(Columns(members, offsets, cost, np.ones(len(cost), dtype=np.int64)), len(atoms), wished)
    best = cheapest(dict(zip(as_sets(members, offsets), cost, strict=True)), len(atoms), wished)
    if best is None:
        assert found is None
    else:
        assert found.proved
        assert abs(found.cost - best) < 1e-4


@given(st.integers(0, 2**31))
@_SLOW
def test_figures_of_unions_are_those_of_their_polygons_and_households(seed):
    land, rows, _ = drawn_units(seed)
    atoms, graph, cells = atoms_of(land, rows, np.empty(0, dtype=object))
    members, offsets, _ = connected_unions(atoms.net, atoms.cells.weight, (30, 120), 10**6)
    load, way, compact, walled, _ = measure_unions(members, offsets, atoms.net, atoms.cells, 60.0)
    faces = cells.faces.polygons()
    for number, union in enumerate(as_sets(members, offsets)[:10]):
        inside = np.isin(atoms.of_cell, union)
        shape = shapely.union_all(faces[inside[cells.cell_of_face]])
        mean = np.average(graph.xy[inside], axis=0, weights=graph.weight[inside])
        assert load[number] == graph.weight[inside].sum()
        assert walled[number] == 0
        assert abs(compact[number] - 4 * np.pi * shape.area / shape.length**2) < 1e-6
        assert abs(way[number] - (graph.weight[inside] * np.hypot(*(graph.xy[inside] - mean).T)).sum()) < 1e-6


@pytest.mark.parametrize(("atoms", "longest", "more_than"), [(60, 30, 1000), (260, 100, 20_000)])
def test_many_columns_are_chosen_from_as_well_as_few(atoms, longest, more_than):
    """More columns than the model takes at once: the relaxation, the first answer and the fixing must agree with it."""
    rng = np.random.default_rng(5)
    runs = [(start, size) for start in range(atoms) for size in range(1, longest + 1) if start + size <= atoms]
    members = np.concatenate([np.arange(start, start + size) for start, size in runs])
    offsets = np.concatenate([[0], np.cumsum([size for _, size in runs])])
    cost = rng.uniform(1.0, 3.0, size=len(runs))
    found = choose(Columns(members, offsets, cost, np.ones(len(runs), dtype=np.int64)), atoms, 10)
    # Runs of a row of atoms: the best to each end and number of runs follows from the best before it.
    best = np.full((atoms + 1, atoms + 1), np.inf)
    best[0, 0] = 0.0
    for (start, size), price in zip(runs, cost, strict=True):
        best[start + size, 1:] = np.minimum(best[start + size, 1:], best[start, :-1] + price)
    total = (best[atoms] + OFF_COUNT * np.abs(np.arange(atoms + 1) - 10)).min()
    assert len(runs) > more_than
    assert found.proved
    assert abs(found.cost - total) < 1e-4


@given(st.integers(0, 2**31))
@_SLOW
def test_a_unit_is_broken_only_where_no_division_of_whole_units_exists(seed):
    land, rows, _ = drawn_units(seed)
    limits = Limits(min=40, max=90, target=65)
    plan = divide(land, rows, limits=limits, effort="quick")
    atoms, _, _ = atoms_of(land, rows, np.empty(0, dtype=object))
    unions = dict.fromkeys(sorted(all_unions(atoms, limits.min, limits.max)), 1.0)
    is_possible = len(atoms) == rows["unit"].nunique() and cheapest(unions, len(atoms), 3) is not None
    over = rows.groupby("unit")["weight"].sum() > limits.max
    assert_lawful(plan, land, limits)
    assert plan.scorecard.units_split >= over.sum()
    if is_possible:
        assert plan.scorecard.units_split == 0
        assert plan.units_proved
    assert len([reason for reason in plan.reasons if reason.detail.startswith("unit ")]) == plan.scorecard.units_split


@given(st.integers(0, 2**31))
@_SLOW
def test_the_order_of_rows_changes_nothing_in_a_division_by_units(seed):
    land, rows, _ = drawn_units(seed)
    shuffled = rows.sample(frac=1.0, random_state=seed % 1000)
    one = divide(land, rows, effort="quick")
    two = divide(land, shuffled, effort="quick")
    assert two.households.sort_index()["group"].tolist() == one.households["group"].tolist()
