"""The demo's real villages as they come out of their files."""

import pytest

from geodata.samples.index import DISTRICT, TOWNS, VILLAGES, sample_codes
from geodata.samples.land import read_land
from mapgrid.codes import parent_of
from mapgrid.crs import check_metric
from mapgrid.terrain import TerrainKind

HOUSEHOLDS = {
    "Ruggell": 935,
    "Gamprin": 554,
    "Schellenberg": 434,
    "Planken": 222,
    "Coulibistrie": 174,
    "Dos d'Ane": 190,
}
RUGGELL, PLANKEN = VILLAGES[0], VILLAGES[3]


@pytest.mark.parametrize("sample", VILLAGES, ids=lambda sample: sample.name_en)
def test_every_house_of_a_village_stands_on_its_land(sample):
    land = read_land(sample)
    check_metric(land.village, land.households, land.terrain)
    assert len(land.households) == HOUSEHOLDS[sample.name_en]
    assert land.households.index.is_unique
    assert land.households.within(land.village.geometry.iloc[0]).all()
    assert set(land.terrain["kind"]) <= set(TerrainKind)
    assert land.terrain.is_valid.all()
    assert not land.terrain.is_empty.any()


def test_every_code_has_its_parent_in_the_demo():
    codes = list(sample_codes())
    assert codes[0] == DISTRICT.code
    assert all(parent_of(code) in codes for code in codes[1:])
    assert {village.town_code for village in VILLAGES} == {town.code for town in TOWNS}


def test_the_rhine_is_ruggell_s_barrier_and_its_canal_is_not():
    terrain = read_land(RUGGELL).terrain
    assert set(terrain.loc[terrain["is_barrier"], "name"]) == {"Rhein"}


@pytest.mark.parametrize(("village", "river"), [(RUGGELL, "Rhein"), (PLANKEN, "Samina")], ids=["Ruggell", "Planken"])
def test_no_road_crosses_a_barrier_and_no_stretch_of_the_river_is_lost(village, river):
    terrain = read_land(village).terrain
    water = terrain[terrain["name"].eq(river) & terrain["detail"].eq("river")]
    roads = terrain[terrain["kind"].isin([TerrainKind.ROAD, TerrainKind.PATH])]
    assert not roads.crosses(water[water["is_barrier"]].union_all()).any()
    assert water.length.sum() == pytest.approx({"Rhein": 4645, "Samina": 870}[river], abs=2)


def test_streams_canals_and_ditches_are_no_barriers():
    terrain = read_land(PLANKEN).terrain
    assert set(terrain.loc[terrain["is_barrier"], "detail"]) == {"river"}


def test_the_source_of_every_village_names_its_contributors_and_licence():
    assert all("OpenStreetMap contributors" in village.source for village in VILLAGES)
    assert all("ODbL" in village.source for village in VILLAGES)
