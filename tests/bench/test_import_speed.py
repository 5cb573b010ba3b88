"""How long a large import takes, from the file to the committed rows."""

import time

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata import villages
from geodata.database import session_maker
from geodata.households import load_households
from web.actions.import_households import import_households
from web.actions.import_reports import ImportOptions

VILLAGE = "350524102201"


@pytest.mark.parametrize(
    ("rows", "most_seconds"), [(10_000, 5.0), pytest.param(100_000, 15.0, marks=pytest.mark.bench)]
)
def test_households_with_their_heads_are_imported_in_time(engine, tmp_path, rows, most_seconds):
    rng = np.random.default_rng(0)
    columns = {
        "户号": [f"{serial:06d}" for serial in range(1, rows + 1)],
        "户主姓名": [f"甲{serial}" for serial in range(rows)],
        "户数": rng.integers(1, 4, rows),
        "三色等级": rng.choice(["红", "黄", "绿"], rows),
        "住址": [f"举溪村{serial}号" for serial in range(rows)],
    }
    points = shapely.points(rng.uniform(117.0, 117.1, rows), rng.uniform(25.0, 25.1, rows))
    gpd.GeoDataFrame(columns, geometry=points, crs=4326).to_file(tmp_path / "h.gpkg")
    with session_maker(engine).begin() as session:
        villages.save_area(session, VILLAGE, name="举溪村")
        villages.save_boundary(session, VILLAGE, shapely.box(117.0, 25.0, 117.1, 25.1))
    began = time.monotonic()
    with session_maker(engine).begin() as session:
        report = import_households(session, str(tmp_path / "h.gpkg"), VILLAGE, ImportOptions())
    imported = time.monotonic() - began
    began = time.monotonic()
    with session_maker(engine)() as session:
        assert len(load_households(session, VILLAGE)) == rows
    print(f"\n{rows} households: imported in {imported:.2f} s, loaded in {time.monotonic() - began:.2f} s")  # noqa: T201
    assert (report.verdict, report.counts["added"]) == ("accepted", rows)
    assert imported < most_seconds
