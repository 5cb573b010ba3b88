"""Four drawn villages in three towns of two districts, each text in them with a word that tells where it belongs.

::

    990101 ── 990101101 ── 990101101201   grids 001, 002
           │            └─ 990101101202   grids 001, 002
           └─ 990101102 ── 990101102201   grids 001, 002
    990102 ── 990102101 ── 990102101201   grids 001, 002
"""

import hashlib
from dataclasses import dataclass
from datetime import date

import pandas as pd
import shapely
from drawn_village import NOW, DrawnPlan, drawn_cases, drawn_plan, households_in_metres
from geopandas import GeoDataFrame
from shapely import box

from geodata.casebook import save_cases
from geodata.households import save_heads, save_households
from geodata.people import save_staff
from geodata.plans import save_plan
from geodata.villages import save_area, save_boundary, save_terrain, save_units
from mapgrid.crs import metric_crs_for
from mapgrid.plans import PlanState

CLOCK = NOW
VILLAGES = ("990101101201", "990101101202", "990101102201", "990102101201")
AREAS = tuple(sorted({village[:digits] for village in VILLAGES for digits in (6, 9, 12)}))
GRIDS = tuple(f"{village}{serial}" for village in VILLAGES for serial in ("001", "002"))
CRS = metric_crs_for((9.50, 47.20, 9.52, 47.22))
_STARTS_ON = date(2026, 1, 1)
_SPACING_M = 1000


@dataclass(frozen=True)
class Word:
    """A word and where it belongs: `kind` is `name` (an area's), `village` (its land) or `grid` (its people)."""

    kind: str
    code: str

    @property
    def text(self):
        return "w" + hashlib.sha256(f"{self.kind}{self.code}".encode()).hexdigest()[:10]


WORDS = (
    *(Word("name", code) for code in AREAS),
    *(Word("village", code) for code in VILLAGES),
    *(Word("grid", code) for code in GRIDS),
)


def household(village, number):
    """Return the code of the household in cell 0 to 7; 0, 1, 4, 5 stand in grid 001."""
    return f"{village}{number + 1:06d}"


def case(village, number):
    """Return the number of a case: 0 of a household in grid 001, 1 at a place in it, 2 of a household in grid 002."""
    return f"2026-{VILLAGES.index(village)}{number:03d}"


def draft(village):
    """Return the number of the draft of a village: each has a published plan, and then a draft."""
    return 2 * VILLAGES.index(village) + 2


def save_many_villages(session):
    """Store all of them; the caller commits."""
    for area in AREAS:
        save_area(session, area, name=Word("name", area).text)
    for place, village in enumerate(VILLAGES):
        _save_village(session, village, place * _SPACING_M)


def _grid_of(number):
    return "001" if number % 4 < 2 else "002"


def _save_village(session, village, east_m):
    word = Word("village", village).text
    save_area(session, village, source=word)
    moved = _moved(east_m)
    outline = GeoDataFrame(geometry=[shapely.segmentize(box(0, 0, 400, 200), 100)], crs=CRS)
    save_boundary(session, village, moved(outline).geometry.iloc[0])
    unit = GeoDataFrame({"code": [f"{village}01"], "name": [word]}, geometry=[box(0, 0, 400, 200)], crs=CRS)
    save_units(session, village, moved(unit))
    road = GeoDataFrame({"kind": ["road"], "name": [word], "detail": ["residential"]},
                        geometry=[box(0, 95, 400, 105).exterior], crs=CRS)  # fmt: skip
    save_terrain(session, village, moved(road))
    _save_people(session, village, moved)
    _save_plan(session, village, east_m)
    _save_cases(session, village, moved)


def _moved(east_m):
    return lambda frame: frame.set_geometry(frame.geometry.translate(east_m)).to_crs(4326)


def _save_people(session, village, moved):
    households = moved(households_in_metres()).reset_index(drop=True)
    words = [Word("grid", village + _grid_of(n)).text for n in range(8)]
    households["code"] = [household(village, n) for n in range(8)]
    households["reasons"] = [["serious_dispute"], ["subsistence"], [], [], [], ["disability"], [], []]
    households["tier_since"] = date(2026, 2, 1)
    households["address"] = [f"{word} {n}" for n, word in enumerate(words)]
    households["unit_code"] = f"{village}01"
    save_households(session, village, households)
    heads = pd.DataFrame({"household_code": households["code"], "full_name": [f"{word} Family" for word in words]})
    more = {"relation": "户主", "gender": "M", "born_on": date(1970, 5, 1), "id_number": "990101X"}
    save_heads(session, heads.assign(phone="00012345678", **more))


def _save_plan(session, village, east_m):
    drawn = drawn_plan()
    households = drawn.households.set_axis([household(village, n) for n in range(8)])
    frames = [frame.set_geometry(frame.geometry.translate(east_m)) for frame in (drawn.grids, drawn.cells, households)]
    plan = DrawnPlan(*frames, drawn.scorecard)
    name = Word("village", village).text
    save_plan(session, village, plan, name=name, state=PlanState.PUBLISHED, starts_on=_STARTS_ON, parameters={})
    save_plan(session, village, plan, name=f"{name} draft", state=PlanState.DRAFT, starts_on=None, parameters={})
    services = pd.DataFrame(
        {
            "person": [0, 1],
            "full_name": [f"{Word('grid', village + serial).text} Staff" for serial in ("001", "002")],
            "phone": "00099990000",
            "grid_code": [f"{village}001", f"{village}002"],
            "role": "worker",
            "starts_on": _STARTS_ON,
            "ends_on": None,
        }
    )
    save_staff(session, services)


def _save_cases(session, village, moved):
    cases = drawn_cases().to_crs(CRS).iloc[:3].copy()
    cases["number"] = [case(village, n) for n in range(3)]
    cases["household_code"] = [household(village, 0), None, household(village, 2)]
    cases["title"] = [Word("grid", village + serial).text for serial in ("001", "001", "002")]
    save_cases(session, village, moved(cases))
