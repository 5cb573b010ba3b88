"""Inputs that several tests draw: files of shapes, ledgers, and what an import answers."""

import json

import geopandas as gpd
import pytest
from shapely import box
from sqlalchemy import text

from geodata.files import read_features
from mapgrid.errors import InputRefusedError

VILLAGE = "350524102201"
LAND = box(117.0, 25.0, 117.1, 25.1)
HEADER = "户号,户主姓名,户主联系方式,经度,纬度\n"


def faults_of(spec, **options):
    """Return the faults for which a file is refused."""
    with pytest.raises(InputRefusedError) as refused:
        read_features(str(spec), **options)
    return refused.value.faults


def write(target, *shapes, **columns):
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326).to_file(target)
    return target


def write_ledger(folder, *rows, header=HEADER, encoding="utf-8"):
    target = folder / "户.csv"
    target.write_bytes((header + "\n".join(rows) + "\n").encode(encoding))
    return target


def count(session, table):
    session.rollback()
    counted = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - a name of ours
    session.rollback()  # a command that puts policies in place waits for who reads
    return counted


def report_of(mapgrid, folder, *arguments, ends_with):
    mapgrid(*arguments, "--report", folder / "r.json", ends_with=ends_with)
    return json.loads((folder / "r.json").read_text(encoding="utf-8"))


def geojson(*geometries):
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": g} for n, g in enumerate(geometries)]
    return json.dumps({"type": "FeatureCollection", "features": features})
