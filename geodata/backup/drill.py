"""Prove a backup: restore it where nothing else is, compare, try to work with it, and remove all of it again."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from geodata import cluster
from geodata.backup.checks import Check
from geodata.backup.databases import draft_database, fill, maintenance, name_of
from geodata.backup.opening import opened
from geodata.backup.programs import ProgramError
from geodata.backup.refusals import RestoreError
from geodata.backup.restoring import check_filled
from geodata.backup.scratch import scratch
from geodata.backup.sealing import Opener
from geodata.database import migrate
from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from geodata.backup.manifest import Manifest

_OPEN = Opener()


@dataclass(frozen=True, slots=True)
class Probe:
    """Something to try on a restored store.

    Attributes
    ----------
    subject
        What is tried.
    attempt
        Takes the URL of the store, returns what it found; raises what goes wrong.
    """

    subject: str
    attempt: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a drill found.

    Attributes
    ----------
    manifest
        What the backup says of itself.
    checks
        One per thing that was compared or tried.
    duration_s
        How long the restore and the checks took.
    """

    manifest: Manifest
    checks: tuple[Check, ...]
    duration_s: float

    @property
    def passed(self) -> bool:
        """Whether everything was as it should be."""
        return all(check.passed for check in self.checks)


def drill(
    file: Path, *, home: Path, url: str | None = None, opener: Opener = _OPEN, probes: Sequence[Probe] = ()
) -> Proof:
    """Restore a backup into a throw-away store, and say how that compares with its manifest.

    Parameters
    ----------
    file
        The backup.
    home
        Where to make the throw-away database server; there must be room for the store and its dump.
    url
        An existing server to make a throw-away database on instead.
    opener
        What opens an encrypted backup.
    probes
        What to try on the restored store, after its tables are brought up to date.

    Raises
    ------
    BackupRefusedError
        If the file is not whole, not ours, too new, or cannot be opened.
    RestoreError
        If it cannot be restored at all.
    """
    started = time.monotonic()
    home.mkdir(parents=True, exist_ok=True)
    try:
        with (
            opened(file, opener, home, has_database=url is None) as backup,
            _throw_away(url, home) as (server, its_url),
            draft_database(server, name_of(its_url)) as draft,
        ):
            filled = fill(server, its_url, draft, backup)
            checks = check_filled(filled, backup.manifest)
            checks.append(_attempt(Probe("tables up to date", _migrate), filled))
            checks += [_attempt(probe, filled) for probe in probes]
    except psycopg.Error as error:
        raise RestoreError(f"the server refused the backup: {str(error).strip().splitlines()[0]}") from error
    except ProgramError as error:
        raise RestoreError(f"the backup cannot be restored: {error}") from error
    return Proof(backup.manifest, tuple(checks), time.monotonic() - started)


@contextmanager
def _throw_away(url: str | None, home: Path) -> Iterator[tuple[psycopg.Connection, str]]:
    if url is not None:
        with maintenance(url) as server:
            yield server, url
        return
    with scratch(home, "drill-", _clear) as place:
        place.chmod(0o755)  # the account postgres must get through
        embedded = cluster.start(place, keep=False, settings={"fsync": "off"})  # nothing in it is to last
        with maintenance(embedded.url) as server:
            yield server, embedded.url


def _clear(place: Path) -> None:
    cluster.destroy(place)
    shutil.rmtree(place)


def _migrate(url: str) -> str:
    migrate(url)
    return "the newest revision"


def _attempt(probe: Probe, url: str) -> Check:
    try:
        return Check(probe.subject, passed=True, detail=probe.attempt(url))
    except (MapgridError, psycopg.Error) as error:
        return Check(probe.subject, passed=False, detail=str(error).strip().splitlines()[0])
