"""The archived log of the embedded database: where it lies, and what makes the server keep it there.

Below the archive, one directory per database, named by its system identifier::

    wal/            one compressed file per segment of the log, and the histories of timelines
    base/           base backups, by the moment they ended
    timelines       since when the database has been on which timeline, one line per restore to a moment

The file `archive` in the directory of the database names the archive: as long as it is there, every start of the server
archives, whoever starts it; a log with a gap is worth nothing. The file `archived` beside it keeps the identifier.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from geodata import placement
from geodata.postgres import Account, ClusterError, Installation, account_for

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_LOSS_S = 60
"""After how many seconds a segment is archived that is not full yet: what the loss of the whole disk may cost."""

_log = logging.getLogger(__name__)
_SCRIPTS = Path(__file__).parent / "scripts"


def turn_on(home: Path, archive: Path | None = None) -> Path:
    """Let the database of a home archive its log from its next start on, and return the archive.

    Parameters
    ----------
    home
        Directory of the embedded database, which need not exist yet.
    archive
        Where to keep the log; None for `archive` below the home. Another disk is better. Its file system must know
        owners and hard links.
    """
    place = placement.prepare(home)
    wanted = archive or home / "archive"
    account = account_for(place / "data")
    kept = placement.prepare_directory(wanted, account)
    note = place / "archive"
    if _read(note) != kept:
        draft = place / "archive.new"
        draft.write_text(str(kept))
        draft.replace(note)
    return kept


def turn_off(home: Path) -> None:
    """Let the database of a home archive no longer from its next start on; what is archived stays."""
    ((home / "database").resolve() / "archive").unlink(missing_ok=True)


def archive_of(home: Path) -> Path:
    """Return the archive of a home, whether it is in use or not."""
    return _read((home / "database").resolve() / "archive") or (home / "archive").resolve()


def is_on(home: Path) -> bool:
    """Say whether the database of a home archives its log from its next start on at the latest."""
    return ((home / "database").resolve() / "archive").exists()


def settings(place: Path, account: Account, installation: Installation) -> Mapping[str, str]:
    """Return the settings of a server that make it archive, none when it should not; the directories are made."""
    archive = _read(place / "archive")
    if archive is None:
        return {}
    identifier = system_identifier(place / "data", account, installation)
    own = archive / identifier
    try:
        for directory in (own, own / "wal", own / "base"):
            directory.mkdir(mode=0o700, exist_ok=True)
            os.chown(directory, account.uid, account.gid)
    except OSError as error:  # the log waits beside the database until the place is there again
        _log.warning("the log cannot be archived in %s: %s", own, error.strerror)
    (place / "archived").write_text(identifier)
    return {
        "archive_mode": "on",
        "archive_command": command(place, "archive-wal", str(own / "wal"), "%p", "%f"),
        "archive_timeout": f"{LONGEST_LOSS_S}s",
    }


def command(place: Path, script: str, *arguments: str) -> str:
    """Return a command line for the server's settings, after the script is laid where its account can read it.

    `%p` and `%f` stand for what the server fills in; a per cent sign of a path is doubled.
    """
    program = place / script
    program.write_bytes((_SCRIPTS / script).read_bytes())
    program.chmod(0o755)
    return " ".join(map(_word, (str(program), *arguments)))


def lost_identifier(place: Path) -> str | None:
    """Return the system identifier of the last database that was archived here, None if none was."""
    try:
        return (place / "archived").read_text()
    except FileNotFoundError:
        return None


def system_identifier(data: Path, account: Account, installation: Installation) -> str:
    """Return the number that a database has from its making on, also in its copies."""
    told = account.run([installation.programs / "pg_controldata", data])
    found = re.search(r"Database system identifier:\s+(\d+)", told.stdout)
    if found is None or "WARNING" in told.stdout + told.stderr:  # a damaged file still has a number to print
        raise ClusterError(f"cannot read what {data} is: {(told.stderr.splitlines() or ['nothing was said'])[0]}")
    return found[1]


def _word(argument: str) -> str:
    return f'"{argument}"' if argument in {"%p", "%f"} else shlex.quote(argument).replace("%", "%%")


def _read(note: Path) -> Path | None:
    try:
        return Path(note.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
