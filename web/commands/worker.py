"""`mapgrid worker`: work in the background, on a machine beside the server."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import click

from geodata.database import open_store
from web import logs
from web.job_worker import work
from web.settings import read_settings


@click.command()
def worker() -> None:
    """Take jobs from the queue until Ctrl-C.

    `mapgrid serve` runs a worker by itself; this one is for a second machine that works on the same database, or to
    work while the pages are not served.
    """
    settings = read_settings()
    logs.configure()
    with open_store(settings.database_url, settings.home) as database_url:
        # Each job is a process, which finds its settings in the environment.
        os.environ |= {"MAPGRID_DATABASE_URL": database_url, "MAPGRID_HOME": str(settings.home)}
        own = replace(settings, database_url=database_url)
        asyncio.run(work(own, lambda: click.echo("mapgrid takes jobs  (Ctrl-C ends it)")))
