"""A village drawn by hand: 400 m by 200 m, eight houses, two grids of two groups each, everything countable.

::

    cells    c4  c5 | c6  c7      each 100 m by 100 m, one house in the middle
             c0  c1 | c2  c3
    groups   01  02 | 01  02
    grids     001   |  002
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from shapely import Point, box

from geodata.casebook import save_cases
from geodata.households import save_heads, save_households, save_members
from geodata.people import save_staff
from geodata.plans import save_plan
from geodata.villages import save_area, save_boundary, save_terrain, save_units
from mapgrid.crs import metric_crs_for
from mapgrid.plans import PlanState

VILLAGE = "990101102299"
NOW = datetime(2026, 3, 5, 6, 2, tzinfo=UTC)
PLAN_STARTS_ON = date(2026, 1, 1)
CRS = metric_crs_for((9.50, 47.20, 9.52, 47.22))
TIERS = ["red", "yellow", "green", "green", "green", "yellow", "green", "unknown"]
WEIGHTS = [1, 1, 1, 3, 1, 1, 1, 1]
HEADS = ["张伟", "李秀英", "王磊", "赵敏", "陈静", "Rita Ospelt", "周涛", "吴刚"]
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Figures:
    grids: int

    def as_record(self):
        return {"grids": self.grids, "in_range_pct": 100.0}


@dataclass(frozen=True)
class DrawnPlan:
    """The four frames that `mapgrid.partition.Plan` has, in metres."""

    grids: GeoDataFrame
    cells: GeoDataFrame
    households: GeoDataFrame
    scorecard: Figures


def household(number):
    """Return the code of the household in cell 0 to 7."""
    return f"{VILLAGE}{number + 1:06d}"


def households_in_metres():
    places = [Point(50 + 100 * (n % 4), 50 + 100 * (n // 4)) for n in range(8)]
    index = pd.Index([household(n) for n in range(8)], name="household")
    return GeoDataFrame({"weight": WEIGHTS, "tier": TIERS}, geometry=places, index=index, crs=CRS)


def drawn_plan():
    corners = [(100 * (n % 4), 100 * (n // 4)) for n in range(8)]
    grid = ["001" if x < 200 else "002" for x, _y in corners]
    group = [g + ("01" if x % 200 == 0 else "02") for (x, _y), g in zip(corners, grid, strict=True)]
    labels = [f"c{n}" for n in range(8)]
    land = [box(x, y, x + 100, y + 100) for x, y in corners]
    cells = GeoDataFrame({"grid": grid, "group": group}, geometry=land, index=labels, crs=CRS)
    grids = GeoDataFrame(
        {"grid": ["001", "002"], "households": [4, 4], "weight": [4, 6], "reason": [None, "VILLAGE_UNDER_MIN"]},
        geometry=[shapely.segmentize(box(x, 0, x + 200, 200), 100) for x in (0, 200)],
        crs=CRS,
    )
    households = households_in_metres().assign(grid=grid, group=group, cell=labels)
    return DrawnPlan(grids, cells, households, Figures(2))


def save_drawn_village(session, *, plan=True):
    """Store the village with its terrain, people, staff and cases, and its plan unless told not to."""
    save_area(session, VILLAGE[:6], name="画区", name_en="Drawn District")
    save_area(session, VILLAGE[:9], name="画镇", name_en="Drawn Town")
    save_area(session, VILLAGE, name="画村", name_en="Drawn Village", source="drawn by hand")
    # With a corner wherever cells meet the border: a line that is straight in metres is not straight in degrees.
    save_boundary(session, VILLAGE, _to_degrees(shapely.segmentize(box(0, 0, 400, 200), 100)))
    _save_land(session)
    _save_people(session)
    if plan:
        save_drawn_plan(session)
    save_cases(session, VILLAGE, drawn_cases())


def save_drawn_plan(session, *, name="2026-01", state=PlanState.PUBLISHED, starts_on=PLAN_STARTS_ON):
    return save_plan(
        session, VILLAGE, drawn_plan(), name=name, state=state, starts_on=starts_on, parameters={"seed": 0}
    )


def drawn_cases():
    """Return six cases: overdue, near due, whistled, open, closed three days ago, closed two months ago."""
    states = ["processing", "assigned", "whistled_town", "accepted", "closed", "closed"]
    due = [-1, 1, 5, 9, -2, -60]
    closed = [None, None, None, None, -3, -61]
    places = [Point(50, 60), Point(150, 60), Point(250, 60), Point(350, 60), Point(50, 160), Point(200, 100)]
    cases = GeoDataFrame(
        {
            "number": [f"2026-{n + 1:04d}" for n in range(6)],
            "household_code": [household(0), None, household(2), None, None, None],
            "category": ["dispute", "hazard", "livelihood", "sanitation", "hazard", "other"],
            "level": ["village", "town", "town", "town", "town", "village"],
            "state": states,
            "title": ["邻居争地界", "围墙倾斜", "水压不足", "垃圾满溢", "电线老化", "噪音"],
            "reported_at": [_moment(days - 10) for days in due],
            "due_at": [_moment(days) for days in due],
        },
        geometry=places,
        crs=CRS,
    )
    cases["closed_at"] = pd.Series([None if days is None else _moment(days) for days in closed], dtype=object)
    return cases.to_crs(4326)


def _save_land(session):
    unit = GeoDataFrame({"code": [f"{VILLAGE}01"], "name": ["一组"]}, geometry=[box(0, 0, 400, 200)], crs=CRS)
    save_units(session, VILLAGE, unit.to_crs(4326))
    road = box(0, 95, 400, 105).exterior
    terrain = GeoDataFrame(
        {"kind": ["road", "building"], "name": ["大街", None], "detail": ["residential", "house"]},
        geometry=[road, box(40, 40, 60, 60)],
        crs=CRS,
    )
    save_terrain(session, VILLAGE, terrain.to_crs(4326))


def _save_people(session):
    households = households_in_metres().to_crs(4326).rename_axis("code").reset_index()
    households["reasons"] = [["serious_dispute"], ["subsistence"], [], [], [], ["disability"], [], []]
    households["tier_since"] = date(2026, 2, 1)
    households["address"] = [f"画村一组{n + 1}号" for n in range(8)]
    households["unit_code"] = f"{VILLAGE}01"
    save_households(session, VILLAGE, households)
    heads = pd.DataFrame({"household_code": households["code"], "full_name": HEADS, "relation": "户主"})
    save_heads(session, heads.assign(gender="M", born_on=date(1970, 5, 1), phone="00012345678", id_number="990101X"))
    members = pd.DataFrame({"household_code": [household(0), household(3)], "full_name": ["张小红", "赵小龙"]})
    save_members(
        session, members.assign(relation="子女", gender="F", born_on=date(2001, 5, 1), phone=None, id_number=None)
    )
    grids = [f"{VILLAGE}001", f"{VILLAGE}001", f"{VILLAGE}001", f"{VILLAGE}002"]
    services = pd.DataFrame(
        {
            "person": [0, 1, 2, 0],
            "full_name": ["许国强", "林志明", "黄丽", "许国强"],
            "phone": ["00099990000", "00099991111", "00099992222", "00099990000"],
            "grid_code": grids,
            "role": ["leader", "liaison", "worker", "leader"],
            "starts_on": PLAN_STARTS_ON,
            "ends_on": [None, None, PLAN_STARTS_ON + timedelta(days=30), None],
        }
    )
    save_staff(session, services)


def _moment(days):
    return datetime(2026, 3, 5, 17, 30, tzinfo=_SHANGHAI) + timedelta(days=days)


def _to_degrees(shape):
    return gpd.GeoSeries([shape], crs=CRS).to_crs(4326).iloc[0]
