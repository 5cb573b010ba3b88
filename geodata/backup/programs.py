"""PostgreSQL's own client programs: in a version that fits the server, without a secret on the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.engine import make_url

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEBIAN_ROOT = Path("/usr/lib/postgresql")


class ProgramError(MapgridError):
    """A client program of PostgreSQL that is missing or failed."""


def conninfo(url: str, *, database: str | None = None) -> str:
    """Return what psycopg connects with, for a URL of SQLAlchemy; to another database of that server when named."""
    parsed = make_url(url)
    given = {"host": parsed.host, "port": parsed.port, "user": parsed.username, "password": parsed.password}
    others = {name: value if isinstance(value, str) else ",".join(value) for name, value in parsed.query.items()}
    return make_conninfo("", dbname=database or parsed.database, **{k: v for k, v in given.items() if v}, **others)


def named(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return make_url(url).set(drivername="postgresql", database=database).render_as_string(hide_password=False)


def client_for(name: str, server_major: int) -> Path:
    """Return the program of the oldest version that knows a server of that major version.

    Raises
    ------
    ProgramError
        If there is none.
    """
    on_path = shutil.which(name)
    programs = [*_DEBIAN_ROOT.glob(f"*/bin/{name}"), *([Path(on_path)] if on_path else [])]
    versions = sorted((_major_of(program), str(program)) for program in programs)
    for major, program in versions:
        if major >= server_major:
            return Path(program)
    found = ", ".join(f"{name} {major}" for major, _program in versions) or f"no {name}"
    raise ProgramError(
        f"expected {name} {server_major} or newer, as the server, found {found}; "
        f"install it (sudo apt-get install postgresql-client-{server_major})"
    )


@contextmanager
def reading(program: Path, arguments: Sequence[str], url: str | None, *, options: str = "") -> Iterator[IO[bytes]]:
    """Lend what a program writes, connected to a URL or to nothing; it must have ended well when all of it is read.

    Raises
    ------
    ProgramError
        If it failed; a borrower that fails ends it.
    """
    with TemporaryFile() as messages:
        command, environment = _command(program, arguments, url, options)
        process = subprocess.Popen(  # noqa: S603 - our own list, no shell
            command, stdout=subprocess.PIPE, stderr=messages, stdin=subprocess.DEVNULL, env=environment
        )
        with process:
            if process.stdout is None:
                raise ProgramError(f"{program.name} has no output")  # never: asked for above
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                raise
        _check(program, process.returncode, messages)


def run(program: Path, arguments: Sequence[str], url: str, *, options: str = "") -> None:
    """Run a program to its end, with options for the server such as `-c work_mem=64MB`.

    Raises
    ------
    ProgramError
        If it failed.
    """
    with reading(program, arguments, url, options=options) as output:
        output.read()


def _command(
    program: Path, arguments: Sequence[str], url: str | None, options: str
) -> tuple[list[str], dict[str, str]]:
    """Return command line and environment; everybody can read the one, so the password is in the other."""
    if url is None:
        return [str(program), *arguments], {**os.environ, "LC_ALL": "C.UTF-8"}
    parameters: dict[str, Any] = conninfo_to_dict(conninfo(url))
    password = parameters.pop("password", None)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if options:
        parameters["options"] = f"{parameters.get('options', '')} {options}".strip()
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    return [str(program), *arguments, f"--dbname={make_conninfo('', **parameters)}"], environment


def _check(program: Path, status: int, messages: IO[bytes]) -> None:
    if status == 0:
        return
    messages.seek(0)
    said = messages.read().decode(errors="replace").splitlines()
    # The first error alone: those after it follow from it, and details may quote a row.
    telling = [line for line in said if "error:" in line or "ERROR:" in line] or said[-1:] or ["it said nothing"]
    raise ProgramError(f"{program.name} failed ({status}): {telling[0].strip()}")


def _major_of(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else 0
