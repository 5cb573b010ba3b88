"""The demo: six real villages with invented people, stored once. A second time finds it and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.samples.marker import demo_day, set_demo_day, wait_for_turn
from mapgrid.times import LOCAL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class DemoState:
    """What `prepare_demo` found or did.

    Attributes
    ----------
    is_new
        Whether it was loaded just now.
    age_days
        Days since the day the demo's cases are dated round.
    """

    is_new: bool
    age_days: int


def prepare_demo(session: Session, now: datetime, tell: Callable[[str], None]) -> DemoState:
    """Load the demo unless the store holds it already; the caller commits.

    Parameters
    ----------
    now
        With a time zone; the cases of a new demo are dated round its day in Shanghai.
    tell
        Called with a line of text for every step worth knowing of.

    Raises
    ------
    DemoRefusedError
        If the demo would touch areas that are not its own. Nothing is changed then.
    """
    wait_for_turn(session)
    day = demo_day(session)
    if day is not None:
        return DemoState(is_new=False, age_days=(now.astimezone(LOCAL_TIME).date() - day).days)
    # Only a first start divides villages: numba and geopandas are not worth waiting for on any other.
    from web.actions.demo_loading import load_demo  # noqa: PLC0415

    load_demo(session, now, tell)
    return DemoState(is_new=True, age_days=0)


def renew_dates(session: Session, now: datetime) -> int:
    """Move the demo's cases so that they are dated round today and return by how many days; the caller commits."""
    wait_for_turn(session)
    day, today = demo_day(session), now.astimezone(LOCAL_TIME).date()
    if day is None or day == today:
        return 0
    from geodata.casebook import move_cases  # noqa: PLC0415 - the same reason as above
    from geodata.samples.index import DISTRICT  # noqa: PLC0415

    move_cases(session, DISTRICT.code, today - day)
    set_demo_day(session, today)
    return (today - day).days
