"""Where the embedded database lies, where its socket lies, and the settings that follow from both."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import stat
import tempfile
from pathlib import Path

from geodata.postgres import Account, ClusterError, account_for

_SHELTER = Path("/var/lib/mapgrid")
_HBA = "local all all peer map=mapgrid\nlocal replication all peer map=mapgrid\n"
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
_LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432.lock")  # bytes a unix socket's directory may have


def prepare(home: Path) -> Path:
    """Return the true path of the directory `database` of a home, made where the account of PostgreSQL can reach it.

    Root's own directories are closed to the account `postgres`. The directory then is a link to a place
    below `/var/lib/mapgrid` that belongs to this home.
    """
    place = home / "database"
    try:
        if place.is_dir():
            return place.resolve()
        account = account_for(place / "data")
        place.mkdir()
        place.chmod(0o755)
        if not _can_reach(account, place):
            place.rmdir()
            place.symlink_to(_shelter_of(home), target_is_directory=True)
    except OSError as error:
        raise ClusterError(f"cannot make {place}: {error.strerror}; make room or rights there") from error
    return place.resolve()


def prepare_directory(wanted: Path, account: Account) -> Path:
    """Return the true path of a directory that the account of PostgreSQL can reach, made when it is missing.

    As with the directory of the database, it is a link to a place below `/var/lib/mapgrid` where it must be.
    """
    try:
        if not wanted.is_dir():
            wanted.mkdir()
            wanted.chmod(0o755)
            if not _can_reach(account, wanted):
                wanted.rmdir()
                wanted.symlink_to(_shelter_of(wanted), target_is_directory=True)
    except OSError as error:
        raise ClusterError(f"cannot make {wanted}: {error.strerror}; make room or rights there") from error
    if not _can_reach(account, wanted.resolve()):
        raise ClusterError(
            f"expected a directory that the account {account.name} can enter, found {wanted}; "
            "open the directories above it (chmod o+x), or choose another place"
        )
    return wanted.resolve()


def remove(place: Path) -> None:
    """Delete the directory `database` of a home, wherever it lies, and the directory of its socket."""
    directory = socket_directory(place)
    if directory is not None:
        shutil.rmtree(directory)
    if place.is_symlink():
        shutil.rmtree(place.resolve())
        place.unlink()
    else:
        shutil.rmtree(place)


def settings(place: Path, account: Account) -> dict[str, str]:
    """Return the server's settings, after the files they name are written."""
    hba, ident = place / "hba.conf", place / "ident.conf"
    names = sorted({account.name, pwd.getpwuid(os.geteuid()).pw_name, "root"})  # root may read all of it anyway
    _write(hba, _HBA)
    _write(ident, "".join(f'mapgrid "{name}" {role}\n' for name in names for role in ("mapgrid", "mapgrid_web")))
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(_make_socket_directory(place, account)),
        "unix_socket_permissions": "0700",
        "hba_file": str(hba),
        "ident_file": str(ident),
        "port": "5432",
        "fsync": "on",
        "recovery_init_sync_method": "syncfs",  # after a kill: one call instead of one per file, 0.1 s instead of 2.5 s
        "jit": "off",  # compiling costs more than our short queries take
        # Messages name no person: no statement, no values of a row that was refused.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_line_prefix": "%m [%p] ",
    }


def socket_directory(place: Path) -> Path | None:
    """Return the directory of the server's socket if it is there and nobody else could have made it."""
    try:
        directory = Path((place / "socket").read_text())
        owner = (place / "data").stat().st_uid
        found = directory.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    is_safe = stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077
    return directory if is_safe else None


def clear_socket_directory(place: Path) -> None:
    """Remove what a dead server left beside its socket; the directory stays, for programs that know its path."""
    directory = socket_directory(place)
    for remains in directory.iterdir() if directory else ():
        remains.unlink(missing_ok=True)


def _make_socket_directory(place: Path, account: Account) -> Path:
    """Return a private directory with a short name: a socket's path has at most 107 bytes, and a home may be long."""
    known = socket_directory(place)
    if known is not None:
        return known
    made = Path(tempfile.mkdtemp(prefix="mapgrid-", dir=_run_time_directory()))
    os.chown(made, account.uid, account.gid)
    _write(place / "socket", str(made))
    return made


def _run_time_directory() -> Path:
    if os.geteuid() == 0 and Path("/run").is_dir():
        return Path("/run")
    for name in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        is_plain = _PLAIN.fullmatch(name) and len(name) + len("/mapgrid-12345678") <= _LONGEST_SOCKET
        if is_plain and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    return Path("/tmp")  # noqa: S108 - mkdtemp makes a directory of ours in it, 0700


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)


def _can_reach(account: Account, directory: Path) -> bool:
    return account.is_ours or account.run(["/usr/bin/test", "-x", directory]).returncode == 0


def _shelter_of(home: Path) -> Path:
    name = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    shelter = _SHELTER / name
    for directory in (_SHELTER, shelter):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)
    return shelter
