"""`mapgrid audit`: is the trail whole, and what is over is removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from geodata import audit as trail
from geodata.database import open_engine, open_store, session_maker
from web.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from sqlalchemy.orm import Session

    Result = TypeVar("Result")

_BROKEN = 1


@click.group()
def audit() -> None:
    """Check and prune the audit trail."""


@audit.command()
@click.option("--head", help="NUMBER:MARK noted earlier: that entry must still be there.")
def verify(head: str | None) -> None:
    """Check that no entry of the trail was changed, removed or put in. Ends with 0 when it is whole, 1 when not.

    Print and note the head somewhere else: it shows later that nothing was cut off at the end.
    """
    noted = _read_head(head) if head else None

    def check(session: Session) -> tuple[list[trail.Break], tuple[int, str], str | None]:
        found = None if noted is None else trail.hash_of_entry(session, noted[0])
        return trail.find_breaks(session), trail.head_of_trail(session), found

    breaks, (number, mark), found = _with_session(check)
    for broken in breaks:
        click.echo(f"entry {broken.id}: {broken.fault}", err=True)
    is_missing = noted is not None and (found is None or not found.startswith(noted[1]))
    if noted is not None and is_missing:
        click.echo(f"entry {noted[0]}: not there as it was noted", err=True)
    if breaks or is_missing:
        raise SystemExit(_BROKEN)
    click.echo(f"the trail is whole; head {number}:{mark[:16]}")


@audit.command()
@click.option("--days", type=click.IntRange(trail.SHORTEST_DAYS), default=365, show_default=True, help="Keep so many.")
def prune(days: int) -> None:
    """Remove the entries that are older; the rest stays chained to them."""
    removed = _with_session(lambda session: trail.prune(session, datetime.now(UTC) - timedelta(days=days)))
    click.echo(f"removed {removed} entries older than {days} days")


def _read_head(head: str) -> tuple[int, str]:
    number, _colon, mark = head.partition(":")
    if not (number.isdecimal() and len(mark) >= 8):
        raise click.BadParameter(
            f"expected NUMBER:MARK such as 1204:9f86d081884c7d65, found {head}", param_hint="--head"
        )
    return int(number), mark.lower()


def _with_session(work: Callable[[Session], Result]) -> Result:
    settings = read_settings()
    with open_store(settings.database_url, settings.home) as url:
        engine = open_engine(url)
        try:
            with session_maker(engine).begin() as session:
                return work(session)
        finally:
            engine.dispose()
