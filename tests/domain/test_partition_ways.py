"""Ways along roads."""

import numpy as np
import pytest
import shapely
from drawn_land import assert_lawful, barriers, households, lattice, plots, village
from generated_land import generate
from shapely import LineString

from mapgrid.partition import divide
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.partition.search.solve import split
from mapgrid.partition.search.ways import join_to_roads, road_lines, split_by_road, ways_by_road

BOUNDS, QUICK, SHORTEST = (50, 100, 75), choose_effort("quick"), choose_wishes("shortest")


def lines(*coordinates):
    return road_lines(np.array([LineString(line) for line in coordinates], dtype=object))


def test_a_way_goes_straight_to_the_road_along_it_and_straight_to_the_centre():
    # A road shaped like an L; houses 10 m off it at both ends and at the corner, which is nearest to the mean.
    net = join_to_roads(
        lines([(0, 0), (100, 0)], [(100, 0), (100, 100)]), xy := np.array([(0, 10), (110, 0), (90, 100.0)])
    )
    ways = ways_by_road(net, xy, np.ones(3, dtype=np.int64), np.zeros(3, dtype=np.int64))
    assert ways == pytest.approx([10 + 100 + 10, 0, 10 + 100 + 10])


def test_one_may_turn_where_roads_cross_and_goes_straight_where_none_leads():
    xy = np.array([(0.0, 0.0), (50.0, 1.0), (50.0, 50.0), (500.0, 500.0)])
    net = join_to_roads(lines([(0, 0), (100, 0)], [(50, -50), (50, 50)], [(490, 500), (510, 500)]), xy)
    ways = ways_by_road(net, xy, np.array([1, 99, 1, 1]), np.zeros(4, dtype=np.int64))
    assert ways[0] == pytest.approx(51)
    assert ways[2] == pytest.approx(49)
    assert ways[3] == pytest.approx(np.hypot(450, 499))


def test_a_division_by_road_has_no_longer_ways_by_road_than_one_by_straight_ways():
    drawn = generate(800)
    xy = shapely.get_coordinates(drawn.households.geometry.to_numpy())
    land, _ = cut_land(drawn.village.geometry.iloc[0], xy, np.empty(0, dtype=object))
    graph = build_graph(land, xy, np.ones(len(xy), dtype=np.int64))
    net = join_to_roads(road_lines(drawn.roads.geometry.to_numpy()), xy)
    straight, _ = split(graph, BOUNDS, SHORTEST, QUICK, 0)
    by_road, beyond = split_by_road(graph, net, BOUNDS, SHORTEST, QUICK, 0)
    assert beyond == 0
    assert ways_by_road(net, xy, graph.weight, by_road).mean() <= ways_by_road(net, xy, graph.weight, straight).mean()


def test_the_way_by_road_is_never_shorter_than_the_straight_one():
    xy = lattice(6, 6)
    label = (xy[:, 0] > 60).astype(np.int64)
    assert plots(6, 6).bounds == (0, 0, 120, 120)
    net = join_to_roads(lines([(0, 60), (120, 60)], [(60, 0), (60, 120)]), xy)
    ways = ways_by_road(net, xy, np.ones(36, dtype=np.int64), label)
    home = [np.flatnonzero((label == grid) & (ways == 0))[0] for grid in (0, 1)]
    assert (ways >= np.sqrt(((xy - xy[np.array(home)[label]]) ** 2).sum(axis=1)) - 1e-6).all()


def test_a_plan_made_with_roads_measures_its_ways_along_them_and_counts_who_is_too_far():
    # Two streets of houses 40 m apart that meet only at their western end: from one to the other is a long way round.
    land = village(plots(40, 4))
    rows = households(np.concatenate([lattice(40, 1), lattice(40, 1, south=60)]), 2)
    streets = barriers([(0, 20), (800, 20)], [(0, 60), (800, 60)], [(0, 20), (0, 60)])
    plan = divide(land, rows, roads=streets, max_way_m=300, preset="shortest")
    assert_lawful(plan, land)
    card, straight = plan.scorecard, divide(land, rows, preset="shortest").scorecard
    assert straight.way_by_road_m is None
    assert card.way_by_road_m > card.distance_m
    far = plan.too_far()
    assert sum(each["households"] for each in far) == rows["weight"].to_numpy()[plan.division.way_m > 300].sum()


def test_roads_that_are_no_lines_are_as_none():
    land, rows = village(plots(10, 10)), households(lattice(10, 10))
    points = barriers(shapely.Point(0, 0))
    assert divide(land, rows, roads=points).scorecard.way_by_road_m is None
