"""Make a bare machine ready for mapgrid: `make setup`. Needs Python alone; every step is done once and told.

Usage: setup.py run | setup.py test. What `run` needs is little; `test` adds linters, browser and fonts.

Steps and stamps: progress.py. Debian packages: packages.py.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from packages import VENV_PYTHON, check_packages_allowed, find_python, install, missing_packages
from progress import PROGRESS, ROOT, STAMPS, SetupError, digest, once, run

if TYPE_CHECKING:
    from collections.abc import Callable

VENDOR = Path("web/static/vendor")
ROOM_MB = {"run": 1500, "test": 2500}


# Python


def make_environment(mode: str) -> None:
    """Make `.venv` with the pinned packages, mapgrid itself, its messages and its compiled functions."""
    if Path(".venv").is_symlink():
        PROGRESS.say("a linked .venv is used as it is")
    else:
        install_requirements(mode)
        once(["mapgrid"], digest(Path("pyproject.toml")), install_mapgrid)
        compiled = [Path(".ci/warm.py"), *sorted(Path("mapgrid/partition").rglob("*.py"))]
        made_from = digest(*compiled, Path("requirements.txt"))
        once([f"warm-{mode}"], made_from, lambda: warm_up(mode))
        (STAMPS / "warm-run").write_text(made_from)  # test compiles all that run needs
    catalogs = sorted(Path("web/translations").glob("*/LC_MESSAGES/*.po"))
    if catalogs and not all(catalog.with_suffix(".mo").exists() for catalog in catalogs):
        (STAMPS / "messages").unlink(missing_ok=True)
    if catalogs:
        once(["messages"], digest(*catalogs), compile_messages)


def install_requirements(mode: str) -> None:
    """Install the pinned packages, into a new `.venv` unless the one that is there was finished."""
    files = [Path("requirements.txt"), Path("requirements-dev.txt")][: 1 if mode == "run" else 2]
    stamps = {"run": ["venv-run", "venv-test"], "test": ["venv-test"]}[mode]
    # The programs in `.venv/bin` hold the path of the checkout: one that was moved is made again.
    home = STAMPS / "checkout"
    is_whole = (STAMPS / "venv-run").exists() and VENV_PYTHON.exists() and home.read_text() == str(ROOT)
    if not is_whole:
        for stamp in ("venv-run", "venv-test", "mapgrid", "warm-run", "warm-test"):
            (STAMPS / stamp).unlink(missing_ok=True)
        home.write_text(str(ROOT))

    def do() -> None:
        if not is_whole:
            shutil.rmtree(".venv", ignore_errors=True)
        if mode == "test":
            (STAMPS / "venv-run").unlink(missing_ok=True)
        commands = [] if is_whole else [[find_python() or "python3", "-m", "venv", ".venv"]]
        wanted = [part for file in files for part in ("-r", str(file))]
        commands.append([*pip("install"), "--only-binary", ":all:", *wanted])
        run("Python packages", *commands, hint="Is the package index reachable? Then make setup again")
        (STAMPS / "venv-run").write_text(digest(files[0]))

    once(stamps, digest(*files), do)


def pip(verb: str) -> list[str]:
    """Return the beginning of a pip command."""
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    return [str(VENV_PYTHON), "-m", "pip", verb, *quiet]


def install_mapgrid() -> None:
    """Install mapgrid itself, as a link to this checkout."""
    command = [*pip("install"), "--no-deps", "--no-build-isolation", "--editable", "."]
    run("mapgrid itself", command, hint="make clean, then make setup again")


def compile_messages() -> None:
    """Compile the translations."""
    command = [str(VENV_PYTHON), "-m", "babel.messages.frontend", "compile", "-d", "web/translations"]
    run("Translations", command, hint="A message catalog in web/translations is broken")


def warm_up(mode: str) -> None:
    """Compile the numeric functions, which no request should wait for."""
    command = [str(VENV_PYTHON), ".ci/warm.py", mode]
    run("Compiled functions", command, hint="make clean, then make setup again")


# What the page loads


def install_assets(mode: str) -> None:
    """Install the npm packages and copy what the page loads."""
    made_from = digest(Path("package.json"), Path("package-lock.json"))
    if not Path("node_modules/.package-lock.json").exists():  # npm writes it last
        for stamp in ("npm-run", "npm-test"):
            (STAMPS / stamp).unlink(missing_ok=True)
    stamps = {"run": ["npm-run", "npm-test"], "test": ["npm-test", "npm-run"]}[mode]

    def do() -> None:
        only = ["--omit=dev"] if mode == "run" else []
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", *only]
        run("Map assets", command, hint="Is the npm registry reachable? Then make setup again")
        (STAMPS / "npm-run").write_text(made_from)

    once(stamps, made_from, do)
    if not VENDOR.exists():
        (STAMPS / "vendor").unlink(missing_ok=True)
    once(["vendor"], made_from, copy_assets)


def copy_assets() -> None:
    """Copy the files that package.json lists under `vendor`, as a whole or not at all."""
    draft = VENDOR.with_name("vendor.new")
    shutil.rmtree(draft, ignore_errors=True)
    for package, patterns in json.loads(Path("package.json").read_text())["vendor"].items():
        source = Path("node_modules") / package
        for pattern in patterns:
            files = sorted(source.glob(pattern))
            if not files:
                raise SetupError(f"the npm package {package} has no {pattern}; correct `vendor` in package.json")
            for file in files:
                target = draft / package / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    shutil.rmtree(VENDOR, ignore_errors=True)
    draft.rename(VENDOR)


# All of it


def together(*steps: Callable[[], None]) -> None:
    """Do steps at the same time and raise the first error when all have ended."""
    errors: list[Exception] = []

    def attempt(step: Callable[[], None]) -> None:
        try:
            step()
        except (SetupError, OSError) as error:
            errors.append(error)

    threads = [threading.Thread(target=attempt, args=(step,), daemon=True) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def check_room(mode: str) -> None:
    """Refuse early when the disk is too small for what is still to be installed."""
    free = shutil.disk_usage(".").free // 2**20
    if not VENV_PYTHON.exists() and free < ROOM_MB[mode]:
        raise SetupError(
            f"expected {ROOM_MB[mode]} MB free in {ROOT}, found {free} MB; make room, then make setup again"
        )


def set_up(mode: str) -> None:
    """Do every step that is not done yet."""
    check_room(mode)
    first, rest = missing_packages(mode)
    check_packages_allowed(first + rest)
    install(first)
    if not VENV_PYTHON.exists() and find_python() is None:
        raise SetupError(
            "expected Python 3.11 or newer, found none; install one and name it: MAPGRID_PYTHON=/path/to/python3"
        )
    together(lambda: install(rest), lambda: make_environment(mode), lambda: install_assets(mode))


def main() -> int:
    """Set up what the command line asks for and return the exit status."""
    if sys.argv[1:] not in (["run"], ["test"]):
        sys.stderr.write("usage: setup.py run|test\n")
        return 2
    os.chdir(ROOT)
    threading.Thread(target=PROGRESS.keep_talking, daemon=True).start()
    try:
        STAMPS.mkdir(exist_ok=True)
        with (STAMPS / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with PROGRESS.step("Waiting for another make setup in this directory"):
                    fcntl.flock(lock, fcntl.LOCK_EX)
            set_up(sys.argv[1])
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; make setup goes on from here\n")
        return 130
    except (SetupError, OSError) as error:
        sys.stderr.write(f"set-up: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
