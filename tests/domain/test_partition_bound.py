"""The bound on the way: below every division, and not far below the best one."""

import math
from itertools import product

import numpy as np
import pytest
from drawn_land import households, lattice, plots, village

from mapgrid.partition import divide
from mapgrid.partition.scorecard import distance_to_centre
from mapgrid.partition.search.bound import bound_distance
from mapgrid.partition.search.cuts import choose_cut, masks_of
from mapgrid.partition.search.floors import least_cost, least_over_plane, squares_across


def best_of_all(xy, weight, count, limits):
    """Return the labels and the summed way of the best division, connected or not, by looking at every one."""
    best = (np.inf, None)
    for labels in product(range(count), repeat=len(xy)):
        label = np.array(labels)
        load = np.bincount(label, weights=weight, minlength=count)
        if load.min() >= limits[0] and load.max() <= limits[1]:
            way = float(weight @ distance_to_centre(xy, weight, label))
            best = min(best, (way, labels))
    return np.array(best[1]), best[0]


def distance(xy, label):
    return float(distance_to_centre(xy, np.ones(len(xy)), label).sum())


@pytest.mark.parametrize("seed", range(6))
def test_no_division_of_a_tiny_village_is_shorter_than_the_bound(seed):
    rng = np.random.default_rng(seed)
    xy = np.round(rng.uniform(0, 1000, (9, 2)) if seed % 2 else rng.normal(0, 50, (9, 2)), 2)
    weight = rng.integers(1, 3, 9)
    total = int(weight.sum())
    limits = (total // 2 - 2, -(-total // 2) + 2)
    label, way = best_of_all(xy, weight, 2, limits)
    bound = bound_distance(xy, weight, label, limits)
    assert 0.9 * way <= bound <= way


@pytest.mark.parametrize("limits", [(10.0, 20.0), (40.0, 60.0)])
def test_no_grid_costs_less_than_the_least_over_the_plane_wherever_its_centre(limits):
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 800, (120, 2))
    weight, price = np.ones(120), rng.uniform(0, 200, 120)
    ways = np.sqrt(((xy - rng.uniform(-50, 850, (6000, 1, 2))) ** 2).sum(axis=2))
    met = [least_cost(way - price, weight, 120, limits) for way in ways]
    floor, _ = least_over_plane(
        xy, weight, price, limits, min(met), 5.0, 50.0, np.zeros(math.prod(squares_across(xy, 50.0)))
    )
    assert floor <= min(met)
    assert floor >= min(met) - 0.05 * abs(min(met))  # chance does not find the very least, but comes near


@pytest.mark.timeout(600)  # where the kernels were never compiled
def test_the_gap_to_the_bound_is_told_at_effort_thorough_only_and_small():
    land, rows = village(plots(12, 12)), households(lattice(12, 12))
    assert divide(land, rows).scorecard.bound_gap_pct is None
    assert 0 <= divide(land, rows, effort="thorough").scorecard.bound_gap_pct < 6


def test_divisions_are_parted_where_two_and_a_half_centres_stand_in_one_hamlet():
    centres = np.zeros((10, 8))
    centres[1:3, 5:7] = 2.5 / 4
    centres[7, 2] = 1.5
    fewer, more = choose_cut(centres.ravel(), (10, 8))
    assert (fewer.number, fewer.sign, more.number, more.sign) in {(2, -1, 3, 1), (1, -1, 2, 1)}
    held = (masks_of((fewer,), (10, 8)) @ centres.ravel())[0]
    assert held == pytest.approx(fewer.number + 0.5)


def test_whole_numbers_of_centres_part_nothing():
    centres = np.zeros((6, 6))
    centres[1, 1], centres[4, 4] = 2.0, 1.0
    assert choose_cut(centres.ravel(), (6, 6)) is None


def test_the_bound_of_three_hamlets_of_one_grid_each_is_near_their_way():
    rng = np.random.default_rng(2)
    xy = np.concatenate([rng.normal(at, 30, (75, 2)) for at in ((0, 0), (900, 0), (450, 700))])
    label = np.repeat([0, 1, 2], 75)
    assert bound_distance(xy, np.ones(225, dtype=np.int64), label, (50, 100)) >= 0.99 * distance(xy, label)
