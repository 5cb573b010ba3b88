"""Loading the demo: read the land, divide it, invent who lives there, store everything. One transaction for all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from geopandas import GeoDataFrame

from geodata.casebook import next_case_serial, save_cases
from geodata.households import save_heads, save_households, save_members
from geodata.people import save_staff
from geodata.plans import save_plan
from geodata.samples.index import DISTRICT, TOWNS, VILLAGES
from geodata.samples.invention.cases import invent_cases
from geodata.samples.invention.people import invent_people
from geodata.samples.invention.staff import invent_staff
from geodata.samples.invention.tiers import invent_tiers
from geodata.samples.invention.units import invent_addresses, invent_units
from geodata.samples.land import read_land
from geodata.samples.marker import DAY
from geodata.villages import save_area, save_boundary, save_terrain, save_units
from mapgrid.codes import unit_code
from mapgrid.crs import STORAGE_SRID
from mapgrid.partition import divide, warm
from mapgrid.plans import PlanState
from mapgrid.times import LOCAL_TIME
from mapgrid.village import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    import pandas as pd
    from numpy.random import Generator
    from sqlalchemy.orm import Session

    from geodata.samples.index import SampleVillage
    from geodata.samples.land import SampleLand
    from mapgrid.partition import Plan

_LIMITS = Limits()
_SEED = 0


def load_demo(session: Session, now: datetime, tell: Callable[[str], None]) -> None:
    """Store the demo's district, towns and villages with everything in them; the caller commits."""
    tell("Preparing the division; the first time on a machine this takes some seconds …")
    warm()
    for area in (DISTRICT, *TOWNS):
        save_area(session, area.code, name=area.name, name_en=area.name_en, is_demo=True)
    for number, sample in enumerate(VILLAGES, start=1):
        began = time.perf_counter()
        land = read_land(sample)
        plan = divide(
            land.village,
            land.households,
            barriers=land.barriers,
            prefer=land.preferred,
            limits=_LIMITS,
            seed=_SEED,
        )
        _save_village(session, sample, land, plan, now)
        tell(
            f"{number} of {len(VILLAGES)}: {sample.name_en} {sample.name}, {len(land.households)} households in "
            f"{len(plan.grids)} grids ({time.perf_counter() - began:.1f} s)"
        )


def _save_village(session: Session, sample: SampleVillage, land: SampleLand, plan: Plan, now: datetime) -> None:
    today = now.astimezone(LOCAL_TIME).date()
    rng_tiers, rng_people, rng_staff, rng_cases = np.random.default_rng(int(sample.code)).spawn(4)
    save_area(session, sample.code, name=sample.name, name_en=sample.name_en, source=sample.source, is_demo=True)
    save_boundary(session, sample.code, land.village.to_crs(STORAGE_SRID).geometry.iloc[0])
    save_terrain(session, sample.code, land.terrain.to_crs(STORAGE_SRID))
    households = plan.households.join(invent_tiers(land.households.geometry, rng_tiers, today=today))
    households = _with_units(session, sample, households, plan.cells)
    _save_people(session, sample.code, households, rng_people, today)
    _save_plan(session, sample.code, plan, today)
    _save_staff(session, sample.code, plan, rng_staff, today)
    _save_cases(session, sample.code, land, households, (rng_cases, now))


def _with_units(session: Session, sample: SampleVillage, households: GeoDataFrame, cells: GeoDataFrame) -> GeoDataFrame:
    """Store the villager groups, unions of cells, and return the households with `unit_code` and `address`."""
    unit_of = invent_units(households.geometry, households["grid"], households["group"])
    names = list(dict.fromkeys(unit_of[households.sort_values(["group"]).index]))
    code_of = {name: unit_code(sample.code, serial) for serial, name in enumerate(names, start=1)}
    unit_of_cell = dict(zip(households["cell"], unit_of, strict=True))
    land = cells.assign(unit=[unit_of_cell[cell] for cell in cells.index])[["unit", "geometry"]]
    outlines = land.dissolve("unit", method="coverage").loc[names].to_crs(STORAGE_SRID)
    units = GeoDataFrame({"code": list(code_of.values()), "name": names}, geometry=outlines.geometry.to_numpy())
    save_units(session, sample.code, units.set_crs(STORAGE_SRID))
    return households.assign(
        unit_code=unit_of.map(code_of), address=invent_addresses(sample.name, unit_of, households.geometry)
    )


def _save_people(session: Session, village_code: str, households: GeoDataFrame, rng: Generator, today: date) -> None:
    stored = households.to_crs(STORAGE_SRID).rename_axis("code").reset_index()
    save_households(session, village_code, stored)
    people = invent_people(households, rng, today=today)
    is_head = people["is_head"].to_numpy(dtype=bool)
    save_heads(session, people[is_head])
    save_members(session, people[~is_head])


def _save_plan(session: Session, village_code: str, plan: Plan, today: date) -> None:
    save_plan(
        session,
        village_code,
        plan,
        name=f"{today:%Y-%m}",
        state=PlanState.PUBLISHED,
        starts_on=today.replace(day=1),
        parameters={
            "min": _LIMITS.min,
            "max": _LIMITS.max,
            "target": _LIMITS.target,
            "group_size": _LIMITS.group_size,
            "preset": "balanced",
            "seed": _SEED,
            DAY: today.isoformat(),
        },
    )


def _save_staff(session: Session, village_code: str, plan: Plan, rng: Generator, today: date) -> None:
    households: pd.Series = plan.grids.set_index(village_code + plan.grids["grid"])["weight"]
    save_staff(session, invent_staff(households, rng, since=today.replace(day=1)))


def _save_cases(
    session: Session, village_code: str, land: SampleLand, households: GeoDataFrame, when: tuple[Generator, datetime]
) -> None:
    rng, now = when
    cases = invent_cases(households, land.village.geometry.iloc[0], rng, now=now).iloc[::-1]
    year = now.astimezone(LOCAL_TIME).year
    first = next_case_serial(session, year)
    numbers = [f"{year}-{first + place:04d}" for place in range(len(cases))]
    save_cases(session, village_code, cases.assign(number=numbers).to_crs(STORAGE_SRID))
