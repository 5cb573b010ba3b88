"""Which segments come near to some lines, beside the geometry library asked about every pair."""

import gc

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapgrid.partition.cells.buckets import come_near
from mapgrid.partition.collector import without_collector


def drawn(rng, count, step):
    start = np.round(rng.uniform(0, 1000, size=(count, 1, 2)) / step) * step
    return np.concatenate([start, start + np.round(rng.normal(size=(count, 1, 2)) * 60 / step) * step], axis=1)


@given(st.integers(0, 2**31), st.integers(1, 60), st.sampled_from([1e-6, 0.01, 7.3]), st.sampled_from([0.001, 10.0]))
@settings(deadline=None, derandomize=True)
def test_segments_that_come_near_are_those_at_a_distance_of_at_most_so_much(seed, count, within_m, step):
    rng = np.random.default_rng(seed)
    segments, lines = drawn(rng, 80, step), drawn(rng, count, step)
    away = shapely.distance(shapely.linestrings(segments)[:, None], shapely.linestrings(lines)[None]).min(axis=1)
    assert come_near(segments, lines, within_m=within_m).tolist() == (away <= within_m).tolist()
    away = shapely.distance(shapely.points(segments[:, 0])[:, None], shapely.linestrings(lines)[None]).min(axis=1)
    assert come_near(segments[:, 0], lines, within_m=within_m).tolist() == (away <= within_m).tolist()


def test_nothing_comes_near_to_no_lines():
    assert not come_near(np.zeros((3, 2, 2)), np.empty((0, 2, 2)), within_m=1.0).any()
    assert come_near(np.empty((0, 2)), np.zeros((1, 2, 2)), within_m=1.0).tolist() == []


def test_the_collector_is_left_out_while_a_function_runs_and_at_work_again_after_a_fault():
    @without_collector
    def fail(seen):
        seen.append(gc.isenabled())
        msg = "no land"
        raise ValueError(msg)

    seen = []
    with pytest.raises(ValueError, match="no land"):
        fail(seen)
    assert seen == [False]
    assert gc.isenabled()
