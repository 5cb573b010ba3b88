"""`mapgrid serve`: the pages and the JSON API."""

from __future__ import annotations

from dataclasses import replace

import click

from geodata.database import open_store
from web.commands.store import archive_log, begin_archive
from web.server import listen
from web.server import serve as serve_until_interrupted
from web.settings import read_settings


@click.command()
@click.option("--host", help="Address to listen on. Default: MAPGRID_HOST, or 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one. Default: MAPGRID_PORT, or 8000.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the map on this machine until Ctrl-C.

    The embedded database is started when needed and stopped at the end, unless `mapgrid db start` started it.
    Its log is archived in MAPGRID_ARCHIVE, `archive` below MAPGRID_HOME unless told; 0 turns that off.
    """
    settings = read_settings()
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    listen(settings).close()  # a busy port is said before the database starts
    archive_log(settings)
    with open_store(settings.database_url, settings.home) as database_url:
        begin_archive(settings)
        raise SystemExit(serve_until_interrupted(database_url, settings))
