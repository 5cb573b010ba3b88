"""Open a backup: verify all of it, then lay its dump ready; nothing is restored from a file with a fault."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic.script import ScriptDirectory

from geodata.backup.container import Member, Window, read_container
from geodata.backup.manifest import Manifest
from geodata.backup.refusals import BackupRefusedError, RestoreError
from geodata.backup.scratch import scratch
from geodata.backup.sealing import Opener, open_to
from geodata.database import alembic_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pyrage import x25519

_DUMP_MAGIC = b"PGDMP"
_ROOM = 1.5  # indexes are sorted on the disk, and the log keeps what is loaded for a while
_SPARE = 128 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """A backup that was found whole.

    Attributes
    ----------
    manifest
        What it says of itself.
    dump
        A file for pg_restore, deleted when the borrower is done.
    """

    manifest: Manifest
    dump: Path


@contextmanager
def opened(file: Path, opener: Opener, work: Path, *, has_database: bool) -> Iterator[OpenedBackup]:
    """Lend the content of a backup after all of it was verified.

    Parameters
    ----------
    file
        What `make_backup` wrote.
    opener
        What opens it, when it is encrypted.
    work
        Directory with room for the dump, which is gone at the end.
    has_database
        Whether the database to restore into lies on the disk of that directory, which then needs room for it too.

    Raises
    ------
    BackupRefusedError
        If it is foreign, truncated, changed, newer than this mapgrid, or what opens it is missing or wrong.
    RestoreError
        If the disk has no room for it.
    """
    members = read_container(file)
    with scratch(work, "restoring-") as directory:
        try:
            backup = _extract(file, members, opener, directory)
        except OSError as error:
            raise RestoreError(f"cannot lay the backup ready in {work}: {error.strerror}; make room there") from error
        if has_database:
            _check_room(work, backup.manifest.database_bytes)
        yield backup


def _extract(file: Path, members: Mapping[str, Member], opener: Opener, directory: Path) -> OpenedBackup:
    keys = _keys(file, members, opener)
    by_name = {name.removesuffix(".age"): member for name, member in members.items()}
    manifest = Manifest.from_json(_copy(file, by_name["manifest.json"], keys, directory / "manifest").read_bytes())
    _check_revision(file, manifest)
    if by_name["dump.pgdump"].sha256 != manifest.dump_sha256:
        raise BackupRefusedError(f"{file}: its dump belongs to another backup; nothing was restored")
    dump = _copy(file, by_name["dump.pgdump"], keys, directory / "dump")
    with dump.open("rb") as content:
        if content.read(len(_DUMP_MAGIC)) != _DUMP_MAGIC:
            raise BackupRefusedError(f"{file}: expected a dump of PostgreSQL in it, found something else")
    return OpenedBackup(manifest, dump)


def _keys(file: Path, members: Mapping[str, Member], opener: Opener) -> list[x25519.Identity]:
    if "manifest.json.age" not in members:
        return []
    if "key.age" not in members:
        return opener.keys(None)
    with file.open("rb") as content:
        return opener.keys(Window(content, members["key.age"]).read())


def _copy(file: Path, member: Member, keys: list[x25519.Identity], target: Path) -> Path:
    """Copy a member to a file; it must be what was verified, should somebody have written to the file meanwhile."""
    with file.open("rb") as content, target.open("wb") as copy:
        window = _Hashing(Window(content, member))
        open_to(window, copy, keys)
    if window.sha256 != member.sha256:
        raise BackupRefusedError(f"{file} was changed while it was read; nothing was restored")
    return target


class _Hashing:
    def __init__(self, window: Window) -> None:
        self._window, self._hash = window, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._window.read(size)
        self._hash.update(piece)
        return piece

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _check_room(work: Path, database_bytes: int) -> None:
    """Refuse before the disk is full: PostgreSQL stops working when it cannot write its log."""
    free, needed = shutil.disk_usage(work).free, int(database_bytes * _ROOM) + _SPARE
    if free < needed:
        raise RestoreError(
            f"expected {needed // 2**20} MB free on the disk of {work} to restore beside what is there, "
            f"found {free // 2**20} MB; make room"
        )


def _check_revision(file: Path, manifest: Manifest) -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    if manifest.revision not in {script.revision for script in scripts.walk_revisions()}:
        raise BackupRefusedError(
            f"{file}: its tables are at revision {manifest.revision}, which this mapgrid does not know; "
            f"mapgrid {manifest.mapgrid} made it: install that one or a newer, then restore"
        )
