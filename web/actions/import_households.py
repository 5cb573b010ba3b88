"""Import of households: every one stands in its village, has one code, and is recognised when it comes again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata import households as household_store
from geodata import villages as village_store
from geodata.files.ledger import Ledger, read_ledger
from geodata.files.numbering import metres_from_namesake, number_households
from geodata.files.outlines import number_units
from geodata.files.placing import describe_places, inside, looks_like
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import Fault, InputRefusedError
from web.actions.import_reports import (
    ImportOptions,
    ImportReport,
    boundary_in_store,
    read_rows,
    refused,
    report_of,
    trial,
)

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session


def import_households(session: Session, spec: str, village_code: str, options: ImportOptions) -> ImportReport:
    """Store the households of a file and the people it names."""
    try:
        boundary = boundary_in_store(session, village_code)
        reading = read_rows(spec, options)
        ledger = read_ledger(reading, village_code, options.columns)
        homes, misplaced = _stand_inside(session, ledger.households, boundary, options)
        village_store.lock_village(session, village_code)
        homes, taken = _give_codes(session, homes, ledger, village_code, replaces=options.replaces)
        homes, new_units = _give_units(session, homes, village_code)
    except InputRefusedError as error:
        return refused(error)
    notes = [*ledger.notes, *_sum_up(misplaced)]
    report = report_of(reading, [*reading.faults, *ledger.faults, *misplaced, *taken], notes, options)
    if not report.is_storable:
        return report
    with trial(session, options, "households", village_code, report):
        village_store.save_units(session, village_code, new_units)
        saved = household_store.save_households(session, village_code, homes)
        people = _save_people(session, homes, ledger)
    return report.with_counts(saved, people=people)


def _stand_inside(
    session: Session, homes: GeoDataFrame, boundary: BaseGeometry, options: ImportOptions
) -> tuple[GeoDataFrame, list[Fault]]:
    """Return the households inside the boundary, and a fault for each of the others."""
    stands_inside = inside(homes.geometry.to_numpy(), boundary)
    outside = homes[~stands_inside]
    if outside.empty:
        return homes, []
    points = outside.geometry.to_numpy()
    where = describe_places(points, boundary, village_store.load_boundaries_at(session, outside))
    looks = looks_like(points, boundary, asked=options.crs)
    faults = [
        Fault("a place in the village", found, file=homes.attrs["file"], layer=homes.attrs["layer"], row=row,
              column=homes.attrs["place"], hint=hint)
        for row, found, hint in zip(outside.index.tolist(), where, looks, strict=True)
    ]  # fmt: skip
    return homes[stands_inside], faults


def _sum_up(misplaced: list[Fault]) -> list[str]:
    """Return how many rows look like what: with hundreds of them, the one thing to know."""
    looks = Counter(fault.hint for fault in misplaced if fault.hint)
    return [f"{number} rows: {hint}" for hint, number in looks.most_common() if number > 1]


def _give_codes(
    session: Session, homes: GeoDataFrame, ledger: Ledger, village_code: str, *, replaces: bool
) -> tuple[GeoDataFrame, list[Fault]]:
    """Return the households with their codes, and a fault for each whose code another stored household has."""
    known = household_store.load_places(session, village_code)
    if "code" not in homes:
        return homes.assign(code=number_households(homes, known, village_code)), []
    if replaces or known.empty or homes.empty:
        return homes, []
    names = ledger.heads["full_name"].reindex(homes.index).dropna()
    by_code = dict(zip(homes["code"].reindex(names.index), names, strict=True))
    away_m = metres_from_namesake(homes, by_code, known, household_store.load_head_names(session, village_code))
    hint = "give it a code of its own, or let the file's take its place: --replace"
    faults = [
        Fault("a code that is free", f"{code}, of another household {metres:.0f} m away", file=homes.attrs["file"],
              layer=homes.attrs["layer"], row=row, column="code", hint=hint)
        for row, code, metres in zip(homes.index.tolist(), homes["code"], away_m, strict=True)
        if not np.isnan(metres)
    ]  # fmt: skip
    return homes[np.isnan(away_m)], faults


def _give_units(session: Session, homes: GeoDataFrame, village_code: str) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return the households with the code of their unit, and the units that are named for the first time."""
    stored = village_store.load_units(session, village_code)
    known = dict(zip(stored["name"], stored["code"], strict=True))
    units = homes["unit"] if "unit" in homes else pd.Series(index=homes.index, dtype=object)
    named = units[units.notna() & ~units.isin(stored["code"])]
    numbered = dict(zip(named, number_units(named.tolist(), village_code, known), strict=True))
    new = {name: code for name, code in numbered.items() if name not in known}
    made = gpd.GeoDataFrame(
        {"name": list(new), "code": list(new.values())}, geometry=[None] * len(new), crs=STORAGE_SRID
    )
    if "unit" in homes:
        homes = homes.assign(unit_code=units.map(lambda unit: numbered.get(unit, unit)))
    return homes, made


def _save_people(session: Session, homes: GeoDataFrame, ledger: Ledger) -> int:
    """Save heads and members and return how many people that changed."""
    code_of_row, changed = homes["code"], 0
    for people, save in (
        (ledger.heads, household_store.save_heads),
        (ledger.members, household_store.save_members),
    ):
        kept = people[people.index.isin(code_of_row.index)]
        if len(kept):
            codes = pd.Series(code_of_row.loc[kept.index].to_numpy(), index=kept.index, dtype=object)
            changed += save(session, kept.assign(household_code=codes))
    return changed
