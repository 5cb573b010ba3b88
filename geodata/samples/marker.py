"""Whether a store holds the demo, and the day its cases are dated round. A start waits for it: no heavy import."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, text, update

from geodata.samples.index import VILLAGES, sample_codes
from geodata.tables import Area, Plan
from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

DAY = "demo_day"
"""Parameter of the demo's plans that tells the day."""

_LOADING_LOCK = 5_030_477_210_942  # any number, the same in every program that loads the demo


class DemoRefusedError(MapgridError):
    """A store in which the demo would touch what is not its own."""


def demo_day(session: Session) -> date | None:
    """Return the day the demo's cases are dated round, or None when the store does not hold the demo.

    Raises
    ------
    DemoRefusedError
        If an area of the demo's codes is not the demo's, or a part of the demo is missing.
    """
    codes = list(sample_codes())
    areas = session.execute(select(Area.code, Area.is_demo).where(Area.code.in_(codes)).order_by(Area.code)).all()
    foreign = [area.code for area in areas if not area.is_demo]
    if foreign:
        raise DemoRefusedError(
            f"the store holds areas under the demo's codes that are not the demo's: {', '.join(foreign)}; nothing was "
            "changed. Load the demo into another database: MAPGRID_HOME=/another/directory mapgrid demo"
        )
    if not areas:
        return None
    days = session.scalars(select(Plan.parameters[DAY].astext).where(_is_of_demo())).all()
    if len(areas) != len(codes) or len(days) != len(VILLAGES):
        raise DemoRefusedError(
            f"the store holds only a part of the demo: {len(areas)} of {len(codes)} areas, {len(days)} of "
            f"{len(VILLAGES)} plans; nothing was changed. Load it into another database, or delete this one: "
            "mapgrid db destroy"
        )
    return date.fromisoformat(min(days))


def set_demo_day(session: Session, day: date) -> None:
    """Remember the day the demo's cases are dated round."""
    parameters = Plan.parameters.op("||")(func.jsonb_build_object(DAY, day.isoformat()))
    session.execute(update(Plan).where(_is_of_demo()).values(parameters=parameters))


def wait_for_turn(session: Session) -> None:
    """Make other programs that load the demo wait until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOADING_LOCK})


def _is_of_demo() -> ColumnElement[bool]:
    """Return the condition under which a row of `plan` came with the demo; plans that people made are theirs."""
    return and_(Plan.village_code.in_([village.code for village in VILLAGES]), Plan.parameters.has_key(DAY))
