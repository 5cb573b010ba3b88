"""Grids drawn elsewhere, settled to a coverage: what is narrow is closed and named, what is wide is named."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box

from mapgrid.coverage import check_coverage, measure
from mapgrid.drawn_grids import Misfit, settle_grids
from mapgrid.partition.rebalancing.drawn import plan_of_drawn

VILLAGE = box(0, 0, 200, 100)
CRS = "EPSG:32648"


def settle(*polygons):
    return settle_grids(np.array(polygons, dtype=object), VILLAGE)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def homes_in(village, step=10.0):
    west, south, east, north = village.bounds
    x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    points = shapely.points(x.ravel(), y.ravel())
    points = points[shapely.contains(village, points)]
    return frame(points, weight=[1] * len(points))


def test_grids_that_cover_their_village_stay_as_they_are():
    west, east = box(0, 0, 100, 100), box(100, 0, 200, 100)
    settled = settle(west, east)
    assert settled.findings == []
    assert settled.rounding_places == 0
    assert [one.equals(other) for one, other in zip(settled.polygons, (west, east), strict=True)] == [True, True]


def test_an_overlap_is_named_with_both_grids_and_its_area():
    (finding,) = settle(box(0, 0, 110, 100), box(100, 0, 200, 100)).findings
    assert (finding.kind, finding.grids, finding.is_narrow) == (Misfit.OVERLAP, (0, 1), False)
    assert finding.area_m2 == pytest.approx(1000)
    assert VILLAGE.contains(shapely.Point(finding.at))


def test_a_gap_is_named_with_the_grid_it_has_the_longest_border_with():
    (finding,) = settle(box(0, 0, 90, 100), MultiPolygon([box(100, 0, 200, 100), box(90, 50, 100, 100)])).findings
    assert (finding.kind, finding.grids, finding.area_m2) == (Misfit.GAP, (1,), pytest.approx(500))
    assert not finding.is_narrow


def test_land_outside_the_village_is_named_with_its_grid():
    (finding,) = settle(box(0, 0, 100, 120), box(100, 0, 200, 100)).findings
    assert (finding.kind, finding.grids, finding.area_m2) == (Misfit.OUTSIDE, (0,), pytest.approx(2000))


def test_slivers_are_closed_named_and_leave_a_coverage():
    settled = settle(box(0, 0, 100.5, 100.8), box(100, 0, 150, 100), box(150.9, 0, 200, 100))
    assert [(one.kind, one.grids, one.is_narrow) for one in settled.findings] == [
        (Misfit.OVERLAP, (0, 1), True),
        (Misfit.GAP, (1,), True),
        (Misfit.OUTSIDE, (0,), True),
    ]
    assert [round(one.area_m2, 3) for one in settled.findings] == [50.0, 90.0, 80.4]
    assert [polygon.area for polygon in settled.polygons] == pytest.approx([10050, 5040, 4910])
    cover = measure(settled.polygons, VILLAGE)
    assert cover.is_matched
    assert (cover.gap_m2, cover.overlap_m2, cover.outside_m2) == (0, 0, 0)


def test_a_strip_of_more_than_a_metre_somewhere_is_wide():
    wedge = Polygon([(0, 0), (100, 0), (102, 100), (0, 100)])
    (finding,) = settle(wedge, box(100, 0, 200, 100)).findings
    assert not finding.is_narrow


def test_what_rounding_leaves_is_counted_and_not_named():
    settled = settle(box(0, 0, 100.004, 100), box(100, 0, 200, 100))
    assert settled.findings == []
    assert (settled.rounding_places, settled.rounding_m2) == (1, pytest.approx(0.4))


def test_a_vertex_that_one_neighbour_has_and_the_other_has_not_is_no_fault():
    settled = settle(Polygon([(0, 0), (100, 0), (100, 50), (100, 100), (0, 100)]), box(100, 0, 200, 100))
    assert settled.findings == []
    assert measure(settled.polygons, VILLAGE).is_matched


def test_a_grid_of_which_nothing_is_left_is_none():
    settled = settle(VILLAGE, box(50, 50, 60, 60))
    assert settled.polygons[1] is None
    assert settled.findings[0].kind is Misfit.OVERLAP


def test_a_plan_of_drawn_grids_has_their_land_all_households_and_groups():
    grids = frame([box(0, 0, 80, 100), box(80, 0, 200, 100)], grid=["004", "002"])
    village, homes = frame([VILLAGE]), homes_in(VILLAGE)
    plan = plan_of_drawn(grids, village, homes, used=["007"])
    assert plan.grids["grid"].tolist() == ["002", "004"]
    assert plan.grids["weight"].tolist() == [120, 80]
    assert plan.grids["reason"].tolist() == ["BY_HAND", None]
    assert plan.reasons[0].detail == "120 households in the grid as drawn; the limits are 50–100"
    assert plan.locked == frozenset()
    assert plan.ended == {"007"}
    check_coverage(plan.grids, village)
    assert plan.households["grid"].notna().all()
    sizes = plan.households.groupby("group").size()
    assert sizes.between(8, 15).all()
    for name, shape in zip(grids["grid"], grids.geometry, strict=True):
        assert plan.grids.geometry[plan.grids["grid"] == name].iloc[0].equals(shape)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(10, 190), st.floats(10, 190)), min_size=1, max_size=4),
    st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4),
)
def test_any_cut_of_a_village_drawn_with_a_trembling_hand_becomes_a_coverage(cuts, tremble):
    lines = [LineString([(low, -1), (high, 101)]) for low, high in cuts]
    pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all([VILLAGE.boundary, *lines]))))
    shaken = [
        shapely.affinity.translate(piece, tremble[at % 4], tremble[(at + 1) % 4]) for at, piece in enumerate(pieces)
    ]
    settled = settle(*shaken)
    whole = [polygon for polygon in settled.polygons if polygon is not None]
    cover = measure(np.array(whole, dtype=object), VILLAGE)
    assert cover.is_matched
    assert cover.gap_m2 + cover.overlap_m2 + cover.outside_m2 < 1e-6 * VILLAGE.area
    assert all(finding.is_narrow for finding in settled.findings)
