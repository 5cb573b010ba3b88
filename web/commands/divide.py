"""`mapgrid divide`: divide a village of the store and publish its first plan."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from geodata.database import open_engine, open_store, session_maker
from mapgrid.errors import InputRefusedError, MapgridError
from mapgrid.partition import warm
from mapgrid.times import LOCAL_TIME
from mapgrid.village import Limits
from web.actions.divide_village import divide_village
from web.settings import read_settings

_REFUSED = 2
_WITH_REASONS = 3


@click.command()
@click.argument("village")
@click.option("--min", "least", type=int, default=50, show_default=True, help="Fewest households of a grid.")
@click.option("--max", "most", type=int, default=100, show_default=True, help="Most households of a grid.")
@click.option("--target", type=int, default=75, show_default=True, help="Wished-for households of a grid.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number, another plan.")
@click.option("--from", "starts", metavar="DATE", help="First day of the plan, 2026-03-05. Default: today.")
def divide(village: str, least: int, most: int, target: int, seed: int, starts: str | None) -> None:
    """Divide VILLAGE (12 digits), whose boundary and households are in the store, and publish the plan.

    Barriers that were imported are walls. Ends with 0 when all grids are within the limits, 3 when reasons say why some
    are not, 2 when the village cannot be divided; nothing is stored then.
    """
    settings = read_settings()
    try:
        limits = Limits(min=least, max=most, target=target)
        starts_on = date.fromisoformat(starts) if starts else datetime.now(UTC).astimezone(LOCAL_TIME).date()
        warm()
        with open_store(settings.database_url, settings.home) as url:
            engine = open_engine(url)
            try:
                with session_maker(engine).begin() as session:
                    plan = divide_village(session, village, limits=limits, seed=seed, starts_on=starts_on)
            finally:
                engine.dispose()
    except InputRefusedError as refused:
        for fault in refused.faults:
            click.echo(str(fault), err=True)
        raise SystemExit(_REFUSED) from refused
    except (MapgridError, ValueError) as refused:
        click.echo(str(refused), err=True)
        raise SystemExit(_REFUSED) from refused
    for reason in plan.reasons:
        click.echo(f"grid {reason.grid}: {reason.code}: {reason.detail}", err=True)
    weight = plan.grids["weight"]
    click.echo(
        f"{weight.sum()} households in {len(weight)} grids of {weight.min()}–{weight.max()}, published from {starts_on}"
    )
    raise SystemExit(_WITH_REASONS if plan.reasons else 0)
