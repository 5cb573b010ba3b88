"""Areas, units, terrain and households, kept in a real PostGIS and read back as they were."""

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, MultiPolygon, Point, box
from sqlalchemy import text

from geodata import households, villages
from mapgrid.errors import CodeError, NotFoundError

VILLAGE = "350524102201"
LAND = box(117.0, 25.0, 117.1, 25.1)


@pytest.fixture
def village(session):
    villages.save_area(session, VILLAGE, name="举溪村", name_en="Juxi")
    villages.save_boundary(session, VILLAGE, LAND)
    return VILLAGE


def homes(*places, **columns):
    codes = [f"{VILLAGE}{serial:06d}" for serial in range(1, len(places) + 1)]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=[Point(*place) for place in places], crs=4326)


def test_a_village_brings_its_town_and_district_named_by_their_codes(session, village):
    areas = villages.load_areas(session)
    assert areas["code"].tolist() == ["350524", "350524102", VILLAGE]
    assert areas["name"].tolist() == ["350524", "350524102", "举溪村"]
    assert areas["parent_code"].tolist() == [None, "350524", "350524102"]
    assert areas.geometry.isna().tolist() == [True, True, False]


def test_naming_a_town_later_keeps_what_was_there(session, village):
    villages.save_area(session, "350524102", name="龙涓乡")
    villages.save_area(session, VILLAGE)
    assert villages.load_areas(session)["name"].tolist() == ["350524", "龙涓乡", "举溪村"]


def test_a_boundary_comes_back_as_it_was_and_the_same_one_changes_nothing(session, village):
    frame = villages.load_village(session, VILLAGE)
    assert frame.geometry.iloc[0].equals(LAND)
    assert frame.crs.to_epsg() == 4326
    assert not villages.save_boundary(session, VILLAGE, MultiPolygon([LAND]))
    assert villages.save_boundary(session, VILLAGE, box(117.0, 25.0, 117.2, 25.1))


def test_an_unknown_village_says_how_to_import_it(session):
    for ask in (villages.load_village, villages.lock_village):
        with pytest.raises(NotFoundError, match="mapgrid import village FILE --code 350524102201"):
            ask(session, VILLAGE)
    with pytest.raises(CodeError):
        villages.load_village(session, "12")


def test_units_keep_an_outline_that_a_later_import_does_not_have(session, village):
    units = gpd.GeoDataFrame(
        {"code": [VILLAGE + "01"], "name": ["一组"]}, geometry=[box(117, 25, 117.05, 25.1)], crs=4326
    )
    villages.save_units(session, VILLAGE, units)
    villages.save_units(session, VILLAGE, units.assign(name="第一组").set_geometry([None], crs=4326))
    kept = villages.load_units(session, VILLAGE)
    assert kept["name"].tolist() == ["第一组"]
    assert kept.geometry.iloc[0].area == pytest.approx(0.005)


def test_terrain_is_replaced_by_kind_and_the_same_terrain_stays_the_same_rows(session, village):
    def ids():
        return session.execute(text("SELECT id, kind FROM terrain ORDER BY id")).all()

    lines = [LineString([(117, 25), (117.1, 25.1)]), LineString([(117, 25.1), (117.1, 25)])]
    terrain = gpd.GeoDataFrame(
        {"kind": ["road", "waterway"], "name": [None, "溪"], "is_barrier": [False, True]}, geometry=lines, crs=4326
    )
    villages.save_terrain(session, VILLAGE, terrain)
    before = ids()
    villages.save_terrain(session, VILLAGE, terrain)
    assert ids() == before
    villages.save_terrain(session, VILLAGE, terrain.iloc[1:].assign(name="河"))
    assert [kind for _, kind in ids()] == ["road", "waterway"]
    kept = villages.load_terrain(session, VILLAGE, ["waterway"])
    assert (kept["name"].tolist(), kept["is_barrier"].tolist()) == (["河"], [True])


def test_households_come_back_as_they_were_saved(session, village):
    since = dt.date(2026, 3, 5)
    rows = homes(
        (117.01, 25.01), (117.02, 25.02), weight=[1, 4], tier=["red", "green"],
        reasons=[["ill_alone_80"], []], tier_since=[since, None], address=["1号", None],
    )  # fmt: skip
    assert households.save_households(session, VILLAGE, rows) == households.Saved(2, 0, 0)
    kept = households.load_households(session, VILLAGE)
    assert kept["weight"].tolist() == [1, 4]
    assert kept["tier"].tolist() == ["red", "green"]
    assert kept["reasons"].tolist() == [["ill_alone_80"], []]
    assert kept["tier_since"].tolist() == [since, None]
    assert kept.geometry.geom_equals(rows.geometry).all()


def test_saving_the_same_households_again_changes_no_row(session, village):
    rows = homes((117.01, 25.01), (117.02, 25.02), weight=[1, 4])
    households.save_households(session, VILLAGE, rows)
    session.commit()
    before = session.execute(text("SELECT xmin, updated_at FROM household ORDER BY code")).all()
    assert households.save_households(session, VILLAGE, rows) == households.Saved(0, 0, 2)
    session.commit()
    assert session.execute(text("SELECT xmin, updated_at FROM household ORDER BY code")).all() == before


def test_a_column_that_is_not_saved_keeps_its_value(session, village):
    households.save_households(session, VILLAGE, homes((117.01, 25.01), tier=["red"], weight=[3]))
    saved = households.save_households(session, VILLAGE, homes((117.03, 25.03)))
    assert saved == households.Saved(0, 1, 0)
    kept = households.load_households(session, VILLAGE)
    assert (kept["tier"].tolist(), kept["weight"].tolist()) == (["red"], [3])
    assert kept.geometry.iloc[0].x == 117.03


def test_a_village_without_households_has_an_empty_frame_with_its_columns(session, village):
    kept = households.load_households(session, VILLAGE)
    assert kept.empty
    assert "tier" in kept
    assert kept.crs.to_epsg() == 4326


def test_heads_and_members_are_replaced_without_touching_who_is_the_same(session, village):
    def people():
        return session.execute(text("SELECT id, full_name, phone, is_head FROM person ORDER BY id")).all()

    households.save_households(session, VILLAGE, homes((117.01, 25.01)))
    code = f"{VILLAGE}000001"
    households.save_heads(
        session, pd.DataFrame({"household_code": [code], "full_name": ["甲"], "phone": ["13800001234"]})
    )
    member = {"relation": "子", "gender": None, "born_on": dt.date(2001, 2, 3), "phone": None, "id_number": None}
    members = pd.DataFrame([{"household_code": code, "full_name": name} | member for name in ("乙", "丙")])
    households.save_members(session, members)
    before = people()
    households.save_members(session, members)
    households.save_heads(session, pd.DataFrame({"household_code": [code], "full_name": ["甲"]}))
    assert people() == before
    households.save_members(session, members.iloc[:1])
    assert [row.full_name for row in people()] == ["甲", "乙"]
    assert people()[0].phone == "13800001234"
    assert households.load_head_names(session, VILLAGE) == {code: "甲"}
