"""What must hold of a stored plan at any time: its rows are what its log makes of its base, a true coverage."""

import numpy as np
import shapely
from sqlalchemy import text

from geodata.plan_edits import load_log, load_plan
from geodata.plan_snapshots import load_snapshot
from geodata.plans import load_assignments, load_cells, load_grids, load_groups
from geodata.villages import load_village
from mapgrid.adjusting.log import STEPS
from mapgrid.adjusting.workspace import replay
from mapgrid.coverage import TOLERANCE, measure


def assert_plan_is_its_log(session, plan_id):
    """Replay the log on the base, by the domain alone, and compare every row of the store with what comes out."""
    log = load_log(session, plan_id)
    assert [entry.version for entry in log] == list(range(load_plan(session, plan_id).version + 1))
    base = load_snapshot(session, plan_id, 0)
    plan = replay(base, [entry.record for entry in log if entry.record["edit"] not in STEPS]).plan
    assert_rows_are(session, plan_id, plan)
    assert_covers(session, plan_id, plan.cells.crs)
    return plan


def assert_rows_are(session, plan_id, plan):
    """Compare the stored rows of a plan with a plan of the domain."""
    code = load_plan(session, plan_id).village_code
    grids, cells = load_grids(session, plan_id), load_cells(session, plan_id)
    assert grids["code"].tolist() == [code + name for name in plan.grids["grid"]]
    assert grids["households"].tolist() == plan.grids["weight"].tolist()
    assert grids["reason"].tolist() == plan.grids["reason"].tolist()
    assert cells["group"].tolist() == [code + name for name in plan.cells["group"]]
    for stored, frame in ((grids, plan.grids), (cells, plan.cells)):
        expected = [shapely.multipolygons(shapely.get_parts(shape)) for shape in frame.to_crs(4326).geometry]
        assert shapely.equals_exact(stored.geometry.to_numpy(), np.array(expected, dtype=object), 0.0).all()
    assignments, groups = load_assignments(session, plan_id), load_groups(session, plan_id)
    households = plan.households.sort_index()
    assert assignments.index.tolist() == households.index.tolist()
    assert assignments["grid"].tolist() == [code + name for name in households["grid"]]
    assert assignments["group"].tolist() == [code + name for name in households["group"]]
    assert sorted(groups["code"]) == sorted({code + name for name in households["group"]})
    assert assignments.loc[groups["head"], "group"].tolist() == groups["code"].tolist()
    assert groups["grid"].tolist() == groups["code"].str[:15].tolist()


def assert_covers(session, plan_id, crs):
    """Check that the stored grids and cells tile the village, and each household is in exactly one grid and group."""
    village_code = load_plan(session, plan_id).village_code
    village = load_village(session, village_code).segmentize(0.0005).to_crs(crs).iloc[0]
    for frame in (load_grids(session, plan_id), load_cells(session, plan_id)):
        shapes = shapely.get_parts(frame.to_crs(crs).geometry.to_numpy())
        found = measure(shapes, village)
        allowed_m2 = TOLERANCE * village.area
        assert found.is_matched
        assert max(found.gap_m2, found.overlap_m2, found.outside_m2) <= allowed_m2, found
    homes, placed, standing = session.execute(
        text(
            "SELECT (SELECT count(*) FROM household WHERE village_code = :code), count(*),"
            " count(*) FILTER (WHERE ST_Covers(g.outline, h.place))"
            " FROM assignment a JOIN household h ON h.code = a.household_code"
            " JOIN grid g ON g.plan_id = a.plan_id AND g.code = a.grid_code WHERE a.plan_id = :plan"
        ),
        {"code": village_code, "plan": plan_id},
    ).one()
    assert homes == placed == standing
