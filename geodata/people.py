"""The staff of grids and the people of a household. Names and telephones leave masked; the caller commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, insert, or_, select

from geodata.bulk import copy_rows, values_of
from geodata.scoping import begins_with
from geodata.tables import Person, Staff, StaffOfGrid
from mapgrid.masking import mask_name, mask_phone
from mapgrid.staff import StaffRole

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class MaskedStaff:
    """Somebody who serves a grid, as everybody may see it."""

    grid: str
    role: StaffRole
    name: str
    phone: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class MaskedPerson:
    """Somebody who lives in a household, as everybody may see it."""

    name: str
    is_head: bool
    relation: str | None
    gender: str | None
    birth_year: int | None
    phone: str


@dataclass(frozen=True, slots=True)
class PersonInFull:
    """Somebody who lives in a household, for those who state a purpose."""

    name: str
    is_head: bool
    relation: str | None
    gender: str | None
    born_on: str | None
    phone: str | None
    id_number: str | None


def load_staff(session: Session, grid_codes: str, on: date) -> list[MaskedStaff]:
    """Return who serves the grids whose code begins with `grid_codes` on a day, by grid: liaison, leader, workers."""
    rows = session.execute(
        select(StaffOfGrid.grid_code, StaffOfGrid.role, Staff.full_name, Staff.phone, StaffOfGrid.starts_on)
        .join(Staff, Staff.id == StaffOfGrid.staff_id)
        .where(begins_with(StaffOfGrid.grid_code, grid_codes), _serves(on))
        .order_by(StaffOfGrid.grid_code, StaffOfGrid.id)
    ).all()
    rank = {role: place for place, role in enumerate(StaffRole)}
    serving = [
        MaskedStaff(
            row.grid_code, StaffRole(row.role), mask_name(row.full_name), mask_phone(row.phone or ""), row.starts_on
        )
        for row in rows
    ]
    return sorted(serving, key=lambda staff: (staff.grid, rank[staff.role]))


def load_people(session: Session, household_code: str) -> list[MaskedPerson]:
    """Return who lives in a household, the head first."""
    rows = session.execute(
        select(Person.full_name, Person.is_head, Person.relation, Person.gender, Person.born_on, Person.phone)
        .where(Person.household_code == household_code)
        .order_by(Person.is_head.desc(), Person.id)
    ).all()
    return [
        MaskedPerson(
            name=mask_name(row.full_name),
            is_head=row.is_head,
            relation=row.relation,
            gender=row.gender,
            birth_year=row.born_on.year if row.born_on else None,
            phone=mask_phone(row.phone or ""),
        )
        for row in rows
    ]


def load_people_in_full(session: Session, household_code: str) -> list[PersonInFull]:
    """Return who lives in a household as it is stored, the head first; whoever calls this writes it into the trail."""
    columns = (
        Person.full_name, Person.is_head, Person.relation, Person.gender, Person.born_on, Person.phone,
        Person.id_number,
    )  # fmt: skip
    query = select(*columns).where(Person.household_code == household_code)
    return [
        PersonInFull(
            row.full_name,
            row.is_head,
            row.relation,
            row.gender,
            row.born_on.isoformat() if row.born_on else None,
            row.phone,
            row.id_number,
        )
        for row in session.execute(query.order_by(Person.is_head.desc(), Person.id))
    ]


def save_staff(session: Session, services: pd.DataFrame) -> None:
    """Add staff and the grids they serve.

    Parameters
    ----------
    services
        One row per service: `person` (the same for one person's services), `full_name, phone, grid_code, role,
        starts_on, ends_on`.
    """
    people = services.drop_duplicates("person")
    made = session.scalars(
        insert(Staff).returning(Staff.id, sort_by_parameter_order=True),
        [
            {"full_name": name, "phone": phone}
            for name, phone in zip(values_of(people, "full_name"), values_of(people, "phone"), strict=True)
        ],
    ).all()
    staff_ids = dict(zip(people["person"], made, strict=True))
    columns = {name: values_of(services, name) for name in ("grid_code", "role", "starts_on", "ends_on")}
    copy_rows(session, StaffOfGrid, {**columns, "staff_id": [staff_ids[person] for person in services["person"]]})


def _serves(on: date) -> ColumnElement[bool]:
    return and_(StaffOfGrid.starts_on <= on, or_(StaffOfGrid.ends_on.is_(None), StaffOfGrid.ends_on > on))
