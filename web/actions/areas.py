"""Districts and towns: what there is, and its villages with their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geodata.counts import Counts, count_villages
from geodata.villages import load_areas
from mapgrid.codes import AreaLevel, level_of
from mapgrid.errors import NotFoundError
from mapgrid.roles import Permission, allows
from mapgrid.suppression import suppress_small
from web.actions.discretion import discreet

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from mapgrid.roles import Actor

VILLAGE_COLUMNS = ("code", "name", "name_en", "households", "people", "grids", "groups", "tiers", "cases")


def list_areas(session: Session) -> list[dict[str, Any]]:
    """Return all areas by code as plain records, one query."""
    areas = load_areas(session)
    return [_record(area) for _index, area in areas.iterrows()]


def area_summary(session: Session, code: str, now: datetime, actor: Actor) -> dict[str, Any]:
    """Return an area with its sums and the areas just below it.

    Raises
    ------
    NotFoundError
        If there is no such area.
    """
    level_of(code)
    areas = load_areas(session)
    found = areas[areas["code"] == code]
    if found.empty:
        raise NotFoundError(f"no area {code} in the store")
    counts = count_villages(session, code, now).values()
    whole = _sum(list(counts))
    if not allows(actor, Permission.SEE_HOUSEHOLDS, code):
        whole["tiers"] = suppress_small({code: whole["tiers"]})[code]
    below = areas[areas["parent_code"] == code]
    return {
        **_record(found.iloc[0]),
        "villages": len(counts),
        **whole,
        "areas": [_record(area) for _index, area in below.iterrows()],
    }


def villages_of(session: Session, code: str, level: AreaLevel, now: datetime, actor: Actor) -> GeoDataFrame:
    """Return the villages of a town or a district with their boundaries, and `VILLAGE_COLUMNS`.

    Raises
    ------
    NotFoundError
        If there is no such area, or it is of another level.
    """
    areas = load_areas(session)
    if level_of(code) is not level or code not in set(areas["code"]):
        raise NotFoundError(f"no {level} {code} in the store")
    counts = discreet(count_villages(session, code, now), actor)
    villages: GeoDataFrame = areas[areas["code"].isin(counts.keys())].reset_index(drop=True)
    return villages.assign(
        **{
            name: [getattr(counts[village], name) for village in villages["code"]]
            for name in ("households", "people", "grids", "groups", "tiers", "cases")
        }
    )


def _record(area: pd.Series) -> dict[str, Any]:
    names = ("code", "parent_code", "level", "name", "name_en", "source", "is_demo")
    return {name: area[name] for name in names} | {"is_demo": bool(area["is_demo"])}


def _sum(counts: list[Counts]) -> dict[str, Any]:
    empty = Counts()
    return {
        **{name: sum(getattr(one, name) for one in counts) for name in ("households", "people", "grids", "groups")},
        "tiers": {tier: sum(one.tiers[tier] for one in counts) for tier in empty.tiers},
        "cases": {state: sum(one.cases[state] for one in counts) for state in empty.cases},
    }
