"""The PostgreSQL installed on this machine: which majors, where their programs lie, as whom they run."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST_MAJOR = 14
PACKAGE = "postgresql-postgis"
"""What Debian and Ubuntu call PostGIS for the PostgreSQL they carry, which comes with it."""

_DEBIAN_ROOT = Path("/usr/lib/postgresql")


class ClusterError(MapgridError):
    """The embedded database cannot be made, started or stopped."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed major version of PostgreSQL.

    Attributes
    ----------
    major
        15 for PostgreSQL 15.18.
    programs
        The directory of `postgres`, `initdb`, `psql`.
    has_postgis
        Whether the extension `postgis` can be created in it.
    """

    major: int
    programs: Path
    has_postgis: bool


class Become(TypedDict, total=False):
    """The arguments of `subprocess` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The account of the operating system that PostgreSQL runs as; it refuses to run as root."""

    uid: int
    gid: int
    name: str

    @property
    def is_ours(self) -> bool:
        """Whether it is the account this program runs as."""
        return self.uid == os.geteuid()

    def run(self, arguments: Sequence[str | Path], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Return the finished program, run as this account with its output captured and in plain English."""
        return subprocess.run(  # noqa: S603 - our own argument lists, no shell
            arguments,
            input=stdin,
            text=True,
            errors="replace",
            capture_output=True,
            check=False,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            **self.become(),
        )

    def become(self) -> Become:
        """Return the arguments that make `subprocess` change to this account, none when it is ours already."""
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(self.name, self.gid)}


def list_installations() -> list[Installation]:
    """Return the PostgreSQL installations found on this machine, the newest first."""
    directories = [path.parent for path in _DEBIAN_ROOT.glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    if on_path:
        directories.append(Path(on_path).resolve().parent)
    found = {installation.major: installation for installation in map(_inspect, directories)}
    return [found[major] for major in sorted(found, reverse=True)]


def installation_for_new_data() -> Installation:
    """Return the newest installation that has PostGIS.

    Raises
    ------
    ClusterError
        If there is none; the message says what to install.
    """
    installations = list_installations()
    for installation in installations:
        if installation.has_postgis and installation.major >= OLDEST_MAJOR:
            return installation
    found = ", ".join(f"PostgreSQL {each.major} without PostGIS" for each in installations) or "no PostgreSQL"
    raise ClusterError(
        f"expected PostgreSQL {OLDEST_MAJOR} or newer with PostGIS, found {found}; "
        f"install it (sudo apt-get install {PACKAGE}) or set MAPGRID_DATABASE_URL to a PostGIS you have"
    )


def account_for(data: Path) -> Account:
    """Return who PostgreSQL runs as: ourselves, or for root the owner of the data, else `postgres`.

    Raises
    ------
    ClusterError
        If the data belong to somebody else, or root finds no account `postgres`.
    """
    owner = data.stat().st_uid if data.exists() else None
    ourselves = os.geteuid()
    if ourselves != 0 and owner not in {None, ourselves}:
        raise ClusterError(
            f"{data}: expected to be its owner (account {ourselves}), found account {owner}; "
            "run as that account or as root, or set MAPGRID_HOME to a directory of your own"
        )
    try:
        if ourselves != 0:
            entry = pwd.getpwuid(ourselves)
        else:
            entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("postgres")
    except KeyError as error:
        raise ClusterError(
            f"no account on this machine to run PostgreSQL as ({error}); it refuses to run as root; "
            "install Debian's postgresql-common, which makes the account postgres, or run as an ordinary user"
        ) from error
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _inspect(programs: Path) -> Installation:
    version = _line_of(programs / "postgres", "--version")  # postgres (PostgreSQL) 15.18 (Debian …), or 18beta1
    digits = re.search(r"\) (\d+)", version)
    if digits is None:
        raise ClusterError(f"{programs / 'postgres'} --version said {version!r}, expected a version of PostgreSQL")
    share = _line_of(programs / "pg_config", "--sharedir")
    control = Path(share or "/nonexistent") / "extension" / "postgis.control"
    return Installation(int(digits[1]), programs, control.is_file())


def _line_of(program: Path, option: str) -> str:
    if not program.is_file():
        return ""
    answer = subprocess.run([program, option], capture_output=True, text=True, check=True)  # noqa: S603
    return answer.stdout.strip()
