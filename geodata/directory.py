"""One household with everything round it, and the search for households, grids and villages.

Names leave this module masked. Points are longitude and latitude in degrees of EPSG:4326.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, false, func, or_, select

from geodata.plans import is_in_force
from geodata.scoping import begins_with, household_condition
from geodata.tables import Area, Assignment, Case, Grid, Household, Person, Plan, Unit
from mapgrid.codes import GRID_DIGITS, VILLAGE_DIGITS, AreaLevel
from mapgrid.errors import NotFoundError
from mapgrid.masking import mask_name
from mapgrid.roles import Permission

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

_SERIAL_DIGITS = 3


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """A household and where it stands; `grid` and `group` are codes in the plan in force, None without one."""

    code: str
    village: str
    tier: str
    reasons: tuple[str, ...]
    tier_since: date | None
    weight: int
    address: str | None
    unit: str | None
    unit_name: str | None
    grid: str | None
    group: str | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Found:
    """Something a search found.

    Attributes
    ----------
    kind
        `village`, `grid` or `household`.
    label
        A village's name, a grid's serial, the masked name of a household's head (its serial when it has none).
    label_en
        A village's English name, or None.
    detail
        A household's address, None without one or the right to see it.
    """

    kind: str
    code: str
    label: str
    label_en: str | None
    detail: str | None
    village: str
    grid: str | None
    tier: str | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class Reached:
    """How many rows of the store somebody's scopes reach."""

    grids: int
    households: int
    people: int
    cases: int


def count_reached(session: Session) -> Reached:
    """Return how much the asker of a session may see, as rows, four queries."""
    tables = {"grids": Grid, "households": Household, "people": Person, "cases": Case}
    counts = {name: session.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()}
    return Reached(**counts)


def load_household_card(session: Session, code: str, on: date) -> HouseholdCard:
    """Return one household as it stands on a day, one query.

    Raises
    ------
    NotFoundError
        If there is no such household.
    """
    row = session.execute(
        select(
            Household.code, Household.village_code.label("village"), Household.tier, Household.reasons,
            Household.tier_since, Household.weight, Household.address, Household.unit_code.label("unit"),
            Unit.name.label("unit_name"), Assignment.grid_code.label("grid"), Assignment.group_code.label("group"),
            func.ST_X(Household.place).label("lon"), func.ST_Y(Household.place).label("lat"),
        )
        .outerjoin(Unit, Unit.code == Household.unit_code)
        .outerjoin(Plan, and_(Plan.village_code == Household.village_code, is_in_force(on)))
        .outerjoin(Assignment, and_(Assignment.plan_id == Plan.id, Assignment.household_code == Household.code))
        .where(Household.code == code)
        .limit(1)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFoundError(f"no household {code} in the store")
    place = {"lon": round(row.lon, 7), "lat": round(row.lat, 7)}
    return HouseholdCard(**(row._asdict() | place | {"reasons": tuple(row.reasons)}))


def find(session: Session, words: str, area_code: str, on: date, *, limit: int, offset: int) -> tuple[int, list[Found]]:
    """Return how many villages, grids and households match, and one page of them in that order.

    Parameters
    ----------
    words
        A code or its end (digits), part of a name of a village, or, where the asker sees people, a head's whole name
        (a part of it where they may unmask) or part of an address. Letters match in either case; `%` and `_` mean
        themselves.
    area_code
        Prefix of the codes to look among; empty for all.
    limit, offset
        Size and start of the page.
    """
    total = 0
    results: list[Found] = []
    for query in (
        _villages(words, area_code),
        _grids(words, area_code, on),
        _households(session, words, area_code, on),
    ):
        count = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        room = limit - len(results)
        start = max(0, offset - total)
        if room > 0 and start < count:
            results += [_found(row) for row in session.execute(query.limit(room).offset(start)).mappings()]
        total += count
    return total, results


def _villages(words: str, area_code: str) -> Select[*tuple[Any, ...]]:
    centre = func.ST_PointOnSurface(Area.boundary)
    matches = or_(_contains(Area.name, words), _contains(Area.name_en, words), Area.code == words)
    return (
        select(
            Area.code, Area.name.label("label"), Area.name_en.label("label_en"), Area.code.label("village"),
            func.ST_X(centre).label("lon"), func.ST_Y(centre).label("lat"),
        )
        .where(Area.level == AreaLevel.VILLAGE, begins_with(Area.code, area_code), matches)
        .order_by(Area.code)
    )  # fmt: skip


def _grids(words: str, area_code: str, on: date) -> Select[*tuple[Any, ...]]:
    centre = func.ST_PointOnSurface(Grid.outline)
    is_serial = words.isdecimal() and len(words) <= _SERIAL_DIGITS
    serial = func.right(Grid.code, _SERIAL_DIGITS)
    matches = or_(serial == words.zfill(_SERIAL_DIGITS) if is_serial else false(), Grid.code == words)
    return (
        select(
            Grid.code, serial.label("label"), Plan.village_code.label("village"), Grid.code.label("grid"),
            func.ST_X(centre).label("lon"), func.ST_Y(centre).label("lat"),
        )
        .join(Plan, Plan.id == Grid.plan_id)
        .where(is_in_force(on), begins_with(Grid.code, area_code), matches)
        .order_by(Grid.code)
    )  # fmt: skip


def _households(session: Session, words: str, area_code: str, on: date) -> Select[*tuple[Any, ...]]:
    ends_so = Household.code.endswith(words, autoescape=True) if words.isdecimal() else false()
    # Names and addresses are for who sees people there; a piece of a name, by which it could be told, for who unmasks.
    sees = household_condition(session, Household.code, Permission.SEE_PEOPLE)
    unmasks = household_condition(session, Household.code, Permission.UNMASK)
    is_named_so = or_(func.lower(Person.full_name) == words.lower(), and_(unmasks, _contains(Person.full_name, words)))
    matches = or_(ends_so, and_(sees, or_(is_named_so, _contains(Household.address, words))))
    return (
        select(
            Household.code, case((sees, Person.full_name)).label("head"),
            case((sees, Household.address)).label("detail"), Household.tier,
            Household.village_code.label("village"), Assignment.grid_code.label("grid"),
            func.ST_X(Household.place).label("lon"), func.ST_Y(Household.place).label("lat"),
        )
        .outerjoin(Person, and_(Person.household_code == Household.code, Person.is_head))
        .outerjoin(Plan, and_(Plan.village_code == Household.village_code, is_in_force(on)))
        .outerjoin(Assignment, and_(Assignment.plan_id == Plan.id, Assignment.household_code == Household.code))
        .where(begins_with(Household.code, area_code), matches)
        .order_by(case((Household.code == words, 0), (Person.full_name == words, 1), else_=2), Household.code)
    )  # fmt: skip


def _contains(column: Any, words: str) -> ColumnElement[bool]:  # noqa: ANN401 - a mapped column of text or None
    contains: ColumnElement[bool] = column.icontains(words, autoescape=True)
    return contains


def _found(row: Any) -> Found:  # noqa: ANN401 - a row mapping whose columns differ by kind
    code: str = row["code"]
    kind = {VILLAGE_DIGITS: "village", GRID_DIGITS: "grid"}.get(len(code), "household")
    label = row.get("label") or mask_name(row.get("head") or "") or code[VILLAGE_DIGITS:]
    optional = {name: row.get(name) for name in ("label_en", "detail", "grid", "tier")}
    return Found(kind=kind, code=code, label=label, village=row["village"], lon=row["lon"], lat=row["lat"], **optional)
