"""`mapgrid restore`: a backup back in place, the store as it was at a moment, or a proof that touches nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geodata.backup.drill import drill as prove
from geodata.backup.notes import in_words, note
from geodata.backup.restoring import Restored
from geodata.backup.restoring import drop_old as drop_old_databases
from geodata.backup.restoring import restore as put_back
from geodata.backup.rewind import Rewound, drop_old_data, rewind
from web.commands.backup import report
from web.commands.store import borrow_store, read_opener, store_probes
from web.settings import Settings, read_settings

if TYPE_CHECKING:
    from geodata.backup.sealing import Opener

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--replace", is_flag=True, help="Put a store that holds something aside; it is kept.")
@click.option("--drill", is_flag=True, help="Restore into a throw-away store, compare, remove it. Changes nothing.")
@click.option("--at", metavar="MOMENT", help='Bring the embedded store back to "2026-11-26 14:05" or to "latest".')
@click.option("--drop-old", is_flag=True, help="Delete what earlier restores have put aside.")
@click.option("--passphrase-file", type=_FILE, help="The passphrase of an encrypted backup, in the first line.")
@click.option("--identity-file", type=_FILE, help="A secret key (AGE-SECRET-KEY-1…) of an encrypted backup.")
def restore(
    file: Path | None,
    replace: bool,
    drill: bool,
    at: str | None,
    drop_old: bool,
    passphrase_file: Path | None,
    identity_file: Path | None,
) -> None:
    """Put the backup FILE in the place of the store, whole or not at all.

    It is verified, restored beside the store, compared with what it says of itself, brought up to date, and only
    then put in place, in one step. --at does the same from the archived log.
    """
    if (file is not None) + (at is not None) + drop_old != 1:
        raise click.UsageError("name a FILE, or one of --at, --drop-old")
    settings = read_settings()
    if drop_old:
        _drop_old(settings)
    elif at is not None:
        _rewind(settings, _moment(at))
    elif file is not None and drill:
        opener = read_opener(passphrase_file, identity_file)
        report(prove(file, home=settings.home, url=settings.database_url, opener=opener, probes=store_probes()))
    elif file is not None:
        _restore(settings, file, read_opener(passphrase_file, identity_file), replace=replace)


def _restore(settings: Settings, file: Path, opener: Opener, *, replace: bool) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    with borrow_store(settings, may_be_new=True) as url:
        done = put_back(
            url,
            file,
            now=datetime.now(UTC),
            work=settings.home,
            has_database=settings.database_url is None,
            opener=opener,
            replace=replace,
        )
        note(url, "backup.restored", made_at=in_words(done.manifest.made_at), kept=done.kept)
    _say_restored(done)


def _rewind(settings: Settings, moment: datetime | None) -> None:
    if settings.database_url is not None:
        raise click.UsageError("--at is for the embedded database; use the tools of your own server")
    done = rewind(settings.home, moment, now=datetime.now(UTC))
    with borrow_store(settings) as url:
        note(url, "store.rewound", asked=in_words(moment), reached=in_words(done.reached_at))
    _say_rewound(done)


def _moment(text: str) -> datetime | None:
    """Return the moment meant, in the machine's time zone unless it names one; None for the latest."""
    if text == "latest":
        return None
    try:
        return datetime.fromisoformat(text).astimezone()  # without a zone it is local time
    except ValueError as error:
        raise click.BadParameter(
            f'expected "2026-11-26 14:05", with seconds or zone if need be, or "latest"; found {text!r}'
        ) from error


def _drop_old(settings: Settings) -> None:
    with borrow_store(settings) as url:
        dropped = drop_old_databases(url)
    if settings.database_url is None:
        dropped += drop_old_data(settings.home)
    click.echo(f"Deleted: {', '.join(dropped)}" if dropped else "There was nothing put aside.")


def _say_restored(done: Restored) -> None:
    for check in done.checks:
        click.echo(f"  {check}")
    click.echo(
        f"Restored: the store of {done.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, {done.manifest.contents.rows} rows, "
        f"{done.duration_s:.1f} s."
    )
    if done.kept:
        click.echo(f"The store that was there is kept as {done.kept}; mapgrid restore --drop-old deletes it.")


def _say_rewound(done: Rewound) -> None:
    reached = f"{done.reached_at:%Y-%m-%d %H:%M:%S %Z}" if done.reached_at else "the base backup"
    click.echo(f"Restored: the last transaction is of {reached}; {done.duration_s:.1f} s.")
    if done.gap:
        click.echo("The archived log has a gap; what came after it could not be restored.", err=True)
    if done.kept:
        click.echo(f"What was there is kept in {done.kept}; mapgrid restore --drop-old deletes it.")
