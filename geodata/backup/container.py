"""The file a backup lies in: a tar archive of fixed shape in which every byte is accounted for.

Members, in this order, all below the directory `mapgrid-backup`::

    format            two lines: what it is and in which format
    key.age           only with a passphrase: the key of the other members, closed with the passphrase
    dump.pgdump       what pg_dump wrote (custom format); dump.pgdump.age when it is encrypted
    manifest.json     what the dump must hold; manifest.json.age when it is encrypted
    SHA256SUMS        of all members before it, as sha256sum writes and checks them

Headers and filling have one permitted form, and nothing follows the end: any changed, missing or additional byte shows.
"""

from __future__ import annotations

import hashlib
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from geodata.backup.refusals import BackupRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT = 1
"""Raised when an older mapgrid could no longer read what this one writes."""

_DIRECTORY = "mapgrid-backup"
_FORMAT, _KEY, _SUMS = "format", "key.age", "SHA256SUMS"
_MAGIC = "mapgrid backup\nformat "
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_PIECE = 2**20
_SHAPES = (
    (_FORMAT, "dump.pgdump", "manifest.json", _SUMS),
    (_FORMAT, "dump.pgdump.age", "manifest.json.age", _SUMS),
    (_FORMAT, _KEY, "dump.pgdump.age", "manifest.json.age", _SUMS),
)


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member's content lies in the file, and its hash.

    Attributes
    ----------
    start, size
        In bytes.
    sha256
        Of the content as it stands in the file, in hexadecimal.
    """

    start: int
    size: int
    sha256: str


class Writing:
    """A member while it is written: hands bytes on and keeps their hash and the fault that stopped them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash = file, hashlib.sha256()
        self.size = 0
        self.fault: OSError | None = None

    def write(self, content: bytes) -> int:
        """Write all of the content."""
        try:
            self._file.write(content)
        except OSError as error:
            self.fault = error
            raise
        self._hash.update(content)
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: the container is flushed as a whole."""

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()


class ContainerWriter:
    """Writes a container to a file that can be sought in, member by member."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sums: dict[str, str] = {}
        self.add(_FORMAT, f"{_MAGIC}{FORMAT}\n".encode())

    @contextmanager
    def member(self, name: str) -> Iterator[Writing]:
        """Lend a member to write to; its header is filled in when its size is known."""
        start = self._file.tell()
        self._file.write(bytes(_BLOCK))
        writing = Writing(self._file)
        yield writing
        self._file.write(bytes(-writing.size % _BLOCK))
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_header(name, writing.size))
        self._file.seek(end)
        self._sums[name] = writing.sha256

    def add(self, name: str, content: bytes) -> None:
        """Write a small member."""
        with self.member(name) as writing:
            writing.write(content)

    def end(self) -> None:
        """Write the hashes of all members and the end of the archive."""
        self.add(_SUMS, _sums(self._sums))
        self._file.write(_END)


class Window:
    """A member while it is read: the part of a file between two places."""

    def __init__(self, file: IO[bytes], member: Member) -> None:
        self._file, self._left = file, member.size
        file.seek(member.start)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all that are left when it is negative, none at the end."""
        content = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(content)
        return content


def read_container(path: Path) -> Mapping[str, Member]:
    """Return the members of a container, by name, after all of it was read and found whole.

    Raises
    ------
    BackupRefusedError
        If it is not one, is truncated or changed, or has a newer format.
    """
    try:
        with path.open("rb") as file:
            return _Reader(path, file).read()
    except OSError as error:
        raise BackupRefusedError(f"cannot read {path}: {error.strerror}") from error


class _Reader:
    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path, self._file = path, file
        self._members: dict[str, Member] = {}

    def read(self) -> Mapping[str, Member]:
        self._check_format()
        while _SUMS not in self._members:
            self._read_member()
        sums = {name: member.sha256 for name, member in self._members.items() if name != _SUMS}
        if self._content(self._members[_SUMS]) != _sums(sums):
            raise self._damaged("its content does not match its hashes")
        if self._file.read() != _END:
            raise self._damaged("it does not end where it should")
        if tuple(self._members) not in _SHAPES:
            raise self._damaged("members are missing or in another order")
        return self._members

    def _check_format(self) -> None:
        """Refuse what is no backup of ours and what a newer mapgrid wrote, before anything else is believed."""
        start = self._file.read(_BLOCK + len(_MAGIC) + 8)
        name = f"{_DIRECTORY}/{_FORMAT}".encode()
        magic, number = start[_BLOCK : _BLOCK + len(_MAGIC)], start[_BLOCK + len(_MAGIC) :].split(b"\n")[0]
        if not start.startswith(name) or magic != _MAGIC.encode() or not number.isdigit():
            raise BackupRefusedError(
                f"{self._path}: expected a file that mapgrid backup wrote, found something else; nothing was changed"
            )
        if int(number) > FORMAT:
            raise BackupRefusedError(
                f"{self._path}: expected format {FORMAT} or older, found {int(number)}; "
                "a newer mapgrid wrote it: install that one, then restore"
            )
        self._file.seek(0)

    def _read_member(self) -> None:
        header = self._file.read(_BLOCK)
        try:
            found = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise self._damaged("a member has no header") from error
        name = found.name.removeprefix(f"{_DIRECTORY}/")
        if name in self._members or found.size < 0 or header != _header(name, found.size):
            raise self._damaged("the header of a member was changed")
        start, digest, left = self._file.tell(), hashlib.sha256(), found.size
        while left:
            piece = self._file.read(min(_PIECE, left))
            if not piece:
                raise self._damaged(f"{left} bytes of {name} are missing")
            digest.update(piece)
            left -= len(piece)
        filling = bytes(-found.size % _BLOCK)
        if self._file.read(len(filling)) != filling:
            raise self._damaged(f"the filling after {name} was changed")
        self._members[name] = Member(start, found.size, digest.hexdigest())

    def _content(self, member: Member) -> bytes:
        here = self._file.tell()
        content = Window(self._file, member).read()
        self._file.seek(here)
        return content

    def _damaged(self, why: str) -> BackupRefusedError:
        return BackupRefusedError(
            f"{self._path}: expected a whole backup, found one that is truncated or was changed ({why}); "
            "nothing was restored; take another copy of it, or an older backup"
        )


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(f"{_DIRECTORY}/{name}")
    entry.size, entry.mode = size, 0o600
    try:
        return entry.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")
    except ValueError:
        return b""  # a name that is none of ours


def _sums(sums: Mapping[str, str]) -> bytes:
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sums.items()).encode()
