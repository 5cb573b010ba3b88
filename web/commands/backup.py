"""`mapgrid backup`: the store in one file, proved at once when asked; nightly backups; base backups."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geodata.backup import nightly as back_up_nightly
from geodata.backup.bases import make_base, prune
from geodata.backup.drill import drill as prove
from geodata.backup.making import Receipt, make_backup
from geodata.backup.notes import note
from geodata.backup.sealing import Opener, Seal, new_identity
from mapgrid.errors import LimitsError
from web.commands.store import archive_log, borrow_store, read_seal, store_probes
from web.settings import Settings, read_settings

if TYPE_CHECKING:
    from geodata.backup.drill import Proof

_FILE = click.Path(path_type=Path, dir_okay=False)
_BASES_KEPT = 2


@click.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--passphrase-file", type=_FILE, help="Encrypt with the first line of this file.")
@click.option("--recipient", "recipients", multiple=True, help="Encrypt for the holder of a key (age1…); repeatable.")
@click.option("--drill", is_flag=True, help="Restore it at once into a throw-away store and compare.")
@click.option("--nightly", is_flag=True, help="Make, prove, and let old ones give way: 7 days and 4 weeks stay.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="Directory of nightly backups.")
@click.option("--base", is_flag=True, help="Make a base backup beside the archived log, for restores to a moment.")
@click.option("--new-key", type=_FILE, help="Write a new secret key to this file and print its recipient.")
def backup(
    file: Path | None,
    passphrase_file: Path | None,
    recipients: tuple[str, ...],
    drill: bool,
    nightly: bool,
    into: Path | None,
    base: bool,
    new_key: Path | None,
) -> None:
    """Write the whole store to a new FILE: complete or not at all, while others go on working.

    It holds where people live. Keep it as you keep the database, or encrypt it (age format).
    """
    if (file is not None) + nightly + base + (new_key is not None) != 1:
        raise click.UsageError("name a FILE, or one of --nightly, --base, --new-key")
    settings = read_settings()
    seal = read_seal(passphrase_file, recipients)
    if base:
        _make_base(settings)
    elif new_key is not None:
        _write_key(new_key)
    elif nightly:
        _back_up_nightly(settings, seal, into)
    elif file is not None:
        _back_up(settings, file.absolute(), seal, drill=drill)


def report(proof: Proof) -> None:
    """Print a line per check; end the program with 1 when one of them failed."""
    for check in proof.checks:
        click.echo(f"  {check}")
    made = f"the backup of {proof.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC (mapgrid {proof.manifest.mapgrid})"
    if not proof.passed:
        click.echo(f"NOT proved: {made}; {proof.duration_s:.1f} s. Do not rely on it; make another.", err=True)
        raise SystemExit(1)
    click.echo(f"Proved: {made} restores whole; {proof.duration_s:.1f} s.")


def _back_up(settings: Settings, file: Path, seal: Seal, *, drill: bool) -> None:
    if drill and seal.recipients:
        raise click.UsageError("--drill has to open the backup; prove it where the key is: mapgrid restore --drill")
    with borrow_store(settings) as url:
        receipt = make_backup(url, file, now=datetime.now(UTC), seal=seal)
        note(url, "backup.made", size=receipt.size, rows=receipt.manifest.contents.rows, encrypted=seal.closes)
    _say_made(receipt, seal)
    if drill:
        home = settings.home
        report(prove(file, home=home, url=settings.database_url, opener=Opener(seal.passphrase), probes=store_probes()))


def _back_up_nightly(settings: Settings, seal: Seal, into: Path | None) -> None:
    with borrow_store(settings) as url:
        night = back_up_nightly(
            settings.home,
            url,
            now=datetime.now(UTC),
            directory=into,
            seal=seal,
            probes=store_probes(),
            is_embedded=settings.database_url is None,
        )
    _say_made(night.receipt, seal)
    report(night.proof)
    for path in night.deleted:
        click.echo(f"Gave way: {path.name}")
    if night.base is not None:
        click.echo(f"The log leads on from the base backup of {night.base.ended_at:%Y-%m-%d %H:%M} UTC.")


def _make_base(settings: Settings) -> None:
    if settings.database_url is not None:
        raise click.UsageError("base backups are of the embedded database; use the tools of your own server")
    archive_log(settings)
    with borrow_store(settings):
        made = make_base(settings.home)
        deleted = prune(settings.home, keep=_BASES_KEPT)
    click.echo(f"{made.directory}: from now on the store can be restored to every moment.")
    for each in deleted:
        click.echo(f"Gave way: {each.directory.name}")


def _write_key(file: Path) -> None:
    secret, public = new_identity()
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(f"# public key: {public}\n{secret}\n")
    except OSError as error:
        raise LimitsError(f"cannot write {file}: {error.strerror}; name a new file") from error
    click.echo(f"{public}\nKeep {file} away from this machine: it opens what is encrypted for the line above.")


def _say_made(receipt: Receipt, seal: Seal) -> None:
    contents = receipt.manifest.contents
    closed = "encrypted" if seal.closes else "not encrypted"
    click.echo(
        f"{receipt.file}: {receipt.size / 1e6:.1f} MB, {closed}, {contents.rows} rows of {len(contents.tables)} "
        f"tables, {receipt.duration_s:.1f} s"
    )
