"""Files that people send, kept in a private directory until they are imported, dropped, or an hour old.

A directory per upload, named by an unguessable token, readable by the server's account alone. Beside the file lie who
sent it and for what, how far its import is, and whether it was given up: any process of the server can tell.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
import unicodedata
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app

from geodata.files.child import GivenUpError
from mapgrid.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.datastructures import FileStorage

LARGEST_BYTES = 64 * 1024 * 1024
"""Largest file that is taken by way of a browser; the command line takes larger ones."""

_KEPT_S = 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_LONGEST_NAME = 120
_ABOUT, _STAGE, _GIVEN_UP, _FILE, _REPORT = "about.json", "stage", "given-up", "file", "report.json"


@dataclass(frozen=True, slots=True)
class About:
    """Who sent a file, and for what."""

    account_id: int
    village_code: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent."""

    token: str
    about: About
    directory: Path

    @property
    def file(self) -> str:
        """Where it lies, as imports name files."""
        return str(self.directory / _FILE / self.about.name)

    def tell(self, stage: str) -> None:
        """Keep what its import is doing now, or raise `GivenUpError`."""
        if self.is_given_up():
            raise GivenUpError("the import was given up; nothing was changed")
        (self.directory / _STAGE).write_text(stage)

    def stage(self) -> str | None:
        """Return what its import is doing, None before and after."""
        try:
            return (self.directory / _STAGE).read_text() or None
        except OSError:
            return None

    def give_up(self) -> None:
        """Ask its import to stop where it is."""
        (self.directory / _GIVEN_UP).touch()

    def is_given_up(self) -> bool:
        """Say whether that was asked for."""
        return (self.directory / _GIVEN_UP).exists()

    def begin(self) -> None:
        """Forget that an earlier import of it was given up."""
        (self.directory / _GIVEN_UP).unlink(missing_ok=True)

    def end(self, kept: dict[str, Any] | None = None) -> None:
        """Keep what an import found, for the page that shows it."""
        (self.directory / _STAGE).unlink(missing_ok=True)
        if kept is not None:
            (self.directory / _REPORT).write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")

    def found(self) -> dict[str, Any] | None:
        """Return what the last import found, None before the first."""
        try:
            kept: dict[str, Any] = json.loads((self.directory / _REPORT).read_text(encoding="utf-8"))
        except OSError:
            return None
        return kept

    def drop(self) -> None:
        """Remove it."""
        shutil.rmtree(self.directory, ignore_errors=True)


def keep(sent: FileStorage, account_id: int, village_code: str, kind: str) -> Upload:
    """Keep a file that was sent and return it; those that are too old go."""
    _drop_old()
    token = secrets.token_urlsafe(16)
    directory = _root() / token
    (directory / _FILE).mkdir(mode=0o700, parents=True)
    directory.chmod(0o700)
    upload = Upload(token, About(account_id, village_code, kind, plain_name(sent.filename or "")), directory)
    with closing(sent):
        sent.save(upload.file)
    (directory / _ABOUT).write_text(json.dumps(asdict(upload.about), ensure_ascii=False), encoding="utf-8")
    return upload


def find(token: str, account_id: int, village_code: str) -> Upload:
    """Return a file that the account sent for the village, or raise `NotFoundError`."""
    directory = _root() / token
    try:
        if not _TOKEN.fullmatch(token):
            raise FileNotFoundError
        about = About(**json.loads((directory / _ABOUT).read_text(encoding="utf-8")))
    except OSError as error:
        raise NotFoundError("no such upload; send the file again") from error
    if (about.account_id, about.village_code) != (account_id, village_code):
        raise NotFoundError("no such upload; send the file again")
    return Upload(token, about, directory)


def plain_name(given: str) -> str:
    """Return the name that a file is kept and shown by: the last part of the given one, without unseen characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    seen = "".join(sign for sign in last if sign.isprintable() and sign != ":").strip(" .")
    stem, dot, suffix = seen.rpartition(".")
    return f"{stem[: _LONGEST_NAME - 12]}{dot}{suffix[:10]}" if dot else (seen[:_LONGEST_NAME] or "file")


def _root() -> Path:
    home: Path = current_app.config["SETTINGS"].home
    root = home / "uploads"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def _drop_old() -> None:
    oldest = time.time() - _KEPT_S
    for directory in _root().iterdir():
        if directory.stat().st_mtime < oldest:
            shutil.rmtree(directory, ignore_errors=True)
