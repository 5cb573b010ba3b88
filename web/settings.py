"""Settings, read once from the environment into a frozen value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingError(MapgridError):
    """An environment variable that cannot be read."""


_CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """Where mapgrid keeps its things and where it listens.

    Attributes
    ----------
    home
        Directory of everything mapgrid writes: the embedded database, logs.
    database_url
        An existing PostGIS, or None for the embedded one.
    host, port
        Where the server listens; loopback unless told.
    is_https
        Whether browsers come over TLS, through a proxy in front of us that sets X-Forwarded-For and -Proto.
    is_demo
        Whether this is the demo: only there do the demo's accounts sign in.
    archive
        Where the log of the embedded database is archived; None if it is not.
    metrics_token
        What a program must bring to read the metrics; None when programs of this machine may read them.
    is_nightly
        Whether the worker of this server does the night's work: forgets what is old, backs up and proves the backup.
    """

    home: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    is_https: bool = False
    is_demo: bool = False
    archive: Path | None = None
    metrics_token: str | None = None
    is_nightly: bool = True


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the variables `MAPGRID_HOME`, `MAPGRID_DATABASE_URL` and so on."""
    named = environment.get("MAPGRID_HOME")
    home = Path(named).expanduser().resolve() if named else _default_home(environment)
    return Settings(
        home=home,
        database_url=environment.get("MAPGRID_DATABASE_URL") or None,
        host=environment.get("MAPGRID_HOST", "127.0.0.1"),
        port=_port(environment.get("MAPGRID_PORT", "8000")),
        is_https=_switch(environment, "MAPGRID_HTTPS"),
        is_demo=_switch(environment, "MAPGRID_DEMO"),
        archive=_archive(environment.get("MAPGRID_ARCHIVE", ""), home),
        metrics_token=environment.get("MAPGRID_METRICS_TOKEN") or None,
        is_nightly=_switch(environment, "MAPGRID_NIGHTLY", default=True),
    )


def _switch(environment: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    value = environment.get(name, "") or str(int(default))
    if value not in {"0", "1"}:
        raise SettingError(f"{name}: expected 1 or 0, found {value!r}")
    return value == "1"


def _port(value: str) -> int:
    if not (value.isdecimal() and int(value) <= 65535):
        raise SettingError(f"MAPGRID_PORT: expected a number from 0 to 65535, found {value!r}")
    return int(value)


def _archive(value: str, home: Path) -> Path | None:
    """Return where the log is archived: below the home unless told, nowhere for 0."""
    if value == "0":
        return None
    return Path(value).expanduser().resolve() if value else home / "archive"


def _default_home(environment: Mapping[str, str]) -> Path:
    """Return `var/` of a checkout, or the user's data directory of an installation."""
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / "var"
    data_home = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "mapgrid"
