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


def test_the_rhine_and_the_canal_are_ruggell_s_barriers_and_every_road_over_the_canal_opens_it():
    terrain = read_land(RUGGELL).terrain
    barriers = terrain[terrain["is_barrier"]]
    assert set(barriers["name"]) == {"Rhein", "Binnenkanal"}
    canal = barriers[barriers["name"] == "Binnenkanal"].geometry.iloc[0]
    roads = terrain[terrain["kind"].isin([TerrainKind.ROAD, TerrainKind.PATH])]
    assert len(canal.geoms) >= 5
    assert roads.distance(canal).min() > 5.0


def test_a_barrier_and_what_lies_under_its_bridges_make_the_whole_canal():
    terrain = read_land(RUGGELL).terrain
    canal = terrain[(terrain["name"] == "Binnenkanal") & (terrain["detail"] == "canal")]
    assert set(canal["is_barrier"]) == {True, False}
    assert canal.length.sum() == pytest.approx(4133, abs=2)


def test_streams_and_ditches_are_no_barriers():
    terrain = read_land(PLANKEN).terrain
    assert set(terrain.loc[terrain["is_barrier"], "detail"]) == {"river"}


def test_the_source_of_every_village_names_its_contributors_and_licence():
    assert all("OpenStreetMap contributors" in village.source for village in VILLAGES)
    assert all("ODbL" in village.source for village in VILLAGES)
