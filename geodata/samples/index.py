"""Which villages the demo shows, under which codes and names, and whose data they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

from mapgrid.codes import TOWN_DIGITS

_HERE = Path(__file__).resolve().parent
_BAREMAPS = "© OpenStreetMap contributors (ODbL 1.0), via baremaps ae9b4630"
_FIELD_TM = "© OpenStreetMap contributors (ODbL 1.0), via HOT Field-TM 5260fbfe"


@dataclass(frozen=True, slots=True)
class SampleArea:
    """A district or a town of the demo.

    Attributes
    ----------
    code
        6 digits of a district, 9 of a town. No province has the number 99.
    name, name_en
        Chinese name and English name.
    """

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class SampleVillage:
    """A real village of the demo.

    Attributes
    ----------
    code
        12 digits, our own.
    name, name_en
        Chinese display name, and the village's real name.
    file
        GeoPackage with its land.
    source
        Whose data it is, for the map's attribution.
    """

    code: str
    name: str
    name_en: str
    file: Path
    source: str

    @property
    def town_code(self) -> str:
        """Return the code of the town above."""
        return self.code[:TOWN_DIGITS]


DISTRICT = SampleArea("990101", "示范区", "Demo District")
TOWNS = (
    SampleArea("990101102", "示范镇", "Demo Town"),
    SampleArea("990101103", "示范海岛镇", "Demo Island Town"),
)
VILLAGES = (
    SampleVillage("990101102201", "鲁格尔村", "Ruggell", _HERE / "ruggell.gpkg", _BAREMAPS),
    SampleVillage("990101102202", "甘普林村", "Gamprin", _HERE / "gamprin.gpkg", _BAREMAPS),
    SampleVillage("990101102203", "谢伦贝格村", "Schellenberg", _HERE / "schellenberg.gpkg", _BAREMAPS),
    SampleVillage("990101102204", "普朗肯村", "Planken", _HERE / "planken.gpkg", _BAREMAPS),
    SampleVillage("990101103201", "库利比斯特里村", "Coulibistrie", _HERE / "coulibistrie.gpkg", _FIELD_TM),
    SampleVillage("990101103202", "多当村", "Dos d'Ane", _HERE / "dos_d_ane.gpkg", _FIELD_TM),
)


def sample_codes() -> Iterator[str]:
    """Yield the codes of the district, its towns and its villages, upper ones first."""
    yield DISTRICT.code
    yield from (town.code for town in TOWNS)
    yield from (village.code for village in VILLAGES)
