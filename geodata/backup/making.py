"""Make a backup: one consistent snapshot of the store in one file."""

from __future__ import annotations

import io
import os
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

import psycopg

from geodata.backup.container import ContainerWriter
from geodata.backup.manifest import Manifest, describe
from geodata.backup.programs import ProgramError, client_for, conninfo, reading
from geodata.backup.refusals import BackupError
from geodata.backup.sealing import Seal, close

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from pyrage import x25519

_NO_SEAL = Seal()
_COMPRESSION = 3  # on households with geometry a fifth larger than 9, in a third of the time


@dataclass(frozen=True, slots=True)
class Receipt:
    """A backup that was made.

    Attributes
    ----------
    file
        Where it lies.
    size
        In bytes.
    duration_s
        How long it took.
    manifest
        What it says of itself.
    """

    file: Path
    size: int
    duration_s: float
    manifest: Manifest


def make_backup(url: str, file: Path, *, now: datetime, seal: Seal = _NO_SEAL) -> Receipt:
    """Write the whole database of a URL to a new file, complete or not at all.

    Parameters
    ----------
    url
        Of a database with a store in it, at whatever revision; others may go on working on it.
    file
        Where to write; it must not exist yet. Only its owner may read it.
    now
        The moment to write into the manifest.
    seal
        How to encrypt it.

    Raises
    ------
    BackupError
        If it cannot be made: the file exists, the disk is full, the database is away or hides rows from its user.
    """
    _check_place(file)
    started = time.monotonic()
    try:
        with _connected(url) as connection, _draft_of(file) as draft:
            manifest = _write(draft, connection, url, seal, now)
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be read: {_first_line(error)}") from error
    except ProgramError as error:
        raise BackupError(f"the backup was not made: {error}") from error
    return Receipt(file, file.stat().st_size, time.monotonic() - started, manifest)


def _check_place(file: Path) -> None:
    if file.exists() or file.is_symlink():
        raise BackupError(
            f"expected the name of a new file, found {file}, which exists; backups are never written over"
        )
    if not file.parent.is_dir():
        raise BackupError(f"expected a file in an existing directory, found no directory {file.parent}; make it first")


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection whose transaction sees one moment until its end."""
    with psycopg.connect(conninfo(url), client_encoding="utf8") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


@contextmanager
def _draft_of(file: Path) -> Iterator[IO[bytes]]:
    """Lend a file of another name beside the one wanted, which it becomes when it is complete and on the disk."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.partial")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as writing:
            yield writing
            writing.flush()
            os.fsync(writing.fileno())
        _check_place(file)
        draft.rename(file)
        _sync_directory(file.parent)
    except OSError as error:
        raise BackupError(
            f"cannot write {file}: {error.strerror}; nothing was kept; make room or rights there"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _write(target: IO[bytes], connection: psycopg.Connection[Any], url: str, seal: Seal, now: datetime) -> Manifest:
    snapshot = connection.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
    manifest = describe(connection, now)
    writer = ContainerWriter(target)
    closed_key, recipients = seal.make_keys()
    suffix = ".age" if seal.closes else ""
    if closed_key is not None:
        writer.add("key.age", closed_key)
    dump_sha256 = _dump(writer, f"dump.pgdump{suffix}", recipients, url, manifest, str(snapshot and snapshot[0]))
    manifest = replace(manifest, dump_sha256=dump_sha256)
    with writer.member(f"manifest.json{suffix}") as member:
        close(io.BytesIO(manifest.to_json()), member, recipients)
    writer.end()
    return manifest


def _dump(
    writer: ContainerWriter,
    name: str,
    recipients: Sequence[x25519.Recipient],
    url: str,
    manifest: Manifest,
    snapshot: str,
) -> str:
    """Let pg_dump write the snapshot into a member; return the hash of the member."""
    program = client_for("pg_dump", manifest.server_major)
    arguments = ["--format=custom", f"--compress={_COMPRESSION}", f"--snapshot={snapshot}", "--lock-wait-timeout=60s"]
    arguments.append("--enable-row-security")  # policies that let the owner see all are no hindrance
    with writer.member(name) as member:
        with reading(program, arguments, url) as dump:
            close(dump, member, recipients)
        return member.sha256


def _sync_directory(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
