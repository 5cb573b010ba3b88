"""Who serves the grids: 1 liaison cadre + 1 grid leader + 1 or 2 grid workers each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from geodata.samples.invention.people import invent_name, invent_phone
from mapgrid.staff import StaffRole

if TYPE_CHECKING:
    from numpy.random import Generator

_GRIDS_PER_LIAISON = 4
_SECOND_WORKER_FROM_HOUSEHOLDS = 80


def invent_staff(households_of_grid: pd.Series, rng: Generator, *, since: date) -> pd.DataFrame:
    """Return who serves each grid, one row per service.

    Parameters
    ----------
    households_of_grid
        Households (int) indexed by 15-digit grid code.
    since
        Day the services begin.

    Returns
    -------
    DataFrame
        `person` (int, the same for one person's services), `full_name, phone, grid_code, role, starts_on, ends_on`. One
        cadre is liaison of up to four grids. The first grid's leader has a predecessor whose service has ended.
    """
    rows: list[dict[str, object]] = []
    people = 0
    liaison: dict[str, object] = {}
    for position, (code, households) in enumerate(households_of_grid.items()):
        if position % _GRIDS_PER_LIAISON == 0:
            people, liaison = people + 1, _somebody(people, rng)
        roles = [StaffRole.LEADER, StaffRole.WORKER]
        if households >= _SECOND_WORKER_FROM_HOUSEHOLDS:
            roles.append(StaffRole.WORKER)
        rows.append(_service(liaison, code, StaffRole.LIAISON, since))
        for role in roles:
            rows.append(_service(_somebody(people, rng), code, role, since))
            people += 1
    if rows:
        before = _service(_somebody(people, rng), rows[0]["grid_code"], StaffRole.LEADER, since - timedelta(days=365))
        rows.append({**before, "ends_on": since})
    return pd.DataFrame(rows)


def _somebody(person: int, rng: Generator) -> dict[str, object]:
    gender = "M" if rng.random() < 0.55 else "F"
    return {"person": person, "full_name": invent_name(rng, gender=gender), "phone": invent_phone(rng)}


def _service(somebody: dict[str, object], grid_code: object, role: StaffRole, starts_on: date) -> dict[str, object]:
    return {**somebody, "grid_code": grid_code, "role": role.value, "starts_on": starts_on, "ends_on": None}
