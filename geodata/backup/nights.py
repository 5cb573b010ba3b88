"""The nightly backup: made, proved by its restore, and only then counted; the oldest give way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from geodata import cluster
from geodata.backup.bases import Base, ensure_base, prune
from geodata.backup.drill import Probe, Proof, drill
from geodata.backup.making import Receipt, make_backup
from geodata.backup.notes import note
from geodata.backup.refusals import BackupError
from geodata.backup.sealing import Opener, Seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_NAME = "mapgrid-%Y%m%dT%H%M%SZ"
_PROVED, _UNPROVED = ".backup", ".unproved"
_BASES = 2
_NO_SEAL = Seal()


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many nightly backups stay.

    Attributes
    ----------
    daily
        The newest of as many days.
    weekly
        The newest of as many weeks.
    """

    daily: int = 7
    weekly: int = 4


@dataclass(frozen=True, slots=True)
class Night:
    """What a night brought.

    Attributes
    ----------
    receipt
        The backup; its file ends in `.unproved` when the proof failed.
    proof
        What its restore showed.
    deleted
        Older backups that gave way.
    base
        The base backup from which the archived log leads on, None where the log is not archived.
    """

    receipt: Receipt
    proof: Proof
    deleted: tuple[Path, ...]
    base: Base | None


_USUAL = Rotation()


def nightly(
    home: Path,
    url: str,
    *,
    now: datetime,
    directory: Path | None = None,
    rotation: Rotation = _USUAL,
    seal: Seal = _NO_SEAL,
    probes: Sequence[Probe] = (),
    is_embedded: bool = True,
) -> Night:
    """Make a backup, prove it, let older ones give way; renew the base backup of the archived log every week.

    Parameters
    ----------
    home
        Directory of the embedded database, and of the throw-away one.
    url
        Of the store.
    now
        The moment to name the backup by.
    directory
        Where backups are kept; None for `backups` below the home. Another disk is better.
    rotation
        How many stay.
    seal
        How to encrypt; with a passphrase or not at all, as the proof has to open it.
    probes
        What to try on the restored store.
    is_embedded
        Whether the store is the embedded one; another one is proved on its own server.

    Raises
    ------
    BackupError, RestoreError
        If there is no backup, or nothing to prove; no older one was deleted.
    """
    if seal.recipients:
        raise BackupError("a nightly backup is proved at once, so it needs a passphrase or no encryption")
    kept = directory or home / "backups"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    for remains in kept.glob(f"mapgrid-*{_UNPROVED}"):
        remains.unlink()
    receipt = make_backup(url, kept / now.astimezone(UTC).strftime(_NAME + _UNPROVED), now=now, seal=seal)
    proof = drill(
        receipt.file,
        home=home,
        url=None if is_embedded else url,
        opener=Opener(seal.passphrase),
        probes=probes,
    )
    made = {"size": receipt.size, "rows": receipt.manifest.contents.rows, "encrypted": seal.closes}
    note(url, "backup.made", **made, proved=proof.passed)
    if not proof.passed:
        return Night(receipt, proof, (), None)
    proved = receipt.file.rename(receipt.file.with_suffix(_PROVED))
    deleted = _rotate(kept, rotation)
    base = _renew_base(home, now) if is_embedded and cluster.status(home) else None
    return Night(Receipt(proved, receipt.size, receipt.duration_s, receipt.manifest), proof, deleted, base)


def superfluous(moments: Iterable[datetime], rotation: Rotation) -> set[datetime]:
    """Return the moments of backups that give way: neither the newest of a kept day nor of a kept week."""
    newest_first = sorted(moments, reverse=True)
    by_day: dict[object, datetime] = {}
    by_week: dict[object, datetime] = {}
    for moment in newest_first:
        by_day.setdefault(moment.date(), moment)
        by_week.setdefault(moment.isocalendar()[:2], moment)
    stay = {*list(by_day.values())[: rotation.daily], *list(by_week.values())[: rotation.weekly]}
    return set(newest_first) - stay


def backups_in(directory: Path) -> dict[datetime, Path]:
    """Return the proved nightly backups of a directory by their moment, the oldest first."""
    found = {}
    for path in sorted(directory.glob(f"mapgrid-*{_PROVED}")):
        try:
            found[datetime.strptime(path.stem, _NAME).replace(tzinfo=UTC)] = path
        except ValueError:
            continue  # somebody's own name: not ours to delete
    return found


def _rotate(directory: Path, rotation: Rotation) -> tuple[Path, ...]:
    backups = backups_in(directory)
    deleted = tuple(backups[moment] for moment in sorted(superfluous(backups, rotation)))
    for path in deleted:
        path.unlink()
    return deleted


def _renew_base(home: Path, now: datetime) -> Base | None:
    base = ensure_base(home, not_before=now - timedelta(days=7))
    if base is not None:
        prune(home, keep=_BASES)
    return base
