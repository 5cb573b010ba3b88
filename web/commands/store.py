"""The store that a command of backups works on, and what closes and opens its backups."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from geodata import archiving, cluster
from geodata.backup.bases import ensure_base
from geodata.backup.drill import Probe
from geodata.backup.probes import STORE_PROBES
from geodata.backup.refusals import BackupError
from geodata.backup.sealing import Opener, Seal
from geodata.database import check_existing
from geodata.postgres import ClusterError
from mapgrid.errors import LimitsError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from web.settings import Settings


@contextmanager
def borrow_store(settings: Settings, *, may_be_new: bool = False) -> Iterator[str]:
    """Lend the URL of the store as it is: its tables are not brought up to date.

    Raises
    ------
    NotFoundError
        If there is none yet and none may be made.
    """
    if settings.database_url is not None:
        check_existing(settings.database_url)
        yield settings.database_url
        return
    if not (may_be_new or (settings.home / "database" / "data").exists()):
        raise NotFoundError(f"there is no database in {settings.home} to back up; mapgrid db start makes one")
    with cluster.running(settings.home) as embedded:
        yield embedded.url


def archive_log(settings: Settings) -> None:
    """Let the embedded database archive its log from its next start on, or no longer, as the settings say."""
    if settings.database_url is not None:
        return
    if settings.archive is None:
        archiving.turn_off(settings.home)
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        archiving.turn_on(settings.home, settings.archive)
    except ClusterError as error:
        if not archiving.is_on(settings.home):
            raise
        click.echo(f"WARNING: {error}; the store is served, its log waits beside the database", err=True)


def begin_archive(settings: Settings) -> None:
    """Make the base backup that the archived log of the running embedded database leads on from, unless it is there."""
    if settings.database_url is not None or settings.archive is None:
        return
    try:
        is_archived = ensure_base(settings.home) is not None
    except BackupError as error:  # a full archive is no reason not to serve
        click.echo(f"WARNING: {error}", err=True)
        return
    if not is_archived:
        click.echo(
            "WARNING: the log is not archived: the database has run since before that was turned on; "
            "mapgrid db stop, then start again",
            err=True,
        )


def read_seal(passphrase_file: Path | None, recipients: tuple[str, ...]) -> Seal:
    """Return how a backup is to be closed."""
    return Seal(_first_line_of(passphrase_file), recipients)


def read_opener(passphrase_file: Path | None, identity_file: Path | None) -> Opener:
    """Return what opens a backup; an identity file is what age-keygen writes: comments and secret keys."""
    lines = _text_of(identity_file).splitlines() if identity_file else []
    identities = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    return Opener(_first_line_of(passphrase_file), identities)


def store_probes() -> tuple[Probe, ...]:
    """Return what to try on a restored store, beside comparing it."""
    return (*STORE_PROBES, Probe("pages", _open_pages))


def _open_pages(url: str) -> str:
    """Ask the application on a restored store for the page where people sign in."""
    from web.app import create_app  # noqa: PLC0415 - only a drill waits for the pages to load

    app = create_app(url)
    try:
        status = app.test_client().get("/", follow_redirects=True).status_code
    finally:
        app.extensions["engine"].dispose()
    if status >= 400:
        raise NotFoundError(f"expected the page where people sign in, found status {status}")
    return "people can sign in"


def _first_line_of(file: Path | None) -> str | None:
    if file is None:
        return None
    line = _text_of(file).split("\n", 1)[0].rstrip("\r")
    if not line:
        raise LimitsError(f"{file}: expected a passphrase in its first line, found none")
    return line


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LimitsError(f"cannot read {file} as text: {error}") from error
