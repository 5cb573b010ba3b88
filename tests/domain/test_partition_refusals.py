"""Input that no village can be divided from, and what is said about it."""

import numpy as np
import pytest
from drawn_land import households, lattice, plots, village
from shapely import LineString, Point, Polygon, box

from mapgrid.errors import InputRefusedError, LimitsError, NotMetricError
from mapgrid.partition import divide


def test_an_unknown_preset_is_refused_naming_the_known_ones():
    with pytest.raises(LimitsError, match="balanced, shortest, compact, workload"):
        divide(village(plots(10, 10)), households(lattice(10, 10)), preset="nice")


def test_a_village_in_degrees_is_refused():
    with pytest.raises(NotMetricError, match="EPSG:4326"):
        divide(village(plots(10, 10)).set_crs(4326, allow_override=True), households(lattice(10, 10)))


def test_households_outside_are_named_each_with_row_and_distance():
    with pytest.raises(InputRefusedError) as refused:
        divide(village(plots(10, 10)), households([*lattice(10, 10), (100, 250), (100, 12_200)]))
    assert [fault.row for fault in refused.value.faults] == [101, 102]
    assert "50.0 m outside" in refused.value.faults[0].found
    assert "12.0 km outside" in refused.value.faults[1].found


def test_houses_in_a_hole_of_the_boundary_are_refused_saying_so():
    land = village(plots(10, 10).difference(box(80, 80, 120, 120)))
    with pytest.raises(InputRefusedError, match="in a hole of the boundary"):
        divide(land, households(lattice(10, 10)))


@pytest.mark.parametrize("weight", [0, -1, 1.5, "many", None])
def test_a_weight_that_is_no_positive_whole_number_is_refused_with_its_row(weight):
    rows = households(lattice(10, 10)).astype({"weight": object})
    rows.loc[3, "weight"] = weight
    with pytest.raises(InputRefusedError) as refused:
        divide(village(plots(10, 10)), rows)
    assert [(fault.row, fault.column) for fault in refused.value.faults] == [(4, "weight")]


def test_no_households_are_refused():
    with pytest.raises(InputRefusedError, match="at least one household"):
        divide(village(plots(10, 10)), households([]))


def test_infinite_and_missing_coordinates_are_refused_with_their_rows():
    points = lattice(10, 10)
    points[2] = np.inf, 5.0
    rows = households(points)
    rows.loc[5, "geometry"] = Point(np.nan, 3.0)
    with pytest.raises(InputRefusedError) as refused:
        divide(village(plots(10, 10)), rows)
    assert [fault.row for fault in refused.value.faults] == [3, 6]


def test_a_household_that_is_a_line_is_refused():
    rows = households(lattice(10, 10))
    rows.loc[5, "geometry"] = LineString([(0, 0), (1, 1)])
    with pytest.raises(InputRefusedError, match="expected a point, found a LineString"):
        divide(village(plots(10, 10)), rows)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (Polygon([(0, 0), (100, 100), (100, 0), (0, 100)]), r"Self-intersection\[50 50\]"),
        (Polygon(), "an empty geometry"),
        (LineString([(0, 0), (100, 100)]), "a LineString"),
    ],
)
def test_a_boundary_that_is_no_sound_polygon_is_refused(shape, found):
    with pytest.raises(InputRefusedError, match=found):
        divide(village(shape), households([(50, 20)] * 60))


def test_a_self_crossing_star_of_1500_vertices_is_refused_at_once():
    turns = np.arange(1500) * (2 * np.pi * 701 / 1500)
    star = Polygon(np.stack([1000 * np.cos(turns), 1000 * np.sin(turns)], axis=1))
    with pytest.raises(InputRefusedError, match="Self-intersection"):
        divide(village(star), households([(50, 20)] * 60))
