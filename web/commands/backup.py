"""`mapgrid backup`: the store in one file, proved at once when asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geodata.backup.drill import drill as prove
from geodata.backup.making import Receipt, make_backup
from geodata.backup.sealing import Opener, Seal
from web.commands.store import borrow_store, read_seal, store_probes
from web.settings import read_settings

if TYPE_CHECKING:
    from geodata.backup.drill import Proof

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--passphrase-file", type=_FILE, help="Encrypt with the first line of this file.")
@click.option("--recipient", "recipients", multiple=True, help="Encrypt for the holder of a key (age1…); repeatable.")
@click.option("--drill", is_flag=True, help="Restore it at once into a throw-away store and compare.")
def backup(file: Path, passphrase_file: Path | None, recipients: tuple[str, ...], drill: bool) -> None:
    """Write the whole store to a new FILE: complete or not at all, while others go on working.

    It holds where people live. Keep it as you keep the database, or encrypt it (age format).
    """
    settings = read_settings()
    seal = read_seal(passphrase_file, recipients)
    if drill and recipients:
        raise click.UsageError("--drill has to open the backup; prove it where a key is: mapgrid restore --drill")
    with borrow_store(settings) as url:
        receipt = make_backup(url, file.absolute(), now=datetime.now(UTC), seal=seal)
    say_made(receipt, seal)
    if drill:
        home = settings.home
        report(prove(file, home=home, url=settings.database_url, opener=Opener(seal.passphrase), probes=store_probes()))


def say_made(receipt: Receipt, seal: Seal) -> None:
    """Say what a backup holds."""
    contents = receipt.manifest.contents
    closed = "encrypted" if seal.closes else "not encrypted"
    click.echo(
        f"{receipt.file}: {receipt.size / 1e6:.1f} MB, {closed}, {contents.rows} rows of {len(contents.tables)} "
        f"tables, {receipt.duration_s:.1f} s"
    )


def report(proof: Proof) -> None:
    """Print a line per check; end the program with 1 when one of them failed."""
    for check in proof.checks:
        click.echo(f"  {check}")
    made = f"the backup of {proof.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC (mapgrid {proof.manifest.mapgrid})"
    if not proof.passed:
        click.echo(f"NOT proved: {made}; {proof.duration_s:.1f} s. Do not rely on it; make another.", err=True)
        raise SystemExit(1)
    click.echo(f"Proved: {made} restores whole; {proof.duration_s:.1f} s.")
