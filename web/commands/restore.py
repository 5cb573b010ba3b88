"""`mapgrid restore`: a backup back in place, or proved without touching anything."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from geodata.backup.drill import drill as prove
from geodata.backup.restoring import Restored
from geodata.backup.restoring import drop_old as drop_old_databases
from geodata.backup.restoring import restore as put_back
from web.commands.backup import report
from web.commands.store import borrow_store, read_opener, store_probes
from web.settings import Settings, read_settings

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--replace", is_flag=True, help="Put a store that holds something aside; it is kept.")
@click.option("--drill", is_flag=True, help="Restore into a throw-away store, compare, remove it. Changes nothing.")
@click.option("--drop-old", is_flag=True, help="Delete the stores that earlier restores have put aside.")
@click.option("--passphrase-file", type=_FILE, help="The passphrase of an encrypted backup, in the first line.")
@click.option("--identity-file", type=_FILE, help="A secret key (AGE-SECRET-KEY-1…) of an encrypted backup.")
def restore(
    file: Path | None,
    replace: bool,
    drill: bool,
    drop_old: bool,
    passphrase_file: Path | None,
    identity_file: Path | None,
) -> None:
    """Put the backup FILE in the place of the store, whole or not at all.

    It is verified, restored beside the store, compared with what it says of itself, brought up to date, and only
    then put in place, in one step.
    """
    settings = read_settings()
    if drop_old:
        _drop_old(settings)
        return
    if file is None:
        raise click.UsageError("name the backup to restore")
    opener = read_opener(passphrase_file, identity_file)
    if drill:
        home = settings.home
        report(prove(file, home=home, url=settings.database_url, opener=opener, probes=store_probes()))
        return
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
    _say_restored(done)


def _drop_old(settings: Settings) -> None:
    with borrow_store(settings) as url:
        dropped = drop_old_databases(url)
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
