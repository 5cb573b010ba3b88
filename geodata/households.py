"""Households and the people in them: loaded and saved. Frames are EPSG:4326; the caller commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, func, insert, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geodata.bulk import Saved, ewkb_of, incoming, read_frame, rows_written, values_of
from geodata.tables import Household, Person
from geodata.villages import lock_village

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geopandas import GeoDataFrame
    from pandas import DataFrame
    from sqlalchemy.orm import Session

OPTIONAL_COLUMNS = ("unit_code", "weight", "tier", "reasons", "tier_since", "address")
_MEMBER_COLUMNS = ("household_code", "full_name", "relation", "gender", "born_on", "phone", "id_number")


def load_households(session: Session, village_code: str) -> GeoDataFrame:
    """Return the households of a village ordered by code.

    Columns: `code`, `weight`, `tier`, `reasons` (list), `tier_since`, `unit` (its code or None), `address`, `cell_id`,
    `geometry` (points).
    """
    return read_frame(
        session,
        select(
            Household.code, Household.weight, Household.tier, Household.reasons, Household.tier_since,
            Household.unit_code.label("unit"), Household.address, Household.cell_id,
            func.ST_AsBinary(Household.place).label("place"),
        )
        .where(Household.village_code == village_code)
        .order_by(Household.code),
    )  # fmt: skip


def load_places(session: Session, village_code: str) -> GeoDataFrame:
    """Return only `code` and point of the households of a village, ordered by code: twice as fast as all of them."""
    columns = (Household.code, func.ST_AsBinary(Household.place).label("place"))
    return read_frame(session, select(*columns).where(Household.village_code == village_code).order_by(Household.code))


def load_head_names(session: Session, village_code: str) -> dict[str, str]:
    """Return the name of the head of each household of a village that has one, by household code."""
    query = (
        select(Person.household_code, Person.full_name)
        .join(Household, Household.code == Person.household_code)
        .where(Household.village_code == village_code, Person.is_head)
    )
    return {row.household_code: row.full_name for row in session.execute(query)}


def save_households(session: Session, village_code: str, households: GeoDataFrame) -> Saved:
    """Make or change households by code, in one pass.

    Parameters
    ----------
    households
        Column `code` (18 digits), points in EPSG:4326, and any of `OPTIONAL_COLUMNS`. A column that is not there keeps
        what the store holds.
    """
    lock_village(session, village_code)
    columns = {
        "code": values_of(households, "code"),
        "village_code": [village_code] * len(households),
        **{name: values_of(households, name) for name in OPTIONAL_COLUMNS if name in households},
        "place": ewkb_of(households),
    }
    with incoming(session, Household, columns) as rows:
        names = [column.name for column in rows.columns]
        made = upsert(Household).from_select(names, select(*rows.columns))
        set_ = {name: made.excluded[name] for name in columns if name not in {"code", "village_code"}}
        differs = or_(*(getattr(Household, name).is_distinct_from(value) for name, value in set_.items()))
        written: Sequence[bool] = session.execute(
            made.on_conflict_do_update(
                index_elements=[Household.code], set_=set_ | {"updated_at": func.now()}, where=differs
            ).returning(literal_column("xmax = 0"))  # true for a row that was not there
        ).scalars().all()  # fmt: skip
    added = sum(written)
    return Saved(added, len(written) - added, len(households) - len(written))


def save_heads(session: Session, heads: DataFrame) -> int:
    """Make or change the heads of households and return how many that changed.

    Parameters
    ----------
    heads
        Columns `household_code`, `full_name`, and any of `relation`, `gender`, `born_on`, `phone`, `id_number`; a
        column that is not there keeps what the store holds.
    """
    given = [name for name in _MEMBER_COLUMNS if name in heads]
    columns = {name: values_of(heads, name) for name in given} | {"is_head": [True] * len(heads)}
    with incoming(session, Person, columns) as rows:
        made = upsert(Person).from_select(list(columns), select(*(rows.c[name] for name in columns)))
        set_ = {name: made.excluded[name] for name in given if name != "household_code"}
        return rows_written(
            session,
            made.on_conflict_do_update(
                index_elements=[Person.household_code],
                index_where=Person.is_head.expression,
                set_=set_,
                where=or_(*(getattr(Person, name).is_distinct_from(value) for name, value in set_.items())),
            ),
        )


def save_members(session: Session, members: DataFrame) -> int:
    """Replace the people, other than heads, of the households that the frame names, and return how many that changed.

    The same people stay as they are.

    Parameters
    ----------
    members
        Columns `household_code`, `full_name`, `relation`, `gender`, `born_on`, `phone`, `id_number`.
    """
    columns = {name: values_of(members, name) for name in _MEMBER_COLUMNS} | {"is_head": [False] * len(members)}
    with incoming(session, Person, columns) as rows:
        same = and_(*(getattr(Person, name).is_not_distinct_from(rows.c[name]) for name in columns))
        removed = rows_written(
            session,
            delete(Person).where(
                Person.household_code.in_(select(rows.c.household_code)),
                ~Person.is_head,
                ~exists().where(same).correlate(Person),
            ),
        )
        missing = select(*(rows.c[name] for name in columns)).where(~exists().where(same).correlate(rows)).distinct()
        added = rows_written(session, insert(Person).from_select(list(columns), missing))
    return max(added, removed)
