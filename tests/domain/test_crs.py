import geopandas as gpd
import numpy as np
import pytest
from shapely import Point

from mapgrid import crs
from mapgrid.errors import NotMetricError


def test_gcj02_of_the_published_vector():
    lon, lat = crs.wgs84_to_gcj02(np.array([120.0]), np.array([40.0]))
    assert lon[0] == pytest.approx(120.00567568355486, abs=1e-12)
    assert lat[0] == pytest.approx(40.0013047896019, abs=1e-12)


@pytest.mark.parametrize("inverse", [crs.gcj02_to_wgs84, crs.bd09_to_wgs84])
def test_the_inverse_datum_shift_is_exact_to_a_micrometre(inverse):
    lon, lat = np.array([117.2, 100.0, 120.0]), np.array([25.1, 30.0, 40.0])
    shifted = crs.wgs84_to_gcj02(lon, lat)
    if inverse is crs.bd09_to_wgs84:
        shifted = crs._gcj02_to_bd09(*shifted)
    back = inverse(*shifted)
    assert np.abs(back[0] - lon).max() < 1e-11  # degrees; 1e-11 is about a micrometre
    assert np.abs(back[1] - lat).max() < 1e-11


def test_a_village_in_degrees_is_refused_with_its_epsg_in_the_message():
    with pytest.raises(NotMetricError, match="EPSG:4326"):
        crs.check_metric(gpd.GeoSeries([Point(9.5, 47.2)], crs=4326))


def test_a_projected_crs_in_feet_is_refused():
    with pytest.raises(NotMetricError, match="foot"):
        crs.check_metric(gpd.GeoSeries([Point(0, 0)], crs=2263))


def test_the_metric_crs_of_a_village_measures_metres():
    system = crs.metric_crs_for((9.52, 47.22, 9.55, 47.26))
    points = gpd.GeoSeries([Point(9.53, 47.24), Point(9.53, 47.25)], crs=4326).to_crs(system)
    assert points.iloc[0].distance(points.iloc[1]) == pytest.approx(1111.9, abs=1.0)  # GRS80 meridian arc at 47°
