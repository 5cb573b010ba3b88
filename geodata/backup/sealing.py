"""Encryption of backups in the age format, with a passphrase or for the holders of keys.

A passphrase closes a key made for this one backup, and the key closes the rest: members are encrypted as they come,
whatever their size, and the slow derivation from the passphrase happens once. By hand::

    age --decrypt key.age > key ; age --decrypt --identity key dump.pgdump.age > dump.pgdump
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Protocol

import pyrage
from pyrage import passphrase as with_passphrase
from pyrage import x25519

from geodata.backup.refusals import BackupError, BackupRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geodata.backup.container import Writing

_PIECE = 2**20
_SHORTEST_PASSPHRASE = 12


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int = ..., /) -> bytes:
        """Return up to `size` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class Seal:
    """How a backup is closed; neither a passphrase nor recipients leave it open.

    Attributes
    ----------
    passphrase
        Opens it again.
    recipients
        Public keys (`age1…`) whose holders can open it.
    """

    passphrase: str | None = field(default=None, repr=False)
    recipients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.passphrase is not None and self.recipients:
            raise BackupError("expected a passphrase or recipients, found both; choose one")
        if self.passphrase is not None and len(self.passphrase) < _SHORTEST_PASSPHRASE:
            raise BackupError(
                f"expected a passphrase of {_SHORTEST_PASSPHRASE} characters or more, found {len(self.passphrase)}; "
                "four random words do"
            )

    @property
    def closes(self) -> bool:
        """Whether it encrypts at all."""
        return self.passphrase is not None or bool(self.recipients)

    def make_keys(self) -> tuple[bytes | None, list[x25519.Recipient]]:
        """Return the closed key to keep beside the content, None without a passphrase, and whom to encrypt for."""
        if self.passphrase is not None:
            key = x25519.Identity.generate()
            return with_passphrase.encrypt(str(key).encode(), self.passphrase), [key.to_public()]
        return None, [_recipient(each) for each in self.recipients]


@dataclass(frozen=True, slots=True)
class Opener:
    """What opens a closed backup.

    Attributes
    ----------
    passphrase
        The one it was closed with.
    identities
        Secret keys (`AGE-SECRET-KEY-1…`).
    """

    passphrase: str | None = field(default=None, repr=False)
    identities: tuple[str, ...] = field(default=(), repr=False)

    def keys(self, closed_key: bytes | None) -> list[x25519.Identity]:
        """Return the keys that open the members of a backup.

        Raises
        ------
        BackupRefusedError
            If the passphrase is missing or wrong, or there is no key.
        """
        if closed_key is not None:
            return [_identity(self._open_key(closed_key))]
        if not self.identities:
            raise BackupRefusedError(
                "the backup is encrypted for the holders of keys; name a file with one of them: --identity-file"
            )
        return [_identity(each) for each in self.identities]

    def _open_key(self, closed_key: bytes) -> str:
        if self.passphrase is None:
            raise BackupRefusedError("the backup is encrypted; name the file with its passphrase: --passphrase-file")
        try:
            return str(with_passphrase.decrypt(closed_key, self.passphrase), "ascii")
        except (pyrage.DecryptError, UnicodeDecodeError) as error:
            raise BackupRefusedError(
                "expected the passphrase that the backup was closed with, found another; nothing was changed"
            ) from error


def new_identity() -> tuple[str, str]:
    """Return a new secret key and the public key that belongs to it."""
    key = x25519.Identity.generate()
    return str(key), str(key.to_public())


def close(source: Readable, target: Writing, recipients: Sequence[x25519.Recipient]) -> None:
    """Copy all of a source to a member, encrypted when there are recipients."""
    if not recipients:
        while piece := source.read(_PIECE):
            target.write(piece)
        return
    try:
        pyrage.encrypt_io(source, target, list(recipients))
    except pyrage.EncryptError as error:
        raise target.fault or BackupError(f"the backup cannot be encrypted: {error}") from error


def open_to(source: Readable, target: IO[bytes], keys: Sequence[x25519.Identity]) -> None:
    """Copy all of a member to a file, decrypted when there are keys.

    Raises
    ------
    BackupRefusedError
        If no key opens it, or it was changed.
    """
    if not keys:
        shutil.copyfileobj(source, target, _PIECE)
        return
    try:
        pyrage.decrypt_io(source, target, list(keys))
    except pyrage.DecryptError as error:
        raise BackupRefusedError("none of the keys opens the backup; nothing was changed") from error
    except OSError as error:
        if error.errno is not None:  # the target's own fault, such as a full disk
            raise
        raise BackupRefusedError("the encrypted content of the backup was changed; nothing was restored") from error


def _recipient(text: str) -> x25519.Recipient:
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise BackupError(f"expected a public key as age-keygen prints it (age1…), found {text[:8]!r}…") from error


def _identity(text: str) -> x25519.Identity:
    try:
        return x25519.Identity.from_str(text)
    except pyrage.IdentityError as error:
        raise BackupRefusedError("expected a secret key as age-keygen writes it (AGE-SECRET-KEY-1…)") from error
